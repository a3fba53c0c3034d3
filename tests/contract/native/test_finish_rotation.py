"""POST /v1/keys/{key_id}/rotation/finish"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keywright import lifecycle, rotation
from keywright.issuing import Issued
from keywright.model import DAY_MS, EventType, KeyKind
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    UNKNOWN,
    answered,
    fields_refused,
    key_view,
    refused,
)
from tests.world import World


@pytest.fixture
def first(world: World) -> Issued:
    return world.issue(KeyKind.NATIVE, world.app().ref, scopes=("orders:read",))


@pytest.fixture
def second(world: World, first: Issued) -> Issued:
    return rotation.rotate(world.desk, world.principal, first.key, overlap_ms=DAY_MS)


def finish(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key_id}/rotation/finish", world.bearer, json_body=body)


def verdict(bundle: Bundle, world: World, issued: Issued) -> dict[str, Any]:
    shown = {"token": issued.token.reveal()}
    told: dict[str, Any] = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()
    return told


def test_the_former_secret_stops_at_the_very_next_call(
    bundle: Bundle, world: World, first: Issued, second: Issued
) -> None:
    assert verdict(bundle, world, first)["valid"] is True
    answer = finish(bundle, world, second.key.id)
    key = world.key(second.key.id)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH, COMMIT)
    assert [each["version"] for each in answer.json()["versions"]] == [2]
    assert verdict(bundle, world, first)["reason"] == "unknown"
    assert verdict(bundle, world, second)["valid"] is True


def test_a_member_that_is_not_known_is_refused(bundle: Bundle, world: World, second: Issued) -> None:
    fields_refused(finish(bundle, world, second.key.id, version=1), ("version", UNKNOWN))
    assert world.key(second.key.id) == second.key


def test_a_key_without_a_rotation_under_way_is_refused(bundle: Bundle, world: World, second: Issued) -> None:
    over = replace(second.key.versions[0], retires_at_ms=world.desk.clock.now_ms() - 1)
    for key in (
        world.issue(KeyKind.NATIVE, world.app().ref).key,
        world.overwrite(second.key, versions=(over, second.key.newest)),
    ):
        answer = finish(bundle, world, key.id)
        refused(answer, "rotation-not-under-way")
        assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_rotation_of_a_revoked_key_is_over(bundle: Bundle, world: World, second: Issued) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, second.key)
    refused(finish(bundle, world, ended.id), "key-revoked")
    assert world.key(ended.id) == ended


def test_a_key_of_a_vendors_kind_is_not_rotated(bundle: Bundle, world: World) -> None:
    refused(finish(bundle, world, world.channel(world.app()).key.id), "key-not-rotatable")


def test_the_leaked_secret_has_no_say_in_its_own_rotation(bundle: Bundle, world: World) -> None:
    leaked = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    key = rotation.rotate(world.desk, world.principal, leaked.key, overlap_ms=DAY_MS).key
    thief = {"Authorization": f"Bearer {leaked.token.reveal()}"}
    answer = bundle.request("POST", f"/v1/keys/{key.id}/rotation/finish", thief, json_body={})
    refused(answer, "own-key")
    assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_audit_tells_it(bundle: Bundle, stack: Stack, world: World, second: Issued) -> None:
    assert finish(bundle, world, second.key.id).status == 200
    table = next(iter(stack.template.tables.values())).name
    found = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{second.key.owner.id}"}},
    )["Items"]
    told = [item for item in found if item["type"]["S"] == EventType.ROTATION_FINISHED]
    assert [(item["subject"]["S"], item["actor"]["S"]) for item in told] == [(second.key.id, world.principal.key_id)]

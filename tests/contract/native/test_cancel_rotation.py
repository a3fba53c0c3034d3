"""POST /v1/keys/{key_id}/rotation/cancel"""

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


def cancel(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key_id}/rotation/cancel", world.bearer, json_body=body)


def verdict(bundle: Bundle, world: World, issued: Issued) -> dict[str, Any]:
    shown = {"token": issued.token.reveal()}
    told: dict[str, Any] = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()
    return told


def test_the_former_secret_is_the_keys_again_and_the_new_one_is_nobodys(
    bundle: Bundle, world: World, first: Issued, second: Issued
) -> None:
    answer = cancel(bundle, world, second.key.id)
    key = world.key(second.key.id)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH, COMMIT)
    assert (answer.json()["version"], [each["version"] for each in answer.json()["versions"]]) == (2, [1])
    back = verdict(bundle, world, first)
    assert (back["valid"], back["version"], "retires_at" in back) == (True, 1, False)
    assert verdict(bundle, world, second)["reason"] == "unknown"


def test_the_number_of_the_cancelled_secret_is_not_given_again(bundle: Bundle, world: World, second: Issued) -> None:
    cancel(bundle, world, second.key.id)
    answer = bundle.request("POST", f"/v1/keys/{second.key.id}/rotate", world.bearer)
    assert [each["version"] for each in answer.json()["versions"]] == [3]


def test_a_member_that_is_not_known_is_refused(bundle: Bundle, world: World, second: Issued) -> None:
    fields_refused(cancel(bundle, world, second.key.id, version=1), ("version", UNKNOWN))
    assert world.key(second.key.id) == second.key


def test_a_key_without_a_rotation_under_way_is_refused(bundle: Bundle, world: World, second: Issued) -> None:
    over = replace(second.key.versions[0], retires_at_ms=world.desk.clock.now_ms() - 1)
    for key in (
        world.issue(KeyKind.NATIVE, world.app().ref).key,
        world.overwrite(second.key, versions=(over, second.key.newest)),
    ):
        answer = cancel(bundle, world, key.id)
        refused(answer, "rotation-not-under-way")
        assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_rotation_of_a_revoked_key_is_over(bundle: Bundle, world: World, second: Issued) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, second.key)
    refused(cancel(bundle, world, ended.id), "key-revoked")
    assert world.key(ended.id) == ended


def test_a_key_of_a_vendors_kind_is_not_rotated(bundle: Bundle, world: World) -> None:
    refused(cancel(bundle, world, world.channel(world.app()).key.id), "key-not-rotatable")


def test_the_leaked_secret_has_no_say_in_its_own_rotation(bundle: Bundle, world: World) -> None:
    leaked = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    key = rotation.rotate(world.desk, world.principal, leaked.key, overlap_ms=DAY_MS).key
    thief = {"Authorization": f"Bearer {leaked.token.reveal()}"}
    answer = bundle.request("POST", f"/v1/keys/{key.id}/rotation/cancel", thief, json_body={})
    refused(answer, "own-key")
    assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_audit_tells_it(bundle: Bundle, stack: Stack, world: World, second: Issued) -> None:
    assert cancel(bundle, world, second.key.id).status == 200
    table = next(iter(stack.template.tables.values())).name
    found = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{second.key.owner.id}"}},
    )["Items"]
    told = [item for item in found if item["type"]["S"] == EventType.ROTATION_CANCELLED]
    assert [(item["subject"]["S"], item["actor"]["S"]) for item in told] == [(second.key.id, world.principal.key_id)]

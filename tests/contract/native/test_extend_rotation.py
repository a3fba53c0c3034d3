"""POST /v1/keys/{key_id}/rotation/extend"""

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
    INVALID,
    MISSING,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    key_view,
    refused,
    rfc3339,
)
from tests.world import World


@pytest.fixture
def first(world: World) -> Issued:
    return world.issue(KeyKind.NATIVE, world.app().ref, scopes=("orders:read",))


@pytest.fixture
def second(world: World, first: Issued) -> Issued:
    return rotation.rotate(world.desk, world.principal, first.key, overlap_ms=DAY_MS)


def extend(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request(
        "POST", f"/v1/keys/{key_id}/rotation/extend", world.bearer, json_body={"overlap_seconds": 60, **body}
    )


def verdict(bundle: Bundle, world: World, issued: Issued) -> dict[str, Any]:
    shown = {"token": issued.token.reveal()}
    told: dict[str, Any] = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()
    return told


@pytest.mark.parametrize("seconds", [60, 7 * 86_400, 30 * 86_400])
def test_the_overlap_ends_so_many_seconds_from_now_be_it_later_or_earlier(
    bundle: Bundle, world: World, first: Issued, second: Issued, seconds: int
) -> None:
    answer = extend(bundle, world, second.key.id, overlap_seconds=seconds)
    key = world.key(second.key.id)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH, COMMIT)
    assert key.versions[0].retires_at_ms == key.modified_at_ms + seconds * 1000
    assert verdict(bundle, world, first)["retires_at"] == rfc3339(key.versions[0].retires_at_ms)
    assert verdict(bundle, world, second)["version"] == 2


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({}, "overlap_seconds", MISSING),
        ({"overlap_seconds": 0}, "overlap_seconds", INVALID),
        ({"overlap_seconds": -60}, "overlap_seconds", INVALID),
        ({"overlap_seconds": 30 * 86_400 + 1}, "overlap_seconds", INVALID),
        ({"overlap_seconds": "60"}, "overlap_seconds", TYPE),
        ({"overlap_seconds": None}, "overlap_seconds", TYPE),
        ({"overlap_seconds": 60, "until": "2031-05-01"}, "until", UNKNOWN),
    ],
    ids=range(7),
)
def test_a_field_at_fault_is_named_and_the_overlap_stays(
    bundle: Bundle, world: World, second: Issued, body: dict[str, Any], field: str, problem: str
) -> None:
    target = f"/v1/keys/{second.key.id}/rotation/extend"
    answer = bundle.request("POST", target, world.bearer, json_body=body)
    fields_refused(answer, (field, problem))
    assert (answer.calls, world.key(second.key.id)) == ((BATCH,), second.key)


def test_a_key_without_a_rotation_under_way_is_refused(bundle: Bundle, world: World, second: Issued) -> None:
    over = replace(second.key.versions[0], retires_at_ms=world.desk.clock.now_ms() - 1)
    for key in (
        world.issue(KeyKind.NATIVE, world.app().ref).key,
        world.overwrite(second.key, versions=(over, second.key.newest)),
    ):
        answer = extend(bundle, world, key.id)
        refused(answer, "rotation-not-under-way")
        assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_rotation_of_a_revoked_key_is_over(bundle: Bundle, world: World, second: Issued) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, second.key)
    refused(extend(bundle, world, ended.id), "key-revoked")
    assert world.key(ended.id) == ended


def test_a_key_of_a_vendors_kind_is_not_rotated(bundle: Bundle, world: World) -> None:
    refused(extend(bundle, world, world.channel(world.app()).key.id), "key-not-rotatable")


def test_the_leaked_secret_has_no_say_in_its_own_rotation(bundle: Bundle, world: World) -> None:
    leaked = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    key = rotation.rotate(world.desk, world.principal, leaked.key, overlap_ms=DAY_MS).key
    thief = {"Authorization": f"Bearer {leaked.token.reveal()}"}
    answer = bundle.request("POST", f"/v1/keys/{key.id}/rotation/extend", thief, json_body={"overlap_seconds": 60})
    refused(answer, "own-key")
    assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_audit_tells_it(bundle: Bundle, stack: Stack, world: World, second: Issued) -> None:
    assert extend(bundle, world, second.key.id).status == 200
    table = next(iter(stack.template.tables.values())).name
    found = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{second.key.owner.id}"}},
    )["Items"]
    told = [item for item in found if item["type"]["S"] == EventType.ROTATION_EXTENDED]
    assert [(item["subject"]["S"], item["actor"]["S"]) for item in told] == [(second.key.id, world.principal.key_id)]

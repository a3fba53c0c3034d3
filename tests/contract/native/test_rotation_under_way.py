"""What holds for the three ends of a rotation, POST /v1/keys/{key_id}/rotation/cancel, extend and finish, alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keywright import lifecycle, rotation
from keywright.issuing import Issued
from keywright.model import DAY_MS, EventType, KeyKind
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import BATCH, UNKNOWN, fields_refused, refused
from tests.world import World

BODIES: dict[str, dict[str, Any]] = {"cancel": {}, "extend": {"overlap_seconds": 60}, "finish": {}}
EVENTS = {
    "cancel": EventType.ROTATION_CANCELLED,
    "extend": EventType.ROTATION_EXTENDED,
    "finish": EventType.ROTATION_FINISHED,
}
pytestmark = pytest.mark.parametrize("step", BODIES)


def take(bundle: Bundle, step: str, key_id: str, headers: dict[str, str], **more: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key_id}/rotation/{step}", headers, json_body={**BODIES[step], **more})


def test_a_member_that_is_not_known_is_refused(bundle: Bundle, world: World, second: Issued, step: str) -> None:
    fields_refused(take(bundle, step, second.key.id, world.bearer, version=1), ("version", UNKNOWN))
    assert world.key(second.key.id) == second.key


def test_a_key_without_a_rotation_under_way_is_refused(bundle: Bundle, world: World, second: Issued, step: str) -> None:
    over = replace(second.key.versions[0], retires_at_ms=world.desk.clock.now_ms() - 1)
    for key in (
        world.issue(KeyKind.NATIVE, world.app().ref).key,
        world.overwrite(second.key, versions=(over, second.key.newest)),
    ):
        answer = take(bundle, step, key.id, world.bearer)
        refused(answer, "rotation-not-under-way")
        assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_rotation_of_a_revoked_key_is_over(bundle: Bundle, world: World, second: Issued, step: str) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, second.key)
    refused(take(bundle, step, ended.id, world.bearer), "key-revoked")
    assert world.key(ended.id) == ended


def test_a_key_of_a_vendors_kind_is_not_rotated(bundle: Bundle, world: World, step: str) -> None:
    key = world.channel(world.app()).key
    refused(take(bundle, step, key.id, world.bearer), "key-not-rotatable")


def test_the_leaked_secret_has_no_say_in_its_own_rotation(bundle: Bundle, world: World, step: str) -> None:
    leaked = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    key = rotation.rotate(world.desk, world.principal, leaked.key, overlap_ms=DAY_MS).key
    thief = {"Authorization": f"Bearer {leaked.token.reveal()}"}
    answer = take(bundle, step, key.id, thief)
    refused(answer, "own-key")
    assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_the_audit_tells_it(bundle: Bundle, stack: Stack, world: World, second: Issued, step: str) -> None:
    assert take(bundle, step, second.key.id, world.bearer).status == 200
    found = stack.client("dynamodb").query(
        TableName=next(iter(stack.template.tables.values())).name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{second.key.owner.id}"}},
    )["Items"]
    told = [item for item in found if item["type"]["S"] == EVENTS[step]]
    assert [(item["subject"]["S"], item["actor"]["S"]) for item in told] == [(second.key.id, world.principal.key_id)]

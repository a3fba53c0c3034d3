"""POST /v1/keys/{key_id}/revoke"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import EventType, KeyKind
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    INVALID,
    LONG,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    key_view,
)
from tests.world import World


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "found in a public repository"}])
def test_a_revoked_key_stops_at_the_very_next_call_and_for_good(
    bundle: Bundle, world: World, body: dict[str, str]
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    answer = bundle.request("POST", f"/v1/keys/{issued.key.id}/revoke", world.bearer, json_body=body)
    key = world.key(issued.key.id)
    answered(answer, 200, key_view(key, "revoked"))
    assert key.revoked_reason == body.get("reason", "")
    assert answer.json()["revoked_at"] == answer.json()["modified_at"] is not None
    assert answer.calls == (BATCH, COMMIT)
    shown = {"token": issued.token.reveal()}
    verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()
    assert (verdict["valid"], verdict["reason"]) == (False, "revoked")


def test_an_absent_body_is_no_reason(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    assert bundle.request("POST", f"/v1/keys/{key.id}/revoke", world.bearer).json()["revoked_reason"] == ""


def test_revoking_once_more_changes_nothing_not_even_the_reason(bundle: Bundle, world: World) -> None:
    key = lifecycle.revoke(
        world.desk, world.principal, world.issue(KeyKind.NATIVE, world.operator.ref).key, "the first reason"
    )
    answer = bundle.request("POST", f"/v1/keys/{key.id}/revoke", world.bearer, json_body={"reason": "another"})
    answered(answer, 200, key_view(key, "revoked"))
    assert answer.calls == (BATCH,)


@pytest.mark.parametrize("state", ["disabled", "expired"])
def test_a_key_in_any_state_is_revoked(bundle: Bundle, world: World, state: str) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    key = world.expire(key) if state == "expired" else lifecycle.disable(world.desk, world.principal, key)
    answer = bundle.request("POST", f"/v1/keys/{key.id}/revoke", world.bearer)
    assert (answer.status, answer.json()["state"]) == (200, "revoked")


def test_all_versions_of_a_key_stop(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    assert bundle.request("POST", f"/v1/keys/{opened.key.id}/revoke", world.bearer).status == 200
    body = {"app_key": opened.pairing.reveal(), "access_key": opened.token.reveal()}
    verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body).json()
    assert (verdict["valid"], verdict["reason"]) == (False, "revoked")


def test_the_audit_keeps_who_did_it_and_why(bundle: Bundle, stack: Stack, world: World) -> None:
    app = world.app()
    key = world.issue(KeyKind.NATIVE, app.ref).key
    bundle.request("POST", f"/v1/keys/{key.id}/revoke", world.bearer, json_body={"reason": "leaked"})
    table = next(iter(stack.template.tables.values())).name
    found = stack.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{world.tenant}#app#{app.id}"}},
    )["Items"]
    told = [item for item in found if item["type"]["S"] == EventType.KEY_REVOKED]
    assert [(item["subject"]["S"], item["actor"]["S"], item["reason"]["S"]) for item in told] == [
        (key.id, world.principal.key_id, "leaked")
    ]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"reason": "x" * 201}, [("reason", LONG)]),
        ({"reason": "a\nb"}, [("reason", INVALID)]),
        ({"reason": 5}, [("reason", TYPE)]),
        ({"reason": None}, [("reason", TYPE)]),
        ({"why": "leaked"}, [("why", UNKNOWN)]),
    ],
    ids=range(5),
)
def test_a_field_at_fault_is_named_and_the_key_lives_on(
    bundle: Bundle, world: World, body: dict[str, Any], fields: list[tuple[str, str]]
) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    fields_refused(bundle.request("POST", f"/v1/keys/{key.id}/revoke", world.bearer, json_body=body), *fields)
    assert world.key(key.id) == key


def test_the_very_first_key_of_a_tenant_is_revoked_like_any_other(bundle: Bundle, world: World) -> None:
    answer = bundle.request("POST", f"/v1/keys/{world.principal.key_id}/revoke", world.bearer)
    assert answer.json()["state"] == "revoked"
    again = bundle.request("POST", f"/v1/keys/{world.principal.key_id}/revoke", world.bearer)
    assert again.status == 401

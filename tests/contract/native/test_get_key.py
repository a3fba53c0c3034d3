"""GET /v1/keys/{key_id}. That another tenant's key answers like an unknown one is proven in test_callers.py."""

from __future__ import annotations

import pytest

from keywright import issuing, lifecycle
from keywright.model import KeyKind
from tests.bundle import Bundle
from tests.contract.native.desk import BATCH, answered, used_view
from tests.world import World


def test_a_key_is_shown_without_its_secret(bundle: Bundle, world: World) -> None:
    issued = world.issue(
        KeyKind.NATIVE, world.rep().ref, description="tills", scopes=("keys:verify",), expires_at_ms=4_102_444_800_123
    )
    answer = bundle.request("GET", f"/v1/keys/{issued.key.id}", world.bearer)
    answered(answer, 200, used_view(issued.key))
    assert answer.json()["expires_at"] == "2100-01-01T00:00:00.123000Z"
    assert answer.calls == (BATCH,)
    assert issued.token.reveal() not in answer.text


def test_all_versions_that_a_key_keeps_are_shown(bundle: Bundle, world: World) -> None:
    key = world.channel(world.app()).key
    for _ in range(3):
        key = issuing.issue_version(world.desk, world.principal, key, creator=key.creator).key
    key = lifecycle.switch_version(world.desk, world.principal, key, 3, enabled=False)
    answer = bundle.request("GET", f"/v1/keys/{key.id}", world.bearer)
    answered(answer, 200, used_view(key))
    assert [(each["version"], each["enabled"]) for each in answer.json()["versions"]] == [
        (2, True),
        (3, False),
        (4, True),
    ]


@pytest.mark.parametrize("state", ["disabled", "expired", "revoked"])
def test_the_state_of_a_key_is_the_present_one(bundle: Bundle, world: World, state: str) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    match state:
        case "disabled":
            key = lifecycle.disable(world.desk, world.principal, key)
        case "expired":
            key = world.expire(key)
        case _:
            key = lifecycle.revoke(world.desk, world.principal, key, "found in public")
    answered(bundle.request("GET", f"/v1/keys/{key.id}", world.bearer), 200, used_view(key, state))


def test_a_body_and_a_query_are_ignored(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    answer = bundle.request("GET", f"/v1/keys/{key.id}?show=secret", world.bearer, body=b"{")
    answered(answer, 200, used_view(key))

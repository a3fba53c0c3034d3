"""POST /v1/keys/{key_id}/disable"""

from __future__ import annotations

import pytest

from keywright import lifecycle
from keywright.model import KeyKind
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.native.desk import BATCH, COMMIT, answered, fields_refused, key_view, refused
from tests.contract.native.desk import UNKNOWN as NO_SUCH_FIELD
from tests.world import World


def verdict(bundle: Bundle, world: World, token: str) -> object:
    return bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token}).json()["reason"]


def test_a_disabled_key_stops_at_the_very_next_call(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    assert verdict(bundle, world, issued.token.reveal()) is None
    answer = bundle.request("POST", f"/v1/keys/{issued.key.id}/disable", world.bearer, json_body={})
    answered(answer, 200, key_view(world.key(issued.key.id), "disabled"))
    assert answer.calls == (BATCH, COMMIT)
    assert verdict(bundle, world, issued.token.reveal()) == "disabled"


def test_a_key_of_every_kind_is_disabled(bundle: Bundle, world: World) -> None:
    app = world.app()
    opened = world.channel(world.app())
    issued = [world.issue(KeyKind.APP_SECRET, app.ref), world.issue(KeyKind.REP_KEY, world.rep().ref)]
    for key, token in [(each.key, each.token) for each in issued] + [(opened.key, opened.token)]:
        assert bundle.request("POST", f"/v1/keys/{key.id}/disable", world.bearer).status == 200
        assert verdict(bundle, world, token.reveal()) == "disabled"


def test_a_key_that_is_off_already_stays_so_and_nothing_is_written(bundle: Bundle, world: World) -> None:
    key = lifecycle.disable(world.desk, world.principal, world.issue(KeyKind.NATIVE, world.operator.ref).key)
    answer = bundle.request("POST", f"/v1/keys/{key.id}/disable", world.bearer, json_body={})
    answered(answer, 200, key_view(key, "disabled"))
    assert answer.calls == (BATCH,)


def test_a_revoked_key_is_not_disabled(bundle: Bundle, world: World) -> None:
    key = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.NATIVE, world.operator.ref).key)
    answer = bundle.request("POST", f"/v1/keys/{key.id}/disable", world.bearer, json_body={})
    refused(answer, "key-revoked")
    assert answer.calls == (BATCH,)


def test_a_member_is_refused(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    answer = bundle.request("POST", f"/v1/keys/{key.id}/disable", world.bearer, json_body={"reason": "x"})
    fields_refused(answer, ("reason", NO_SUCH_FIELD))
    assert world.key(key.id) == key


def test_a_caller_may_disable_the_key_it_holds_and_is_then_refused(bundle: Bundle, world: World) -> None:
    target = f"/v1/keys/{world.principal.key_id}/disable"
    assert bundle.request("POST", target, world.bearer).status == 200
    refused(bundle.request("POST", target, world.bearer), "credentials-refused")


def test_a_key_that_changes_again_and_again_meanwhile_is_a_conflict(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time, the reading was done again: the deed is tried five times."""
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    reasons = [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}, {"Code": "None"}, {"Code": "None"}]
    lost = Fault(error("TransactionCanceledException", CancellationReasons=reasons))
    monkeypatch.setattr(stack.aws, "fault", lambda call: lost if call.operation == COMMIT else None)
    answer = bundle.request("POST", f"/v1/keys/{key.id}/disable", world.bearer)
    refused(answer, "conflict")
    assert answer.calls == (BATCH, COMMIT) * 5


def test_a_key_that_changes_once_meanwhile_is_disabled_all_the_same(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key

    def meanwhile(call: object) -> None:
        if getattr(call, "operation", None) == COMMIT and getattr(call, "principal", None) is not None:
            monkeypatch.undo()
            world.overwrite(key, description="changed meanwhile")

    monkeypatch.setattr(stack.aws, "fault", meanwhile)
    answer = bundle.request("POST", f"/v1/keys/{key.id}/disable", world.bearer)
    assert (answer.status, answer.json()["state"]) == (200, "disabled")
    assert world.key(key.id).description == "changed meanwhile"

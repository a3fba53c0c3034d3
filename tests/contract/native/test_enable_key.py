"""POST /v1/keys/{key_id}/enable"""

from __future__ import annotations

from keywright import lifecycle
from keywright.model import KeyKind
from tests.bundle import Bundle
from tests.contract.native.desk import BATCH, COMMIT, UNKNOWN, answered, fields_refused, key_view, refused
from tests.world import World


def test_an_enabled_key_lives_again_at_the_very_next_call(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    lifecycle.disable(world.desk, world.principal, issued.key)
    answer = bundle.request("POST", f"/v1/keys/{issued.key.id}/enable", world.bearer, json_body={})
    answered(answer, 200, key_view(world.key(issued.key.id)))
    assert answer.calls == (BATCH, COMMIT)
    body = {"token": issued.token.reveal()}
    assert bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body).json()["valid"] is True


def test_a_reps_key_lives_again_in_its_place_beside_the_rep(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.REP_KEY, world.rep().ref)
    lifecycle.disable(world.desk, world.principal, issued.key)
    answer = bundle.request("POST", f"/v1/keys/{issued.key.id}/enable", world.bearer, json_body={})
    answered(answer, 200, key_view(world.key(issued.key.id)))
    assert world.key(issued.key.id).enabled


def test_a_key_that_is_on_already_stays_so_and_nothing_is_written(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    answer = bundle.request("POST", f"/v1/keys/{key.id}/enable", world.bearer)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH,)


def test_an_expired_key_stays_expired(bundle: Bundle, world: World) -> None:
    key = world.expire(
        lifecycle.disable(world.desk, world.principal, world.issue(KeyKind.NATIVE, world.operator.ref).key)
    )
    answer = bundle.request("POST", f"/v1/keys/{key.id}/enable", world.bearer, json_body={})
    answered(answer, 200, key_view(world.key(key.id), "expired"))


def test_a_revoked_key_is_not_enabled(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    off = lifecycle.disable(world.desk, world.principal, key)
    for ended in (lifecycle.revoke(world.desk, world.principal, off),):
        refused(bundle.request("POST", f"/v1/keys/{ended.id}/enable", world.bearer, json_body={}), "key-revoked")
        assert world.key(key.id) == ended


def test_a_member_is_refused(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    answer = bundle.request("POST", f"/v1/keys/{key.id}/enable", world.bearer, json_body={"enabled": True})
    fields_refused(answer, ("enabled", UNKNOWN))

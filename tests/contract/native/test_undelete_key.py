"""POST /v1/keys/{key_id}/undelete"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keywright import lifecycle, removal
from keywright.issuing import Issued
from keywright.model import KeyKind
from keywright.ports import SingleKeyRef
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import BATCH, COMMIT, UNKNOWN, answered, fields_refused, key_view, refused
from tests.world import World

MONTH_MS = 30 * 86_400_000


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue(KeyKind.APP_SECRET, world.app().ref, description="tills")


def undelete(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key_id}/undelete", world.bearer, json_body=body)


def works(bundle: Bundle, world: World, issued: Issued) -> bool:
    shown = {"token": issued.token.reveal()}
    return bool(bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()["valid"])


def test_a_deleted_key_comes_back_as_it_was(bundle: Bundle, world: World, issued: Issued) -> None:
    lifecycle.delete(world.desk, world.principal, issued.key)
    assert not works(bundle, world, issued)
    answer = undelete(bundle, world, issued.key.id)
    back = world.key(issued.key.id)
    answered(answer, 200, key_view(back))
    assert answer.calls == (BATCH, COMMIT)
    assert replace(back, revision=1, modified_at_ms=issued.key.modified_at_ms) == issued.key
    assert works(bundle, world, issued)
    assert list(world.desk.store.keys_of(back.owner).items) == [back]
    assert list(world.desk.store.keys_of(back.owner, deleted=True).items) == []


@pytest.mark.parametrize("state", ["disabled", "expired", "revoked"])
def test_what_had_come_to_its_end_stays_so(bundle: Bundle, world: World, issued: Issued, state: str) -> None:
    match state:
        case "disabled":
            key = lifecycle.disable(world.desk, world.principal, issued.key)
        case "expired":
            key = world.expire(issued.key)
        case _:
            key = lifecycle.revoke(world.desk, world.principal, issued.key, "leaked")
    lifecycle.delete(world.desk, world.principal, key)
    answer = undelete(bundle, world, key.id)
    assert (answer.status, answer.json()["state"]) == (200, state)
    assert not works(bundle, world, issued)


def test_a_key_that_is_not_deleted_is_returned_as_it_is(bundle: Bundle, world: World, issued: Issued) -> None:
    answer = undelete(bundle, world, issued.key.id)
    answered(answer, 200, key_view(issued.key))
    assert (answer.calls, world.key(issued.key.id)) == ((BATCH,), issued.key)


def test_after_thirty_days_there_is_no_such_key(bundle: Bundle, world: World, issued: Issued) -> None:
    gone = lifecycle.delete(world.desk, world.principal, issued.key)
    assert gone.deleted_at_ms is not None
    long_gone = world.overwrite(gone, deleted_at_ms=gone.deleted_at_ms - MONTH_MS)
    answer = undelete(bundle, world, gone.id)
    refused(answer, "key-not-found")
    assert (answer.calls, world.key(gone.id)) == ((BATCH,), long_gone)


def test_another_tenants_deleted_key_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World
) -> None:
    theirs = another_world.issue(KeyKind.NATIVE, another_world.operator.ref).key
    gone = lifecycle.delete(another_world.desk, another_world.principal, theirs)
    answers = [undelete(bundle, world, key_id) for key_id in (gone.id, "key_000000000000000000000000")]
    for answer in answers:
        refused(answer, "key-not-found")
        assert answer.calls == (BATCH,)
    assert another_world.key(gone.id) == gone


def test_its_place_may_be_taken(bundle: Bundle, world: World, issued: Issued) -> None:
    gone = lifecycle.delete(world.desk, world.principal, issued.key)
    others = [world.issue(KeyKind.APP_SECRET, issued.key.owner).key for _ in range(10)]
    refused(undelete(bundle, world, gone.id), "limit-reached")
    assert world.key(gone.id) == gone
    lifecycle.revoke(world.desk, world.principal, others[0])
    assert undelete(bundle, world, gone.id).status == 200


def test_an_owner_of_single_keys_may_have_another_by_now(bundle: Bundle, world: World) -> None:
    rep = world.rep()
    gone = lifecycle.delete(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    second = world.issue(KeyKind.REP_KEY, rep.ref).key
    refused(undelete(bundle, world, gone.id), "key-exists")
    lifecycle.delete(world.desk, world.principal, second)
    assert undelete(bundle, world, gone.id).status == 200
    ref = SingleKeyRef(rep.ref)
    assert world.desk.store.read(ref)[ref] == world.key(gone.id)


def test_its_owner_must_be_what_it_was_issued_to(bundle: Bundle, world: World) -> None:
    rep, app, operator = world.rep(), world.app(), world.add_operator()
    reps = world.issue(KeyKind.REP_KEY, rep.ref).key
    world.change(rep, login_enabled=False)
    answer = undelete(bundle, world, reps.id)
    refused(answer, "owner-not-eligible", "Login is not enabled for the support rep.")
    operators = world.issue(KeyKind.NATIVE, operator.ref).key
    lifecycle.delete(world.desk, world.principal, operators)
    world.change(operator, enabled=False)
    refused(undelete(bundle, world, operators.id), "operator-disabled")
    apps = world.issue(KeyKind.NATIVE, app.ref).key
    removal.remove(world.desk, world.principal, app.ref, time_is_up=lambda: False)
    answer = undelete(bundle, world, apps.id)
    refused(answer, "owner-not-found", "There is no such app.")


def test_whoever_was_registered_under_the_owners_id_since_does_not_get_its_keys(bundle: Bundle, world: World) -> None:
    app = world.app()
    key = world.issue(KeyKind.NATIVE, app.ref).key
    removal.remove(world.desk, world.principal, app.ref, time_is_up=lambda: False)
    while world.desk.clock.now_ms() <= key.created_at_ms:
        pass
    world.app("Another", id=app.id)
    refused(undelete(bundle, world, key.id), "owner-not-found", "There is no such app.")
    assert world.key(key.id).deleted_at_ms is not None


def test_a_member_that_is_not_known_is_refused(bundle: Bundle, world: World, issued: Issued) -> None:
    gone = lifecycle.delete(world.desk, world.principal, issued.key)
    fields_refused(undelete(bundle, world, gone.id, reason="oops"), ("reason", UNKNOWN))
    assert world.key(gone.id) == gone

"""DELETE /v1/keys/{key_id}"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from keywright import lifecycle
from keywright.model import KeyKind, Owner, OwnerRef
from keywright.ports import SingleKeyRef
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import BATCH, COMMIT, key_view, refused, rfc3339
from tests.world import World


def delete(bundle: Bundle, world: World, key_id: str) -> Answer:
    return bundle.request("DELETE", f"/v1/keys/{key_id}", world.bearer)


def listed(bundle: Bundle, world: World, owner: OwnerRef, **query: str) -> list[dict[str, Any]]:
    target = "/v1/keys?" + urlencode({"owner_kind": owner.kind, "owner_id": owner.id, **query})
    keys: list[dict[str, Any]] = bundle.request("GET", target, world.bearer).json()["keys"]
    return keys


def test_a_deleted_key_stops_at_the_very_next_call_and_is_found_by_nobody(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    answer = delete(bundle, world, issued.key.id)
    assert (answer.status, answer.body, answer.calls) == (204, b"", (BATCH, COMMIT))
    assert answer.headers["cache-control"] == "no-store"
    shown = {"token": issued.token.reveal()}
    verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()
    assert (verdict["valid"], verdict["reason"]) == (False, "unknown")
    refused(bundle.request("GET", f"/v1/keys/{issued.key.id}", world.bearer), "key-not-found")
    assert listed(bundle, world, issued.key.owner) == []


@pytest.mark.parametrize("kind", [KeyKind.NATIVE, KeyKind.REP_KEY])
def test_an_operator_finds_what_was_deleted_among_the_deleted_ones(
    bundle: Bundle, world: World, another_world: World, kind: KeyKind
) -> None:
    rep = world.rep()
    kept = world.issue(KeyKind.NATIVE, rep.ref).key
    issued = world.issue(kind, rep.ref, description="tills")
    delete(bundle, world, issued.key.id)
    gone = world.key(issued.key.id)
    wanted = {**key_view(gone, "deleted"), "deleted_at": rfc3339(gone.deleted_at_ms)}
    assert listed(bundle, world, rep.ref, state="deleted") == [wanted]
    assert listed(bundle, world, rep.ref, state="deleted", kind="app_secret") == []
    assert listed(bundle, another_world, rep.ref, state="deleted") == []
    assert [each["id"] for each in listed(bundle, world, rep.ref)] == [kept.id]


def test_a_key_is_among_the_deleted_ones_as_long_as_it_can_be_had_back(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.app().ref).key
    gone = lifecycle.delete(world.desk, world.principal, key)
    assert gone.deleted_at_ms is not None
    month_ms = 30 * 86_400_000
    world.overwrite(gone, deleted_at_ms=gone.deleted_at_ms - month_ms)
    assert listed(bundle, world, key.owner, state="deleted") == []


def test_once_more_there_is_no_such_key(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.app().ref).key
    assert delete(bundle, world, key.id).status == 204
    gone = world.key(key.id)
    refused(delete(bundle, world, key.id), "key-not-found")
    assert world.key(key.id) == gone


@pytest.mark.parametrize("state", ["active", "disabled", "expired", "revoked"])
@pytest.mark.parametrize(
    "kind", [KeyKind.NATIVE, KeyKind.APP_SECRET, KeyKind.REP_KEY, KeyKind.ACCESS_TOKEN, KeyKind.APP_API_KEY]
)
def test_a_key_of_any_kind_and_in_any_state_is_deleted(bundle: Bundle, world: World, kind: KeyKind, state: str) -> None:
    owners: dict[KeyKind, Callable[[], Owner]] = {
        KeyKind.REP_KEY: world.rep,
        KeyKind.ACCESS_TOKEN: world.add_operator,
    }
    key = world.issue(kind, owners.get(kind, world.app)().ref).key
    match state:
        case "disabled":
            lifecycle.disable(world.desk, world.principal, key)
        case "expired":
            world.expire(key)
        case "revoked":
            lifecycle.revoke(world.desk, world.principal, key)
    assert delete(bundle, world, key.id).status == 204
    assert world.key(key.id).deleted_at_ms is not None


def test_it_frees_its_place(bundle: Bundle, world: World) -> None:
    app = world.app()
    keys = [world.issue(KeyKind.APP_SECRET, app.ref).key for _ in range(10)]
    delete(bundle, world, keys[0].id)
    world.issue(KeyKind.APP_SECRET, app.ref)


def test_a_revoked_key_that_has_a_successor_leaves_it_its_place(bundle: Bundle, world: World) -> None:
    rep = world.rep()
    first = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    second = world.issue(KeyKind.REP_KEY, rep.ref).key
    answer = delete(bundle, world, first.id)
    assert (answer.status, answer.calls) == (204, (BATCH, COMMIT, COMMIT))
    ref = SingleKeyRef(rep.ref)
    assert world.desk.store.read(ref)[ref] == second


def test_the_key_of_a_channel_goes_with_the_channel(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    answer = delete(bundle, world, opened.key.id)
    refused(answer, "key-goes-with-owner")
    assert (answer.calls, world.key(opened.key.id)) == ((BATCH,), opened.key)


def test_the_very_first_key_of_a_tenant_is_deleted_like_any_other(bundle: Bundle, world: World) -> None:
    assert delete(bundle, world, world.principal.key_id).status == 204
    assert delete(bundle, world, world.principal.key_id).status == 401

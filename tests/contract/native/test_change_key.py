"""PATCH /v1/keys/{key_id}"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import Key, KeyKind, Owner
from keywright.ports import SaveKey
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    INVALID,
    LONG,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    key_view,
    refused,
)
from tests.world import World

LATER = "2099-12-31T23:59:59.123Z"
LATER_MS = 4_102_444_799_123


@pytest.fixture
def key(world: World) -> Key:
    return world.issue(
        KeyKind.NATIVE, world.app().ref, description="tills", scopes=("orders:read",), expires_at_ms=LATER_MS + 5
    ).key


def change(bundle: Bundle, world: World, key: Key, **body: Any) -> Answer:
    return bundle.request("PATCH", f"/v1/keys/{key.id}", world.bearer, json_body=body)


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        ({"description": "counters"}, {"description": "counters"}),
        ({"description": ""}, {"description": ""}),
        ({"scopes": ["orders:*", "stock:read"]}, {"scopes": ("orders:*", "stock:read")}),
        ({"scopes": []}, {"scopes": ()}),
        ({"expires_at": LATER}, {"expires_at_ms": LATER_MS}),
        ({"expires_at": None}, {"expires_at_ms": None}),
        (
            {"description": "x", "scopes": ["a"], "expires_at": LATER},
            {"description": "x", "scopes": ("a",), "expires_at_ms": LATER_MS},
        ),
    ],
    ids=range(7),
)
def test_what_is_named_changes_and_nothing_else(
    bundle: Bundle, world: World, key: Key, body: dict[str, Any], attributes: dict[str, Any]
) -> None:
    answer = change(bundle, world, key, **body)
    after = world.key(key.id)
    answered(answer, 200, key_view(after))
    assert answer.calls == (BATCH, COMMIT)
    assert {name: getattr(after, name) for name in attributes} == attributes
    kept = {*attributes, "revision", "modified_at_ms", "expiry_set_at_ms"}
    assert replace(after, **{name: getattr(key, name) for name in kept}) == key


@pytest.mark.parametrize("body", [{}, {"description": "tills"}, {"scopes": ["orders:read"], "description": "tills"}])
def test_a_change_that_changes_nothing_is_not_written(
    bundle: Bundle, world: World, key: Key, body: dict[str, Any]
) -> None:
    answer = change(bundle, world, key, **body)
    answered(answer, 200, key_view(key))
    assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_verification_goes_by_the_change_from_the_next_call_on(bundle: Bundle, world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref, scopes=("orders:read",))
    change(bundle, world, issued.key, scopes=["stock:read"], expires_at=LATER)
    shown = {"token": issued.token.reveal()}
    verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()
    assert (verdict["scopes"], verdict["expires_at"]) == (["stock:read"], "2099-12-31T23:59:59.123000Z")


@pytest.mark.parametrize("expires_at", [None, LATER])
@pytest.mark.parametrize("marked", [False, True])
def test_an_expired_key_is_revived(bundle: Bundle, world: World, expires_at: str | None, marked: bool) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    key = world.expire(issued.key)
    if marked:
        world.desk.store.commit(SaveKey(key.marked_expired(world.desk.clock.now_ms()), key))
    assert change(bundle, world, key, description="still over").json()["state"] == "expired"
    answer = change(bundle, world, key, expires_at=expires_at)
    answered(answer, 200, key_view(world.key(key.id)))
    assert answer.json()["state"] == "active"
    shown = {"token": issued.token.reveal()}
    assert bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=shown).json()["valid"] is True


def test_a_key_that_lives_again_may_find_its_place_taken(bundle: Bundle, world: World) -> None:
    app = world.app()
    over = world.expire(world.issue(KeyKind.APP_SECRET, app.ref).key)
    marked = over.marked_expired(world.desk.clock.now_ms())
    world.desk.store.commit(*lifecycle.place_of(over, marked), SaveKey(marked, over))
    others = [world.issue(KeyKind.APP_SECRET, app.ref).key for _ in range(10)]
    refused(change(bundle, world, over, expires_at=None), "limit-reached")
    lifecycle.delete(world.desk, world.principal, others[0])
    assert change(bundle, world, over, expires_at=None).json()["state"] == "active"
    refused(
        bundle.request(
            "POST",
            "/v1/keys",
            world.bearer,
            json_body={"owner": {"kind": "app", "id": app.id}, "kind": "app_secret"},
        ),
        "limit-reached",
    )


@pytest.mark.parametrize("kind", [KeyKind.REP_KEY, KeyKind.APP_API_KEY, KeyKind.ACCESS_TOKEN])
def test_a_key_of_any_kind_is_changed(bundle: Bundle, world: World, kind: KeyKind) -> None:
    owners: dict[KeyKind, Callable[[], Owner]] = {KeyKind.REP_KEY: world.rep, KeyKind.APP_API_KEY: world.app}
    key = world.issue(kind, owners.get(kind, world.add_operator)().ref).key
    answered(change(bundle, world, key, description="x"), 200, key_view(world.key(key.id)))


def test_a_revoked_key_is_not_changed(bundle: Bundle, world: World, key: Key) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, key)
    answer = change(bundle, world, key, description="x")
    refused(answer, "key-revoked")
    assert (answer.calls, world.key(key.id)) == ((BATCH,), ended)


def test_nobody_hands_out_more_than_they_have(bundle: Bundle, world: World, key: Key) -> None:
    caller = holder_of(world, "keys:change", "orders:*")
    target = f"/v1/keys/{key.id}"
    for scopes in (["*"], ["orders:read", "stock:read"], ["installation:tenants"]):
        answer = bundle.request("PATCH", target, caller, json_body={"scopes": scopes})
        assert (answer.status, answer.json()["fields"][0]["field"]) == (403, "scopes")
    assert world.key(key.id) == key
    assert bundle.request("PATCH", target, caller, json_body={"scopes": ["orders:write"]}).status == 200


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"description": "x" * 201}, [("description", LONG)]),
        ({"description": "a\nb"}, [("description", INVALID)]),
        ({"description": None}, [("description", TYPE)]),
        ({"scopes": None}, [("scopes", TYPE)]),
        ({"scopes": ["a b"]}, [("scopes[0]", INVALID)]),
        ({"scopes": ["a"] * 51}, [("scopes", INVALID)]),
        ({"expires_at": 1893456000}, [("expires_at", INVALID)]),
        ({"expires_at": "soon"}, [("expires_at", INVALID)]),
        ({"expires_at": "2099-05-01T12:00:00"}, [("expires_at", INVALID)]),
        ({"expires_at": "2020-05-01T12:00:00Z"}, [("expires_at", INVALID)]),
        ({"state": "active"}, [("state", UNKNOWN)]),
        ({"owner": {"kind": "app", "id": "1"}}, [("owner", UNKNOWN)]),
    ],
    ids=range(12),
)
def test_a_field_at_fault_is_named_and_nothing_changes(
    bundle: Bundle, world: World, key: Key, body: dict[str, Any], fields: list[tuple[str, str]]
) -> None:
    answer = change(bundle, world, key, **body)
    fields_refused(answer, *fields)
    assert (answer.calls, world.key(key.id)) == ((BATCH,), key)


def test_an_expiry_is_refused_from_this_very_moment_backwards(bundle: Bundle, world: World, key: Key) -> None:
    now = datetime.now(UTC)
    fields_refused(change(bundle, world, key, expires_at=now.isoformat()), ("expires_at", INVALID))
    assert change(bundle, world, key, expires_at=(now + timedelta(minutes=1)).isoformat()).status == 200

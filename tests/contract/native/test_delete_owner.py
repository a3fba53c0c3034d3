"""DELETE /v1/owners/{kind}/{owner_id}."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.model import KeyKind, OwnerKind, Platform
from keywright.ports import Desk, OwnerAt
from tests.bundle import Answer, Bundle
from tests.world import World


def delete(bundle: Bundle, world: World, kind: str, owner_id: str) -> Answer:
    return bundle.request("DELETE", f"/v1/owners/{kind}/{owner_id}", world.bearer)


def verdict(bundle: Bundle, world: World, token: str) -> Any:
    return bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token}).json()


def test_an_owner_goes_with_its_keys(bundle: Bundle, world: World) -> None:
    app = world.app()
    tokens = [world.issue(kind, app.ref).token.reveal() for kind in (KeyKind.NATIVE, KeyKind.APP_API_KEY)]
    assert [verdict(bundle, world, token)["valid"] for token in tokens] == [True, True]

    answer = delete(bundle, world, "app", app.id)

    assert (answer.status, answer.json()) == (200, {"removed": True})
    assert [verdict(bundle, world, token)["reason"] for token in tokens] == ["unknown", "unknown"]
    assert bundle.request("GET", f"/v1/owners/app/{app.id}", world.bearer).status == 404
    assert bundle.request("GET", "/v1/owners?kind=app", world.bearer).json()["owners"] == []
    listed = bundle.request("GET", f"/v1/keys?owner_kind=app&owner_id={app.id}", world.bearer)
    assert listed.json()["keys"] == []


def test_an_app_takes_its_channels_and_integrations_along(bundle: Bundle, world: World) -> None:
    app, other = world.app(id="7000"), world.app("Other", id="70001")
    android = world.channel(app, Platform.ANDROID)
    opened = [android.token.reveal(), world.channel(android.app, Platform.IOS).token.reveal()]
    integrations = [world.integration(each) for each in (app, app, other)]
    secrets = [world.issue(KeyKind.INTEGRATION_SECRET, each.ref).token.reveal() for each in integrations]

    assert delete(bundle, world, "app", app.id).json() == {"removed": True}

    assert [verdict(bundle, world, token)["valid"] for token in [*opened, *secrets]] == [False] * 4 + [True]
    left = bundle.request("GET", "/v1/owners?kind=integration", world.bearer).json()["owners"]
    assert [each["id"] for each in left] == [integrations[2].id]
    assert bundle.request("GET", "/v1/owners?kind=channel", world.bearer).json()["owners"] == []


def test_a_rep_and_an_operator_go_with_their_keys(bundle: Bundle, world: World) -> None:
    rep, operator = world.rep(), world.add_operator()
    tokens = [
        world.issue(KeyKind.REP_KEY, rep.ref).token.reveal(),
        world.issue(KeyKind.NATIVE, operator.ref).token.reveal(),
        world.issue(KeyKind.ACCOUNT_SECRET, operator.ref).token.reveal(),
    ]

    for owner in (rep, operator):
        assert delete(bundle, world, owner.kind, owner.id).json() == {"removed": True}

    assert [verdict(bundle, world, token)["valid"] for token in tokens] == [False] * 3


def test_the_same_id_may_be_registered_again_with_nothing_of_the_former(bundle: Bundle, world: World) -> None:
    app = world.app(id="again")
    for _ in range(10):
        world.issue(KeyKind.APP_SECRET, app.ref)
    delete(bundle, world, "app", app.id)

    again = world.app(id="again")

    assert world.issue(KeyKind.APP_SECRET, again.ref).key.state(0) == "active"


def test_what_does_not_fit_into_one_call_is_taken_up_by_the_next(
    bundle: Bundle, world: World, admin: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = world.app()
    keys = [world.issue(KeyKind.NATIVE, app.ref) for _ in range(5)]
    looks = iter([False, False, True])
    monkeypatch.setattr("local.runtime.Context.get_remaining_time_in_millis", lambda _: 0 if next(looks) else 60_000)

    assert delete(bundle, world, "app", app.id).json() == {"removed": False}
    monkeypatch.undo()

    gone = [key for key in keys if not verdict(bundle, world, key.token.reveal())["valid"]]
    assert len(gone) == 2
    assert admin.store.read(OwnerAt(app.ref))[OwnerAt(app.ref)] is None
    order = {"owner": {"kind": "app", "id": app.id}}
    assert bundle.request("POST", "/v1/keys", world.bearer, json_body=order).status == 404

    assert delete(bundle, world, "app", app.id).json() == {"removed": True}
    assert not any(verdict(bundle, world, key.token.reveal())["valid"] for key in keys)


def test_another_tenants_owner_answers_like_none(bundle: Bundle, world: World, another_world: World) -> None:
    theirs = another_world.app()

    foreign, unknown = delete(bundle, world, "app", theirs.id), delete(bundle, world, "app", "1" * 24)

    assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
    assert foreign.status == 404
    ref = OwnerAt(theirs.ref)
    assert another_world.desk.store.read(ref)[ref] == theirs


@pytest.mark.parametrize("kind", ["nobody", "App", ""])
def test_a_kind_that_there_is_not_has_no_owners(bundle: Bundle, world: World, kind: str) -> None:
    if kind:
        assert delete(bundle, world, kind, "x").json()["type"] == "urn:keywright:problem:owner-not-found"
    assert kind not in set(OwnerKind)


def test_the_scope_is_asked_for(bundle: Bundle, world: World) -> None:
    app = world.app()
    token = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("owners:change",)).token.reveal()

    answer = bundle.request("DELETE", f"/v1/owners/app/{app.id}", {"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.calls) == (403, ("GetItem",))

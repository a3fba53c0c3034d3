"""PATCH /v1/owners/{kind}/{owner_id}"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from keywright import registry
from keywright.model import KeyKind, Owner
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    GET,
    INVALID,
    LONG,
    SHORT,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    holder_of,
    refused,
    rfc3339,
)
from tests.world import World


def change(bundle: Bundle, world: World, owner: Owner, **body: Any) -> Answer:
    return bundle.request("PATCH", f"/v1/owners/{owner.kind}/{quote(owner.id, safe='')}", world.bearer, json_body=body)


def now(world: World, owner: Owner) -> Owner:
    return registry.owner_at(world.desk, owner.ref)


# --- success -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"name": "Meera Nair"}, {"login_enabled": True}])
def test_what_is_so_already_is_not_written(bundle: Bundle, world: World, body: dict[str, Any]) -> None:
    rep = world.rep("Nair, Meera")
    before = now(world, rep)
    answer = change(bundle, world, rep, **body)
    assert (answer.status, now(world, rep)) == (200, before)
    assert COMMIT not in answer.calls
    assert answer.json()["modified_at"] == rfc3339(before.modified_at_ms)


def test_what_is_named_is_changed_and_the_rest_stays(bundle: Bundle, world: World) -> None:
    rep = world.rep("Nair, Meera")
    answer = change(bundle, world, rep, business_unit="Wholesale", role=None)
    current = now(world, rep)
    answered(
        answer,
        200,
        {
            "id": rep.id,
            "name": "Meera Nair",
            "created_at": rfc3339(rep.created_at_ms),
            "modified_at": rfc3339(current.modified_at_ms),
            "kind": "support_rep",
            "login_enabled": True,
            "role": None,
            "business_unit": "Wholesale",
            "contact": "",
        },
    )
    assert answer.calls == (GET, BATCH, COMMIT)
    assert current.revision == 2
    assert change(bundle, world, rep, role="SDGuest").json()["role"] == "SDGuest"


def test_an_owner_of_every_kind_is_changed(bundle: Bundle, world: World) -> None:
    opened = world.channel(world.app())
    bot = world.integration(opened.app)
    device = {"mobileid": "m1", "user_id": "u1", "model": "Pixel", "name": "Ama's"}
    changes: list[tuple[Owner, dict[str, Any]]] = [
        (opened.app, {"name": "Renamed", "published": False, "contact": "tills@example.com"}),
        (
            opened.channel,
            {
                "enabled": False,
                "components": ["chat"],
                "notifications": {"enabled": True},
                "test_devices": [device],
                "contact": "ama@example.com",
            },
        ),
        (bot, {"name": "Renamed", "contact": "bot@example.com"}),
        (world.rep(), {"name": "Renamed", "business_unit": "", "contact": "meera@example.com"}),
        (world.add_operator(), {"name": "Renamed", "email": ""}),
    ]
    for owner, body in changes:
        answer = change(bundle, world, owner, **body)
        assert answer.status == 200, answer.text
        assert {name: answer.json()[name] for name in body} == body


def test_a_change_takes_effect_on_verification_at_the_very_next_call(bundle: Bundle, world: World) -> None:
    app, opened = world.app(published=True), world.channel(world.app())
    api_key = world.issue(KeyKind.APP_API_KEY, app.ref).token.reveal()
    for owner, token, body in (
        (app, api_key, {"published": False}),
        (opened.channel, opened.token.reveal(), {"enabled": False}),
    ):
        assert change(bundle, world, owner, **body).status == 200
        verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token}).json()
        assert verdict["reason"] == "owner_not_eligible"


def test_a_disabled_operator_is_refused_at_the_very_next_call(bundle: Bundle, world: World) -> None:
    operator = world.add_operator()
    theirs = holder_of(world, "*", owner=operator.ref)
    assert bundle.request("GET", "/v1/owners?kind=app", theirs).status == 200
    answer = change(bundle, world, operator, enabled=False)
    assert (answer.status, answer.json()["enabled"]) == (200, False)
    refused(bundle.request("GET", "/v1/owners?kind=app", theirs), "credentials-refused")


def test_a_rep_whose_login_is_withdrawn_loses_the_key_at_once_and_for_good(bundle: Bundle, world: World) -> None:
    rep = world.rep()
    token = world.issue(KeyKind.REP_KEY, rep.ref).token.reveal()
    answer = change(bundle, world, rep, login_enabled=False)
    assert (answer.status, answer.calls) == (200, (GET, BATCH, COMMIT))
    for enabled in (False, True):
        change(bundle, world, rep, login_enabled=enabled)
        verdict = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body={"token": token}).json()
        assert verdict["valid"] is False


def test_a_rep_without_a_key_loses_the_login_as_long_as_there_is_none(bundle: Bundle, world: World) -> None:
    rep = world.rep()
    answer = change(bundle, world, rep, login_enabled=False)
    assert (answer.status, answer.json()["login_enabled"]) == (200, False)


def test_the_keys_of_a_changed_owner_still_count(bundle: Bundle, world: World) -> None:
    app = world.app()
    for _ in range(10):
        world.issue(KeyKind.APP_SECRET, app.ref)
    change(bundle, world, app, name="Renamed")
    body = {"owner": {"kind": "app", "id": app.id}, "kind": "app_secret"}
    refused(bundle.request("POST", "/v1/keys", world.bearer, json_body=body), "limit-reached")


def test_a_change_that_is_overtaken_is_made_on_what_is_there_now(
    bundle: Bundle, stack: Stack, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rep = world.rep()

    def meanwhile(call: Any) -> None:
        if call.operation == COMMIT and call.principal is not None:
            monkeypatch.undo()
            registry.change(world.desk, world.principal, rep, {"name": "Meera N."})

    monkeypatch.setattr(stack.aws, "fault", meanwhile)
    view = change(bundle, world, rep, role="SDGuest").json()
    assert (view["name"], view["role"]) == ("Meera N.", "SDGuest")


# --- refusals ------------------------------------------------------------------------------------------------------


def test_an_owner_of_another_tenant_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World
) -> None:
    theirs = another_world.app()
    for app_id in (theirs.id, "nobody"):
        answer = bundle.request("PATCH", f"/v1/owners/app/{app_id}", world.bearer, json_body={"name": "Mine"})
        refused(answer, "owner-not-found", "There is no such app.")
        assert answer.calls == (GET, GET)
    assert now(another_world, theirs) == theirs


def test_a_kind_that_there_is_not_has_no_owners(bundle: Bundle, house: World) -> None:
    answer = bundle.request("PATCH", "/v1/owners/nobody/1", house.bearer, json_body={"name": "x"})
    refused(answer, "owner-not-found", "There is no such owner.")


def test_an_operator_is_changed_by_those_who_may_change_operators(bundle: Bundle, world: World) -> None:
    operator = world.add_operator()
    for body in ({"enabled": False}, {"name": "x"}):
        answer = bundle.request(
            "PATCH", f"/v1/owners/operator/{operator.id}", holder_of(world, "owners:change"), json_body=body
        )
        refused(answer, "scope-missing")
    assert now(world, operator) == operator
    both = holder_of(world, "owners:change", "operators:change")
    answer = bundle.request("PATCH", f"/v1/owners/operator/{operator.id}", both, json_body={"name": "Ama O."})
    assert answer.status == 200


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("app", {"name": None}, ("name", INVALID)),
        ("app", {"name": ""}, ("name", SHORT)),
        ("app", {"name": "a\nb"}, ("name", INVALID)),
        ("app", {"published": None}, ("published", INVALID)),
        ("app", {"published": "yes"}, ("published", TYPE)),
        ("app", {"contact": None}, ("contact", INVALID)),
        ("app", {"contact": "a@b.example\r\nBcc: c@d"}, ("contact", INVALID)),
        ("app", {"contact": "a" * 10_000 + "@b.example"}, ("contact", LONG)),
        ("operator", {"contact": "a@b.example"}, ("contact", UNKNOWN)),
        ("app", {"publishd": True}, ("publishd", UNKNOWN)),
        ("app", {"query": True}, ("query", UNKNOWN)),
        ("app", {"id": "another"}, ("id", UNKNOWN)),
        ("app", {"tenant": "another"}, ("tenant", UNKNOWN)),
        ("app", {"pairing": None}, ("pairing", UNKNOWN)),
        ("app", {"revision": 9}, ("revision", UNKNOWN)),
        ("app", {"live_app_secret": 0}, ("live_app_secret", UNKNOWN)),
        ("support_rep", {"login_enabled": None}, ("login_enabled", INVALID)),
        ("support_rep", {"role": ""}, ("role", SHORT)),
        ("support_rep", {"business_unit": "x" * 201}, ("business_unit", LONG)),
        ("integration", {"type": "custom"}, ("type", UNKNOWN)),
        ("channel", {"platform": "ios"}, ("platform", UNKNOWN)),
        ("channel", {"components": ["video"]}, ("components[0]", INVALID)),
        ("channel", {"components": None}, ("components", INVALID)),
        ("channel", {"notifications": None}, ("notifications", INVALID)),
        ("channel", {"notifications": {"enabled": "true"}}, ("notifications.enabled", TYPE)),
        ("channel", {"notifications": {"password": "x"}}, ("notifications.password", UNKNOWN)),
        ("channel", {"notifications": {"certificate": "x"}}, ("notifications.certificate", UNKNOWN)),
        ("operator", {"email": "a\r\n@b"}, ("email", INVALID)),
    ],
    ids=range(28),
)
def test_a_field_at_fault_is_named_and_nothing_is_written(
    bundle: Bundle, world: World, kind: str, body: dict[str, Any], field: tuple[str, str]
) -> None:
    opened = world.channel(world.app())
    owner: Owner = {
        "app": opened.app,
        "channel": opened.channel,
        "support_rep": world.rep(),
        "integration": world.integration(opened.app),
        "operator": world.operator,
    }[kind]
    answer = change(bundle, world, owner, **body)
    fields_refused(answer, field)
    assert COMMIT not in answer.calls
    assert now(world, owner) == owner

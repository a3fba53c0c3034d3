"""POST /v1/owners"""

from __future__ import annotations

import re
from typing import Any

import pytest

from keywright import registry
from keywright.model import App, Channel, Creator, KeyKind, OwnerKind, OwnerRef
from keywright.ports import SealedSecret, SingleKeyRef
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    GET,
    INVALID,
    LONG,
    MISSING,
    REVEAL,
    SEAL,
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


def create(bundle: Bundle, world: World, **body: Any) -> Answer:
    return bundle.request("POST", "/v1/owners", world.bearer, json_body=body)


def stored(world: World, kind: str, owner_id: str) -> dict[str, str | None]:
    """The two times of an owner as it stands in the table, as the wire has them."""
    owner = registry.owner_at(world.desk, OwnerRef(world.tenant, OwnerKind(kind), owner_id))
    return {"created_at": rfc3339(owner.created_at_ms), "modified_at": rfc3339(owner.modified_at_ms)}


# --- success -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"kind": "operator", "id": "ama", "name": "Ama", "email": "ama@example.com"},
            {"kind": "operator", "email": "ama@example.com", "enabled": True},
        ),
        ({"kind": "operator", "id": "eva", "name": "Eva"}, {"kind": "operator", "email": "", "enabled": True}),
        ({"kind": "app", "id": "20417-5530918264", "name": "Tills"}, {"kind": "app", "published": False}),
        ({"kind": "app", "id": "a.b_C", "name": "Tills", "published": True}, {"kind": "app", "published": True}),
        ({"kind": "app", "id": "c", "name": "Tills", "contact": "a@b.example"}, {"kind": "app", "published": False}),
        (
            {"kind": "support_rep", "id": "Nair, Meera", "name": "Meera Nair"},
            {"kind": "support_rep", "login_enabled": True, "role": None, "business_unit": ""},
        ),
        (
            {
                "kind": "support_rep",
                "id": "meera@example.com",
                "name": "Meera",
                "login_enabled": False,
                "role": "SDAdmin",
                "business_unit": "Retail",
            },
            {"kind": "support_rep", "login_enabled": False, "role": "SDAdmin", "business_unit": "Retail"},
        ),
    ],
    ids=range(7),
)
def test_an_owner_is_registered_under_the_id_it_is_given(
    bundle: Bundle, world: World, body: dict[str, Any], told: dict[str, Any]
) -> None:
    answer = create(bundle, world, **body)
    contact = {} if body["kind"] == "operator" else {"contact": body.get("contact", "")}
    expected = {"id": body["id"], "name": body["name"], **stored(world, body["kind"], body["id"]), **told, **contact}
    answered(answer, 201, expected)
    assert answer.calls == (GET, COMMIT)


@pytest.mark.parametrize("kind", ["app", "operator"])
def test_an_owner_without_an_id_gets_24_digits(bundle: Bundle, world: World, kind: str) -> None:
    made = [create(bundle, world, kind=kind, name="Tills").json()["id"] for _ in range(2)]
    assert all(re.fullmatch(r"[1-9][0-9]{23}", each) for each in made)
    assert made[0] != made[1]


def test_an_integration_is_registered_under_its_app(bundle: Bundle, world: World) -> None:
    app = world.app()
    answer = create(bundle, world, kind="integration", app_id=app.id, id="bot", name="Billing bot")
    owner_id = f"{app.id}:bot"
    common = {"id": owner_id, "name": "Billing bot", **stored(world, "integration", owner_id)}
    answered(answer, 201, {**common, "kind": "integration", "app_id": app.id, "type": "custom", "contact": ""})
    assert answer.calls == (GET, COMMIT)
    other = create(bundle, world, kind="integration", app_id=app.id, name="Web", type="web").json()
    assert re.fullmatch(rf"{app.id}:[0-9a-f]{{24}}", other["id"])
    assert other["type"] == "web"


def test_a_channel_is_born_with_the_first_version_of_its_access_key_which_is_not_shown(
    bundle: Bundle, world: World
) -> None:
    app = world.app("Orchard")
    answer = create(bundle, world, kind="channel", app_id=app.id, platform="android", bundle_name="com.example.orchard")
    owner_id = f"{app.id}:android"
    channel = registry.owner_at(world.desk, OwnerRef(world.tenant, OwnerKind.CHANNEL, owner_id))
    assert isinstance(channel, Channel)
    answered(
        answer,
        201,
        {
            "id": owner_id,
            "name": "Orchard",
            **stored(world, "channel", owner_id),
            "kind": "channel",
            "app_id": app.id,
            "platform": "android",
            "bundle_name": "com.example.orchard",
            "bundle_id": channel.bundle_id,
            "enabled": True,
            "components": ["proactive", "chat", "faq", "call"],
            "notifications": {"enabled": False},
            "test_devices": [],
            "contact": "",
        },
    )
    assert answer.calls == (GET, BATCH, SEAL, SEAL, COMMIT)
    ref = SingleKeyRef(channel.ref)
    key = world.desk.store.read(ref)[ref]
    assert key is not None
    assert (key.kind, key.last_version) == (KeyKind.ANDROID_ACCESS_KEY, 1)
    assert channel.creator == key.creator == Creator(world.operator.id, "Imani")
    (token,) = world.desk.vault.reveal([SealedSecret.of(key, key.newest)])
    assert token.reveal() not in answer.text


def test_the_second_channel_of_an_app_shares_its_half(bundle: Bundle, world: World) -> None:
    app = world.channel(world.app()).app
    device = {"mobileid": "m1", "user_id": "u1", "model": "Pixel", "name": "Ama's"}
    answer = create(
        bundle,
        world,
        kind="channel",
        app_id=app.id,
        platform="ios",
        bundle_name="com.example",
        components=["chat"],
        notifications={"enabled": True, "certificate": "orchard.p12"},
        test_devices=[device],
    )
    assert (answer.status, answer.json()["components"], answer.json()["test_devices"]) == (201, ["chat"], [device])
    assert answer.json()["notifications"] == {"enabled": True, "certificate": "orchard.p12"}
    assert answer.calls == (GET, BATCH, REVEAL, SEAL, COMMIT)
    current = registry.owner_at(world.desk, app.ref)
    assert isinstance(current, App)
    assert current.pairing == app.pairing


# --- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["operator", "app", "support_rep", "integration", "channel"])
def test_an_owner_that_exists_is_refused_and_stays_as_it_was(bundle: Bundle, world: World, kind: str) -> None:
    app = world.app(id="there")
    body: dict[str, Any] = {"kind": kind, "id": "there", "name": "Impostor"}
    if kind == "integration":
        body["app_id"] = app.id
    if kind == "channel":
        body = {"kind": kind, "app_id": app.id, "platform": "ios", "bundle_name": "com.example"}
    if kind != "app":
        assert create(bundle, world, **{**body, **({"name": "First"} if "name" in body else {})}).status == 201
    refused(create(bundle, world, **body), "owner-exists")
    listed = bundle.request("GET", f"/v1/owners?kind={kind}", world.bearer)
    assert "Impostor" not in listed.text


@pytest.mark.parametrize("kind", ["integration", "channel"])
def test_an_app_of_another_tenant_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World, kind: str
) -> None:
    theirs = another_world.app()
    more = {"name": "Bot"} if kind == "integration" else {"platform": "ios", "bundle_name": "com.example"}
    for app_id in (theirs.id, "nobody"):
        answer = create(bundle, world, kind=kind, app_id=app_id, **more)
        refused(answer, "owner-not-found", "There is no such app.")
        assert SEAL not in answer.calls
    assert registry.owner_at(another_world.desk, theirs.ref) == theirs


def test_an_operator_is_made_by_those_who_may_change_operators(bundle: Bundle, world: World) -> None:
    body = {"kind": "operator", "name": "Ama"}
    answer = bundle.request("POST", "/v1/owners", holder_of(world, "owners:change"), json_body=body)
    refused(answer, "scope-missing")
    assert answer.calls == (GET,)
    both = holder_of(world, "owners:change", "operators:change")
    assert bundle.request("POST", "/v1/owners", both, json_body=body).status == 201
    refused(bundle.request("POST", "/v1/owners", holder_of(world, "operators:change"), json_body=body), "scope-missing")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [("kind", MISSING)]),
        ({"kind": "nobody"}, [("kind", INVALID)]),
        ({"kind": None}, [("kind", INVALID)]),
        ({"kind": ["app"], "name": "x"}, [("kind", INVALID)]),
        ({"kind": "app"}, [("name", MISSING)]),
        ({"kind": "app", "name": ""}, [("name", SHORT)]),
        ({"kind": "app", "name": "x" * 251}, [("name", LONG)]),
        ({"kind": "app", "name": "a\u0000b"}, [("name", INVALID)]),
        ({"kind": "app", "name": "x", "id": ""}, [("id", INVALID)]),
        ({"kind": "app", "name": "x", "id": "a/b"}, [("id", INVALID)]),
        ({"kind": "app", "name": "x", "id": "a:b"}, [("id", INVALID)]),
        ({"kind": "app", "name": "x", "id": "a#b"}, [("id", INVALID)]),
        ({"kind": "app", "name": "x", "id": "a\n"}, [("id", INVALID)]),
        ({"kind": "app", "name": "x", "id": "x" * 65}, [("id", INVALID)]),
        ({"kind": "app", "name": "x", "id": 5}, [("id", TYPE)]),
        ({"kind": "app", "name": "x", "published": "true"}, [("published", TYPE)]),
        ({"kind": "app", "name": "x", "contact": "a@b\r\nBcc: c@d"}, [("contact", INVALID)]),
        ({"kind": "app", "name": "x", "contact": "a@b.example\n"}, [("contact", INVALID)]),
        ({"kind": "app", "name": "x", "contact": "a@b.example, c@d.example"}, [("contact", INVALID)]),
        ({"kind": "app", "name": "x", "contact": "Ama <a@b.example>"}, [("contact", INVALID)]),
        ({"kind": "app", "name": "x", "contact": "a" * 10_000 + "@b.example"}, [("contact", LONG)]),
        ({"kind": "app", "name": "x", "contact": ["a@b.example"]}, [("contact", TYPE)]),
        ({"kind": "operator", "name": "x", "contact": "a@b.example"}, [("contact", UNKNOWN)]),
        ({"kind": "app", "name": "x", "published": 1}, [("published", TYPE)]),
        ({"kind": "app", "name": "x", "pairing": {}}, [("pairing", UNKNOWN)]),
        ({"kind": "operator", "name": "x", "scopes": ["*"]}, [("scopes", UNKNOWN)]),
        ({"kind": "operator", "name": "x", "email": "a b@c"}, [("email", INVALID)]),
        ({"kind": "support_rep", "name": "x"}, [("id", MISSING)]),
        ({"kind": "support_rep", "name": "x", "id": "x" * 201}, [("id", LONG)]),
        ({"kind": "support_rep", "name": "x", "id": "a\u001fb"}, [("id", INVALID)]),
        ({"kind": "support_rep", "name": "x", "id": "a", "role": ""}, [("role", SHORT)]),
        ({"kind": "support_rep", "name": "x", "id": "a", "business_unit": "x" * 201}, [("business_unit", LONG)]),
        ({"kind": "integration", "name": "x"}, [("app_id", MISSING)]),
        ({"kind": "integration", "name": "x", "app_id": "a", "type": "Custom"}, [("type", INVALID)]),
        ({"kind": "channel"}, [("app_id", MISSING), ("platform", MISSING), ("bundle_name", MISSING)]),
        ({"kind": "channel", "app_id": "a", "platform": "web", "bundle_name": "b"}, [("platform", INVALID)]),
        ({"kind": "channel", "app_id": "a", "platform": "ios", "bundle_name": "a b"}, [("bundle_name", INVALID)]),
        (
            {"kind": "channel", "app_id": "a", "platform": "ios", "bundle_name": "b", "components": ["video"]},
            [("components[0]", INVALID)],
        ),
        (
            {"kind": "channel", "app_id": "a", "platform": "ios", "bundle_name": "b", "test_devices": [{"name": "x"}]},
            [(f"test_devices[0].{name}", MISSING) for name in ("mobileid", "user_id", "model")],
        ),
        (
            {
                "kind": "channel",
                "app_id": "a",
                "platform": "android",
                "bundle_name": "b",
                "notifications": {"certificate": ""},
            },
            [("notifications.certificate", UNKNOWN)],
        ),
    ],
    ids=range(40),
)
def test_a_field_at_fault_is_named_and_nothing_is_written(
    bundle: Bundle, house: World, body: dict[str, Any], fields: list[tuple[str, str]]
) -> None:
    answer = bundle.request("POST", "/v1/owners", house.bearer, json_body=body)
    fields_refused(answer, *fields)
    assert answer.calls == (GET,)

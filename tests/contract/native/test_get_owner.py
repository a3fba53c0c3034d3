"""GET /v1/owners/{kind}/{owner_id}"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from keywright.model import KeyKind, Owner
from tests.bundle import Bundle
from tests.contract.native.desk import GET, answered, refused, rfc3339
from tests.world import World

NOT_FOUND = {
    "operator": "There is no such operator.",
    "app": "There is no such app.",
    "channel": "There is no such channel.",
    "integration": "There is no such integration.",
    "support_rep": "There is no such support rep.",
}


def an_owner(world: World, kind: str) -> tuple[Owner, dict[str, object]]:
    """One of the kind, with what its view has beside what all views have."""
    match kind:
        case "operator":
            return world.operator, {"kind": kind, "email": "imani@example.com", "enabled": True}
        case "app":
            return world.app(), {"kind": kind, "published": True, "contact": ""}
        case "integration":
            app = world.app()
            return world.integration(app), {"kind": kind, "app_id": app.id, "type": "custom", "contact": ""}
        case "support_rep":
            told = {"kind": kind, "login_enabled": True, "role": "SDAdmin", "business_unit": "Retail", "contact": ""}
            return world.rep("Nair/Meera, ü #1"), told
    channel = world.channel(world.app()).channel
    return channel, {
        "kind": kind,
        "app_id": channel.app_id,
        "platform": "android",
        "bundle_name": "com.example.orchard",
        "bundle_id": channel.bundle_id,
        "enabled": True,
        "components": ["proactive", "chat", "faq", "call"],
        "notifications": {"enabled": False},
        "test_devices": [],
        "contact": "",
    }


@pytest.mark.parametrize("kind", NOT_FOUND)
def test_an_owner_of_every_kind_is_shown(bundle: Bundle, world: World, kind: str) -> None:
    owner, told = an_owner(world, kind)
    answer = bundle.request("GET", f"/v1/owners/{kind}/{quote(owner.id, safe='')}", world.bearer)
    at = {"created_at": rfc3339(owner.created_at_ms), "modified_at": rfc3339(owner.modified_at_ms)}
    answered(answer, 200, {"id": owner.id, "name": owner.name, **at, **told})
    assert answer.calls == (GET, GET)


@pytest.mark.parametrize("kind", NOT_FOUND)
def test_an_owner_of_another_tenant_is_refused_with_the_bytes_of_an_unknown_one(
    bundle: Bundle, world: World, another_world: World, kind: str
) -> None:
    theirs, _ = an_owner(another_world, kind)
    ids = ["nobody", theirs.id + "x", "x" * 2000, "\N{GRINNING FACE}" * 300]
    if kind != "operator":
        ids.append(theirs.id)
    for owner_id in ids:
        answer = bundle.request("GET", f"/v1/owners/{kind}/{quote(owner_id, safe='')}", world.bearer)
        refused(answer, "owner-not-found", NOT_FOUND[kind])


@pytest.mark.parametrize("kind", ["nobody", "App", "apps", "app%20", "KEY"])
def test_a_kind_that_there_is_not_has_no_owners(bundle: Bundle, house: World, kind: str) -> None:
    answer = bundle.request("GET", f"/v1/owners/{kind}/operator", house.bearer)
    refused(answer, "owner-not-found", "There is no such owner.")
    assert answer.calls == (GET,)


def test_an_id_has_one_spelling(bundle: Bundle, world: World) -> None:
    world.rep("meera")
    for spelling in ("Meera", "MEERA", "meera%20", "%20meera", "meera.", "meer%C3%A1", "meera%252E"):
        answer = bundle.request("GET", f"/v1/owners/support_rep/{spelling}", world.bearer)
        refused(answer, "owner-not-found", NOT_FOUND["support_rep"])


def test_the_place_of_a_key_beside_its_owner_is_no_owner(bundle: Bundle, world: World) -> None:
    rep = world.rep("meera")
    world.issue(KeyKind.REP_KEY, rep.ref)
    answer = bundle.request("GET", "/v1/owners/support_rep/meera%1F", world.bearer)
    refused(answer, "path-unknown")

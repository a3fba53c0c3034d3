"""GET /v1/keys"""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from keywright import lifecycle
from keywright.model import KeyKind, OwnerRef
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    GET,
    INVALID,
    LONG,
    MISSING,
    QUERY,
    SHORT,
    TYPE,
    answered,
    fields_refused,
    key_view,
)
from tests.world import World


def keys(bundle: Bundle, world: World, owner: OwnerRef, **query: object) -> Answer:
    target = "/v1/keys?" + urlencode({"owner_kind": owner.kind, "owner_id": owner.id, **query})
    return bundle.request("GET", target, world.bearer)


def test_an_owners_keys_are_listed_without_their_secrets(bundle: Bundle, world: World) -> None:
    app = world.app()
    first = world.issue(KeyKind.APP_API_KEY, app.ref, description="tills")
    second = world.issue(KeyKind.NATIVE, app.ref, scopes=("keys:verify",))
    world.issue(KeyKind.NATIVE, world.app().ref)
    answer = keys(bundle, world, app.ref)
    answered(answer, 200, {"keys": [key_view(first.key), key_view(second.key)], "next": None})
    assert answer.calls == (GET, QUERY)
    assert first.token.reveal() not in answer.text
    assert second.token.reveal() not in answer.text


def test_a_key_is_listed_as_soon_as_it_was_issued_and_with_its_present_state(bundle: Bundle, world: World) -> None:
    app = world.app()
    views = []
    for state, deed in (
        ("active", lambda key: key),
        ("disabled", lambda key: lifecycle.disable(world.desk, world.principal, key)),
        ("expired", world.expire),
        ("revoked", lambda key: lifecycle.revoke(world.desk, world.principal, key, "leaked")),
    ):
        key = deed(world.issue(KeyKind.APP_SECRET, app.ref).key)
        views.append(key_view(key, state))
        assert keys(bundle, world, app.ref).json()["keys"] == sorted(
            views, key=lambda view: (view["created_at"], view["id"])
        )
    lifecycle.delete(world.desk, world.principal, world.key(views[0]["id"]))
    assert len(keys(bundle, world, app.ref).json()["keys"]) == 3


def test_the_single_key_of_a_rep_or_channel_comes_first_and_shows_its_versions(bundle: Bundle, world: World) -> None:
    opened, rep = world.channel(world.app()), world.rep("Nair, Meera")
    for owner, kind in ((opened.channel.ref, "android_access_key"), (rep.ref, "rep_key")):
        world.issue(KeyKind.NATIVE, owner)
        if owner == rep.ref:
            world.issue(KeyKind.REP_KEY, owner)
        listed = keys(bundle, world, owner).json()["keys"]
        assert [each["kind"] for each in listed] == [kind, "native"]
        assert [version["version"] for version in listed[0]["versions"]] == [1]


def test_pages_lead_through_the_whole_list(bundle: Bundle, world: World) -> None:
    app = world.app()
    wanted = [key_view(world.issue(KeyKind.APP_SECRET, app.ref).key) for _ in range(5)]
    wanted.sort(key=lambda view: (view["created_at"], view["id"]))
    page = keys(bundle, world, app.ref, limit=2).json()
    found = page["keys"]
    while page["next"] is not None:
        assert len(page["keys"]) <= 2
        page = keys(bundle, world, app.ref, limit=2, after=page["next"]).json()
        found += page["keys"]
    assert found == wanted


def test_an_owner_without_keys_an_unknown_one_and_another_tenants_have_the_same_empty_list(
    bundle: Bundle, world: World, another_world: World
) -> None:
    theirs = another_world.app()
    another_world.issue(KeyKind.NATIVE, theirs.ref)
    for ref in (world.app().ref, OwnerRef(world.tenant, theirs.kind, "nobody"), theirs.ref):
        answer = keys(bundle, world, ref)
        answered(answer, 200, {"keys": [], "next": None})
        assert answer.calls == (GET, QUERY)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", [("owner_kind", MISSING), ("owner_id", MISSING)]),
        ("?owner_kind=app", [("owner_id", MISSING)]),
        ("?owner_kind=nobody&owner_id=1", [("owner_kind", INVALID)]),
        ("?owner_kind=app&owner_id=", [("owner_id", SHORT)]),
        ("?owner_kind=app&owner_id=a%0Ab", [("owner_id", INVALID)]),
        ("?owner_kind=app&owner_id=a%1Fb", [("owner_id", INVALID)]),
        (f"?owner_kind=app&owner_id={'x' * 251}", [("owner_id", LONG)]),
        ("?owner_kind=app&owner_id=1&limit=0", [("limit", INVALID)]),
        ("?owner_kind=app&owner_id=1&limit=101", [("limit", INVALID)]),
        ("?owner_kind=app&owner_id=1&limit=x", [("limit", TYPE)]),
        ("?owner_kind=app&owner_id=1&limit=1.5", [("limit", TYPE)]),
        (f"?owner_kind=app&owner_id=1&after={'x' * 401}", [("after", LONG)]),
        ("?owner_kind=support_rep&owner_id=meera&after=tomas", [("after", INVALID)]),
    ],
    ids=range(13),
)
def test_a_parameter_at_fault_is_named(bundle: Bundle, house: World, query: str, fields: list[tuple[str, str]]) -> None:
    answer = bundle.request("GET", f"/v1/keys{query}", house.bearer)
    fields_refused(answer, *fields)
    assert answer.calls == (GET,)


@pytest.mark.parametrize("name", ["owner_kind", "owner_id", "limit", "after"])
def test_a_parameter_that_is_named_twice_is_refused(bundle: Bundle, house: World, name: str) -> None:
    query = {"owner_kind": "operator", "owner_id": "operator", "limit": "5", "after": "native#0"}
    target = f"/v1/keys?{urlencode([*query.items(), (name, query[name])])}"
    answer = bundle.request("GET", target, house.bearer)
    assert (answer.status, [each["field"] for each in answer.json()["fields"]]) == (422, [name])


@pytest.mark.parametrize("after", ["native#9", "zzz", "%1F", "a,b", "é" * 100])
def test_a_cursor_that_no_page_gave_leads_to_no_error_of_ours(bundle: Bundle, house: World, after: str) -> None:
    answer = bundle.request("GET", f"/v1/keys?owner_kind=operator&owner_id=operator&after={after}", house.bearer)
    assert answer.status in {200, 422}

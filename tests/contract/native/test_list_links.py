"""GET /v1/keys/{key_id}/links"""

from __future__ import annotations

from keywright import handover
from keywright.model import KeyKind
from tests.bundle import Bundle
from tests.contract.native.desk import BATCH, INVALID, QUERY, answered, fields_refused, link_to, rfc3339
from tests.world import World


def test_links_are_listed_oldest_first_with_what_became_of_them(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    desk, now_ms = world.desk, world.desk.clock.now_ms()
    opened, token = link_to(world, key, "link_000000000001000000000000")
    revoked, _ = link_to(world, key, "link_000000000002000000000000", email="ama@example.com")
    over, _ = link_to(world, key, "link_000000000003000000000000", expires_at_ms=now_ms)
    waiting, _ = link_to(world, key, "link_000000000004000000000000")
    handover.open_link(desk, handover.find(desk, token), "192.0.2.7")
    handover.revoke(desk, world.principal, key, revoked)
    answer = bundle.request("GET", f"/v1/keys/{key.id}/links", world.bearer)
    assert answer.calls == (BATCH, QUERY)
    found = desk.store.links_of(key.id).items
    views = [
        {
            "id": link.id,
            "key_id": key.id,
            "version": 1,
            "state": state,
            "created_at": rfc3339(link.created_at_ms),
            "created_by": world.operator.id,
            "expires_at": rfc3339(link.expires_at_ms),
            "email": email,
            "opened_at": rfc3339(link.opened_at_ms),
            "opened_from": source,
            "revoked_at": rfc3339(link.revoked_at_ms),
        }
        for link, state, email, source in zip(
            found,
            ("opened", "revoked", "expired", "waiting"),
            (None, "ama@example.com", None, None),
            ("192.0.2.7", None, None, None),
            strict=True,
        )
    ]
    answered(answer, 200, {"links": views, "next": None})
    assert [link.id for link in found] == [opened.id, revoked.id, over.id, waiting.id]


def test_a_key_without_links_has_an_empty_list(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    answered(bundle.request("GET", f"/v1/keys/{key.id}/links", world.bearer), 200, {"links": [], "next": None})


def test_links_come_in_pages(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    ids = [link_to(world, key, f"link_{n:024x}")[0].id for n in range(5)]
    seen, after = [], ""
    while True:
        page = bundle.request("GET", f"/v1/keys/{key.id}/links?limit=2{after}", world.bearer).json()
        seen += [link["id"] for link in page["links"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == ids


def test_a_limit_is_1_to_100(bundle: Bundle, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    for limit in (0, 101):
        answer = bundle.request("GET", f"/v1/keys/{key.id}/links?limit={limit}", world.bearer)
        fields_refused(answer, ("limit", INVALID))

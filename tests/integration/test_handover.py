"""One-time links against the table: one reader, however many click."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from keywright import errors, handover
from keywright.handover import Made
from keywright.model import KeyKind, LinkRef, LinkState
from keywright.ports import Desk, LinkAt, LinkNamed, SaveLink, Stale
from keywright.tokens import Token
from tests.world import World

CLICKS = 8


def made_link(world: World) -> tuple[Made, Token]:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    made = handover.create(
        world.desk, world.principal, issued.key, lambda token: token, lifetime_ms=handover.SHORTEST_MS
    )
    return made, issued.token


def test_a_link_is_found_by_its_token_and_by_its_key(world: World) -> None:
    made, _ = made_link(world)
    named, at = LinkNamed(made.link.digest), LinkAt(made.link.ref)
    reading = world.desk.store.read(named, at)
    assert (reading[named], reading[at]) == (made.link.ref, made.link)
    assert list(world.desk.store.links_of(made.link.key_id).items) == [made.link]


def test_of_many_who_click_at_once_one_sees_the_secret(world: World) -> None:
    made, secret = made_link(world)
    start = threading.Barrier(CLICKS)

    def click(n: int) -> Token | type[Exception]:
        waiting = handover.find(world.desk, made.token.reveal())
        start.wait()
        try:
            return handover.open_link(world.desk, waiting, f"192.0.2.{n}")
        except (Stale, errors.Conflict) as refused:
            return type(refused)

    with ThreadPoolExecutor(CLICKS) as pool:
        outcomes = list(pool.map(click, range(CLICKS)))
    assert outcomes.count(secret) == 1
    [link] = world.desk.store.links_of(made.link.key_id).items
    assert link.state(0) is LinkState.OPENED
    assert outcomes[int(link.opened_from.rpartition(".")[2])] == secret


def test_a_link_that_was_changed_meanwhile_is_not_changed_again(desk: Desk, world: World) -> None:
    made, _ = made_link(world)
    desk.store.commit(SaveLink(made.link.opened("192.0.2.1", 1), made.link))
    for again in (made.link.opened("192.0.2.2", 2), made.link.revoked(2)):
        with pytest.raises(Stale):
            desk.store.commit(SaveLink(again, made.link))


def test_the_same_link_is_not_made_twice(desk: Desk, world: World) -> None:
    made, _ = made_link(world)
    with pytest.raises(Stale):
        desk.store.commit(SaveLink(made.link))


def test_links_of_a_key_come_in_pages_and_of_no_other_key(desk: Desk, world: World) -> None:
    first, _ = made_link(world)
    second = handover.create(
        desk, world.principal, world.key(first.link.key_id), lambda token: token, lifetime_ms=handover.LONGEST_MS
    )
    made_link(world)
    ids = sorted([first.link.id, second.link.id])
    page = desk.store.links_of(first.link.key_id, limit=1)
    assert [link.id for link in page.items] == ids[:1]
    rest = desk.store.links_of(first.link.key_id, limit=2, after=page.next)
    assert [link.id for link in rest.items] == ids[1:]
    assert rest.next is None


def test_a_link_that_nobody_made_is_not_there(desk: Desk) -> None:
    named, at = LinkNamed("0" * 64), LinkAt(LinkRef("key_0", "link_0"))
    reading = desk.store.read(named, at)
    assert (reading[named], reading[at]) == (None, None)

"""One-time links, in the core."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from keywright import errors, handover, issuing, lifecycle, rotation
from keywright.handover import LONGEST_MS, SHORTEST_MS, Along, Made
from keywright.issuing import Issued, Order
from keywright.model import EventType, Key, KeyKind, LinkState
from keywright.ports import KeyRef, LinkAt, Reading, Ref, Stale
from keywright.tokens import Token
from tests.fakes import Fakes
from tests.world import World

ADDRESS = "192.0.2.7"


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
def world(fakes: Fakes) -> World:
    return World(fakes.desk)


@pytest.fixture
def issued(world: World) -> Issued:
    return world.issue(KeyKind.NATIVE, world.operator.ref)


def url_of(token: Token) -> Token:
    return Token(f"https://keys.example/h/{token.reveal()}")


def make(world: World, key: Key, lifetime_ms: int = SHORTEST_MS, email: str = "") -> Made:
    return handover.create(world.desk, world.principal, key, url_of, lifetime_ms=lifetime_ms, email=email)


def click(world: World, made: Made) -> Token:
    return handover.open_link(world.desk, handover.find(world.desk, made.token.reveal()), ADDRESS)


def dead(world: World, made: Made) -> None:
    with pytest.raises(errors.LinkNotFound):
        handover.find(world.desk, made.token.reveal())


# --- opening -------------------------------------------------------------------------------------------------------


def test_a_link_shows_the_secret_once(world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    assert click(world, made) == issued.token
    with pytest.raises(errors.LinkOpened) as refused:
        click(world, made)
    assert refused.value.at_ms == world.desk.clock.now_ms()


def test_looking_at_a_link_changes_nothing(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    before = (dict(fakes.store.links), len(fakes.store.events))
    for _ in range(10):
        handover.find(world.desk, made.token.reveal())
    assert (fakes.store.links, len(fakes.store.events)) == before
    assert fakes.vault.revealed == []


def test_of_two_who_click_at_once_one_sees_the_secret(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    waiting, seen = handover.find(world.desk, made.token.reveal()), []
    fakes.store.meanwhile.append(lambda: seen.append(click(world, made)))
    with pytest.raises(Stale):
        handover.open_link(world.desk, waiting, "203.0.113.9")
    assert seen == [issued.token]
    assert fakes.store.links[made.link.ref].opened_from == ADDRESS


def test_opening_is_recorded_with_the_address_before_the_secret_leaves(
    fakes: Fakes, world: World, issued: Issued
) -> None:
    made = make(world, issued.key)
    click(world, made)
    event = fakes.store.events[-1]
    assert (event.type, event.subject, event.link_id) == (EventType.LINK_OPENED, issued.key.id, made.link.id)
    assert (event.source, event.version, event.actor, event.actor_owner) == (ADDRESS, 1, made.link.id, None)
    link = fakes.store.links[made.link.ref]
    assert (link.state(0), link.opened_from, link.opened_at_ms) == (LinkState.OPENED, ADDRESS, fakes.clock.ms)


def test_a_vault_that_does_not_answer_spends_no_link(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    fakes.vault.down = True
    with pytest.raises(errors.Unavailable):
        click(world, made)
    fakes.vault.down = False
    assert click(world, made) == issued.token


def test_a_store_that_does_not_answer_shows_no_secret(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    waiting = handover.find(world.desk, made.token.reveal())
    fakes.store.down = True
    with pytest.raises(errors.Unavailable):
        handover.open_link(world.desk, waiting, ADDRESS)


# --- what leads nowhere --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "x", "A" * 42, "A" * 44, "A" * 42 + "-", "A" * 43 + "\n", "é" * 43])
def test_what_can_be_no_link_is_not_looked_for(fakes: Fakes, world: World, text: str) -> None:
    fakes.store.calls.clear()
    with pytest.raises(errors.LinkNotFound):
        handover.find(world.desk, text)
    assert fakes.store.calls == []


def test_a_link_that_nobody_made_is_not_found(fakes: Fakes, world: World) -> None:
    with pytest.raises(errors.LinkNotFound):
        handover.find(world.desk, "A" * 43)
    assert fakes.store.calls[-1] == "read"


@pytest.mark.parametrize("gone", ["link", "key"])
def test_a_link_of_which_only_the_token_is_left_leads_nowhere(
    fakes: Fakes, world: World, issued: Issued, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """DynamoDB takes what is over row by row."""
    made, read = make(world, issued.key), fakes.store.read

    def without(*refs: Ref[Any]) -> Reading:
        found = read(*refs)
        kind = LinkAt if gone == "link" else KeyRef
        return Reading({ref: None if isinstance(ref, kind) else found[ref] for ref in refs})

    monkeypatch.setattr(fakes.store, "read", without)
    with pytest.raises(errors.LinkNotFound):
        handover.find(world.desk, made.token.reveal())


def test_a_key_without_a_version_has_nothing_to_hand_over(world: World) -> None:
    opened = world.channel(world.app())
    bare = lifecycle.delete_version(world.desk, world.principal, opened.key, 1)
    with pytest.raises(errors.KeyNotFound):
        make(world, bare)


def test_a_link_stops_in_the_millisecond_it_expires(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    fakes.clock.advance(SHORTEST_MS - 1)
    handover.find(world.desk, made.token.reveal())
    fakes.clock.advance(1)
    dead(world, made)


def test_an_opened_link_stays_opened_when_its_time_is_over(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    click(world, made)
    fakes.clock.advance(LONGEST_MS)
    with pytest.raises(errors.LinkOpened):
        click(world, made)


def test_a_revoked_link_opens_nothing(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    revoked = handover.revoke(world.desk, world.principal, issued.key, made.link)
    assert revoked.state(fakes.clock.ms) is LinkState.REVOKED
    assert fakes.store.events[-1].type is EventType.LINK_REVOKED
    dead(world, made)
    events = len(fakes.store.events)
    assert handover.revoke(world.desk, world.principal, issued.key, revoked) is revoked
    assert len(fakes.store.events) == events


def test_who_clicks_while_it_is_revoked_sees_nothing(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    waiting = handover.find(world.desk, made.token.reveal())
    handover.revoke(world.desk, world.principal, issued.key, made.link)
    with pytest.raises(Stale):
        handover.open_link(world.desk, waiting, ADDRESS)


def test_a_link_that_is_not_there_cannot_be_revoked(world: World, issued: Issued) -> None:
    with pytest.raises(errors.LinkNotFound):
        handover.revoke(world.desk, world.principal, issued.key, None)


def test_a_link_leads_nowhere_once_its_key_is_over(fakes: Fakes, world: World) -> None:
    def fresh() -> Key:
        return world.issue(KeyKind.NATIVE, world.operator.ref).key

    revoked, deleted, expired = fresh(), fresh(), fresh()
    links = [make(world, key) for key in (revoked, deleted, expired)]
    lifecycle.revoke(world.desk, world.principal, revoked)
    lifecycle.delete(world.desk, world.principal, deleted)
    world.expire(expired)
    for made in links:
        dead(world, made)


def test_a_link_to_a_disabled_key_still_hands_it_over(world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    lifecycle.disable(world.desk, world.principal, issued.key)
    assert click(world, made) == issued.token


def test_a_link_shows_the_version_it_was_made_for_while_that_works(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    rotated = rotation.rotate(world.desk, world.principal, issued.key, overlap_ms=60_000)
    newer = make(world, rotated.key)
    assert click(world, made) == issued.token
    assert click(world, newer) == rotated.token


def test_a_link_to_a_version_that_gave_way_leads_nowhere(fakes: Fakes, world: World, issued: Issued) -> None:
    made, retiring = make(world, issued.key), make(world, issued.key)
    rotated = rotation.rotate(world.desk, world.principal, issued.key, overlap_ms=60_000)
    fakes.clock.advance(60_000)
    dead(world, made)
    rotation.rotate(world.desk, world.principal, rotated.key, overlap_ms=0)
    dead(world, retiring)


# --- making --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lifetime_ms", [0, SHORTEST_MS - 1, LONGEST_MS + 1, -1])
def test_a_lifetime_is_15_minutes_to_7_days(fakes: Fakes, world: World, issued: Issued, lifetime_ms: int) -> None:
    with pytest.raises(errors.FieldInvalid) as refused:
        make(world, issued.key, lifetime_ms)
    assert refused.value.field == "expires_in"
    assert fakes.store.links == {}


@pytest.mark.parametrize("lifetime_ms", [SHORTEST_MS, LONGEST_MS])
def test_the_shortest_and_the_longest_lifetime_count(world: World, issued: Issued, lifetime_ms: int) -> None:
    link = make(world, issued.key, lifetime_ms).link
    assert link.expires_at_ms - link.created_at_ms == lifetime_ms


def test_only_the_digest_of_a_link_is_kept(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key)
    assert made.token.reveal() not in repr((fakes.store.links, fakes.store.events, fakes.store.keys))
    assert len(made.token.reveal()) == 43
    assert fakes.vault.sealed == 2, "the operator's and the key's own secret"


def test_nobody_hands_out_more_than_they_hold(fakes: Fakes, world: World) -> None:
    mighty = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("keys:*",)).key
    weak = replace(world.principal, scopes=("keys:reveal",))
    with pytest.raises(errors.ScopeMissing):
        handover.create(world.desk, weak, mighty, url_of, lifetime_ms=SHORTEST_MS)
    assert fakes.store.links == {}


@pytest.mark.parametrize(("end", "refusal"), [("revoke", errors.KeyRevoked), ("expire", errors.KeyExpired)])
def test_no_link_leads_to_a_key_that_is_over(
    fakes: Fakes, world: World, issued: Issued, end: str, refusal: type[errors.KeywrightError]
) -> None:
    ends = {"revoke": lambda key: lifecycle.revoke(world.desk, world.principal, key), "expire": world.expire}
    key = ends[end](issued.key)
    with pytest.raises(refusal):
        make(world, key)


def test_a_link_is_mailed_and_the_secret_is_not(fakes: Fakes, world: World, issued: Issued) -> None:
    made = make(world, issued.key, email="ama@example.com")
    [mail] = fakes.outbox.sent
    assert (mail.to, mail.token) == ("ama@example.com", url_of(made.token))
    assert made.link.email == "ama@example.com"


def test_a_link_that_could_not_be_mailed_is_none(fakes: Fakes, world: World, issued: Issued) -> None:
    fakes.outbox.refuses = True
    with pytest.raises(errors.MailNotSent):
        make(world, issued.key, email="ama@example.com")
    assert fakes.store.links == {}
    assert fakes.store.events[-1].type is not EventType.LINK_CREATED


def test_a_key_and_its_link_are_made_in_one_transaction(fakes: Fakes, world: World) -> None:
    along = Along(world.desk, world.principal, SHORTEST_MS)
    fakes.store.calls.clear()
    order = Order(kind=KeyKind.NATIVE, owner=world.operator.ref)
    issued = issuing.issue(world.desk, world.principal, order, also=along)
    assert fakes.store.calls == ["commit"]
    assert [event.type for event in fakes.store.events[-2:]] == [EventType.KEY_ISSUED, EventType.LINK_CREATED]
    assert click(world, along.made) == issued.token


def test_an_order_that_is_refused_leaves_no_link(fakes: Fakes, world: World) -> None:
    along = Along(world.desk, world.principal, SHORTEST_MS)
    order = Order(kind=KeyKind.REP_KEY, owner=world.rep(login_enabled=False).ref)
    with pytest.raises(errors.LoginNotEnabled):
        issuing.issue(world.desk, world.principal, order, also=along)
    assert fakes.store.links == {}


def test_the_creator_of_a_link_stands_in_it(world: World, issued: Issued) -> None:
    assert make(world, issued.key).link.creator.id == world.operator.id

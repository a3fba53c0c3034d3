"""Refused uses: an event each, up to ten a minute and key, on which nobody waits and nothing hangs."""

from __future__ import annotations

import pytest

from keywright import lifecycle, refused_use
from keywright.model import EventType, Grant, Key, KeyKind
from keywright.refused_use import MINUTE_MS, MOST_A_MINUTE, Noted
from tests.fakes import Fakes
from tests.world import World


@pytest.fixture(autouse=True)
def at_the_start_of_a_minute(fakes: Fakes) -> None:
    fakes.clock.ms = fakes.clock.ms // MINUTE_MS * MINUTE_MS


def revoked(world: World) -> Grant:
    return grant(lifecycle.revoke(world.desk, world.principal, fresh(world), "left on a train"))


def fresh(world: World) -> Key:
    return world.issue(KeyKind.NATIVE, world.app().ref).key


def grant(key: Key) -> Grant:
    return Grant.of(key, key.newest)


def noted(fakes: Fakes) -> list[tuple[str, str]]:
    return [(event.subject, event.reason) for event in fakes.store.events if event.type is EventType.KEY_REFUSED]


def test_a_revoked_and_an_expired_key_are_noted_with_their_reasons(world: World, fakes: Fakes) -> None:
    gone, over = revoked(world), grant(world.expire(fresh(world)))
    assert refused_use.note(world.desk, gone) is Noted.NOTED
    assert refused_use.note(world.desk, over, by=world.principal, address="203.0.113.9") is Noted.NOTED
    assert noted(fakes) == [(gone.key_id, "revoked"), (over.key_id, "expired")]
    by_its_holder, by_a_service = fakes.store.events[-2:]
    assert (by_its_holder.actor, by_its_holder.actor_owner, by_its_holder.source) == (gone.key_id, gone.owner, "")
    assert (by_a_service.actor, by_a_service.source) == (world.principal.key_id, "203.0.113.9")
    assert by_a_service.version == 1


def test_what_is_alive_disabled_or_unknown_is_not_noted_and_costs_nothing(world: World, fakes: Fakes) -> None:
    disabled = grant(lifecycle.disable(world.desk, world.principal, fresh(world)))
    fakes.store.calls.clear()
    for known in (None, grant(fresh(world)), disabled):
        fakes.store.calls.clear()
        assert refused_use.note(world.desk, known) is Noted.NOTHING_TO_NOTE
        assert fakes.store.calls == []


def test_there_are_ten_a_minute_and_key_and_ten_more_in_the_next(world: World, fakes: Fakes) -> None:
    gone, other = revoked(world), revoked(world)
    outcomes = [refused_use.note(world.desk, gone) for _ in range(25)]
    assert outcomes == [Noted.NOTED] * MOST_A_MINUTE + [Noted.ENOUGH] * 15
    assert refused_use.note(world.desk, other) is Noted.NOTED
    fakes.clock.advance(MINUTE_MS - 1)
    assert refused_use.note(world.desk, gone) is Noted.ENOUGH
    fakes.clock.advance(1)
    assert refused_use.note(world.desk, gone) is Noted.NOTED
    assert noted(fakes) == [(gone.key_id, "revoked")] * 10 + [(other.key_id, "revoked"), (gone.key_id, "revoked")]


def test_a_process_that_knows_of_ten_asks_the_store_nothing(world: World, fakes: Fakes) -> None:
    gone = revoked(world)
    for _ in range(MOST_A_MINUTE + 1):
        refused_use.note(world.desk, gone)
    fakes.store.calls.clear()
    assert refused_use.note(world.desk, gone) is Noted.ENOUGH
    assert fakes.store.calls == []


@pytest.mark.parametrize("trouble", ["down", "in_the_way"])
def test_a_note_that_cannot_be_made_is_forgotten(world: World, fakes: Fakes, trouble: str) -> None:
    gone = revoked(world)
    setattr(fakes.store, trouble, True)
    assert refused_use.note(world.desk, gone) is Noted.FAILED
    setattr(fakes.store, trouble, False)
    assert noted(fakes) == []
    assert refused_use.note(world.desk, gone) is Noted.NOTED

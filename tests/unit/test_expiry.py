from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from keywright import errors, expiry, lifecycle
from keywright.expiry import BATCH, SWEEPER, Swept
from keywright.model import EventType, Key, KeyKind
from keywright.ports import Page
from tests.fakes import FakeKeyStore, Fakes
from tests.world import World

HOUR_MS = 3_600_000


def never() -> bool:
    return False


def after(times: int) -> Callable[[], bool]:
    """Time that is up when it was asked for so many times."""
    asked = count()
    return lambda: next(asked) >= times


def expiring(world: World, number: int) -> list[Key]:
    at = world.desk.clock.now_ms() + HOUR_MS
    return [world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=at).key for _ in range(number)]


def told(fakes: Fakes) -> list[str]:
    return [event.subject for event in fakes.store.events if event.type is EventType.KEY_EXPIRED]


@pytest.fixture
def due(world: World, fakes: Fakes) -> list[Key]:
    keys = expiring(world, 5)
    fakes.clock.advance(HOUR_MS)
    return keys


def test_what_is_due_is_marked_and_told_and_nothing_else_is_touched(world: World, fakes: Fakes) -> None:
    keys = expiring(world, 3)
    fakes.clock.advance(1)
    later, forever = expiring(world, 1)[0], world.issue(KeyKind.NATIVE, world.operator.ref).key
    fakes.clock.advance(HOUR_MS - 1)
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(3, finished=True)
    assert sorted(told(fakes)) == sorted(key.id for key in keys)
    assert all(world.key(key.id).expiry_marked_at_ms == fakes.clock.ms for key in keys)
    assert [world.key(key.id) for key in (later, forever)] == [later, forever]


def test_the_event_of_an_expired_key_names_the_sweep(world: World, fakes: Fakes, due: list[Key]) -> None:
    expiry.sweep(world.desk, time_is_up=never)
    event = fakes.store.events[-1]
    assert (event.actor, event.tenant, event.owner, event.version) == (SWEEPER, world.tenant, world.operator.ref, 1)
    assert due


def test_a_second_sweep_marks_and_tells_nothing_twice(world: World, fakes: Fakes, due: list[Key]) -> None:
    expiry.sweep(world.desk, time_is_up=never)
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(0, finished=True)
    assert len(told(fakes)) == len(due)


def test_two_sweeps_side_by_side_mark_each_key_once(world: World, fakes: Fakes, due: list[Key]) -> None:
    other: list[Swept] = []
    fakes.store.meanwhile = [lambda: other.append(expiry.sweep(world.desk, time_is_up=never))]
    first = expiry.sweep(world.desk, time_is_up=never)
    assert first.marked + other[0].marked == len(due)
    assert sorted(told(fakes)) == sorted(key.id for key in due)


@pytest.mark.parametrize("at", range(5))
def test_two_sweeps_that_change_places_at_any_key_mark_each_once(
    world: World, fakes: Fakes, due: list[Key], at: int
) -> None:
    other: list[Swept] = []
    fakes.store.meanwhile = [never] * at + [lambda: other.append(expiry.sweep(world.desk, time_is_up=after(3)))]
    first = expiry.sweep(world.desk, time_is_up=never)
    assert first.marked + other[0].marked == len(due) == len(told(fakes)) == len(set(told(fakes)))


@pytest.mark.parametrize("deed", [lifecycle.disable, lifecycle.revoke, lifecycle.delete])
def test_a_key_that_changes_meanwhile_is_left_for_the_next_run(
    world: World, fakes: Fakes, due: list[Key], deed: Callable[..., Key]
) -> None:
    victim = world.key(fakes.store.due(fakes.clock.ms, limit=1).items[0])
    fakes.store.meanwhile = [lambda: deed(world.desk, world.principal, victim)]
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(len(due) - 1, finished=True)
    assert victim.id not in told(fakes)
    again = expiry.sweep(world.desk, time_is_up=never)
    assert again.marked == (1 if deed is lifecycle.disable else 0)


def test_a_key_that_lives_again_meanwhile_is_not_marked(world: World, fakes: Fakes, due: list[Key]) -> None:
    revived = lifecycle.amend(world.desk, world.principal, due[0], description="", expires_at_ms=None)
    assert expiry.sweep(world.desk, time_is_up=never).marked == len(due) - 1
    assert world.key(revived.id) == revived


def test_a_key_in_the_way_of_others_does_not_stop_the_sweep(world: World, fakes: Fakes, due: list[Key]) -> None:
    def in_the_way() -> None:
        raise errors.Conflict

    fakes.store.meanwhile = [in_the_way]
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(len(due) - 1, finished=True)
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(1, finished=True)


@pytest.mark.parametrize("steps", range(7))
def test_the_sweep_stops_between_keys_when_time_is_up_and_the_next_one_goes_on(
    world: World, fakes: Fakes, due: list[Key], steps: int
) -> None:
    first = expiry.sweep(world.desk, time_is_up=after(steps))
    assert first == Swept(max(0, min(steps - 1, 5)), finished=steps > len(due))
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(len(due) - first.marked, finished=True)
    assert len(told(fakes)) == len(due)


def test_no_call_is_made_when_time_was_up_before_the_start(world: World, fakes: Fakes, due: list[Key]) -> None:
    fakes.store.calls.clear()
    assert expiry.sweep(world.desk, time_is_up=lambda: True) == Swept(0, finished=False)
    assert fakes.store.calls == []
    assert due


def test_more_than_a_page_is_marked_in_one_run(world: World, fakes: Fakes) -> None:
    keys = expiring(world, 2 * BATCH + 1)
    fakes.clock.advance(HOUR_MS)
    fakes.store.calls.clear()
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(len(keys), finished=True)
    assert len(set(told(fakes))) == len(keys)
    assert fakes.store.calls.count("due") == fakes.store.calls.count("read") == 3
    assert fakes.store.calls.count("commit") == len(keys)


def test_the_sweep_stops_between_pages_when_time_is_up(world: World, fakes: Fakes) -> None:
    keys = expiring(world, BATCH + 1)
    fakes.clock.advance(HOUR_MS)
    assert expiry.sweep(world.desk, time_is_up=after(BATCH + 1)) == Swept(BATCH, finished=False)
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(len(keys) - BATCH, finished=True)


def test_when_nothing_is_due_only_the_index_is_asked(world: World, fakes: Fakes) -> None:
    expiring(world, 3)
    fakes.store.calls.clear()
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(0, finished=True)
    assert set(fakes.store.calls) == {"due"}


class LaggingStore(FakeKeyStore):
    """Its index goes on showing what was due once."""

    def due(self, until_ms: int, *, limit: int, after: str | None = None) -> Page[str]:
        return Page([key.id for key in self.keys.values() if key.expires_at_ms is not None] + ["key_gone"])


def test_what_a_lagging_index_shows_is_read_again_before_it_is_changed() -> None:
    fakes = Fakes(store=LaggingStore())
    world = World(fakes.desk)
    revoked, deleted, marked, due = expiring(world, 4)
    fakes.clock.advance(HOUR_MS)
    left_alone = [
        lifecycle.revoke(world.desk, world.principal, revoked),
        lifecycle.delete(world.desk, world.principal, deleted),
        world.overwrite(marked, expiry_marked_at_ms=1),
        *expiring(world, 1),
    ]
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(1, finished=True)
    assert told(fakes) == [due.id]
    assert [world.key(key.id) for key in left_alone] == left_alone


def test_a_crash_in_the_middle_loses_nothing(world: World, fakes: Fakes, due: list[Key]) -> None:
    def crash() -> None:
        raise KeyboardInterrupt

    fakes.store.meanwhile = [never, never, crash]
    with pytest.raises(KeyboardInterrupt):
        expiry.sweep(world.desk, time_is_up=never)
    assert len(told(fakes)) == 2
    assert expiry.sweep(world.desk, time_is_up=never) == Swept(len(due) - 2, finished=True)
    assert len(set(told(fakes))) == len(told(fakes)) == len(due)


def test_a_store_that_is_down_is_no_sweep(world: World, fakes: Fakes, due: list[Key]) -> None:
    fakes.store.down = True
    with pytest.raises(errors.Unavailable):
        expiry.sweep(world.desk, time_is_up=never)
    assert due

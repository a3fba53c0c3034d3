from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from keywright import errors, issuing, lifecycle, sweeping
from keywright.model import DAY_MS, EventType, Key, KeyKind, KeyState, Terms
from keywright.ports import KeyRef, Page, Reading, Ref, SingleKeyRef
from keywright.sweeping import BATCH, LEASE, MOST_TOLD, SWEEPER, Swept
from tests.fakes import FakeKeyStore, Fakes
from tests.world import World

HOUR_MS = 3_600_000
TOLD = {
    EventType.KEY_EXPIRING,
    EventType.KEY_EXPIRED,
    EventType.VERSION_RETIRED,
    EventType.KEY_PURGED,
}


def never() -> bool:
    return False


def after(times: int) -> Callable[[], bool]:
    """Time that is up when it was asked for so many times."""
    asked = count()
    return lambda: next(asked) >= times


def sweep(world: World, **how: Any) -> Swept:
    return sweeping.sweep(world.desk, **{"time_is_up": never, **how})


def done(**counts: Any) -> Swept:
    return Swept(**{"finished": True, **counts})


def expiring(world: World, number: int, in_ms: int = HOUR_MS, kind: KeyKind = KeyKind.NATIVE) -> list[Key]:
    at = world.desk.clock.now_ms() + in_ms
    return [world.issue(kind, world.operator.ref, expires_at_ms=at).key for _ in range(number)]


def told(fakes: Fakes, *types: EventType) -> list[tuple[EventType, str]]:
    return [(event.type, event.subject) for event in fakes.store.events if event.type in (types or TOLD)]


def expired(fakes: Fakes) -> list[str]:
    return [subject for _, subject in told(fakes, EventType.KEY_EXPIRED)]


@pytest.fixture
def due(world: World, fakes: Fakes) -> list[Key]:
    keys = expiring(world, 5)
    fakes.clock.advance(HOUR_MS)
    return keys


# --- expired -------------------------------------------------------------------------------------------------------


def test_what_is_due_is_marked_and_told_and_nothing_else_is_touched(world: World, fakes: Fakes) -> None:
    keys = expiring(world, 3)
    fakes.clock.advance(1)
    later, forever = expiring(world, 1)[0], world.issue(KeyKind.NATIVE, world.operator.ref).key
    fakes.clock.advance(HOUR_MS - 1)
    assert sweep(world) == done(expired=3)
    assert sorted(expired(fakes)) == sorted(key.id for key in keys)
    assert all(world.key(key.id).expiry_marked_at_ms == fakes.clock.ms for key in keys)
    assert [world.key(key.id) for key in (later, forever)] == [later, forever]


def test_the_event_of_an_expired_key_names_the_sweep(world: World, fakes: Fakes, due: list[Key]) -> None:
    sweep(world)
    event = fakes.store.events[-1]
    assert (event.actor, event.tenant, event.owner, event.version) == (SWEEPER, world.tenant, world.operator.ref, 1)
    assert (event.expires_at_ms, event.actor_owner) == (due[0].expires_at_ms, None)


def test_an_expired_key_frees_its_place(world: World, fakes: Fakes) -> None:
    app = world.app()
    at = fakes.clock.ms + HOUR_MS
    keys = [world.issue(KeyKind.APP_SECRET, app.ref, expires_at_ms=at).key for _ in range(10)]
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app.ref)
    fakes.clock.advance(HOUR_MS)
    assert sweep(world) == done(expired=10)
    assert fakes.store.live[app.ref, KeyKind.APP_SECRET] == 0
    for _ in range(10):
        world.issue(KeyKind.APP_SECRET, app.ref)
    marked = world.key(keys[0].id)
    with pytest.raises(errors.LimitReached):
        lifecycle.amend(world.desk, world.principal, marked, description="", expires_at_ms=None)
    assert world.key(marked.id) == marked


def test_a_later_expiry_takes_the_place_again_and_revoking_frees_it_once(world: World, fakes: Fakes) -> None:
    app = world.app()
    key = world.issue(KeyKind.APP_SECRET, app.ref, expires_at_ms=fakes.clock.ms + HOUR_MS).key
    fakes.clock.advance(HOUR_MS)
    sweep(world)
    marked = world.key(key.id)
    revoked = lifecycle.revoke(world.desk, world.principal, marked)
    assert fakes.store.live[app.ref, KeyKind.APP_SECRET] == 0
    world.overwrite(revoked, revoked_at_ms=None)
    revived = lifecycle.amend(world.desk, world.principal, world.key(key.id), description="", expires_at_ms=None)
    assert fakes.store.live[app.ref, KeyKind.APP_SECRET] == 1
    lifecycle.revoke(world.desk, world.principal, revived)
    assert fakes.store.live[app.ref, KeyKind.APP_SECRET] == 0


def test_an_expired_key_that_its_vendor_revives_keeps_its_place_and_is_never_purged(world: World, fakes: Fakes) -> None:
    app = world.app()
    key = world.issue(KeyKind.APP_API_KEY, app.ref, expires_at_ms=fakes.clock.ms + HOUR_MS).key
    fakes.clock.advance(HOUR_MS)
    assert sweep(world) == done(expired=1)
    fakes.clock.advance(4000 * DAY_MS)
    assert sweep(world) == done()
    assert fakes.store.live[app.ref, KeyKind.APP_API_KEY] == 1
    assert world.key(key.id).versions == key.versions


def test_a_second_sweep_marks_and_tells_nothing_twice(world: World, fakes: Fakes, due: list[Key]) -> None:
    sweep(world)
    assert sweep(world) == done()
    assert len(expired(fakes)) == len(due)


# --- warned --------------------------------------------------------------------------------------------------------


def test_each_step_is_told_once_with_the_days_that_are_left(world: World, fakes: Fakes) -> None:
    (key,) = expiring(world, 1, 40 * DAY_MS)
    warnings = []
    for _ in range(41 * 24):
        sweep(world)
        warnings += [event for event in fakes.store.events if event.type is EventType.KEY_EXPIRING]
        fakes.store.events[:] = [event for event in fakes.store.events if event.type is not EventType.KEY_EXPIRING]
        fakes.clock.advance(HOUR_MS)
    assert [(event.step_days, event.days_left) for event in warnings] == [(30, 30), (14, 14), (7, 7), (1, 1)]
    assert {(event.subject, event.expires_at_ms, event.actor) for event in warnings} == {
        (key.id, key.expires_at_ms, SWEEPER)
    }
    assert expired(fakes) == [key.id]


def test_the_sweep_comes_for_a_step_in_its_very_millisecond_and_not_before(world: World, fakes: Fakes) -> None:
    expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(10 * DAY_MS - 1)
    assert sweep(world) == done()
    fakes.clock.advance(1)
    assert sweep(world) == done(warned=1)
    assert sweep(world) == done()


def test_of_steps_that_were_missed_the_nearest_alone_is_told(world: World, fakes: Fakes) -> None:
    expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(36 * DAY_MS)
    assert sweep(world) == done(warned=1)
    (event,) = [event for event in fakes.store.events if event.type is EventType.KEY_EXPIRING]
    assert (event.step_days, event.days_left) == (7, 4)
    fakes.clock.advance(3 * DAY_MS)
    assert sweep(world) == done(warned=1)


def test_after_the_expiry_nobody_is_warned_of_it(world: World, fakes: Fakes) -> None:
    expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(40 * DAY_MS)
    assert sweep(world) == done(expired=1)


def test_steps_that_lie_before_the_issue_are_not_told(world: World, fakes: Fakes) -> None:
    """Whoever asks for a key of ten days knows that it is one of ten days."""
    expiring(world, 1, 10 * DAY_MS)
    assert sweep(world) == done()
    fakes.clock.advance(3 * DAY_MS)
    assert sweep(world) == done(warned=1)


def test_with_another_expiry_the_steps_start_anew(world: World, fakes: Fakes) -> None:
    (key,) = expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(33 * DAY_MS)
    assert sweep(world) == done(warned=1)
    later = fakes.clock.ms + 20 * DAY_MS
    lifecycle.amend(world.desk, world.principal, world.key(key.id), description="", expires_at_ms=later)
    assert sweep(world) == done()
    fakes.clock.advance(6 * DAY_MS)
    assert sweep(world) == done(warned=1)
    assert [event.step_days for event in fakes.store.events if event.type is EventType.KEY_EXPIRING] == [7, 14]


def test_with_the_same_expiry_they_do_not(world: World, fakes: Fakes) -> None:
    (key,) = expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(10 * DAY_MS)
    assert sweep(world) == done(warned=1)
    warned = world.key(key.id)
    lifecycle.amend(world.desk, world.principal, warned, description="new", expires_at_ms=warned.expires_at_ms)
    assert sweep(world) == done()


@pytest.mark.parametrize("deed", [lifecycle.revoke, lifecycle.delete])
def test_nobody_is_warned_of_a_key_that_is_over(world: World, fakes: Fakes, deed: Callable[..., Key]) -> None:
    (key,) = expiring(world, 1, 40 * DAY_MS)
    deed(world.desk, world.principal, key)
    fakes.clock.advance(11 * DAY_MS)
    assert sweep(world) == done()


def test_without_steps_nobody_is_warned() -> None:
    fakes = Fakes(terms=Terms(warning_days=()))
    world = World(fakes.desk)
    expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(39 * DAY_MS)
    assert sweep(world) == done()
    assert "due" in fakes.store.calls


def test_of_transient_keys_nobody_is_warned_and_the_sweep_purges_none(world: World, fakes: Fakes) -> None:
    at = fakes.clock.ms + 40 * DAY_MS
    world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=at, transient=True)
    fakes.clock.advance(39 * DAY_MS)
    assert sweep(world) == done()
    fakes.clock.advance(DAY_MS)
    assert sweep(world) == done(expired=1)
    fakes.clock.advance(4000 * DAY_MS)
    assert sweep(world) == done()


# --- retired -------------------------------------------------------------------------------------------------------


def rotated(world: World, overlap_ms: int, **order: Any) -> tuple[Key, str]:
    """A key of two versions, the first of which retires; and that one's digest."""
    first = world.issue(KeyKind.NATIVE, world.operator.ref, **order).key
    second = replace(first.newest, number=2, digest=f"{2:064x}")
    retiring = replace(first.newest, retires_at_ms=world.desk.clock.now_ms() + overlap_ms)
    return world.overwrite(first, versions=(retiring, second), last_version=2), retiring.digest


def test_a_former_version_goes_when_its_time_is_over(world: World, fakes: Fakes) -> None:
    key, digest = rotated(world, HOUR_MS)
    fakes.clock.advance(HOUR_MS - 1)
    assert sweep(world) == done()
    fakes.clock.advance(1)
    assert sweep(world) == done(retired=1)
    assert [version.number for version in world.key(key.id).versions] == [2]
    assert digest not in fakes.store._grants()
    event = fakes.store.events[-1]
    assert (event.type, event.subject, event.version) == (EventType.VERSION_RETIRED, key.id, 1)
    assert sweep(world) == done()


def test_all_that_is_due_of_a_key_is_done_at_once(world: World, fakes: Fakes) -> None:
    key, _ = rotated(world, HOUR_MS, expires_at_ms=fakes.clock.ms + HOUR_MS)
    fakes.clock.advance(HOUR_MS)
    fakes.store.calls.clear()
    assert sweep(world) == done(retired=1, expired=1)
    assert fakes.store.calls.count("commit") == 1
    assert world.key(key.id).revision == key.revision + 1
    assert told(fakes) == [(EventType.VERSION_RETIRED, key.id), (EventType.KEY_EXPIRED, key.id)]


# --- retained and purged -------------------------------------------------------------------------------------------


def ended(world: World, fakes: Fakes, how: str) -> Key:
    (key,) = expiring(world, 1)
    if how == "expired":
        fakes.clock.advance(HOUR_MS)
        sweep(world)
        return world.key(key.id)
    return (lifecycle.revoke if how == "revoked" else lifecycle.delete)(world.desk, world.principal, key)


@pytest.mark.parametrize("how", ["expired", "revoked", "deleted"])
def test_a_key_that_is_over_is_purged_after_its_retention(world: World, fakes: Fakes, how: str) -> None:
    key = ended(world, fakes, how)
    digest = key.newest.digest
    fakes.clock.advance(30 * DAY_MS - 1)
    assert sweep(world) == done()
    assert fakes.store.read(KeyRef(key.id))[KeyRef(key.id)] == key
    fakes.clock.advance(1)
    assert sweep(world) == done(purged=1)
    assert fakes.store.read(KeyRef(key.id))[KeyRef(key.id)] is None
    assert digest not in fakes.store._grants()
    left = fakes.store.keys[key.id]
    assert (left.versions, left.purge_at_ms, left.due_at_ms) == ((), fakes.clock.ms, None)
    assert not [each for each in world.desk.store.keys_of(key.owner).items if each.id == key.id]
    assert told(fakes)[-1] == (EventType.KEY_PURGED, key.id)
    assert sweep(world) == done()


def test_the_retention_is_the_installations_own() -> None:
    fakes = Fakes(terms=Terms(retention_days=3))
    world = World(fakes.desk)
    ended(world, fakes, "revoked")
    fakes.clock.advance(3 * DAY_MS)
    assert sweep(world) == done(purged=1)


def test_retention_begins_when_the_expiry_is_told_however_late_that_was(world: World, fakes: Fakes) -> None:
    expiring(world, 1)
    fakes.clock.advance(90 * DAY_MS)
    assert sweep(world) == done(expired=1)
    fakes.clock.advance(30 * DAY_MS - 1)
    assert sweep(world) == done()
    fakes.clock.advance(1)
    assert sweep(world) == done(purged=1)


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_an_access_key_is_never_purged_as_its_numbering_goes_on(world: World, fakes: Fakes, how: str) -> None:
    key = world.channel(world.app()).key
    if how == "expired":
        world.expire(key)
        sweep(world)
    else:
        lifecycle.revoke(world.desk, world.principal, key)
    fakes.clock.advance(4000 * DAY_MS)
    assert sweep(world) == done()
    assert world.key(key.id).last_version == 1


def test_a_revoked_reps_key_is_purged_and_its_place_is_free(world: World, fakes: Fakes) -> None:
    rep = world.rep().ref
    lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep).key)
    fakes.clock.advance(30 * DAY_MS)
    assert sweep(world) == done(purged=1)
    assert world.desk.store.read(SingleKeyRef(rep))[SingleKeyRef(rep)] is None
    world.issue(KeyKind.REP_KEY, rep)


def test_a_successor_keeps_the_place_of_the_key_that_is_purged(world: World, fakes: Fakes) -> None:
    rep = world.rep().ref
    revoked = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep).key)
    successor = issuing.issue_version(world.desk, world.principal, revoked, creator=world.principal.creator()).key
    fakes.clock.advance(30 * DAY_MS)
    assert sweep(world) == done(purged=1)
    assert world.desk.store.read(SingleKeyRef(rep))[SingleKeyRef(rep)] == successor
    assert world.key(successor.id) == successor


# --- terms that were others ----------------------------------------------------------------------------------------


def test_a_key_that_was_put_by_in_other_terms_goes_to_its_new_place_without_a_word(fakes: Fakes, world: World) -> None:
    (key,) = expiring(world, 1, 40 * DAY_MS)
    fakes.clock.advance(10 * DAY_MS)
    fakes.store.terms = Terms(warning_days=(7,))
    changed = replace(world.desk, terms=fakes.store.terms)
    assert sweeping.sweep(changed, time_is_up=never) == done()
    assert fakes.store.keys[key.id].due_at_ms == fakes.clock.ms + 23 * DAY_MS
    fakes.store.calls.clear()
    assert sweeping.sweep(changed, time_is_up=never) == done()
    assert "commit" not in fakes.store.calls


@pytest.mark.parametrize(
    ("days", "retention", "terms"),
    [
        ("30,14,7,1", "30", Terms()),
        ("", "1", Terms((), 1)),
        ("1,7,7,30", "3650", Terms((30, 7, 1), 3650)),
    ],
)
def test_terms_are_read_from_settings(days: str, retention: str, terms: Terms) -> None:
    assert Terms.of(days, retention) == terms


@pytest.mark.parametrize(
    ("days", "retention"),
    [
        ("0", "30"),
        ("1000", "30"),
        ("-1", "30"),
        ("a", "30"),
        ("7,", "30"),
        ("1,2,3,4,5,6,7,8,9,10,11", "30"),
        ("7", "0"),
        ("7", "3651"),
        ("7", ""),
    ],
)
def test_terms_that_are_none_are_refused(days: str, retention: str) -> None:
    with pytest.raises(ValueError, match=r"steps|int"):
        Terms.of(days, retention)


# --- two at once ---------------------------------------------------------------------------------------------------


def test_a_second_sweep_stands_back(world: World, fakes: Fakes, due: list[Key]) -> None:
    other: list[Swept] = []
    until = fakes.clock.ms + HOUR_MS
    fakes.store.meanwhile = [lambda: other.append(sweep(world, holder="second", until_ms=until))]
    assert sweep(world, holder="first", until_ms=until) == done(expired=len(due))
    assert other == [Swept(stood_back=True)]
    assert sweep(world, holder="second", until_ms=until) == done()


def test_the_lease_of_a_sweep_that_was_cut_down_is_taken_over(world: World, fakes: Fakes, due: list[Key]) -> None:
    def crash() -> None:
        raise KeyboardInterrupt

    fakes.store.meanwhile = [never, crash]
    with pytest.raises(KeyboardInterrupt):
        sweep(world, holder="first", until_ms=fakes.clock.ms + 1000)
    assert sweep(world, holder="second") == Swept(stood_back=True)
    fakes.clock.advance(1000)
    assert sweep(world, holder="second") == done(expired=len(due) - 1)


def test_the_repetition_of_an_invocation_takes_its_own_lease_over_at_once(world: World, fakes: Fakes) -> None:
    until = fakes.clock.ms + HOUR_MS
    assert fakes.store.take_lease(LEASE, holder="first", now_ms=fakes.clock.ms, until_ms=until)
    assert sweep(world, holder="first", until_ms=until) == done()


@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("ahead_ms", [-300_000, 0, 300_000])
def test_two_sweeps_side_by_side_with_clocks_apart_take_each_step_once(
    world: World, fakes: Fakes, due: list[Key], at: int, ahead_ms: int
) -> None:
    """The second one's clock decides that the first one's lease is over; or it takes the lease that nobody wrote."""

    class Other:
        def now_ms(self) -> int:
            return fakes.clock.ms + ahead_ms

    other = replace(world.desk, clock=Other())
    until = fakes.clock.ms - 300_000
    swept: list[Swept] = []

    def second() -> None:
        swept.append(sweeping.sweep(other, time_is_up=after(4), holder="second"))

    fakes.store.meanwhile = [*[never] * at, second]
    first = sweep(world, holder="first", until_ms=until)
    if not swept:
        fakes.store.meanwhile = []
        swept.append(sweeping.sweep(other, time_is_up=never, holder="second"))
    assert first.expired + swept[0].expired == len(due) == len(expired(fakes)) == len(set(expired(fakes)))


def test_a_sweep_whose_lease_was_taken_stops_at_the_next_page(world: World, fakes: Fakes) -> None:
    keys = expiring(world, 2 * BATCH)
    fakes.clock.advance(HOUR_MS)
    fakes.store.meanwhile = [
        lambda: fakes.store.take_lease(LEASE, holder="second", now_ms=fakes.clock.ms, until_ms=fakes.clock.ms + 1)
    ]
    first = sweep(world, holder="first", until_ms=fakes.clock.ms)
    assert first == Swept(expired=BATCH, stood_back=True)
    assert sweep(world, holder="second") == done(expired=len(keys) - BATCH)


@pytest.mark.parametrize("deed", [lifecycle.disable, lifecycle.revoke, lifecycle.delete])
def test_a_key_that_changes_meanwhile_is_left_for_the_next_run(
    world: World, fakes: Fakes, due: list[Key], deed: Callable[..., Key]
) -> None:
    victim = world.key(fakes.store.due(fakes.clock.ms, limit=1).items[0])
    fakes.store.meanwhile = [lambda: deed(world.desk, world.principal, victim)]
    assert sweep(world) == done(expired=len(due) - 1, left=1)
    assert victim.id not in expired(fakes)
    assert sweep(world).expired == (1 if deed is lifecycle.disable else 0)


def test_a_key_that_lives_again_meanwhile_is_not_marked(world: World, due: list[Key]) -> None:
    revived = lifecycle.amend(world.desk, world.principal, due[0], description="", expires_at_ms=None)
    assert sweep(world).expired == len(due) - 1
    assert world.key(revived.id) == revived


# --- keys that cannot be swept -------------------------------------------------------------------------------------


def test_a_key_in_the_way_of_others_does_not_stop_the_sweep(world: World, fakes: Fakes, due: list[Key]) -> None:
    def in_the_way() -> None:
        raise errors.Conflict

    fakes.store.meanwhile = [in_the_way]
    assert sweep(world) == done(expired=len(due) - 1, left=1)
    assert sweep(world) == done(expired=1)


@pytest.mark.parametrize("failure", [errors.Fault(), errors.OperatorNotFound(), errors.Unavailable(), ValueError()])
def test_a_key_that_cannot_be_swept_is_reported_and_the_others_go_on(
    world: World, fakes: Fakes, due: list[Key], failure: Exception
) -> None:
    def fail() -> None:
        raise failure

    reported: list[Exception] = []
    fakes.store.meanwhile = [never, fail, never, fail]
    assert sweep(world, on_failure=reported.append) == done(expired=len(due) - 2, failed=2)
    assert reported == [failure, failure]
    assert sweep(world) == done(expired=2)


class OddStore(FakeKeyStore):
    """Has a record that nobody understands."""

    odd = ""

    def read(self, *refs: Ref[Any]) -> Reading:
        if KeyRef(self.odd) in refs:
            raise TypeError("what is this?")
        return super().read(*refs)


def test_a_record_that_is_not_understood_does_not_stop_the_sweep() -> None:
    fakes = Fakes(store=OddStore())
    world = World(fakes.desk)
    keys = expiring(world, 5)
    fakes.clock.advance(HOUR_MS)
    assert isinstance(fakes.store, OddStore)
    fakes.store.odd = keys[2].id
    assert sweep(world) == done(expired=4, failed=1)


def test_keys_that_fail_at_the_head_do_not_keep_later_ones_from_being_swept(world: World, fakes: Fakes) -> None:
    """Each run has time for a few keys only, and the first ones never succeed."""
    keys = expiring(world, BATCH + 20)
    odd = set(sorted(key.id for key in keys)[:5])
    fakes.clock.advance(HOUR_MS)
    real = fakes.store._check

    def check(write: Any) -> None:
        if getattr(getattr(write, "key", None), "id", None) in odd:
            raise errors.Fault
        real(write)

    fakes.store._check = check  # type: ignore[method-assign]
    for _ in range(20):
        sweep(world, time_is_up=after(12))
    assert len(expired(fakes)) >= 20, "those behind the first page"
    assert sweep(world).failed == len(odd)
    assert len(expired(fakes)) == len(keys) - len(odd)


def test_a_store_that_is_down_is_no_sweep(world: World, fakes: Fakes, due: list[Key]) -> None:
    fakes.store.down = True
    with pytest.raises(errors.Unavailable):
        sweep(world)
    assert due


def test_a_store_that_takes_no_write_three_times_is_down(world: World, fakes: Fakes, due: list[Key]) -> None:
    def fail() -> None:
        raise errors.Unavailable

    fakes.store.meanwhile = [fail] * 3
    with pytest.raises(errors.Unavailable):
        sweep(world)
    assert sweep(world) == done(expired=len(due))


# --- out of time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", range(1, 8))
def test_the_sweep_stops_between_keys_when_time_is_up_and_the_next_one_goes_on(
    world: World, fakes: Fakes, due: list[Key], steps: int
) -> None:
    first = sweep(world, time_is_up=after(steps))
    assert first == Swept(expired=min(steps - 1, 5), finished=steps > len(due))
    assert sweep(world) == done(expired=len(due) - first.expired)
    assert len(expired(fakes)) == len(due)


def test_no_call_is_made_when_time_was_up_before_the_start(world: World, fakes: Fakes, due: list[Key]) -> None:
    fakes.store.calls.clear()
    assert sweep(world, time_is_up=lambda: True) == Swept()
    assert fakes.store.calls == []
    assert due


def test_more_than_a_page_is_swept_in_one_run(world: World, fakes: Fakes) -> None:
    keys = expiring(world, 2 * BATCH + 1)
    fakes.clock.advance(HOUR_MS)
    fakes.store.calls.clear()
    assert sweep(world) == done(expired=len(keys))
    assert len(set(expired(fakes))) == len(keys)
    assert fakes.store.calls.count("due") == fakes.store.calls.count("read") == 3
    assert fakes.store.calls.count("commit") == len(keys)


def test_the_next_run_goes_on_at_the_checkpoint_and_then_looks_at_the_beginning_again(
    world: World, fakes: Fakes
) -> None:
    keys = expiring(world, BATCH + 1)
    fakes.clock.advance(HOUR_MS)
    assert sweep(world, time_is_up=after(BATCH + 1)) == Swept(expired=BATCH)
    assert fakes.store.checkpoints[LEASE] is not None
    fakes.store.calls.clear()
    assert sweep(world) == done(expired=len(keys) - BATCH)
    assert fakes.store.calls.count("due") == 2
    assert fakes.store.checkpoints[LEASE] is None


def test_when_nothing_is_due_only_the_index_and_the_lease_are_asked(world: World, fakes: Fakes) -> None:
    expiring(world, 3)
    fakes.store.calls.clear()
    assert sweep(world) == done()
    assert fakes.store.calls == ["take_lease", "due", "keep_checkpoint"]


def test_a_crash_in_the_middle_loses_nothing(world: World, fakes: Fakes, due: list[Key]) -> None:
    def crash() -> None:
        raise KeyboardInterrupt

    fakes.store.meanwhile = [never, never, crash]
    with pytest.raises(KeyboardInterrupt):
        sweep(world)
    assert len(expired(fakes)) == 2
    assert sweep(world) == done(expired=len(due) - 2)
    assert len(set(expired(fakes))) == len(expired(fakes)) == len(due)


# --- a dry run -----------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_done_and_does_nothing(world: World, fakes: Fakes) -> None:
    (soon,) = expiring(world, 1, 40 * DAY_MS)
    (over,) = expiring(world, 1)
    fakes.clock.advance(11 * DAY_MS)
    keys, events = dict(fakes.store.keys), list(fakes.store.events)
    swept = sweep(world, dry_run=True)
    assert (swept.warned, swept.expired, swept.finished, swept.dry_run) == (1, 1, True, True)
    assert sorted(swept.would) == sorted([(EventType.KEY_EXPIRING, soon.id), (EventType.KEY_EXPIRED, over.id)])
    assert {"deed": "key_expired", "key_id": over.id} in swept.told()["would"]
    assert (fakes.store.keys, fakes.store.events, fakes.store.leases) == (keys, events, {})
    assert sweep(world) == done(warned=1, expired=1)


def test_a_dry_run_goes_beside_a_real_one_and_names_a_hundred_keys(world: World, fakes: Fakes) -> None:
    expiring(world, MOST_TOLD + 5)
    fakes.clock.advance(HOUR_MS)
    assert fakes.store.take_lease(LEASE, holder="real", now_ms=fakes.clock.ms, until_ms=fakes.clock.ms + HOUR_MS)
    swept = sweep(world, dry_run=True)
    assert (swept.expired, len(swept.would)) == (MOST_TOLD + 5, MOST_TOLD)


@pytest.mark.parametrize(("event", "dry"), [({}, False), ({"dry_run": True}, True), ({"dry_run": False}, False)])
def test_the_event_asks_for_a_dry_run(event: dict[str, Any], dry: bool) -> None:
    assert sweeping.is_dry(event) is dry


@pytest.mark.parametrize("slip", ["true", 1, None, {}])
def test_a_slip_does_not_become_a_real_run(slip: object) -> None:
    with pytest.raises(errors.FieldInvalid, match="dry_run"):
        sweeping.is_dry({"dry_run": slip})


# --- an index that lags --------------------------------------------------------------------------------------------


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
        world.overwrite(marked, expiry_marked_at_ms=fakes.clock.ms),
        *expiring(world, 1),
    ]
    assert sweep(world) == done(expired=1)
    assert expired(fakes) == [due.id]
    assert [world.key(key.id) for key in left_alone] == left_alone


def test_a_key_that_is_over_says_so_whether_or_not_it_was_swept(world: World, fakes: Fakes, due: list[Key]) -> None:
    assert world.key(due[0].id).state(fakes.clock.ms) is KeyState.EXPIRED
    sweep(world)
    assert world.key(due[0].id).state(fakes.clock.ms) is KeyState.EXPIRED

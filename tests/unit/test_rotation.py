from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keywright import errors, issuing, lifecycle, registry, rotation
from keywright.issuing import Issued
from keywright.model import DAY_MS, RULES, EventType, Key, KeyKind, OwnerKind, Reason, Verification
from keywright.ports import SealedSecret, Stale
from keywright.tokens import Token
from keywright.verification import Presented, verify
from tests.fakes import Fakes
from tests.world import World

HOUR_MS = 3_600_000
ROTATED = [kind for kind in KeyKind if RULES[kind].longest_overlap_ms is not None]

STEPS: dict[str, tuple[Callable[..., Key], EventType]] = {
    "extend": (lambda *given: rotation.extend(*given, overlap_ms=2 * HOUR_MS), EventType.ROTATION_EXTENDED),
    "cancel": (rotation.cancel, EventType.ROTATION_CANCELLED),
    "finish": (rotation.finish, EventType.ROTATION_FINISHED),
}
EVERY_STEP = pytest.mark.parametrize("step", STEPS)


@pytest.fixture
def first(world: World) -> Issued:
    return world.issue(KeyKind.NATIVE, world.app().ref, description="tills", scopes=("orders:read",))


def rotated(world: World, key: Key, overlap_ms: int = 0) -> Issued:
    return rotation.rotate(world.desk, world.principal, key, overlap_ms=overlap_ms)


def verdict(world: World, token: Token) -> Verification:
    return verify(world.desk, world.tenant, Presented.token(token.reveal()))


def works(world: World, token: Token) -> bool:
    return verdict(world, token).valid


# --- a new secret for the same key ---------------------------------------------------------------------------------


def test_rotation_keeps_all_of_a_key_but_its_secret(world: World, fakes: Fakes, first: Issued) -> None:
    fakes.clock.advance(5)
    fakes.store.calls.clear()
    second = rotated(world, first.key)
    assert fakes.store.calls == ["commit"]
    kept = {"versions", "last_version", "modified_at_ms", "revision"}
    assert replace(second.key, **{name: getattr(first.key, name) for name in kept}) == first.key
    assert (second.key.last_version, [each.number for each in second.key.versions]) == (2, [2])
    assert second.key.newest.creator == world.principal.creator()
    assert second.token != first.token
    assert second.token.reveal().startswith("kw_test_")
    assert fakes.vault.reveal([SealedSecret.of(second.key, second.key.newest)]) == [second.token]
    event = fakes.store.events[-1]
    assert (event.type, event.subject, event.version, event.at_ms) == (
        EventType.KEY_ROTATED,
        first.key.id,
        2,
        fakes.clock.ms,
    )


def test_without_an_overlap_the_former_secret_stops_at_once(world: World, first: Issued) -> None:
    second = rotated(world, first.key)
    assert verdict(world, first.token).reason is Reason.UNKNOWN
    assert works(world, second.token)


def test_during_the_overlap_both_secrets_work_and_the_former_is_told_until_when(
    world: World, fakes: Fakes, first: Issued
) -> None:
    second = rotated(world, first.key, HOUR_MS)
    former, current = verdict(world, first.token), verdict(world, second.token)
    assert former.grant is not None
    assert current.grant is not None
    assert (former.grant.version, former.grant.retires_at_ms) == (1, fakes.clock.ms + HOUR_MS)
    assert (current.grant.version, current.grant.retires_at_ms) == (2, None)
    assert [each.number for each in second.key.working(fakes.clock.ms)] == [1, 2]


def test_the_former_secret_stops_in_its_very_millisecond_without_any_sweep(
    world: World, fakes: Fakes, first: Issued
) -> None:
    second = rotated(world, first.key, HOUR_MS)
    fakes.clock.advance(HOUR_MS - 1)
    assert works(world, first.token)
    fakes.clock.advance(1)
    assert verdict(world, first.token).reason is Reason.UNKNOWN
    assert works(world, second.token)
    assert [each.number for each in world.key(first.key.id).working(fakes.clock.ms)] == [2]


def test_a_former_secret_ends_with_its_key_where_that_ends_first(world: World, fakes: Fakes) -> None:
    first = world.issue(KeyKind.NATIVE, world.app().ref, expires_at_ms=fakes.clock.ms + 10)
    rotated(world, first.key, HOUR_MS)
    grant = verdict(world, first.token).grant
    assert grant is not None
    assert grant.works_until_ms == fakes.clock.ms + 10
    fakes.clock.advance(10)
    assert verdict(world, first.token).reason is Reason.EXPIRED


@pytest.mark.parametrize("end", [lifecycle.revoke, lifecycle.disable, lifecycle.delete])
def test_both_secrets_end_with_the_key(world: World, first: Issued, end: Callable[..., Key]) -> None:
    second = rotated(world, first.key, HOUR_MS)
    end(world.desk, world.principal, second.key)
    assert not works(world, first.token)
    assert not works(world, second.token)


def test_a_disabled_key_is_rotated_and_stays_disabled(world: World, first: Issued) -> None:
    second = rotated(world, lifecycle.disable(world.desk, world.principal, first.key))
    assert verdict(world, second.token).reason is Reason.DISABLED
    lifecycle.enable(world.desk, world.principal, second.key)
    assert works(world, second.token)


# --- while one is under way ----------------------------------------------------------------------------------------


def test_the_overlap_is_extended_and_shortened_from_now_on(world: World, fakes: Fakes, first: Issued) -> None:
    second = rotated(world, first.key, HOUR_MS)
    fakes.clock.advance(HOUR_MS - 1)
    longer = rotation.extend(world.desk, world.principal, second.key, overlap_ms=30 * DAY_MS)
    assert longer.versions[0].retires_at_ms == fakes.clock.ms + 30 * DAY_MS
    fakes.clock.advance(1)
    assert works(world, first.token)
    rotation.extend(world.desk, world.principal, longer, overlap_ms=1)
    fakes.clock.advance(1)
    assert not works(world, first.token)
    assert works(world, second.token)


def test_cancelling_goes_back_to_the_former_secret_and_no_number_is_given_twice(
    world: World, fakes: Fakes, first: Issued
) -> None:
    second = rotated(world, first.key, HOUR_MS)
    back = rotation.cancel(world.desk, world.principal, second.key)
    fakes.clock.advance(2 * HOUR_MS)
    grant = verdict(world, first.token).grant
    assert grant is not None
    assert (grant.version, grant.retires_at_ms) == (1, None)
    assert verdict(world, second.token).reason is Reason.UNKNOWN
    assert back.last_version == 2
    third = rotated(world, back, HOUR_MS)
    assert [each.number for each in third.key.versions] == [1, 3]


def test_finishing_stops_the_former_secret_at_once(world: World, first: Issued) -> None:
    second = rotated(world, first.key, HOUR_MS)
    rotation.finish(world.desk, world.principal, second.key)
    assert verdict(world, first.token).reason is Reason.UNKNOWN
    assert works(world, second.token)


@EVERY_STEP
def test_a_step_is_one_commit_with_one_event(world: World, fakes: Fakes, first: Issued, step: str) -> None:
    second = rotated(world, first.key, HOUR_MS)
    fakes.clock.advance(5)
    fakes.store.calls.clear()
    events = len(fakes.store.events)
    changed = STEPS[step][0](world.desk, world.principal, second.key)
    assert fakes.store.calls == ["commit"]
    assert world.key(changed.id) == changed
    assert (changed.revision, changed.modified_at_ms) == (second.key.revision + 1, fakes.clock.ms)
    (event,) = fakes.store.events[events:]
    assert (event.type, event.subject, event.actor) == (STEPS[step][1], changed.id, world.principal.key_id)


@EVERY_STEP
def test_a_step_on_a_key_that_changed_meanwhile_is_stale(world: World, first: Issued, step: str) -> None:
    second = rotated(world, first.key, HOUR_MS)
    world.overwrite(second.key, description="changed")
    with pytest.raises(Stale):
        STEPS[step][0](world.desk, world.principal, second.key)


@EVERY_STEP
@pytest.mark.parametrize("ended", ["never begun", "over", "finished", "cancelled"])
def test_no_step_is_taken_while_no_rotation_is_under_way(
    world: World, fakes: Fakes, first: Issued, step: str, ended: str
) -> None:
    key = first.key
    if ended != "never begun":
        key = rotated(world, key, HOUR_MS).key
    match ended:
        case "over":
            fakes.clock.advance(HOUR_MS)
        case "finished":
            key = rotation.finish(world.desk, world.principal, key)
        case "cancelled":
            key = rotation.cancel(world.desk, world.principal, key)
    with pytest.raises(errors.RotationNotUnderWay):
        STEPS[step][0](world.desk, world.principal, key)
    assert world.key(key.id) == key


# --- what is refused -----------------------------------------------------------------------------------------------


def test_no_overlap_begins_during_another_but_all_former_secrets_can_be_ended_at_any_time(
    world: World, fakes: Fakes, first: Issued
) -> None:
    second = rotated(world, first.key, HOUR_MS)
    with pytest.raises(errors.RotationUnderWay):
        rotated(world, second.key, HOUR_MS)
    assert world.key(first.key.id) == second.key
    third = rotated(world, second.key)
    assert [works(world, each.token) for each in (first, second, third)] == [False, False, True]


def test_once_an_overlap_is_over_another_may_begin(world: World, fakes: Fakes, first: Issued) -> None:
    second = rotated(world, first.key, HOUR_MS)
    fakes.clock.advance(HOUR_MS)
    third = rotated(world, second.key, HOUR_MS)
    assert [each.number for each in third.key.versions] == [2, 3]
    assert [works(world, each.token) for each in (first, second, third)] == [False, True, True]


def test_of_two_rotations_at_once_one_is_done_and_the_other_told(world: World, fakes: Fakes, first: Issued) -> None:
    winner: list[Issued] = []
    fakes.store.meanwhile.append(lambda: winner.append(rotated(world, first.key)))
    with pytest.raises(errors.Conflict):
        rotated(world, first.key)
    assert world.key(first.key.id) == winner[0].key
    assert works(world, winner[0].token)
    assert [event.type for event in fakes.store.events].count(EventType.KEY_ROTATED) == 1


@pytest.mark.parametrize("overlap_ms", [-1, 30 * DAY_MS + 1, 10**15])
def test_an_overlap_is_up_to_thirty_days(world: World, fakes: Fakes, first: Issued, overlap_ms: int) -> None:
    with pytest.raises(errors.FieldInvalid) as refused:
        rotated(world, first.key, overlap_ms)
    assert refused.value.field == "overlap_seconds"
    second = rotated(world, first.key, 30 * DAY_MS)
    with pytest.raises(errors.FieldInvalid) as refused:
        rotation.extend(world.desk, world.principal, second.key, overlap_ms=overlap_ms)
    assert refused.value.field == "overlap_seconds"
    assert world.key(first.key.id) == second.key


def test_a_revoked_key_is_not_rotated(world: World, first: Issued) -> None:
    second = rotated(world, first.key, HOUR_MS)
    ended = lifecycle.revoke(world.desk, world.principal, second.key)
    for deed in (*(step for step, _ in STEPS.values()), rotating):
        with pytest.raises(errors.KeyRevoked):
            deed(world.desk, world.principal, ended)


def test_an_expired_key_is_not_rotated_until_it_lives_again(world: World, fakes: Fakes) -> None:
    key = world.issue(KeyKind.NATIVE, world.app().ref, expires_at_ms=fakes.clock.ms + 1).key
    fakes.clock.advance(1)
    with pytest.raises(errors.KeyExpired):
        rotated(world, key)
    assert works(
        world, rotated(world, lifecycle.change(world.desk, world.principal, key, {"expires_at_ms": None})).token
    )


def rotating(desk: Any, caller: Any, key: Key) -> Key:
    return rotation.rotate(desk, caller, key, overlap_ms=0).key


@pytest.mark.parametrize("deed", [*(step for step, _ in STEPS.values()), rotating], ids=[*STEPS, "rotate"])
def test_a_key_does_nothing_about_its_own_rotation(world: World, fakes: Fakes, deed: Callable[..., Key]) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("keys:*",))
    key = rotated(world, issued.key, HOUR_MS).key
    itself = replace(world.principal, key_id=key.id, scopes=key.scopes)
    before = len(fakes.store.events)
    with pytest.raises(errors.OwnKey):
        deed(world.desk, itself, key)
    assert (world.key(key.id), len(fakes.store.events)) == (key, before)


def test_nobody_rotates_a_key_that_may_do_more_than_they(world: World, fakes: Fakes) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("owners:change",)).key
    caller = replace(world.principal, scopes=("keys:rotate",))
    sealed = fakes.vault.sealed
    with pytest.raises(errors.ScopeMissing):
        rotation.rotate(world.desk, caller, key, overlap_ms=0)
    assert (world.key(key.id), fakes.vault.sealed) == (key, sealed)


@pytest.mark.parametrize("kind", [kind for kind in KeyKind if kind not in ROTATED])
def test_a_kind_whose_vendor_says_what_follows_a_secret_is_not_rotated(world: World, kind: KeyKind) -> None:
    match next(iter(RULES[kind].owners)):
        case OwnerKind.OPERATOR:
            key = world.issue(kind, world.operator.ref).key
        case OwnerKind.CHANNEL:
            key = world.channel(world.app()).key
        case OwnerKind.SUPPORT_REP:
            key = world.issue(kind, world.rep().ref).key
        case OwnerKind.INTEGRATION:
            key = world.issue(kind, world.integration(world.app()).ref).key
        case _:
            key = world.issue(kind, world.app().ref).key
    for deed in (*(step for step, _ in STEPS.values()), rotating):
        with pytest.raises(errors.KeyNotRotatable):
            deed(world.desk, world.principal, key)


def test_no_new_secret_is_given_to_a_disabled_operator(world: World) -> None:
    operator = world.add_operator()
    key = world.issue(KeyKind.NATIVE, operator.ref).key
    registry.change(world.desk, world.principal, operator, {"enabled": False})
    with pytest.raises(errors.OperatorDisabled):
        rotated(world, world.key(key.id))


def test_nothing_is_written_while_the_vault_is_down(world: World, fakes: Fakes, first: Issued) -> None:
    fakes.store.calls.clear()
    fakes.vault.down = True
    with pytest.raises(errors.Unavailable):
        rotated(world, first.key)
    assert fakes.store.calls == []


def test_only_a_version_without_a_gap_follows(first: Issued) -> None:
    draft = issuing.draft_version(first.token, 3, first.key.creator, 1)
    with pytest.raises(ValueError, match="gap"):
        first.key.rotated(draft, None, 1)

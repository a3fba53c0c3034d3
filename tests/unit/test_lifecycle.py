from __future__ import annotations

from collections.abc import Callable

import pytest

from keywright import errors, issuing, lifecycle
from keywright.model import EventType, Key, KeyKind, KeyState
from keywright.ports import Stale
from tests.fakes import Fakes
from tests.world import World

DEEDS: dict[str, tuple[Callable[[World, Key], Key], EventType]] = {
    "disable": (lambda world, key: lifecycle.disable(world.desk, world.principal, key), EventType.KEY_DISABLED),
    "revoke": (lambda world, key: lifecycle.revoke(world.desk, world.principal, key, "leaked"), EventType.KEY_REVOKED),
    "delete": (lambda world, key: lifecycle.delete(world.desk, world.principal, key), EventType.KEY_DELETED),
    "amend": (
        lambda world, key: lifecycle.amend(world.desk, world.principal, key, description="new", expires_at_ms=None),
        EventType.KEY_AMENDED,
    ),
    "switch version": (
        lambda world, key: lifecycle.switch_version(world.desk, world.principal, key, 1, enabled=False),
        EventType.VERSION_DISABLED,
    ),
    "delete version": (
        lambda world, key: lifecycle.delete_version(world.desk, world.principal, key, 1),
        EventType.VERSION_DELETED,
    ),
}


@pytest.fixture
def key(world: World) -> Key:
    return world.issue(KeyKind.APP_SECRET, world.app().ref).key


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_is_one_commit_with_one_event(world: World, fakes: Fakes, key: Key, name: str) -> None:
    deed, told = DEEDS[name]
    fakes.clock.advance(5)
    fakes.store.calls.clear()
    events = len(fakes.store.events)
    changed = deed(world, key)
    assert fakes.store.calls == ["commit"]
    assert world.key(key.id) == changed
    assert (changed.revision, changed.modified_at_ms) == (key.revision + 1, fakes.clock.ms)
    (event,) = fakes.store.events[events:]
    assert (event.type, event.subject, event.actor, event.at_ms, event.version) == (
        told,
        key.id,
        world.principal.key_id,
        fakes.clock.ms,
        1,
    )
    assert event.reason == ("leaked" if name == "revoke" else "")


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_on_a_key_that_changed_meanwhile_is_stale(world: World, fakes: Fakes, key: Key, name: str) -> None:
    world.overwrite(key, description="changed")
    events = list(fakes.store.events)
    with pytest.raises(Stale):
        DEEDS[name][0](world, key)
    assert fakes.store.events == events


def test_what_is_so_already_is_neither_written_nor_told(world: World, fakes: Fakes, key: Key) -> None:
    off = lifecycle.disable(world.desk, world.principal, key)
    ended = lifecycle.revoke(world.desk, world.principal, off, "leaked")
    another = world.issue(KeyKind.NATIVE, world.operator.ref).key
    fakes.store.calls.clear()
    assert lifecycle.disable(world.desk, world.principal, off) is off
    assert lifecycle.enable(world.desk, world.principal, another) is another
    assert lifecycle.revoke(world.desk, world.principal, ended, "again") is ended
    assert lifecycle.switch_version(world.desk, world.principal, another, 1, enabled=True) is another
    assert fakes.store.calls == []


def test_what_is_switched_on_again_is_told(world: World, fakes: Fakes, key: Key) -> None:
    off = lifecycle.disable(world.desk, world.principal, key)
    on = lifecycle.enable(world.desk, world.principal, off)
    assert on.state(0) is KeyState.ACTIVE
    version_off = lifecycle.switch_version(world.desk, world.principal, on, 1, enabled=False)
    lifecycle.switch_version(world.desk, world.principal, version_off, 1, enabled=True)
    assert [event.type for event in fakes.store.events[-4:]] == [
        EventType.KEY_DISABLED,
        EventType.KEY_ENABLED,
        EventType.VERSION_DISABLED,
        EventType.VERSION_ENABLED,
    ]


@pytest.mark.parametrize("deed", [lifecycle.disable, lifecycle.enable])
def test_a_revoked_key_stays_so(world: World, fakes: Fakes, key: Key, deed: Callable[..., Key]) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, key)
    fakes.store.calls.clear()
    with pytest.raises(errors.KeyRevoked):
        deed(world.desk, world.principal, ended)
    assert fakes.store.calls == []


@pytest.mark.parametrize("end", [lifecycle.revoke, lifecycle.delete])
def test_a_key_that_ends_frees_its_place_once(world: World, fakes: Fakes, key: Key, end: Callable[..., Key]) -> None:
    live = key.owner, KeyKind.APP_SECRET
    assert fakes.store.live[live] == 1
    ended = end(world.desk, world.principal, key)
    assert fakes.store.live[live] == 0
    lifecycle.delete(world.desk, world.principal, ended)
    assert fakes.store.live[live] == 0


def test_the_first_key_of_a_tenant_ends_without_a_trace_in_the_counts(world: World, fakes: Fakes) -> None:
    lifecycle.revoke(world.desk, world.principal, world.key(world.principal.key_id))
    assert set(fakes.store.live.values()) <= {0}


@pytest.mark.parametrize("ms", [0, -1])
def test_no_key_is_amended_to_expire_in_the_past(world: World, fakes: Fakes, key: Key, ms: int) -> None:
    with pytest.raises(errors.FieldInvalid) as refused:
        lifecycle.amend(world.desk, world.principal, key, description="", expires_at_ms=fakes.clock.ms + ms)
    assert refused.value.field == "expires_at"
    assert world.key(key.id) == key


def test_a_version_that_is_not_there_is_not_found(world: World, key: Key) -> None:
    with pytest.raises(errors.KeyNotFound):
        lifecycle.switch_version(world.desk, world.principal, key, 2, enabled=False)
    with pytest.raises(errors.KeyNotFound):
        lifecycle.delete_version(world.desk, world.principal, key, 2)


def test_the_event_of_a_version_names_that_version(world: World, fakes: Fakes) -> None:
    opened = world.channel(world.app())
    issued = issuing.issue_version(world.desk, world.principal, opened.key, creator=opened.key.creator)
    lifecycle.delete_version(world.desk, world.principal, issued.key, 1)
    assert (fakes.store.events[-1].type, fakes.store.events[-1].version) == (EventType.VERSION_DELETED, 1)


def test_a_key_of_another_tenant_a_deleted_one_and_none_are_refused_alike(
    world: World, another_world: World, key: Key
) -> None:
    assert lifecycle.own(world.principal, key) is key
    theirs = another_world.issue(KeyKind.NATIVE, another_world.operator.ref).key
    refusals = []
    for each in (theirs, None, lifecycle.delete(world.desk, world.principal, key)):
        with pytest.raises(errors.KeyNotFound) as refused:
            lifecycle.own(world.principal, each)
        refusals.append((type(refused.value), str(refused.value), refused.value.field))
    assert len(set(refusals)) == 1

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keywright import errors, issuing, lifecycle, removal, rotation, tokens
from keywright.model import UNDELETE_WITHIN_MS, EventType, Key, KeyKind, KeyState
from keywright.ports import Reading, Ref, SaveKey, Stale, TokenRef
from keywright.tokens import Format
from keywright.verification import Presented
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


# --- changing ------------------------------------------------------------------------------------------------------


def test_only_what_is_named_changes(world: World, fakes: Fakes) -> None:
    app = world.app()
    key = world.issue(
        KeyKind.NATIVE, app.ref, description="tills", scopes=("a",), expires_at_ms=fakes.clock.ms + 10
    ).key
    fakes.clock.advance(5)
    for named in (
        {"description": "counters"},
        {"scopes": ("b", "c:*")},
        {"expires_at_ms": fakes.clock.ms + 1},
        {"expires_at_ms": None},
        {"description": "", "scopes": (), "expires_at_ms": fakes.clock.ms + 7},
    ):
        before, key = key, lifecycle.change(world.desk, world.principal, key, named)
        assert {name: getattr(key, name) for name in named} == named
        kept = {*named, "modified_at_ms", "revision", "expiry_set_at_ms", "due_at_ms"}
        assert replace(key, **{name: getattr(before, name) for name in kept}) == before
        assert fakes.store.events[-1].type is EventType.KEY_AMENDED
    assert fakes.store._grants()[key.newest.digest].scopes == ()


def test_a_change_that_changes_nothing_is_not_written(world: World, fakes: Fakes, key: Key) -> None:
    fakes.store.calls.clear()
    for named in ({}, {"description": key.description}, {"scopes": key.scopes, "expires_at_ms": key.expires_at_ms}):
        assert lifecycle.change(world.desk, world.principal, key, named) is key
    assert fakes.store.calls == []


@pytest.mark.parametrize("later", [None, 1])
def test_an_expired_key_lives_again_with_a_later_expiry_or_none(world: World, fakes: Fakes, later: int | None) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref, expires_at_ms=fakes.clock.ms + 1)
    fakes.clock.advance(1)
    marked = issued.key.marked_expired(fakes.clock.ms)
    fakes.store.commit(SaveKey(marked, issued.key))
    expires_at_ms = None if later is None else fakes.clock.ms + later
    revived = lifecycle.change(world.desk, world.principal, marked, {"expires_at_ms": expires_at_ms})
    assert (revived.state(fakes.clock.ms), revived.expiry_marked_at_ms) == (KeyState.ACTIVE, None)


def test_a_key_that_lives_again_takes_its_place_again_or_finds_it_taken(world: World, fakes: Fakes) -> None:
    app = world.app()
    live = app.ref, KeyKind.APP_SECRET
    key = world.issue(KeyKind.APP_SECRET, app.ref, expires_at_ms=fakes.clock.ms + 1).key
    fakes.clock.advance(1)
    marked = key.marked_expired(fakes.clock.ms)
    fakes.store.commit(*lifecycle.place_of(key, marked), SaveKey(marked, key))
    assert fakes.store.live[live] == 0
    others = [world.issue(KeyKind.APP_SECRET, app.ref).key for _ in range(10)]
    with pytest.raises(errors.LimitReached):
        lifecycle.change(world.desk, world.principal, marked, {"expires_at_ms": None})
    assert world.key(key.id) == marked
    lifecycle.revoke(world.desk, world.principal, others[0])
    lifecycle.change(world.desk, world.principal, marked, {"expires_at_ms": None})
    assert fakes.store.live[live] == 10


def test_a_change_of_other_things_leaves_an_expired_key_expired_and_marked(world: World, fakes: Fakes) -> None:
    key = world.issue(KeyKind.NATIVE, world.app().ref, expires_at_ms=fakes.clock.ms + 1).key
    fakes.clock.advance(1)
    marked = key.marked_expired(fakes.clock.ms)
    fakes.store.commit(SaveKey(marked, key))
    changed = lifecycle.change(world.desk, world.principal, marked, {"description": "tills"})
    assert changed.expiry_marked_at_ms == marked.expiry_marked_at_ms


def test_a_change_gives_a_key_no_more_scopes_than_the_callers(world: World, fakes: Fakes, key: Key) -> None:
    caller = replace(world.principal, scopes=("keys:*",))
    fakes.store.calls.clear()
    for scopes in (("*",), ("keys:read", "owners:read"), ("installation:tenants",)):
        with pytest.raises(errors.ScopeMissing):
            lifecycle.change(world.desk, caller, key, {"scopes": scopes})
    assert fakes.store.calls == []
    assert lifecycle.change(world.desk, caller, key, {"scopes": ("keys:read",)}).scopes == ("keys:read",)


def test_a_revoked_key_is_not_changed(world: World, key: Key) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, key)
    with pytest.raises(errors.KeyRevoked):
        lifecycle.change(world.desk, world.principal, ended, {"description": "new"})


@pytest.mark.parametrize("ms", [0, -1])
def test_no_key_is_changed_to_expire_in_the_past_be_it_its_own_past(world: World, fakes: Fakes, ms: int) -> None:
    key = world.issue(KeyKind.NATIVE, world.app().ref, expires_at_ms=fakes.clock.ms + 1).key
    fakes.clock.advance(1 - ms)
    with pytest.raises(errors.FieldInvalid) as refused:
        lifecycle.change(world.desk, world.principal, key, {"expires_at_ms": key.expires_at_ms})
    assert refused.value.field == "expires_at"


# --- had back ------------------------------------------------------------------------------------------------------


def test_a_deleted_key_comes_back_as_it_was(world: World, fakes: Fakes, key: Key) -> None:
    off = lifecycle.disable(world.desk, world.principal, key)
    live = key.owner, key.kind
    gone = lifecycle.delete(world.desk, world.principal, off)
    assert fakes.store.live[live] == 0
    fakes.store.calls.clear()
    back = lifecycle.undelete(world.desk, world.principal, gone)
    assert fakes.store.calls == ["commit"]
    assert replace(back, revision=off.revision, modified_at_ms=off.modified_at_ms) == off
    assert fakes.store.live[live] == 1
    assert fakes.store.events[-1].type is EventType.KEY_UNDELETED
    assert fakes.store._grants()[key.newest.digest].key_id == key.id


def test_what_is_not_deleted_is_not_had_back_twice(world: World, fakes: Fakes, key: Key) -> None:
    fakes.store.calls.clear()
    assert lifecycle.undelete(world.desk, world.principal, key) is key
    assert fakes.store.calls == []


def test_a_key_finds_its_place_taken_when_it_comes_back(world: World, fakes: Fakes, key: Key) -> None:
    gone = lifecycle.delete(world.desk, world.principal, key)
    for _ in range(10):
        world.issue(KeyKind.APP_SECRET, key.owner)
    with pytest.raises(errors.LimitReached):
        lifecycle.undelete(world.desk, world.principal, gone)
    assert world.key(key.id) == gone


def test_what_a_key_was_issued_for_must_still_be_so_when_it_comes_back(world: World) -> None:
    rep, app = world.rep(), world.app()
    reps = world.issue(KeyKind.REP_KEY, rep.ref).key
    world.change(rep, login_enabled=False)
    with pytest.raises(errors.LoginNotEnabled):
        lifecycle.undelete(world.desk, world.principal, world.key(reps.id))
    tills = lifecycle.delete(world.desk, world.principal, world.issue(KeyKind.APP_API_KEY, app.ref).key)
    world.change(app, published=False)
    with pytest.raises(errors.NotPublished):
        lifecycle.undelete(world.desk, world.principal, tills)
    removal.remove(world.desk, world.principal, app.ref, time_is_up=lambda: False)
    with pytest.raises(errors.AppNotFound):
        lifecycle.undelete(world.desk, world.principal, world.key(tills.id))


def test_a_key_comes_back_to_the_owner_it_had_and_to_no_other_of_that_id(world: World, fakes: Fakes) -> None:
    app = world.app()
    key = world.issue(KeyKind.NATIVE, app.ref).key
    removal.remove(world.desk, world.principal, app.ref, time_is_up=lambda: False)
    fakes.clock.ms += 1
    world.app(id=app.id)
    with pytest.raises(errors.AppNotFound):
        lifecycle.undelete(world.desk, world.principal, world.key(key.id))


def test_a_revoked_key_comes_back_revoked_and_takes_no_place(world: World, fakes: Fakes, key: Key) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, key, "leaked")
    back = lifecycle.undelete(world.desk, world.principal, lifecycle.delete(world.desk, world.principal, ended))
    assert (back.state(fakes.clock.ms), back.revoked_reason) == (KeyState.REVOKED, "leaked")
    assert fakes.store.live[key.owner, key.kind] == 0


def test_a_key_is_had_back_within_thirty_days(world: World, another_world: World, fakes: Fakes, key: Key) -> None:
    gone = lifecycle.delete(world.desk, world.principal, key)
    fakes.clock.advance(UNDELETE_WITHIN_MS - 1)
    assert lifecycle.deleted_own(world.desk, world.principal, gone) is gone
    for caller, found in ((another_world.principal, gone), (world.principal, None)):
        with pytest.raises(errors.KeyNotFound):
            lifecycle.deleted_own(world.desk, caller, found)
    fakes.clock.advance(1)
    with pytest.raises(errors.KeyNotFound):
        lifecycle.deleted_own(world.desk, world.principal, gone)


def test_the_key_of_a_channel_is_not_deleted_alone(world: World, key: Key) -> None:
    channels = world.channel(world.app()).key
    with pytest.raises(errors.KeyGoesWithOwner):
        lifecycle.delete_alone(world.desk, world.principal, channels)
    assert world.key(channels.id) == channels
    assert lifecycle.delete_alone(world.desk, world.principal, key).deleted_at_ms is not None


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
    purged = replace(key, purged_at_ms=1)
    for each in (theirs, None, purged, lifecycle.delete(world.desk, world.principal, key)):
        with pytest.raises(errors.KeyNotFound) as refused:
            lifecycle.own(world.principal, each)
        refusals.append((type(refused.value), str(refused.value), refused.value.field))
    assert len(set(refusals)) == 1


def test_what_is_left_of_a_purged_key_is_not_had_back(world: World, key: Key) -> None:
    with pytest.raises(errors.KeyNotFound):
        lifecycle.deleted_own(world.desk, world.principal, replace(key, purged_at_ms=2))


# --- ended by whoever holds it -------------------------------------------------------------------------------------


def test_whoever_holds_a_token_ends_its_key(world: World, fakes: Fakes) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    lifecycle.revoke_held(world.desk, Presented.token(issued.token.reveal()))
    assert world.key(issued.key.id).revoked_reason == lifecycle.HELD
    assert (fakes.store.events[-1].type, fakes.store.events[-1].actor) == (EventType.KEY_REVOKED, issued.key.id)


def test_of_a_channels_key_only_the_version_that_is_held_is_ended_and_the_last_one_revokes_it(world: World) -> None:
    opened = world.channel(world.app())
    second = issuing.issue_version(world.desk, world.principal, opened.key, creator=opened.key.creator)
    lifecycle.revoke_held(world.desk, Presented.token(opened.token.reveal()))
    left = world.key(opened.key.id)
    assert ([version.number for version in left.versions], left.revoked_at_ms) == ([2], None)
    lifecycle.revoke_held(world.desk, Presented.token(second.token.reveal()))
    assert world.key(opened.key.id).revoked_at_ms is not None


def test_a_token_that_is_nobodys_or_was_retired_ends_nothing(world: World, fakes: Fakes) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    rotated = rotation.rotate(world.desk, world.principal, issued.key, overlap_ms=1000)
    fakes.clock.advance(1000)
    fakes.store.calls.clear()
    nobodys = tokens.generate(Format.NATIVE, stage=world.desk.stage)
    for token in (nobodys, issued.token):
        lifecycle.revoke_held(world.desk, Presented.token(token.reveal()))
    lifecycle.revoke_held(world.desk, Presented.token("no token at all"))
    assert fakes.store.calls == ["read", "read"]
    assert world.key(issued.key.id) == rotated.key


@pytest.mark.parametrize("become", ["nothing", "deleted", "purged"])
def test_a_key_that_went_between_the_two_reads_is_let_go(
    world: World, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, become: str
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    gone = {"deleted": replace(issued.key, deleted_at_ms=1), "purged": replace(issued.key, purged_at_ms=1)}.get(become)
    read = fakes.store.read

    def meanwhile(*refs: Ref[Any]) -> Reading:
        return read(*refs) if isinstance(refs[0], TokenRef) else Reading({refs[0]: gone})

    monkeypatch.setattr(fakes.store, "read", meanwhile)
    fakes.store.calls.clear()
    lifecycle.revoke_held(world.desk, Presented.token(issued.token.reveal()))
    assert fakes.store.calls == ["read"]

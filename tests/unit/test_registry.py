from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from keywright import errors, lifecycle, registry, removal
from keywright.model import (
    OWNER_NOT_FOUND,
    App,
    Creator,
    EventType,
    KeyKind,
    Owner,
    OwnerKind,
    OwnerRef,
    Platform,
)
from keywright.ports import AppsNamed, OwnerAt, SealedSecret, SingleKeyRef, Stale, TenantRef
from keywright.registry import INSTALLATION_SCOPES, TENANT_SCOPES
from keywright.verification import Presented, verify
from tests.fakes import Fakes
from tests.world import World

# --- tenants -------------------------------------------------------------------------------------------------------


def open_tenant(fakes: Fakes, tenant: str = "orchard", scopes: tuple[str, ...] = TENANT_SCOPES) -> registry.Opened:
    return registry.open_tenant(
        fakes.desk,
        tenant_id=tenant,
        name="Orchard Labs",
        operator_name="Imani",
        email="imani@example.com",
        actor="test",
        scopes=scopes,
    )


def test_a_tenant_is_born_with_an_operator_and_its_key_in_one_commit(fakes: Fakes) -> None:
    opened = open_tenant(fakes)
    assert fakes.store.calls == ["commit"]
    ref = OwnerAt(opened.operator.ref)
    reading = fakes.store.read(TenantRef("orchard"), ref)
    assert reading[TenantRef("orchard")] == opened.tenant
    assert reading[ref] == opened.operator
    assert (opened.operator.name, opened.operator.enabled) == ("Imani", True)
    assert re.fullmatch("[0-9]{24}", opened.operator.id)
    assert opened.issued.key.creator == Creator(opened.operator.id, "Imani")
    assert opened.issued.key.scopes == TENANT_SCOPES
    assert verify(fakes.desk, "orchard", Presented.token(opened.issued.token.reveal())).valid
    (event,) = fakes.store.events
    assert (event.type, event.tenant, event.subject, event.actor) == (
        EventType.TENANT_CREATED,
        "orchard",
        "orchard",
        "test",
    )


def test_a_tenant_is_opened_once_and_the_second_time_nothing_is_handed_out(fakes: Fakes) -> None:
    open_tenant(fakes)
    keys, events = dict(fakes.store.keys), list(fakes.store.events)
    with pytest.raises(errors.TenantExists):
        open_tenant(fakes, scopes=INSTALLATION_SCOPES)
    assert (fakes.store.keys, fakes.store.events) == (keys, events)


# --- owners --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OwnerKind)
def test_an_owner_that_is_not_there_is_not_found_by_the_name_of_its_kind(world: World, kind: OwnerKind) -> None:
    with pytest.raises(OWNER_NOT_FOUND[kind]) as refused:
        registry.owner_at(world.desk, OwnerRef(world.tenant, kind, "nobody"))
    assert type(refused.value) is OWNER_NOT_FOUND[kind]


ADDED: dict[str, Callable[[World], Owner]] = {
    "operator": lambda world: registry.add_operator(world.desk, world.principal, id="same", name="Ama"),
    "app": lambda world: registry.add_app(world.desk, world.principal, id="same", name="Orchard"),
    "support rep": lambda world: registry.add_support_rep(world.desk, world.principal, id="same", name="Meera"),
    "integration": lambda world: registry.add_integration(
        world.desk, world.principal, id="same", app_id="same", name="Bot"
    ),
}


@pytest.mark.parametrize("name", ADDED)
def test_an_owner_is_added_once_and_told(world: World, fakes: Fakes, name: str) -> None:
    if name == "integration":
        ADDED["app"](world)
    events = len(fakes.store.events)
    owner = ADDED[name](world)
    assert registry.owner_at(world.desk, owner.ref) == owner
    (event,) = fakes.store.events[events:]
    assert (event.type, event.owner) == (EventType.OWNER_CREATED, owner.ref)
    with pytest.raises(errors.OwnerExists):
        ADDED[name](world)
    assert len(fakes.store.events) == events + 1


def test_owners_of_different_kinds_or_tenants_may_share_an_id(world: World, another_world: World) -> None:
    for each in (world, another_world):
        for add in ADDED.values():
            add(each)


def test_an_owner_without_an_id_gets_one(world: World) -> None:
    first, second = world.app(), world.app()
    assert first.id != second.id
    assert world.integration(first).id.startswith(f"{first.id}:")
    assert world.add_operator().id != world.add_operator().id


def test_an_integration_needs_its_app(world: World, another_world: World) -> None:
    theirs = another_world.app()
    for app_id in ("ghost", theirs.id):
        with pytest.raises(errors.AppNotFound):
            registry.add_integration(world.desk, world.principal, id="bot", app_id=app_id, name="Bot")


def test_integrations_of_two_apps_may_share_an_id(world: World) -> None:
    for app in (world.app(), world.app()):
        registry.add_integration(world.desk, world.principal, id="bot", app_id=app.id, name="Bot")


def test_a_change_is_one_commit_with_one_event(world: World, fakes: Fakes) -> None:
    rep = world.rep()
    fakes.clock.advance(5)
    fakes.store.calls.clear()
    changed = registry.change(world.desk, world.principal, rep, {"role": None})
    assert fakes.store.calls == ["commit"]
    assert registry.owner_at(world.desk, rep.ref) == changed
    assert fakes.store.events[-1].type is EventType.OWNER_CHANGED
    with pytest.raises(Stale):
        registry.change(world.desk, world.principal, rep, {"role": "SDGuest"})


def test_a_rep_whose_login_is_withdrawn_loses_the_key_with_the_same_write(world: World, fakes: Fakes) -> None:
    rep = world.rep()
    issued = world.issue(KeyKind.REP_KEY, rep.ref)
    found = registry.owner_with_key(world.desk, rep.ref)
    assert found == (rep, issued.key)
    fakes.store.calls.clear()
    changed = registry.change(world.desk, world.principal, rep, {"login_enabled": False}, key=issued.key)
    assert fakes.store.calls == ["commit"]
    assert registry.owner_with_key(world.desk, rep.ref) == (changed, None)
    told = [event.type for event in fakes.store.events[-2:]]
    assert sorted(told) == [EventType.KEY_DELETED, EventType.OWNER_CHANGED]


def test_a_login_is_not_withdrawn_beside_a_key_that_was_not_looked_at(world: World) -> None:
    rep = world.rep()
    world.issue(KeyKind.REP_KEY, rep.ref)
    with pytest.raises(Stale):
        registry.change(world.desk, world.principal, rep, {"login_enabled": False})
    assert registry.owner_at(world.desk, rep.ref) == rep


@pytest.mark.parametrize("ended", [False, True])
def test_a_login_is_withdrawn_where_there_is_no_living_key(world: World, ended: bool) -> None:
    rep = world.rep()
    key = None
    if ended:
        key = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    changed = registry.change(world.desk, world.principal, rep, {"login_enabled": False}, key=key)
    assert registry.owner_with_key(world.desk, rep.ref) == (changed, key)


def test_the_native_keys_of_a_disabled_operator_are_switched_off(world: World) -> None:
    operator = world.add_operator()
    live, off, ended = (world.issue(KeyKind.NATIVE, operator.ref) for _ in range(3))
    another = world.issue(KeyKind.NATIVE, world.operator.ref)
    lifecycle.disable(world.desk, world.principal, off.key)
    revoked = lifecycle.revoke(world.desk, world.principal, ended.key)
    registry.change(world.desk, world.principal, operator, {"enabled": False})
    assert [world.key(each.key.id).enabled for each in (live, off, another)] == [False, False, True]
    assert world.key(ended.key.id) == revoked


def test_a_renamed_app_is_found_under_its_new_name(world: World) -> None:
    app = world.app("Tills")
    registry.change(world.desk, world.principal, app, {"name": "Counters"})
    old, new = AppsNamed(world.tenant, "Tills"), AppsNamed(world.tenant, "Counters")
    reading = world.desk.store.read(old, new)
    assert (reading[old], reading[new]) == (None, frozenset({app.id}))


# --- channels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "kind"),
    [(Platform.ANDROID, KeyKind.ANDROID_ACCESS_KEY), (Platform.IOS, KeyKind.IOS_ACCESS_KEY)],
)
def test_a_channel_is_born_with_the_first_version_of_its_key_in_one_commit(
    world: World, fakes: Fakes, platform: Platform, kind: KeyKind
) -> None:
    app = world.app("Orchard")
    fakes.store.calls.clear()
    events = len(fakes.store.events)
    opened = world.channel(app, platform)
    assert fakes.store.calls == ["commit"]
    assert (opened.channel.id, opened.channel.name) == (f"{app.id}:{platform}", "Orchard")
    assert (opened.key.kind, opened.key.last_version, opened.key.owner) == (kind, 1, opened.channel.ref)
    assert registry.owner_at(world.desk, opened.channel.ref) == opened.channel
    assert registry.owner_at(world.desk, app.ref) == opened.app
    ref = SingleKeyRef(opened.channel.ref)
    assert world.desk.store.read(ref)[ref] == opened.key
    told = [event.type for event in fakes.store.events[events:]]
    assert told == [EventType.OWNER_CREATED, EventType.KEY_ISSUED]


def test_the_channels_of_an_app_share_one_half(world: World, fakes: Fakes) -> None:
    first = world.channel(world.app())
    fakes.vault.revealed.clear()
    second = world.channel(first.app, Platform.IOS)
    assert second.pairing == first.pairing
    assert second.app == first.app
    assert fakes.vault.revealed == [registry.pairing_secret(first.app).secret]
    told = fakes.store.events[-1]
    assert (told.type, told.subject, told.owner) == (EventType.KEY_REVEALED, first.app.pairing_id, first.app.ref)
    assert first.key.pairing_digest == second.key.pairing_digest == first.pairing.digest


def test_the_halves_of_two_apps_differ_and_are_bound_to_their_own_ids(world: World, fakes: Fakes) -> None:
    first, second = world.channel(world.app()), world.channel(world.app())
    assert first.pairing != second.pairing
    ours, theirs = registry.pairing_secret(first.app).secret, registry.pairing_secret(second.app).secret
    assert fakes.vault.reveal([ours]) == [first.pairing]
    with pytest.raises(errors.Fault):
        fakes.vault.reveal([SealedSecret(ours.tenant, ours.key_id, ours.version, theirs.ciphertext)])


def test_an_app_has_one_channel_of_a_platform(world: World, fakes: Fakes) -> None:
    opened = world.channel(world.app())
    events = list(fakes.store.events)
    with pytest.raises(errors.OwnerExists):
        world.channel(opened.app)
    assert fakes.store.events == events


def test_two_first_channels_at_once_do_not_give_an_app_two_halves(world: World) -> None:
    app = world.app()
    world.channel(app)
    with pytest.raises(Stale):
        world.channel(app, Platform.IOS)
    current = registry.owner_at(world.desk, app.ref)
    assert isinstance(current, App)
    world.channel(current, Platform.IOS)


def test_an_app_without_a_channel_has_no_half(world: World) -> None:
    with pytest.raises(errors.ChannelNotFound):
        registry.pairing_secret(world.app())


def test_a_channel_is_not_made_while_the_vault_is_down(world: World, fakes: Fakes) -> None:
    app = world.app()
    fakes.vault.down = True
    with pytest.raises(errors.Unavailable):
        world.channel(app)
    assert registry.owner_at(world.desk, app.ref) == app


@pytest.mark.parametrize("kind", OwnerKind)
def test_an_owner_that_is_not_there_is_not_found_under_its_kinds_name(world: World, kind: OwnerKind) -> None:
    nobody = OwnerRef(world.tenant, kind, "nobody")
    for deed in (
        lambda: registry.owner_at(world.desk, nobody),
        lambda: registry.owner_with_key(world.desk, nobody),
        lambda: removal.remove(world.desk, world.principal, nobody, time_is_up=lambda: False),
    ):
        with pytest.raises(OWNER_NOT_FOUND[kind]):
            deed()

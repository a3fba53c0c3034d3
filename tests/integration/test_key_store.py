"""The contract of KeyStore, kept alike by the adapter on a table made from template.yaml and by the fake."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from keywright import errors, handover, issuing, lifecycle, registry, rotation, tokens
from keywright.access import Principal
from keywright.adapters import dynamodb
from keywright.issuing import Issued, Order
from keywright.model import (
    DAY_MS,
    LOGIN_ENABLED,
    OWNER_NOT_FOUND,
    PUBLISHED,
    ROLE_ASSIGNED,
    RULES,
    Creator,
    Event,
    EventType,
    Grant,
    Key,
    KeyKind,
    Owner,
    OwnerKind,
    OwnerRef,
    SupportRep,
    Tenant,
)
from keywright.ports import (
    AppsNamed,
    AuditQuestion,
    Desk,
    KeyRef,
    KeyStore,
    Lease,
    LinkAt,
    LinkNamed,
    OwnerAt,
    Page,
    Record,
    Ref,
    Require,
    RequireNoKey,
    SaveKey,
    SaveLink,
    SaveOwner,
    SaveTenant,
    SingleKeyRef,
    Stale,
    TenantRef,
    TokenRef,
    Write,
)
from tests.fakes import FixedClock
from tests.world import World

T = TypeVar("T")
HOUR_MS = 3_600_000


def test_every_access_pattern_of_the_table_is_proven_by_a_test() -> None:
    assert dynamodb.__doc__ is not None
    documented = set(re.findall(r"^\| (\S.*?) +\| (?:GetItem|Query)\b", dynamodb.__doc__, re.MULTILINE))
    proven = {
        mark.args[0]
        for name, test in globals().items()
        if name.startswith("test_")
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "answers"
    }
    assert len(documented) >= 9
    assert documented == proven


# --- access patterns -----------------------------------------------------------------------------------------------


@pytest.mark.answers("what is this token? (verify, every caller)")
def test_a_token_is_found_by_its_digest_with_all_that_verification_needs(store: KeyStore, world: World) -> None:
    opened = world.channel(world.app())
    ref = TokenRef(opened.token.digest)
    found = store.read(ref)[ref]
    assert found == Grant.of(opened.key, opened.key.newest)
    assert found is not None
    assert found.pairing_digest == opened.pairing.digest


@pytest.mark.answers("the key of this id")
def test_a_key_is_read_as_it_was_written(store: KeyStore, world: World, clock: FixedClock) -> None:
    issued = world.issue(
        KeyKind.NATIVE, world.rep().ref, description="tills", scopes=("a", "b:*"), expires_at_ms=clock.ms + 1
    )
    assert store.read(KeyRef(issued.key.id))[KeyRef(issued.key.id)] == issued.key


@pytest.mark.answers("which link is this? what became of it?")
@pytest.mark.answers("a key's one-time links, oldest first")
def test_a_link_is_found_by_its_token_and_by_its_key(store: KeyStore, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    made = [
        handover.create(world.desk, world.principal, key, lambda token: token, lifetime_ms=handover.SHORTEST_MS).link
        for _ in range(2)
    ]
    for link in made:
        named, at = LinkNamed(link.digest), LinkAt(link.ref)
        reading = store.read(named, at)
        assert (reading[named], reading[at]) == (link.ref, link)
    assert {link.id for link in store.links_of(key.id).items} == {link.id for link in made}
    assert [link.created_at_ms for link in store.links_of(key.id).items] == sorted(link.created_at_ms for link in made)
    assert list(store.links_of(world.issue(KeyKind.NATIVE, world.operator.ref).key.id).items) == []


@pytest.mark.answers("this owner, this tenant")
def test_owners_of_every_kind_and_their_tenant_are_read_as_they_were_written(store: KeyStore, world: World) -> None:
    app = world.app("Orchard")
    channel = world.channel(app)
    owners: list[Owner] = [
        world.operator,
        channel.app,
        channel.channel,
        world.integration(app),
        world.rep(role=None),
        world.rep("nair, meera"),
    ]
    reading = store.read(TenantRef(world.tenant), *(OwnerAt(owner.ref) for owner in owners))
    assert [reading[OwnerAt(owner.ref)] for owner in owners] == owners
    tenant = reading[TenantRef(world.tenant)]
    assert tenant is not None
    assert (tenant.id, tenant.name) == (world.tenant, "Orchard Labs")


@pytest.mark.answers("the one key of this channel or rep")
def test_the_single_key_is_read_by_its_owner(store: KeyStore, world: World) -> None:
    opened, rep = world.channel(world.app()), world.rep()
    issued = world.issue(KeyKind.REP_KEY, rep.ref)
    beside = world.issue(KeyKind.NATIVE, rep.ref)
    refs = SingleKeyRef(opened.channel.ref), SingleKeyRef(rep.ref), SingleKeyRef(world.rep("no.key").ref)
    reading = store.read(*refs)
    assert [reading[ref] for ref in refs] == [opened.key, issued.key, None]
    assert beside.key.id != issued.key.id


@pytest.mark.answers("which apps bear this name?")
def test_apps_are_found_by_their_present_name_and_by_no_former_one(
    store: KeyStore, world: World, another_world: World
) -> None:
    first, second = world.app("Tills"), world.app("Tills")
    another_world.app("Tills")
    ref = AppsNamed(world.tenant, "Tills")
    assert store.read(ref)[ref] == frozenset({first.id, second.id})
    registry.change(world.desk, world.principal, first, {"name": "Counters"})
    reading = store.read(ref, AppsNamed(world.tenant, "Counters"))
    assert reading[ref] == frozenset({second.id})
    assert reading[AppsNamed(world.tenant, "Counters")] == frozenset({first.id})
    assert not store.read(AppsNamed(world.tenant, "tills"))[AppsNamed(world.tenant, "tills")]


@pytest.mark.answers("an owner's keys, by kind, oldest first")
def test_an_owners_keys_come_by_kind_and_then_oldest_first(store: KeyStore, world: World, clock: FixedClock) -> None:
    app = world.app()
    wanted = []
    for kind in (KeyKind.APP_API_KEY, KeyKind.APP_SECRET, KeyKind.NATIVE):
        wanted += [issued_later(world, clock, kind, app.ref).key for _ in range(2)]
    world.issue(KeyKind.NATIVE, world.app("another").ref)
    assert list(store.keys_of(app.ref).items) == wanted
    assert list(store.keys_of(app.ref, KeyKind.APP_SECRET).items) == wanted[2:4]


@pytest.mark.answers("an owner's deleted keys, by kind, oldest first")
def test_deleted_keys_are_a_list_of_their_own(store: KeyStore, world: World, clock: FixedClock) -> None:
    rep, app = world.rep(), world.app()
    for owner, kinds in ((rep, (KeyKind.NATIVE, KeyKind.REP_KEY)), (app, (KeyKind.APP_SECRET, KeyKind.NATIVE))):
        gone = []
        for kind in kinds:
            for _ in range(1 if kind is KeyKind.REP_KEY else 2):
                key = issued_later(world, clock, kind, owner.ref).key
                gone.append(lifecycle.delete(world.desk, world.principal, key))
        stays = world.issue(KeyKind.NATIVE, owner.ref).key
        assert list(store.keys_of(owner.ref, deleted=True).items) == gone
        assert list(store.keys_of(owner.ref).items) == [stays]
        assert list(store.keys_of(owner.ref, kinds[0], deleted=True).items) == gone[:2]
        assert everything(lambda after, o=owner: store.keys_of(o.ref, deleted=True, limit=1, after=after)) == gone  # type: ignore[misc]
        back = [lifecycle.undelete(world.desk, world.principal, key) for key in gone]
        assert list(store.keys_of(owner.ref, deleted=True).items) == []
        assert {key.id for key in store.keys_of(owner.ref).items} == {stays.id, *(key.id for key in back)}


@pytest.mark.answers("a tenant's owners of a kind, by id")
def test_owners_of_a_kind_are_listed_by_id_without_the_keys_beside_them(
    store: KeyStore, world: World, another_world: World
) -> None:
    reps = {login: world.rep(login) for login in ("meera", "meera.nair", "a", "Meera")}
    for rep in reps.values():
        world.issue(KeyKind.REP_KEY, rep.ref)
        world.issue(KeyKind.NATIVE, rep.ref)
    another_world.rep("b")
    assert list(store.owners(world.tenant, OwnerKind.SUPPORT_REP).items) == [reps[login] for login in sorted(reps)]
    assert list(store.owners(world.tenant, OwnerKind.APP).items) == []


@pytest.mark.answers("all reps with their keys, by login name")
def test_all_reps_are_listed_with_their_single_keys(store: KeyStore, world: World) -> None:
    meera, without, zoe = world.rep("meera"), world.rep("tomas"), world.rep("zoe")
    first, last = world.issue(KeyKind.REP_KEY, meera.ref), world.issue(KeyKind.REP_KEY, zoe.ref)
    world.issue(KeyKind.NATIVE, without.ref)
    assert list(store.owners_with_single_keys(world.tenant, OwnerKind.SUPPORT_REP)) == [
        (meera, first.key),
        (without, None),
        (zoe, last.key),
    ]


@pytest.mark.answers("which keys have something due?")
def test_keys_are_due_in_the_millisecond_they_expire_until_they_are_marked_or_revoked(
    store: KeyStore, world: World, clock: FixedClock
) -> None:
    then = clock.ms + HOUR_MS
    expiring = [world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=then).key for _ in range(6)]
    later = world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=then + 1).key
    never = world.issue(KeyKind.NATIVE, world.operator.ref).key
    ours = {key.id for key in (*expiring, later, never)}

    def due(until_ms: int) -> set[str]:
        return ours & set(everything(lambda after: store.due(until_ms, limit=100, after=after)))

    assert len(store.due(then, limit=2).items) <= 2
    assert due(then - 1) == set()
    assert due(then) == {key.id for key in expiring}
    assert due(then + 1) == {key.id for key in (*expiring, later)}

    marked, revoked, disabled, *rest = expiring
    store.commit(SaveKey(marked.marked_expired(then), marked))
    store.commit(SaveKey(revoked.revoked("", then), revoked))
    store.commit(SaveKey(disabled.switched(False, then), disabled))
    assert due(then) == {disabled.id, *(key.id for key in rest)}


def test_keys_are_due_for_a_warning_for_the_end_of_a_version_and_for_the_end_of_their_retention(
    store: KeyStore, world: World, clock: FixedClock
) -> None:
    def issued(**order: Any) -> Key:
        return world.issue(KeyKind.NATIVE, world.operator.ref, **order).key

    warned = issued(expires_at_ms=clock.ms + 40 * DAY_MS)
    rotated = issued()
    rotated = world.overwrite(rotated, versions=(replace(rotated.newest, retires_at_ms=clock.ms + DAY_MS),))
    revoked, deleted = issued(), issued()
    revoked = lifecycle.revoke(world.desk, world.principal, revoked)
    deleted = lifecycle.delete(world.desk, world.principal, deleted)
    moments = {
        warned.id: clock.ms + 10 * DAY_MS,
        rotated.id: clock.ms + DAY_MS,
        revoked.id: clock.ms + 30 * DAY_MS,
        deleted.id: clock.ms + 30 * DAY_MS,
    }

    def due(until_ms: int) -> set[str]:
        return moments.keys() & set(everything(lambda after: store.due(until_ms, limit=100, after=after)))

    for key_id, moment in moments.items():
        assert key_id not in due(moment - 1)
        assert key_id in due(moment)
    assert store.read(KeyRef(warned.id))[KeyRef(warned.id)] == warned


def test_of_a_purged_key_nothing_is_found(store: KeyStore, world: World, clock: FixedClock) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    revoked = lifecycle.revoke(world.desk, world.principal, issued.key)
    store.commit(SaveKey(revoked.purged(clock.ms), revoked))
    key, token = KeyRef(issued.key.id), TokenRef(issued.token.digest)
    assert [store.read(key)[key], store.read(token)[token]] == [None, None]
    assert list(store.keys_of(issued.key.owner).items) == []
    with pytest.raises(Stale):
        store.commit(SaveKey(revoked.purged(clock.ms), revoked))


def test_a_key_that_is_purged_leaves_the_place_to_its_successor(
    store: KeyStore, world: World, clock: FixedClock
) -> None:
    rep, at = world.rep().ref, clock.ms
    revoked = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep).key)
    successor = issuing.issue_version(world.desk, world.principal, revoked, creator=world.principal.creator()).key
    store.commit(SaveKey(revoked.purged(at), revoked))
    assert store.read(SingleKeyRef(rep))[SingleKeyRef(rep)] == successor
    again = lifecycle.revoke(world.desk, world.principal, successor)
    store.commit(SaveKey(again.purged(at), again))
    assert store.read(SingleKeyRef(rep))[SingleKeyRef(rep)] is None
    assert world.issue(KeyKind.REP_KEY, rep).key.last_version == 1


# --- leases --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lease_name() -> str:
    return tokens.new_id("lease-")


def test_a_lease_has_one_holder_until_its_moment_comes(store: KeyStore, lease_name: str) -> None:
    first = store.take_lease(lease_name, holder="first", now_ms=1000, until_ms=2000)
    assert first == Lease(lease_name, "first")
    assert store.take_lease(lease_name, holder="second", now_ms=1999, until_ms=9000) is None
    assert store.take_lease(lease_name, holder="first", now_ms=1500, until_ms=2500) == first
    assert store.take_lease(lease_name, holder="second", now_ms=2499, until_ms=9000) is None
    assert store.take_lease(lease_name, holder="second", now_ms=2500, until_ms=9000) == Lease(lease_name, "second")
    with pytest.raises(Stale):
        store.keep_checkpoint(Lease(lease_name, "first"), "page 7")


def test_a_lease_that_is_given_back_is_free_and_keeps_its_checkpoint(store: KeyStore, lease_name: str) -> None:
    first = store.take_lease(lease_name, holder="first", now_ms=1000, until_ms=9000)
    assert first is not None
    store.keep_checkpoint(first, "page 3")
    assert store.take_lease(lease_name, holder="second", now_ms=1001, until_ms=9000) is None
    store.keep_checkpoint(first, "page 4", release=True)
    second = store.take_lease(lease_name, holder="second", now_ms=1002, until_ms=9000)
    assert second == Lease(lease_name, "second", "page 4")
    store.keep_checkpoint(second, None, release=True)
    assert store.take_lease(lease_name, holder="third", now_ms=1003, until_ms=9000) == Lease(lease_name, "third")


# --- reading -------------------------------------------------------------------------------------------------------


def test_nothing_is_found_where_nothing_is(store: KeyStore, world: World) -> None:
    refs: list[Ref[object]] = [
        TokenRef("0" * 64),
        KeyRef("key_000000000000000000000000"),
        TenantRef("nobody"),
        OwnerAt(OwnerRef(world.tenant, OwnerKind.APP, "no-app")),
        SingleKeyRef(OwnerRef(world.tenant, OwnerKind.SUPPORT_REP, "no.rep")),
        AppsNamed(world.tenant, "no name"),
    ]
    for ref in refs:
        assert store.read(ref)[ref] is None
    together = store.read(*refs)
    assert [together[ref] for ref in refs] == [None] * len(refs)


def test_what_is_asked_for_twice_is_read_once(store: KeyStore, world: World) -> None:
    ref, tenant = OwnerAt(world.operator.ref), TenantRef(world.tenant)
    reading = store.read(ref, tenant, ref)
    assert reading[ref] == world.operator
    assert store.read(ref, ref)[ref] == world.operator


def test_a_hundred_records_are_read_at_once(store: KeyStore, world: World) -> None:
    keys = [world.issue(KeyKind.NATIVE, world.operator.ref).key for _ in range(12)]
    missing = [KeyRef(tokens.new_id("key_")) for _ in range(88)]
    reading = store.read(*(KeyRef(key.id) for key in keys), *missing)
    assert [reading[KeyRef(key.id)] for key in keys] == keys
    assert all(reading[ref] is None for ref in missing)


def test_asking_a_reading_for_what_was_not_read_is_an_error(store: KeyStore, world: World) -> None:
    reading = store.read(OwnerAt(world.operator.ref))
    assert TenantRef(world.tenant) not in reading
    with pytest.raises(KeyError):
        reading[TenantRef(world.tenant)]


def test_reading_nothing_finds_nothing(store: KeyStore) -> None:
    assert TenantRef("any") not in store.read()


def test_no_owner_is_found_under_the_place_of_a_key_beside_it(store: KeyStore, world: World) -> None:
    rep = world.rep()
    world.issue(KeyKind.REP_KEY, rep.ref)
    ref = OwnerAt(replace(rep.ref, id=f"{rep.id}\x1f"))
    assert store.read(ref)[ref] is None


def test_the_same_id_in_another_tenant_or_of_another_kind_is_another_owner(
    store: KeyStore, world: World, another_world: World
) -> None:
    app = world.app(id="twin")
    rep = world.rep("twin")
    other = another_world.app("Other", id="twin")
    reading = store.read(*(OwnerAt(owner.ref) for owner in (app, rep, other)))
    assert [reading[OwnerAt(owner.ref)] for owner in (app, rep, other)] == [app, rep, other]


# --- lists ---------------------------------------------------------------------------------------------------------


def test_a_list_reads_its_own_writes(store: KeyStore, world: World) -> None:
    for owner in (world.operator, world.rep()):
        expected = list(store.keys_of(owner.ref).items)
        for _ in range(3):
            key = world.issue(KeyKind.NATIVE, owner.ref).key
            expected = sorted([*expected, key], key=lambda each: (each.created_at_ms, each.id))
            assert list(store.keys_of(owner.ref).items) == expected
        off = lifecycle.disable(world.desk, world.principal, expected[-1])
        assert off in store.keys_of(owner.ref).items


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_pages_of_any_size_make_up_the_whole_list_of_keys(
    store: KeyStore, world: World, clock: FixedClock, limit: int
) -> None:
    rep = world.rep()
    keys = [world.issue(KeyKind.REP_KEY, rep.ref).key]
    keys += [issued_later(world, clock, KeyKind.NATIVE, rep.ref).key for _ in range(6)]
    pages: list[int] = []

    def page(after: str | None) -> Page[Key]:
        found = store.keys_of(rep.ref, limit=limit, after=after)
        pages.append(len(found.items))
        return found

    assert everything(page) == keys
    assert max(pages) <= limit
    assert everything(lambda after: store.keys_of(rep.ref, KeyKind.NATIVE, limit=limit, after=after)) == keys[1:]
    assert everything(lambda after: store.keys_of(rep.ref, KeyKind.REP_KEY, limit=limit, after=after)) == keys[:1]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_of_any_size_make_up_the_whole_list_of_owners(store: KeyStore, world: World, limit: int) -> None:
    reps = [world.rep(f"rep.{number}") for number in range(5)]
    for rep in reps[1:3]:
        world.issue(KeyKind.REP_KEY, rep.ref)
        world.issue(KeyKind.NATIVE, rep.ref)

    def page(after: str | None) -> Page[Owner]:
        found = store.owners(world.tenant, OwnerKind.SUPPORT_REP, limit=limit, after=after)
        assert len(found.items) <= limit
        return found

    assert everything(page) == reps


# --- what each write refuses ---------------------------------------------------------------------------------------


def test_a_tenant_is_saved_once(store: KeyStore, world: World) -> None:
    refused(store, SaveTenant(Tenant(world.tenant, "Impostor", 1)), errors.TenantExists)
    tenant = store.read(TenantRef(world.tenant))[TenantRef(world.tenant)]
    assert tenant is not None
    assert tenant.name == "Orchard Labs"


def test_an_owner_is_created_once(store: KeyStore, world: World) -> None:
    rep = world.rep()
    refused(store, SaveOwner(replace(rep, name="Impostor")), errors.OwnerExists)
    assert store.read(OwnerAt(rep.ref))[OwnerAt(rep.ref)] == rep


def test_an_owner_that_changed_meanwhile_is_not_overwritten(store: KeyStore, world: World) -> None:
    rep = world.rep()
    current = registry.change(world.desk, world.principal, rep, {"role": None})
    refused(store, SaveOwner(rep.changed(5, role="SDAdmin"), before=rep), Stale)
    assert store.read(OwnerAt(rep.ref))[OwnerAt(rep.ref)] == current


def test_an_owner_that_is_not_there_is_not_replaced(store: KeyStore, world: World) -> None:
    ghost = SupportRep(tenant=world.tenant, id="ghost", name="Ghost", created_at_ms=1, modified_at_ms=1)
    refused(store, SaveOwner(ghost.changed(2), before=ghost), Stale)
    assert store.read(OwnerAt(ghost.ref))[OwnerAt(ghost.ref)] is None


def test_changing_an_owner_keeps_the_count_of_its_keys(store: KeyStore, world: World) -> None:
    app = world.app()
    for _ in range(10):
        world.issue(KeyKind.APP_SECRET, app.ref)
    registry.change(world.desk, world.principal, app, {"published": False})
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app.ref)


def test_an_owner_of_single_keys_has_one(store: KeyStore, world: World) -> None:
    rep = world.rep()
    first = world.issue(KeyKind.REP_KEY, rep.ref)
    with pytest.raises(errors.KeyExists):
        world.issue(KeyKind.REP_KEY, rep.ref)
    assert store.read(SingleKeyRef(rep.ref))[SingleKeyRef(rep.ref)] == first.key


def test_who_decided_on_there_being_no_key_is_told_when_there_is_one(store: KeyStore, world: World) -> None:
    rep = world.rep()
    store.commit(RequireNoKey(rep.ref))
    key = world.issue(KeyKind.REP_KEY, rep.ref).key
    world.issue(KeyKind.NATIVE, rep.ref)
    refused(store, RequireNoKey(rep.ref), Stale)
    ended = lifecycle.revoke(world.desk, world.principal, key)
    store.commit(RequireNoKey(rep.ref))
    lifecycle.delete(world.desk, world.principal, ended)
    store.commit(RequireNoKey(rep.ref))


def test_a_key_that_changed_meanwhile_is_not_overwritten(store: KeyStore, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    current = lifecycle.revoke(world.desk, world.principal, key)
    refused(store, SaveKey(key.switched(False, 9), before=key), Stale)
    assert world.key(key.id) == current


def test_a_key_that_is_not_there_is_not_replaced(store: KeyStore, world: World) -> None:
    ghost = drafted(world, KeyKind.NATIVE, world.operator.ref)
    refused(store, SaveKey(ghost.switched(False, 9), before=ghost), Stale)
    assert store.read(KeyRef(ghost.id))[KeyRef(ghost.id)] is None


def test_a_key_or_token_that_is_there_already_is_not_created_again(store: KeyStore, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    refused(store, SaveKey(key), Stale)
    refused(store, SaveKey(replace(key, id=tokens.new_id("key_"))), Stale)
    other = world.issue(KeyKind.NATIVE, world.operator.ref).key
    stolen = replace(other.switched(False, 9), versions=(*other.versions, key.newest))
    refused(store, SaveKey(stolen, before=other), Stale)


@pytest.mark.parametrize("kind", OwnerKind)
def test_a_missing_owner_is_refused_by_the_name_of_its_kind(store: KeyStore, world: World, kind: OwnerKind) -> None:
    refused(store, Require(OwnerRef(world.tenant, kind, "nobody")), OWNER_NOT_FOUND[kind])


def test_an_owner_who_came_later_than_is_asked_for_is_a_missing_owner(store: KeyStore, world: World) -> None:
    app = world.app()
    store.commit(Require(app.ref, there_by_ms=app.created_at_ms))
    refused(store, Require(app.ref, there_by_ms=app.created_at_ms - 1), errors.AppNotFound)
    refused(store, Require(app.ref, there_by_ms=app.created_at_ms - 1, count=KeyKind.APP_SECRET), errors.AppNotFound)


def test_an_owner_of_another_tenant_is_a_missing_owner(store: KeyStore, world: World, another_world: World) -> None:
    theirs = another_world.app()
    refused(store, Require(replace(theirs.ref, tenant=world.tenant)), errors.AppNotFound)


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"login_enabled": False, "role": None}, errors.LoginNotEnabled),
        ({"login_enabled": True, "role": None}, errors.RoleNotAssigned),
        ({"login_enabled": True, "role": ""}, errors.RoleNotAssigned),
        ({"login_enabled": False, "role": "SDAdmin"}, errors.LoginNotEnabled),
    ],
)
def test_the_first_requirement_that_an_owner_fails_decides(
    store: KeyStore, world: World, attributes: dict[str, Any], error: type[errors.KeywrightError]
) -> None:
    rep = world.rep(**attributes)
    refused(store, Require(rep.ref, (LOGIN_ENABLED, ROLE_ASSIGNED)), error)
    refused(store, Require(rep.ref, (LOGIN_ENABLED, ROLE_ASSIGNED), count=KeyKind.APP_SECRET), error)


def test_an_owner_that_is_all_that_is_required_is_let_pass(store: KeyStore, world: World) -> None:
    store.commit(Require(world.rep().ref, (LOGIN_ENABLED, ROLE_ASSIGNED)))


def test_a_limit_is_reached_and_never_passed(store: KeyStore, world: World) -> None:
    kind = KeyKind.APP_SECRET
    app, limit = world.app(), RULES[kind].limit
    assert limit is not None
    for _ in range(limit):
        store.commit(Require(app.ref, count=kind))
    with pytest.raises(errors.LimitReached) as reached:
        store.commit(Require(app.ref, count=kind))
    assert reached.value.limit == limit
    store.commit(Require(app.ref, count=KeyKind.INTEGRATION_SECRET))


def test_a_requirement_is_refused_before_the_limit(store: KeyStore, world: World) -> None:
    app = world.app(published=False)
    for _ in range(10):
        store.commit(Require(app.ref, count=KeyKind.APP_SECRET))
    refused(store, Require(app.ref, (PUBLISHED,), count=KeyKind.APP_SECRET), errors.NotPublished)
    refused(store, Require(app.ref, count=KeyKind.APP_SECRET), errors.LimitReached)


def test_revoking_makes_room_under_the_limit_again_and_again(store: KeyStore, world: World) -> None:
    app = world.app()
    keys = [world.issue(KeyKind.APP_SECRET, app.ref).key for _ in range(10)]
    for _ in range(4):
        with pytest.raises(errors.LimitReached):
            world.issue(KeyKind.APP_SECRET, app.ref)
        lifecycle.revoke(world.desk, world.principal, keys.pop())
        keys.append(world.issue(KeyKind.APP_SECRET, app.ref).key)
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app.ref)


def test_revoking_twice_makes_room_for_one(store: KeyStore, world: World) -> None:
    app = world.app()
    keys = [world.issue(KeyKind.APP_SECRET, app.ref).key for _ in range(10)]
    revoked = lifecycle.revoke(world.desk, world.principal, keys[0])
    assert lifecycle.revoke(world.desk, world.principal, revoked) is revoked
    with pytest.raises(Stale):
        lifecycle.revoke(world.desk, world.principal, keys[0])
    world.issue(KeyKind.APP_SECRET, app.ref)
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app.ref)


# --- all or nothing ------------------------------------------------------------------------------------------------


def test_a_refused_commit_leaves_nothing_behind(store: KeyStore, world: World) -> None:
    tenant, app = Tenant(f"{world.tenant}-next", "Next", 1), world.app("Untouched")
    key = drafted(world, KeyKind.APP_SECRET, app.ref)
    for _ in range(10):
        store.commit(Require(app.ref, count=KeyKind.APP_SECRET))
    with pytest.raises(errors.LimitReached):
        store.commit(
            SaveTenant(tenant),
            SaveOwner(replace(app, id="unsaved", name="Unsaved")),
            SaveKey(key),
            Require(app.ref, count=KeyKind.APP_SECRET),
        )
    refs = TenantRef(tenant.id), KeyRef(key.id), TokenRef(key.newest.digest), AppsNamed(world.tenant, "Unsaved")
    reading = store.read(*refs, OwnerAt(replace(app.ref, id="unsaved")))
    assert [reading[ref] for ref in refs] == [None] * 4
    assert reading[OwnerAt(replace(app.ref, id="unsaved"))] is None
    assert list(store.keys_of(app.ref).items) == []


def test_the_first_refused_write_decides(store: KeyStore, world: World) -> None:
    ghost = Require(OwnerRef(world.tenant, OwnerKind.APP, "ghost"))
    taken = SaveTenant(Tenant(world.tenant, "Impostor", 1))
    with pytest.raises(errors.AppNotFound):
        store.commit(ghost, taken)
    with pytest.raises(errors.TenantExists):
        store.commit(taken, ghost)


def test_an_owner_that_is_not_there_is_counted_neither_up_nor_down(store: KeyStore, world: World) -> None:
    ghost = OwnerRef(world.tenant, OwnerKind.APP, "ghost")
    for by in (1, -1):
        refused(store, Require(ghost, count=KeyKind.APP_SECRET, by=by), errors.AppNotFound)
        assert store.read(OwnerAt(ghost))[OwnerAt(ghost)] is None


def test_what_is_on_record_is_not_written_over(store: KeyStore, world: World) -> None:
    told = Event(
        id=tokens.new_event_id(1),
        type=EventType.OWNER_CHANGED,
        tenant=world.tenant,
        subject="a",
        owner=world.operator.ref,
        actor="test",
        at_ms=1,
    )
    store.commit(Record(told))
    refused(store, Record(replace(told, actor="somebody else")), Stale)
    asked = AuditQuestion(tenant=world.tenant, owner=world.operator.ref, until_ms=2)
    assert list(store.audit(asked).items) == [told]


def test_a_link_takes_neither_the_place_nor_the_token_of_another(store: KeyStore, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    link = handover.create(world.desk, world.principal, key, lambda token: token, lifetime_ms=handover.SHORTEST_MS).link
    refused(store, SaveLink(replace(link, digest="0" * 64)), Stale)
    refused(store, SaveLink(replace(link, id=tokens.new_link_id(2))), Stale)
    assert list(store.links_of(key.id).items) == [link]


def test_one_record_in_two_writes_is_a_fault_of_the_program(store: KeyStore, world: World) -> None:
    with pytest.raises(errors.Fault):
        store.commit(Require(world.operator.ref), SaveOwner(world.operator.changed(2), world.operator))


def test_events_of_one_commit_about_one_owner_are_both_kept(store: KeyStore, world: World) -> None:
    about = {"tenant": world.tenant, "owner": world.operator.ref, "actor": "test", "at_ms": 1}
    store.commit(
        Record(Event(id=tokens.new_event_id(1), type=EventType.OWNER_CHANGED, subject="a", **about)),  # type: ignore[arg-type]
        Record(Event(id=tokens.new_event_id(1), type=EventType.KEY_ISSUED, subject="b", **about)),  # type: ignore[arg-type]
    )


# --- the tokens of a key -------------------------------------------------------------------------------------------


def test_a_fourth_version_takes_the_oldest_token_away(store: KeyStore, world: World) -> None:
    opened = world.channel(world.app())
    key, digests = opened.key, [opened.token.digest]
    for _ in range(3):
        issued = next_version(world.desk, world, key)
        key, digests = issued.key, [*digests, issued.token.digest]
    assert [version.number for version in key.versions] == [2, 3, 4]
    reading = store.read(*map(TokenRef, digests))
    grants = [reading[TokenRef(digest)] for digest in digests]
    assert [grant and grant.version for grant in grants] == [None, 2, 3, 4]
    assert world.key(key.id) == key
    assert store.read(SingleKeyRef(key.owner))[SingleKeyRef(key.owner)] == key


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        (lambda key: key.switched(False, 5), "disabled"),
        (lambda key: key.revoked("leaked", 5), "revoked"),
    ],
)
def test_a_change_of_the_key_is_a_change_of_all_its_tokens(
    store: KeyStore, world: World, changed: Callable[[Key], Key], refusal: str
) -> None:
    opened = world.channel(world.app())
    issued = next_version(world.desk, world, opened.key)
    store.commit(SaveKey(changed(issued.key), issued.key))
    refs = TokenRef(opened.token.digest), TokenRef(issued.token.digest)
    reading = store.read(*refs)
    grants = [reading[ref] for ref in refs]
    assert [grant and grant.refusal(6) for grant in grants] == [refusal, refusal]


def test_a_deleted_key_has_no_token_and_no_place_in_a_list_but_its_record_stays(store: KeyStore, world: World) -> None:
    app, rep = world.app(), world.rep()
    for issued in (world.issue(KeyKind.APP_SECRET, app.ref), world.issue(KeyKind.REP_KEY, rep.ref)):
        gone = lifecycle.delete(world.desk, world.principal, issued.key)
        assert store.read(TokenRef(issued.token.digest))[TokenRef(issued.token.digest)] is None
        assert list(store.keys_of(gone.owner).items) == []
        assert world.key(gone.id) == gone
    assert store.read(SingleKeyRef(rep.ref))[SingleKeyRef(rep.ref)] is None
    world.issue(KeyKind.REP_KEY, rep.ref)


def test_a_revoked_single_key_makes_room_for_another(store: KeyStore, world: World) -> None:
    rep = world.rep()
    first = world.issue(KeyKind.REP_KEY, rep.ref)
    revoked = lifecycle.revoke(world.desk, world.principal, first.key)
    second = world.issue(KeyKind.REP_KEY, rep.ref)
    assert store.read(SingleKeyRef(rep.ref))[SingleKeyRef(rep.ref)] == second.key
    assert list(store.keys_of(rep.ref).items) == [second.key]
    assert world.key(first.key.id) == revoked
    ref = TokenRef(first.token.digest)
    grant = store.read(ref)[ref]
    assert grant is not None
    assert grant.revoked
    with pytest.raises(errors.KeyExists):
        world.issue(KeyKind.REP_KEY, rep.ref)


def test_whatever_becomes_of_a_revoked_single_key_its_successor_keeps_the_place(store: KeyStore, world: World) -> None:
    rep = world.rep()
    first = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    second = world.issue(KeyKind.REP_KEY, rep.ref).key

    def holder() -> Key | None:
        return store.read(SingleKeyRef(rep.ref))[SingleKeyRef(rep.ref)]

    amended = lifecycle.amend(world.desk, world.principal, first, description="the first")
    assert (world.key(first.id), holder()) == (amended, second)
    gone = lifecycle.delete(world.desk, world.principal, amended)
    assert (world.key(first.id), holder()) == (gone, second)
    assert list(store.keys_of(rep.ref, deleted=True).items) == [gone]
    back = lifecycle.undelete(world.desk, world.principal, gone)
    assert (world.key(first.id), holder()) == (back, second)
    lifecycle.delete(world.desk, world.principal, second)
    assert holder() is None
    alone = lifecycle.amend(world.desk, world.principal, back, description="alone")
    assert (world.key(first.id), holder()) == (alone, None)


def test_a_revoked_single_key_keeps_its_place_where_it_has_no_successor(store: KeyStore, world: World) -> None:
    rep = world.rep()
    ref = SingleKeyRef(rep.ref)
    revoked = lifecycle.revoke(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    amended = lifecycle.amend(world.desk, world.principal, revoked, description="the first")
    assert store.read(ref)[ref] == amended
    gone = lifecycle.delete(world.desk, world.principal, amended)
    assert store.read(ref)[ref] is None
    back = lifecycle.undelete(world.desk, world.principal, gone)
    assert store.read(ref)[ref] == back
    world.issue(KeyKind.REP_KEY, rep.ref)


def test_a_deleted_single_key_does_not_come_back_beside_another(store: KeyStore, world: World) -> None:
    rep = world.rep()
    ref = SingleKeyRef(rep.ref)
    gone = lifecycle.delete(world.desk, world.principal, world.issue(KeyKind.REP_KEY, rep.ref).key)
    second = world.issue(KeyKind.REP_KEY, rep.ref).key
    with pytest.raises(errors.KeyExists):
        lifecycle.undelete(world.desk, world.principal, gone)
    assert (store.read(ref)[ref], world.key(gone.id)) == (second, gone)
    lifecycle.revoke(world.desk, world.principal, second)
    back = lifecycle.undelete(world.desk, world.principal, gone)
    assert store.read(ref)[ref] == back


def test_a_deleted_key_comes_back_with_its_tokens_and_its_place(store: KeyStore, world: World) -> None:
    app = world.app()
    issued = world.issue(KeyKind.APP_SECRET, app.ref, description="tills")
    ref = TokenRef(issued.token.digest)
    gone = lifecycle.delete(world.desk, world.principal, issued.key)
    others = [world.issue(KeyKind.APP_SECRET, app.ref).key for _ in range(10)]
    with pytest.raises(errors.LimitReached):
        lifecycle.undelete(world.desk, world.principal, gone)
    assert store.read(ref)[ref] is None
    lifecycle.delete(world.desk, world.principal, others[0])
    back = lifecycle.undelete(world.desk, world.principal, gone)
    assert world.key(back.id) == back
    assert store.read(ref)[ref] == Grant.of(back, back.newest)
    assert back in store.keys_of(app.ref).items
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app.ref)


def test_a_deleted_key_comes_back_once_however_many_ask(store: KeyStore, world: World) -> None:
    app = world.app()
    gone = lifecycle.delete(world.desk, world.principal, world.issue(KeyKind.APP_SECRET, app.ref).key)

    def undelete(_: int) -> bool:
        try:
            lifecycle.undelete(world.desk, world.principal, gone)
        except (Stale, errors.Conflict):
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(undelete, range(6))) == 1
    for _ in range(9):
        world.issue(KeyKind.APP_SECRET, app.ref)
    with pytest.raises(errors.LimitReached):
        world.issue(KeyKind.APP_SECRET, app.ref)


# --- rotation ------------------------------------------------------------------------------------------------------


def test_both_secrets_are_found_during_an_overlap_and_one_after_it_was_ended(
    store: KeyStore, world: World, clock: FixedClock
) -> None:
    first = world.issue(KeyKind.NATIVE, world.app().ref)
    second = rotation.rotate(world.desk, world.principal, first.key, overlap_ms=HOUR_MS)
    refs = TokenRef(first.token.digest), TokenRef(second.token.digest)

    def found() -> list[tuple[int, int | None] | None]:
        reading = store.read(*refs)
        grants = [reading[ref] for ref in refs]
        return [None if grant is None else (grant.version, grant.retires_at_ms) for grant in grants]

    assert found() == [(1, clock.ms + HOUR_MS), (2, None)]
    assert world.key(first.key.id) == second.key
    longer = rotation.extend(world.desk, world.principal, second.key, overlap_ms=2 * HOUR_MS)
    assert found() == [(1, clock.ms + 2 * HOUR_MS), (2, None)]
    back = rotation.cancel(world.desk, world.principal, longer)
    assert found() == [(1, None), None]
    rotation.finish(
        world.desk,
        world.principal,
        rotation.rotate(world.desk, world.principal, back, overlap_ms=HOUR_MS).key,
    )
    assert found() == [None, None]


def test_what_may_be_done_once_is_refused_where_the_key_changed_meanwhile(store: KeyStore, world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref).key
    lifecycle.disable(world.desk, world.principal, key)
    refused(store, SaveKey(key.switched(False, 9), before=key, once=True), errors.Conflict)


def test_of_many_rotations_at_once_one_is_done(store: KeyStore, world: World) -> None:
    first = world.issue(KeyKind.NATIVE, world.app().ref)

    def rotate(_: int) -> Issued | None:
        try:
            return rotation.rotate(world.desk, world.principal, first.key, overlap_ms=HOUR_MS)
        except errors.Conflict:
            return None

    with ThreadPoolExecutor(6) as pool:
        done = [issued for issued in pool.map(rotate, range(6)) if issued is not None]
    assert [issued.key for issued in done] == [world.key(first.key.id)]
    ref = TokenRef(done[0].token.digest)
    assert store.read(ref)[ref] is not None


def test_a_disabled_or_expired_single_key_makes_no_room(store: KeyStore, world: World, clock: FixedClock) -> None:
    off, over = world.rep("off"), world.rep("over")
    lifecycle.disable(world.desk, world.principal, world.issue(KeyKind.REP_KEY, off.ref).key)
    world.issue(KeyKind.REP_KEY, over.ref, expires_at_ms=clock.ms + 1)
    clock.advance(1)
    for rep in (off, over):
        with pytest.raises(errors.KeyExists):
            world.issue(KeyKind.REP_KEY, rep.ref)


# --- side by side --------------------------------------------------------------------------------------------------


def test_versions_issued_side_by_side_have_neither_gap_nor_twin(store: KeyStore, world: World) -> None:
    key = world.channel(world.app()).key

    def regenerate(_: int) -> int:
        while True:
            try:
                return next_version(world.desk, world, world.key(key.id)).key.last_version
            except (Stale, errors.Conflict):
                continue

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(regenerate, range(12)))
    assert sorted(numbers) == list(range(2, 14))
    assert [version.number for version in world.key(key.id).versions] == [11, 12, 13]


def test_a_limit_holds_against_many_at_once(store: KeyStore, world: World) -> None:
    app = world.app()

    def issue(_: int) -> bool:
        while True:
            try:
                world.issue(KeyKind.APP_SECRET, app.ref)
            except errors.LimitReached:
                return False
            except errors.Conflict:
                continue
            return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(issue, range(18))) == 10
    assert len(store.keys_of(app.ref).items) == 10


def test_a_single_key_is_issued_once_however_many_ask(store: KeyStore, world: World) -> None:
    rep = world.rep()

    def issue(_: int) -> str | None:
        try:
            return world.issue(KeyKind.REP_KEY, rep.ref).key.id
        except errors.KeyExists:
            return None

    with ThreadPoolExecutor(6) as pool:
        ids = [key_id for key_id in pool.map(issue, range(6)) if key_id is not None]
    found = store.read(SingleKeyRef(rep.ref))[SingleKeyRef(rep.ref)]
    assert found is not None
    assert ids == [found.id]


# --- how a test says it --------------------------------------------------------------------------------------------


def refused(store: KeyStore, write: Write, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        store.commit(write)
    assert type(raised.value) is error


def everything(page: Callable[[str | None], Page[T]]) -> Sequence[T]:
    """All that the pages hold, up to the one that names no next."""
    found: list[T] = []
    after = None
    for _ in range(1000):
        answer = page(after)
        found += answer.items
        if (after := answer.next) is None:
            return found
    raise AssertionError("the pages never end")


def issued_later(world: World, clock: FixedClock, kind: KeyKind, owner: OwnerRef) -> Issued:
    clock.advance(1)
    return world.issue(kind, owner)


def next_version(desk: Desk, world: World, key: Key) -> Issued:
    return issuing.issue_version(desk, world.principal, key, creator=world.principal.creator())


def drafted(world: World, kind: KeyKind, owner: OwnerRef) -> Key:
    """A key that was never saved."""
    draft, _ = issuing.draft_key(world.desk, Order(kind=kind, owner=owner), Creator("operator", "Imani"))
    return draft


# --- the audit -----------------------------------------------------------------------------------------------------


def told(page: Page[Event]) -> list[tuple[str, str]]:
    return [(event.type.value, event.subject) for event in page.items]


def all_told(store: KeyStore, question: AuditQuestion, limit: int = 100) -> list[Event]:
    found: list[Event] = []
    after = None
    while True:
        page = store.audit(question, limit=limit, after=after)
        found += page.items
        if (after := page.next) is None:
            return found


@pytest.mark.answers("what happened to this owner and its keys?")
def test_an_owners_events_come_in_the_order_of_time(store: KeyStore, world: World, clock: FixedClock) -> None:
    app = world.app()
    key = issued_later(world, clock, KeyKind.NATIVE, app.ref).key
    world.issue(KeyKind.NATIVE, world.app().ref)
    lifecycle.disable(world.desk, world.principal, key)
    wanted = [("owner_created", app.id), ("key_issued", key.id), ("key_disabled", key.id)]
    question = AuditQuestion(tenant=world.tenant, owner=app.ref)
    assert told(store.audit(replace(question, newest_first=False))) == wanted
    assert told(store.audit(question)) == wanted[::-1]


@pytest.mark.answers("what happened to this key?")
def test_a_keys_events_are_found_by_its_id_and_tell_all_there_is(store: KeyStore, world: World) -> None:
    key, other = (world.issue(KeyKind.NATIVE, world.app().ref).key for _ in range(2))
    lifecycle.revoke(world.desk, world.principal, key, "left on a train")
    found = all_told(store, AuditQuestion(tenant=world.tenant, key_id=key.id, newest_first=False))
    assert [event.type for event in found] == [EventType.KEY_ISSUED, EventType.KEY_REVOKED]
    assert {event.subject for event in found} == {key.id} != {other.id}
    last = found[-1]
    assert last == Event(
        id=last.id,
        type=EventType.KEY_REVOKED,
        tenant=world.tenant,
        subject=key.id,
        owner=key.owner,
        actor=world.principal.key_id,
        actor_owner=world.operator.ref,
        at_ms=last.at_ms,
        version=1,
        reason="left on a train",
    )


@pytest.mark.answers("what did somebody's credentials do?")
def test_what_an_operators_credentials_did_is_found_by_the_operator(store: KeyStore, world: World) -> None:
    ama = world.add_operator()
    credentials = [world.issue(KeyKind.NATIVE, ama.ref).key for _ in range(2)]
    app = world.app()
    for credential in credentials:
        principal = Principal(credential.id, credential.kind, credential.owner, ("*",))
        issuing.issue(world.desk, principal, Order(kind=KeyKind.NATIVE, owner=app.ref))
    question = AuditQuestion(tenant=world.tenant, actor_owner=ama.ref, newest_first=False)
    assert [event.actor for event in all_told(store, question)] == [each.id for each in credentials]
    by_one = replace(question, actor=credentials[1].id)
    assert [event.actor for event in all_told(store, by_one)] == [credentials[1].id]


@pytest.mark.answers("what happened in this tenant?")
def test_a_tenants_events_are_its_own_and_nobody_elses(store: KeyStore, world: World, another_world: World) -> None:
    app = world.app()
    theirs = another_world.app(id=app.id)
    assert theirs.id == app.id
    question = AuditQuestion(tenant=world.tenant, newest_first=False)
    assert told(store.audit(question)) == [("tenant_created", world.tenant), ("owner_created", app.id)]
    for asked in (
        replace(question, owner=theirs.ref),
        replace(question, actor_owner=another_world.operator.ref),
        replace(question, key_id=another_world.principal.key_id),
    ):
        assert all_told(store, asked) == []


def test_the_audit_is_paged_either_way_without_a_gap_or_a_double(
    store: KeyStore, world: World, clock: FixedClock
) -> None:
    app = world.app()
    keys = [issued_later(world, clock, KeyKind.NATIVE, app.ref).key for _ in range(7)]
    for asked in (
        AuditQuestion(tenant=world.tenant),
        AuditQuestion(tenant=world.tenant, owner=app.ref),
        AuditQuestion(tenant=world.tenant, actor_owner=world.operator.ref),
        AuditQuestion(tenant=world.tenant, actor=world.principal.key_id),
    ):
        for question in (asked, replace(asked, newest_first=False)):
            whole = all_told(store, question)
            assert {key.id for key in keys} <= {event.subject for event in whole}
            assert sorted(whole, key=lambda event: (event.at_ms, event.id), reverse=question.newest_first) == whole
            for limit in (1, 3, len(whole)):
                assert all_told(store, question, limit) == whole


def test_the_audit_of_a_time_begins_with_its_first_and_ends_before_its_last_millisecond(
    store: KeyStore, world: World, clock: FixedClock
) -> None:
    app = world.app()
    keys = [issued_later(world, clock, KeyKind.NATIVE, app.ref).key for _ in range(4)]
    question = AuditQuestion(
        tenant=world.tenant, from_ms=keys[1].created_at_ms, until_ms=keys[3].created_at_ms, newest_first=False
    )
    assert [event.subject for event in all_told(store, question)] == [keys[1].id, keys[2].id]
    assert [event.subject for event in all_told(store, replace(question, owner=app.ref), 1)] == [
        keys[1].id,
        keys[2].id,
    ]


@pytest.mark.parametrize("after", ["", "x", "WyJhIl0", "bnVsbA", "\u00e9", "WzEsMiwzXQ", "W" * 400])
def test_a_continuation_of_the_audit_that_no_page_gave_is_refused(store: KeyStore, world: World, after: str) -> None:
    with pytest.raises(errors.FieldInvalid) as refused:
        store.audit(AuditQuestion(tenant=world.tenant), after=after)
    assert refused.value.field == "after"


def test_a_continuation_reaches_into_no_other_tenant_owner_or_time(
    store: KeyStore, world: World, another_world: World, clock: FixedClock
) -> None:
    for each in (world, another_world):
        app = each.app(id="the-same")
        for _ in range(3):
            issued_later(each, clock, KeyKind.NATIVE, app.ref)
    question = AuditQuestion(tenant=another_world.tenant, owner=another_world.app(id="beside").ref)
    theirs = store.audit(AuditQuestion(tenant=another_world.tenant), limit=2).next
    assert theirs is not None
    for asked in (question, replace(question, owner=None, until_ms=1)):
        with pytest.raises(errors.FieldInvalid):
            store.audit(asked, after=theirs)
    try:
        ours = store.audit(AuditQuestion(tenant=world.tenant), after=theirs).items
    except errors.FieldInvalid:
        ours = ()
    assert {event.tenant for event in ours} <= {world.tenant}


def test_a_refused_use_is_noted_ten_times_in_its_minute_even_by_many_at_once(store: KeyStore, world: World) -> None:
    key, minute = world.issue(KeyKind.NATIVE, world.app().ref).key, 1_790_000_040_000

    def note(n: int) -> str:
        at_ms = minute + n
        event = Event(
            id=tokens.new_event_id(at_ms),
            type=EventType.KEY_REFUSED,
            tenant=world.tenant,
            subject=key.id,
            owner=key.owner,
            actor=key.id,
            at_ms=at_ms,
            reason="revoked",
        )
        try:
            store.note(event, at_most=10, within_ms=60_000)
        except errors.LimitReached:
            return "enough"
        return "noted"

    with ThreadPoolExecutor(8) as threads:
        outcomes = [*threads.map(note, range(30))]
    assert sorted(outcomes) == ["enough"] * 20 + ["noted"] * 10
    found = all_told(store, AuditQuestion(tenant=world.tenant, key_id=key.id))
    assert sum(event.type is EventType.KEY_REFUSED for event in found) == 10
    assert note(60_000) == "noted"

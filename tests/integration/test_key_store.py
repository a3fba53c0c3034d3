"""The contract of KeyStore, kept alike by the adapter on a table made from template.yaml and by the fake."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from keywright import errors, issuing, lifecycle, registry, tokens
from keywright.adapters import dynamodb
from keywright.issuing import Issued, Order
from keywright.model import (
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
    Desk,
    KeyRef,
    KeyStore,
    OwnerAt,
    Page,
    Record,
    Ref,
    Require,
    RequireNoKey,
    SaveKey,
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


@pytest.mark.answers("which keys are due to expire?")
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


def test_one_record_in_two_writes_is_a_fault_of_the_program(store: KeyStore, world: World) -> None:
    with pytest.raises(errors.Fault):
        store.commit(Require(world.operator.ref), SaveOwner(world.operator.changed(2), world.operator))


def test_events_of_one_commit_about_one_owner_are_both_kept(store: KeyStore, world: World) -> None:
    about = {"tenant": world.tenant, "owner": world.operator.ref, "actor": "test", "at_ms": 1}
    store.commit(
        Record(Event(type=EventType.OWNER_CHANGED, subject="a", **about)),  # type: ignore[arg-type]
        Record(Event(type=EventType.KEY_ISSUED, subject="b", **about)),  # type: ignore[arg-type]
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

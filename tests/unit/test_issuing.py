from __future__ import annotations

from dataclasses import replace

import pytest

from keywright import errors, issuing, lifecycle, registry
from keywright.access import Principal
from keywright.issuing import Issued, Order
from keywright.model import RULES, Creator, EventType, Key, KeyKind, OwnerKind, OwnerRef, Platform
from keywright.ports import KeyRef, Require, SealedSecret, SingleKeyRef, Stale
from tests.fakes import Fakes
from tests.world import World

HOUR_MS = 3_600_000


def owner_of(world: World, kind: KeyKind) -> OwnerRef:
    """One that may have a key of that kind."""
    match next(iter(RULES[kind].owners)) if kind is not KeyKind.NATIVE else OwnerKind.APP:
        case OwnerKind.OPERATOR:
            return world.operator.ref
        case OwnerKind.SUPPORT_REP:
            return world.rep().ref
        case OwnerKind.INTEGRATION:
            return world.integration(world.app()).ref
    return world.app().ref


ISSUED = [kind for kind in KeyKind if OwnerKind.CHANNEL not in RULES[kind].owners or kind is KeyKind.NATIVE]


@pytest.mark.parametrize("kind", ISSUED)
def test_a_key_of_every_kind_is_issued_sealed_and_told(world: World, fakes: Fakes, kind: KeyKind) -> None:
    owner = owner_of(world, kind)
    fakes.store.calls.clear()
    sealed = fakes.vault.sealed
    issued = world.issue(kind, owner, description="tills", scopes=("keys:read",), expires_at_ms=fakes.clock.ms + 1)
    assert fakes.store.calls == ["commit"]
    assert fakes.vault.sealed == sealed + 1

    key = issued.key
    assert (key.kind, key.owner, key.last_version, key.revision) == (kind, owner, 1, 1)
    assert (key.description, key.scopes, key.expires_at_ms) == ("tills", ("keys:read",), fakes.clock.ms + 1)
    assert key.creator == Creator(world.operator.id, world.operator.id)
    assert (key.created_at_ms, key.modified_at_ms) == (fakes.clock.ms, fakes.clock.ms)
    assert key.id.startswith(RULES[kind].id_prefix)
    assert key.newest.digest == issued.token.digest
    assert fakes.vault.reveal([SealedSecret.of(key, key.newest)]) == [issued.token]

    event = fakes.store.events[-1]
    assert (event.type, event.subject, event.owner) == (EventType.KEY_ISSUED, key.id, owner)
    assert (event.actor, event.tenant, event.version) == (world.principal.key_id, world.tenant, 1)
    assert (event.at_ms, event.reason) == (fakes.clock.ms, "")


def test_the_creator_may_be_called_by_another_name(world: World) -> None:
    order = Order(kind=KeyKind.NATIVE, owner=world.operator.ref)
    issued = issuing.issue(world.desk, world.principal, order, creator=Creator("21", "Imani"))
    assert issued.key.creator == issued.key.newest.creator == Creator("21", "Imani")


def test_the_token_is_marked_by_the_stage_of_the_installation(world: World) -> None:
    assert world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal().startswith("kw_test_")


@pytest.mark.parametrize(
    ("kind", "owner_kind"),
    [(kind, owner) for kind in KeyKind for owner in OwnerKind if owner not in RULES[kind].owners],
)
def test_a_kind_of_key_is_for_its_kinds_of_owner_alone(
    world: World, fakes: Fakes, kind: KeyKind, owner_kind: OwnerKind
) -> None:
    before = dict(fakes.store.keys)
    with pytest.raises(errors.FieldInvalid) as refused:
        world.issue(kind, OwnerRef(world.tenant, owner_kind, "any"))
    assert refused.value.field == "kind"
    assert fakes.store.keys == before


@pytest.mark.parametrize("ms", [0, -1, -HOUR_MS, -(10**15)])
def test_an_expiry_that_is_past_or_now_is_refused(world: World, fakes: Fakes, ms: int) -> None:
    with pytest.raises(errors.FieldInvalid) as refused:
        world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=fakes.clock.ms + ms)
    assert refused.value.field == "expires_at"


def test_more_scopes_than_the_callers_are_refused_before_anything_is_done(world: World, fakes: Fakes) -> None:
    caller = replace(world.principal, scopes=("keys:*",))
    fakes.store.calls.clear()
    sealed = fakes.vault.sealed
    for scopes in (("owners:read",), ("keys:issue", "*"), ("installation:tenants",)):
        with pytest.raises(errors.ScopeMissing):
            issuing.issue(world.desk, caller, Order(kind=KeyKind.NATIVE, owner=world.operator.ref, scopes=scopes))
    assert (fakes.store.calls, fakes.vault.sealed) == ([], sealed)


def test_an_order_for_another_tenant_is_an_error_of_the_program(world: World, another_world: World) -> None:
    with pytest.raises(ValueError, match="own tenant"):
        world.issue(KeyKind.NATIVE, another_world.operator.ref)


@pytest.mark.parametrize("kind", ISSUED)
def test_nothing_is_issued_to_an_owner_that_is_not_there(world: World, fakes: Fakes, kind: KeyKind) -> None:
    owner = replace(owner_of(world, kind), id="nobody")
    before = dict(fakes.store.keys)
    with pytest.raises(errors.OwnerNotFound):
        world.issue(kind, owner)
    assert fakes.store.keys == before


def test_a_rep_needs_login_and_role(world: World) -> None:
    with pytest.raises(errors.LoginNotEnabled):
        world.issue(KeyKind.REP_KEY, world.rep("a", login_enabled=False, role=None).ref)
    with pytest.raises(errors.RoleNotAssigned):
        world.issue(KeyKind.REP_KEY, world.rep("b", role=None).ref)


def test_an_integration_must_be_custom_and_an_app_published(world: World) -> None:
    with pytest.raises(errors.NotCustom):
        world.issue(KeyKind.INTEGRATION_SECRET, world.integration(world.app(), type="web").ref)
    with pytest.raises(errors.NotPublished):
        world.issue(KeyKind.APP_API_KEY, world.app(published=False).ref)


@pytest.mark.parametrize(
    "kind", [KeyKind.NATIVE, KeyKind.ACCESS_TOKEN, KeyKind.ACCOUNT_SECRET, KeyKind.SERVICE_ACCOUNT_SECRET]
)
def test_no_key_of_any_kind_is_issued_to_a_disabled_operator(world: World, kind: KeyKind) -> None:
    operator = world.add_operator()
    registry.change(world.desk, world.principal, operator, {"enabled": False})
    with pytest.raises(errors.OperatorDisabled):
        world.issue(kind, operator.ref)


@pytest.mark.parametrize("kind", [KeyKind.APP_SECRET, KeyKind.INTEGRATION_SECRET, KeyKind.APP_API_KEY])
def test_the_key_beyond_the_limit_is_refused_and_says_the_limit(world: World, fakes: Fakes, kind: KeyKind) -> None:
    owner, limit = owner_of(world, kind), RULES[kind].limit
    assert limit is not None
    for _ in range(limit):
        world.issue(kind, owner)
    before = dict(fakes.store.keys)
    with pytest.raises(errors.LimitReached) as refused:
        world.issue(kind, owner)
    assert refused.value.limit == limit
    assert fakes.store.keys == before


def test_a_rep_has_one_key(world: World) -> None:
    rep = world.rep()
    world.issue(KeyKind.REP_KEY, rep.ref)
    with pytest.raises(errors.KeyExists):
        world.issue(KeyKind.REP_KEY, rep.ref)


def test_nothing_is_written_while_the_vault_is_down(world: World, fakes: Fakes) -> None:
    fakes.store.calls.clear()
    fakes.vault.down = True
    with pytest.raises(errors.Unavailable):
        world.issue(KeyKind.NATIVE, world.operator.ref)
    assert fakes.store.calls == []


def test_a_transient_key_is_of_a_kind_without_limit(world: World, fakes: Fakes) -> None:
    order = {"expires_at_ms": fakes.clock.ms + HOUR_MS, "transient": True}
    assert world.issue(KeyKind.NATIVE, world.operator.ref, **order).key.purge_at_ms is not None
    with pytest.raises(ValueError, match="place"):
        world.issue(KeyKind.APP_SECRET, world.app().ref, **order)


# --- versions ------------------------------------------------------------------------------------------------------


def following(world: World, key: Key, caller: Principal | None = None) -> Issued:
    return issuing.issue_version(world.desk, caller or world.principal, key, creator=Creator("21", "Imani"))


def test_the_next_version_is_sealed_under_its_own_number_and_told(world: World, fakes: Fakes) -> None:
    opened = world.channel(world.app(), Platform.IOS)
    fakes.store.calls.clear()
    issued = following(world, opened.key)
    assert fakes.store.calls == ["commit"]
    assert (issued.key.id, issued.key.last_version, issued.key.newest.number) == (opened.key.id, 2, 2)
    assert issued.key.newest.creator == Creator("21", "Imani")
    assert issued.key.creator == opened.key.creator
    assert fakes.vault.reveal([SealedSecret.of(issued.key, each) for each in issued.key.versions]) == [
        opened.token,
        issued.token,
    ]
    event = fakes.store.events[-1]
    assert (event.type, event.subject, event.version) == (EventType.VERSION_ISSUED, opened.key.id, 2)


def test_a_version_of_a_key_that_changed_meanwhile_is_stale(world: World) -> None:
    key = world.channel(world.app()).key
    following(world, key)
    with pytest.raises(Stale):
        following(world, key)


def test_what_belongs_to_the_same_change_is_refused_with_it(world: World) -> None:
    key = world.channel(world.app()).key
    ghost = Require(OwnerRef(world.tenant, OwnerKind.APP, "ghost"))
    with pytest.raises(errors.AppNotFound):
        issuing.issue_version(world.desk, world.principal, key, creator=key.creator, also=lambda _: (ghost,))
    assert world.key(key.id) == key


def test_a_version_of_a_revoked_key_is_the_first_of_its_successor_and_counts_on(world: World) -> None:
    opened = world.channel(world.app())
    second = following(world, opened.key)
    ended = lifecycle.revoke(world.desk, world.principal, second.key)
    third = following(world, ended)
    assert third.key.id != ended.id
    assert [version.number for version in third.key.versions] == [3]
    assert (third.key.last_version, third.key.pairing_digest) == (3, ended.pairing_digest)
    assert world.key(ended.id) == ended
    ref = SingleKeyRef(opened.channel.ref)
    assert world.desk.store.read(ref)[ref] == third.key


def test_a_revoked_key_has_one_successor(world: World) -> None:
    ended = lifecycle.revoke(world.desk, world.principal, world.channel(world.app()).key)
    first = following(world, ended)
    with pytest.raises(Stale):
        following(world, ended)
    ref = KeyRef(first.key.id)
    assert world.desk.store.read(ref)[ref] == first.key


@pytest.mark.parametrize("ms", [-1, 0])
def test_a_next_version_for_a_time_that_is_past_or_now_is_refused(world: World, fakes: Fakes, ms: int) -> None:
    key = world.issue(KeyKind.REP_KEY, world.rep().ref).key
    creator, ends = world.principal.creator(), fakes.clock.ms + ms
    with pytest.raises(errors.FieldInvalid) as refused:
        issuing.issue_version(world.desk, world.principal, key, creator=creator, expires_at_ms=ends)
    assert refused.value.field == "expires_at"
    assert world.key(key.id) == key


def test_only_a_single_key_has_a_successor(world: World) -> None:
    key = world.issue(KeyKind.APP_SECRET, world.app().ref).key
    revoked = lifecycle.revoke(world.desk, world.principal, key)
    with pytest.raises(ValueError, match="single"):
        issuing.issue_version(world.desk, world.principal, revoked, creator=world.principal.creator())

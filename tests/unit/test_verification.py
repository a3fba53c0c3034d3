from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

import pytest

from keywright import errors, issuing, lifecycle, registry, rotation
from keywright.caching import GrantCache
from keywright.limits import Every, Quota
from keywright.model import (
    LOGIN_ENABLED,
    ROLE_ASSIGNED,
    Grant,
    KeyKind,
    Owner,
    Platform,
    Reason,
    Verification,
    Version,
)
from keywright.usage import LastUse, Use
from keywright.verification import Asked, Presented, fulfils, unmet, verify, verify_all
from tests.fakes import Fakes
from tests.world import World


def verdict(world: World, presented: Presented | str) -> Verification:
    return verify(world.desk, world.tenant, Presented.token(presented) if isinstance(presented, str) else presented)


# --- each format ---------------------------------------------------------------------------------------------------


OWNERS: dict[str, Callable[[World], Owner]] = {
    "an operator": lambda world: world.operator,
    "an unpublished app": lambda world: world.app(published=False),
    "a published app": lambda world: world.app(published=True),
    "a custom integration": lambda world: world.integration(world.app()),
    "a rep": lambda world: world.rep(),
    "a rep without login or role": lambda world: world.rep(login_enabled=False, role=None),
}


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        *((KeyKind.NATIVE, owner) for owner in OWNERS),
        (KeyKind.ACCESS_TOKEN, "an operator"),
        (KeyKind.REP_KEY, "a rep"),
        (KeyKind.ACCOUNT_SECRET, "an operator"),
        (KeyKind.SERVICE_ACCOUNT_SECRET, "an operator"),
        (KeyKind.APP_SECRET, "an unpublished app"),
        (KeyKind.INTEGRATION_SECRET, "a custom integration"),
        (KeyKind.APP_API_KEY, "a published app"),
    ],
)
def test_a_new_key_of_every_kind_is_valid(world: World, kind: KeyKind, owner: str) -> None:
    ref = OWNERS[owner](world).ref
    issued = world.issue(kind, ref, scopes=("keys:read",))
    found = verdict(world, issued.token.reveal())
    assert found.valid
    assert found.grant is not None
    assert (found.grant.key_id, found.grant.owner, found.grant.version) == (issued.key.id, ref, 1)
    assert found.grant.scopes == ("keys:read",)


@pytest.mark.parametrize("platform", Platform)
def test_the_access_key_of_a_channel_is_valid_alone_in_both_spellings(world: World, platform: Platform) -> None:
    token = world.channel(world.app(), platform).token.reveal()
    assert verdict(world, token).valid
    assert verdict(world, unquote(token)).valid


def test_every_kept_version_is_valid_and_an_evicted_one_unknown(world: World) -> None:
    opened = world.channel(world.app())
    key, shown = opened.key, [opened.token.reveal()]
    for _ in range(3):
        issued = issuing.issue_version(world.desk, world.principal, key, creator=world.principal.creator())
        key, shown = issued.key, [*shown, issued.token.reveal()]
    assert [verdict(world, token).reason for token in shown] == [Reason.UNKNOWN, None, None, None]
    off = lifecycle.switch_version(world.desk, world.principal, key, 3, enabled=False)
    assert [verdict(world, token).reason for token in shown[1:]] == [None, Reason.DISABLED, None]
    lifecycle.delete_version(world.desk, world.principal, off, 4)
    assert [verdict(world, token).reason for token in shown[1:]] == [None, Reason.DISABLED, Reason.UNKNOWN]


# --- each reason ---------------------------------------------------------------------------------------------------


def test_a_key_stops_in_the_millisecond_it_expires(world: World, fakes: Fakes) -> None:
    token = world.issue(KeyKind.NATIVE, world.operator.ref, expires_at_ms=fakes.clock.ms + 1000).token.reveal()
    fakes.clock.advance(999)
    assert verdict(world, token).valid
    fakes.clock.advance(1)
    assert verdict(world, token).reason is Reason.EXPIRED


def test_a_disabled_key_stops_at_once_and_lives_again_when_it_is_enabled(world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    off = lifecycle.disable(world.desk, world.principal, issued.key)
    assert verdict(world, issued.token.reveal()).reason is Reason.DISABLED
    lifecycle.enable(world.desk, world.principal, off)
    assert verdict(world, issued.token.reveal()).valid


def test_a_revoked_key_stops_at_once_and_for_good(world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    lifecycle.revoke(world.desk, world.principal, issued.key, "leaked")
    assert verdict(world, issued.token.reveal()) == Verification(Reason.REVOKED)


def test_a_deleted_key_is_unknown_at_once(world: World) -> None:
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref)
    lifecycle.delete(world.desk, world.principal, issued.key)
    assert verdict(world, issued.token.reveal()).reason is Reason.UNKNOWN


def test_a_refused_verification_says_nothing_but_why(world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref)
    lifecycle.disable(world.desk, world.principal, issued.key)
    assert verdict(world, issued.token.reveal()).grant is None


def test_a_token_of_another_tenant_is_unknown_whatever_its_state(world: World, another_world: World) -> None:
    theirs = another_world.issue(KeyKind.NATIVE, another_world.operator.ref)
    assert verdict(world, theirs.token.reveal()) == Verification(Reason.UNKNOWN)
    lifecycle.revoke(another_world.desk, another_world.principal, theirs.key)
    assert verdict(world, theirs.token.reveal()) == Verification(Reason.UNKNOWN)
    assert verdict(another_world, theirs.token.reveal()).reason is Reason.REVOKED


def test_a_token_that_was_never_issued_is_unknown(world: World, fakes: Fakes) -> None:
    fakes.store.calls.clear()
    assert verdict(world, "00000000-0000-4000-8000-000000000000").reason is Reason.UNKNOWN
    assert fakes.store.calls == ["read"]


# --- pairs and key ids ---------------------------------------------------------------------------------------------


def test_a_pair_is_valid_when_both_halves_are_of_the_same_app(world: World) -> None:
    first, second = world.channel(world.app()), world.channel(world.app("another"))
    ios = world.channel(first.app, Platform.IOS)
    access_key, app_key = first.token.reveal(), first.pairing.reveal()
    assert verdict(world, Presented.with_pairing(app_key, access_key)).valid
    assert verdict(world, Presented.with_pairing(app_key, ios.token.reveal())).valid
    for wrong in (second.pairing.reveal(), access_key, "", "x", app_key.swapcase(), f"{app_key} "):
        assert verdict(world, Presented.with_pairing(wrong, access_key)).reason is Reason.UNKNOWN
    assert verdict(world, Presented.with_pairing(app_key, second.token.reveal())).reason is Reason.UNKNOWN


def test_the_shared_half_opens_nothing_alone(world: World) -> None:
    opened = world.channel(world.app())
    pairing = opened.pairing.reveal()
    assert verdict(world, pairing).reason is Reason.UNKNOWN
    assert verdict(world, Presented.with_pairing(pairing, pairing)).reason is Reason.UNKNOWN


def test_a_key_without_another_half_is_no_pair(world: World) -> None:
    issued = world.issue(KeyKind.APP_SECRET, world.app().ref)
    pairing = world.channel(world.app()).pairing.reveal()
    for half in (pairing, "", "-"):
        assert verdict(world, Presented.with_pairing(half, issued.token.reveal())).reason is Reason.UNKNOWN


def test_a_secret_is_valid_under_its_own_key_id_alone(world: World) -> None:
    app = world.app()
    first, second = world.issue(KeyKind.APP_SECRET, app.ref), world.issue(KeyKind.APP_SECRET, app.ref)
    secret = first.token.reveal()
    assert verdict(world, Presented.with_key_id(first.key.id, secret)).valid
    for wrong in (second.key.id, "", first.key.id.upper(), f"{first.key.id} ", "kéy"):
        assert verdict(world, Presented.with_key_id(wrong, secret)).reason is Reason.UNKNOWN


# --- the owner as it is now ----------------------------------------------------------------------------------------


def test_a_reps_key_stops_while_the_rep_has_no_role(world: World) -> None:
    rep = world.rep()
    token = world.issue(KeyKind.REP_KEY, rep.ref).token.reveal()
    changed = registry.change(world.desk, world.principal, rep, {"role": None})
    assert verdict(world, token) == Verification(Reason.OWNER_NOT_ELIGIBLE, cause=errors.RoleNotAssigned)
    registry.change(world.desk, world.principal, changed, {"role": "SDGuest"})
    assert verdict(world, token).valid


def test_a_reps_key_does_not_come_back_with_the_login(world: World) -> None:
    rep = world.rep()
    issued = world.issue(KeyKind.REP_KEY, rep.ref)
    changed = registry.change(world.desk, world.principal, rep, {"login_enabled": False}, key=issued.key)
    registry.change(world.desk, world.principal, changed, {"login_enabled": True})
    assert verdict(world, issued.token.reveal()).reason is Reason.UNKNOWN


def test_an_apps_api_key_stops_while_the_app_is_not_published(world: World) -> None:
    app = world.app(published=True)
    token = world.issue(KeyKind.APP_API_KEY, app.ref).token.reveal()
    registry.change(world.desk, world.principal, app, {"published": False})
    assert verdict(world, token).reason is Reason.OWNER_NOT_ELIGIBLE


def test_a_channels_access_key_stops_while_the_channel_is_switched_off(world: World) -> None:
    opened = world.channel(world.app())
    registry.change(world.desk, world.principal, opened.channel, {"enabled": False})
    assert verdict(world, opened.token.reveal()).reason is Reason.OWNER_NOT_ELIGIBLE


@pytest.mark.parametrize("kind", [KeyKind.ACCESS_TOKEN, KeyKind.ACCOUNT_SECRET, KeyKind.SERVICE_ACCOUNT_SECRET])
def test_an_operators_secret_stops_while_the_operator_is_disabled(world: World, kind: KeyKind) -> None:
    operator = world.add_operator()
    token = world.issue(kind, operator.ref).token.reveal()
    registry.change(world.desk, world.principal, operator, {"enabled": False})
    assert verdict(world, token).reason is Reason.OWNER_NOT_ELIGIBLE


def test_the_keys_own_state_is_told_before_its_owners(world: World) -> None:
    rep = world.rep()
    issued = world.issue(KeyKind.REP_KEY, rep.ref)
    registry.change(world.desk, world.principal, rep, {"role": None})
    lifecycle.revoke(world.desk, world.principal, issued.key)
    assert verdict(world, issued.token.reveal()).reason is Reason.REVOKED


def test_an_owner_that_is_gone_permits_nothing(world: World, fakes: Fakes) -> None:
    rep = world.rep()
    issued = world.issue(KeyKind.REP_KEY, rep.ref)
    del fakes.store.everybody[rep.ref]
    assert verdict(world, issued.token.reveal()) == Verification(Reason.OWNER_NOT_ELIGIBLE, cause=errors.OwnerNotFound)


def test_the_first_requirement_that_is_not_met_is_the_one_that_is_told(world: World) -> None:
    required = LOGIN_ENABLED, ROLE_ASSIGNED
    assert unmet(world.rep("a"), required) is None
    assert unmet(world.rep("b", role=None), required) is errors.RoleNotAssigned
    assert unmet(world.rep("c", login_enabled=False, role=None), required) is errors.LoginNotEnabled
    assert unmet(None, required) is errors.OwnerNotFound
    assert fulfils(world.rep("d"), required)
    assert not fulfils(world.rep("e", role=None), required)


def test_a_valid_token_comes_with_the_owner_that_was_looked_at(world: World) -> None:
    rep = world.rep()
    assert verdict(world, world.issue(KeyKind.REP_KEY, rep.ref).token.reveal()).owner == rep
    assert verdict(world, world.issue(KeyKind.NATIVE, rep.ref).token.reveal()).owner is None


def test_a_token_of_another_kind_than_is_asked_for_is_unknown(world: World) -> None:
    presented = Presented.token(world.issue(KeyKind.REP_KEY, world.rep().ref).token.reveal())
    assert verify(world.desk, world.tenant, presented, kinds={KeyKind.REP_KEY}).valid
    assert verify(world.desk, world.tenant, presented, kinds={KeyKind.NATIVE}) == Verification(Reason.UNKNOWN)


# --- what it costs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", ["", "x", "kw_test_" + "A" * 49, "%FF", "é", "a" * 10_000, "1000.zz.zz"])
def test_garbage_is_unknown_without_any_read(world: World, fakes: Fakes, garbage: str) -> None:
    fakes.store.calls.clear()
    pairing = world.tenant
    for presented in (
        Presented.token(garbage),
        Presented.with_key_id("key_1", garbage),
        Presented.with_pairing(pairing, garbage),
    ):
        assert verdict(world, presented).reason is Reason.UNKNOWN
    assert fakes.store.calls == []


def test_a_token_is_verified_by_one_read_and_by_a_second_where_the_owners_state_counts(
    world: World, fakes: Fakes
) -> None:
    plain = world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal()
    rep = world.issue(KeyKind.REP_KEY, world.rep().ref).token.reveal()
    fakes.store.calls.clear()
    assert verdict(world, plain).valid
    assert fakes.store.calls == ["read"]
    assert verdict(world, rep).valid
    assert fakes.store.calls == ["read"] * 3


def test_what_was_read_with_the_caller_is_not_read_again(world: World, fakes: Fakes) -> None:
    presented = Presented.token(world.issue(KeyKind.NATIVE, world.operator.ref).token.reveal())
    reading = fakes.store.read(*presented.refs)
    fakes.store.calls.clear()
    assert verify(world.desk, world.tenant, presented, reading).valid
    assert fakes.store.calls == []


def test_verification_never_asks_the_vault(world: World, fakes: Fakes) -> None:
    opened = world.channel(world.app())
    fakes.vault.down = True
    assert verdict(world, Presented.with_pairing(opened.pairing.reveal(), opened.token.reveal())).valid


# --- uses ----------------------------------------------------------------------------------------------------------


class Noted:
    def __init__(self) -> None:
        self.uses: list[tuple[str, int, LastUse]] = []

    def note(self, key_id: str, version: int, use: LastUse) -> None:
        self.uses.append((key_id, version, use))


def test_a_good_use_is_counted_and_noted_and_a_look_is_neither(world: World, fakes: Fakes) -> None:
    noted = Noted()
    desk = replace(fakes.desk, notes=noted)
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, quota=Quota(1, Every.DAY))
    presented = Presented.token(issued.token.reveal())
    assert verify(desk, world.tenant, presented, use=Use(cost=0)).valid
    assert (fakes.store.calls.count("spend"), noted.uses) == (0, [])
    use = Use("203.0.113.7", "curl/8.5.0")
    assert verify(desk, world.tenant, presented, use=use).valid
    refused = verify(desk, world.tenant, presented, use=use)
    assert (refused.reason, refused.grant, refused.known) == (
        Reason.QUOTA_EXCEEDED,
        None,
        Grant.of(issued.key, issued.key.newest),
    )
    at_ms = fakes.clock.now_ms()
    assert noted.uses == [(issued.key.id, 1, LastUse(at_ms, "203.0.113.7", "curl/8.5.0"))]


def test_what_is_refused_for_another_reason_does_not_count(world: World, fakes: Fakes) -> None:
    rep = world.rep(role=None)
    issued = world.issue(
        KeyKind.REP_KEY, world.change(rep, role="SDAdmin").ref, quota=Quota(1, Every.DAY), allowed_cidrs=("::1/128",)
    )
    presented = Presented.token(issued.token.reveal())
    assert verify(fakes.desk, world.tenant, presented).reason is Reason.ADDRESS_NOT_ALLOWED
    world.change(rep, role=None)
    assert verify(fakes.desk, world.tenant, presented, use=Use("::1")).reason is Reason.OWNER_NOT_ELIGIBLE
    assert verify(fakes.desk, "t-other", presented, use=Use("::1")).reason is Reason.UNKNOWN
    assert "spend" not in fakes.store.calls


# --- the cache -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 1, 30, 60])
def test_a_revoke_is_believed_after_exactly_as_long_as_the_keys_owner_has_said(
    world: World, fakes: Fakes, seconds: int
) -> None:
    """The last moment of reading before the revoke is the worst: from then on it takes as long as it may."""
    desk = fakes.desk
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, cache_seconds=seconds)
    presented = Presented.token(issued.token.reveal())
    assert verify(desk, world.tenant, presented).valid
    lifecycle.revoke(desk, world.principal, issued.key)
    for elapsed_ms in (0, 1, seconds * 1000 - 1):
        if 0 <= elapsed_ms < seconds * 1000:
            fakes.clock.ms, start = fakes.clock.ms + elapsed_ms, fakes.clock.ms
            assert verify(desk, world.tenant, presented).valid, elapsed_ms
            fakes.clock.ms = start
    fakes.clock.advance(seconds * 1000)
    assert verify(desk, world.tenant, presented).reason is Reason.REVOKED


def test_what_is_remembered_is_not_read_again_and_each_reading_counts_from_its_own_beginning(
    world: World, fakes: Fakes
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, cache_seconds=10)
    presented, desk = Presented.token(issued.token.reveal()), fakes.desk
    reading, read_at_ms = desk.store.read(*presented.refs), fakes.clock.now_ms()
    fakes.clock.advance(4_000)  # as long as somebody took to make use of the reading
    assert verify(desk, world.tenant, presented, reading, read_at_ms=read_at_ms).valid
    reads = fakes.store.calls.count("read")
    fakes.clock.advance(5_999)
    assert verify(desk, world.tenant, presented).valid
    assert fakes.store.calls.count("read") == reads
    fakes.clock.advance(1)
    assert verify(desk, world.tenant, presented).valid
    assert fakes.store.calls.count("read") == reads + 1


def test_a_reading_of_which_nobody_says_when_it_began_is_not_remembered(world: World, fakes: Fakes) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, cache_seconds=10)
    presented, desk = Presented.token(issued.token.reveal()), fakes.desk
    assert verify(desk, world.tenant, presented, desk.store.read(*presented.refs)).valid
    assert desk.cache.find(presented.refs[0].digest, fakes.clock.now_ms()) is None


def test_expiry_limits_addresses_tenant_and_the_public_half_are_exact_from_the_cache_too(
    world: World, fakes: Fakes
) -> None:
    expires_at_ms = fakes.clock.now_ms() + 5_000
    issued = world.issue(
        KeyKind.APP_SECRET,
        world.app().ref,
        cache_seconds=60,
        expires_at_ms=expires_at_ms,
        quota=Quota(3, Every.DAY),
        allowed_cidrs=("::1/128",),
    )
    desk, here = fakes.desk, Use("::1")
    pair = Presented.with_key_id(issued.key.id, issued.token.reveal())
    assert verify(desk, world.tenant, pair, use=here).valid
    reads = fakes.store.calls.count("read")
    assert (
        verify(desk, world.tenant, Presented.with_key_id("app_x", issued.token.reveal()), use=here).reason
        is Reason.UNKNOWN
    )
    assert verify(desk, "t-other", pair, use=here).reason is Reason.UNKNOWN
    assert verify(desk, world.tenant, pair, use=Use("::2")).reason is Reason.ADDRESS_NOT_ALLOWED
    verdicts = [verify(desk, world.tenant, pair, use=here).reason for _ in range(3)]
    assert verdicts == [None, None, Reason.QUOTA_EXCEEDED]
    fakes.clock.ms = expires_at_ms - 1
    assert verify(desk, world.tenant, pair, use=here._replace(cost=0)).valid
    fakes.clock.ms = expires_at_ms
    assert verify(desk, world.tenant, pair, use=here).reason is Reason.EXPIRED
    assert fakes.store.calls.count("read") == reads


def test_the_owner_is_looked_at_whatever_is_remembered(world: World, fakes: Fakes) -> None:
    app = world.app()
    desk = fakes.desk
    issued = world.issue(KeyKind.APP_API_KEY, app.ref, cache_seconds=60)
    presented = Presented.token(issued.token.reveal())
    assert verify(desk, world.tenant, presented).valid
    world.change(app, published=False)
    assert verify(desk, world.tenant, presented).reason is Reason.OWNER_NOT_ELIGIBLE


def test_a_clock_that_is_set_back_makes_nothing_last_longer(world: World, fakes: Fakes) -> None:
    desk = fakes.desk
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, cache_seconds=60)
    presented = Presented.token(issued.token.reveal())
    assert verify(desk, world.tenant, presented).valid
    lifecycle.revoke(desk, world.principal, issued.key)
    fakes.clock.advance(-1)
    assert verify(desk, world.tenant, presented).reason is Reason.REVOKED


def test_only_so_many_are_remembered(world: World) -> None:
    cache = GrantCache()
    grant = Grant.of(replace(world.issue(KeyKind.NATIVE, world.operator.ref).key, cache_seconds=60), _newest(world))
    for n in range(10_001):
        cache.keep(str(n), grant, 0)
    assert cache.find("0", 0) is None
    assert cache.find("1", 0) is grant
    cache.keep("1", replace(grant, cache_seconds=0), 1)
    assert cache.find("1", 1) is None


def _newest(world: World) -> Version:
    return world.issue(KeyKind.NATIVE, world.operator.ref).key.newest


# --- several at once -----------------------------------------------------------------------------------------------


def test_several_are_verified_as_each_would_be_alone(world: World, fakes: Fakes) -> None:
    app = world.app()
    issued = [world.issue(KeyKind.APP_API_KEY, app.ref, quota=Quota(1, Every.DAY)) for _ in range(3)]
    presented = [Presented.token(each.token.reveal()) for each in issued]
    asked = [Asked(each, use=Use(cost=cost)) for each, cost in zip(presented, (1, 0, 2), strict=True)]
    asked += [Asked(presented[0], kinds={KeyKind.NATIVE}), Asked(Presented(None))]
    desk = fakes.desk
    reading = desk.store.read(*(ref for each in asked for ref in each.presented.refs))
    before = len(fakes.store.calls)
    verdicts = verify_all(desk, world.tenant, asked, reading)
    assert [each.reason for each in verdicts] == [
        None,
        None,
        Reason.QUOTA_EXCEEDED,
        Reason.UNKNOWN,
        Reason.UNKNOWN,
    ]
    assert fakes.store.calls[before:] == ["read", "spend"]
    assert [each.owner for each in verdicts[:2]] == [app, app]


# --- for whom it was shown -----------------------------------------------------------------------------------------


def test_a_good_key_is_refused_when_it_is_shown_for_another_owner_than_its_own(world: World) -> None:
    app, other = world.app(), world.app("Vineyard")
    presented = Presented.token(world.issue(KeyKind.APP_API_KEY, app.ref).token.reveal())
    assert verdict(world, replace(presented, owner_id=app.id)).valid
    refused = verdict(world, replace(presented, owner_id=other.id))
    assert (refused.reason, refused.cause) == (Reason.OWNER_NOT_ELIGIBLE, errors.OwnerNotFound)


def test_a_good_key_is_refused_when_another_installed_app_shows_it(world: World) -> None:
    presented = Presented.token(world.channel(world.app()).token.reveal())
    assert verdict(world, replace(presented, bundle_name="com.example.orchard")).valid
    refused = verdict(world, replace(presented, bundle_name="com.example.other"))
    assert (refused.reason, refused.cause) == (Reason.OWNER_NOT_ELIGIBLE, errors.ChannelNotFound)


def test_only_a_channels_key_is_shown_by_an_installed_app(world: World) -> None:
    presented = Presented.token(world.issue(KeyKind.NATIVE, world.app().ref).token.reveal())
    refused = verdict(world, replace(presented, bundle_name="com.example.orchard"))
    assert (refused.reason, refused.cause) == (Reason.OWNER_NOT_ELIGIBLE, errors.ChannelNotFound)


# --- who is told which key it was ----------------------------------------------------------------------------------


def test_of_a_good_key_everybody_is_told_and_of_a_dead_one_those_who_may_know_why(world: World) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    presented = Presented.token(issued.token.reveal())
    good = verdict(world, presented)
    assert good.grant is not None
    assert good.told(says_why=False) == good.told(says_why=True) == good.grant
    lifecycle.revoke(world.desk, world.principal, issued.key)
    dead = verdict(world, presented)
    assert dead.told(says_why=False) is None
    assert (known := dead.told(says_why=True)) is not None
    assert known.key_id == issued.key.id


def test_of_a_former_secret_whose_time_is_over_nobody_is_told(world: World, fakes: Fakes) -> None:
    issued = world.issue(KeyKind.NATIVE, world.app().ref)
    rotation.rotate(world.desk, world.principal, issued.key, overlap_ms=60_000)
    fakes.clock.ms += 60_000
    over = verdict(world, Presented.token(issued.token.reveal()))
    assert (over.reason, over.told(says_why=True)) == (Reason.UNKNOWN, None)

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from keywright import errors, model
from keywright.model import (
    OWNER_NOT_FOUND,
    OWNERS,
    RULES,
    App,
    Creator,
    Grant,
    Key,
    KeyKind,
    KeyState,
    OwnerKind,
    OwnerRef,
    Reason,
    Requirement,
    SupportRep,
    Version,
)

NOW_MS = 1_790_000_000_000
IMANI = Creator("operator", "Imani")
CHANNEL = OwnerRef("orchard", OwnerKind.CHANNEL, "7000:android")
APP = OwnerRef("orchard", OwnerKind.APP, "7000")


def version(number: int) -> Version:
    return Version(
        number=number,
        digest=f"digest-{number}",
        sealed=b"sealed",
        serial=f"serial-{number}",
        created_at_ms=NOW_MS,
        creator=IMANI,
    )


def a_key(kind: KeyKind = KeyKind.NATIVE, owner: OwnerRef = APP, **attributes: Any) -> Key:
    return Key(
        id="key_1",
        kind=kind,
        owner=owner,
        creator=IMANI,
        created_at_ms=NOW_MS,
        modified_at_ms=NOW_MS,
        **{"versions": (version(1),), "last_version": 1, **attributes},
    )


# --- states --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("now_ms", "state"), [(-1, KeyState.ACTIVE), (0, KeyState.EXPIRED), (1, KeyState.EXPIRED)])
def test_a_key_stops_in_the_millisecond_it_expires(now_ms: int, state: KeyState) -> None:
    key = a_key(expires_at_ms=NOW_MS)
    assert key.state(NOW_MS + now_ms) is state
    assert key.has_expired(NOW_MS + now_ms) is (state is KeyState.EXPIRED)
    refusal = Grant.of(key, key.newest).refusal(NOW_MS + now_ms)
    assert refusal is (Reason.EXPIRED if state is KeyState.EXPIRED else None)


def test_a_key_without_expiry_lives_on() -> None:
    assert a_key().state(2**63) is KeyState.ACTIVE


@pytest.mark.parametrize(
    ("attributes", "state"),
    [
        ({}, "active"),
        ({"expires_at_ms": NOW_MS}, "expired"),
        ({"enabled": False}, "disabled"),
        ({"enabled": False, "expires_at_ms": NOW_MS}, "disabled"),
        ({"revoked_at_ms": NOW_MS}, "revoked"),
        ({"revoked_at_ms": NOW_MS, "enabled": False, "expires_at_ms": NOW_MS}, "revoked"),
    ],
)
def test_the_key_and_the_grant_of_its_token_are_refused_for_the_same_reason(
    attributes: dict[str, Any], state: str
) -> None:
    key = a_key(**attributes)
    assert key.state(NOW_MS) == state
    assert Grant.of(key, key.newest).refusal(NOW_MS) == (None if state == "active" else state)


def test_a_disabled_version_is_refused_and_the_others_are_not() -> None:
    key = a_key(KeyKind.ANDROID_ACCESS_KEY, CHANNEL, versions=(version(1), replace(version(2), enabled=False)))
    assert [Grant.of(key, each).refusal(NOW_MS) for each in key.versions] == [None, Reason.DISABLED]


def test_marking_an_expired_key_changes_nothing_of_its_state() -> None:
    key = a_key(expires_at_ms=NOW_MS)
    assert key.marked_expired(NOW_MS).state(NOW_MS) is key.state(NOW_MS)
    assert key.marked_expired(NOW_MS).expiry_marked_at_ms == NOW_MS


# --- disable, enable, revoke, delete, amend ------------------------------------------------------------------------


def test_a_key_is_switched_off_and_on() -> None:
    key = a_key()
    off = key.switched(False, NOW_MS + 1)
    assert (off.enabled, off.revision, off.modified_at_ms) == (False, 2, NOW_MS + 1)
    on = off.switched(True, NOW_MS + 2)
    assert (on.enabled, on.revision, on.modified_at_ms) == (True, 3, NOW_MS + 2)


@pytest.mark.parametrize("enabled", [True, False])
def test_switching_to_what_a_key_is_already_changes_nothing(enabled: bool) -> None:
    key = a_key(enabled=enabled)
    assert key.switched(enabled, NOW_MS + 1) is key


@pytest.mark.parametrize("enabled", [True, False])
def test_a_revoked_key_is_switched_no_more(enabled: bool) -> None:
    with pytest.raises(errors.KeyRevoked):
        a_key(revoked_at_ms=NOW_MS, enabled=enabled).switched(True, NOW_MS + 1)


def test_an_expired_key_can_be_switched_and_stays_expired() -> None:
    key = a_key(expires_at_ms=NOW_MS)
    assert key.switched(False, NOW_MS).switched(True, NOW_MS).state(NOW_MS) is KeyState.EXPIRED


def test_a_key_is_revoked_once_and_keeps_its_first_reason() -> None:
    revoked = a_key().revoked("leaked", NOW_MS + 1)
    assert (revoked.revoked_at_ms, revoked.revoked_reason, revoked.revision) == (NOW_MS + 1, "leaked", 2)
    assert revoked.revoked("another", NOW_MS + 2) is revoked


def test_a_deleted_key_says_when() -> None:
    assert a_key().deleted(NOW_MS + 1).deleted_at_ms == NOW_MS + 1


def test_an_amended_key_lives_again_and_will_be_marked_again() -> None:
    over = a_key(expires_at_ms=NOW_MS).marked_expired(NOW_MS)
    revived = over.amended(NOW_MS + 1, description="tills", expires_at_ms=None)
    assert revived.state(NOW_MS + 1) is KeyState.ACTIVE
    assert (revived.description, revived.expiry_marked_at_ms, revived.revision) == ("tills", None, 3)


def test_a_key_is_a_frozen_value() -> None:
    with pytest.raises(FrozenInstanceError):
        a_key().enabled = False  # type: ignore[misc]


# --- versions ------------------------------------------------------------------------------------------------------


def test_versions_run_without_a_gap_and_three_are_kept() -> None:
    key = a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL)
    kept = []
    for number in range(2, 7):
        key = key.with_version(version(number), NOW_MS)
        kept.append([each.number for each in key.versions])
        assert (key.last_version, key.newest.number) == (number, number)
    assert kept == [[1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6]]


@pytest.mark.parametrize("number", [0, 1, 3, 10])
def test_a_gap_between_versions_is_an_error_of_the_program(number: int) -> None:
    with pytest.raises(ValueError, match="without a gap"):
        a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL).with_version(version(number), NOW_MS)


def test_a_number_is_never_given_twice() -> None:
    key = a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL).with_version(version(2), NOW_MS)
    without = key.without_version(2, NOW_MS)
    assert [each.number for each in without.versions] == [1]
    assert [each.number for each in without.with_version(version(3), NOW_MS).versions] == [1, 3]
    with pytest.raises(ValueError, match="without a gap"):
        without.with_version(version(2), NOW_MS)


def test_the_last_version_may_go_and_the_next_still_counts_on() -> None:
    empty = a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL).without_version(1, NOW_MS)
    assert empty.versions == ()
    assert [each.number for each in empty.with_version(version(2), NOW_MS).versions] == [2]


def test_other_kinds_keep_one_version() -> None:
    for kind, rules in RULES.items():
        if "access_key" not in kind:
            assert rules.versions_kept == 1
    following = a_key().with_version(version(2), NOW_MS)
    assert [each.number for each in following.versions] == [2]


def test_what_is_retained_makes_room_for_one() -> None:
    key = a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL, versions=tuple(map(version, (4, 5, 6))), last_version=6)
    assert [each.number for each in key.retained] == [5, 6]
    assert key.revoked("", NOW_MS).retained == ()


def test_a_version_is_switched_alone() -> None:
    key = a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL).with_version(version(2), NOW_MS)
    off = key.version_switched(1, False, NOW_MS + 1)
    assert [each.enabled for each in off.versions] == [False, True]
    assert off.revision == key.revision + 1
    assert off.version_switched(1, False, NOW_MS + 2) is off


@pytest.mark.parametrize(
    "deed",
    [
        lambda key: key.version(3),
        lambda key: key.version_switched(3, False, NOW_MS),
        lambda key: key.without_version(3, NOW_MS),
    ],
    ids=["asked for", "switched", "taken away"],
)
def test_a_version_that_is_not_there_is_not_found(deed: Callable[[Key], object]) -> None:
    with pytest.raises(errors.KeyNotFound):
        deed(a_key())


def test_the_successor_of_a_revoked_key_goes_on_counting_under_another_id() -> None:
    ended = a_key(KeyKind.IOS_ACCESS_KEY, CHANNEL, last_version=7, pairing_digest="half", scopes=("a",)).revoked("", 5)
    following = ended.successor("key_2", IMANI, NOW_MS)
    assert (following.id, following.revoked_at_ms, following.versions, following.last_version) == ("key_2", None, (), 7)
    assert (following.owner, following.pairing_digest, following.scopes) == (CHANNEL, "half", ("a",))
    assert following.with_version(version(8), NOW_MS).newest.number == 8


# --- places, purging -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        (a_key(KeyKind.APP_SECRET), True),
        (a_key(KeyKind.APP_SECRET, enabled=False), True),
        (a_key(KeyKind.APP_SECRET, expires_at_ms=1), True),
        (a_key(KeyKind.APP_SECRET, revoked_at_ms=1), False),
        (a_key(KeyKind.APP_SECRET, deleted_at_ms=1), False),
        (a_key(KeyKind.NATIVE), False),
        (a_key(KeyKind.REP_KEY), False),
    ],
)
def test_a_key_takes_a_place_where_there_is_a_limit_and_until_it_ends(key: Key, counts: bool) -> None:
    assert key.takes_a_place is counts


def test_only_a_transient_key_with_an_expiry_may_be_forgotten() -> None:
    assert a_key(expires_at_ms=NOW_MS).purge_at_ms is None
    assert a_key(transient=True).purge_at_ms is None
    assert a_key(transient=True, expires_at_ms=NOW_MS).purge_at_ms == NOW_MS + model.TRANSIENT_KEPT_MS


# --- rules ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_key_has_rules_and_every_kind_of_owner_a_class_and_an_error() -> None:
    assert RULES.keys() == set(KeyKind)
    assert OWNERS.keys() == OWNER_NOT_FOUND.keys() == set(OwnerKind)
    assert all(cls.kind is kind for kind, cls in OWNERS.items())


def test_single_keys_have_no_limit_and_only_they_keep_several_versions() -> None:
    for rules in RULES.values():
        assert not (rules.single and rules.limit is not None)
        assert rules.single or rules.versions_kept == 1


def test_an_owner_has_single_keys_of_one_kind_at_most_but_for_the_platforms_of_a_channel() -> None:
    """A channel's platform decides which of the two kinds its key is."""
    for owner_kind in OwnerKind:
        kinds = {kind for kind, rules in RULES.items() if rules.single and owner_kind in rules.owners}
        assert len(kinds) <= 1 or kinds == {KeyKind.ANDROID_ACCESS_KEY, KeyKind.IOS_ACCESS_KEY}


def test_every_requirement_names_an_attribute_of_each_owner_it_is_made_of() -> None:
    for rules in RULES.values():
        for requirement in (*rules.issue_requires, *rules.verify_requires):
            for kind in rules.owners:
                assert requirement.attribute in {each.name for each in fields(OWNERS[kind])}


def test_key_ids_begin_with_lower_case_letters_and_an_underscore() -> None:
    for rules in RULES.values():
        head = rules.id_prefix.removesuffix("_")
        assert rules.id_prefix == f"{head}_"
        assert set(head) <= set(string.ascii_lowercase)


def test_no_key_is_issued_to_a_disabled_operator_whatever_its_kind() -> None:
    operator = OwnerRef("orchard", OwnerKind.OPERATOR, "operator")
    for kind in (kind for kind, rules in RULES.items() if OwnerKind.OPERATOR in rules.owners):
        assert model.OPERATOR_ENABLED in a_key(kind, operator).issue_requires


@pytest.mark.parametrize(
    ("requirement", "attributes", "error"),
    [
        (model.LOGIN_ENABLED, {"login_enabled": False}, errors.LoginNotEnabled),
        (model.LOGIN_ENABLED, {"login_enabled": True}, None),
        (model.ROLE_ASSIGNED, {"role": None}, errors.RoleNotAssigned),
        (model.ROLE_ASSIGNED, {"role": ""}, errors.RoleNotAssigned),
        (model.ROLE_ASSIGNED, {"role": "SDGuest"}, None),
    ],
)
def test_a_requirement_is_fulfilled_or_says_what_is_wrong(
    requirement: Requirement, attributes: dict[str, Any], error: type[errors.KeywrightError] | None
) -> None:
    rep = SupportRep(tenant="orchard", id="meera", name="Meera", created_at_ms=1, modified_at_ms=1, **attributes)
    if error is None:
        requirement.check(rep)
    else:
        with pytest.raises(error):
            requirement.check(rep)


# --- owners --------------------------------------------------------------------------------------------------------


def test_an_owner_changes_by_a_new_revision() -> None:
    app = App(tenant="orchard", id="7000", name="Orchard", created_at_ms=1, modified_at_ms=1)
    changed = app.changed(5, name="Orchard 2")
    assert (changed.name, changed.revision, changed.modified_at_ms, changed.created_at_ms) == ("Orchard 2", 2, 5, 1)
    assert app.ref == changed.ref == APP


def test_neither_a_ciphertext_nor_a_sealed_half_is_in_a_repr() -> None:
    app = App(
        tenant="orchard",
        id="7000",
        name="Orchard",
        created_at_ms=1,
        modified_at_ms=1,
        pairing=model.Sealed("digest", b"ciphertext"),
    )
    assert "ciphertext'" not in repr(app)
    assert "sealed" not in repr(a_key())


def test_the_oldest_key_comes_first_and_ids_decide_between_twins() -> None:
    keys = [replace(a_key(), id=key_id, created_at_ms=at) for key_id, at in (("c", 2), ("b", 1), ("a", 2))]
    assert [key.id for key in model.oldest_first(keys)] == ["b", "a", "c"]


def test_of_a_key_that_somebody_ended_nobody_is_warned() -> None:
    soon = a_key(expires_at_ms=NOW_MS + 40 * model.DAY_MS)
    at_ms, terms = NOW_MS + 39 * model.DAY_MS, model.Terms()
    assert soon.due_warning(terms, at_ms) == 1
    assert soon.revoked("leaked", NOW_MS).due_warning(terms, at_ms) is None
    assert soon.deleted(NOW_MS).due_warning(terms, at_ms) is None

"""What becomes of a key after it was issued: switched off and on, amended, ended, deleted and had back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from keywright import errors
from keywright.access import Principal, contain
from keywright.issuing import record
from keywright.model import EventType, Key, Reason
from keywright.ports import Desk, KeyRef, Require, SaveKey, Write
from keywright.verification import Presented


def own(caller: Principal, key: Key | None) -> Key:
    """`key`, if it is of the caller's tenant; else the same KeyNotFound as for a key that does not exist."""
    if key is None or key.tenant != caller.tenant or key.deleted_at_ms is not None or key.purged_at_ms is not None:
        raise errors.KeyNotFound
    return key


def disable(desk: Desk, caller: Principal, key: Key) -> Key:
    """Off for now. Raises KeyRevoked, Stale. A key that is off already stays so, and nothing is written."""
    return _commit(desk, caller, EventType.KEY_DISABLED, key, key.switched(False, desk.clock.now_ms()))


def enable(desk: Desk, caller: Principal, key: Key) -> Key:
    """On again. Raises KeyRevoked, Stale."""
    return _commit(desk, caller, EventType.KEY_ENABLED, key, key.switched(True, desk.clock.now_ms()))


def revoke(desk: Desk, caller: Principal, key: Key, reason: str = "") -> Key:
    """Off for good; it frees its place under the owner's limit. Once more changes nothing. Raises Stale."""
    revoked = key.revoked(reason, desk.clock.now_ms())
    return _commit(desk, caller, EventType.KEY_REVOKED, key, revoked, reason=reason)


HELD: Final = "by whoever held it"
"""The reason that is kept of a key that was ended by possession."""


def revoke_held(desk: Desk, presented: Presented) -> None:
    """Ends what somebody holds the token of, whatever its state, and tells nothing. The event's actor is the key.

    Where the versions of a key are credentials of their own, that version is gone; else the key is revoked with all its
    secrets, since whoever lost one of them cannot say what else was lost. Raises Stale.
    """
    if not presented.refs:
        return
    grant = presented.grant(desk.store.read(*presented.refs))
    if grant is None or grant.refusal(desk.clock.now_ms()) is Reason.UNKNOWN:
        return
    ref = KeyRef(grant.key_id)
    key = desk.store.read(ref)[ref]
    if key is None or key.deleted_at_ms is not None or key.purged_at_ms is not None:
        return
    holder = Principal(grant.key_id, grant.kind, grant.owner, ())
    if key.rules.versions_stand_alone and len(key.standing) > 1:
        if any(version.number == grant.version for version in key.standing):
            delete_version(desk, holder, key, grant.version)
    else:
        revoke(desk, holder, key, HELD)


def delete_alone(desk: Desk, caller: Principal, key: Key) -> Key:
    """As `delete`, without the owner. Raises KeyGoesWithOwner, Stale."""
    if key.rules.goes_with_owner:
        raise errors.KeyGoesWithOwner
    return delete(desk, caller, key)


def delete(desk: Desk, caller: Principal, key: Key) -> Key:
    """Takes the key away: no token of it opens anything from here on, and no list shows it but that of deleted keys.
    Raises Stale."""
    deleted = key.deleted(desk.clock.now_ms())
    desk.store.commit(*deletion(desk, caller, key, deleted))
    return deleted


def deletion(desk: Desk, caller: Principal, key: Key, deleted: Key) -> tuple[Write, ...]:
    """The writes of which `delete` consists, for a greater change."""
    return *place_of(key, deleted), SaveKey(deleted, key), record(desk, caller, EventType.KEY_DELETED, deleted)


def deleted_own(desk: Desk, caller: Principal, key: Key | None) -> Key:
    """`own` of a key that may have been deleted. Raises KeyNotFound, also where it is too late to have it back."""
    if key is None or key.tenant != caller.tenant or key.purged_at_ms is not None:
        raise errors.KeyNotFound
    if key.deleted_at_ms is not None and not key.can_be_undeleted(desk.clock.now_ms()):
        raise errors.KeyNotFound
    return key


def undelete(desk: Desk, caller: Principal, key: Key) -> Key:
    """Back as it was, with its tokens and its place. A key that is not deleted stays as it is, and nothing is written.

    A key that is to live again needs what it needed to be issued: raises LimitReached, KeyExists, OwnerNotFound,
    OwnerNotEligible, OperatorDisabled. A revoked one comes back revoked, and needs but its owner, which was there when
    it was issued: whoever was registered under that id since has no claim to it. Raises Stale.
    """
    if key.deleted_at_ms is None:
        return key
    after = key.undeleted(desk.clock.now_ms())
    requires = after.issue_requires if after.is_standing else ()
    count = after.kind if after.takes_a_place else None
    stands = Require(after.owner, requires, there_by_ms=key.created_at_ms, count=count)
    # The key first: where another had it back meanwhile, and with it the last place, that is no refusal.
    desk.store.commit(SaveKey(after, key), stands, record(desk, caller, EventType.KEY_UNDELETED, after))
    return after


def amend(desk: Desk, caller: Principal, key: Key, **attributes: Any) -> Key:
    """Another description, expiry and the like, for the same secret. A key that lives again takes a place again.

    Raises FieldInvalid for an expiry that is past, LimitReached, OwnerNotFound, Stale.
    """
    _check_expiry(desk, attributes)
    amended = key.amended(desk.clock.now_ms(), **attributes)
    return _commit(desk, caller, EventType.KEY_AMENDED, key, amended)


def change(desk: Desk, caller: Principal, key: Key, attributes: Mapping[str, Any]) -> Key:
    """Other attributes, by the names that they have in `Key`; what is so already is not written.

    Raises KeyRevoked, ScopeMissing for more scopes than the caller has, and what `amend` raises.
    """
    if key.revoked_at_ms is not None:
        raise errors.KeyRevoked
    contain(caller.scopes, attributes.get("scopes", ()))
    _check_expiry(desk, attributes)
    if all(getattr(key, name) == value for name, value in attributes.items()):
        return key
    return amend(desk, caller, key, **attributes)


def switch_version(
    desk: Desk, caller: Principal, key: Key, number: int, *, enabled: bool, also: tuple[Write, ...] = ()
) -> Key:
    """One version off for now, or on again; `also` belongs to the same change. What is so already is not written.

    Raises KeyNotFound, Stale, and what the further writes raise.
    """
    event = EventType.VERSION_ENABLED if enabled else EventType.VERSION_DISABLED
    switched = key.version_switched(number, enabled, desk.clock.now_ms())
    return _commit(desk, caller, event, key, switched, *also, version=number)


def delete_version(desk: Desk, caller: Principal, key: Key, number: int, *, also: tuple[Write, ...] = ()) -> Key:
    """One version gone for good; its number is not given again. Raises as `switch_version` does."""
    remaining = key.without_version(number, desk.clock.now_ms())
    return _commit(desk, caller, EventType.VERSION_DELETED, key, remaining, *also, version=number)


def place_of(before: Key, after: Key) -> tuple[Require, ...]:
    """The write that takes a place under the owner's limit, or gives it back, where the change is about that."""
    if before.takes_a_place == after.takes_a_place:
        return ()
    return (Require(before.owner, count=before.kind, by=1 if after.takes_a_place else -1),)


def _commit(
    desk: Desk,
    caller: Principal,
    event: EventType,
    before: Key,
    after: Key,
    *also: Write,
    reason: str = "",
    version: int | None = None,
) -> Key:
    if after is not before:
        told = record(desk, caller, event, after, reason=reason, version=version)
        desk.store.commit(*also, SaveKey(after, before), *place_of(before, after), told)
    return after


def _check_expiry(desk: Desk, attributes: Mapping[str, Any]) -> None:
    expires_at_ms = attributes.get("expires_at_ms")
    if expires_at_ms is not None and expires_at_ms <= desk.clock.now_ms():
        raise errors.FieldInvalid(field="expires_at", detail="It must be in the future.")

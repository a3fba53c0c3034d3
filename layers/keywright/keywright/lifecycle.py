"""Switching a key off and on, and ending it."""

from __future__ import annotations

from keywright import errors
from keywright.access import Principal
from keywright.issuing import record
from keywright.model import EventType, Key
from keywright.ports import Desk, Require, SaveKey, Write


def own(caller: Principal, key: Key | None) -> Key:
    """`key`, if it is of the caller's tenant; else the same KeyNotFound as for a key that does not exist."""
    if key is None or key.tenant != caller.tenant or key.deleted_at_ms is not None:
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
    return _commit(desk, caller, EventType.KEY_REVOKED, key, revoked, *freed(key), reason=reason)


def delete(desk: Desk, caller: Principal, key: Key) -> Key:
    """Takes the key away: no token of it opens anything from here on, and no list shows it. Raises Stale."""
    deleted = key.deleted(desk.clock.now_ms())
    desk.store.commit(*deletion(desk, caller, key, deleted))
    return deleted


def deletion(desk: Desk, caller: Principal, key: Key, deleted: Key) -> tuple[Write, ...]:
    """The writes of which `delete` consists, for a greater change."""
    return *freed(key), SaveKey(deleted, key), record(desk, caller, EventType.KEY_DELETED, deleted)


def amend(desk: Desk, caller: Principal, key: Key, *, description: str, expires_at_ms: int | None) -> Key:
    """Another description and expiry, for the same secret. Raises FieldInvalid for an expiry that is past, Stale."""
    now_ms = desk.clock.now_ms()
    if expires_at_ms is not None and expires_at_ms <= now_ms:
        raise errors.FieldInvalid(field="expires_at")
    amended = key.amended(now_ms, description=description, expires_at_ms=expires_at_ms)
    return _commit(desk, caller, EventType.KEY_AMENDED, key, amended)


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


def freed(key: Key) -> tuple[Require, ...]:
    """The write that gives a key's place under its owner's limit to another."""
    return (Require(key.owner, count=key.kind, by=-1),) if key.takes_a_place else ()


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
        desk.store.commit(*also, SaveKey(after, before), told)
    return after

"""Rotation: a key gets its next secret under the same id, and the former works on beside it for an overlap.

While both live, the rotation is under way: it can be extended, cancelled or finished. The overlap ends by the clock of
whoever reads; the sweep only takes away what is over. The key itself may do none of this, since it may be the leaked
one, and whoever rotates a key learns a secret with its scopes, so must have them.
"""

from __future__ import annotations

from collections.abc import Callable

from keywright import errors, tokens
from keywright.access import Principal
from keywright.issuing import Issued, draft_version, record, sealed
from keywright.model import EventType, Key
from keywright.ports import Desk, Require, SaveKey, Write


def rotate(
    desk: Desk,
    caller: Principal,
    key: Key,
    *,
    overlap_ms: int,
    also: Callable[[Key], tuple[Write, ...]] = lambda _: (),
) -> Issued:
    """The next secret; the former works for `overlap_ms` more. With 0 it stops at once, and so does one before it.
    `also` gives what belongs to the same change.

    Raises KeyNotRotatable, OwnKey, KeyRevoked, KeyExpired, ScopeMissing, FieldInvalid (overlap_seconds),
    RotationUnderWay where there is to be an overlap during another, OwnerNotFound, OperatorDisabled, and Conflict where
    the key was changed meanwhile: of two rotations at once one is done, and nobody is given a secret that was replaced
    before it was seen. One seal and one transaction.
    """
    now_ms = desk.clock.now_ms()
    _check(caller, key)
    if key.has_expired(now_ms):
        raise errors.KeyExpired
    for scope in key.scopes:
        caller.demand(scope)
    retires_at_ms = _end(key, overlap_ms, now_ms) if overlap_ms else None
    if retires_at_ms is not None and key.former(now_ms) is not None:
        raise errors.RotationUnderWay
    token = tokens.generate(key.rules.format, stage=desk.stage)
    version = draft_version(token, key.last_version + 1, caller.creator(), now_ms)
    rotated = sealed(desk, key.rotated(version, retires_at_ms, now_ms), token)
    desk.store.commit(
        Require(key.owner, key.issue_requires),
        SaveKey(rotated, key, once=True),
        record(desk, caller, EventType.KEY_ROTATED, rotated),
        *also(rotated),
    )
    return Issued(rotated, token)


def extend(desk: Desk, caller: Principal, key: Key, *, overlap_ms: int) -> Key:
    """Another end of the overlap, later or earlier, counted from now. Raises KeyNotRotatable, OwnKey, KeyRevoked,
    RotationNotUnderWay, FieldInvalid (overlap_seconds), Stale."""
    now_ms = desk.clock.now_ms()
    _check(caller, key)
    extended = key.overlapping(_end(key, overlap_ms, now_ms), now_ms)
    return _commit(desk, caller, EventType.ROTATION_EXTENDED, key, extended)


def cancel(desk: Desk, caller: Principal, key: Key) -> Key:
    """Back to the former secret; the new one opens nothing any more, and its number is not given again. Raises
    KeyNotRotatable, OwnKey, KeyRevoked, RotationNotUnderWay, Stale."""
    _check(caller, key)
    return _commit(desk, caller, EventType.ROTATION_CANCELLED, key, key.rotation_cancelled(desk.clock.now_ms()))


def finish(desk: Desk, caller: Principal, key: Key) -> Key:
    """The former secret stops now. Raises KeyNotRotatable, OwnKey, KeyRevoked, RotationNotUnderWay, Stale."""
    _check(caller, key)
    return _commit(desk, caller, EventType.ROTATION_FINISHED, key, key.rotation_finished(desk.clock.now_ms()))


def _check(caller: Principal, key: Key) -> None:
    if key.rules.longest_overlap_ms is None:
        raise errors.KeyNotRotatable
    if caller.key_id == key.id:
        raise errors.OwnKey
    if key.revoked_at_ms is not None:
        raise errors.KeyRevoked


def _end(key: Key, overlap_ms: int, now_ms: int) -> int:
    longest_ms = key.rules.longest_overlap_ms or 0
    if not 0 < overlap_ms <= longest_ms:
        raise errors.FieldInvalid(field="overlap_seconds", detail=f"It is from 1 to {longest_ms // 1000} for this key.")
    return now_ms + overlap_ms


def _commit(desk: Desk, caller: Principal, event: EventType, before: Key, after: Key) -> Key:
    desk.store.commit(SaveKey(after, before), record(desk, caller, event, after))
    return after

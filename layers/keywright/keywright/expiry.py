"""The sweep: marks keys that have expired. It only tidies up and tells; every reader compares the clock itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from keywright.errors import Conflict
from keywright.model import Event, EventType, Key
from keywright.ports import Desk, KeyRef, Record, SaveKey, Stale

SWEEPER = "scheduled.sweep_expired_keys"
BATCH = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """How many keys were marked, and whether none was left when the sweep stopped."""

    marked: int
    finished: bool


def sweep(desk: Desk, *, time_is_up: Callable[[], bool]) -> Swept:
    """Marks what is due, batch by batch, until nothing is or `time_is_up`.

    Each key is one conditional transaction, so a second sweep, at the same time or after a crash, marks nothing twice.
    A key that somebody changed meanwhile is left for the next run.
    """
    marked, after = 0, None
    while not time_is_up():
        page = desk.store.due(desk.clock.now_ms(), limit=BATCH, after=after)
        refs = [KeyRef(key_id) for key_id in page.items]
        reading = desk.store.read(*refs)
        for ref in refs:
            if time_is_up():
                return Swept(marked, finished=False)
            key = reading[ref]
            if key is not None and _is_due(key, desk.clock.now_ms()):
                marked += _mark(desk, key)
        if page.next is None:
            return Swept(marked, finished=True)
        after = page.next
    return Swept(marked, finished=False)


def _is_due(key: Key, now_ms: int) -> bool:
    return (
        key.expiry_marked_at_ms is None
        and key.revoked_at_ms is None
        and key.deleted_at_ms is None
        and key.has_expired(now_ms)
    )


def _mark(desk: Desk, key: Key) -> int:
    now_ms = desk.clock.now_ms()
    event = Event(
        type=EventType.KEY_EXPIRED,
        tenant=key.tenant,
        subject=key.id,
        owner=key.owner,
        actor=SWEEPER,
        at_ms=now_ms,
        version=key.last_version,
    )
    try:
        desk.store.commit(SaveKey(key.marked_expired(now_ms), before=key), Record(event))
    except (Stale, Conflict):
        return 0
    return 1

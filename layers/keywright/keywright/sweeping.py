"""The sweep: what comes due on keys by itself. It warns, marks what has expired, drops former versions whose time is
over and, when the retention is over, purges. Verification never waits for it: every reader compares the clock itself.

All that is due of one key is one conditional transaction with an event each. So a sweep may break off anywhere, run
twice, or beside another whose clock is minutes off: each step is taken once. What is done leaves the index of what is
due, and thereby the next sweep goes on where the last one stopped. Lease and checkpoint only save work: the lease keeps
a second sweep from doing what the first is doing, and a run that was out of time goes on behind what it had looked at,
so that keys which cannot be swept are not in the way of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Final

from keywright import audit, lifecycle
from keywright.errors import Conflict, FieldInvalid, KeywrightError, Unavailable
from keywright.model import DAY_MS, Event, EventType, Key, Terms
from keywright.ports import Desk, KeyRef, Lease, Record, SaveKey, Stale

SWEEPER: Final = "scheduled.sweep_expired_keys"
LEASE: Final = "sweep"
BATCH: Final = 100
MOST_TOLD: Final = 100
"""Keys that a dry run names."""
_MOST_UNAVAILABLE: Final = 3
"""In a row; then it is not the key, but the store."""

Deed = tuple[EventType, str]
"""What is done, and the id of the key."""


@dataclass(slots=True)
class Swept:
    """How much was done, of which kind; with `dry_run`, how much would be, and `would` names the first.

    `left` are keys that somebody changed meanwhile, for the next run. `failed` are keys that could not be swept.
    `finished` says that nothing was left to look at; `stood_back`, that another sweep was at work.
    """

    warned: int = 0
    expired: int = 0
    retired: int = 0
    purged: int = 0
    left: int = 0
    failed: int = 0
    finished: bool = False
    stood_back: bool = False
    dry_run: bool = False
    would: list[Deed] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As plain values."""
        plain = asdict(self)
        would = [{"deed": event.value, "key_id": key_id} for event, key_id in plain.pop("would")]
        return {**plain, "would": would} if self.dry_run else plain

    def count(self, told: Sequence[Event]) -> None:
        for event in told:
            name = _COUNTED[event.type]
            setattr(self, name, getattr(self, name) + 1)
        if self.dry_run:
            self.would += [(event.type, event.subject) for event in told][: MOST_TOLD - len(self.would)]


_COUNTED: Final = {
    EventType.KEY_EXPIRING: "warned",
    EventType.KEY_EXPIRED: "expired",
    EventType.VERSION_RETIRED: "retired",
    EventType.KEY_PURGED: "purged",
}


def sweep(
    desk: Desk,
    *,
    time_is_up: Callable[[], bool],
    holder: str = SWEEPER,
    until_ms: int = 0,
    dry_run: bool = False,
    on_failure: Callable[[Exception], None] = lambda _: None,
) -> Swept:
    """Does what is due, batch by batch, until nothing is or `time_is_up`.

    `holder` takes the lease until `until_ms`, when it will have stopped for sure. What keeps a key from being swept is
    passed to `on_failure`, and the others go on. A dry run takes no lease and writes nothing. Raises Unavailable, Fault
    where the store itself cannot be worked with.
    """
    swept = Swept(dry_run=dry_run)
    if time_is_up():
        return swept
    lease = None
    if not dry_run:
        lease = desk.store.take_lease(LEASE, holder=holder, now_ms=desk.clock.now_ms(), until_ms=until_ms)
        if lease is None:
            swept.stood_back = True
            return swept
    run = _Run(desk, lease, swept, time_is_up, on_failure)
    run.go()
    return swept


class _Run:
    def __init__(
        self,
        desk: Desk,
        lease: Lease | None,
        swept: Swept,
        time_is_up: Callable[[], bool],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._desk = desk
        self._lease = lease
        self._swept = swept
        self._time_is_up = time_is_up
        self._on_failure = on_failure
        self._unavailable = 0

    def go(self) -> None:
        start = self._lease.checkpoint if self._lease else None
        try:
            if start is not None and not self._through(start):
                return
            if self._through(None):
                self._swept.finished = True
                self._keep(None, release=True)
        except Stale:
            self._swept.stood_back = True  # the lease is another's by now, who goes on

    def _through(self, after: str | None) -> bool:
        """Whether the end was reached, from `after` on, before time was up."""
        while True:
            page = self._desk.store.due(self._desk.clock.now_ms(), limit=BATCH, after=after)
            failed = self._swept.failed
            if not self._page(page.items):
                # Keys that fail would be met again at the very start of the next run: it goes on behind them.
                behind = page.next if self._swept.failed > failed else after
                self._keep(behind, release=True)
                return False
            if page.next is None:
                return True
            after = page.next
            if self._time_is_up():
                self._keep(after, release=True)
                return False
            if page.items:
                self._keep(after)

    def _keep(self, checkpoint: str | None, *, release: bool = False) -> None:
        if self._lease is not None:
            self._desk.store.keep_checkpoint(self._lease, checkpoint, release=release)

    def _page(self, key_ids: Sequence[str]) -> bool:
        """Whether all of the page was looked at before time was up."""
        for read in self._read(key_ids):
            if self._time_is_up():
                return False
            try:
                self._sweep(read())
            except (Stale, Conflict):
                self._swept.left += 1
            except Exception as failure:  # noqa: BLE001  one key that is not as it should be must not be in the way
                self._failed(failure)
            else:
                self._unavailable = 0
        return True

    def _read(self, key_ids: Sequence[str]) -> Iterator[Callable[[], Key | None]]:
        """The keys, read together; where that fails, each is read when its turn comes."""
        refs = [KeyRef(key_id) for key_id in key_ids]
        if not refs:
            return
        try:
            reading = self._desk.store.read(*refs)
        except KeywrightError:
            raise
        except Exception:  # noqa: BLE001  a record that cannot be understood spoils the reading of all
            yield from (partial(self._read_alone, ref) for ref in refs)
            return
        yield from (partial(reading.__getitem__, ref) for ref in refs)

    def _read_alone(self, ref: KeyRef) -> Key | None:
        return self._desk.store.read(ref)[ref]

    def _failed(self, failure: Exception) -> None:
        self._swept.failed += 1
        self._on_failure(failure)
        self._unavailable = self._unavailable + 1 if isinstance(failure, Unavailable) else 0
        if self._unavailable >= _MOST_UNAVAILABLE:
            raise Unavailable from failure

    def _sweep(self, key: Key | None) -> None:
        if key is None:
            return
        now_ms, terms = self._desk.clock.now_ms(), self._desk.terms
        after, told = due(key, terms, now_ms)
        if not told:
            # The index lags; or the terms were others when the key was put into it, and it has to go to its new place.
            if key.due_at_ms is not None and key.due_at_ms <= now_ms and not self._swept.dry_run:
                self._desk.store.commit(SaveKey(replace(key, revision=key.revision + 1), key))
            return
        if not self._swept.dry_run:
            save = SaveKey(replace(after, revision=key.revision + 1), key)
            self._desk.store.commit(*lifecycle.place_of(key, after), save, *(Record(event) for event in told))
        self._swept.count(told)


def is_dry(event: Mapping[str, Any]) -> bool:
    """Whether the event asks for a dry run. Raises FieldInvalid, so that a slip does not become a real one."""
    asked = event.get("dry_run", False)
    if not isinstance(asked, bool):
        raise FieldInvalid(field="dry_run")
    return asked


def due(key: Key, terms: Terms, now_ms: int) -> tuple[Key, list[Event]]:
    """The key with everything done to it that is due, and what is to be told of it; no event, nothing is due."""
    after, told = key, list[Event]()
    if key.purged_at_ms is not None:
        return after, told
    if key.is_standing:
        after, retired = after.without_retired(now_ms)
        told += [_event(key, EventType.VERSION_RETIRED, now_ms, version=version.number) for version in retired]
    if (step := key.due_warning(terms, now_ms)) is not None and key.expires_at_ms is not None:
        after = after.warned(step)
        left = {"step_days": step, "days_left": -((now_ms - key.expires_at_ms) // DAY_MS)}
        told.append(_event(key, EventType.KEY_EXPIRING, now_ms, expires_at_ms=key.expires_at_ms, **left))
    if key.is_standing and key.expiry_marked_at_ms is None and key.has_expired(now_ms):
        after = after.marked_expired(now_ms)
        told.append(_event(key, EventType.KEY_EXPIRED, now_ms, expires_at_ms=key.expires_at_ms))
    if (until_ms := key.retained_until_ms(terms)) is not None and until_ms <= now_ms:
        after = after.purged(now_ms)
        told.append(_event(key, EventType.KEY_PURGED, now_ms))
    return after, told


def _event(key: Key, type: EventType, now_ms: int, *, version: int | None = None, **said: Any) -> Event:
    said["version"] = version or key.last_version
    return audit.event(type, key.owner, key.id, actor=SWEEPER, at_ms=now_ms, **said)

"""The audit: how an event is told, and the events that are no changes: reveals, and uses of what is dead.

Every change has its event in its own transaction; see `keywright.issuing.record`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from keywright import tokens
from keywright.access import Principal
from keywright.model import Event, EventType, Key, OwnerRef, Version
from keywright.ports import Desk, Record, SealedSecret
from keywright.tokens import Token

RECORDS_AT_ONCE: Final = 100
"""As many as one commit takes."""

SCHEMA_VERSION: Final = "1"
"""Of `told`. A member more leaves it as it is; one that goes or changes its meaning makes it the next."""


def event(type: EventType, owner: OwnerRef, subject: str, *, actor: str, at_ms: int, **more: Any) -> Event:
    """An event under an id of its own; `more` are its further members."""
    return Event(
        id=tokens.new_event_id(at_ms),
        type=type,
        tenant=owner.tenant,
        subject=subject,
        owner=owner,
        actor=actor,
        at_ms=at_ms,
        **more,
    )


def record(desk: Desk, caller: Principal, type: EventType, owner: OwnerRef, subject: str, **more: Any) -> Record:
    """What `caller` does now; `more` are further members of the event."""
    at_ms, who = desk.clock.now_ms(), caller.owner
    return Record(event(type, owner, subject, actor=caller.key_id, actor_owner=who, at_ms=at_ms, **more))


# --- reveals -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """A secret that can be had again, and whose it is."""

    owner: OwnerRef
    secret: SealedSecret

    @classmethod
    def of(cls, key: Key, version: Version) -> Stored:
        return cls(key.owner, SealedSecret.of(key, version))


def reveal(desk: Desk, caller: Principal, stored: Iterable[Stored]) -> list[Token]:
    """The tokens, in order, once an event of each is committed: none leaves that nobody will know of.

    They are decrypted before, so that nothing is on record where the vault does not answer. Raises Unavailable.
    """
    revealed, records = opened(desk, caller, stored)
    commit(desk, records)
    return revealed


def opened(desk: Desk, caller: Principal, stored: Iterable[Stored]) -> tuple[list[Token], tuple[Record, ...]]:
    """The tokens, and the records that belong into the change with which they will be shown."""
    wanted = list(stored)
    revealed = desk.vault.reveal([each.secret for each in wanted])
    return revealed, tuple(
        record(desk, caller, EventType.KEY_REVEALED, each.owner, each.secret.key_id, version=each.secret.version)
        for each in wanted
    )


def commit(desk: Desk, records: Iterable[Record]) -> None:
    """Reveals that go with no change. Where it fails in between, more is on record than was shown, and never less."""
    left = list(records)
    while left:
        desk.store.commit(*left[:RECORDS_AT_ONCE])
        del left[:RECORDS_AT_ONCE]


# --- how an event is told ------------------------------------------------------------------------------------------


def told(event: Event) -> dict[str, Any]:
    """An event as plain values, alike on the bus and in the audit; docs/operations/event.schema.json describes it."""
    return {
        "version": SCHEMA_VERSION,
        "id": event.id,
        "type": event.type.value,
        "at": _rfc3339(event.at_ms),
        "tenant": event.tenant,
        "subject": event.subject,
        "owner": _address(event.owner),
        "actor": event.actor,
        "actor_owner": None if event.actor_owner is None else _address(event.actor_owner),
        "key_version": event.version,
        "reason": event.reason,
        "expires_at": None if event.expires_at_ms is None else _rfc3339(event.expires_at_ms),
        "warning_step_days": event.step_days,
        "days_left": event.days_left,
        "source_address": event.source,
        "link_id": event.link_id,
    }


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _address(owner: OwnerRef) -> dict[str, str]:
    return {"kind": owner.kind.value, "id": owner.id}

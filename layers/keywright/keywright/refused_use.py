"""Uses of keys that had expired or were revoked, for the audit: an event each, up to ten a minute and key.

Nobody's verdict hangs on it. It is one write, made once the verdict is known, and only for a token that opens nothing;
where it fails, that is said and forgotten. What a process knows to be noted ten times it asks nothing for any more.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from keywright import errors
from keywright.access import Principal
from keywright.gate import Gate
from keywright.grants import Grant, Reason
from keywright.recent import Recent

MINUTE_MS: Final = 60_000
MOST_A_MINUTE: Final = 10
DEAD: Final = frozenset({Reason.EXPIRED, Reason.REVOKED})
_full: Final[Recent[str, int]] = Recent()
"""Of which keys, and in which minute, enough is noted. Whatever it forgets, the store still knows."""


class Noted(Enum):
    """What became of a note."""

    NOTHING_TO_NOTE = "nothing to note"
    NOTED = "noted"
    ENOUGH = "enough of this minute"
    FAILED = "failed"


def note(desk: Gate, known: Grant | None, *, by: Principal | None = None, address: str = "") -> Noted:
    """`known` is what was read for the token that was presented. `by` is who showed it, where that was not its holder:
    a service that had it verified. `address` is where it was used from, as far as that is known. Raises nothing."""
    if known is None or (reason := known.refusal(desk.clock.now_ms())) not in DEAD:
        return Noted.NOTHING_TO_NOTE
    now_ms = desk.clock.now_ms()
    if _full.find(known.key_id) == now_ms // MINUTE_MS:
        return Noted.ENOUGH
    # Loaded here, because a verification that refuses nothing needs neither.
    from keywright import audit  # noqa: PLC0415
    from keywright.model import EventType  # noqa: PLC0415

    event = audit.event(
        EventType.KEY_REFUSED,
        known.owner,
        known.key_id,
        actor=known.key_id if by is None else by.key_id,
        actor_owner=known.owner if by is None else by.owner,
        at_ms=now_ms,
        version=known.version,
        reason=reason.value,
        source=address,
    )
    try:
        desk.store.note(event, at_most=MOST_A_MINUTE, within_ms=MINUTE_MS)
    except errors.LimitReached:
        _full.remember(known.key_id, now_ms // MINUTE_MS)
        return Noted.ENOUGH
    except errors.KeywrightError:
        return Noted.FAILED
    return Noted.NOTED

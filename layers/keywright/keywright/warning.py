"""Mailing the warnings that the sweep has told of, after the fact: whoever follows the events calls this with them.

A warning that could not be mailed comes again, with all that follow it, so that none is mailed twice because another
failed. One that nobody would take however often it came is put on record instead, for a person to see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from keywright import audit, errors
from keywright.mail import Warned
from keywright.model import Event, EventType
from keywright.ports import Desk, KeyRef, OwnerAt, Record

ACTOR: Final = "streams.mail_warnings"


def mail_warnings(
    desk: Desk, events: Sequence[Event], *, on_failure: Callable[[Exception], None] = lambda _: None
) -> Collection[str]:
    """The ids of the events that must come again; what is no warning is passed over."""
    for n, event in enumerate(events):
        if event.type is not EventType.KEY_EXPIRING:
            continue
        try:
            _mail(desk, event)
        except errors.KeywrightError as failure:
            on_failure(failure)
            return {each.id for each in events[n:]}
    return frozenset()


def _mail(desk: Desk, event: Event) -> None:
    owner_at, key_at = OwnerAt(event.owner), KeyRef(event.subject)
    reading = desk.store.read(owner_at, key_at)
    owner, key = reading[owner_at], reading[key_at]
    if owner is None or not owner.reachable_at or key is None or not key.is_standing:
        return
    if key.expires_at_ms is None or key.expires_at_ms != event.expires_at_ms:
        return  # somebody changed the expiry meanwhile: of the new one there are warnings of its own
    warned = Warned(
        key_id=key.id,
        owner_name=owner.name,
        description=key.description,
        expires_at_ms=key.expires_at_ms,
        days_left=event.days_left or 0,
    )
    try:
        desk.mailer.send_warning(warned, to=owner.reachable_at)
    except errors.MailRefused as refused:
        desk.store.commit(_record(desk, event, refused))


def _record(desk: Desk, event: Event, refused: errors.MailRefused) -> Record:
    return Record(
        audit.event(
            EventType.WARNING_NOT_MAILED,
            event.owner,
            event.subject,
            actor=ACTOR,
            at_ms=desk.clock.now_ms(),
            version=event.version,
            reason=refused.code,
            expires_at_ms=event.expires_at_ms,
            step_days=event.step_days,
            days_left=event.days_left,
        )
    )

"""Hand-over of a secret by a one-time link.

A link is 256 random bits of which only the digest is kept. Whoever has it sees one secret of one key, the first time
and no other; the operator who made it sees when that was and from which address, and can take it back before. So no
secret sits in a mailbox or a chat, and a link that somebody else opened first is noticed by whom it was meant for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keywright import audit, errors, tokens
from keywright.access import Principal, contain
from keywright.issuing import record
from keywright.model import DAY_MS, EventType, Key, KeyState, Link, LinkState, Version
from keywright.ports import Desk, KeyRef, LinkAt, LinkNamed, Record, SaveLink, SealedSecret, Write
from keywright.tokens import Token

SHORTEST_MS: Final = 15 * 60_000
LONGEST_MS: Final = 7 * DAY_MS
USUAL_MS: Final = DAY_MS

_OVER: Final = frozenset({KeyState.DELETED, KeyState.REVOKED, KeyState.EXPIRED})

UrlOf = Callable[[Token], Token]
"""The address behind which a link's token opens it; as secret as the token."""


@dataclass(frozen=True, slots=True)
class Made:
    """A link, and its token for the one answer that shows it."""

    link: Link
    token: Token


# --- making and taking back ----------------------------------------------------------------------------------------


def create(desk: Desk, caller: Principal, key: Key, url_of: UrlOf, *, lifetime_ms: int, email: str = "") -> Made:
    """A link to the newest secret of a key; with `email`, mailed to that address as well.

    Nobody hands out what they may not do themselves: raises ScopeMissing where the key has more scopes than the caller.
    Raises KeyRevoked, KeyExpired, KeyNotFound (of a key without a version), FieldInvalid (expires_in), and MailNotSent;
    then there is no link. The mail leaves first: a crash after it leaves a link behind that leads nowhere, not one that
    works and that nobody has.
    """
    contain(caller.scopes, key.scopes)
    match key.state(desk.clock.now_ms()):
        case KeyState.REVOKED:
            raise errors.KeyRevoked
        case KeyState.EXPIRED:
            raise errors.KeyExpired
    if not key.versions:
        raise errors.KeyNotFound
    made = draft(desk, caller, key, lifetime_ms=lifetime_ms, email=email)
    if email:
        desk.mailer.send_link(url_of(made.token), to=email, until_ms=made.link.expires_at_ms)
    desk.store.commit(*creation(desk, caller, made.link, key))
    return made


def draft(desk: Desk, caller: Principal, key: Key, *, lifetime_ms: int, email: str = "") -> Made:
    """A link to the newest secret of a key, not committed yet. Raises FieldInvalid (expires_in)."""
    if not SHORTEST_MS <= lifetime_ms <= LONGEST_MS:
        raise errors.FieldInvalid(
            field="expires_in", detail=f"It is from {SHORTEST_MS // 1000} to {LONGEST_MS // 1000} seconds."
        )
    now_ms, token = desk.clock.now_ms(), tokens.new_link_token()
    link = Link(
        id=tokens.new_link_id(now_ms),
        key_id=key.id,
        owner=key.owner,
        version=key.newest.number,
        digest=tokens.link_digest(token.reveal()) or "",
        creator=caller.creator(),
        created_at_ms=now_ms,
        expires_at_ms=now_ms + lifetime_ms,
        email=email,
    )
    if desk.keeps_answers:
        desk.vault.seal(token, tenant=key.tenant, key_id=link.id, version=1)
    return Made(link, token)


class Along:
    """A link that is made together with the secret that it leads to: `also` of the greater change, and then `made`."""

    made: Made

    def __init__(self, desk: Desk, caller: Principal, lifetime_ms: int) -> None:
        self._desk, self._caller, self._lifetime_ms = desk, caller, lifetime_ms

    def __call__(self, key: Key) -> tuple[Write, ...]:
        self.made = draft(self._desk, self._caller, key, lifetime_ms=self._lifetime_ms)
        return creation(self._desk, self._caller, self.made.link, key)


def creation(desk: Desk, caller: Principal, link: Link, key: Key) -> tuple[Write, ...]:
    """The writes that a new link consists of, for a greater change."""
    return SaveLink(link), record(desk, caller, EventType.LINK_CREATED, key, version=link.version, link_id=link.id)


def revoke(desk: Desk, caller: Principal, key: Key, link: Link | None) -> Link:
    """Taken back, so that it opens nothing. One that was opened, revoked or over before stays what it is. Raises
    LinkNotFound, Stale."""
    if link is None:
        raise errors.LinkNotFound
    revoked = link.revoked(desk.clock.now_ms())
    if revoked is not link:
        told = record(desk, caller, EventType.LINK_REVOKED, key, version=link.version, link_id=link.id)
        desk.store.commit(SaveLink(revoked, link), told)
    return revoked


# --- opening -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """A link that may be opened, and what is behind it."""

    link: Link
    key: Key
    version: Version


def find(desk: Desk, text: str) -> Waiting:
    """What waits behind a link's token.

    Raises LinkOpened for a link that was opened before, and for all else the same LinkNotFound: a token that nobody was
    given, a link that is over or was revoked, a key or version that is no more. Up to two reads.
    """
    digest = tokens.link_digest(text)
    if digest is None:
        raise errors.LinkNotFound
    named = LinkNamed(digest)
    if (ref := desk.store.read(named)[named]) is None:
        raise errors.LinkNotFound
    link_at, key_at = LinkAt(ref), KeyRef(ref.key_id)
    reading = desk.store.read(link_at, key_at)
    link, key, now_ms = reading[link_at], reading[key_at], desk.clock.now_ms()
    if link is None:
        raise errors.LinkNotFound
    if link.state(now_ms) is LinkState.OPENED:
        raise errors.LinkOpened(at_ms=link.opened_at_ms)
    if link.state(now_ms) is not LinkState.WAITING or key is None or key.state(now_ms) in _OVER:
        raise errors.LinkNotFound
    version = next((each for each in key.working(now_ms) if each.number == link.version), None)
    if version is None:
        raise errors.LinkNotFound
    return Waiting(link, key, version)


def open_link(desk: Desk, waiting: Waiting, source: str) -> Token:
    """The secret, for the one who comes first. That it was opened, and from which address, is committed before it
    leaves. Raises Stale, Unavailable; only after a commit whose answer was lost is the link opened all the same."""
    link, key, now_ms = waiting.link, waiting.key, desk.clock.now_ms()
    token = desk.vault.reveal([SealedSecret.of(key, waiting.version)])[0]
    said = {"version": link.version, "link_id": link.id, "source": source}
    event = audit.event(EventType.LINK_OPENED, key.owner, key.id, actor=link.id, at_ms=now_ms, **said)
    desk.store.commit(SaveLink(link.opened(source, now_ms), link), Record(event))
    return token

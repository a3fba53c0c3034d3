"""What SupportCenter Plus asks of support reps before a deed, in the order in which it refuses, and the deeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from keywright import audit, errors, issuing, lifecycle
from keywright.access import Principal
from keywright.audit import Stored
from keywright.dialects.supportcenter import wire
from keywright.dialects.supportcenter.credentials import admit
from keywright.dialects.supportcenter.styles import Classic, classic_of
from keywright.edge import Caller, Request
from keywright.issuing import Issued
from keywright.model import LOGIN_ENABLED, RULES, Key, KeyKind, OwnerKind, OwnerRef, Requirement, SupportRep
from keywright.ports import Desk, OwnerAt, Require, SingleKeyRef
from keywright.tokens import Token

AskedT = TypeVar("AskedT", bound=wire.OfOneRep)

MAY_HAVE_A_KEY = RULES[KeyKind.REP_KEY].issue_requires


@dataclass(frozen=True, slots=True)
class Candidate(Generic[AskedT]):
    """A rep whom the caller named, as of a moment ago: the write has conditions of its own."""

    asked: AskedT
    rep: SupportRep
    administrator: SupportRep
    style: Classic


@dataclass(frozen=True, slots=True)
class Holder(Candidate[AskedT]):
    """The same, and the key that the rep has. It may have expired."""

    key: Key


@dataclass(frozen=True, slots=True)
class Listing:
    asked: wire.ListApiKeys
    style: Classic


# --- what a request is about ---------------------------------------------------------------------------------------


def without_key(desk: Desk, request: Request, caller: Caller) -> Candidate[wire.GenerateApiKey]:
    """Raises what `admit` and `wire.asked` raise, and SupportRepNotFound, LoginNotEnabled, RoleNotAssigned,
    KeyExists."""
    candidate, key = _named(desk, request, caller, wire.GenerateApiKey)
    _demand(candidate.rep, MAY_HAVE_A_KEY)
    if key is not None:
        raise errors.KeyExists
    return candidate


def to_email(desk: Desk, request: Request, caller: Caller) -> Holder[wire.EmailApiKey]:
    """Raises what `admit` and `wire.asked` raise, and SupportRepNotFound, LoginNotEnabled, KeyNotFound."""
    candidate, key = _named(desk, request, caller, wire.EmailApiKey)
    _demand(candidate.rep, (LOGIN_ENABLED,))
    return _holder(candidate, key)


def to_regenerate(desk: Desk, request: Request, caller: Caller) -> Holder[wire.RegenerateApiKey]:
    """Raises what `admit` and `wire.asked` raise, and SupportRepNotFound, FieldMissing (an expiry that has passed is
    not kept, so there must be another), LoginNotEnabled, RoleNotAssigned, KeyNotFound."""
    candidate, key = _named(desk, request, caller, wire.RegenerateApiKey)
    if candidate.asked.expires_on is None and key is not None and key.has_expired(desk.clock.now_ms()):
        raise errors.FieldMissing(field="expiresOn")
    _demand(candidate.rep, MAY_HAVE_A_KEY)
    return _holder(candidate, key)


def to_delete(desk: Desk, request: Request, caller: Caller) -> Holder[wire.OfOneRep]:
    """Raises what `admit` and `wire.asked` raise, and SupportRepNotFound, KeyNotFound."""
    return _holder(*_named(desk, request, caller, wire.OfOneRep))


def listing(desk: Desk, request: Request, caller: Caller) -> Listing:
    """Raises what `admit` and `wire.asked` raise."""
    admit(desk, caller)
    return Listing(wire.asked(wire.ListApiKeys, request, desk.clock.now_ms()), classic_of(request))


def _named(
    desk: Desk, request: Request, caller: Caller, parameters: type[AskedT]
) -> tuple[Candidate[AskedT], Key | None]:
    """One read, for the caller, the rep and the rep's key together. A revoked key is none."""
    try:
        asked = wire.asked(parameters, request, desk.clock.now_ms())
    except errors.KeywrightError:
        admit(desk, caller)  # who may not ask at all is told that, and not what is wrong with the question
        raise
    ref = OwnerRef(caller.principal.tenant, OwnerKind.SUPPORT_REP, asked.support_rep)
    administrator, reading = admit(desk, caller, OwnerAt(ref), SingleKeyRef(ref))
    rep, key = reading[OwnerAt(ref)], reading[SingleKeyRef(ref)]
    if not isinstance(rep, SupportRep):
        raise errors.SupportRepNotFound
    living = None if key is None or key.revoked_at_ms is not None else key
    return Candidate(asked, rep, administrator, classic_of(request)), living


def _holder(candidate: Candidate[AskedT], key: Key | None) -> Holder[AskedT]:
    if key is None:
        raise errors.KeyNotFound
    return Holder(candidate.asked, candidate.rep, candidate.administrator, candidate.style, key)


def _demand(rep: SupportRep, requirements: Iterable[Requirement]) -> None:
    for requirement in requirements:
        requirement.check(rep)


# --- the deeds -----------------------------------------------------------------------------------------------------


def generate(desk: Desk, caller: Principal, found: Candidate[wire.GenerateApiKey]) -> Issued:
    """The rep's one key. Raises what `without_key` raises for the rep, and MailNotSent; the key stands even so."""
    order = issuing.Order(kind=KeyKind.REP_KEY, owner=found.rep.ref, expires_at_ms=found.asked.expires_at_ms)
    issued = issuing.issue(desk, caller, order, creator=caller.creator(found.administrator.name))
    _email(desk, issued.token, found.asked.email_id, found.rep)
    return issued


def regenerate(desk: Desk, caller: Principal, found: Holder[wire.RegenerateApiKey]) -> Issued:
    """The next version of the rep's key, with which the last one is gone. Raises LoginNotEnabled, RoleNotAssigned,
    Stale, and MailNotSent; the new key stands even so."""
    issued = issuing.issue_version(
        desk,
        caller,
        found.key,
        creator=caller.creator(found.administrator.name),
        expires_at_ms=found.asked.expires_at_ms(found.key),
        also=lambda _: (Require(found.rep.ref, MAY_HAVE_A_KEY),),
    )
    _email(desk, issued.token, found.asked.email_id, found.rep)
    return issued


def email(desk: Desk, caller: Principal, found: Holder[wire.EmailApiKey]) -> None:
    """On record as a reveal before it is mailed, and even if it is not. Raises MailNotSent."""
    [token] = audit.reveal(desk, caller, [Stored.of(found.key, found.key.newest)])
    _email(desk, token, found.asked.email_id, found.rep)


def delete(desk: Desk, caller: Principal, found: Holder[wire.OfOneRep]) -> None:
    """Raises Stale."""
    lifecycle.delete(desk, caller, found.key)


def rows(desk: Desk, caller: Principal, asked: wire.ListApiKeys) -> tuple[list[wire.RepKeyRow], bool]:
    """A page of the reps with keys, by login, and whether there are more. Expired keys are listed, revoked ones not.

    Only the secrets that the page shows are opened. Raises SupportRepNotFound where a rep is named that there is not.
    """
    everyone = desk.store.owners_with_single_keys(caller.tenant, OwnerKind.SUPPORT_REP)
    if asked.support_rep is not None and all(rep.id != asked.support_rep for rep, _ in everyone):
        raise errors.SupportRepNotFound
    found = [
        (rep, key)
        for rep, key in everyone
        if isinstance(rep, SupportRep)
        and key is not None
        and key.revoked_at_ms is None
        and asked.support_rep in {None, rep.id}
        and asked.business_unit in {None, rep.business_unit}
    ]
    first = asked.start_index - 1
    page = found[first : first + asked.row_count]
    tokens = audit.reveal(desk, caller, [Stored.of(key, key.newest) for _, key in page])
    shown = zip(page, tokens, strict=True)
    return [wire.RepKeyRow.of(rep, key, token) for (rep, key), token in shown], len(found) > first + len(page)


def _email(desk: Desk, token: Token, address: str | None, rep: SupportRep) -> None:
    if address is not None:
        desk.mailer.send_token(token, to=address, owner_name=rep.name)

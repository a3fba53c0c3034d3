"""The token endpoint, where a client fetches its access tokens (RFC 6749): for a refresh token, or for itself.

A client and a refresh token are keys like any other. The client's id is its key's id, and its secret is what must be
presented beside a refresh token that was issued to it. What comes out is an access token of the operator behind.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from aws_lambda_powertools.event_handler import Response

from keywright import addresses, errors, issuing
from keywright.access import Principal, principal
from keywright.dialects.salesiq import refusals
from keywright.edge import FORM, Caller, Request
from keywright.issuing import Issued, Order
from keywright.model import OPERATOR_ENABLED, Creator, Grant, KeyKind, Operator
from keywright.ports import Desk, OwnerAt, Reading, Ref
from keywright.verification import Presented, fulfils

ACCESS_TOKEN_LIVES_MS: Final = 3_600_000
"""As long as the vendor's (rest-api-prerequisite-v2.html)."""
UNSTORED: Final = refusals.UNSTORED
_MOST_SCOPES: Final = 50
_SCOPE: Final = re.compile(r"[A-Za-z0-9_*:.-]{1,100}")

Form = Mapping[str, str]


class TokenSurface:
    """The endpoint, as the edge sees it: it refuses in the words of RFC 6749."""

    name = "salesiq"

    def check_address(self, request: Request) -> None:
        """There is one."""

    def authenticate(self, desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
        """The client; what was read for it is an `_Asked`. Raises CredentialsMissing, CredentialsRefused, and what is
        wrong with the body."""
        form = _form(request)
        client_id, secret = _client_credentials(request, form)
        client = Presented.with_key_id(client_id, secret)
        if not client.refs:
            raise errors.CredentialsRefused
        refresh = Presented.with_pairing(secret, form.get("refresh_token", ""))
        reading = desk.store.read(*client.refs, *refresh.refs, *also)
        grant = client.grant(reading)
        caller = principal(grant, desk.clock.now_ms(), kinds=(KeyKind.OAUTH_CLIENT,))
        assert grant is not None
        return Caller(caller, _Asked(form, grant, refresh.grant(reading)))

    def refuse(self, refused: Sequence[errors.KeywrightError], request: Request) -> Response[str]:
        return refusals.token_error(refused, by_header=request.header("authorization") is not None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request by a client that is known. `refresh` is what its refresh token says, if that is the client's own."""

    form: Form
    client: Grant
    refresh: Grant | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """An access token that may be minted: for whom, until when at most, and whether the client must be told what it may
    do, since it named nothing itself."""

    holder: Principal
    operator: Operator
    ends_at_ms: int | None
    scopes_are_news: bool


@dataclass(frozen=True, slots=True)
class Minted:
    issued: Issued
    lives_ms: int
    scopes_are_news: bool


def allow(desk: Desk, request: Request, caller: Caller) -> Allowed:
    """Raises FieldMissing, FieldInvalid for a wrong `grant_type`; KeyNotFound, OperatorDisabled where what was granted
    is no longer; CredentialsRefused where the client's own operator is gone; ScopeMissing for more than was granted."""
    asked: _Asked = caller.reading
    grant = _granted(asked, desk.clock.now_ms())
    if not addresses.allows(grant.allowed_cidrs, request.source):
        raise errors.KeyNotFound
    operator_at, clients_at = OwnerAt(grant.owner), OwnerAt(asked.client.owner)
    reading = desk.store.read(operator_at, clients_at)
    operator = _operator(reading, operator_at)
    if not fulfils(reading[clients_at], (OPERATOR_ENABLED,)):
        raise errors.CredentialsRefused
    wanted = _scopes(asked.form.get("scope", ""))
    _contain(grant.scopes, wanted)
    ends = [end for end in (grant.expires_at_ms, asked.client.expires_at_ms) if end is not None]
    return Allowed(
        holder=Principal(grant.key_id, grant.kind, grant.owner, wanted or grant.scopes, grant.allowed_cidrs),
        operator=operator,
        ends_at_ms=min(ends, default=None),
        scopes_are_news=grant is asked.client and not wanted,
    )


def mint(desk: Desk, allowed: Allowed) -> Minted:
    """An access token for an hour; it never outlives what it was minted for. Raises KeyNotFound where that is over,
    OperatorDisabled."""
    now_ms = desk.clock.now_ms()
    ends_at_ms = now_ms + ACCESS_TOKEN_LIVES_MS
    if allowed.ends_at_ms is not None:
        ends_at_ms = min(ends_at_ms, allowed.ends_at_ms)
    holder, operator = allowed.holder, allowed.operator
    order = Order(
        kind=KeyKind.ACCESS_TOKEN,
        owner=holder.owner,
        description=f"minted for {holder.key_id}",
        scopes=holder.scopes,
        allowed_cidrs=holder.allowed_cidrs,
        expires_at_ms=ends_at_ms,
        transient=True,
    )
    try:
        issued = issuing.issue(desk, holder, order, creator=Creator(operator.id, operator.name))
    except errors.FieldInvalid as over:
        raise errors.KeyNotFound from over
    return Minted(issued, ends_at_ms - now_ms, allowed.scopes_are_news)


def _granted(asked: _Asked, now_ms: int) -> Grant:
    """What the client may have an access token for."""
    match asked.form.get("grant_type"):
        case None:
            raise errors.FieldMissing(field="grant_type")
        case "client_credentials":
            return asked.client
        case "refresh_token":
            if "refresh_token" not in asked.form:
                raise errors.FieldMissing(field="refresh_token")
            refresh = asked.refresh
            if refresh is None or refresh.kind is not KeyKind.REFRESH_TOKEN or refresh.refusal(now_ms) is not None:
                raise errors.KeyNotFound
            return refresh
    raise errors.FieldInvalid(field="grant_type")


def _operator(reading: Reading, at: OwnerAt) -> Operator:
    operator = reading[at]
    if not isinstance(operator, Operator) or not operator.enabled:
        raise errors.OperatorDisabled
    return operator


# --- the request ---------------------------------------------------------------------------------------------------


def _form(request: Request) -> Form:
    """Each parameter once; one without a value counts as not sent (RFC 6749 3.2)."""
    if request.media_type != FORM:
        raise errors.ContentTypeRefused
    form = dict(request.form)
    if len(form) != len(request.form):
        raise errors.BodyUnreadable
    return {name: value for name, value in form.items() if value}


def _client_credentials(request: Request, form: Form) -> tuple[str, str]:
    """By HTTP Basic or in the form, and not by both (RFC 6749 2.3). Naming itself in the form is no second way."""
    header = request.header("authorization")
    if header is None:
        if "client_id" not in form or "client_secret" not in form:
            raise errors.CredentialsMissing
        return form["client_id"], form["client_secret"]
    client_id, secret = _basic(header)
    if "client_secret" in form or form.get("client_id", client_id) != client_id:
        raise errors.BodyUnreadable
    return client_id, secret


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as unreadable:
        raise errors.CredentialsMissing from unreadable
    if scheme.lower() != "basic" or not colon:
        raise errors.CredentialsMissing
    return unquote_plus(client_id), unquote_plus(secret)


# --- scopes --------------------------------------------------------------------------------------------------------


def _scopes(text: str) -> tuple[str, ...]:
    """Parted by spaces as RFC 6749 has it, or by commas as the vendor has it."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _contain(granted: Iterable[str], wanted: Sequence[str]) -> None:
    """Raises ScopeMissing unless all that is wanted was granted, ``Service.Scope.ALL`` covering all operations, in any
    case."""
    held = {scope.lower() for scope in granted}
    if len(wanted) > _MOST_SCOPES or not all(_SCOPE.fullmatch(each) and _covering(each) & held for each in wanted):
        raise errors.ScopeMissing(field="scope")


def _covering(scope: str) -> set[str]:
    lower = scope.lower()
    service, _, operation = lower.rpartition(".")
    return {lower, f"{service}.all"} if service and operation.isalpha() else {lower}

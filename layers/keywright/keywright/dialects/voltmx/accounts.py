"""The login: a user and a password in, a claims token out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from keywright import errors, issuing
from keywright.access import Principal
from keywright.dialects.voltmx import credentials, wire
from keywright.edge import Caller, Request
from keywright.issuing import Issued, Order
from keywright.model import KeyKind, Operator
from keywright.ports import Desk, OwnerAt, Ref
from keywright.verification import Presented

CLAIMS_TOKEN_LIVES_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Account:
    """The operator who logs in, as it is now, and when the password ends."""

    operator: Operator
    password_expires_at_ms: int | None


def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
    """The operator of this id with this native token. Raises CredentialsRefused, and what is wrong with the body."""
    sent = wire.Login.read(request)
    caller = credentials.operator(desk, sent.userid, sent.password.get_secret_value(), also)
    return Caller(caller.principal, Presented.token(sent.password.get_secret_value()).grant(caller.reading))


def account(desk: Desk, _request: Request, caller: Caller) -> Account:
    """Raises CredentialsRefused, OperatorDisabled."""
    at = OwnerAt(caller.principal.owner)
    operator = credentials.admit_operator(desk.store.read(at)[at])
    return Account(operator, caller.reading.expires_at_ms)


def claims_token(desk: Desk, caller: Principal, account: Account) -> Issued:
    """A native token for an hour that may do what the password may.

    It never outlives the password. A claims token is a password as well, being a native token, and whoever got hold of
    one could otherwise log in with it again and again.
    """
    ends = [desk.clock.now_ms() + CLAIMS_TOKEN_LIVES_MS]
    if account.password_expires_at_ms is not None:
        ends.append(account.password_expires_at_ms)
    order = Order(
        kind=KeyKind.NATIVE,
        owner=caller.owner,
        description="claims token",
        scopes=caller.scopes,
        allowed_cidrs=caller.allowed_cidrs,
        expires_at_ms=min(ends),
        transient=True,
    )
    try:
        return issuing.issue(desk, caller, order)
    except errors.FieldInvalid as over:  # the password expired between the reading and here
        raise errors.CredentialsRefused from over

"""How the callers of the native API are recognised: ``Authorization: Bearer kw_...``, an operator's native token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keywright import errors
from keywright.access import principal
from keywright.edge import Caller, Request
from keywright.model import KeyKind, OwnerKind
from keywright.ports import Desk, Ref
from keywright.verification import Presented


def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
    """Raises CredentialsMissing where there is no bearer token, CredentialsRefused where it is not an operator's."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        raise errors.CredentialsMissing
    presented = Presented.token(token)
    if not presented.refs:
        raise errors.CredentialsRefused
    reading = desk.store.read(*presented.refs, *also)
    caller = principal(presented.grant(reading), desk.clock.now_ms(), kinds=(KeyKind.NATIVE,))
    if caller.owner.kind is not OwnerKind.OPERATOR:
        raise errors.CredentialsRefused
    return Caller(caller, reading)

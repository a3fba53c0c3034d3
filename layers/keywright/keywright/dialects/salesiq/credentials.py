"""How the callers of this dialect are recognised: ``Authorization: Zoho-oauthtoken 1000.<32 hex>.<32 hex>``.

The header's form is what public clients send; the vendor documents the scopes (rest-api-prerequisite-v2.html). A token
belongs to one operator, and the operator's tenant is the one portal it opens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from keywright import errors
from keywright.access import Principal, principal
from keywright.edge import Caller, Request
from keywright.model import KeyKind
from keywright.ports import Desk, Ref
from keywright.verification import Presented

# Two headers of the name arrive joined by a comma, and no token holds one: which of them counts would be a guess.
_AUTHORIZATION: Final = re.compile(r"zoho-oauthtoken +([^\s,]+)", re.IGNORECASE | re.ASCII)
_SCOPES: Final = "salesiq.apps."


def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
    """Raises CredentialsMissing where there is not exactly one token, CredentialsRefused where it is not valid."""
    given = _AUTHORIZATION.fullmatch(request.header("authorization") or "")
    if given is None:
        raise errors.CredentialsMissing
    presented = Presented.token(given[1])
    if not presented.refs:
        raise errors.CredentialsRefused
    reading = desk.store.read(*presented.refs, *also)
    return Caller(principal(presented.grant(reading), desk.clock.now_ms(), kinds=(KeyKind.ACCESS_TOKEN,)), reading)


def demand(caller: Principal, operation: str) -> None:
    """Raises ScopeMissing unless one of the caller's scopes is ``SalesIQ.apps.<operation>`` or ``SalesIQ.apps.ALL``,
    in any case: clients are seen to spell them in several."""
    covering = {f"{_SCOPES}{operation.lower()}", f"{_SCOPES}all"}
    if covering.isdisjoint(scope.lower() for scope in caller.scopes):
        raise errors.ScopeMissing

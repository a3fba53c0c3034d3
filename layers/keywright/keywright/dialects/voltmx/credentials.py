"""How the callers of Volt MX are recognised: an operator's native token, as a claims token or as a Basic password, and
an application's own App API key."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from keywright import errors
from keywright.access import Principal, principal
from keywright.dialects import Carried
from keywright.edge import Caller, Request
from keywright.model import OPERATOR_ENABLED, KeyKind, Operator, Owner, OwnerKind
from keywright.ports import Desk, Ref
from keywright.verification import Presented

CLAIMS_TOKEN: Final = ("X-VoltMX-Authorization", "X-Kony-Authorization")
"""The header's name, and its former one."""
APP_API_KEY: Final = ("X-VoltMX-App-API-Key", "X-Kony-App-API-Key")


def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
    """The operator behind the credentials; a claims token is looked at before a Basic password.

    Raises CredentialsMissing where there are none, CredentialsRefused where they are not an operator's. That the
    operator is enabled is seen to by `admit_operator`, since only the token says where to look for the operator.
    """
    user, token = _claimed(request)
    return operator(desk, user, token, also)


def authenticate_either(desk: Desk, request: Request, also: Iterable[Ref[Any]], *, app_keys: bool) -> Caller:
    """The operator behind the credentials; where there are none of an operator, the application behind its key.

    Without `app_keys` no such key is a credential. Raises CredentialsMissing, and CredentialsRefused, which names the
    header where it is the App API key that is refused. What the application is now is not looked at here.
    """
    key = _first(request, APP_API_KEY)
    if key is None or _names_an_operator(request):
        return authenticate(desk, request, also)
    if not app_keys:
        raise errors.CredentialsRefused(field=APP_API_KEY[0])
    try:
        return _holder(desk, key, also, KeyKind.APP_API_KEY)
    except errors.CredentialsRefused as refused:
        raise errors.CredentialsRefused(field=APP_API_KEY[0]) from refused


def carried_key(carried: Carried) -> Presented:
    """The App API key of a request to a service behind, and the application that the request names, by its id.

    Raises CredentialsMissing where there is no key. A header that came twice is, as for HTTP itself, one with a comma.
    """
    values = (",".join(carried.headers.get(name.lower(), ())) for name in APP_API_KEY)
    token = next(filter(None, (carried.token, *values)), None)
    if token is None:
        raise errors.CredentialsMissing
    named = ",".join(carried.parameters.get("appId", ()))
    return replace(Presented.token(token), owner_id=named or None)


def operator(desk: Desk, user: str | None, token: str, also: Iterable[Ref[Any]] = ()) -> Caller:
    """Raises CredentialsRefused unless `token` is an operator's, and that of `user` where one is named."""
    caller = _holder(desk, token, also, KeyKind.NATIVE)
    owner = caller.principal.owner
    if owner.kind is not OwnerKind.OPERATOR or user not in (None, owner.id):
        raise errors.CredentialsRefused
    return caller


def admit(caller: Principal, owner: Owner | None) -> None:
    """`owner` is the one behind the caller's credentials, as it is now. Raises CredentialsRefused, OperatorDisabled."""
    if not is_application(caller):
        admit_operator(owner)
    elif owner is None:
        raise errors.CredentialsRefused(field=APP_API_KEY[0])


def admit_operator(owner: Owner | None) -> Operator:
    if not isinstance(owner, Operator):
        raise errors.CredentialsRefused
    OPERATOR_ENABLED.check(owner)
    return owner


def is_application(caller: Principal) -> bool:
    """Whether an application asks, by its key. It acts on its own keys only, and has no scopes."""
    return caller.kind is KeyKind.APP_API_KEY


def _holder(desk: Desk, token: str, also: Iterable[Ref[Any]], kind: KeyKind) -> Caller:
    presented = Presented.token(token)
    if not presented.refs:
        raise errors.CredentialsRefused
    reading = desk.store.read(*presented.refs, *also)
    return Caller(principal(presented.grant(reading), desk.clock.now_ms(), kinds=(kind,)), reading)


def _names_an_operator(request: Request) -> bool:
    """Whether there are credentials of an operator, good or bad. Another scheme than Basic is nobody's here."""
    scheme = (request.header("Authorization") or "").partition(" ")[0]
    return _first(request, CLAIMS_TOKEN) is not None or scheme.lower() == "basic"


def _claimed(request: Request) -> tuple[str | None, str]:
    """The user, where the credentials name one, and the token."""
    if token := _first(request, CLAIMS_TOKEN):
        return None, token
    scheme, _, encoded = (request.header("Authorization") or "").partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as unreadable:
        raise errors.CredentialsMissing from unreadable
    if scheme.lower() != "basic" or not colon:
        raise errors.CredentialsMissing
    return user, password


def _first(request: Request, names: Iterable[str]) -> str | None:
    return next(filter(None, map(request.header, names)), None)

"""Who calls Sunshine Conversations, and which apps the caller may manage.

A key is presented as HTTP Basic (its id and its secret, RFC 7617) or as a bearer JWT signed with the secret, whose
`kid` names the key. Every failure is CredentialsRefused or CredentialsMissing, and both are one answer.
"""

from __future__ import annotations

import base64
from typing import Final

from keywright import errors, jwt, refused_use, tokens
from keywright.access import Principal, principal
from keywright.dialects import Carried
from keywright.edge import Request
from keywright.model import RULES, Grant, KeyKind, Owner
from keywright.ports import Desk
from keywright.verification import Presented, fulfils

KEY_KINDS: Final = frozenset(
    {KeyKind.ACCOUNT_SECRET, KeyKind.SERVICE_ACCOUNT_SECRET, KeyKind.APP_SECRET, KeyKind.INTEGRATION_SECRET}
)
"""The kinds of key that are credentials here."""
_PREFIXES: Final = frozenset(RULES[kind].id_prefix for kind in KEY_KINDS)


def authenticate(desk: Desk, request: Request) -> Principal:
    """The caller, by one read; a JWT asks the vault once besides. Its owner must still be looked at: `check_owner`."""
    scheme, credential = _parted(request.header("authorization") or "")
    match scheme:
        case "basic":
            return _by_secret(desk, credential)
        case "bearer":
            return _by_signature(desk, credential)
    raise errors.CredentialsMissing


def carried_key(carried: Carried) -> Presented:
    """The pair that a request to a service behind carries by Basic.

    Raises CredentialsMissing where it carries none, SignedToken where it carries a JWT instead.
    """
    if carried.token is not None:
        return Presented.token(carried.token)
    values = carried.headers.get("authorization", ())
    scheme, credential = _parted(values[0] if len(values) == 1 else "")
    match scheme:
        case "basic":
            try:
                return _pair(credential)
            except errors.CredentialsRefused as malformed:
                raise errors.CredentialsMissing from malformed
        case "bearer":
            raise errors.SignedToken(field="headers")
    raise errors.CredentialsMissing


def check_owner(caller: Principal, owner: Owner | None) -> None:
    """Raises CredentialsRefused where the key's owner, as it is now, is not what a live key requires: enabled, for the
    operator behind an account's or a service account's key."""
    requirements = RULES[caller.kind].verify_requires
    if requirements and not fulfils(owner, requirements):
        raise errors.CredentialsRefused


def check_app(caller: Principal, app_id: str) -> None:
    """Raises ScopeMissing where the caller may not manage the keys of this app's integrations, whether the app exists
    or not."""
    if caller.kind is not KeyKind.APP_SECRET or caller.owner.id != app_id:
        check_account(caller, app_id)


def check_account(caller: Principal, app_id: str) -> None:
    """Raises ScopeMissing where the caller is none of an account that may manage this app itself, whether it exists or
    not."""
    match caller.kind:
        case KeyKind.ACCOUNT_SECRET:
            return
        case KeyKind.SERVICE_ACCOUNT_SECRET:
            caller.demand(f"app:{app_id}")
        case _:
            raise errors.ScopeMissing


def _parted(authorization: str) -> tuple[str, str]:
    scheme, _, credential = authorization.partition(" ")
    return scheme.lower(), credential


def _by_secret(desk: Desk, credential: str) -> Principal:
    presented = _pair(credential)
    grant = presented.grant(desk.store.read(*presented.refs))
    return principal(grant, desk.clock.now_ms(), KEY_KINDS)


def _pair(credential: str) -> Presented:
    """Raises CredentialsRefused for what cannot be a pair of ours, so that nothing is read for it."""
    try:
        key_id, _, secret = base64.b64decode(credential, validate=True).decode().partition(":")
    except ValueError as malformed:
        raise errors.CredentialsRefused from malformed
    presented = Presented.with_key_id(key_id, secret)
    if not tokens.is_id(key_id, _PREFIXES) or not presented.refs:
        raise errors.CredentialsRefused
    return presented


def _by_signature(desk: Desk, credential: str) -> Principal:
    """The key that `kid` names gives owner and secret."""
    try:
        token = jwt.read(credential)
    except ValueError as malformed:
        raise errors.CredentialsRefused from malformed
    key = desk.store.read(token.ref)[token.ref]
    if key is None or (reason := jwt.judge(desk, token, key)) is not None:
        refused = errors.CredentialsRefused()
        if key is not None and reason in refused_use.DEAD:
            refused.presented = jwt.dead_signer(desk, token, key)
        raise refused
    return principal(Grant.of(key, key.newest), desk.clock.now_ms(), KEY_KINDS)

"""Header fields, without a framework: the credential that a request carries, and how limits are told.

Here, and not in a dialect, because two readers need them that know no common dialect: the native API, which is shown a
header as it came in, and the authorizers, which stand before other people's APIs.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from keywright import errors
from keywright.limits import Allowance, Spending
from keywright.verification import Presented

TOKEN_FIELDS: Final = frozenset(
    {
        "api-key",
        "apikey",
        "authtoken",
        "technician_key",
        "x-api-key",
        "x-kony-app-api-key",
        "x-voltmx-app-api-key",
    }
)
"""Fields whose value is a token as it is: the usual ones, and those of the dialects."""
TOKEN_SCHEMES: Final = frozenset({"bearer", "token", "zoho-oauthtoken"})
CREDENTIAL_FIELDS: Final = TOKEN_FIELDS | {"authorization"}


def presented(name: str, value: str) -> Presented | None:
    """The credential in one field, or None where there is none: a token, alone or under a scheme, or a key's id with
    its secret by Basic (RFC 7617).

    Raises SignedToken for a JSON Web Token, which is verified in another way.
    """
    name, value = name.lower(), value.strip(" \t")
    if name in TOKEN_FIELDS:
        return _token(value)
    if name != "authorization":
        return None
    scheme, _, credential = value.partition(" ")
    match scheme.lower():
        case "basic":
            return _pair(credential.strip(" "))
        case token if token in TOKEN_SCHEMES:
            return _token(credential.strip(" "))
    return None


def the_one_of(fields: Mapping[str, Sequence[str]]) -> Presented | None:
    """The credential that a request's fields carry, or None where there is none, or more than one: which of them counts
    would be a guess. Raises SignedToken."""
    found = {each for name, values in fields.items() for value in values if (each := presented(name, value))}
    return found.pop() if len(found) == 1 else None


def _token(text: str) -> Presented | None:
    if not text:
        return None
    from keywright import jwt  # noqa: PLC0415  an authorizer tells of limits and asks nothing here

    if jwt.is_compact(text):
        raise errors.SignedToken
    return Presented.token(text)


def _pair(encoded: str) -> Presented | None:
    try:
        key_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return Presented.with_key_id(key_id, secret) if colon and key_id and secret else None


def limit_fields(spending: Spending | None) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit`` (draft-ietf-httpapi-ratelimit-headers-10), and where a use was refused
    ``Retry-After`` (RFC 9110 10.2.3). Nothing where there are no limits."""
    if spending is None:
        return {}
    fields = {}
    if spending.allowances:
        fields["RateLimit-Policy"] = _items(
            f'"{each.name}";q={each.limit};w={each.window_seconds}' for each in spending.allowances
        )
        fields["RateLimit"] = _items(map(_left, spending.allowances))
    if spending.retry_after_seconds is not None:
        fields["Retry-After"] = str(spending.retry_after_seconds)
    return fields


def _left(allowance: Allowance) -> str:
    return f'"{allowance.name}";r={allowance.remaining};t={allowance.reset_seconds}'


def _items(items: Iterable[str]) -> str:
    return ", ".join(items)

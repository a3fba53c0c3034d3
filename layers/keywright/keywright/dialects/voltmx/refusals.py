"""Refusals of Volt MX: an empty `id` and a message; of the two GETs, the status, and the message twice.

The vendor's pages print causes and no bodies; the causes, without their full stops, are the messages. What is neither a
field's fault, nor the application's, nor the key's, is unauthorised, missing data or a server failure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors
from keywright.dialects import over_limit
from keywright.edge import JSON
from keywright.model import Reason, Verification

APP_API_KEY: Final = "X-VoltMX-App-API-Key"
MISSING_DATA: Final = "Required data is missing"
WRONG_APP: Final = "The appId entered is incorrect"
UNAUTHORISED: Final = "Unauthorized request"
KEY_NOT_FOUND: Final = "App API key not found"
SERVER_FAILURE: Final = "Server failure to process request"

_MISSING_DATA: Final = (HTTPStatus.BAD_REQUEST, MISSING_DATA)
_UNAUTHORISED: Final = (HTTPStatus.UNAUTHORIZED, UNAUTHORISED)
_KEY_NOT_FOUND: Final = (HTTPStatus.BAD_REQUEST, KEY_NOT_FOUND)

TABLE: Final[dict[type[errors.KeywrightError], tuple[HTTPStatus, str]]] = {
    errors.PathUnknown: (HTTPStatus.NOT_FOUND, "Invalid URL"),
    errors.MethodRefused: (HTTPStatus.METHOD_NOT_ALLOWED, "Invalid Method"),
    errors.ContentTypeRefused: _MISSING_DATA,
    errors.BodyTooLarge: _MISSING_DATA,
    errors.BodyUnreadable: _MISSING_DATA,
    errors.FieldMissing: _MISSING_DATA,
    errors.FieldUnknown: _MISSING_DATA,
    errors.FieldInvalid: _MISSING_DATA,
    errors.CredentialsMissing: _UNAUTHORISED,
    errors.CredentialsRefused: _UNAUTHORISED,
    errors.ScopeMissing: _UNAUTHORISED,
    errors.RoleMissing: _UNAUTHORISED,
    errors.OperatorDisabled: _UNAUTHORISED,
    errors.TooManyRequests: (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    errors.OperatorNotFound: _UNAUTHORISED,
    errors.OwnerNotFound: (HTTPStatus.BAD_REQUEST, WRONG_APP),
    errors.OwnerNotEligible: (
        HTTPStatus.BAD_REQUEST,
        "Invalid VoltMX AppId or Application is not published with given AppId",
    ),
    errors.KeyNotFound: _KEY_NOT_FOUND,
    errors.KeyRevoked: _KEY_NOT_FOUND,
    errors.LimitReached: (HTTPStatus.BAD_REQUEST, "App API key limit reached for the application"),
    errors.KeywrightError: (HTTPStatus.INTERNAL_SERVER_ERROR, SERVER_FAILURE),
}
"""An error is answered by its own row or by that of its nearest base."""

INVALID: Final = {
    "appId": WRONG_APP,
    "neverExpires": "The neverExpires value is invalid",
    "expiresOn": "The expiresOn date is invalid",
    "expires_at": "The expiresOn date is invalid",
    "description": "The description exceeds 100 characters",
    APP_API_KEY: f"Invalid {APP_API_KEY}",
}
"""Whatever is wrong with a field or a header, it has this one text. `expires_at` is the core's name for `expiresOn`."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an operation says in its own way: the texts of the table that it replaces, and the body they stand in."""

    instead: Mapping[str, str] = field(default_factory=dict)
    is_get: bool = False


ADD: Final = Words()
GET_ALL: Final = Words({WRONG_APP: "Invalid AppId entered", KEY_NOT_FOUND: "No App API keys found"}, is_get=True)
GET_ONE: Final = Words(is_get=True)
MODIFY: Final = Words({KEY_NOT_FOUND: "App API key not found for modification"})
DELETE: Final = Words({KEY_NOT_FOUND: "App API key not found for deletion"})
LOGIN: Final = Words({UNAUTHORISED: "Authentication fail, Invalid credentials"})


def answer(refused: Sequence[errors.KeywrightError], words: Words = ADD) -> Response[str]:
    """The first refusal decides."""
    first = refused[0]
    status, text = row(type(first))
    if isinstance(first, errors.FieldInvalid | errors.CredentialsRefused):
        text = INVALID.get(first.field or "", text)
    headers: dict[str, str | list[str]] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="keywright", charset="UTF-8"'
    if isinstance(first, errors.TooManyRequests | errors.Unavailable):
        headers["Retry-After"] = str(first.retry_after_seconds)
    # What is no path of ours is no GET of ours either.
    is_get = words.is_get and status is not HTTPStatus.NOT_FOUND
    body = json.dumps(_body(is_get, status.value, words.instead.get(text, text)), separators=(",", ":"))
    return Response(status.value, content_type=JSON, body=body, headers=headers)


def refuse_key(verification: Verification) -> Response[str]:
    """What a service behind answers to an App API key. A key is refused as such; a good one of another application, or
    of one that is not published, is the application's fault, and a good one may have been used too much."""
    if (refusal := over_limit(verification)) is not None:
        return answer([refusal])
    if verification.reason is Reason.OWNER_NOT_ELIGIBLE:
        return answer([errors.OwnerNotEligible()])
    if verification.cause is errors.CredentialsMissing:
        return answer([errors.CredentialsMissing()])
    return answer([errors.CredentialsRefused(field=APP_API_KEY)])


def row(error: type[errors.KeywrightError]) -> tuple[HTTPStatus, str]:
    return next(TABLE[cls] for cls in error.__mro__ if cls in TABLE)


def _body(is_get: bool, status: int, text: str) -> dict[str, int | str]:
    return {"status": status, "result": text, "message": text} if is_get else {"id": "", "message": text}

"""Refusals of SupportCenter Plus: a status code of our block 51xx and a message for each error; a style prints both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors
from keywright.dialects.supportcenter.styles import Failure, Style
from keywright.model import Verification

_NO_KEY = Failure(5101, "Technician key in the request is invalid. Unable to authenticate.", HTTPStatus.UNAUTHORIZED)
_WRONG_KEY = Failure(
    5102, "API key received is not associated to any technician. Authentication failed.", HTTPStatus.UNAUTHORIZED
)
_NOT_PERMITTED = Failure(5103, "User does not have enough permission to perform this operation.", HTTPStatus.FORBIDDEN)
_MISSING = Failure(5104, "Mandatory parameter missing: {parameter}", HTTPStatus.BAD_REQUEST)
_INVALID = Failure(5105, "Invalid value for parameter: {parameter}", HTTPStatus.BAD_REQUEST)
_NO_REP = Failure(5106, "Support Rep does not exist.", HTTPStatus.NOT_FOUND)
_NO_LOGIN = Failure(5107, "Login is not enabled for the Support Rep.", HTTPStatus.FORBIDDEN)
_NO_ROLE = Failure(5108, "Role is not assigned to the Support Rep.", HTTPStatus.FORBIDDEN)
_KEY_THERE = Failure(5109, "API Key is already generated for the Support Rep.", HTTPStatus.CONFLICT)
_KEY_NOT_THERE = Failure(5110, "API Key is not generated for the Support Rep.", HTTPStatus.NOT_FOUND)
_NOT_MAILED = Failure(5111, "API Key could not be sent to the specified Email ID.", HTTPStatus.BAD_GATEWAY)
_NO_URL = Failure(5112, "Error when validating URL - Invalid URL for the requested operation.", HTTPStatus.NOT_FOUND)
_TOO_MANY = Failure(5113, "Too many requests. Try again later.", HTTPStatus.TOO_MANY_REQUESTS)
_LATER = Failure(5199, "Internal error.", HTTPStatus.SERVICE_UNAVAILABLE)
_FAULT = Failure(5199, "Internal error.", HTTPStatus.INTERNAL_SERVER_ERROR)

TABLE: Final[dict[type[errors.KeywrightError], Failure]] = {
    errors.CredentialsMissing: _NO_KEY,
    errors.CredentialsRefused: _WRONG_KEY,
    errors.OperatorDisabled: _WRONG_KEY,
    errors.ScopeMissing: _NOT_PERMITTED,
    errors.RoleMissing: _NOT_PERMITTED,
    errors.OwnerNotEligible: _NOT_PERMITTED,
    errors.ContentTypeRefused: _MISSING,
    errors.BodyTooLarge: _MISSING,
    errors.BodyUnreadable: _MISSING,
    errors.FieldMissing: _MISSING,
    errors.FieldUnknown: _INVALID,
    errors.FieldInvalid: _INVALID,
    errors.TenantNotFound: _NO_REP,
    errors.OwnerNotFound: _NO_REP,
    errors.LoginNotEnabled: _NO_LOGIN,
    errors.RoleNotAssigned: _NO_ROLE,
    errors.KeyExists: _KEY_THERE,
    errors.LimitReached: _KEY_THERE,
    errors.KeyNotFound: _KEY_NOT_THERE,
    errors.KeyRevoked: _KEY_NOT_THERE,
    errors.MailNotSent: _NOT_MAILED,
    errors.PathUnknown: _NO_URL,
    errors.MethodRefused: _NO_URL,
    errors.TooManyRequests: _TOO_MANY,
    errors.Conflict: _LATER,
    errors.Unavailable: _LATER,
    errors.KeywrightError: _FAULT,
}
"""An error is answered by its own row or by that of its nearest base."""

_TOLD_OF_A_KEY: Final[dict[type[errors.KeywrightError] | None, Failure]] = {
    errors.CredentialsMissing: _NO_KEY,
    errors.RoleNotAssigned: _NO_ROLE,
}
_UNNAMED: Final = "supportRep"
"""What a body that cannot be read fails to give."""
_OF_THE_CORE: Final = {"expires_at": "expiresOn"}
"""The core's name for what a caller knows by another."""


def refuse(refused: Sequence[errors.KeywrightError], style: Style) -> Response[str]:
    """The first refusal decides, and is the only one that is told."""
    first = refused[0]
    failure = failure_of(first)
    response = style.refuse(failure)
    if failure.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response.headers["Retry-After"] = str(getattr(first, "retry_after_seconds", 1))
    return response


def refuse_key(verification: Verification, style: Style) -> Response[str]:
    """What a service behind answers to a key that is not good: that there is none, that its rep has no role, or else
    that it is nobody's. To HTTP, where the style speaks it, each is a failed authentication."""
    refused = _TOLD_OF_A_KEY.get(verification.cause, _WRONG_KEY)
    return style.refuse(replace(refused, status=HTTPStatus.UNAUTHORIZED))


def failure_of(refusal: errors.KeywrightError) -> Failure:
    row = next(TABLE[cls] for cls in type(refusal).__mro__ if cls in TABLE)
    parameter = _OF_THE_CORE.get(refusal.field or "", refusal.field or _UNNAMED)
    return Failure(row.statuscode, row.message.format(parameter=parameter), row.status)

"""Refusals of this dialect: HTTP 200 and ``{"error": {"message": ..., "code": ...}}``.

Codes and messages are the vendor's, to the letter (rest-api-v2.html); which of them answers what is our reading, since
no page ties them to access keys. Of `json_key`, `param` and `header`, which may name the culprit, a refusal has one at
most.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors
from keywright.edge import JSON

UNSTORED: Final = {"Pragma": "no-cache"}
"""Beside ``Cache-Control: no-store``, which every answer has, on those of the token endpoint (RFC 6749 5.1)."""

MESSAGES: Final[dict[int, str]] = {
    1001: "Unknown authentication error. Contact SalesIQ Team!",
    1002: "Invalid authorization header.",
    1004: "Invalid Request Type.",
    1005: "Invalid portal or wrong screen name.",
    1006: "Invalid URL",
    1007: "Invalid datatypes found in params",
    1008: "Invalid OAuthToken.",
    1009: "Invalid OAuthScope.",
    1014: "Resource already exists",
    1015: "Either the input stream is invalid or absent",
    1016: "Operator doesn't have permission to perform the operation",
    1019: "Invalid Resource",
    1023: "Too many requests, lease try after sometime",
    1054: "Invalid header value",
}

TABLE: Final[dict[type[errors.KeywrightError], int]] = {
    errors.PathUnknown: 1006,
    errors.MethodRefused: 1004,
    errors.ContentTypeRefused: 1054,
    errors.BodyTooLarge: 1015,
    errors.BodyUnreadable: 1015,
    errors.FieldMissing: 1015,
    errors.FieldUnknown: 1007,
    errors.FieldInvalid: 1007,
    errors.CredentialsMissing: 1002,
    errors.CredentialsRefused: 1008,
    errors.ScopeMissing: 1009,
    errors.RoleMissing: 1016,
    errors.OperatorDisabled: 1016,
    errors.OperatorNotFound: 1016,
    errors.TooManyRequests: 1023,
    errors.TenantNotFound: 1005,
    errors.TenantExists: 1014,
    errors.OwnerNotFound: 1019,
    errors.OwnerExists: 1014,
    errors.OwnerNotEligible: 1019,
    errors.KeyNotFound: 1019,
    errors.KeyExists: 1014,
    errors.KeyRevoked: 1019,
    errors.KeywrightError: 1001,
}
"""An error is answered by its own row or by that of its nearest base."""


def error(refused: Sequence[errors.KeywrightError]) -> Response[str]:
    """The first refusal decides."""
    first = refused[0]
    code = code_of(type(first))
    members: dict[str, Any] = {"message": MESSAGES[code], "code": code}
    headers: dict[str, str | list[str]] = {}
    match first:
        case errors.ContentTypeRefused():
            members["header"] = "content-type"
        case errors.FieldMissing(field=str(field)) | errors.FieldUnknown(field=str(field)):
            members["json_key"] = field
        case errors.FieldInvalid(field=str(field)):
            members["json_key"] = field
        case errors.TooManyRequests() | errors.Unavailable():
            headers["Retry-After"] = str(first.retry_after_seconds)
    return Response(HTTPStatus.OK.value, content_type=JSON, body=json.dumps({"error": members}), headers=headers)


def code_of(refused: type[errors.KeywrightError]) -> int:
    return next(TABLE[cls] for cls in refused.__mro__ if cls in TABLE)


# --- of the token endpoint -----------------------------------------------------------------------------------------

_INVALID_CLIENT: Final = (HTTPStatus.BAD_REQUEST, "invalid_client")
_INVALID_GRANT: Final = (HTTPStatus.BAD_REQUEST, "invalid_grant")
_LATER: Final = (HTTPStatus.SERVICE_UNAVAILABLE, "temporarily_unavailable")

TOKEN_TABLE: Final[dict[type[errors.KeywrightError], tuple[HTTPStatus, str]]] = {
    errors.CredentialsMissing: _INVALID_CLIENT,
    errors.CredentialsRefused: _INVALID_CLIENT,
    errors.ScopeMissing: (HTTPStatus.BAD_REQUEST, "invalid_scope"),
    errors.OperatorDisabled: _INVALID_GRANT,
    errors.OwnerNotFound: _INVALID_GRANT,
    errors.KeyNotFound: _INVALID_GRANT,
    errors.TooManyRequests: (HTTPStatus.TOO_MANY_REQUESTS, "temporarily_unavailable"),
    errors.Conflict: _LATER,
    errors.Unavailable: _LATER,
    errors.PathUnknown: (HTTPStatus.NOT_FOUND, "invalid_request"),
    errors.ContentTypeRefused: (HTTPStatus.BAD_REQUEST, "invalid_request"),
    errors.BodyTooLarge: (HTTPStatus.BAD_REQUEST, "invalid_request"),
    errors.BodyUnreadable: (HTTPStatus.BAD_REQUEST, "invalid_request"),
    errors.FieldMissing: (HTTPStatus.BAD_REQUEST, "invalid_request"),
    errors.FieldInvalid: (HTTPStatus.BAD_REQUEST, "unsupported_grant_type"),
    errors.KeywrightError: (HTTPStatus.INTERNAL_SERVER_ERROR, "server_error"),
}
"""RFC 6749 5.2, with two words of 4.1.2.1 for what is not the client's doing. The one field that can be wrong is
`grant_type`."""


def token_error(refused: Sequence[errors.KeywrightError], *, by_header: bool) -> Response[str]:
    """``{"error": ...}``. A client that authenticates by a header is refused with 401 and told the scheme; one
    that does so in the form with 400."""
    first = refused[0]
    status, word = next(TOKEN_TABLE[cls] for cls in type(first).__mro__ if cls in TOKEN_TABLE)
    headers: dict[str, str | list[str]] = dict(UNSTORED)
    if by_header and (status, word) == _INVALID_CLIENT:
        status = HTTPStatus.UNAUTHORIZED
        headers["WWW-Authenticate"] = 'Basic realm="keywright", charset="UTF-8"'
    if isinstance(first, errors.TooManyRequests | errors.Unavailable):
        headers["Retry-After"] = str(first.retry_after_seconds)
    return Response(status.value, content_type=JSON, body=json.dumps({"error": word}), headers=headers)

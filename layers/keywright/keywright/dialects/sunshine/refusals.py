"""Refusals of Sunshine Conversations: ``{"errors": [{"code", "title"}]}``; only a 400 may list several.

Codes and titles that the vendor prints are the vendor's; the wording about fields is that of its validator.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple

from aws_lambda_powertools.event_handler import Response

from keywright import errors
from keywright.dialects.sunshine.wire import LONGEST_NAME
from keywright.edge import JSON


class Row(NamedTuple):
    """`title` may hold ``{field}``, the field at fault; ``{owner}`` and ``{limit}``, how many keys who may have."""

    status: HTTPStatus
    code: str
    title: str


_BAD_REQUEST: Final = Row(HTTPStatus.BAD_REQUEST, "bad_request", "Bad request")
_UNAUTHORIZED: Final = Row(HTTPStatus.UNAUTHORIZED, "unauthorized", "Authorization is required")
_FORBIDDEN: Final = Row(HTTPStatus.FORBIDDEN, "forbidden", "Forbidden")
_NOT_FOUND: Final = Row(HTTPStatus.NOT_FOUND, "not_found", "Resource not found")
_UNAVAILABLE: Final = Row(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable", "Service unavailable")
_INTERNAL_ERROR: Final = Row(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal server error")

TABLE: Final[dict[type[errors.KeywrightError], Row]] = {
    errors.PathUnknown: _NOT_FOUND,
    errors.MethodRefused: _NOT_FOUND,
    errors.ContentTypeRefused: _BAD_REQUEST,
    errors.BodyTooLarge: Row(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large", "Request body is too large"),
    errors.BodyUnreadable: _BAD_REQUEST,
    errors.FieldMissing: _BAD_REQUEST._replace(title="should have required property '{field}'"),
    errors.FieldUnknown: _BAD_REQUEST._replace(title="should NOT have additional properties"),
    errors.FieldInvalid: _BAD_REQUEST._replace(title="{field} should be printable"),
    errors.TooShort: _BAD_REQUEST._replace(title="{field} should NOT be shorter than 1 characters"),
    errors.TooLong: _BAD_REQUEST._replace(title=f"{{field}} should NOT be longer than {LONGEST_NAME} characters"),
    errors.WrongType: _BAD_REQUEST._replace(title="{field} should be string"),
    errors.CredentialsMissing: _UNAUTHORIZED,
    errors.CredentialsRefused: _UNAUTHORIZED,
    errors.OperatorDisabled: _UNAUTHORIZED,
    errors.ScopeMissing: _FORBIDDEN,
    errors.RoleMissing: _FORBIDDEN,
    errors.TooManyRequests: Row(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", "Too many requests"),
    errors.TenantNotFound: _NOT_FOUND,
    errors.TenantExists: _BAD_REQUEST,
    errors.OwnerNotFound: _NOT_FOUND,
    errors.AppNotFound: Row(HTTPStatus.NOT_FOUND, "app_not_found", "App not found"),
    errors.IntegrationNotFound: Row(HTTPStatus.NOT_FOUND, "integration_not_found", "Integration not found"),
    errors.OwnerExists: _BAD_REQUEST,
    errors.OwnerNotEligible: _BAD_REQUEST,
    errors.NotCustom: _BAD_REQUEST._replace(title="API keys are available only for custom integrations"),
    errors.KeyNotFound: _NOT_FOUND,
    errors.KeyExists: _BAD_REQUEST,
    errors.KeyRevoked: _NOT_FOUND,
    errors.LimitReached: Row(
        HTTPStatus.BAD_REQUEST, "too_many_keys", "{owner} has reached the max number of keys ({limit})"
    ),
    errors.MailNotSent: _UNAVAILABLE,
    errors.Conflict: _UNAVAILABLE,
    errors.Unavailable: _UNAVAILABLE,
    errors.KeywrightError: _INTERNAL_ERROR,
}
"""An error is answered by its own row or by that of its nearest base."""


def answer(refused: Sequence[errors.KeywrightError], named: Mapping[str, str] = MappingProxyType({})) -> Response[str]:
    """The first refusal decides on the status; where that is 400, all that are 400 are listed, each once. `named` is
    what the path names, with the owner of the keys that it is about."""
    owner = "Integration" if "integrationId" in named else "App"
    status = row(refused[0]).status
    listed = refused if status is HTTPStatus.BAD_REQUEST else refused[:1]
    found = dict.fromkeys(_entry(each, owner) for each in listed if row(each).status is status)
    headers: dict[str, str | list[str]] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="keywright", Bearer realm="keywright"'
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(getattr(refused[0], "retry_after_seconds", 1))
    body = json.dumps({"errors": [{"code": code, "title": title} for code, title in found]}, separators=(",", ":"))
    return Response(status.value, content_type=JSON, body=body, headers=headers)


def row(refusal: errors.KeywrightError) -> Row:
    return next(TABLE[cls] for cls in type(refusal).__mro__ if cls in TABLE)


def _entry(refusal: errors.KeywrightError, owner: str) -> tuple[str, str]:
    _, code, title = row(refusal)
    if refusal.field is None and "{field}" in title:
        title = _BAD_REQUEST.title
    limit = refusal.limit if isinstance(refusal, errors.LimitReached) else None
    return code, title.format(field=refusal.field, limit=limit, owner=owner)

"""Refusals of the native API: problem details (RFC 9457), with ``WWW-Authenticate`` on every 401 (RFC 6750 3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors

PROBLEM_JSON: Final = "application/problem+json"

TABLE: Final[dict[type[errors.KeywrightError], tuple[HTTPStatus, str]]] = {
    errors.PathUnknown: (HTTPStatus.NOT_FOUND, "path-unknown"),
    errors.MethodRefused: (HTTPStatus.METHOD_NOT_ALLOWED, "method-refused"),
    errors.ContentTypeRefused: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-type-refused"),
    errors.BodyTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large"),
    errors.BodyUnreadable: (HTTPStatus.BAD_REQUEST, "body-unreadable"),
    errors.FieldMissing: (HTTPStatus.UNPROCESSABLE_ENTITY, "field-missing"),
    errors.FieldUnknown: (HTTPStatus.UNPROCESSABLE_ENTITY, "field-unknown"),
    errors.FieldInvalid: (HTTPStatus.UNPROCESSABLE_ENTITY, "field-invalid"),
    errors.IdempotencyKeyReused: (HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency-key-reused"),
    errors.CredentialsMissing: (HTTPStatus.UNAUTHORIZED, "credentials-missing"),
    errors.CredentialsRefused: (HTTPStatus.UNAUTHORIZED, "credentials-refused"),
    errors.ScopeMissing: (HTTPStatus.FORBIDDEN, "scope-missing"),
    errors.RoleMissing: (HTTPStatus.FORBIDDEN, "role-missing"),
    errors.OperatorDisabled: (HTTPStatus.FORBIDDEN, "operator-disabled"),
    errors.TooManyRequests: (HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests"),
    errors.TenantNotFound: (HTTPStatus.NOT_FOUND, "tenant-not-found"),
    errors.TenantExists: (HTTPStatus.CONFLICT, "tenant-exists"),
    errors.OwnerNotFound: (HTTPStatus.NOT_FOUND, "owner-not-found"),
    errors.OwnerExists: (HTTPStatus.CONFLICT, "owner-exists"),
    errors.OwnerNotEligible: (HTTPStatus.CONFLICT, "owner-not-eligible"),
    errors.KeyNotFound: (HTTPStatus.NOT_FOUND, "key-not-found"),
    errors.KeyExists: (HTTPStatus.CONFLICT, "key-exists"),
    errors.KeyRevoked: (HTTPStatus.CONFLICT, "key-revoked"),
    errors.KeyExpired: (HTTPStatus.CONFLICT, "key-expired"),
    errors.KeyGoesWithOwner: (HTTPStatus.CONFLICT, "key-goes-with-owner"),
    errors.KeyNotRotatable: (HTTPStatus.CONFLICT, "key-not-rotatable"),
    errors.OwnKey: (HTTPStatus.FORBIDDEN, "own-key"),
    errors.RotationUnderWay: (HTTPStatus.CONFLICT, "rotation-under-way"),
    errors.RotationNotUnderWay: (HTTPStatus.CONFLICT, "rotation-not-under-way"),
    errors.LinkNotFound: (HTTPStatus.NOT_FOUND, "link-not-found"),
    errors.LinkOpened: (HTTPStatus.CONFLICT, "link-opened"),
    errors.LimitReached: (HTTPStatus.CONFLICT, "limit-reached"),
    errors.MailNotSent: (HTTPStatus.BAD_GATEWAY, "mail-not-sent"),
    errors.Conflict: (HTTPStatus.CONFLICT, "conflict"),
    errors.Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    errors.KeywrightError: (HTTPStatus.INTERNAL_SERVER_ERROR, "fault"),
}
"""An error is answered by its own row or by that of its nearest base."""
_DETAILS: Final[dict[type[errors.KeywrightError], str]] = {
    errors.SignedToken: "POST /v1/jwt/verify verifies a JSON Web Token.",
    errors.RotationUnderWay: "Finish or cancel it, or rotate without an overlap, which ends both former secrets.",
}
"""What to do instead, where there is something."""


def problem(refused: Sequence[errors.KeywrightError]) -> Response[str]:
    """The first refusal decides; where fields are at fault, all of them are named. A type has one title, as RFC 9457
    (3.1.4) has it."""
    first = refused[0]
    status, slug = row(type(first))
    title = _title(type(first))
    body: dict[str, Any] = {
        "type": f"urn:keywright:problem:{slug}",
        "title": title,
        "status": status.value,
    }
    fields = [_field_at_fault(each) for each in refused if each.field is not None]
    said = "" if first.message == title or status is HTTPStatus.INTERNAL_SERVER_ERROR else first.message
    if detail := _DETAILS.get(type(first)) or ("" if fields else first.detail or said):
        body["detail"] = detail
    if fields:
        body["fields"] = fields
    headers: dict[str, str | list[str]] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="keywright"'
    if isinstance(first, errors.TooManyRequests | errors.Unavailable):
        headers["Retry-After"] = str(first.retry_after_seconds)
    return Response(status.value, content_type=PROBLEM_JSON, body=json.dumps(body), headers=headers)


def _field_at_fault(refusal: errors.KeywrightError) -> dict[str, Any]:
    told = {"field": refusal.field, "problem": refusal.message}
    return {**told, "detail": refusal.detail} if refusal.detail else told


def row(error: type[errors.KeywrightError]) -> tuple[HTTPStatus, str]:
    return TABLE[_base(error)]


def _title(error: type[errors.KeywrightError]) -> str:
    base = _base(error)
    return (errors.Fault if base is errors.KeywrightError else base).message


def _base(error: type[errors.KeywrightError]) -> type[errors.KeywrightError]:
    """The nearest that has a row."""
    return next(cls for cls in error.__mro__ if cls in TABLE)

"""Refusals of one-time links: a page each, and the same one for every link that leads nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response

from keywright import errors
from keywright.dialects.handover import pages

TABLE: Final[dict[type[errors.KeywrightError], HTTPStatus]] = {
    errors.PathUnknown: HTTPStatus.NOT_FOUND,
    errors.MethodRefused: HTTPStatus.METHOD_NOT_ALLOWED,
    errors.LinkNotFound: HTTPStatus.NOT_FOUND,
    errors.LinkOpened: HTTPStatus.GONE,
    errors.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KeywrightError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""An error is answered by its own row or by that of its nearest base."""


def page(refused: Sequence[errors.KeywrightError]) -> Response[str]:
    first = refused[0]
    status = status_of(type(first))
    match first:
        case errors.LinkOpened():
            return pages.opened(first.at_ms)
        case errors.PathUnknown() | errors.MethodRefused() | errors.LinkNotFound():
            return pages.missing(status)
        case errors.TooManyRequests() | errors.Unavailable():
            return pages.unable(status, **{"Retry-After": str(first.retry_after_seconds)})
    return pages.unable(status)


def status_of(error: type[errors.KeywrightError]) -> HTTPStatus:
    return next(TABLE[cls] for cls in error.__mro__ if cls in TABLE)

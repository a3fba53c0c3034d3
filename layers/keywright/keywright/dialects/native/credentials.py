"""How the callers of the native API are recognised: ``Authorization: Bearer kw_...``, an operator's native token."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from keywright import callers, errors, strict_json
from keywright.access import Principal
from keywright.edge import FORM, JSON, Caller, Request
from keywright.model import KeyKind, OwnerKind, OwnerRef
from keywright.ports import Desk, Ref
from keywright.verification import Presented

ANYBODY: Final = Principal("", KeyKind.NATIVE, OwnerRef("", OwnerKind.OPERATOR, ""), ())
"""The caller of an endpoint that asks nobody who they are."""


def authenticate(desk: Desk, request: Request, also: Iterable[Ref[Any]]) -> Caller:
    """Raises CredentialsMissing where there is no bearer token, CredentialsRefused where it is not an operator's."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token or " " in token:
        raise errors.CredentialsMissing
    caller, reading = callers.operator(desk, Presented.token(token), also)
    return Caller(caller, reading)


def held(request: Request) -> Presented:
    """What stands in the body as ``token``; ``token_type_hint`` (RFC 7009 2.1) and whatever else there is do not
    matter. Raises ContentTypeRefused, BodyTooLarge, BodyUnreadable, and FieldMissing where there is no token."""
    token = _in_form(request) if request.media_type == FORM else _in_json(request)
    if token in (None, ""):
        raise errors.FieldMissing(field="token")
    if not isinstance(token, str):
        raise errors.WrongType(field="token")
    return Presented.token(token)


def _in_form(request: Request) -> str | None:
    values = [value for name, value in request.form if name == "token"]
    if len(values) > 1:
        raise errors.FieldInvalid(field="token", detail="It was given twice.")
    return values[0] if values else None


def _in_json(request: Request) -> Any:
    if request.media_type not in (None, JSON):
        raise errors.ContentTypeRefused(detail=f"It takes {JSON} and {FORM}.")
    try:
        value = strict_json.loads(request.body)
    except json.JSONDecodeError as unreadable:
        raise errors.BodyUnreadable from unreadable
    if not isinstance(value, dict):
        raise errors.BodyUnreadable
    return value.get("token")

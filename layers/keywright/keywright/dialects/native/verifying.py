"""Verification for a service behind: of a credential as it is, or as a caller of a dialect brought it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import ModuleType

from aws_lambda_powertools.event_handler import Response
from pydantic import ValidationError

from keywright import dialects, errors, jwt, strict_json, verification
from keywright.dialects import Carried
from keywright.dialects.native.wire import Values, VendorsRefusal, VerifiedJwt, VerifiedKey, VerifyJwt, VerifyKey
from keywright.edge import Request
from keywright.model import Reason, Verification
from keywright.ports import Desk, KeyRef, Reading, TokenRef
from keywright.verification import Presented


def reads(request: Request) -> tuple[TokenRef, ...]:
    """What a verification will need to read, known before the body is validated; nothing where it is not acceptable."""
    try:
        asked = VerifyKey.model_validate(strict_json.loads(request.body))
        return _presented(asked, _dialect(asked)).refs
    except (errors.KeywrightError, json.JSONDecodeError, ValidationError):
        return ()


def verify(desk: Desk, tenant: str, asked: VerifyKey, reading: Reading) -> VerifiedKey:
    """Raises FieldMissing, FieldInvalid where the members do not make one credential."""
    dialect = _dialect(asked)
    kinds = verification.VERIFIABLE if dialect is None else dialect.KEY_KINDS
    try:
        presented = replace(_presented(asked, dialect), bundle_name=asked.bundle_name)
        verdict = verification.verify(desk, tenant, presented, reading, kinds=kinds)
    except errors.CredentialsMissing:
        verdict = Verification(Reason.UNKNOWN, cause=errors.CredentialsMissing)
    if dialect is None or verdict.valid:
        return VerifiedKey.of(verdict)
    return VerifiedKey.of(verdict, _sendable(dialect.verification_refusal(asked.style, verdict, uri=asked.uri)))


def signer(request: Request) -> tuple[KeyRef, ...]:
    """The key that a JSON Web Token names, known before the body is validated; nothing where none of ours can have
    signed it."""
    text = request.json_member("jwt")
    return () if text is None else jwt.refs(text)


def verify_jwt(desk: Desk, tenant: str, asked: VerifyJwt, reading: Reading) -> VerifiedJwt:
    verdict = jwt.verify(desk, tenant, asked.jwt.get_secret_value(), reading)
    if asked.dialect is None or verdict.valid:
        return VerifiedJwt.of(verdict)
    # To its vendor, whatever is wrong with a token is one and the same.
    refusal = dialects.package(asked.dialect).verification_refusal(None, Verification(Reason.UNKNOWN))
    return VerifiedJwt.of(verdict, _sendable(refusal))


def _dialect(asked: VerifyKey) -> ModuleType | None:
    """Raises FieldMissing, FieldInvalid where the dialect that is named has no such style, or none is named."""
    if asked.dialect is None:
        if asked.headers is not None or asked.parameters is not None or asked.style is not None:
            raise errors.FieldMissing(field="dialect")
        return None
    dialect = dialects.package(asked.dialect)
    styles = getattr(dialect, "STYLES", ())
    if asked.style is None and styles:
        raise errors.FieldMissing(field="style")
    if asked.style is not None and asked.style not in styles:
        raise errors.FieldInvalid(field="style")
    return dialect


def _presented(asked: VerifyKey, dialect: ModuleType | None) -> Presented:
    """Raises CredentialsMissing besides, where a dialect finds no credential of its own."""
    find = getattr(dialect, "presented", None)
    if asked.headers is None and asked.parameters is None:
        credential = asked.presented()
        if find is None or asked.token is None:
            return credential
        carried = Carried(token=asked.token.get_secret_value())
    else:
        if find is None or not asked.holds_no_credential:
            raise errors.FieldInvalid(field="headers" if asked.headers is not None else "parameters")
        headers = ((name.lower(), values) for name, values in _in_clear(asked.headers))
        carried = Carried(headers=_gathered(headers), parameters=_gathered(_in_clear(asked.parameters)))
    found: Presented = find(asked.style, carried)
    return found


def _in_clear(given: Values | None) -> Iterator[tuple[str, list[str]]]:
    for name, values in (given or {}).items():
        yield name, [each.get_secret_value() for each in (values if isinstance(values, list) else [values])]


def _gathered(given: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """All values of a name, which may have been given in several spellings."""
    gathered: dict[str, list[str]] = {}
    for name, values in given:
        gathered.setdefault(name, []).extend(values)
    return gathered


def _sendable(refusal: Response[str]) -> VendorsRefusal:
    """Not to be stored on the way, like every answer of ours."""
    headers = {name: str(value) for name, value in refusal.headers.items() if name.lower() != "content-type"}
    return VendorsRefusal(
        status=refusal.status_code,
        content_type=str(refusal.headers["Content-Type"]),
        headers={**headers, "Cache-Control": "no-store"},
        body=str(refusal.body),
    )

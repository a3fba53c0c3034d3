"""Verification for a service behind: of a credential as it is, or as a caller of a dialect brought it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import ModuleType

from aws_lambda_powertools.event_handler import Response
from pydantic import ValidationError

from keywright import addresses, dialects, errors, jwt, refused_use, strict_json, verification
from keywright.access import Principal
from keywright.dialects import Carried
from keywright.dialects.native.wire import (
    ONE_CREDENTIAL,
    ONE_IP_ADDRESS,
    Introspected,
    Values,
    VendorsRefusal,
    VerifiedJwt,
    VerifiedKey,
    VerifiedKeys,
    VerifyJwt,
    VerifyKey,
    VerifyKeys,
)
from keywright.direct import DIAGNOSE
from keywright.edge import Request, note_refused_use
from keywright.model import Grant, Reason, Verification
from keywright.ports import Desk, KeyRef, Reading, TokenRef
from keywright.usage import Use
from keywright.verification import Asked, Presented


def reads(request: Request) -> tuple[TokenRef, ...]:
    """What a verification will need to read, known before the body is validated; nothing where it is not acceptable."""
    try:
        asked = VerifyKey.model_validate(strict_json.loads(request.body))
        return _presented(asked, _dialect(asked)).refs
    except (errors.KeywrightError, json.JSONDecodeError, ValidationError):
        return ()


def verify(desk: Desk, caller: Principal, asked: VerifyKey, reading: Reading, read_at_ms: int) -> VerifiedKey:
    """Raises FieldMissing, FieldInvalid where the members do not make one credential."""
    dialect = _dialect(asked)
    kinds = verification.VERIFIABLE if dialect is None else dialect.KEY_KINDS
    try:
        presented = replace(_presented(asked, dialect), bundle_name=asked.bundle_name)
        verdict = verification.verify(
            desk, caller.tenant, presented, reading, kinds=kinds, use=asked.use, read_at_ms=read_at_ms
        )
    except errors.CredentialsMissing:
        verdict = Verification(Reason.UNKNOWN, cause=errors.CredentialsMissing)
    note_refused_use(desk, verdict.known, by=caller, address=asked.use.address or "")
    says_why = caller.may(DIAGNOSE)
    if dialect is not None and _is_elsewhere(dialect, verdict.grant, asked.uri):
        verdict = replace(verdict, reason=Reason.OWNER_NOT_ELIGIBLE, grant=None, owner=None, cause=errors.ScopeMissing)
    if dialect is None or verdict.valid:
        return VerifiedKey.of(verdict, says_why=says_why)
    refusal = _sendable(dialect.verification_refusal(asked.style, verdict, uri=asked.uri))
    return VerifiedKey.of(verdict, refusal, says_why=says_why)


def read_for_all(request: Request) -> tuple[TokenRef, ...]:
    """The same for several verifications; for none of them, where one is not acceptable."""
    try:
        asked = VerifyKeys.model_validate(strict_json.loads(request.body))
        return tuple(ref for each in _asked(asked) for ref in each.presented.refs)
    except (errors.KeywrightError, json.JSONDecodeError, ValidationError):
        return ()


def verify_all(desk: Desk, caller: Principal, asked: VerifyKeys, reading: Reading) -> VerifiedKeys:
    """Raises FieldMissing, FieldInvalid, which name the place of the credential that is none."""
    says_why = caller.may(DIAGNOSE)
    each_asked = _asked(asked)
    verdicts = verification.verify_all(desk, caller.tenant, each_asked, reading)
    for each, verdict in zip(each_asked, verdicts, strict=True):
        note_refused_use(desk, verdict.known, by=caller, address=each.use.address or "")
    return VerifiedKeys(results=[VerifiedKey.of(verdict, says_why=says_why) for verdict in verdicts])


def _asked(asked: VerifyKeys) -> list[Asked]:
    found = []
    for n, each in enumerate(asked.keys):
        try:
            presented = replace(each.presented(), bundle_name=each.bundle_name)
        except errors.CredentialsMissing:
            presented = Presented(None)
        except errors.KeywrightError as refused:
            raise type(refused)(field=f"keys[{n}].{refused.field}") from refused
        found.append(Asked(presented, use=each.use))
    return found


def introspected(request: Request) -> tuple[TokenRef, ...]:
    """The token that is introspected, known before the body is validated."""
    try:
        return Presented.token(dict(request.form).get("token", "")).refs
    except errors.KeywrightError:
        return ()


def introspect(
    desk: Desk, caller: Principal, form: Mapping[str, str], reading: Reading, read_at_ms: int
) -> Introspected:
    """RFC 7662. Besides `token`, whose hint is not needed, it may hold the end caller's `address`, as 2.1 allows. It is
    a use like any other. Raises FieldMissing, FieldInvalid."""
    if not form.get("token"):
        raise errors.FieldMissing(field="token")
    try:
        address = addresses.canonical_address(form["address"]) if form.get("address") else None
    except ValueError as malformed:
        raise errors.FieldInvalid(field="address", detail=ONE_IP_ADDRESS) from malformed
    presented = Presented.token(form["token"])
    verdict = verification.verify(desk, caller.tenant, presented, reading, use=Use(address), read_at_ms=read_at_ms)
    note_refused_use(desk, verdict.known, by=caller, address=address or "")
    return Introspected.of(verdict)


def signer(request: Request) -> tuple[KeyRef, ...]:
    """The key that a JSON Web Token names, known before the body is validated; nothing where none of ours can have
    signed it."""
    text = request.json_member("jwt")
    return () if text is None else jwt.refs(text)


def verify_jwt(desk: Desk, caller: Principal, asked: VerifyJwt, reading: Reading) -> VerifiedJwt:
    use, says_why = Use(asked.address, asked.user_agent, asked.cost), caller.may(DIAGNOSE)
    looked_at = jwt.OVER if says_why else refused_use.DEAD
    verdict = jwt.verify(desk, caller.tenant, asked.jwt.get_secret_value(), reading, use, known_if=looked_at)
    note_refused_use(desk, verdict.known, by=caller, address=asked.address or "")
    if asked.dialect is None:
        return VerifiedJwt.of(verdict, says_why=says_why)
    dialect, cause = dialects.package(asked.dialect), None
    if _is_elsewhere(dialect, verdict.grant, asked.uri):
        verdict = replace(verdict, reason=Reason.OWNER_NOT_ELIGIBLE, grant=None, known=verdict.grant)
        cause = errors.ScopeMissing
    if verdict.valid:
        return VerifiedJwt.of(verdict, says_why=says_why)
    # To its vendor, whatever is wrong with a token itself is one and the same.
    reason = verdict.reason if isinstance(verdict.reason, Reason) else Reason.UNKNOWN
    refused = Verification(reason, cause=cause, spending=verdict.spending)
    return VerifiedJwt.of(verdict, _sendable(dialect.verification_refusal(None, refused)), says_why=says_why)


def _is_elsewhere(dialect: ModuleType, grant: Grant | None, uri: str) -> bool:
    """Whether a good key was shown where it is not good, which the `uri` tells and without one is not looked at. Where
    a use is counted, it was."""
    allows = getattr(dialect, "allows", None)
    return allows is not None and grant is not None and uri != "" and not allows(grant, uri)


def _dialect(asked: VerifyKey) -> ModuleType | None:
    """Raises FieldMissing, FieldInvalid where the dialect that is named has no such style, or none is named."""
    if asked.dialect is not None and asked.header is not None:
        raise errors.FieldInvalid(field="header", detail="Beside a dialect a request has headers and parameters.")
    if asked.dialect is None:
        if asked.headers is not None or asked.parameters is not None or asked.style is not None:
            raise errors.FieldMissing(field="dialect")
        return None
    dialect = dialects.package(asked.dialect)
    styles = getattr(dialect, "STYLES", ())
    if asked.style is None and styles:
        raise errors.FieldMissing(field="style", detail=f"It is one of: {', '.join(styles)}.")
    if asked.style is not None and asked.style not in styles:
        told = f"It is one of: {', '.join(styles)}." if styles else "This dialect has none."
        raise errors.FieldInvalid(field="style", detail=told)
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
            told = ONE_CREDENTIAL if find else "In this dialect a credential is given by its own members."
            raise errors.FieldInvalid(field="headers" if asked.headers is not None else "parameters", detail=told)
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

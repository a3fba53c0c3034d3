"""POST /v1/keys/verify without a framework: the usual request, which is a service behind that shows a token.

It is what Keywright is asked a million times for each key that it issues, and loading pydantic and the resolver takes
longer than anything else that is done for it, cold or warm. So a body that holds a `token` and of the other members
only those that are told plainly is read, judged and answered here, with the core's own verification. Whatever is
unusual or wrong in a request goes, before anything was asked of AWS, to the endpoint as the edge has it: that one alone
refuses and describes, and a test holds the two to the same bytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple, Protocol

from keywright import addresses, bootstrap, callers, strict_json, verification
from keywright.grants import Grant, Verification
from keywright.http_fields import limit_fields
from keywright.kinds import KeyKind
from keywright.limits import MOST_AT_ONCE, Spending
from keywright.telemetry import note, note_refused_use
from keywright.usage import Use
from keywright.verification import Presented

ROUTE: Final = "POST /v1/keys/verify"
SCOPE: Final = "keys:verify"
DIAGNOSE: Final = "keys:diagnose"
"""The scope of those who may know why a credential is refused."""
LARGEST_BODY: Final = 64_000
"""Bytes."""
_PATH: Final = ROUTE.partition(" ")[2]
_JSON: Final = "application/json"
_MEMBERS: Final = frozenset({"token", "address", "user_agent", "cost"})
_LONGEST_ADDRESS: Final = 50
_LONGEST_AGENT: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HEADERS: Final = {"Content-Type": _JSON, "Cache-Control": "no-store"}
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Reference(Protocol):
    """The endpoint as the edge has it."""

    app: Any
    """Its resolver, whose routes the API's description comes from."""

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]: ...

    def refused(self, refusal: Exception, event: dict[str, Any], context: Any, began: float) -> dict[str, Any]:
        """The answer to a request that its caller has begun to carry out at `began`."""


class Usual(NamedTuple):
    """A usual request: who asks, from where, and what for."""

    caller: Presented
    source: str
    presented: Presented
    use: Use

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Usual | None:
        """None of any other. Nothing that is wrong in any way is usual."""
        headers = event["headers"]
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or event["rawPath"] != _PATH or event.get("rawQueryString"):
            return None
        content_type = headers.get("content-type", _JSON)
        if content_type != _JSON and content_type.partition(";")[0].strip().lower() != _JSON:
            return None
        asked = _members(event)
        if asked is None or (presented := _presented(asked["token"])) is None or (use := _use(asked)) is None:
            return None
        caller = Presented.token(bearer)
        if caller.digest is None:
            return None
        return cls(caller, event["requestContext"]["http"]["sourceIp"], presented, use)


class Direct:
    """A Lambda handler. `reference` makes the endpoint for all that is not usual; it is called when that comes, or when
    somebody looks at what the endpoint is."""

    def __init__(self, reference: Callable[[], Reference]) -> None:
        self._reference = reference
        bootstrap.open_early(bootstrap.gate)

    @cached_property
    def endpoint(self) -> Reference:
        return self._reference()

    @property
    def app(self) -> Any:
        return self.endpoint.app

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        began = time.perf_counter()
        if (asked := Usual.of(event)) is None:
            return self.endpoint(event, context)
        try:
            body = _encode(_answer(asked))
        except Exception as refusal:  # noqa: BLE001  refusals and faults alike: the endpoint tells them apart
            return self.endpoint.refused(refusal, event, context, began)
        note(
            "native",
            "answered",
            route=event["routeKey"],
            status=200,
            duration_ms=round((time.perf_counter() - began) * 1000, 1),
            request_id=context.aws_request_id,
        )
        return {"statusCode": 200, "body": body, "isBase64Encoded": False, "headers": {**_HEADERS}, "cookies": []}


def _answer(asked: Usual) -> dict[str, Any]:
    """Raises KeywrightError."""
    gate = bootstrap.gate()
    asked_at_ms = gate.clock.now_ms()
    caller, reading = callers.operator(gate, asked.caller, asked.presented.refs)
    caller.check_address(asked.source)
    caller.demand(SCOPE)
    verdict = verification.verify(gate, caller.tenant, asked.presented, reading, use=asked.use, read_at_ms=asked_at_ms)
    if verdict.grant is None and verdict.known is not None:
        note_refused_use(gate, verdict.known, by=caller, address=asked.use.address or "")
    return told(verdict, says_why=caller.may(DIAGNOSE))


def told(verdict: Verification, *, says_why: bool) -> dict[str, Any]:
    """The verdict in the native API's words; `says_why` is whether the caller may know what is refused, and why."""
    verdict_itself = {"valid": verdict.valid, "reason": verdict.reason if says_why else None}
    if (grant := verdict.told(says_why=says_why)) is None:
        return {**verdict_itself, **_NOTHING, **_limits(verdict.spending)}
    members: dict[str, Any] = {
        **verdict_itself,
        "key_id": grant.key_id,
        "kind": grant.kind,
        "owner": {"kind": grant.owner.kind, "id": grant.owner.id},
        "version": grant.version,
        "scopes": grant.scopes,
        "expires_at": _moment(grant.expires_at_ms),
    }
    if grant.retires_at_ms is not None:
        members["retires_at"] = _moment(grant.works_until_ms)
    members.update(_of_owner(verdict, grant))
    if grant.external_id:
        members["external_id"] = grant.external_id
    if grant.metadata:
        members["metadata"] = dict(grant.metadata)
    return {**members, **_limits(verdict.spending)}


_NOTHING: Final = dict.fromkeys(("key_id", "kind", "owner", "version", "scopes", "expires_at"))


def _of_owner(verdict: Verification, grant: Grant) -> dict[str, Any]:
    if grant.kind is KeyKind.APP_API_KEY:
        return {"issued_by": grant.creator_id}
    if verdict.owner is None:
        return {}
    from keywright.model import SupportRep  # noqa: PLC0415  loaded already, where an owner was read

    if isinstance(verdict.owner, SupportRep) and verdict.owner.role:
        return {"roles": [verdict.owner.role]}
    return {}


def _limits(spending: Spending | None) -> dict[str, Any]:
    if spending is None:
        return {}
    tightest = spending.tightest
    left = dict.fromkeys(("limit", "remaining", "reset", "retry_after"))
    if tightest is not None:
        left = {
            "limit": tightest.limit,
            "remaining": tightest.remaining,
            "reset": tightest.reset_seconds,
            "retry_after": spending.retry_after_seconds,
        }
    return {"ratelimit": {**left, "headers": limit_fields(spending)}}


def _moment(ms: int | None) -> str | None:
    """RFC 3339."""
    return None if ms is None else (_EPOCH + timedelta(milliseconds=ms)).isoformat().replace("+00:00", "Z")


def _members(event: Mapping[str, Any]) -> dict[str, Any] | None:
    body = event.get("body")
    if not body or event["isBase64Encoded"] or len(body) > LARGEST_BODY or len(body.encode()) > LARGEST_BODY:
        return None
    try:
        asked = strict_json.loads(body)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) and "token" in asked and asked.keys() <= _MEMBERS else None


def _presented(token: Any) -> Presented | None:
    if not isinstance(token, str):
        return None
    if token.count(".") == 2:
        from keywright import jwt  # noqa: PLC0415  nothing else may be a JSON Web Token

        if jwt.is_compact(token):
            return None
    return Presented.token(token)


def _use(asked: Mapping[str, Any]) -> Use | None:
    address, agent, cost = asked.get("address"), asked.get("user_agent", ""), asked.get("cost", 1)
    if not isinstance(agent, str) or len(agent) > _LONGEST_AGENT:
        return None
    if type(cost) is not int or not 0 <= cost <= MOST_AT_ONCE:
        return None
    if address is None:
        return Use(None, agent, cost)
    if not isinstance(address, str) or len(address) > _LONGEST_ADDRESS:
        return None
    try:
        return Use(addresses.canonical_address(address), agent, cost)
    except ValueError:
        return None

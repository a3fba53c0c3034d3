"""Lambda authorizers for other people's APIs: may whoever holds this key call this route?

An API says what it wants in its own stage variables, which come with each request, so one authorizer serves any number
of APIs and none of them has to change it. What they may say stands at `Rules`. API Gateway's two kinds ask and are
answered differently; what lies between is the same, and nothing here loads pydantic, Powertools or boto3.

A verdict is never wrong, at worst it is not there: when the table cannot be read, or an API's variables are not
understood, the function fails and the gateway answers 500, which is neither yes nor no.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from keywright import bootstrap, errors, verification
from keywright.access import permits
from keywright.grants import Grant, Reason
from keywright.http_fields import limit_fields
from keywright.kinds import KeyKind
from keywright.limits import Spending
from keywright.telemetry import note, note_refused_use
from keywright.usage import Use
from keywright.verification import VERIFIABLE, Presented

_PREFIX: Final = "keywright_"
_SCOPES: Final = f"{_PREFIX}scopes"
_OTHER_ROUTES: Final = "default"
_VARIABLE: Final = re.compile(r"\{([^}+]+)(\+?)\}")
_HEADER: Final = re.compile(r"[A-Za-z0-9_-]+(:[A-Za-z0-9._~-]+)?")
_NOT_THE_KEYS_FAULT: Final = frozenset({Reason.ADDRESS_NOT_ALLOWED, Reason.OWNER_NOT_ELIGIBLE})
_FIELDS: Final = {"RateLimit": "rate_limit", "RateLimit-Policy": "rate_limit_policy", "Retry-After": "retry_after"}
_WILDCARDS: Final = frozenset("*?")
_ROUTE: Final = re.compile(r"([A-Z]+/[^=]*|default)")


class Misconfigured(Exception):
    """An API's stage variables are not understood. Names the one."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(f"stage variable {variable} {problem}")


class Unauthorized(Exception):
    """The one word by which a REST API's authorizer makes the gateway answer 401."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class Rules(NamedTuple):
    """What an API asks of its callers, by its stage variables, whose values may hold letters, digits and
    ``-._~:/?#&=,`` and 512 characters each:

    - `keywright_tenant`, which must be there: whose keys are good here;
    - `keywright_header`: the header that the key is in, and after a colon the scheme before it: ``X-Api-Key``; left
      out, ``Authorization:Bearer``;
    - `keywright_kinds`: the kinds of key that are good here, with commas; left out, ``native``;
    - `keywright_answers`, for an HTTP API: ``simple``, yes or no; or ``policy``, where its simple responses are off;
      left out, ``simple``;
    - `keywright_limits`: whether a key that is over its limits is refused, ``refuse``, or let through to an API that
      answers 429 itself, ``pass``; left out, ``refuse``;
    - `keywright_scopes` and any `keywright_scopes_...`: what each route needs, `_needs` says how; with none of them a
      good key opens every route, with any of them a route that is not listed is closed.
    """

    tenant: str
    header: str
    scheme: str | None
    kinds: frozenset[KeyKind]
    by_policy: bool
    passes_limited: bool
    needs: Mapping[str, tuple[str, ...]] | None

    @classmethod
    def of(cls, variables: Mapping[str, str] | None) -> Rules:
        """Raises Misconfigured. What other variables an API has is its own business."""
        return _rules(tuple(item for item in (variables or {}).items() if item[0].startswith(_PREFIX)))

    def scopes(self, method: str, path: str) -> tuple[str, ...] | None:
        """What a key must hold for a route, None where no key will do. A method's own entry comes before that of ANY,
        and what both lack is what `default` says."""
        if self.needs is None:
            return ()
        spelled = _VARIABLE.sub(lambda match: f":{match[1]}{'~' if match[2] else ''}", path)
        for name in (f"{method}{spelled}", f"ANY{spelled}", _OTHER_ROUTES):
            if (needed := self.needs.get(name)) is not None:
                return needed
        return None


@lru_cache(maxsize=256)
def _rules(given: tuple[tuple[str, str], ...]) -> Rules:
    variables = dict(given)
    wanted = {name: variables.pop(name) for name in sorted(variables) if f"{name}_".startswith(f"{_SCOPES}_")}
    tenant = variables.pop(f"{_PREFIX}tenant", "")
    if not tenant:
        raise Misconfigured(f"{_PREFIX}tenant", "is missing: it says whose keys are good here")
    header = variables.pop(f"{_PREFIX}header", "Authorization:Bearer")
    if not _HEADER.fullmatch(header):
        raise Misconfigured(f"{_PREFIX}header", "is no header's name, or name:scheme")
    name, _, scheme = header.lower().partition(":")
    kinds = variables.pop(f"{_PREFIX}kinds", KeyKind.NATIVE).split(",")
    if unknown := [kind for kind in kinds if kind not in VERIFIABLE]:
        raise Misconfigured(f"{_PREFIX}kinds", f"names {unknown[0]!r}, which is no kind of key that can be verified")
    by_policy = _one_of(variables, "answers", "simple", "policy")
    passes_limited = _one_of(variables, "limits", "refuse", "pass")
    if variables:
        raise Misconfigured(min(variables), "is not known")
    return Rules(
        tenant=tenant,
        header=name,
        scheme=scheme or None,
        kinds=frozenset(map(KeyKind, kinds)),
        by_policy=by_policy,
        passes_limited=passes_limited,
        needs=_needs(wanted) if wanted else None,
    )


def _one_of(variables: dict[str, str], name: str, usual: str, other: str) -> bool:
    """Whether it is the other. The variable is done with."""
    value = variables.pop(f"{_PREFIX}{name}", usual)
    if value not in {usual, other}:
        raise Misconfigured(f"{_PREFIX}{name}", f"is neither {usual} nor {other}")
    return value == other


def _needs(wanted: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Entries with commas between them, ``GET/orders/:id=orders:read&orders:list``: the route's key without its space,
    ``:id`` for ``{id}`` and ``:rest~`` for ``{rest+}``, or ``default`` for all other routes, and the scopes that it
    needs, all of them. With no scopes, any good key will do."""
    needs: dict[str, tuple[str, ...]] = {}
    for variable, text in wanted.items():
        for entry in text.split(","):
            route, _, scopes = entry.rpartition("=")
            if not _ROUTE.fullmatch(route):
                raise Misconfigured(variable, f"has the entry {entry!r}, which is no METHOD/path=scope&scope")
            if route in needs:
                raise Misconfigured(variable, f"lists {route} again")
            needs[route] = tuple(filter(None, scopes.split("&")))
    return MappingProxyType(needs)


class Verdict(NamedTuple):
    """`known` is whether the key is a good one, whatever it may do, and `reason` what stands against the call. One that
    is over the key's limits may go on where its API answers that itself."""

    known: bool
    reason: str | None
    grant: Grant | None = None
    goes_on: bool = False
    spending: Spending | None = None

    @property
    def context(self) -> dict[str, str]:
        """What the API learns of the key, or of the refusal. Flat and of strings, as a REST API takes nothing else."""
        if not self.goes_on or self.grant is None:
            return {"reason": self.reason or "", **_limits(self.spending)}
        return {
            "key_id": self.grant.key_id,
            "kind": self.grant.kind,
            "tenant": self.grant.owner.tenant,
            "owner_kind": self.grant.owner.kind,
            "owner_id": self.grant.owner.id,
            "external_id": self.grant.external_id,
            "scopes": " ".join(self.grant.scopes),
            **_limits(self.spending),
        }


def _limits(spending: Spending | None) -> dict[str, str]:
    """What is left of a key's limits, in the words of HTTP's header fields, and `limited_by` where nothing is."""
    if spending is None:
        return {}
    said = {_FIELDS[name]: value for name, value in limit_fields(spending).items()}
    return said if spending.refused_by is None else {**said, "limited_by": spending.refused_by}


class Gateway(Protocol):
    """One kind of API Gateway: how it asks and how it is answered."""

    surface: str

    def route(self, event: Mapping[str, Any]) -> tuple[str, str]:
        """The method of the request, and the path of the route as its API declares it."""

    def credential(self, event: Mapping[str, Any], name: str) -> list[str]:
        """The values of the header, whose name is in lower case."""

    def use(self, event: Mapping[str, Any]) -> Use:
        """Who is calling from where, as the gateway sees it."""

    def policy_for(self, event: Mapping[str, Any], rules: Rules) -> str | None:
        """The ARN of what is asked for, where the answer is a policy; None where it is yes or no."""

    def on_unknown(self) -> None:
        """Raises Unauthorized where that is how the gateway is told that a key is none."""


class Authorizer:
    """A Lambda handler for one kind of API Gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        bootstrap.open_early(bootstrap.gate)

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        began = time.perf_counter()
        surface, said = self._gateway.surface, {"request_id": context.aws_request_id}
        try:
            rules = Rules.of(event.get("stageVariables"))
            method, path = self._gateway.route(event)
            said |= {"api": event["requestContext"]["apiId"], "route": f"{method} {path}", "tenant": rules.tenant}
            values = self._gateway.credential(event, rules.header)
            resource = self._gateway.policy_for(event, rules)
            verdict = judge(rules, values, rules.scopes(method, path), self._gateway.use(event), resource)
        except Exception as fault:
            cause = str(fault) if isinstance(fault, Misconfigured) else ""
            note(surface, "fault", level="ERROR", fault=True, cause=cause, **_where(fault), **said)
            raise
        if verdict.grant is not None:
            said["key_id"] = verdict.grant.key_id
        note(
            surface,
            "authorized" if verdict.goes_on else "refused",
            refused=verdict.reason is not None,
            reason=verdict.reason,
            duration_ms=round((time.perf_counter() - began) * 1000, 1),
            **said,
        )
        if not verdict.known:
            self._gateway.on_unknown()
        if resource is None:
            return {"isAuthorized": verdict.goes_on, "context": verdict.context}
        return policy(verdict, resource)


def judge(
    rules: Rules, values: list[str], needed: tuple[str, ...] | None, use: Use, resource: str | None = None
) -> Verdict:
    """The verdict on a request whose header had `values`, for a route that needs these scopes; `resource` is the ARN of
    a policy. Only what nothing else stands against counts towards a key's limits. Raises Unavailable."""
    token = _token(values, rules.scheme)
    if token is None:
        return Verdict(known=False, reason="missing" if not values else "unknown")
    gate = bootstrap.gate()
    look = Use(use.address, use.user_agent, cost=0)
    found = verification.verify(gate, rules.tenant, Presented.token(token), kinds=rules.kinds, use=look)
    if (grant := found.grant) is None:
        if found.known is not None:
            note_refused_use(gate, found.known, address=use.address or "")
        return Verdict(known=found.reason in _NOT_THE_KEYS_FAULT, reason=found.reason, grant=found.known)
    if needed is None:
        return Verdict(known=True, reason="route_not_listed", grant=grant)
    if not all(permits(grant.scopes, scope) for scope in needed):
        return Verdict(known=True, reason="scope_missing", grant=grant)
    if resource is not None and not _WILDCARDS.isdisjoint(resource):
        # In a policy they stand for any text. Kept by a cache, a permission for `/orders/*` would open /orders/7 too.
        return Verdict(known=True, reason="path_refused", grant=grant)
    admitted = verification.admitted(gate, found, use)
    goes_on = admitted.valid or rules.passes_limited
    return Verdict(known=True, reason=admitted.reason, grant=grant, goes_on=goes_on, spending=admitted.spending)


def _token(values: list[str], scheme: str | None) -> str | None:
    """Of several headers none is taken, since the API behind might take another."""
    if len(values) != 1:
        return None
    text = values[0].strip(" \t")
    if scheme is None:
        return text
    given, _, token = text.partition(" ")
    return token.lstrip(" ") if given.lower() == scheme else None


def _where(fault: BaseException) -> dict[str, Any]:
    """Of what class it is and where it happened, never what it says: the text of an exception may quote a secret."""
    frames = traceback.extract_tb(fault.__traceback__)[-6:]
    code = fault.__cause__ if isinstance(fault, errors.KeywrightError) else None
    return {
        "error": type(fault).__name__,
        "caused_by": type(code).__name__ if code is not None else None,
        "where": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def policy(verdict: Verdict, resource: str) -> dict[str, Any]:
    """An answer in the language of IAM. It is for the one method and path that was asked for, as scopes go by route."""
    effect = "Allow" if verdict.goes_on else "Deny"
    return {
        "principalId": "unknown" if verdict.grant is None else verdict.grant.key_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}],
        },
        "context": verdict.context,
    }


# --- the two kinds of API Gateway ----------------------------------------------------------------------------------


class HttpApi:
    """An HTTP API under payload format 2.0. It answers 403 for every no; 401 is its own, for a request without the
    header that it was told to look for."""

    surface = "http_api_authorizer"

    def route(self, event: Mapping[str, Any]) -> tuple[str, str]:
        method: str = event["requestContext"]["http"]["method"]
        return method, event["routeKey"].rpartition(" ")[2]

    def credential(self, event: Mapping[str, Any], name: str) -> list[str]:
        value = event.get("headers", {}).get(name)
        return [] if value is None else [value]  # several arrive joined by commas, and no token has one

    def use(self, event: Mapping[str, Any]) -> Use:
        http = event["requestContext"]["http"]
        return Use(http["sourceIp"], http.get("userAgent") or "")

    def policy_for(self, event: Mapping[str, Any], rules: Rules) -> str | None:
        return event["routeArn"] if rules.by_policy else None

    def on_unknown(self) -> None:
        """There is no word for it."""


class RestApi:
    """A REST API, or an HTTP API under payload format 1.0."""

    surface = "rest_api_authorizer"

    def route(self, event: Mapping[str, Any]) -> tuple[str, str]:
        return event["httpMethod"], event["resource"]

    def credential(self, event: Mapping[str, Any], name: str) -> list[str]:
        headers = event.get("multiValueHeaders") or {}
        return [value for given, values in headers.items() if given.lower() == name for value in values]

    def use(self, event: Mapping[str, Any]) -> Use:
        identity = event["requestContext"]["identity"]
        return Use(identity["sourceIp"], identity.get("userAgent") or "")

    def policy_for(self, event: Mapping[str, Any], rules: Rules) -> str | None:
        arn: str = event["methodArn"]
        return arn

    def on_unknown(self) -> None:
        raise Unauthorized

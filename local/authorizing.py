"""How an HTTP API asks a Lambda authorizer, payload format 2.0, and what it makes of the answer.

Sources: AWS's developer guide (http-api-lambda-authorizer), which says that a request without an identity source is 401
and the function not called, that a no is 403, and that a function which fails or answers in no valid form is 500.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from local.runtime import Result
from local.template import ACCOUNT, REGION, Authorizer


class Answer(NamedTuple):
    allowed: bool
    context: Mapping[str, Any]


def question(authorizer: Authorizer, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the authorizer is asked for the event of a request; None where the request lacks what it looks at."""
    headers = event["headers"]
    if not all(headers.get(name) for name in authorizer.headers):
        return None
    context, http = event["requestContext"], event["requestContext"]["http"]
    place = f"{REGION}:{context.get('accountId', ACCOUNT)}:{context['apiId']}/{context['stage']}"
    asked = {name: value for name, value in event.items() if name not in {"body", "isBase64Encoded"}}
    return asked | {
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:{place}/{http['method']}{event['rawPath']}",
        "identitySource": [headers[name] for name in authorizer.headers],
    }


def verdict(authorizer: Authorizer, result: Result, asked: Mapping[str, Any]) -> Answer | None:
    """None where the answer is none."""
    payload = result.payload
    if result.failed or not isinstance(payload, Mapping):
        return None
    context = payload.get("context") or {}
    if not isinstance(context, Mapping):
        return None
    if authorizer.simple:
        allowed = payload.get("isAuthorized")
        return Answer(allowed, context) if isinstance(allowed, bool) else None
    try:
        statements = payload["policyDocument"]["Statement"]
        if not payload["principalId"]:
            return None
        effects = {each["Effect"] for each in statements if _speaks_of(each, asked["routeArn"])}
    except (KeyError, TypeError):
        return None
    return Answer(effects == {"Allow"}, context)


def _speaks_of(statement: Mapping[str, Any], arn: str) -> bool:
    actions, resources = (
        [value] if isinstance(value, str) else value for value in (statement["Action"], statement["Resource"])
    )
    return any(map(_matches, actions, ["execute-api:Invoke"] * len(actions))) and any(
        _matches(resource, arn) for resource in resources
    )


def _matches(pattern: str, text: str) -> bool:
    """By IAM's wildcards."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None

"""Orders, for whoever the authorizer let through. Of keys it knows what the authorizer says, and of Keywright nothing.

The orders live as long as the process: this is about who may have them.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any

ORDERS: dict[str, dict[str, Any]] = {"4711": {"id": "4711", "item": "apples, Boskoop", "kilograms": 40}}
LIMIT_FIELDS = {"RateLimit": "rate_limit", "RateLimit-Policy": "rate_limit_policy", "Retry-After": "retry_after"}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    caller = event["requestContext"]["authorizer"]["lambda"]
    fields = {name: caller[key] for name, key in LIMIT_FIELDS.items() if key in caller}
    if "limited_by" in caller:
        # Under `keywright_limits: pass` a key that is over its limits comes as far as here, and no further.
        return answer(429, {"message": "Too Many Requests"}, fields)
    return answer(*act(event, caller), fields)


def act(event: Mapping[str, Any], caller: Mapping[str, str]) -> tuple[int, object]:
    match event["routeKey"]:
        case "GET /me":
            return 200, {name: caller[name] for name in ("key_id", "owner_kind", "owner_id", "external_id", "scopes")}
        case "GET /orders":
            return 200, {"orders": list(ORDERS.values())}
        case "GET /orders/{id}" if (order := ORDERS.get(event["pathParameters"]["id"])) is not None:
            return 200, order
        case "POST /orders":
            order = {"id": uuid.uuid4().hex[:8], "ordered_by": caller["key_id"]}
            ORDERS[order["id"]] = order
            return 201, order
    return 404, {"message": "Not Found"}


def answer(status: int, body: object, fields: Mapping[str, str]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json", **fields}, "body": json.dumps(body)}

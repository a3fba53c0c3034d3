"""Answers with the event it got and with where it is."""

import json
import os
import time
from typing import Any

from letters import shout  # type: ignore[import-not-found]


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    print(shout("heard"), event["routeKey"])  # noqa: T201
    seen = {
        "event": event,
        "environment": dict(os.environ),
        "process": os.getpid(),
        "request": context.aws_request_id,
        "remaining": context.get_remaining_time_in_millis(),
        "time_ns": time.time_ns(),
        "function": context.function_name,
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(seen)}

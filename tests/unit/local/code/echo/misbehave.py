"""Goes wrong in the way that the body asks for."""

import os
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    match event["body"]:
        case "raise":
            raise RuntimeError("on purpose")
        case "sleep":
            time.sleep(30)
        case "nap":
            time.sleep(0.3)
        case "die":
            os._exit(3)
        case "unserializable":
            return {1}
    return {"statusCode": 200, "body": str(os.getpid())}

"""JsonService over a boto3 client: AWS's own code from end to end, and the only module of the layer that loads it.

It costs a cold start most of its time and a verification most of its processor, which is why `keywright.adapters.lean`
stands beside it; whatever that one does must come to the same as this.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from keywright.adapters.aws import ServiceError, Unreachable

CONFIG = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
"""Three attempts of at most four seconds stay within the time-out of every function."""


class BotoService:
    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(self._client, xform_name(operation))(**request)
        except ClientError as failure:
            error, metadata = failure.response["Error"], failure.response["ResponseMetadata"]
            raise ServiceError(error["Code"], metadata["HTTPStatusCode"], _on_wire(failure.response)) from failure
        except BotoCoreError as failure:
            raise Unreachable from failure
        return _on_wire(answer)


def _on_wire(answer: Any) -> dict[str, Any]:
    """Without what botocore adds of its own."""
    return {name: _text(each) for name, each in answer.items() if name not in {"Error", "ResponseMetadata"}}


def _text(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _text(each) for name, each in value.items()}
        case list():
            return [_text(each) for each in value]
    return value

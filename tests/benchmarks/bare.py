"""The floor of a cold start: boto3, a client, one read. As a handler, for the Lambda runtime client."""

from typing import Any

from tests.benchmarks.subjects import bare_get_item

get_item = bare_get_item()


def handler(event: Any, context: Any) -> Any:
    return get_item()

"""Started by EventBridge Scheduler: marks keys that have expired. Verification never waits for it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from keywright import bootstrap, expiry
from keywright.edge import MARGIN_MS, note_sweep


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    swept = expiry.sweep(bootstrap.desk(), time_is_up=lambda: context.get_remaining_time_in_millis() < MARGIN_MS)
    note_sweep(swept.marked, swept.finished)
    return {"marked": swept.marked, "finished": swept.finished}

"""Started by EventBridge Scheduler: does what comes due on keys by itself. Verification never waits for it.

``{"dry_run": true}`` as the event says what would be done, and does nothing.
"""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from keywright import bootstrap, sweeping
from keywright.edge import MARGIN_MS, note_fault, note_sweep


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    desk = bootstrap.desk()
    swept = sweeping.sweep(
        desk,
        time_is_up=lambda: context.get_remaining_time_in_millis() < MARGIN_MS,
        holder=context.aws_request_id,
        until_ms=desk.clock.now_ms() + context.get_remaining_time_in_millis(),
        dry_run=sweeping.is_dry(event),
        on_failure=note_fault,
    )
    note_sweep(swept)
    return swept.told()

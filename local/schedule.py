"""The template's schedules, each on a timer of its own. The first run comes one period after the start."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from local.template import ACCOUNT, REGION, Schedule

Invoke = Callable[[str, dict[str, Any]], object]


def scheduled_event(schedule: Schedule) -> dict[str, Any]:
    """The schedule's own input, or what EventBridge Scheduler sends to Lambda without one."""
    if schedule.input is not None:
        event: dict[str, Any] = json.loads(schedule.input)
        return event
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/{schedule.name}"],
        "detail": "{}",
    }


class Scheduler:
    """`every_seconds` takes the place of the template's own periods: who looks on does not want to wait for them."""

    def __init__(self, schedules: Iterable[Schedule], invoke: Invoke, every_seconds: int | None = None) -> None:
        self._schedules = tuple(
            replace(each, period_seconds=every_seconds or each.period_seconds) for each in schedules
        )
        self._invoke, self._stopped = invoke, threading.Event()

    def start(self) -> None:
        for schedule in self._schedules:
            threading.Thread(target=self._run, args=(schedule,), daemon=True).start()

    def _run(self, schedule: Schedule) -> None:
        while not self._stopped.wait(schedule.period_seconds):
            self._invoke(schedule.function, scheduled_event(schedule))

    def close(self) -> None:
        self._stopped.set()

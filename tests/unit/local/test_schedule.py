"""local.schedule: the template's schedules on a timer."""

import threading
import time
from typing import Any

from local.schedule import Scheduler, scheduled_event
from local.template import Schedule


def test_a_schedule_runs_its_function_each_period_until_it_is_closed() -> None:
    ran: list[tuple[str, dict[str, Any]]] = []
    twice = threading.Event()

    def invoke(function: str, event: dict[str, Any]) -> None:
        ran.append((function, event))
        if len(ran) == 2:
            twice.set()

    scheduler = Scheduler([Schedule("Sweep", 1, "ScheduledSweep", None)], invoke)
    began = time.monotonic()
    scheduler.start()
    assert twice.wait(10)
    scheduler.close()
    assert time.monotonic() - began >= 2
    assert {function for function, _ in ran} == {"ScheduledSweep"}


def test_another_period_takes_the_place_of_the_templates_own() -> None:
    ran = threading.Event()
    scheduler = Scheduler([Schedule("Sweep", 86_400, "ScheduledSweep", None)], lambda *_: ran.set(), 1)
    scheduler.start()
    assert ran.wait(10)
    scheduler.close()


def test_without_an_input_the_event_is_eventbridge_schedulers_own() -> None:
    event = scheduled_event(Schedule("Sweep", 60, "ScheduledSweep", None))
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert event["resources"] == ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/Sweep"]


def test_an_input_is_the_event() -> None:
    assert scheduled_event(Schedule("Sweep", 60, "ScheduledSweep", '{"limit": 5}')) == {"limit": 5}

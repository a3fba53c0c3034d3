"""EventBus over Amazon EventBridge: PutEvents, ten events a call.

The bus takes or refuses each event by itself, and one that was sent again because the answer was lost comes twice. The
id within the detail tells.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from keywright import audit
from keywright.adapters.aws import JsonService, ServiceError, Unreachable
from keywright.model import Event

SOURCE: Final = "keywright"
MOST_ENTRIES: Final = 10
"""EventBridge's own limit; ten events of ours are far below its limit of bytes."""


class EventBridgeBus:
    def __init__(self, service: JsonService, name: str) -> None:
        self._service = service
        self._name = name

    def publish(self, events: Sequence[Event]) -> Collection[str]:
        refused: set[str] = set()
        for chunk in _chunks(events):
            refused |= self._put(chunk)
        return refused

    def _put(self, events: Sequence[Event]) -> set[str]:
        try:
            answer = self._service.call("PutEvents", {"Entries": [self._entry(event) for event in events]})
        except (ServiceError, Unreachable):
            return {event.id for event in events}
        results = answer["Entries"]
        return {event.id for event, result in zip(events, results, strict=True) if "ErrorCode" in result}

    def _entry(self, event: Event) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.type.value,
            "Time": event.at_ms // 1000,
            "Detail": json.dumps(audit.told(event)),
        }


def _chunks(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    return (events[start : start + MOST_ENTRIES] for start in range(0, len(events), MOST_ENTRIES))

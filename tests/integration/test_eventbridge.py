"""EventBus over EventBridge: what is put, ten at a time, and what comes of the bus's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keywright import audit, tokens
from keywright.adapters.eventbridge import MOST_ENTRIES, EventBridgeBus
from keywright.adapters.lean import EVENTS
from keywright.model import Event, EventType, OwnerKind, OwnerRef
from local.aws import Fault, error
from local.iam import Call
from local.server import Response
from local.stack import Stack
from tests.integration.conftest import Connect, Faults

AT_MS = 1_790_000_000_123


@pytest.fixture
def bus(connect: Connect, stack: Stack) -> EventBridgeBus:
    (name,) = stack.template.event_buses
    return EventBridgeBus(connect(EVENTS.name), name)


def events(number: int) -> list[Event]:
    owner = OwnerRef("orchard-labs", OwnerKind.APP, "20417-5530918264")
    return [
        Event(
            id=tokens.new_event_id(AT_MS),
            type=EventType.KEY_REVOKED,
            tenant=owner.tenant,
            subject=f"key_{n}",
            owner=owner,
            actor="key_of_the_caller",
            at_ms=AT_MS,
            version=1,
            reason="l\u00e4uft \u2028 davon",
        )
        for n in range(number)
    ]


def put(stack: Stack, before: int) -> list[dict[str, Any]]:
    return [call.request for call in stack.aws.calls[before:] if call.operation == "PutEvents"]


def test_an_event_is_put_in_eventbridges_own_shape(bus: EventBridgeBus, stack: Stack) -> None:
    (event,), before = events(1), len(stack.aws.calls)
    assert set(bus.publish([event])) == set()
    ((entry,),) = [request["Entries"] for request in put(stack, before)]
    assert entry == {
        "EventBusName": stack.template.event_buses[0],
        "Source": "keywright",
        "DetailType": "key_revoked",
        "Time": AT_MS // 1000,
        "Detail": entry["Detail"],
    }
    assert json.loads(entry["Detail"]) == audit.told(event)


@pytest.mark.parametrize(("number", "calls"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (100, [10] * 10)])
def test_ten_events_go_in_a_call(bus: EventBridgeBus, stack: Stack, number: int, calls: list[int]) -> None:
    before = len(stack.aws.calls)
    assert set(bus.publish(events(number))) == set()
    assert [len(request["Entries"]) for request in put(stack, before)] == calls
    assert all(size <= MOST_ENTRIES for size in calls)


def test_exactly_those_are_given_back_that_the_bus_refused(bus: EventBridgeBus, faults: Faults) -> None:
    wanted = events(25)
    refused = {wanted[n].id for n in (0, 9, 10, 24)}

    def fault(call: Call) -> Fault | None:
        if call.operation != "PutEvents":
            return None
        ids = [json.loads(entry["Detail"])["id"] for entry in call.request["Entries"]]
        entries = [
            {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"} if each in refused else {"EventId": "1"}
            for each in ids
        ]
        body = {"FailedEntryCount": len(refused & set(ids)), "Entries": entries}
        return Fault(Response(200, (("content-type", "application/x-amz-json-1.1"),), json.dumps(body).encode()))

    faults(fault)
    assert set(bus.publish(wanted)) == refused


@pytest.mark.parametrize(
    "answer",
    [error("InternalFailure", 500), error("AccessDeniedException", 400), error("ThrottlingException", 400), None],
)
def test_a_bus_that_does_not_answer_took_none_and_nothing_is_raised(
    bus: EventBridgeBus, faults: Faults, answer: Response | None
) -> None:
    wanted = events(12)
    faults(lambda call: Fault(answer) if call.operation == "PutEvents" else None)
    assert set(bus.publish(wanted)) == {event.id for event in wanted}


def test_what_was_taken_is_sent_again_when_the_answer_was_lost(
    bus: EventBridgeBus, faults: Faults, stack: Stack
) -> None:
    (event,), lost = events(1), [True]
    before = len(stack.aws.calls)
    faults(lambda call: Fault(None, committed=True) if call.operation == "PutEvents" and lost and lost.pop() else None)
    assert set(bus.publish([event])) == set()
    details = [json.loads(entry["Detail"])["id"] for request in put(stack, before) for entry in request["Entries"]]
    assert details == [event.id] * 2

"""The edge of what follows the table's stream: Lambda's batches of records in, committed events out.

A follower gets each event at least once, those of one owner in the order they were written, and again after any
failure. What it could not do is reported by record (ReportBatchItemFailures), so that Lambda comes back to the first
failure and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from keywright import bootstrap
from keywright.edge import flush_metrics, logger, metrics, note_fault
from keywright.model import Event


class NotHandled(Exception):
    """Marks a record as failed; it says nothing of the event."""


class EventFollower:
    """A Lambda handler that hands a batch of events to `handle`, which returns the ids of those to come again.

    What `handle` raises counts for all of them. `name` is what is noted: a line, and the metric of events that failed.
    """

    def __init__(self, name: str, handle: Callable[[Sequence[Event]], Collection[str]]) -> None:
        self._name = name
        self._handle = handle

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        found = {_position(record): _read(record) for record in event["Records"]}
        events = [each for each in found.values() if each is not None]
        failed = self._attempt(events)

        def settle(record: DynamoDBRecord) -> None:
            read = found[_position(record.raw_event)]
            if read is None or read.id in failed:
                raise NotHandled

        processor = BatchProcessor(event_type=EventType.DynamoDBStreams, raise_on_entire_batch_failure=False)
        answer: dict[str, Any] = dict(
            process_partial_response(event=event, record_handler=settle, processor=processor, context=context)
        )
        self._note(len(found), len(answer["batchItemFailures"]))
        return answer

    def _attempt(self, events: Sequence[Event]) -> Collection[str]:
        try:
            return self._handle(events)
        except Exception as fault:  # noqa: BLE001  the events come again, or lie in the queue for a person to see
            note_fault(fault)
            return {event.id for event in events}

    def _note(self, records: int, failed: int) -> None:
        logger.info("followed", follower=self._name, records=records, failed=failed)
        metrics.add_dimension(name="follower", value=self._name)
        metrics.add_metric(name="EventsFollowed", unit=MetricUnit.Count, value=records - failed)
        metrics.add_metric(name="EventsFailed", unit=MetricUnit.Count, value=failed)
        flush_metrics()


def _position(record: dict[str, Any]) -> str:
    position: str = record["dynamodb"]["SequenceNumber"]
    return position


def _read(record: dict[str, Any]) -> Event | None:
    """None for what is no event of ours, so that it ends in the queue instead of stopping the stream."""
    try:
        return bootstrap.event_of(record["dynamodb"]["NewImage"])
    except (KeyError, TypeError, ValueError) as odd:
        note_fault(odd)
        return None

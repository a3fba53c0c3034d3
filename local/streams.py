"""The streams of the template's tables, followed as Lambda's event source mappings follow them.

One shard, in order; what the filters leave out is never sent. What fails is tried again, halved where the template says
so, from the first record on that the function reported; what fails to the end is noted in the queue, and the stream
goes on. Unlike Lambda, which asks four times a second, a follower looks when something was written, and it waits less
between its attempts.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import HTTPClientError

from local.iam import Call
from local.runtime import Result
from local.server import Response
from local.stack import Stack
from local.template import StreamSource, TemplateError

Invoke = Callable[[str, dict[str, Any]], Result]
Record = dict[str, Any]
WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
LONGEST_WAIT = 5.0
"""Seconds between two attempts at the same records; the first wait is a tenth of one."""


def matches(pattern: Mapping[str, Any], record: Any) -> bool:
    """Whether a record has what a filter of Lambda asks for: exact values, null, prefix, exists, anything-but."""
    for name, wanted in pattern.items():
        there = isinstance(record, Mapping) and name in record
        value = record[name] if there else None
        if isinstance(wanted, Mapping):
            if not matches(wanted, value):
                return False
        elif not any(_accepts(rule, value, there) for rule in wanted):
            return False
    return True


def _accepts(rule: Any, value: Any, there: bool) -> bool:
    if not isinstance(rule, Mapping):
        return there and value == rule
    match rule:
        case {"prefix": str() as prefix}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"exists": bool() as wanted}:
            return there is wanted
        case {"anything-but": list() as refused}:
            return there and value not in refused
    raise TemplateError(f"the filter rule {json.dumps(rule)} is not known to the local stack")


def as_sent(record: Record, source: StreamSource, stream_arn: str, region: str) -> Record:
    """A record of the streams' API in the JSON that Lambda makes of it."""
    body = record["dynamodb"]
    created: datetime = body["ApproximateCreationDateTime"]
    return {
        "eventID": record["eventID"],
        "eventName": record["eventName"],
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": region,
        "dynamodb": {**_jsonable(body), "ApproximateCreationDateTime": created.timestamp()},
        "eventSourceARN": stream_arn,
    }


def _jsonable(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {name: _jsonable(each) for name, each in value.items()}
        case list() | tuple() | set():
            return [_jsonable(each) for each in value]
    return value


class Follower:
    """One event source mapping. `catch_up` hands over all that was written since it was last called."""

    def __init__(self, stack: Stack, source: StreamSource, invoke: Invoke, say: Callable[[str], None]) -> None:
        self._stack, self._source, self._invoke, self._say = stack, source, invoke, say
        self._streams = stack.client("dynamodbstreams")
        table = stack.client("dynamodb").describe_table(TableName=stack.template.tables[source.table].name)["Table"]
        self._arn: str = table["LatestStreamArn"]
        (self._shard,) = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        start = "TRIM_HORIZON" if source.from_the_beginning else "LATEST"
        self._iterator: str = self._streams.get_shard_iterator(
            StreamArn=self._arn, ShardId=self._shard["ShardId"], ShardIteratorType=start
        )["ShardIterator"]
        self._stopped = threading.Event()

    def catch_up(self) -> None:
        while not self._stopped.is_set() and (records := self._next()):
            sent = [as_sent(record, self._source, self._arn, self._stack.template.region) for record in records]
            for batch in _batches([each for each in sent if self._wants(each)], self._source.batch_size):
                self._deliver(batch)

    def stop(self) -> None:
        self._stopped.set()

    def _next(self) -> Sequence[Record]:
        answer = self._streams.get_records(ShardIterator=self._iterator, Limit=1000)
        self._iterator = answer["NextShardIterator"]
        records: Sequence[Record] = answer["Records"]
        return records

    def _wants(self, record: Record) -> bool:
        return not self._source.filters or any(matches(pattern, record) for pattern in self._source.filters)

    def _deliver(self, records: Sequence[Record], attempt: int = 0) -> None:
        """Splitting a batch takes none of its attempts."""
        if self._stopped.is_set():
            return
        result = self._invoke(self._source.function, {"Records": records})
        rest = records[self._first_failure(result, records) :]
        if not rest:
            return
        if self._source.bisects and len(rest) > 1:
            half = (len(rest) + 1) // 2
            self._deliver(rest[:half], attempt)
            self._deliver(rest[half:], attempt)
        elif self._source.retries is not None and attempt >= self._source.retries:
            self._give_up(rest, attempt)
        else:
            self._stopped.wait(min(0.1 * 2**attempt, LONGEST_WAIT))
            self._deliver(rest, attempt + 1)

    def _first_failure(self, result: Result, records: Sequence[Record]) -> int:
        """The place of the first record that must come again; behind the last where all are done."""
        if result.failed:
            return 0
        if not self._source.reports_failures or not isinstance(result.payload, dict):
            return len(records)
        positions = [record["dynamodb"]["SequenceNumber"] for record in records]
        failed = [failure["itemIdentifier"] for failure in result.payload.get("batchItemFailures", ())]
        if not set(failed) <= set(positions):
            return 0  # as Lambda has it: an answer that is not understood is a failure of the whole batch
        return min(map(positions.index, failed), default=len(records))

    def _give_up(self, records: Sequence[Record], attempt: int) -> None:
        """Notes where the records are, and nothing of what they say."""
        self._say(f"[{self._source.function}] gave up on {len(records)} record(s) of the stream")
        if self._source.queue is None:
            return
        first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
        body = {
            "requestContext": {
                "functionArn": self._stack.template.functions[self._source.function].arn,
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": attempt + 1,
            },
            "version": "1.0",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "DDBStreamBatchInfo": {
                "shardId": self._shard["ShardId"],
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "batchSize": len(records),
                "streamArn": self._arn,
            },
        }
        queues = self._stack.client("sqs")
        url = queues.get_queue_url(QueueName=self._source.queue.rpartition(":")[2])["QueueUrl"]
        queues.send_message(QueueUrl=url, MessageBody=json.dumps(body))


def _batches(records: Sequence[Record], size: int) -> Iterator[Sequence[Record]]:
    return (records[start : start + size] for start in range(0, len(records), size))


class Followers:
    """All followers of a stack, each in a thread of its own. `watch` wakes them when a table was written to."""

    def __init__(
        self, stack: Stack, sources: Iterable[StreamSource], invoke: Invoke, say: Callable[[str], None]
    ) -> None:
        self._followers = [(Follower(stack, source, invoke, say), threading.Event()) for source in sources]
        self._threads: list[threading.Thread] = []
        self._stopped = False

    def start(self) -> None:
        for follower, written in self._followers:
            written.set()
            thread = threading.Thread(target=self._run, args=(follower, written), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, follower: Follower, written: threading.Event) -> None:
        while not self._stopped:
            written.wait()
            written.clear()
            with suppress(HTTPClientError):  # the stack is closing, and AWS is gone already
                follower.catch_up()

    def watch(self, call: Call, _: Response) -> None:
        """Is told of every call to AWS, from whichever thread makes it."""
        if call.operation in WRITES:
            for _follower, written in self._followers:
                written.set()

    def close(self) -> None:
        self._stopped = True
        for follower, written in self._followers:
            follower.stop()
            written.set()
        for thread in self._threads:
            thread.join(timeout=5)


class EventPrinter:
    """Says every event that the bus takes and that is not older than `since`, in epoch seconds: a line each, with what
    the event holds, and no event holds a secret."""

    def __init__(self, say: Callable[[str], None], since: float = 0) -> None:
        self._say, self._since = say, int(since)

    def watch(self, call: Call, answer: Response) -> None:
        """Is told of every call to AWS."""
        if call.operation != "PutEvents" or answer.status != 200:
            return
        results = json.loads(answer.body)["Entries"]
        for entry, result in zip(call.request["Entries"], results, strict=True):
            if "ErrorCode" not in result and entry["Time"] >= self._since:
                self._say(f"Event {entry['DetailType']}: {entry['Detail']}")

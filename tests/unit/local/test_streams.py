"""local.streams: a table's stream is followed as the template says."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from local.iam import Call
from local.runtime import Result
from local.server import Response
from local.stack import Stack
from local.streams import EventPrinter, Follower, Followers, matches
from local.template import StreamSource, TemplateError

Batch = list[str]


class Function:
    """What stands in for the function: keeps the things of each batch, and answers as it is told."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.records: list[dict[str, Any]] = []
        self.answer: Callable[[Batch], Result] = lambda _: Result({"batchItemFailures": []})

    def __call__(self, function: str, event: dict[str, Any]) -> Result:
        assert function == "EchoFollow"
        self.records += event["Records"]
        batch = [record["dynamodb"]["Keys"]["sk"]["S"] for record in event["Records"]]
        self.batches.append(batch)
        return self.answer(batch)


@pytest.fixture
def source(stack: Stack) -> StreamSource:
    (only,) = stack.template.stream_sources
    return only


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def follower(stack: Stack, source: StreamSource, function: Function, said: list[str]) -> Iterator[Follower]:
    """One that has seen all that other tests wrote."""
    followed = Follower(stack, replace(source, from_the_beginning=False), function, said.append)
    yield followed
    followed.stop()


@pytest.fixture
def write(stack: Stack, source: StreamSource) -> Callable[..., list[str]]:
    table, client = stack.template.tables[source.table].name, stack.client("dynamodb")

    def things(number: int, pk: str = "THING#1") -> list[str]:
        names = [f"{n}-{secrets.token_hex(4)}" for n in range(number)]
        for name in names:
            item = {"pk": {"S": pk}, "sk": {"S": name}, "data": {"B": b"\x00"}}
            client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item}}])
        return names

    return things


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.streams.LONGEST_WAIT", 0.0)


def test_the_source_is_read_from_the_template(stack: Stack, source: StreamSource) -> None:
    assert (source.function, source.table, source.batch_size) == ("EchoFollow", "KeyTable", 4)
    assert (source.retries, source.bisects, source.reports_failures, source.from_the_beginning) == (2, True, True, True)
    assert source.queue == f"arn:aws:sqs:eu-west-1:{stack.template.account}:keywright-Unechoed"


def test_records_come_in_order_in_batches_as_lambda_writes_them(
    follower: Follower, function: Function, write: Callable[..., list[str]], stack: Stack
) -> None:
    names = write(6)
    follower.catch_up()
    follower.catch_up()
    assert function.batches == [names[:4], names[4:]]
    record = function.records[0]
    assert json.loads(json.dumps(record)) == record
    assert (record["eventName"], record["eventSource"], record["awsRegion"]) == ("INSERT", "aws:dynamodb", "eu-west-1")
    assert record["dynamodb"]["NewImage"]["data"] == {"B": "AA=="}
    assert "/stream/" in record["eventSourceARN"]


def test_what_the_filter_leaves_out_is_not_sent(
    follower: Follower, function: Function, write: Callable[..., list[str]], stack: Stack, source: StreamSource
) -> None:
    write(2, pk="OTHER#1")
    (name,) = write(1)
    key = {"pk": {"S": "THING#1"}, "sk": {"S": name}}
    stack.client("dynamodb").delete_item(TableName=stack.template.tables[source.table].name, Key=key)
    follower.catch_up()
    assert function.batches == [[name]]


def test_a_transaction_that_was_refused_leaves_nothing_on_the_stream(
    follower: Follower, function: Function, write: Callable[..., list[str]], stack: Stack, source: StreamSource
) -> None:
    (name,) = write(1)
    table, client = stack.template.tables[source.table].name, stack.client("dynamodb")
    new = {"pk": {"S": "THING#1"}, "sk": {"S": "never"}}
    again = {"pk": {"S": "THING#1"}, "sk": {"S": name}}
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": new}},
                {"Put": {"TableName": table, "Item": again, "ConditionExpression": "attribute_not_exists(pk)"}},
            ]
        )
    follower.catch_up()
    assert function.batches == [[name]]


def test_after_a_partial_failure_it_goes_on_from_the_first_record_that_failed(
    follower: Follower, function: Function, write: Callable[..., list[str]]
) -> None:
    names = write(4)
    failed_once: list[bool] = []

    def answer(batch: Batch) -> Result:
        if failed_once:
            return Result({"batchItemFailures": []})
        failed_once.append(True)
        return Result({"batchItemFailures": [{"itemIdentifier": position(function, names[2])}]})

    function.answer = answer
    follower.catch_up()
    assert function.batches == [names, [names[2]], [names[3]]]


def position(function: Function, name: str) -> str:
    found: str = next(
        record["dynamodb"]["SequenceNumber"]
        for record in function.records
        if record["dynamodb"]["Keys"]["sk"]["S"] == name
    )
    return found


@pytest.mark.parametrize(
    "refusal",
    [
        Result({"errorType": "Boom"}, failed=True),
        Result({"batchItemFailures": [{"itemIdentifier": "unheard of"}]}),
        Result({"batchItemFailures": [{"itemIdentifier": ""}]}),
    ],
)
def test_a_record_that_fails_to_the_end_is_noted_in_the_queue_and_the_rest_gets_through(
    follower: Follower,
    function: Function,
    write: Callable[..., list[str]],
    stack: Stack,
    said: list[str],
    refusal: Result,
) -> None:
    names = write(4)
    function.answer = lambda batch: refusal if names[1] in batch else Result({"batchItemFailures": []})
    follower.catch_up()
    assert [batch for batch in function.batches if batch == [names[1]]] == [[names[1]]] * 3
    assert sum(names[3] in batch for batch in function.batches[1:]) == 1
    assert said == ["[EchoFollow] gave up on 1 record(s) of the stream"]
    queues = stack.client("sqs")
    url = queues.get_queue_url(QueueName="keywright-Unechoed")["QueueUrl"]
    (message,) = queues.receive_message(QueueUrl=url)["Messages"]
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    body = json.loads(message["Body"])
    where = position(function, names[1])
    assert (body["DDBStreamBatchInfo"]["startSequenceNumber"], body["DDBStreamBatchInfo"]["batchSize"]) == (where, 1)
    assert body["requestContext"]["approximateInvokeCount"] == 3
    assert names[1] not in message["Body"]


def test_followers_wake_when_a_table_is_written_to_and_stop_when_they_are_closed(
    stack: Stack, source: StreamSource, function: Function, write: Callable[..., list[str]]
) -> None:
    seen = threading.Event()
    wanted: list[str] = []

    def answer(batch: Batch) -> Result:
        if set(wanted) & set(batch):
            seen.set()
        return Result({"batchItemFailures": []})

    function.answer = answer
    followers = Followers(stack, [source], function, print)
    before = stack.aws.watch
    stack.aws.watch = followers.watch
    try:
        followers.start()
        wanted += write(1)
        # It may have looked before `wanted` was filled; whichever write comes next wakes it again.
        wanted += write(1)
        wanted += write(1)
        assert seen.wait(10)
    finally:
        stack.aws.watch = before
        followers.close()
    assert not any(thread.is_alive() for thread in followers._threads)


@pytest.mark.parametrize(
    ("pattern", "record", "verdict"),
    [
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": "z"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [{"prefix": "EV"}]}, {"a": "EVENTS#"}, True),
        ({"a": [{"prefix": "EV"}]}, {"a": "KEY#"}, False),
        ({"a": [{"prefix": "EV"}]}, {"a": 5}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"exists": True}]}, {"a": 0}, True),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "x"}, False),
        ({"a": {"b": ["x"]}, "c": ["1"]}, {"a": {"b": "x"}, "c": "1"}, True),
        ({"a": {"b": ["x"]}, "c": ["1"]}, {"a": {"b": "x"}, "c": "2"}, False),
        ({"a": {"b": ["x"]}}, {"a": "x"}, False),
    ],
)
def test_a_filter_pattern_is_understood(pattern: dict[str, Any], record: dict[str, Any], verdict: bool) -> None:
    assert matches(pattern, record) is verdict


def test_a_filter_rule_that_is_not_known_is_refused() -> None:
    with pytest.raises(TemplateError, match="numeric"):
        matches({"a": [{"numeric": ["=", 1]}]}, {"a": 1})


def test_each_event_that_the_bus_took_is_said_and_none_from_before() -> None:
    said: list[str] = []
    entries = [{"DetailType": "key_issued", "Detail": f"detail {n}", "Time": 100 + n} for n in range(3)]
    call = Call("StreamsPublishEvents", "events", "PutEvents", {"Entries": entries})
    taken = {"Entries": [{"EventId": "1"}, {"EventId": "2"}, {"ErrorCode": "InternalFailure"}]}
    EventPrinter(said.append, since=101.5).watch(call, Response(200, (), json.dumps(taken).encode()))
    EventPrinter(said.append).watch(call, Response(500, (), b""))
    assert said == ["Event key_issued: detail 1"]

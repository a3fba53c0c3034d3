"""streams.mail_warnings, as the table's stream starts it: under its own rights, on the template's table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from keywright.model import DAY_MS, EventType, KeyKind, Owner
from keywright.warning import ACTOR
from local.aws import Fault, error
from local.iam import Call
from local.server import Response
from local.stack import Stack
from local.streams import matches
from tests.bundle import Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = "StreamsMailWarnings"
CONTACT = "tills@example.com"
Record = dict[str, Any]


def committed() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "events/streams/mail_warnings.json").read_text())
    return loaded


def record(key_id: str, owner: Owner, expires_at_ms: int, number: int = 0) -> Record:
    """A warning of that key, as the stream shows it."""
    made: Record = deepcopy(committed()["Records"][0])
    image = made["dynamodb"]["NewImage"]
    ref = {"tenant": {"S": owner.tenant}, "kind": {"S": owner.kind.value}, "id": {"S": owner.id}}
    image["id"]["S"] = f"{image['id']['S'][:-2]}{number:02}"
    image["owner"]["M"], image["subject"]["S"], image["tenant"]["S"] = ref, key_id, owner.tenant
    image["expires_at_ms"]["N"] = str(expires_at_ms)
    made["dynamodb"]["SequenceNumber"] = str(1000 + number)
    return made


@pytest.fixture
def owner(world: World) -> Owner:
    return world.change(world.app("Tills"), contact=CONTACT)


@pytest.fixture
def records(world: World, owner: Owner) -> list[Record]:
    at = world.desk.clock.now_ms() + 30 * DAY_MS
    keys = [world.issue(KeyKind.NATIVE, owner.ref, description="counter 3", expires_at_ms=at).key for _ in range(3)]
    return [record(key.id, owner, at, number) for number, key in enumerate(keys)]


@pytest.fixture
def mailed(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    """What SES took."""
    found: list[dict[str, Any]] = []
    before = stack.aws.watch

    def watch(call: Call, answer: Response) -> None:
        if call.operation == "SendEmail" and answer.status == 200:
            found.append(call.request)

    stack.aws.watch = watch
    yield found
    stack.aws.watch = before


def mail(bundle: Bundle, *records: Record) -> list[str]:
    """The numbers of the records that come again."""
    answer = bundle.invoke(FUNCTION, {"Records": list(records)}).payload
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def test_the_owner_is_mailed_which_key_expires_and_when(
    bundle: Bundle, records: list[Record], mailed: list[dict[str, Any]]
) -> None:
    assert mail(bundle, records[0]) == []
    (sent,) = mailed
    assert sent["FromEmailAddress"] == "keys@keywright.example"
    assert sent["Destination"] == {"ToAddresses": [CONTACT]}
    simple = sent["Content"]["Simple"]
    key_id = records[0]["dynamodb"]["NewImage"]["subject"]["S"]
    assert simple["Subject"]["Data"] == "Your API key expires"
    text = simple["Body"]["Text"]["Data"]
    assert text.startswith("Hello Tills,\n\nan API key of yours expires soon.\n")
    assert f"Key:         {key_id}\n    Description: counter 3\n    Expires:     20" in text
    assert "Days left:   30\n" in text


def test_a_batch_is_mailed_in_order(bundle: Bundle, records: list[Record], mailed: list[dict[str, Any]]) -> None:
    assert mail(bundle, *records) == []
    texts = [sent["Content"]["Simple"]["Body"]["Text"]["Data"] for sent in mailed]
    subjects = [each["dynamodb"]["NewImage"]["subject"]["S"] for each in records]
    assert [subject in text for subject, text in zip(subjects, texts, strict=True)] == [True, True, True]


@pytest.mark.parametrize(
    "code", ["TooManyRequestsException", "LimitExceededException", "InternalServiceErrorException"]
)
def test_what_ses_does_not_take_now_comes_again_with_all_that_follows(
    bundle: Bundle,
    stack: Stack,
    records: list[Record],
    mailed: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    subject = records[1]["dynamodb"]["NewImage"]["subject"]["S"]

    def fault(call: Call) -> Fault | None:
        hit = call.operation == "SendEmail" and subject in json.dumps(call.request)
        return Fault(error(code, 429 if code.startswith("TooMany") else 400)) if hit else None

    with monkeypatch.context() as throttled:
        throttled.setattr(stack.aws, "fault", fault)
        assert mail(bundle, *records) == ["1001", "1002"]
    assert len(mailed) == 1
    assert mail(bundle, *records[1:]) == []
    assert len(mailed) == len({json.dumps(sent) for sent in mailed}) == 3


@pytest.mark.parametrize("code", ["MessageRejected", "MailFromDomainNotVerifiedException", "SendingPausedException"])
def test_what_ses_will_never_take_is_put_on_record_and_not_tried_again(
    bundle: Bundle,
    stack: Stack,
    owner: Owner,
    records: list[Record],
    mailed: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    code: str,
) -> None:
    with monkeypatch.context() as refused:
        refused.setattr(stack.aws, "fault", lambda call: Fault(error(code)) if call.operation == "SendEmail" else None)
        assert mail(bundle, records[0]) == []
    (kept,) = events_of(stack, owner, EventType.WARNING_NOT_MAILED)
    assert (kept["reason"]["S"], kept["actor"]["S"]) == (code, ACTOR)
    assert kept["subject"]["S"] == records[0]["dynamodb"]["NewImage"]["subject"]["S"]
    assert mailed == []


def events_of(stack: Stack, owner: Owner, type: EventType) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stack.client("dynamodb").query(
        TableName=next(iter(stack.template.tables.values())).name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"EVENTS#{owner.tenant}#{owner.kind}#{owner.id}"}},
    )["Items"]
    return [item for item in items if item["type"]["S"] == type]


def test_an_address_that_is_none_is_put_on_record(
    bundle: Bundle, stack: Stack, world: World, mailed: list[dict[str, Any]]
) -> None:
    """The wire refuses such an address; an operator's may be older than that rule."""
    owner = world.add_operator(email="a@b@example.com\r\nBcc: all@example.com")
    at = world.desk.clock.now_ms() + 30 * DAY_MS
    key = world.issue(KeyKind.NATIVE, owner.ref, expires_at_ms=at).key
    assert mail(bundle, record(key.id, owner, at)) == []
    assert [kept["reason"]["S"] for kept in events_of(stack, owner, EventType.WARNING_NOT_MAILED)] == ["NotAnAddress"]
    assert mailed == []


def test_what_cannot_be_read_comes_again_and_ends_in_the_queue(bundle: Bundle, records: list[Record]) -> None:
    del records[1]["dynamodb"]["NewImage"]["owner"]
    assert mail(bundle, *records) == ["1001"]


def test_the_stream_sends_warnings_and_nothing_else(stack: Stack, records: list[Record]) -> None:
    (source,) = [each for each in stack.template.stream_sources if each.function == FUNCTION]
    (pattern,) = source.filters
    assert source.batch_size == 1, "what had left before a death would come again with it"
    assert matches(pattern, records[0])
    other = deepcopy(records[0])
    other["dynamodb"]["NewImage"]["type"]["S"] = EventType.KEY_EXPIRED.value
    assert not matches(pattern, other)
    assert not matches(pattern, {**records[0], "eventName": "REMOVE"})

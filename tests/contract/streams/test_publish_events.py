"""streams.publish_events, as Lambda starts it from the table's stream: under its own rights."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keywright import lifecycle
from keywright.model import KeyKind
from local import demo
from local.aws import Fault, error
from local.iam import Call
from local.server import Response
from local.stack import Stack
from local.streams import Follower, matches
from tests.bundle import Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
FUNCTION = "StreamsPublishEvents"
VALID = Draft202012Validator(json.loads((ROOT / "docs/operations/event.schema.json").read_text()))


def event() -> dict[str, Any]:
    committed: dict[str, Any] = json.loads((ROOT / "events/streams/publish_events.json").read_text())
    return committed


def published(stack: Stack, before: int) -> list[dict[str, Any]]:
    """The details that were put since, each held to the schema."""
    calls = [call for call in stack.aws.calls[before:] if call.operation == "PutEvents"]
    details = [json.loads(entry["Detail"]) for call in calls for entry in call.request["Entries"]]
    for detail in details:
        VALID.validate(detail)
    return details


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_the_committed_event_passes_the_filter_of_the_template(stack: Stack) -> None:
    source = next(each for each in stack.template.stream_sources if each.function == FUNCTION)
    assert all(matches(pattern, record) for pattern in source.filters for record in event()["Records"])


def test_the_rows_of_a_batch_are_published_with_their_ids(bundle: Bundle) -> None:
    before, sent = len(bundle.stack.aws.calls), event()
    assert bundle.invoke(FUNCTION, sent).payload == {"batchItemFailures": []}
    assert [call.operation for call in bundle.stack.aws.calls[before:]] == ["PutEvents"]
    issued, revoked = published(bundle.stack, before)
    images = [record["dynamodb"]["NewImage"] for record in sent["Records"]]
    assert [issued["id"], revoked["id"]] == [image["id"]["S"] for image in images]
    assert (issued["type"], revoked["type"], revoked["reason"]) == ("key_issued", "key_revoked", "left on a train")
    assert (issued["at"], issued["key_version"]) == ("2026-11-21T22:59:54.000Z", 1)


def test_an_entry_that_the_bus_refuses_is_reported_by_its_place_in_the_stream(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = event()
    body = {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "InternalFailure"}]}
    refusal = Fault(Response(200, (("content-type", "application/x-amz-json-1.1"),), json.dumps(body).encode()))
    monkeypatch.setattr(bundle.stack.aws, "fault", lambda call: refusal if call.operation == "PutEvents" else None)
    place = sent["Records"][1]["dynamodb"]["SequenceNumber"]
    assert bundle.invoke(FUNCTION, sent).payload == {"batchItemFailures": [{"itemIdentifier": place}]}


@pytest.mark.usefixtures("silent")
def test_a_bus_that_is_down_leaves_the_whole_batch_for_later(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = event()
    down = Fault(error("InternalFailure", 500))
    monkeypatch.setattr(bundle.stack.aws, "fault", lambda call: down if call.operation == "PutEvents" else None)
    places = [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in sent["Records"]]
    assert bundle.invoke(FUNCTION, sent).payload == {"batchItemFailures": places}


@pytest.mark.parametrize("missing", ["id", "type", "owner", "NewImage"])
def test_a_row_that_is_no_event_fails_alone_and_says_nothing_of_itself(
    bundle: Bundle, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sent, before = copy.deepcopy(event()), len(bundle.stack.aws.calls)
    odd = sent["Records"][0]["dynamodb"]
    odd["NewImage"]["reason"] = {"S": "canary-of-a-row"}
    del (odd if missing == "NewImage" else odd["NewImage"])[missing]
    failures = bundle.invoke(FUNCTION, sent).payload["batchItemFailures"]
    assert failures == [{"itemIdentifier": odd["SequenceNumber"]}]
    assert len(published(bundle.stack, before)) == 1
    assert "canary-of-a-row" not in "".join(capsys.readouterr())


@pytest.fixture
def new_bundle() -> Iterator[Bundle]:
    """With a stream that holds nothing yet: the session's is as long as the session."""
    with Stack.from_template(ROOT / "template.yaml", account="888800001111") as opened:
        yield Bundle(opened)


def test_what_is_committed_comes_out_on_the_bus_by_the_stream(new_bundle: Bundle) -> None:
    """The table's own stream, followed as the template says, to the bus."""
    bundle, world = new_bundle, World(demo.desk(new_bundle.stack))
    stack = bundle.stack
    source = next(each for each in stack.template.stream_sources if each.function == FUNCTION)
    follower = Follower(stack, source, bundle.invoke, print)
    key = world.issue(KeyKind.NATIVE, world.app().ref, description="canary-of-a-key")
    lifecycle.revoke(world.desk, world.principal, key.key, "left on a train")
    before = len(stack.aws.calls)
    follower.catch_up()
    ours = [detail for detail in published(stack, before) if detail["tenant"] == world.tenant]
    assert [(detail["type"], detail["reason"]) for detail in ours] == [
        ("tenant_created", ""),
        ("owner_created", ""),
        ("key_issued", ""),
        ("key_revoked", "left on a train"),
    ]
    assert key.token.reveal() not in json.dumps(ours)
    assert len({detail["id"] for detail in ours}) == len(ours)


def test_it_may_put_events_of_ours_on_the_bus_of_the_bundle_and_nothing_else(stack: Stack) -> None:
    (name,) = stack.template.event_buses
    function = stack.template.functions[FUNCTION]
    own = [policy for policy in function.policies if policy.name.startswith("Can")]
    (statement,) = own[0].document["Statement"]
    assert (len(own), statement["Action"], statement["Resource"].rpartition("/")[2]) == (1, "events:PutEvents", name)
    assert statement["Condition"] == {"StringEquals": {"events:source": "keywright"}}
    other = Call(FUNCTION, "events", "PutEvents", {"Entries": [{"Source": "aws.ec2", "DetailType": "x"}]})
    assert stack.aws._denied(other) is not None

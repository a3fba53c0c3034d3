"""Z7, switch channel: PUT {base}"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import registry
from keywright.model import EventType
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.contract.salesiq.portal import PLATFORMS, Portal, assert_refused, recorded


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_channel_is_switched_off_with_its_keys_and_on_again(opened: Portal, kind: str) -> None:
    """Body C, its switches booleans; 2.6: key and channel are enabled."""
    created = opened.create_access_key(kind).json()["data"]
    pair = {"app_key": created["app_key"], "access_key": created["access_keys"][0]["key"]}
    body: dict[str, Any] = {}
    for value in (False, True):
        body = opened.ask("update_channel", kind, json_body={"enabled": value}).json()
        assert (body["url"], body["object"], body["data"]["enabled"]) == (opened.path(kind), kind, value)
        assert [each["enabled"] for each in body["data"]["access_keys"]] == [True, True]
        assert opened.verify(**pair)["reason"] == (None if value else "owner_not_eligible")
        assert opened.verify(token=created["access_keys"][1]["key"])["valid"] is value
    moving = {"access_keys", "modified_time", "enabled"}
    assert {name: each for name, each in body["data"].items() if name not in moving} == {
        name: each for name, each in created.items() if name not in moving
    }
    assert next(iter(body["data"])) == "enabled"


def test_the_other_channel_stays_on(opened: Portal) -> None:
    key = opened.ask("list_access_keys", "ios").json()["data"][0]["key"]
    opened.ask("update_channel", "android", json_body={"enabled": False})
    assert opened.verifies(key)


def test_siq_1_what_is_so_already_succeeds_and_changes_nothing(opened: Portal) -> None:
    """SIQ-1: PUT is idempotent."""
    before = opened.ask("get_channel").json()
    answer = opened.ask("update_channel")
    assert answer.json()["data"]["enabled"] is True
    assert answer.json()["data"]["modified_time"] == before["data"]["modified_time"]
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "TransactWriteItems")
    assert recorded(opened.bundle.calls()[-1:]) == []


def test_a_change_moves_modified_time(opened: Portal) -> None:
    before = opened.ask("get_channel").json()["data"]
    after = opened.ask("update_channel", json_body={"enabled": False}).json()["data"]
    assert int(after["modified_time"]) > int(before["modified_time"])


def test_a_missing_field_is_named_and_so_is_an_unknown_one(untouched: Portal) -> None:
    assert_refused(untouched.ask("update_channel", json_body={}), 1015, json_key="enabled")
    answer = untouched.ask("update_channel", json_body={"enabled": True, "bundle_name": "a"})
    assert_refused(answer, 1007, json_key="bundle_name")


def test_it_calls_what_its_budget_says_and_is_on_record(opened: Portal) -> None:
    answer = opened.ask("update_channel", json_body={"enabled": False})
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "TransactWriteItems")
    written = opened.bundle.calls()[-1].request["TransactItems"]
    assert recorded(opened.bundle.calls()[-1:]) == [EventType.OWNER_CHANGED]
    assert sum("ConditionCheck" in item for item in written) == 1


def test_a_vault_that_does_not_answer_leaves_the_channel_as_it_was(opened: Portal, faulty_stack: Stack) -> None:
    faulty_stack.aws.fault = lambda call: Fault(error("DisabledException")) if call.operation == "Decrypt" else None
    assert opened.ask("update_channel", json_body={"enabled": False}).json()["error"]["code"] == 1001
    faulty_stack.aws.fault = lambda _: None
    assert opened.ask("get_channel").json()["data"]["enabled"] == "true"


def test_who_comes_second_builds_on_the_first(opened: Portal, faulty_stack: Stack) -> None:
    """Between this request's reading and its writing, somebody else changes the channel."""
    rivals = [opened.key().owner]

    def first_write(call: Call) -> Fault | None:
        if rivals and call.principal == "SalesiqUpdateChannel" and call.operation == "TransactWriteItems":
            channel = registry.owner_at(opened.world.desk, rivals.pop())
            registry.change(opened.world.desk, opened.world.principal, channel, {"components": ("faq",)})
        return None

    faulty_stack.aws.fault = first_write
    data = opened.ask("update_channel", json_body={"enabled": False}).json()["data"]
    assert not rivals
    assert (data["enabled"], data["components"]) == (False, ["faq"])

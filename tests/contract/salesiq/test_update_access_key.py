"""Z3, enable and disable: PUT {base}/accesskeys/{version}"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import lifecycle, registry
from keywright.model import EventType
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.contract.salesiq.portal import PLATFORMS, Portal, assert_refused, recorded

FIELDS = {"update_access_key": "enabled", "update_access_key, shortened": "is_enabled"}
ADDRESSES = pytest.mark.parametrize("address", FIELDS)


def switch(portal: Portal, value: Any, kind: str = "android", version: str = "1") -> Any:
    answer = portal.ask("update_access_key", kind, version=version, json_body={"enabled": value})
    assert "data" in answer.json(), answer.text
    return answer.json()


@ADDRESSES
@pytest.mark.parametrize("kind", PLATFORMS)
def test_siq_1_a_key_is_switched_off_and_on_again(opened: Portal, address: str, kind: str) -> None:
    """A disabled key can be enabled again; SIQ-1: the answer is the whole channel, `object` is ``list``."""
    created = opened.create_access_key(kind).json()
    first = created["data"]["access_keys"][1]["key"]
    body: dict[str, Any] = {}
    for value, verifies in (("false", False), ("true", True)):
        body = opened.ask(address, kind, json_body={FIELDS[address]: value}).json()
        assert body["url"] == f"{opened.path(kind, keys=True)}/1"
        assert body["object"] == "list"
        assert [each["enabled"] for each in body["data"]["access_keys"]] == ["true", value]
        assert opened.verifies(first) is verifies
        moving = {"access_keys", "modified_time"}
        assert {name: each for name, each in body["data"].items() if name not in moving} == {
            name: each for name, each in created["data"].items() if name not in moving
        }
        assert list(body["data"]) == list(created["data"])
    assert body["data"]["access_keys"] == created["data"]["access_keys"]


def test_a_disabled_key_is_told_so_and_its_siblings_stand(opened: Portal) -> None:
    newest, first = (each["key"] for each in opened.create_access_key().json()["data"]["access_keys"])
    switch(opened, "false", version="2")
    assert opened.verify(token=newest)["reason"] == "disabled"
    assert opened.verifies(first)


def test_siq_1_what_is_so_already_succeeds_and_changes_nothing(opened: Portal) -> None:
    """Z3 with the value already set succeeds."""
    before, calls = opened.key(), len(opened.bundle.calls())
    answer = opened.ask("update_access_key")
    assert recorded(opened.bundle.calls()[calls:]) == []
    assert answer.json()["data"]["access_keys"][0]["enabled"] == "true"
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "TransactWriteItems")
    assert opened.key() == before


def test_a_change_moves_the_channels_modified_time(opened: Portal) -> None:
    before = opened.ask("get_channel").json()["data"]
    after = switch(opened, "false")["data"]
    assert int(after["modified_time"]) > int(before["modified_time"])
    assert after["created_time"] == before["created_time"]


@ADDRESSES
def test_a_missing_field_is_named_and_so_is_an_unknown_one(untouched: Portal, address: str) -> None:
    """1015 and 1007; each address has its own field."""
    field = FIELDS[address]
    (other,) = set(FIELDS.values()) - {field}
    assert_refused(untouched.ask(address, json_body={}), 1015, json_key=field)
    assert_refused(untouched.ask(address, json_body={other: True}), 1015, json_key=field)
    assert_refused(untouched.ask(address, json_body={field: True, other: True}), 1007, json_key=other)


@ADDRESSES
@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"true"', '{"enabled": true, "enabled": false}', b"\xff"])
def test_what_is_no_json_object_is_an_invalid_input_stream(untouched: Portal, address: str, body: str | bytes) -> None:
    headers = {**untouched.authorization, "Content-Type": "application/json"}
    assert_refused(untouched.ask(address, headers=headers, body=body), 1015)


def test_it_calls_what_its_budget_says_and_is_on_record(opened: Portal, stack: Stack) -> None:
    answer = opened.ask("update_access_key", json_body={"enabled": "false"})
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "TransactWriteItems")
    written = opened.bundle.calls()[-1].request["TransactItems"]
    assert recorded(opened.bundle.calls()[-1:]) == [EventType.VERSION_DISABLED]
    assert sum("ConditionCheck" in item for item in written) == 2


def test_a_vault_that_does_not_answer_leaves_the_key_as_it_was(opened: Portal, faulty_stack: Stack) -> None:
    before = opened.key()
    faulty_stack.aws.fault = lambda call: Fault(error("DisabledException")) if call.operation == "Decrypt" else None
    answer = opened.ask("update_access_key", json_body={"enabled": "false"})
    assert answer.json()["error"]["code"] == 1001
    assert opened.key() == before


@pytest.mark.parametrize("name", ["update_access_key", "delete_access_key", "update_channel"])
def test_an_operator_who_is_switched_off_meanwhile_changes_nothing(
    opened: Portal, faulty_stack: Stack, name: str
) -> None:
    """1016: the write itself depends on the operator."""
    pending = [opened.operator.ref]

    def switch_off(call: Call) -> Fault | None:
        if pending and str(call.principal).startswith("Salesiq") and call.operation == "TransactWriteItems":
            operator = registry.owner_at(opened.world.desk, pending.pop())
            registry.change(opened.world.desk, opened.world.principal, operator, {"enabled": False})
        return None

    before = opened.key()
    faulty_stack.aws.fault = switch_off
    answer = opened.ask(name, json_body={"enabled": False})
    assert not pending
    assert answer.json()["error"]["code"] == 1016
    assert opened.key() == before


@pytest.mark.parametrize("name", ["update_access_key", "delete_access_key"])
def test_who_comes_second_to_a_version_that_is_gone_finds_nothing(
    opened: Portal, faulty_stack: Stack, name: str
) -> None:
    rivals = [opened.key()]

    def first_write(call: Call) -> Fault | None:
        if rivals and str(call.principal).startswith("Salesiq") and call.operation == "TransactWriteItems":
            lifecycle.delete_version(opened.world.desk, opened.world.principal, rivals.pop(), 1)
        return None

    faulty_stack.aws.fault = first_write
    answer = opened.ask(name, json_body={"enabled": False})
    assert not rivals
    assert answer.json()["error"]["code"] == 1019

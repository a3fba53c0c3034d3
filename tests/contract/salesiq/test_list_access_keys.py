"""Z2, list keys: GET {base}/accesskeys"""

from __future__ import annotations

import pytest

from keywright.model import Platform
from local.aws import Fault, error
from local.stack import Stack
from tests.contract.salesiq.portal import PLATFORMS, Portal, assert_refused, recorded, shape

CREATOR = {"name": str, "id": str}
ACCESS_KEY = {"version": str, "enabled": str, "key": str, "uuid": str, "creator": CREATOR, "created_time": str}
ADDRESSES = ["list_access_keys", "list_access_keys, swapped"]


@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_answer_is_the_bare_list_under_its_usual_address(opened: Portal, address: str, kind: str) -> None:
    """Body B; the vendor's page prints the address with two parts swapped, its sample the usual one."""
    for _ in range(2):
        opened.create_access_key(kind)
    answer = opened.ask(address, kind)
    body = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert shape(body) == {"url": str, "object": str, "data": [ACCESS_KEY]}
    assert list(body) == ["url", "object", "data"]
    assert list(body["data"][0]) == list(ACCESS_KEY)
    assert body["url"] == opened.path(kind, keys=True)
    assert body["object"] == "accesskeys"
    assert [each["version"] for each in body["data"]] == ["3", "2", "1"]


@pytest.mark.parametrize("kind", PLATFORMS)
def test_it_shows_the_keys_as_they_were_given(opened: Portal, kind: str) -> None:
    created = [opened.create_access_key(kind) for _ in range(3)][-1].json()["data"]["access_keys"]
    listed = opened.ask("list_access_keys", kind).json()["data"]
    assert listed == created
    assert all(opened.verifies(each["key"]) for each in listed)


def test_a_switch_is_a_word(opened: Portal) -> None:
    opened.create_access_key()
    opened.ask("update_access_key", version="1", json_body={"enabled": False})
    assert [each["enabled"] for each in opened.ask("list_access_keys").json()["data"]] == ["true", "false"]


def test_a_channel_without_keys_has_an_empty_list(opened: Portal) -> None:
    opened.ask("delete_access_key")
    answer = opened.ask("list_access_keys")
    assert answer.json()["data"] == []
    assert answer.calls == ("GetItem", "BatchGetItem")


def test_of_a_revoked_key_there_is_no_version(opened: Portal) -> None:
    """Beyond the vendor: the native API revoked the channel's key as a whole."""
    path = f"/v1/keys/{opened.key().id}/revoke"
    assert opened.bundle.request("POST", path, opened.world.bearer, json_body={}).status == 200
    assert opened.ask("list_access_keys").json()["data"] == []
    assert opened.ask("get_channel").json()["data"]["access_keys"] == []
    assert_refused(opened.ask("update_access_key"), 1019)
    assert_refused(opened.ask("delete_access_key"), 1019)


def test_each_channel_lists_its_own(opened: Portal) -> None:
    opened.create_access_key("ios")
    counts = {kind: len(opened.ask("list_access_keys", kind).json()["data"]) for kind in PLATFORMS}
    assert counts == {"android": 1, "ios": 2}


def test_it_decrypts_the_keys_and_not_the_apps_and_records_that_alone(opened: Portal) -> None:
    for _ in range(2):
        opened.create_access_key()
    before = len(opened.bundle.calls())
    answer = opened.ask("list_access_keys")
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "Decrypt", "TransactWriteItems")
    made = opened.bundle.calls()[before:]
    contexts = [call.request["EncryptionContext"] for call in made if call.operation == "Decrypt"]
    assert {context["key_id"] for context in contexts} == {opened.key().id}
    assert recorded(made) == []


def test_a_vault_that_does_not_answer_is_said_so(opened: Portal, faulty_stack: Stack) -> None:
    faulty_stack.aws.fault = lambda call: Fault(error("DisabledException")) if call.operation == "Decrypt" else None
    answer = opened.ask("list_access_keys")
    assert (answer.json()["error"]["code"], answer.headers["retry-after"]) == (1001, "1")


def test_a_channel_of_the_other_kind_only_is_an_invalid_resource(portal: Portal) -> None:
    portal.open_channel(Platform.IOS)
    assert_refused(portal.ask("list_access_keys", "android"), 1019)

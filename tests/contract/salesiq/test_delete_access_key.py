"""Z4, delete key: DELETE {base}/accesskeys/{version}"""

from __future__ import annotations

import pytest

from keywright.model import EventType
from local.aws import Fault, error
from local.stack import Stack
from tests.contract.salesiq.portal import PLATFORMS, Portal, assert_refused, recorded


@pytest.mark.parametrize("kind", PLATFORMS)
def test_siq_1_the_answer_is_the_channel_without_the_key(opened: Portal, kind: str) -> None:
    """SIQ-1: the whole channel, its own `url`, `object` is ``list``."""
    created = [opened.create_access_key(kind) for _ in range(2)][-1].json()["data"]
    gone = created["access_keys"][1]["key"]
    answer = opened.ask("delete_access_key", kind, version="2")
    body = answer.json()
    assert (answer.status, body["url"], body["object"]) == (200, f"{opened.path(kind, keys=True)}/2", "list")
    assert body["data"]["access_keys"] == [created["access_keys"][0], created["access_keys"][2]]
    assert int(body["data"]["modified_time"]) > int(created["modified_time"])
    moving = {"access_keys", "modified_time"}
    assert {name: each for name, each in body["data"].items() if name not in moving} == {
        name: each for name, each in created.items() if name not in moving
    }
    assert opened.verify(token=gone) == opened.verify(token="no token at all")
    assert all(opened.verifies(each["key"]) for each in body["data"]["access_keys"])
    assert opened.ask("list_access_keys", kind).json()["data"] == body["data"]["access_keys"]


def test_siq_3_the_last_version_may_go_and_counting_goes_on(opened: Portal) -> None:
    """The last version may be deleted; 1026 is not used."""
    answer = opened.ask("delete_access_key")
    assert answer.json()["data"]["access_keys"] == []
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "TransactWriteItems")
    assert_refused(opened.ask("delete_access_key"), 1019)
    assert [each["version"] for each in opened.create_access_key().json()["data"]["access_keys"]] == ["2"]


def test_a_disabled_version_may_be_deleted_too(opened: Portal) -> None:
    opened.ask("update_access_key", json_body={"enabled": "false"})
    assert opened.ask("delete_access_key").json()["data"]["access_keys"] == []


def test_a_deleted_version_makes_room(opened: Portal) -> None:
    for _ in range(2):
        opened.create_access_key()
    opened.ask("delete_access_key", version="2")
    versions = opened.create_access_key().json()["data"]["access_keys"]
    assert [each["version"] for each in versions] == ["4", "3", "1"]


@pytest.mark.parametrize("body", ["{", '{"enabled": 1}', b"\xff"])
def test_a_body_is_not_looked_at(opened: Portal, body: str | bytes) -> None:
    headers = {**opened.authorization, "Content-Type": "text/plain"}
    assert opened.ask("delete_access_key", headers=headers, body=body).json()["data"]["access_keys"] == []


def test_it_decrypts_nothing_but_what_the_answer_shows_and_is_on_record(opened: Portal) -> None:
    opened.create_access_key()
    before = len(opened.bundle.calls())
    answer = opened.ask("delete_access_key", version="2")
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "TransactWriteItems")
    made = opened.bundle.calls()[before:]
    contexts = [call.request["EncryptionContext"] for call in made if call.operation == "Decrypt"]
    assert [context["version"] for context in contexts if context["key_id"] == opened.key().id] == ["1"]
    written = made[-1].request["TransactItems"]
    assert recorded(made) == [EventType.VERSION_DELETED]
    assert sum("Delete" in item for item in written) == 1


def test_a_vault_that_does_not_answer_leaves_the_key_as_it_was(opened: Portal, faulty_stack: Stack) -> None:
    before = opened.key()
    faulty_stack.aws.fault = lambda call: Fault(error("DisabledException")) if call.operation == "Decrypt" else None
    answer = opened.ask("delete_access_key")
    assert (answer.json()["error"]["code"], answer.headers["retry-after"]) == (1001, "1")
    assert opened.key() == before

"""Z6, read channel: GET {base}"""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.salesiq.portal import PLATFORMS, Portal, shape


def in_words(value: Any) -> Any:
    """The same body, each boolean a word."""
    if isinstance(value, dict):
        return {name: in_words(each) for name, each in value.items()}
    if isinstance(value, list):
        return [in_words(each) for each in value]
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


@pytest.mark.parametrize("kind", PLATFORMS)
def test_siq_4_the_answer_is_that_of_create_channel_with_every_switch_in_words(portal: Portal, kind: str) -> None:
    """Body C; SIQ-4."""
    created = portal.create_channel(kind).json()
    answer = portal.ask("get_channel", kind)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == in_words(created)
    assert list(answer.json()["data"]) == list(created["data"])
    assert (answer.json()["url"], answer.json()["object"]) == (portal.path(kind), kind)
    assert bool not in shape(answer.json()["data"]).values()
    assert answer.calls == ("GetItem", "BatchGetItem", "Decrypt", "Decrypt", "TransactWriteItems")


def test_a_channel_and_a_key_that_are_off_are_shown_so(opened: Portal) -> None:
    opened.create_access_key()
    opened.ask("update_access_key", version="2", json_body={"enabled": "false"})
    opened.ask("update_channel", json_body={"enabled": False})
    data = opened.ask("get_channel").json()["data"]
    assert data["enabled"] == "false"
    assert [(each["version"], each["enabled"]) for each in data["access_keys"]] == [("2", "false"), ("1", "true")]


def test_what_the_native_api_sets_is_shown(opened: Portal) -> None:
    """`components` and `test_devices` are attributes of the channel."""
    device = {"mobileid": "m1", "user_id": "u1", "model": "Pixel", "name": "Visitor"}
    for kind in PLATFORMS:
        opened.change("channel", f"{opened.app.id}:{kind}", components=["faq"], test_devices=[device])
    android, ios = (opened.ask("get_channel", kind).json()["data"] for kind in PLATFORMS)
    assert android["components"] == ios["components"] == ["faq"]
    assert android["test_devices"] == {"production": [device]}
    assert ios["sandbox_notifications"]["test_devices"] == [device]


def test_a_channel_that_the_native_api_made_names_its_operator(portal: Portal) -> None:
    """`creator.id` is a string of digits, and its name the operator's."""
    body = {"kind": "channel", "app_id": portal.app.id, "platform": "ios", "bundle_name": "com.example"}
    assert portal.bundle.request("POST", "/v1/owners", portal.world.bearer, json_body=body).status == 201
    data = portal.ask("get_channel", "ios").json()["data"]
    assert data["creator"] == data["access_keys"][0]["creator"] == {"name": "Imani", "id": portal.world.operator.id}
    assert data["creator"]["id"].isdecimal()

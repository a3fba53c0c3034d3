from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

import pytest

from keywright import issuing, registry
from keywright.model import Creator, Platform
from keywright.ports import Desk
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.salesiq.portal import Portal, assert_refused, shape
from tests.world import World

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DEVICE = {
    "mobileid": "36f675cc-81e7-4ef5-a8e2-5d940ed90475",
    "user_id": "$1000000000000000017",
    "model": "Pixel",
    "name": "Visitor 40218",
}
CREATOR = {"name": str, "id": str}
AS_ON_THE_PAGE = {
    "url": str,
    "object": str,
    "data": {
        "modified_time": str,
        "creator": CREATOR,
        "app_key": str,
        "access_keys": [
            {
                "version": str,
                "enabled": str,
                "key": str,
                "uuid": str,
                "creator": CREATOR,
                "created_time": str,
            }
        ],
        "bundle_name": str,
        "components": [str],
        "created_time": str,
        "notifications": {"password": str, "enabled": str},
        "bundle_id": str,
        "code": str,
        "app_name": str,
        "test_devices": {"production": [{"mobileid": str, "user_id": str, "model": str, "name": str}]},
    },
}
"""Names and types of the sample on the vendor's page rest-api-app-create-access-key.html, in its order."""


@pytest.fixture
def channel(portal: Portal) -> Portal:
    """A portal whose app has both channels."""
    for platform in Platform:
        portal.open_channel(platform)
    return portal


def test_the_answer_has_the_members_and_types_of_the_vendors_sample(channel: Portal) -> None:
    channel.change("channel", f"{channel.app.id}:android", test_devices=[DEVICE])
    answer = [channel.create_access_key() for _ in range(3)][-1]
    body = answer.json()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert shape(body) == AS_ON_THE_PAGE
    assert len(body["data"]["access_keys"]) == 3


def lines(sample: Any, path: str = "") -> Iterator[tuple[str, type]]:
    """The members of a sample line by line, as the page has them, each with its type."""
    match sample:
        case dict():
            for name, member in sample.items():
                yield from lines(member, f"{path}.{name}" if path else name)
        case list():
            yield from lines(sample[0], f"{path}[]")
        case _:
            yield path, sample


def at(body: Any, path: str) -> list[Any]:
    """All that stands there."""
    found = [body]
    for part in path.split("."):
        name = part.removesuffix("[]")
        found = [each[name] for each in found]
        if part.endswith("[]"):
            found = [each for listed in found for each in listed]
    return found


@pytest.fixture(scope="module")
def answered(bundle: Bundle, admin: Desk) -> Any:
    """Version 4 on a channel that had 1, 2 and 3, as on the page, with a test device."""
    portal = Portal(bundle, World(admin))
    portal.open_channel()
    portal.change("channel", f"{portal.app.id}:android", test_devices=[DEVICE])
    return [portal.create_access_key() for _ in range(3)][-1].json()


@pytest.mark.parametrize(("path", "kind"), [pytest.param(path, kind, id=path) for path, kind in lines(AS_ON_THE_PAGE)])
def test_each_line_of_the_vendors_sample_stands_in_the_answer(answered: Any, path: str, kind: type) -> None:
    found = at(answered, path)
    assert found
    assert {type(each) for each in found} == {kind}
    if path == "data.access_keys[].version":
        assert found == ["4", "3", "2"]


def test_members_stand_in_the_order_of_the_sample(channel: Portal) -> None:
    body, expected = channel.create_access_key().json(), AS_ON_THE_PAGE
    assert list(body) == list(expected)
    assert list(body["data"]) == list(expected["data"])  # type: ignore[call-overload]
    assert list(body["data"]["access_keys"][0]) == list(expected["data"]["access_keys"][0])  # type: ignore[index]


def test_the_answer_is_the_whole_channel_with_its_new_key(channel: Portal) -> None:
    channel.change("channel", f"{channel.app.id}:android", test_devices=[DEVICE])
    before = int(time.time() * 1000)
    body = channel.create_access_key().json()
    data, creator = body["data"], {"name": "Patricia", "id": channel.operator.id}
    newest, first = data.pop("access_keys")
    assert body["url"] == f"/api/v2/{channel.world.tenant}/apps/{channel.app.id}/channels/android/accesskeys"
    assert body["object"] == "list"
    assert {name: value for name, value in newest.items() if name not in {"key", "uuid", "created_time"}} == {
        "version": "2",
        "enabled": "true",
        "creator": creator,
    }
    assert first["version"] == "1"
    assert UUID4.fullmatch(newest["uuid"])
    assert newest["uuid"] != first["uuid"]
    assert before <= int(newest["created_time"]) <= int(time.time() * 1000)
    assert re.fullmatch(r"[0-9A-Za-z]{64}", data.pop("app_key"))
    assert re.fullmatch(r"[0-9a-f]{64}", data.pop("code"))
    assert re.fullmatch(r"[0-9]+", data.pop("bundle_id"))
    assert int(data.pop("created_time")) < int(newest["created_time"])
    assert data == {
        "modified_time": newest["created_time"],
        "creator": creator,
        "bundle_name": "com.mobile.zylker",
        "components": ["proactive", "chat", "faq", "call"],
        "notifications": {"password": "", "enabled": "false"},
        "app_name": "Eleven",
        "test_devices": {"production": [DEVICE]},
    }


def test_an_ios_channel_has_its_devices_among_its_sandbox_notifications(channel: Portal) -> None:
    channel.change("channel", f"{channel.app.id}:ios", test_devices=[DEVICE])
    body = channel.create_access_key("ios").json()
    assert body["url"].endswith("/channels/ios/accesskeys")
    assert body["object"] == "list"
    assert body["data"].keys() == (AS_ON_THE_PAGE["data"].keys() - {"notifications", "test_devices"}) | {  # type: ignore[attr-defined]
        "sandbox_notifications"
    }
    assert body["data"]["sandbox_notifications"] == {
        "certificate": "",
        "password": "",
        "enabled": "false",
        "test_devices": [DEVICE],
    }


@pytest.mark.parametrize(("kind", "size", "characters"), [("android", 112, 152), ("ios", 120, 160)])
def test_a_key_is_percent_encoded_base64_of_random_bytes(
    channel: Portal, kind: str, size: int, characters: int
) -> None:
    texts = [each["key"] for each in channel.create_access_key(kind).json()["data"]["access_keys"]]
    for text in texts:
        decoded = unquote(text)
        assert text == quote(decoded, safe="")
        assert len(decoded) == characters
        assert len(base64.b64decode(decoded, validate=True)) == size
    assert len(set(texts)) == len(texts)


def test_keys_are_shown_newest_first_and_with_the_secrets_they_were_given_with(channel: Portal) -> None:
    given: dict[str, str] = {}
    shown: dict[str, str] = {}
    for count in (2, 3, 3, 3):
        data = channel.create_access_key().json()["data"]
        shown = {each["version"]: each["key"] for each in data["access_keys"]}
        assert len(shown) == count
        assert [int(version) for version in shown] == sorted(map(int, shown), reverse=True)
        assert {version: given[version] for version in shown if version in given} == {
            version: key for version, key in shown.items() if version in given
        }
        given |= shown
    assert list(shown) == ["5", "4", "3"]


def test_a_fourth_key_takes_the_place_of_the_oldest(channel: Portal) -> None:
    first = channel.create_access_key().json()["data"]["access_keys"][-1]["key"]
    channel.create_access_key()
    assert channel.verifies(first)
    data = channel.create_access_key().json()["data"]
    assert [each["version"] for each in data["access_keys"]] == ["4", "3", "2"]
    assert channel.verify(token=first) == channel.verify(token="no token at all")
    assert channel.verify(app_key=data["app_key"], access_key=first)["valid"] is False
    for each in data["access_keys"]:
        for spelling in (each["key"], unquote(each["key"])):
            alone = channel.verify(token=spelling)
            pair = channel.verify(app_key=data["app_key"], access_key=spelling)
            assert alone == pair
            assert alone["valid"] is True
            assert alone["version"] == int(each["version"])
            assert alone["owner"] == {"kind": "channel", "id": f"{channel.app.id}:android"}
            assert alone["expires_at"] is None


def test_a_key_does_not_pair_with_another_apps_app_key(channel: Portal, another_portal: Portal) -> None:
    another_portal.open_channel()
    other = another_portal.create_access_key().json()["data"]["app_key"]
    data = channel.create_access_key().json()["data"]
    key = data["access_keys"][0]["key"]
    assert channel.verify(app_key=data["app_key"], access_key=key)["valid"] is True
    assert channel.verify(app_key=other, access_key=key)["valid"] is False


def test_each_channel_counts_for_itself_and_all_share_the_apps_key(channel: Portal) -> None:
    android = [channel.create_access_key("android").json()["data"] for _ in range(2)][-1]
    ios = channel.create_access_key("ios").json()["data"]
    assert [each["version"] for each in android["access_keys"]] == ["3", "2", "1"]
    assert [each["version"] for each in ios["access_keys"]] == ["2", "1"]
    assert android["app_key"] == ios["app_key"]


def test_every_change_of_the_channel_moves_its_modified_time(channel: Portal) -> None:
    created = channel.create_access_key().json()["data"]
    channel.change("channel", f"{channel.app.id}:android", components=["chat"])
    again = channel.create_access_key().json()["data"]
    assert int(again["modified_time"]) > int(created["modified_time"])
    assert again["created_time"] == created["created_time"]
    assert again["components"] == ["chat"]


def test_the_answer_shows_the_apps_name_as_it_is_now(channel: Portal) -> None:
    channel.change("app", channel.app.id, name="Twelve")
    assert channel.create_access_key().json()["data"]["app_name"] == "Twelve"


def test_who_made_a_key_stays_named_as_then(channel: Portal) -> None:
    channel.change("operator", channel.operator.id, name="Patrizia")
    keys = channel.create_access_key().json()["data"]["access_keys"]
    assert [each["creator"]["name"] for each in keys] == ["Patrizia", "Patricia"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("{", "application/json"),
        ('{"bundle_name": 1, "other": 2}', "application/json"),
        ("a=b", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "application/json"),
        ("x" * 64_001, "text/plain"),
    ],
)
def test_a_body_is_not_looked_at(channel: Portal, body: str | bytes, content_type: str) -> None:
    headers = {**channel.authorization, "Content-Type": content_type}
    answer = channel.bundle.request("POST", channel.path(keys=True), headers, body)
    assert answer.json()["data"]["access_keys"][0]["version"] == "2"


@pytest.mark.parametrize(
    "scope", ["SalesIQ.apps.CREATE", "salesiq.Apps.create", "SalesIQ.apps.ALL", "SALESIQ.APPS.ALL"]
)
def test_a_scope_covers_in_any_case_and_all_covers_create(channel: Portal, scope: str) -> None:
    channel.token = channel.world.access_token("SalesIQ.other.READ", scope, operator=channel.operator)
    assert "data" in channel.create_access_key().json()


@pytest.mark.parametrize("scheme", ["Zoho-oauthtoken", "zoho-OAuthToken", "Zoho-oauthtoken "])
def test_the_scheme_counts_in_any_case(channel: Portal, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {channel.token}"}
    assert "data" in channel.bundle.request("POST", channel.path(keys=True), headers).json()


def test_a_key_of_a_switched_off_channel_is_made_and_verifies_when_it_is_on_again(channel: Portal) -> None:
    channel.change("channel", f"{channel.app.id}:android", enabled=False)
    key = channel.create_access_key().json()["data"]["access_keys"][0]["key"]
    assert channel.verify(token=key)["reason"] == "owner_not_eligible"
    channel.change("channel", f"{channel.app.id}:android", enabled=True)
    assert channel.verifies(key)


def test_while_the_key_as_a_whole_is_disabled_no_version_is_called_enabled(channel: Portal) -> None:
    path = f"/v1/keys/{channel.key().id}/disable"
    assert channel.bundle.request("POST", path, channel.world.bearer, json_body={}).status == 200
    keys = channel.create_access_key().json()["data"]["access_keys"]
    assert [each["enabled"] for each in keys] == ["false", "false"]
    assert not any(channel.verifies(each["key"]) for each in keys)


def test_a_revoked_key_has_a_successor_that_goes_on_counting(channel: Portal) -> None:
    old = channel.create_access_key().json()["data"]["access_keys"]
    revoked = channel.key()
    path = f"/v1/keys/{revoked.id}/revoke"
    assert channel.bundle.request("POST", path, channel.world.bearer, json_body={}).status == 200
    successor, data = (channel.create_access_key().json()["data"] for _ in range(2))
    assert [each["version"] for each in successor["access_keys"]] == ["3"]
    assert [each["version"] for each in data["access_keys"]] == ["4", "3"]
    assert channel.key().id != revoked.id
    assert [channel.verify(token=each["key"])["reason"] for each in old] == ["revoked", "revoked"]
    for each in data["access_keys"]:
        assert channel.verify(app_key=data["app_key"], access_key=each["key"])["valid"] is True


@pytest.mark.parametrize("revoked", [False, True])
def test_who_comes_second_makes_the_version_after(channel: Portal, faulty_stack: Stack, revoked: bool) -> None:
    """Between this request's reading and its writing, somebody else makes a version of the same key."""
    world, key = channel.world, channel.key()
    if revoked:
        path = f"/v1/keys/{key.id}/revoke"
        assert channel.bundle.request("POST", path, world.bearer, json_body={}).status == 200
    rivals = [channel.key()]

    def first_write(call: Call) -> Fault | None:
        if rivals and call.principal == "SalesiqCreateAccessKey" and call.operation == "TransactWriteItems":
            issuing.issue_version(world.desk, world.principal, rivals.pop(), creator=Creator("9", "Rival"))
        return None

    faulty_stack.aws.fault = first_write
    keys = channel.create_access_key().json()["data"]["access_keys"]
    assert not rivals
    assert [(each["version"], each["creator"]["name"]) for each in keys][:2] == [("3", "Patricia"), ("2", "Rival")]
    assert all(channel.verifies(each["key"]) for each in keys)


@pytest.mark.parametrize(("earlier", "stored"), [(0, 2), (1, 3), (2, 3), (3, 3)])
def test_it_calls_what_its_budget_says(channel: Portal, earlier: int, stored: int) -> None:
    """Caller, subject, a decryption for each stored secret shown (the app key and what stays), one seal, one write."""
    for _ in range(earlier):
        channel.create_access_key()
    calls = channel.create_access_key().calls
    assert calls == ("GetItem", "BatchGetItem", *["Decrypt"] * stored, "Encrypt", "TransactWriteItems")


def test_it_decrypts_nothing_but_what_the_answer_shows(channel: Portal) -> None:
    for _ in range(3):
        channel.create_access_key()
    before = len(channel.bundle.calls())
    data = channel.create_access_key().json()["data"]
    made = channel.bundle.calls()[before:]
    contexts = [call.request["EncryptionContext"] for call in made if call.operation == "Decrypt"]
    key = channel.key()
    assert {context["tenant"] for context in contexts} == {channel.world.tenant}
    assert sorted(context["version"] for context in contexts if context["key_id"] == key.id) == ["3", "4"]
    assert [each["version"] for each in data["access_keys"]] == ["5", "4", "3"]
    assert sum(context["key_id"] != key.id for context in contexts) == 1
    assert {call.principal for call in made} == {"SalesiqCreateAccessKey"}


def test_a_vault_that_does_not_answer_leaves_the_channel_as_it_was(channel: Portal, faulty_stack: Stack) -> None:
    before = channel.key()
    for operation in ("Decrypt", "Encrypt"):
        faulty_stack.aws.fault = lambda call, broken=operation: (  # type: ignore[misc]
            Fault(error("DisabledException")) if call.operation == broken else None
        )
        answer = channel.create_access_key()
        assert answer.json() == {
            "error": {"message": "Unknown authentication error. Contact SalesIQ Team!", "code": 1001}
        }
        assert answer.status == 200
        assert answer.headers["retry-after"] == "1"
        assert "TransactWriteItems" not in answer.calls
    assert channel.key() == before


def test_an_app_or_channel_that_is_not_there_is_an_invalid_resource(portal: Portal) -> None:
    unknown_app = portal.bundle.request("POST", portal.path(keys=True, app="1"), portal.authorization)
    no_channel = portal.create_access_key()
    portal.open_channel(Platform.IOS)
    other_kind_only = portal.create_access_key("android")
    for answer in (unknown_app, no_channel, other_kind_only):
        assert_refused(answer, 1019)
        assert answer.calls == ("GetItem", "BatchGetItem")


def test_another_tenants_app_answers_like_one_that_does_not_exist(channel: Portal, another_portal: Portal) -> None:
    theirs = another_portal.bundle.request(
        "POST", another_portal.path(keys=True, app=channel.app.id), another_portal.authorization
    )
    unknown = another_portal.bundle.request(
        "POST", another_portal.path(keys=True, app="404"), another_portal.authorization
    )
    assert_refused(theirs, 1019)
    assert (theirs.status, theirs.headers, theirs.body) == (unknown.status, unknown.headers, unknown.body)
    assert theirs.calls == unknown.calls
    assert channel.key().last_version == 1


def test_the_same_app_id_in_two_portals_is_two_apps(portal: Portal, another_portal: Portal) -> None:
    another_portal.app = another_portal.world.app("Orchard", id=portal.app.id)
    portal.open_channel()
    assert_refused(another_portal.create_access_key(), 1019)
    another_portal.open_channel()
    assert another_portal.create_access_key().json()["data"]["app_name"] == "Orchard"
    assert portal.key(Platform.ANDROID).last_version == 1


def test_an_operator_who_is_switched_off_meanwhile_makes_nothing(channel: Portal, faulty_stack: Stack) -> None:
    pending = [channel.operator.ref]

    def switch_off(call: Call) -> Fault | None:
        if pending and call.principal == "SalesiqCreateAccessKey" and call.operation == "TransactWriteItems":
            operator = registry.owner_at(channel.world.desk, pending.pop())
            registry.change(channel.world.desk, channel.world.principal, operator, {"enabled": False})
        return None

    faulty_stack.aws.fault = switch_off
    answer = channel.create_access_key()
    assert answer.json()["error"]["code"] == 1016
    assert channel.key().last_version == 1

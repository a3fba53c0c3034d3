from __future__ import annotations

import base64
import json
import re
from urllib.parse import unquote

import pytest

from keywright.model import Platform
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.contract.salesiq.portal import Portal, assert_refused, shape

CREATOR = {"name": str, "id": str}
ACCESS_KEY = {"version": str, "enabled": bool, "key": str, "uuid": str, "creator": CREATOR, "created_time": str}
HEAD = {
    "enabled": bool,
    "modified_time": str,
    "creator": CREATOR,
    "app_key": str,
    "access_keys": [ACCESS_KEY],
    "bundle_name": str,
    "components": [str],
    "created_time": str,
}
TAIL = {"bundle_id": str, "code": str, "app_name": str}
AS_ON_THE_PAGE = {
    "android": {
        **HEAD,
        "notifications": {"password": str, "enabled": str},
        **TAIL,
        "test_devices": {"production": []},
    },
    "ios": {
        **HEAD,
        "sandbox_notifications": {"certificate": str, "password": str, "enabled": str, "test_devices": []},
        **TAIL,
    },
}
"""Names and types of the sample on the vendor's page rest-api-app-create-android-channel.html, and its twin for ios."""


@pytest.mark.parametrize("kind", ["android", "ios"])
def test_the_answer_has_the_members_and_types_of_the_vendors_sample(portal: Portal, kind: str) -> None:
    answer = portal.create_channel(kind)
    body = answer.json()
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert shape(body) == {"url": str, "object": str, "data": AS_ON_THE_PAGE[kind]}
    assert list(body) == ["url", "object", "data"]
    assert list(body["data"]) == list(AS_ON_THE_PAGE[kind])
    assert list(body["data"]["access_keys"][0]) == list(ACCESS_KEY)


@pytest.mark.parametrize(("kind", "size"), [("android", 112), ("ios", 120)])
def test_a_channel_is_born_with_version_1(portal: Portal, kind: str, size: int) -> None:
    body = portal.create_channel(kind, "com.mobile.zylker").json()
    data, creator = body["data"], {"name": "Patricia", "id": portal.operator.id}
    (key,) = data["access_keys"]
    assert body["url"] == f"/api/v2/{portal.world.tenant}/apps/{portal.app.id}/channels/{kind}"
    assert body["object"] == kind
    assert (key["version"], key["enabled"], key["creator"]) == ("1", True, creator)
    assert len(base64.b64decode(unquote(key["key"]), validate=True)) == size
    assert data["modified_time"] == data["created_time"] == key["created_time"]
    assert (data["enabled"], data["creator"], data["app_name"]) == (True, creator, "Eleven")
    assert (data["bundle_name"], data["components"]) == ("com.mobile.zylker", ["proactive", "chat", "faq", "call"])
    assert re.fullmatch(r"[0-9A-Za-z]{64}", data["app_key"])
    assert re.fullmatch(r"[0-9a-f]{64}", data["code"])
    assert re.fullmatch(r"[0-9]+", data["bundle_id"])


def test_the_key_verifies_alone_and_paired(portal: Portal) -> None:
    data = portal.create_channel("ios").json()["data"]
    key = data["access_keys"][0]["key"]
    for credential in ({"token": key}, {"app_key": data["app_key"], "access_key": unquote(key)}):
        verdict = portal.verify(**credential)
        assert verdict["valid"] is True
        assert verdict["owner"] == {"kind": "channel", "id": f"{portal.app.id}:ios"}
        assert verdict["version"] == 1


def test_the_app_key_alone_opens_nothing(portal: Portal) -> None:
    assert portal.verifies(portal.create_channel().json()["data"]["app_key"]) is False


def test_both_channels_of_an_app_have_its_one_app_key_and_all_else_of_their_own(portal: Portal) -> None:
    android = portal.create_channel("android", "com.mobile.zylker").json()["data"]
    ios = portal.create_channel("ios", "com.fashions.zylker").json()["data"]
    assert android["app_key"] == ios["app_key"]
    for name in ("code", "bundle_id", "bundle_name"):
        assert android[name] != ios[name]
    pairs = [(one["app_key"], other["access_keys"][0]["key"]) for one in (android, ios) for other in (android, ios)]
    assert all(portal.verify(app_key=app_key, access_key=key)["valid"] for app_key, key in pairs)


def test_the_next_access_key_follows_the_first(portal: Portal) -> None:
    first = portal.create_channel().json()["data"]
    second = portal.create_access_key().json()["data"]
    assert [each["version"] for each in second["access_keys"]] == ["2", "1"]
    assert second["access_keys"][1] == {**first["access_keys"][0], "enabled": "true"}
    kept = first.keys() - {"enabled", "modified_time", "access_keys"}
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_read_however_its_type_is_spelled(portal: Portal, content_type: str) -> None:
    headers = {**portal.authorization, "Content-Type": content_type}
    answer = portal.bundle.request("POST", portal.path(), headers, '{"bundle_name": "com.mobile.zylker"}')
    assert answer.json()["object"] == "android"


def test_json_is_read_where_its_type_is_not_said(portal: Portal) -> None:
    answer = portal.bundle.request("POST", portal.path(), portal.authorization, '{"bundle_name": "a"}')
    assert answer.json()["data"]["bundle_name"] == "a"


@pytest.mark.parametrize("bundle_name", ["a", "com.example.Orchard_2-beta", "x" * 255])
def test_a_bundle_name_is_kept_as_it_is(portal: Portal, bundle_name: str) -> None:
    assert portal.create_channel("ios", bundle_name).json()["data"]["bundle_name"] == bundle_name


def test_a_channel_that_exists_is_not_made_again(portal: Portal) -> None:
    portal.open_channel(Platform.ANDROID)
    answer = portal.create_channel("android")
    assert_refused(answer, 1014)
    assert answer.calls == ("GetItem", "BatchGetItem")
    assert portal.key().last_version == 1


def test_of_two_at_once_one_makes_the_channel(portal: Portal, faulty_stack: Stack) -> None:
    """Between this request's reading and its writing, somebody else opens the same channel."""
    rivals = [Platform.ANDROID]

    def first_write(call: Call) -> Fault | None:
        if rivals and call.principal == "SalesiqCreateChannel" and call.operation == "TransactWriteItems":
            portal.open_channel(rivals.pop())
        return None

    faulty_stack.aws.fault = first_write
    answer = portal.create_channel("android")
    assert not rivals
    assert answer.json() == {"error": {"message": "Resource already exists", "code": 1014}}
    assert portal.key().last_version == 1


def test_of_two_kinds_at_once_both_get_the_same_app_key(portal: Portal, faulty_stack: Stack) -> None:
    rivals = [Platform.IOS]

    def first_write(call: Call) -> Fault | None:
        if rivals and call.principal == "SalesiqCreateChannel" and call.operation == "TransactWriteItems":
            portal.open_channel(rivals.pop())
        return None

    faulty_stack.aws.fault = first_write
    android = portal.create_channel("android").json()["data"]
    assert not rivals
    assert android["app_key"] == portal.create_access_key("ios").json()["data"]["app_key"]


def test_an_unknown_app_is_an_invalid_resource_and_another_tenants_answers_alike(
    portal: Portal, another_portal: Portal
) -> None:
    body = {"bundle_name": "com.mobile.zylker"}
    theirs, unknown = (
        portal.bundle.request("POST", portal.path(app=app), portal.authorization, json_body=body)
        for app in (another_portal.app.id, "404")
    )
    assert_refused(theirs, 1019)
    assert (theirs.status, theirs.headers, theirs.body) == (unknown.status, unknown.headers, unknown.body)
    assert theirs.calls == unknown.calls == ("GetItem", "BatchGetItem")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "bundle_name=com.mobile.zylker",
        "null",
        "5",
        '"com.mobile.zylker"',
        '["com.mobile.zylker"]',
        '[{"bundle_name": "com.mobile.zylker"}]',
        '{"bundle_name": "a", "bundle_name": "b"}',
        '{"bundle_name": NaN}',
        '{"bundle_name": -Infinity}',
        '{"bundle_name": ' + "1" * 5000 + "}",
        '{"bundle_name": ' + "[" * 9 + "]" * 9 + "}",
        "[" * 60_000,
        b"\xff\xfe{\x00",
        b'{"bundle_name": "\xe9"}',
        '\ufeff{"bundle_name": "a"}',
        '{"bundle_name": "a"} {}',
        json.dumps({"bundle_name": "a", "padding": "x" * 64_000}),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_no_json_object_is_an_invalid_input_stream(untouched: Portal, body: str | bytes) -> None:
    headers = {**untouched.authorization, "Content-Type": "application/json"}
    answer = untouched.bundle.request("POST", untouched.path(), headers, body)
    assert_refused(answer, 1015)
    assert answer.calls == ("GetItem", "BatchGetItem")


def test_com_6_a_body_of_64_kb_is_read_and_one_byte_more_is_not(portal: Portal) -> None:
    headers = {**portal.authorization, "Content-Type": "application/json"}
    body = '{"bundle_name": "com.mobile.zylker"}'
    assert_refused(portal.bundle.request("POST", portal.path(), headers, body.ljust(64_001)), 1015)
    assert "data" in portal.bundle.request("POST", portal.path(), headers, body.ljust(64_000)).json()


def test_a_missing_field_is_named(untouched: Portal) -> None:
    answer = untouched.bundle.request("POST", untouched.path(), untouched.authorization, json_body={})
    assert_refused(answer, 1015, json_key="bundle_name")


@pytest.mark.parametrize(
    "name", ["enabled", "Bundle_Name", "bundle_name ", "url", "body", "query", "app", "a.b", "x" * 1000, "\x00"]
)
def test_com_6_an_unknown_member_is_refused_and_named(untouched: Portal, name: str) -> None:
    answer = untouched.bundle.request(
        "POST", untouched.path(), untouched.authorization, json_body={"bundle_name": "com.mobile.zylker", name: "x"}
    )
    assert_refused(answer, 1007, json_key=name)


def test_what_is_missing_comes_before_what_is_unknown(untouched: Portal) -> None:
    answer = untouched.bundle.request("POST", untouched.path(), untouched.authorization, json_body={"enabled": True})
    assert_refused(answer, 1015, json_key="bundle_name")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "text/json",
        "application/json, text/plain",
        "",
        "x",
    ],
)
def test_a_wrong_content_type_is_an_invalid_header_value(untouched: Portal, content_type: str) -> None:
    headers = {**untouched.authorization, "Content-Type": content_type}
    for body in ('{"bundle_name": "a"}', "x" * 64_001):
        answer = untouched.bundle.request("POST", untouched.path(), headers, body)
        assert_refused(answer, 1054, header="content-type")


def test_the_first_channel_seals_the_apps_key_too_and_the_second_reveals_it(portal: Portal) -> None:
    first = ("GetItem", "BatchGetItem", "Encrypt", "Encrypt", "TransactWriteItems")
    second = ("GetItem", "BatchGetItem", "Decrypt", "Encrypt", "TransactWriteItems")
    assert portal.create_channel("android").calls == first
    before = len(portal.bundle.calls())
    assert portal.create_channel("ios").calls == second
    (revealed,) = (call for call in portal.bundle.calls()[before:] if call.operation == "Decrypt")
    assert revealed.request["EncryptionContext"]["tenant"] == portal.world.tenant
    assert revealed.request["EncryptionContext"]["key_id"].startswith("pair_")


def test_a_vault_that_does_not_answer_leaves_no_channel(portal: Portal, faulty_stack: Stack) -> None:
    faulty_stack.aws.fault = lambda call: Fault(error("DisabledException")) if call.operation == "Encrypt" else None
    answer = portal.create_channel()
    assert answer.json() == {"error": {"message": "Unknown authentication error. Contact SalesIQ Team!", "code": 1001}}
    assert answer.headers["retry-after"] == "1"
    faulty_stack.aws.fault = lambda _: None
    assert_refused(portal.create_access_key(), 1019)
    assert portal.create_channel().json()["data"]["access_keys"][0]["version"] == "1"

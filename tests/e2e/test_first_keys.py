"""A newcomer's first keys: the requests that `make run` prints, pasted as they stand, and what becomes of the keys.

What the answers must look like is written out here, member by member, after the vendors' pages; for SupportCenter Plus,
whose pages show a console, after docs/dialects/supportcenter.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode

import boto3
import pytest
from botocore.config import Config

from keywright.adapters.boto import BotoService
from keywright.adapters.dynamodb import DynamoDBKeyStore
from keywright.model import Key
from keywright.ports import KeyRef
from tests.e2e.conftest import ROOT, Built, Running, started
from tests.e2e.gateway_client import Answer, Client


class Like:
    """Equals every string that the pattern describes in full."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self._pattern, other) is not None

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"like {self._pattern}"


MILLISECONDS = Like(r"1[0-9]{12}")
DIGITS = Like(r"[0-9]+")
UUID4 = Like(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
GUID4 = Like(r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}")
ENCODED = r"(?:[0-9A-Za-z]|%2B|%2F)"
MOMENT = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def paste(running: Running, name: str) -> Answer:
    """One of the printed requests, by a shell. Only the line with the status and the headers is asked for beside it."""
    command = running.examples[name].rstrip() + " -i"
    done = subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines)}
    return Answer(int(status.split()[1]), headers["content-type"], body)


class Made(NamedTuple):
    """A key, by every form in which it can be presented, and what its verdict says `also`."""

    kind: str
    owner: dict[str, str]
    forms: list[dict[str, str]]
    also: Mapping[str, object] = MappingProxyType({})


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One of its own: a newcomer's has no keys yet."""
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def pasted(running: Running) -> dict[str, Answer]:
    """Each printed request once, as a support rep has one key, but SalesIQ's until the first version gives way."""
    answers = {name: paste(running, name) for name in running.examples}
    for name in ("second", "third"):
        answers[f"Zoho SalesIQ, {name}"] = paste(running, "Zoho SalesIQ")
    return answers


def test_it_prints_one_request_for_each_dialect(running: Running) -> None:
    assert list(running.examples) == [
        "Native",
        "Zoho SalesIQ",
        "SupportCenter Plus",
        "Sunshine Conversations",
        "Volt MX Foundry Engagement",
    ]


# --- the documented answers ----------------------------------------------------------------------------------------


def access_key(version: str) -> dict[str, Any]:
    return {
        "version": version,
        "enabled": "true",
        "key": Like(ENCODED + "{150}%3D%3D"),
        "uuid": UUID4,
        "creator": {"name": "Imani", "id": "21000000000017"},
        "created_time": MILLISECONDS,
    }


def test_salesiq_answers_with_the_whole_channel_as_its_page_shows_it(pasted: dict[str, Answer]) -> None:
    """Three access keys, the newest first, numbered 4, 3, 2: the first has made room."""
    answer = pasted["Zoho SalesIQ, third"]
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.json() == {
        "url": "/api/v2/orchard-labs/apps/70000000021003/channels/android/accesskeys",
        "object": "list",
        "data": {
            "modified_time": MILLISECONDS,
            "creator": {"name": "Imani", "id": "21000000000017"},
            "app_key": Like("[0-9A-Za-z]{64}"),
            "access_keys": [access_key("4"), access_key("3"), access_key("2")],
            "bundle_name": "com.example.orchard",
            "components": ["proactive", "chat", "faq", "call"],
            "created_time": MILLISECONDS,
            "notifications": {"password": "", "enabled": "false"},
            "bundle_id": DIGITS,
            "code": Like("[0-9a-f]{64}"),
            "app_name": "Orchard",
            "test_devices": {"production": []},
        },
    }


def test_supportcenter_answers_in_the_style_of_its_api(pasted: dict[str, Answer]) -> None:
    answer = pasted["SupportCenter Plus"]
    assert (answer.status, answer.content_type) == (200, "application/json;charset=UTF-8")
    assert answer.json() == {
        "response": {
            "uri": "api/json/generateApiKey",
            "result": {
                "status": "Success",
                "statuscode": 200,
                "statusmessage": "API Key generated successfully.",
            },
            "details": {
                "supportRep": "meera.nair",
                "apikey": GUID4,
                "createdTime": MILLISECONDS,
                "expiresOn": "-1",
            },
        }
    }


def test_sunshine_answers_as_its_page_shows_it(pasted: dict[str, Answer]) -> None:
    answer = pasted["Sunshine Conversations"]
    assert (answer.status, answer.content_type) == (201, "application/json")
    assert answer.json() == {
        "key": {
            "id": Like("int_[0-9a-f]{24}"),
            "displayName": "My custom key",
            "secret": Like("[0-9A-Za-z_-]{86}"),
        }
    }


def test_voltmx_answers_as_its_page_shows_it(pasted: dict[str, Answer]) -> None:
    answer = pasted["Volt MX Foundry Engagement"]
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.json() == {"id": UUID4, "message": "App API key Added successfully"}


def test_the_native_api_answers_as_its_document_shows_it(pasted: dict[str, Answer]) -> None:
    answer = pasted["Native"]
    assert (answer.status, answer.content_type) == (201, "application/json")
    assert answer.json() == {
        "id": Like("key_[0-9a-f]{24}"),
        "kind": "native",
        "owner": {"kind": "operator", "id": "21000000000017"},
        "description": "",
        "scopes": [],
        "state": "active",
        "version": 1,
        "versions": [
            {"version": 1, "enabled": True, "created_at": MOMENT, "created_by": "21000000000017", "retires_at": None}
        ],
        "created_at": MOMENT,
        "created_by": "21000000000017",
        "modified_at": MOMENT,
        "expires_at": None,
        "revoked_at": None,
        "revoked_reason": "",
        "external_id": "",
        "metadata": {},
        "allowed_cidrs": [],
        "rate_limit": None,
        "quota": None,
        "cache_seconds": 0,
        "token": Like("kw_local_[0-9A-Za-z]{49}"),
    }


# --- every key verifies --------------------------------------------------------------------------------------------


def native(answer: Any) -> Made:
    return Made("native", answer["owner"], [{"token": answer["token"]}])


def salesiq(answer: Any) -> Made:
    app_key, key = answer["data"]["app_key"], answer["data"]["access_keys"][0]["key"]
    forms = [
        {"app_key": app_key, "access_key": key},
        {"app_key": app_key, "access_key": unquote(key)},
        {"token": key},
        {"token": unquote(key)},
    ]
    return Made("android_access_key", {"kind": "channel", "id": "70000000021003:android"}, forms)


def supportcenter(answer: Any) -> Made:
    details = answer["response"]["details"]
    forms = [{"token": details["apikey"]}, {"token": details["apikey"].lower()}]
    return Made("rep_key", {"kind": "support_rep", "id": details["supportRep"]}, forms, {"roles": ["SDCoordinator"]})


def sunshine(answer: Any) -> Made:
    key = answer["key"]
    owner = {"kind": "integration", "id": "5ed0f0a1b2c3d4e5f6a7b8c9:5ed0f0a1b2c3d4e5f6a7b8ca"}
    return Made("integration_secret", owner, [{"key_id": key["id"], "secret": key["secret"]}, {"token": key["secret"]}])


def voltmx(answer: Any) -> Made:
    forms = [{"token": answer["id"]}, {"token": answer["id"].upper()}]
    return Made("app_api_key", {"kind": "app", "id": "20417-5530918264"}, forms, {"issued_by": "21000000000017"})


READERS: dict[str, Callable[[Any], Made]] = {
    "Native": native,
    "Zoho SalesIQ, third": salesiq,
    "SupportCenter Plus": supportcenter,
    "Sunshine Conversations": sunshine,
    "Volt MX Foundry Engagement": voltmx,
}


@pytest.mark.parametrize("name", READERS)
def test_a_key_verifies_in_every_form_it_can_be_presented_in(
    running: Running, pasted: dict[str, Answer], name: str
) -> None:
    made = READERS[name](pasted[name].json())
    for form in made.forms:
        verdict = Client(running).verify(**form)
        assert verdict == {
            "valid": True,
            "reason": None,
            "key_id": Like("(key|int)_[0-9a-f]{24}"),
            "kind": made.kind,
            "owner": made.owner,
            "version": 4 if made.kind == "android_access_key" else 1,
            "scopes": [],
            "expires_at": None,
            **made.also,
        }


@pytest.mark.parametrize("name", READERS)
def test_a_key_with_one_character_changed_does_not_verify(
    running: Running, pasted: dict[str, Answer], name: str
) -> None:
    for form in READERS[name](pasted[name].json()).forms:
        for member, value in form.items():
            middle = len(value) // 2
            other = {**form, member: value[:middle] + ("0" if value[middle] != "0" else "1") + value[middle + 1 :]}
            assert Client(running).verify(**other)["valid"] is False


def test_the_version_that_made_room_does_not_verify_any_more(running: Running, pasted: dict[str, Answer]) -> None:
    first, third = (pasted[name].json()["data"] for name in ("Zoho SalesIQ", "Zoho SalesIQ, third"))
    assert [key["version"] for key in first["access_keys"]] == ["2", "1"]
    gone, kept = first["access_keys"][1]["key"], first["access_keys"][0]["key"]
    assert third["access_keys"][-1]["key"] == kept
    assert Client(running).verify(app_key=first["app_key"], access_key=kept)["version"] == 2
    assert Client(running).verify(app_key=first["app_key"], access_key=gone) == {
        **dict.fromkeys(("key_id", "kind", "owner", "version", "scopes", "expires_at")),
        "valid": False,
        "reason": "unknown",
    }


# --- and stops -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READERS)
def test_a_key_stops_at_the_very_next_call_when_it_is_disabled_or_revoked(
    running: Running, pasted: dict[str, Answer], name: str
) -> None:
    client, made = Client(running), READERS[name](pasted[name].json())
    key_id = client.verify(**made.forms[0])["key_id"]

    def change(how: str) -> None:
        assert client.ask("POST", f"/v1/keys/{key_id}/{how}", {}).status == 200

    for how, reason in (("disable", "disabled"), ("enable", None), ("revoke", "revoked")):
        change(how)
        for form in made.forms:
            verdict = client.verify(**form)
            assert (verdict["valid"], verdict["reason"]) == (reason is None, reason)
    assert client.ask("POST", f"/v1/keys/{key_id}/enable", {}).status == 409


def test_a_caller_whose_token_is_disabled_is_refused_by_the_very_next_call(running: Running) -> None:
    owner = {"kind": "operator", "id": "21000000000017"}
    order = {"owner": owner, "scopes": ["keys:verify"]}
    made = Client(running).ask("POST", "/v1/keys", order).json()
    caller = Client(running, made["token"])
    assert caller.verify(token=made["token"])["valid"] is True
    for how, status in (("disable", 401), ("enable", 200), ("revoke", 401)):
        assert Client(running).ask("POST", f"/v1/keys/{made['id']}/{how}", {}).status == 200
        assert caller.ask("POST", "/v1/keys/verify", {"token": made["token"]}).status == status


# --- and expires ---------------------------------------------------------------------------------------------------


def expiring(running: Running, expires_at: datetime) -> dict[str, str]:
    """A key in each dialect whose keys can expire, by its token."""
    client, values = Client(running), running.values
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    rep = {"kind": "support_rep", "id": f"rep-{time.time_ns()}", "name": "Noor Haddad", "role": "SDCoordinator"}
    assert client.ask("POST", "/v1/owners", rep).status == 201
    app = {"kind": "app", "id": values["VOLTMX_APP_ID"]}
    order = {"owner": app, "expires_at": expires_at.isoformat()}
    added = {"appId": values["VOLTMX_APP_ID"], "expiresOn": expires_at.strftime("%m/%d/%Y %H:%M:%S")}
    generated = {
        "apikey": values["SUPPORTCENTER_APIKEY"],
        "supportRep": rep["id"],
        "expiresOn": str(int(expires_at.timestamp() * 1000)),
    }
    claims = form | {"X-VoltMX-Authorization": values["VOLTMX_AUTHORIZATION"]}
    voltmx_key = client.send("POST", "/api/v1/applications/key", claims, urlencode(added).encode())
    rep_key = client.send("POST", "/api/json/generateApiKey", form, urlencode(generated).encode())
    return {
        "native": client.ask("POST", "/v1/keys", order).json()["token"],
        "rep_key": rep_key.json()["response"]["details"]["apikey"],
        "app_api_key": voltmx_key.json()["id"],
    }


def key_of(running: Running, key_id: str) -> Key:
    """As it lies in the table, which no answer shows."""
    committed = json.loads((ROOT / "local/sam-env.json").read_text())["Parameters"]
    session = boto3.Session("administrator", "local", region_name=committed["AWS_REGION"])
    dynamodb = session.client("dynamodb", endpoint_url=running.aws_url, config=Config(proxies={}))
    ref = KeyRef(key_id)
    key = DynamoDBKeyStore(BotoService(dynamodb), committed["KEYWRIGHT_TABLE"]).read(ref)[ref]
    assert key
    return key


def test_a_key_stops_in_the_second_it_expires_and_the_sweep_marks_it(running: Running, built: Built) -> None:
    """Each call is timed around the answer, so that a slow machine proves as much as a fast one. The sweep is the built
    function, started like `sam local invoke`."""
    client = Client(running)
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    tokens = expiring(running, expires_at)
    ids: dict[str, str] = {}
    while tokens:
        for kind, token in list(tokens.items()):
            sent = datetime.now(UTC)
            verdict = client.verify(token=token)
            answered = datetime.now(UTC)
            if verdict["valid"]:
                assert sent < expires_at
                assert (verdict["kind"], verdict["expires_at"]) == (kind, expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
                ids[kind] = verdict["key_id"]
            else:
                assert answered >= expires_at
                assert (verdict["reason"], verdict["key_id"]) == ("expired", ids[kind])
                del tokens[kind]
        time.sleep(0.02)
    assert ids.keys() == {"native", "rep_key", "app_api_key"}, "they were valid before"
    assert [key_of(running, key_id).expiry_marked_at_ms for key_id in ids.values()] == [None, None, None]

    sweep = built.functions["ScheduledSweepExpiredKeys"]
    event = json.loads((ROOT / "events/scheduled/sweep_expired_keys.json").read_text())
    with built.environment(sweep, running.aws_url) as environment:
        first, second = environment.invoke(event), environment.invoke(event)
    assert (first.payload["finished"], first.payload["expired"] >= len(ids)) == (True, True)
    assert (second.payload["finished"], second.payload["expired"]) == (True, 0)
    for key_id in ids.values():
        key = key_of(running, key_id)
        assert key.expiry_marked_at_ms is not None
        assert key.expiry_marked_at_ms >= expires_at.timestamp() * 1000
        assert client.ask("GET", f"/v1/keys/{key_id}").json()["state"] == "expired"

"""The life of a channel's access keys over HTTP: the client fetches its own token, and makes, switches and deletes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import Running
from tests.e2e.gateway_client import Client

BUNDLE = "com.example.kiosks"


class Console:
    """A client of the vendor's endpoints that knows a base URL, a screen name and what its access token is fetched
    with, and nothing of Keywright."""

    def __init__(self, client: Client, values: Mapping[str, str], app_id: str) -> None:
        self._client = client
        self._values = values
        self._base = f"/api/v2/{values['SALESIQ_SCREENNAME']}/apps/{app_id}"
        self._token = ""
        self.refresh()

    def refresh(self) -> None:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._values["SALESIQ_REFRESH_TOKEN"],
            "client_id": self._values["SALESIQ_CLIENT_ID"],
            "client_secret": self._values["SALESIQ_CLIENT_SECRET"],
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._client.send("POST", "/oauth/v2/token", headers, urlencode(form).encode())
        assert (answer.status, answer.content_type) == (200, "application/json")
        body = answer.json()
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
        assert body["access_token"] != self._token
        self._token = body["access_token"]

    def call(self, method: str, tail: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Zoho-oauthtoken {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        sent = None if body is None else json.dumps(body).encode()
        answer = self._client.send(method, self._base + tail, headers, sent)
        assert (answer.status, answer.content_type) == (200, "application/json")
        return answer.json()

    def versions(self) -> list[tuple[str, str]]:
        return switches(self.call("GET", "/channels/ios/accesskeys")["data"])


def switches(access_keys: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(each["version"], each["enabled"]) for each in access_keys]


@pytest.fixture(scope="module")
def client(running: Running) -> Client:
    return Client(running)


@pytest.fixture(scope="module")
def console(client: Client, running: Running) -> Console:
    answer = client.ask("POST", "/v1/owners", {"kind": "app", "name": "Orchard kiosks"})
    assert answer.status == 201
    return Console(client, running.values, answer.json()["id"])


def test_access_keys_live_as_their_vendor_documents(client: Client, console: Console) -> None:
    unknown = {"error": {"message": "Invalid Resource", "code": 1019}}
    assert console.call("GET", "/channels/ios") == unknown

    channel = console.call("POST", "/channels/ios", {"bundle_name": BUNDLE})
    assert (channel["object"], channel["data"]["enabled"]) == ("ios", True)
    app_key = channel["data"]["app_key"]
    keys = {"1": channel["data"]["access_keys"][0]["key"]}

    def verdict(version: str, **more: str) -> Any:
        return client.verify(app_key=app_key, access_key=keys[version], **more)

    assert verdict("1", bundle_name=BUNDLE)["valid"] is True
    assert verdict("1", bundle_name="com.example.other")["reason"] == "owner_not_eligible"

    for number in ("2", "3", "4"):
        data = console.call("POST", "/channels/ios/accesskeys")["data"]
        assert (data["access_keys"][0]["version"], data["app_key"]) == (number, app_key)
        keys[number] = data["access_keys"][0]["key"]
    assert console.versions() == [("4", "true"), ("3", "true"), ("2", "true")]
    assert [verdict(number)["reason"] for number in keys] == ["unknown", None, None, None]

    off = console.call("PUT", "/channels/ios/accesskeys/3", {"enabled": "false"})
    assert (off["object"], switches(off["data"]["access_keys"])[1]) == ("list", ("3", "false"))
    assert verdict("3")["reason"] == "disabled"
    again = console.call("PUT", "/ios/accesskeys/3", {"is_enabled": "true"})
    assert again["url"].endswith("/channels/ios/accesskeys/3")
    assert verdict("3")["valid"] is True

    console.refresh()
    deleted = console.call("DELETE", "/channels/ios/accesskeys/4")
    assert switches(deleted["data"]["access_keys"]) == [("3", "true"), ("2", "true")]
    assert verdict("4")["reason"] == "unknown"
    assert console.call("DELETE", "/channels/ios/accesskeys/4") == unknown
    fifth = console.call("POST", "/channels/ios/accesskeys")["data"]["access_keys"][0]
    assert fifth["version"] == "5"

    assert console.call("PUT", "/channels/ios", {"enabled": False})["data"]["enabled"] is False
    assert verdict("3")["reason"] == "owner_not_eligible"
    assert console.call("GET", "/channels/ios")["data"]["enabled"] == "false"
    assert console.call("PUT", "/channels/ios", {"enabled": True})["data"]["enabled"] is True
    assert verdict("3")["valid"] is True

    for number in ("2", "3", "5"):
        console.call("DELETE", f"/channels/ios/accesskeys/{number}")
    swapped = console.call("GET", "/ios/channels/accesskeys")
    assert (swapped["object"], swapped["data"]) == ("accesskeys", [])
    assert swapped["url"].endswith("/channels/ios/accesskeys")
    assert console.call("GET", "/channels/ios")["data"]["app_key"] == app_key


def test_an_operator_who_leaves_takes_every_access_token_along(client: Client, running: Running) -> None:
    operator = client.ask("POST", "/v1/owners", {"kind": "operator", "name": "Ama"}).json()["id"]
    scopes = ["SalesIQ.apps.READ"]
    owner = {"kind": "operator", "id": operator}
    registered = client.ask("POST", "/v1/keys", {"owner": owner, "kind": "oauth_client", "scopes": scopes}).json()
    order = {"owner": owner, "kind": "refresh_token", "scopes": scopes, "client_id": registered["id"]}
    granted = client.ask("POST", "/v1/keys", order).json()
    values = {
        **running.values,
        "SALESIQ_CLIENT_ID": registered["id"],
        "SALESIQ_CLIENT_SECRET": registered["token"],
        "SALESIQ_REFRESH_TOKEN": granted["token"],
    }
    theirs = Console(client, values, "404")
    assert theirs.call("GET", "/channels/ios")["error"]["code"] == 1019
    assert theirs.call("POST", "/channels/ios/accesskeys")["error"]["code"] == 1009

    assert client.ask("PATCH", f"/v1/owners/operator/{operator}", {"enabled": False}).status == 200

    assert theirs.call("GET", "/channels/ios")["error"]["code"] == 1016
    form = {"grant_type": "refresh_token", "refresh_token": granted["token"]}
    body = urlencode({**form, "client_id": registered["id"], "client_secret": registered["token"]}).encode()
    answer = client.send("POST", "/oauth/v2/token", {"Content-Type": "application/x-www-form-urlencoded"}, body)
    assert (answer.status, answer.json()) == (400, {"error": "invalid_grant"})

"""The life of an App API key over HTTP: added, listed, shown, modified, expired, regenerated, used, deleted."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import Running
from tests.e2e.gateway_client import Client

KEYS = "/api/v1/applications/key"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Console:
    """A client of the vendor's endpoints that knows a base URL and credentials, and nothing of Keywright."""

    def __init__(self, client: Client, headers: Mapping[str, str]) -> None:
        self._client = client
        self._headers = headers

    def call(self, method: str, path: str, **form: str) -> tuple[int, Any]:
        body = urlencode(form).encode() if form else None
        answer = self._client.send(method, path, {**FORM, **self._headers}, body)
        assert answer.content_type == "application/json"
        return answer.status, answer.json()


@pytest.fixture(scope="module")
def client(running: Running) -> Client:
    return Client(running)


@pytest.fixture(scope="module")
def app_id(client: Client) -> str:
    answer = client.ask("POST", "/v1/owners", {"kind": "app", "name": "Orchard kiosks", "published": True})
    assert answer.status == 201
    return str(answer.json()["id"])


@pytest.fixture(scope="module")
def user(client: Client, running: Running) -> Console:
    """An operator, logged in as the vendor's clients do."""
    login = {"userid": running.values["VOLTMX_USERID"], "password": running.values["VOLTMX_PASSWORD"]}
    status, body = Console(client, {}).call("POST", "/authService/accounts/login", **login)
    assert status == 200
    assert body["profile"]["userid"] == running.values["VOLTMX_USERID"]
    assert abs(body["claims_token"]["exp"] / 1000 - time.time() - 3600) < 60
    return Console(client, {"X-VoltMX-Authorization": body["claims_token"]["value"]})


def in_seconds(seconds: int) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%m/%d/%Y %H:%M:%S}"


def test_a_key_lives_as_its_vendor_documents(client: Client, user: Console, app_id: str) -> None:
    status, listed = user.call("GET", f"{KEYS}?appId={app_id}")
    assert (status, listed["result"]) == (400, "No App API keys found")

    status, added = user.call("POST", KEYS, appId=app_id, expiresOn="12/31/2049 23:59:59", description="kiosks")
    assert (status, added["message"]) == (200, "App API key Added successfully")
    key = added["id"]
    assert client.verify(token=key)["valid"] is True

    status, listed = user.call("GET", f"{KEYS}?appId={app_id}")
    [row] = listed["result"]
    assert (status, row["appAPIKey"], row["expiresOn"]) == (200, key, "12/31/2049 23:59:59 UTC")
    assert user.call("GET", f"{KEYS}/{key}") == (200, {"status": 200, "result": row})

    updated = (200, {"id": key, "message": "App API key updated successfully"})
    assert user.call("POST", f"{KEYS}/{key}", neverExpires="true", description="kiosks, north") == updated
    shown = user.call("GET", f"{KEYS}/{key.upper()}")[1]["result"]
    assert (shown["neverExpires"], shown["expiresOn"], shown["description"]) == (True, None, "kiosks, north")

    itself = Console(client, {"X-VoltMX-App-API-Key": key})
    assert itself.call("GET", f"{KEYS}/{key}")[0] == 200
    assert itself.call("POST", f"{KEYS}/{key}", expiresOn=in_seconds(3), neverExpires="false") == updated
    deadline = time.monotonic() + 20
    while client.verify(token=key)["valid"] and time.monotonic() < deadline:
        time.sleep(0.2)
    assert client.verify(token=key)["reason"] == "expired"
    refused = (401, {"id": "", "message": "Invalid X-VoltMX-App-API-Key"})
    assert itself.call("POST", f"{KEYS}/{key}", neverExpires="true") == refused
    assert user.call("GET", f"{KEYS}?appId={app_id}")[1]["result"][0]["appAPIKey"] == key

    missing = (400, {"id": "", "message": "Required data is missing"})
    assert user.call("POST", f"{KEYS}/{key}", description="still expired") == missing
    regenerated = (200, {"id": key, "message": "App API key regenerated successfully"})
    assert user.call("POST", f"{KEYS}/{key}", expiresOn="12/31/2049 23:59:59") == regenerated
    assert client.verify(token=key)["valid"] is True

    kony = Console(client, {"X-Kony-App-API-Key": key})
    assert kony.call("GET", f"{KEYS}?appId={app_id}")[1]["result"][0]["description"] == "kiosks, north"
    unauthorized = (401, {"id": "", "message": "Unauthorized request"})
    assert kony.call("POST", KEYS, appId=app_id, neverExpires="true") == unauthorized
    assert kony.call("DELETE", f"{KEYS}/{key}") == (200, {"id": key, "message": "App API key deleted successfully"})

    gone = (400, {"id": "", "message": "App API key not found for deletion"})
    assert user.call("DELETE", f"{KEYS}/{key}") == gone
    assert client.verify(token=key)["reason"] == "unknown"


def test_a_key_stands_still_while_its_application_is_unpublished(client: Client, user: Console, app_id: str) -> None:
    key = user.call("POST", KEYS, appId=app_id, neverExpires="true")[1]["id"]
    itself = Console(client, {"X-VoltMX-App-API-Key": key})
    client.ask("PATCH", f"/v1/owners/app/{app_id}", {"published": False})

    assert client.verify(token=key)["valid"] is False
    assert itself.call("GET", f"{KEYS}/{key}")[0] == 400
    assert user.call("GET", f"{KEYS}/{key}")[0] == 200
    client.ask("PATCH", f"/v1/owners/app/{app_id}", {"published": True})
    assert client.verify(token=key)["valid"] is True
    assert itself.call("GET", f"{KEYS}/{key}")[0] == 200


def test_an_operator_may_also_come_with_basic(client: Client, running: Running, app_id: str) -> None:
    pair = f"{running.values['VOLTMX_USERID']}:{running.values['VOLTMX_PASSWORD']}"
    basic = Console(client, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})

    status, added = basic.call("POST", KEYS, appId=app_id, neverExpires="true")

    assert status == 200
    assert basic.call("DELETE", f"{KEYS}/{added['id']}")[0] == 200


def test_a_wrong_password_is_told_so(client: Client, running: Running) -> None:
    login = {"userid": running.values["VOLTMX_USERID"], "password": "guessed"}

    assert Console(client, {}).call("POST", "/authService/accounts/login", **login) == (
        401,
        {"id": "", "message": "Authentication fail, Invalid credentials"},
    )

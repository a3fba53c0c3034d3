"""The life of a rep's API key over HTTP: generated, listed, mailed, used, regenerated, deleted; and the rep's login."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import time
import uuid
from email.message import EmailMessage
from email.policy import default
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.conftest import Running, checkout
from tests.e2e.gateway_client import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GUID = re.compile(r"[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12}")


class Desk:
    """A client of the product that knows a base URL and an administrator's key, and nothing of Keywright."""

    def __init__(self, client: Client, apikey: str) -> None:
        self._client, self._apikey = client, apikey

    def json(self, operation: str, **parameters: str) -> Any:
        body = urlencode({"apikey": self._apikey, **parameters}).encode()
        answer = self._client.send("POST", f"/api/json/{operation}", FORM, body)
        assert (answer.status, answer.content_type) == (200, "application/json;charset=UTF-8")
        return answer.json()["response"]

    def xml(self, operation: str, **parameters: str) -> ET.Element:
        headers = {**FORM, "TECHNICIAN_KEY": self._apikey}
        answer = self._client.send("POST", f"/api/xml/{operation}", headers, urlencode(parameters).encode())
        assert (answer.status, answer.content_type) == (200, "text/xml;charset=UTF-8")
        return ET.fromstring(answer.body)  # noqa: S314  our own answer

    def listed(self) -> dict[str, str]:
        return {row["supportRep"]: row["apikey"] for row in self.json("listApiKeys", rowCount="100")["details"]}


@pytest.fixture(scope="module")
def client(running: Running) -> Client:
    """The native API in a tenant of this module's own."""
    order = {
        "id": f"life-{uuid.uuid4().hex[:12]}",
        "name": "Orchard support",
        "operator_name": "Imani",
        "operator_email": "imani@example.com",
    }
    return Client(running, Client(running).ask("POST", "/v1/tenants", order).json()["key"]["token"])


@pytest.fixture(scope="module")
def desk(client: Client) -> Desk:
    for login, name, role in (("priya.rao", "Priya Rao", "SDAdmin"), ("meera.nair", "Meera Nair", "SDCoordinator")):
        order = {"kind": "support_rep", "id": login, "name": name, "role": role, "business_unit": "Retail"}
        assert client.ask("POST", "/v1/owners", order).status == 201
    owner = {"kind": "support_rep", "id": "priya.rao"}
    return Desk(client, client.ask("POST", "/v1/keys", {"owner": owner, "kind": "rep_key"}).json()["token"])


def mails(address: str) -> list[EmailMessage]:
    files = sorted((checkout() / ".local/outbox").glob("*.eml"))
    found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in files]
    return [mail for mail in found if mail["To"] == address]


def is_good(client: Client, apikey: str) -> bool:
    return bool(client.verify(token=apikey)["valid"])


def test_the_whole_life_of_a_key(running: Running, client: Client, desk: Desk) -> None:
    address = f"dev-{uuid.uuid4().hex[:8]}@example.com"

    first = desk.json("generateApiKey", supportRep="meera.nair")["details"]["apikey"]
    assert GUID.fullmatch(first)
    assert desk.listed()["meera.nair"] == first
    assert desk.json("generateApiKey", supportRep="meera.nair")["result"]["statuscode"] == 5109

    assert desk.json("emailApiKey", supportRep="meera.nair", emailId=address)["result"]["status"] == "Success"
    [mail] = mails(address)
    assert (mail["From"], mail["Subject"]) == ("keys@keywright.example", "Your API key")
    assert first in mail.get_content()
    assert "Meera Nair" in mail.get_content()

    second = desk.xml("regenerateApiKey", supportRep="meera.nair", emailId=address).findtext("details/apikey") or ""
    assert GUID.fullmatch(second)
    assert (is_good(client, first), is_good(client, second)) == (False, True)
    assert second in mails(address)[1].get_content()
    assert desk.listed()["meera.nair"] == second

    gone = desk.xml("deleteApiKey", supportRep="meera.nair")
    assert gone.findtext("result/statusmessage") == "API Key deleted successfully."
    assert not is_good(client, second)
    assert "meera.nair" not in desk.listed()
    assert desk.json("deleteApiKey", supportRep="meera.nair")["result"]["statuscode"] == 5110

    third = desk.json("generateApiKey", supportRep="meera.nair")["details"]["apikey"]
    path = "/v1/owners/support_rep/meera.nair"
    assert client.ask("PATCH", path, {"login_enabled": False}).status == 200
    assert not is_good(client, third)
    assert client.ask("PATCH", path, {"login_enabled": True}).status == 200
    assert not is_good(client, third)
    assert desk.json("generateApiKey", supportRep="meera.nair")["result"]["status"] == "Success"


def test_each_mail_has_one_line_on_the_terminal_without_the_key(running: Running, client: Client, desk: Desk) -> None:
    address = f"dev-{uuid.uuid4().hex[:8]}@example.com"
    answer = desk.json("regenerateApiKey", supportRep="meera.nair", emailId=address)

    [mail] = mails(address)
    assert answer["details"]["apikey"] in mail.get_content()
    end = time.monotonic() + 5
    while address not in running.printed and time.monotonic() < end:
        time.sleep(0.05)
    [line] = [line for line in running.printed.splitlines() if address in line]
    assert re.fullmatch(rf"Mail to {re.escape(address)}: \.local/outbox/\d{{8}}-\d{{6}}-\d{{3,}}\.eml", line)
    assert (checkout() / line.partition(": ")[2]).is_file()
    assert answer["details"]["apikey"] not in running.printed
    assert not GUID.search("".join(path.name for path in (checkout() / ".local/outbox").iterdir()))
    assert "Mail is not sent; it lies in .local/outbox" in running.printed


def test_an_address_with_a_line_break_makes_neither_mail_nor_line(running: Running, desk: Desk) -> None:
    before = len(list((checkout() / ".local/outbox").glob("*.eml")))
    long = f"{'a' * 10_000}@example.com"
    for address in ("dev@example.com\r\nBcc: all@example.com", "a@example.com,b@example.com", long):
        refused = desk.json("emailApiKey", supportRep="meera.nair", emailId=address)
        assert refused["result"]["statuscode"] == 5105
    assert len(list((checkout() / ".local/outbox").glob("*.eml"))) == before
    assert "Bcc" not in running.printed


def test_a_service_behind_sends_the_refusal_on_as_it_is(running: Running, client: Client, desk: Desk) -> None:
    """What the service gets for a dead key in a header whose name a WSGI server would lose."""
    apikey = desk.json("regenerateApiKey", supportRep="meera.nair")["details"]["apikey"]
    desk.json("regenerateApiKey", supportRep="meera.nair")
    asked = {"dialect": "supportcenter", "style": "v3", "headers": {"TECHNICIAN_KEY": apikey, "Accept": "*/*"}}

    refusal = client.ask("POST", "/v1/keys/verify", asked).json()["refusal"]

    assert (refusal["status"], refusal["content_type"]) == (401, "application/json;charset=UTF-8")
    [message] = json.loads(refusal["body"])["response_status"]["messages"]
    assert message == {"status_code": 401, "type": "failed", "message": "Invalid Authentication Key"}


def test_the_demo_tenant_has_a_key_to_be_mailed_with_curl(running: Running) -> None:
    assert running.values["SUPPORTCENTER_APIKEY"]
    command = (
        'curl -sX POST "$KEYWRIGHT_URL/api/json/emailApiKey" -d "apikey=$SUPPORTCENTER_APIKEY" '
        "-d supportRep=lea.brun -d emailId=curl@example.com"
    )
    # Not from .local/demo.env, which another gateway of this run may have written over.
    environment = {**os.environ, **running.values}
    done = subprocess.run(["sh", "-c", command], env=environment, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["response"]["result"]["status"] == "Success"
    assert len(mails("curl@example.com")) == 1

"""A key's whole life over HTTP, native and in each vendor's way, on a clock that lets months pass; and the audit, which
tells the same story, record by record."""

from __future__ import annotations

import base64
import email
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.e2e.conftest import Running, checkout, started
from tests.e2e.gateway_client import Client

DAY = 86_400
MINUTE = timedelta(minutes=1)
SWEEP = "by scheduled.sweep_expired_keys"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Calendar:
    """The clock of the running bundle: it goes as every clock does, and `pass_by` moves it ahead besides."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ahead = 0

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def pass_by(self, *, days: float) -> None:
        self._ahead += int(days * DAY)
        beside = self.file.with_suffix(".next")
        beside.write_text(str(self._ahead))
        beside.replace(self.file)

    def in_days(self, days: float) -> str:
        return (self.now + timedelta(days=days)).isoformat(timespec="seconds")


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Calendar:
    return Calendar(tmp_path_factory.mktemp("clock") / "offset")


@pytest.fixture(scope="module")
def running(calendar: Calendar) -> Iterator[Running]:
    """One of this module's own, since nobody else wants a month to be over."""
    environment = {"LOCAL_CLOCK_OFFSET_FILE": str(calendar.file), "SWEEP_SECONDS": "1"}
    with started(folder=checkout("whole-life"), **environment) as running:
        yield running


class House:
    """A tenant of a story's own, its first operator, and what the audit has of it."""

    def __init__(self, running: Running, calendar: Calendar) -> None:
        self.running, self.calendar = running, calendar
        self.tenant = f"life-{uuid.uuid4().hex[:12]}"
        order = {"id": self.tenant, "name": "Orchard", "operator_name": "Imani", "operator_email": "imani@example.com"}
        opened = Client(running).ask("POST", "/v1/tenants", order).json()
        self.operator: str = opened["operator"]["id"]
        self.token: str = opened["key"]["token"]
        self.client = Client(running, self.token)
        founder = Client(running).verify(token=running.values["KEYWRIGHT_OPERATOR_TOKEN"])["key_id"]
        self._names = {self.tenant: "tenant", opened["key"]["id"]: "operator's key", founder: "founder"}

    def ask(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        answer = self.client.send(method, path, given, None if body is None else json.dumps(body).encode())
        assert answer.status == status, answer
        return answer.json() if answer.body else None

    def owner(self, called: str, /, **order: Any) -> str:
        made: str = self.ask("POST", "/v1/owners", order, 201)["id"]
        return self.call(called, made)

    def call(self, name: str, subject: str) -> str:
        self._names[subject] = name
        return subject

    def events(self, **parameters: str) -> list[dict[str, Any]]:
        """All that the audit has, oldest first, page by page."""
        events: list[dict[str, Any]] = []
        after: str | None = ""
        while after is not None:
            asked = {"order": "oldest", "limit": "7", **parameters, **({"after": after} if after else {})}
            page = self.ask("GET", f"/v1/audit?{urlencode(asked)}")
            events += page["events"]
            after = page["next"]
        return events

    def story(self) -> list[tuple[Any, ...]]:
        """The audit's records: type, subject by the name that this story gave it, version, whatever else is said, and
        who did it, unless it was the operator with the token."""
        return [self._told(event) for event in self.events()]

    def _told(self, event: Mapping[str, Any]) -> tuple[Any, ...]:
        more = [event["reason"], event["warning_step_days"], self._names.get(event["link_id"])]
        told = (event["type"], self._names.get(event["subject"], event["subject"]), event["key_version"])
        by = self._names.get(event["actor"], event["actor"])
        return (*told, *(each for each in more if each), *(() if by == "operator's key" else (f"by {by}",)))

    def swept(self, event: str, key_id: str, times: int = 1) -> None:
        """Returns when the sweep has told of it so often."""
        eventually(
            lambda: [each["type"] for each in self.events(key_id=key_id)].count(event) >= times,
            f"{event} of {key_id}",
        )


def eventually(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, f"still waiting for {what}"
        time.sleep(0.1)


@pytest.fixture
def house(running: Running, calendar: Calendar) -> House:
    return House(running, calendar)


# --- a native key --------------------------------------------------------------------------------------------------


def mails(running: Running, address: str) -> list[EmailMessage]:
    files = sorted((running.folder / ".local/outbox").glob("*.eml"))
    found = [email.message_from_bytes(path.read_bytes(), policy=default) for path in files]
    return [mail for mail in found if mail["To"] == address]


def opened(client: Client, address: str) -> tuple[int, str]:
    """What the page behind a link shows when its button is clicked."""
    answer = client.send("POST", "/h/" + address.rpartition("/")[2], {}, b"")
    shown = re.findall("<code>(.+?)</code>", answer.body.decode())
    return answer.status, unescape(shown[0]) if shown else ""


class NativeKey:
    """A native key on its way through its life, phase by phase."""

    def __init__(self, house: House, calendar: Calendar) -> None:
        self.house, self.calendar = house, calendar
        self.contact = f"{house.tenant}@example.com"
        self.app = house.owner("app", kind="app", name="Tills", contact=self.contact)
        self.began = calendar.now
        self.id = self.path = self.first = self.second = ""

    def verdict(self, token: str, **more: str) -> Any:
        return self.house.client.verify(token=token, **more)

    def is_issued_once_though_the_answer_was_lost_twice(self) -> None:
        owner = {"kind": "app", "id": self.app}
        order = {"owner": owner, "scopes": ["orders:read"], "expires_at": self.calendar.in_days(40)}
        answers = [self.house.ask("POST", "/v1/keys", order, 201, **{"Idempotency-Key": '"1"'}) for _ in range(3)]
        assert answers == [answers[0]] * 3
        self.id, self.first = self.house.call("key", answers[0]["id"]), answers[0]["token"]
        self.path = f"/v1/keys/{self.id}"

    def is_used_and_handed_over(self) -> None:
        assert self.verdict(self.first, address="203.0.113.7")["scopes"] == ["orders:read"]
        link = self.house.ask("POST", f"{self.path}/links", {"expires_in": 3600}, 201)
        self.house.call("link", link["id"])
        assert opened(self.house.client, link["url"]) == (200, self.first)
        assert opened(self.house.client, link["url"]) == (410, "")

    def is_rotated_and_both_secrets_work_for_a_week(self) -> None:
        self.calendar.pass_by(days=2)
        rotated = self.house.ask("POST", f"{self.path}/rotate", {"overlap_seconds": 7 * DAY})
        self.second = rotated["token"]
        assert self.second != self.first
        until = rotated["versions"][0]["retires_at"]
        assert abs(datetime.fromisoformat(until) - self.calendar.now - timedelta(days=7)) < MINUTE
        former = self.verdict(self.first, address="203.0.113.8", user_agent="till/1.4")
        assert (former["valid"], former["version"], former["retires_at"]) == (True, 1, until)
        latter = self.verdict(self.second)
        assert (latter["valid"], latter["version"], latter.get("retires_at")) == (True, 2, None)

        def last_used() -> Any:
            return self.house.ask("GET", self.path)["versions"][0]["last_used"]

        eventually(lambda: last_used()["address"] == "203.0.113.8", "the use of the former secret")
        assert last_used()["user_agent"] == "till/1.4"
        assert abs(datetime.fromisoformat(last_used()["at"]) - self.calendar.now) < MINUTE
        self.calendar.pass_by(days=7)
        assert (self.verdict(self.first)["reason"], self.verdict(self.second)["valid"]) == ("unknown", True)
        self.house.swept("version_retired", self.id)

    def is_warned_of_at_each_step_and_expires(self) -> None:
        for told, days in enumerate((1.1, 16, 7, 6), start=1):
            self.calendar.pass_by(days=days)
            self.house.swept("key_expiring", self.id, told)
        self.calendar.pass_by(days=1)
        assert self.verdict(self.second)["reason"] == "expired"
        self.house.swept("key_expired", self.id)
        assert self.house.ask("GET", self.path)["state"] == "expired"
        eventually(lambda: len(mails(self.house.running, self.contact)) >= 4, "four warnings by mail")

    def is_revived_deleted_and_had_back(self) -> None:
        assert self.house.ask("PATCH", self.path, {"expires_at": None})["state"] == "active"
        assert self.verdict(self.second)["valid"] is True
        self.house.ask("DELETE", self.path, status=204)
        self.house.ask("GET", self.path, status=404)
        assert self.verdict(self.second)["reason"] == "unknown"
        self.calendar.pass_by(days=29)
        assert self.house.ask("POST", f"{self.path}/undelete")["state"] == "active"
        assert self.verdict(self.second)["valid"] is True

    def is_revoked_and_a_month_later_purged(self) -> None:
        self.house.ask("POST", f"{self.path}/revoke", {"reason": "left on a train"})
        assert self.verdict(self.second)["reason"] == "revoked"
        self.calendar.pass_by(days=29)
        shown = self.house.ask("GET", self.path)
        assert (shown["state"], shown["revoked_reason"]) == ("revoked", "left on a train")
        self.calendar.pass_by(days=1)
        self.house.swept("key_purged", self.id)
        self.house.ask("GET", self.path, status=404)
        self.house.ask("POST", f"{self.path}/undelete", status=404)
        assert self.verdict(self.second)["reason"] == "unknown"


def test_a_native_key_from_its_issue_to_its_purge(house: House, calendar: Calendar) -> None:
    key = NativeKey(house, calendar)
    key.is_issued_once_though_the_answer_was_lost_twice()
    key.is_used_and_handed_over()
    key.is_rotated_and_both_secrets_work_for_a_week()
    key.is_warned_of_at_each_step_and_expires()
    key.is_revived_deleted_and_had_back()
    key.is_revoked_and_a_month_later_purged()

    assert house.story() == [
        ("tenant_created", "tenant", None, "by founder"),
        ("owner_created", "app", None),
        ("key_issued", "key", 1),
        ("key_revealed", "key", 1),
        ("key_revealed", "key", 1),
        ("link_created", "key", 1, "link"),
        ("link_opened", "key", 1, "link", "by link"),
        ("key_rotated", "key", 2),
        ("version_retired", "key", 1, SWEEP),
        ("key_expiring", "key", 2, 30, SWEEP),
        ("key_expiring", "key", 2, 14, SWEEP),
        ("key_expiring", "key", 2, 7, SWEEP),
        ("key_expiring", "key", 2, 1, SWEEP),
        ("key_refused", "key", 2, "expired"),
        ("key_expired", "key", 2, SWEEP),
        ("key_amended", "key", 2),
        ("key_deleted", "key", 2),
        ("key_undeleted", "key", 2),
        ("key_revoked", "key", 2, "left on a train"),
        ("key_refused", "key", 2, "revoked"),
        ("key_purged", "key", 2, SWEEP),
    ]
    events = house.events(key_id=key.id)
    assert [(datetime.fromisoformat(event["at"]) - key.began).days for event in events] == [
        *(0, 0, 0, 0, 0),
        *(2, 9, 10, 26, 33, 39, 40, 40, 40, 40, 69, 69, 69, 99),
    ]
    of_owner = house.events(owner_kind="app", owner_id=key.app)
    assert of_owner == [event for event in house.events() if event["owner"]["id"] == key.app]
    assert [event for event in of_owner if event["subject"] == key.id] == events
    by_operator = [event for event in house.events() if (event["actor_owner"] or {}).get("id") == house.operator]
    assert house.events(operator=house.operator) == by_operator
    assert house.events(**{"from": events[8]["at"], "to": events[12]["at"]}) == events[8:12]
    assert [event["days_left"] for event in events if event["type"] == "key_expiring"] == [30, 14, 7, 1]
    warnings = [mail.get_content() for mail in mails(house.running, key.contact)]
    assert [re.findall(r"Days left: +(\d+)", text) for text in warnings] == [["30"], ["14"], ["7"], ["1"]]
    assert all(key.id in text and key.first not in text and key.second not in text for text in warnings)
    assert key.first not in house.running.printed
    assert key.second not in house.running.printed


# --- as the vendors document it ------------------------------------------------------------------------------------


def test_access_keys_of_salesiq(house: House) -> None:
    app = house.owner("app", kind="app", name="Kiosks")
    owner = {"kind": "operator", "id": house.operator}
    order = {"owner": owner, "kind": "access_token", "scopes": ["SalesIQ.apps.ALL"]}
    issued = house.ask("POST", "/v1/keys", order, 201)
    house.call("access token", issued["id"])
    headers = {"Authorization": f"Zoho-oauthtoken {issued['token']}", "Content-Type": "application/json"}

    def call(method: str, tail: str = "", body: Any = None) -> Any:
        target = f"/api/v2/{house.tenant}/apps/{app}/channels/ios{tail}"
        answer = house.client.send(method, target, headers, None if body is None else json.dumps(body).encode())
        assert answer.status == 200, answer
        return answer.json()["data"]

    def verdict(secret: str) -> Any:
        return house.client.verify(app_key=app_key, access_key=secret)["reason"]

    channel = call("POST", body={"bundle_name": "com.example.kiosks"})
    app_key, keys = channel["app_key"], [channel["access_keys"][0]["key"]]
    keys += [call("POST", "/accesskeys")["access_keys"][0]["key"] for _ in range(3)]
    assert [verdict(each) for each in keys] == ["unknown", None, None, None]
    assert [each["version"] for each in call("GET", "/accesskeys")] == ["4", "3", "2"]
    call("PUT", "/accesskeys/3", {"enabled": "false"})
    assert verdict(keys[2]) == "disabled"
    call("PUT", "/accesskeys/3", {"enabled": "true"})
    call("DELETE", "/accesskeys/4")
    assert [verdict(each) for each in keys[1:]] == [None, None, "unknown"]
    call("PUT", body={"enabled": False})
    assert verdict(keys[1]) == "owner_not_eligible"
    call("PUT", body={"enabled": True})
    assert verdict(keys[1]) is None

    [channel_key] = {event["subject"] for event in house.events() if event["type"] == "version_issued"}
    [pair] = {event["subject"] for event in house.events() if event["subject"].startswith("pair_")}
    house.call("key", channel_key)
    house.call("app key", pair)
    house.call("channel", f"{app}:ios")

    def shown(*versions: int) -> list[tuple[Any, ...]]:
        """Whatever answers with the keys of a channel shows the half that they share, too."""
        return [("key_revealed", name, n, by) for name, n in (("app key", 1), *(("key", n) for n in versions))]

    by = "by access token"
    assert house.story() == [
        ("tenant_created", "tenant", None, "by founder"),
        ("owner_created", "app", None),
        ("key_issued", "access token", 1),
        ("owner_created", "channel", None, by),
        ("key_issued", "key", 1, by),
        *(*shown(1), ("version_issued", "key", 2, by)),
        *(*shown(1, 2), ("version_issued", "key", 3, by)),
        *(*shown(2, 3), ("version_issued", "key", 4, by)),
        *shown(2, 3, 4)[1:],
        *(*shown(2, 3, 4), ("version_disabled", "key", 3, by)),
        *(*shown(2, 3, 4), ("version_enabled", "key", 3, by)),
        *(*shown(2, 3), ("version_deleted", "key", 4, by)),
        *(*shown(2, 3), ("owner_changed", "channel", None, by)),
        *(*shown(2, 3), ("owner_changed", "channel", None, by)),
    ]


def test_an_api_key_of_supportcenter(house: House, calendar: Calendar) -> None:
    house.owner("Priya", kind="support_rep", id="priya.rao", name="Priya Rao", role="SDAdmin")
    house.owner("Meera", kind="support_rep", id="meera.nair", name="Meera Nair", role="SDCoordinator")
    admin = house.ask("POST", "/v1/keys", {"owner": {"kind": "support_rep", "id": "priya.rao"}, "kind": "rep_key"}, 201)
    house.call("Priya's key", admin["id"])

    def call(operation: str, **parameters: str) -> Any:
        named = {} if operation == "listApiKeys" else {"supportRep": "meera.nair"}
        form = {"apikey": admin["token"], **named, **parameters}
        answer = house.client.send("POST", f"/api/json/{operation}", FORM, urlencode(form).encode())
        said = answer.json()["response"]
        assert said["result"]["status"] == "Success", said
        return said.get("details")

    def verdict(secret: str) -> Any:
        return house.client.verify(token=secret)["reason"]

    def in_days(days: float) -> str:
        return str(int((calendar.now + timedelta(days=days)).timestamp() * 1000))

    address = f"{house.tenant}@example.com"
    keys = [call("generateApiKey")["apikey"]]
    assert [row["apikey"] for row in call("listApiKeys")] == [keys[0], admin["token"]]
    call("emailApiKey", emailId=address)
    keys.append(call("regenerateApiKey")["apikey"])
    assert [verdict(each) for each in keys] == ["unknown", None]
    call("deleteApiKey")
    assert verdict(keys[1]) == "unknown"

    keys.append(call("generateApiKey", expiresOn=in_days(3))["apikey"])
    assert verdict(keys[2]) is None
    calendar.pass_by(days=3)
    assert verdict(keys[2]) == "expired"
    [third] = house.ask("GET", "/v1/keys?owner_kind=support_rep&owner_id=meera.nair")["keys"]
    house.swept("key_expired", third["id"])
    keys.append(call("regenerateApiKey", expiresOn="-1")["apikey"])
    assert [verdict(each) for each in keys[2:]] == ["unknown", None]
    house.ask("PATCH", "/v1/owners/support_rep/meera.nair", {"login_enabled": False})
    assert verdict(keys[3]) == "unknown"
    [mail] = mails(house.running, address)
    assert keys[0] in mail.get_content()

    issued = dict.fromkeys(event["subject"] for event in house.events(owner_kind="support_rep", owner_id="meera.nair"))
    for name, key_id in zip(("key", "next key"), [each for each in issued if each.startswith("key_")], strict=True):
        house.call(name, key_id)
    by = "by Priya's key"
    assert house.story() == [
        ("tenant_created", "tenant", None, "by founder"),
        ("owner_created", "Priya", None),
        ("owner_created", "Meera", None),
        ("key_issued", "Priya's key", 1),
        ("key_issued", "key", 1, by),
        ("key_revealed", "key", 1, by),
        ("key_revealed", "Priya's key", 1, by),
        ("key_revealed", "key", 1, by),
        ("version_issued", "key", 2, by),
        ("key_deleted", "key", 2, by),
        ("key_issued", "next key", 1, by),
        ("key_refused", "next key", 1, "expired"),
        ("key_expired", "next key", 1, SWEEP),
        ("version_issued", "next key", 2, by),
        ("owner_changed", "Meera", None),
        ("key_deleted", "next key", 2),
    ]


def test_keys_of_sunshine(house: House) -> None:
    app = house.owner("app", kind="app", name="Care")
    integration = house.owner("bot", kind="integration", app_id=app, name="Billing bot").rpartition(":")[2]
    order = {"owner": {"kind": "operator", "id": house.operator}, "kind": "account_secret"}
    account = house.ask("POST", "/v1/keys", order, 201)
    house.call("account's key", account["id"])
    basic = base64.b64encode(f"{account['id']}:{account['token']}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}

    def call(method: str, tail: str = "", body: Any = None, status: int = 200) -> Any:
        target = f"/v2/apps/{app}/integrations/{integration}/keys{tail}"
        answer = house.client.send(method, target, headers, None if body is None else json.dumps(body).encode())
        assert answer.status == status, answer
        return answer.json()

    keys = [call("POST", body={"displayName": f"bot {n}"}, status=201)["key"] for n in range(10)]
    for n, key in enumerate(keys):
        house.call(f"key {n}", key["id"])
    call("POST", body={"displayName": "bot 10"}, status=400)
    assert call("GET")["keys"] == keys
    assert call("GET", f"/{keys[0]['id']}")["key"] == keys[0]
    assert house.client.verify(key_id=keys[0]["id"], secret=keys[0]["secret"])["valid"] is True
    assert call("DELETE", f"/{keys[0]['id']}") == {}
    assert house.client.verify(key_id=keys[0]["id"], secret=keys[0]["secret"])["reason"] == "unknown"
    call("GET", f"/{keys[0]['id']}", status=404)
    house.call("key 10", call("POST", body={"displayName": "bot 10"}, status=201)["key"]["id"])

    by = "by account's key"
    assert house.story() == [
        ("tenant_created", "tenant", None, "by founder"),
        ("owner_created", "app", None),
        ("owner_created", "bot", None),
        ("key_issued", "account's key", 1),
        *(("key_issued", f"key {n}", 1, by) for n in range(10)),
        *(("key_revealed", f"key {n}", 1, by) for n in range(10)),
        ("key_revealed", "key 0", 1, by),
        ("key_deleted", "key 0", 1, by),
        ("key_issued", "key 10", 1, by),
    ]


def test_an_app_api_key_of_volt_mx(house: House, calendar: Calendar) -> None:
    app = house.owner("app", kind="app", name="Kiosks", published=True)
    basic = base64.b64encode(f"{house.operator}:{house.token}".encode()).decode()
    headers = {**FORM, "Authorization": f"Basic {basic}"}

    def call(method: str, tail: str = "", **form: str) -> Any:
        target = f"/api/v1/applications/key{tail}"
        answer = house.client.send(method, target, headers, urlencode(form).encode() if form else None)
        assert answer.status == 200, answer
        return answer.json()

    def verdict() -> Any:
        return house.client.verify(token=key)["reason"]

    def in_days(days: float) -> str:
        return f"{calendar.now + timedelta(days=days):%m/%d/%Y %H:%M:%S}"

    key = call("POST", appId=app, neverExpires="true", description="kiosks")["id"]
    [native] = house.ask("GET", f"/v1/keys?owner_kind=app&owner_id={app}")["keys"]
    key_id = house.call("key", native["id"])
    call("POST", f"/{key}", neverExpires="true", description="kiosks, north")
    call("POST", f"/{key}", neverExpires="false", expiresOn=in_days(60))
    assert verdict() is None
    calendar.pass_by(days=60)
    assert verdict() == "expired"
    house.swept("key_expired", key_id)
    calendar.pass_by(days=400)
    assert house.ask("GET", f"/v1/keys/{key_id}")["state"] == "expired"
    assert "regenerated" in call("POST", f"/{key}", expiresOn=in_days(20))["message"]
    assert verdict() is None
    assert call("GET", f"/{key}")["result"]["description"] == "kiosks, north"
    call("DELETE", f"/{key}")
    assert verdict() == "unknown"

    assert house.story() == [
        ("tenant_created", "tenant", None, "by founder"),
        ("owner_created", "app", None),
        ("key_issued", "key", 1),
        ("key_amended", "key", 1),
        ("key_amended", "key", 1),
        ("key_refused", "key", 1, "expired"),
        ("key_expired", "key", 1, SWEEP),
        ("key_amended", "key", 1),
        ("key_deleted", "key", 1),
    ]

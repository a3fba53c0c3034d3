"""The fields of docs/dialects/salesiq.md, each row in what is asked and in every answer that has it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest

from keywright.ports import Desk
from tests.bundle import Bundle
from tests.contract.salesiq.portal import OPERATIONS, PLATFORMS, Portal, assert_refused
from tests.world import World

DEVICE = {"mobileid": "m1", "user_id": "$17", "model": "Pixel", "name": "Visitor 40218"}
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

# --- what is asked -------------------------------------------------------------------------------------------------

ON: Sequence[Any] = ("true", "TRUE", "tRuE", True)
OFF: Sequence[Any] = ("false", "FALSE", "FaLse", False)
TAKEN: dict[str, list[tuple[Any, Any]]] = {
    "Z3": [*((value, "true") for value in ON), *((value, "false") for value in OFF)],
    "Z7": [*((value, True) for value in ON), *((value, False) for value in OFF)],
}
REFUSED: Sequence[Any] = (
    None,
    0,
    1,
    1.0,
    "",
    "yes",
    "1",
    " true",
    "true\n",
    "truth",
    "\uff54rue",
    [],
    [True],
    {"enabled": True},
)
NO_NAMES: Sequence[Any] = (
    None,
    5,
    True,
    ["a"],
    {"a": "b"},
    "",
    " ",
    "a b",
    "a/b",
    "x" * 256,
    "a\n",
    "\x00",
    "a\x7f",
    "ä",
    "a\u2028",
    "\ud800",
)


@pytest.mark.parametrize(
    ("name", "member", "value", "shown"),
    [
        pytest.param(name, member, value, shown, id=f"{OPERATIONS[name].row} {member} {value!r}")
        for name, member, row in (
            ("update_access_key", "enabled", "Z3"),
            ("update_access_key, shortened", "is_enabled", "Z3"),
            ("update_channel", "enabled", "Z7"),
        )
        for value, shown in TAKEN[row]
    ],
)
def test_siq_4_switch_is_taken(opened: Portal, name: str, member: str, value: Any, shown: Any) -> None:
    for kind in PLATFORMS:
        data = opened.ask(name, kind, json_body={member: value}).json()["data"]
        assert shown == (data["enabled"] if name == "update_channel" else data["access_keys"][0]["enabled"])


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        pytest.param(name, member, value, id=f"{OPERATIONS[name].row} {member} {ascii(value)[:20]}")
        for name, member, values in (
            ("update_access_key", "enabled", REFUSED),
            ("update_access_key, shortened", "is_enabled", REFUSED),
            ("update_channel", "enabled", REFUSED),
            ("create_channel", "bundle_name", NO_NAMES),
        )
        for value in values
    ],
)
def test_field_is_refused(untouched: Portal, name: str, member: str, value: Any) -> None:
    assert_refused(untouched.ask(name, json_body={member: value}), 1007, json_key=member)


@pytest.mark.parametrize("name", ["x", "com.example.Orchard_2-beta", "9" * 255], ids=lambda name: f"Z5 {name[:26]}")
def test_bundle_name_is_taken(portal: Portal, name: str) -> None:
    for kind in PLATFORMS:
        assert portal.create_channel(kind, name).json()["data"]["bundle_name"] == name


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("2", None),
        *((number, 1019) for number in ("02", "0", "00", "3", "9" * 400)),
        *((text, 1006) for text in ("2.0", "+2", "two", "%D9%A2")),
    ],
    ids=lambda value: str(value)[:9],
)
@pytest.mark.parametrize("name", ["update_access_key", "update_access_key, shortened", "delete_access_key"])
def test_version_is_digits(opened: Portal, name: str, version: str, code: int | None) -> None:
    opened.create_access_key()
    answer = opened.ask(name, version=version)
    if code is None:
        assert "data" in answer.json()
    else:
        assert_refused(answer, code)


@pytest.mark.parametrize("name", ["create_access_key", "delete_access_key"], ids=["Z1", "Z4"])
def test_siq_9_where_no_body_is_asked_for_one_that_is_sent_is_ignored(opened: Portal, name: str) -> None:
    for kind in PLATFORMS:
        assert "data" in opened.ask(name, kind, body="{not: json", headers=opened.authorization).json()


# --- what is answered ----------------------------------------------------------------------------------------------


@dataclass
class Life:
    """A channel of each kind, after all that can be done with it: every answer by endpoint and kind, in that order."""

    portal: Portal
    began_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    answers: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for kind in PLATFORMS:
            for row, name, request in (
                ("Z5", "create_channel", {"json_body": {"bundle_name": f"com.example.{kind}"}}),
                ("Z1", "create_access_key", {}),
                ("Z3", "update_access_key", {"json_body": {"enabled": "false"}}),
                ("Z7", "update_channel", {"json_body": {"enabled": False}}),
                ("Z6", "get_channel", {}),
                ("Z2", "list_access_keys", {}),
                ("Z4", "delete_access_key", {"version": "2"}),
            ):
                self.answers[row, kind] = self.portal.ask(name, kind, **request).json()

    def channels(self, kind: str | None = None) -> Iterator[tuple[str, str, Any]]:
        """Endpoint, kind and the channel, of all answers that show one, in the order in which they were given."""
        for (row, of), body in self.answers.items():
            if row != "Z2" and kind in (None, of):
                yield row, of, body["data"]

    def access_keys(self) -> Iterator[tuple[str, str, Any]]:
        """Endpoint, kind and an access key, of all answers."""
        for (row, kind), body in self.answers.items():
            for each in body["data"] if row == "Z2" else body["data"]["access_keys"]:
                yield row, kind, each


@pytest.fixture(scope="module")
def life(bundle: Bundle, admin: Desk) -> Life:
    return Life(Portal(bundle, World(admin)))


def url(life: Life) -> None:
    for (row, kind), body in life.answers.items():
        base = life.portal.path(kind)
        assert body["url"] == base + {
            "Z1": "/accesskeys", "Z2": "/accesskeys", "Z3": "/accesskeys/1", "Z4": "/accesskeys/2",
        }.get(row, "")  # fmt: skip


def object_(life: Life) -> None:
    for (row, kind), body in life.answers.items():
        assert body["object"] == {"Z1": "list", "Z3": "list", "Z4": "list", "Z2": "accesskeys"}.get(row, kind)


def version(life: Life) -> None:
    assert {each["version"] for _, _, each in life.access_keys()} == {"1", "2"}


def newest_first(life: Life) -> None:
    for (row, _), body in life.answers.items():
        numbers = [each["version"] for each in (body["data"] if row == "Z2" else body["data"]["access_keys"])]
        assert numbers == {"Z5": ["1"], "Z4": ["1"]}.get(row, ["2", "1"])


def enabled_of_a_key(life: Life) -> None:
    off = {row: False if row in {"Z5", "Z7"} else "false" for row in OPERATION_ROWS}
    on = {row: True if row in {"Z5", "Z7"} else "true" for row in OPERATION_ROWS}
    for row, _, each in life.access_keys():
        is_off = each["version"] == "1" and row not in {"Z5", "Z1"}
        assert each["enabled"] == (off if is_off else on)[row]


def enabled_of_the_channel(life: Life) -> None:
    for row, _, data in life.channels():
        shown = {"Z5": True, "Z7": False, "Z6": "false"}
        assert data.get("enabled") == shown.get(row)
        assert type(data.get("enabled")) is type(shown.get(row))


def created_time(life: Life) -> None:
    now_ms = int(time.time() * 1000)
    for kind in PLATFORMS:
        channels = [data for _, _, data in life.channels(kind)]
        assert len({data["created_time"] for data in channels}) == 1
        assert all(life.began_ms <= int(data["created_time"]) <= now_ms for data in channels)
    for _, _, each in life.access_keys():
        assert re.fullmatch("[0-9]{13}", each["created_time"])


def modified_time(life: Life) -> None:
    for kind in PLATFORMS:
        by_row = {row: data for row, _, data in life.channels(kind)}
        assert by_row["Z5"]["modified_time"] == by_row["Z5"]["created_time"]
        assert by_row["Z1"]["modified_time"] == by_row["Z1"]["access_keys"][0]["created_time"]
        moments = [int(by_row[row]["modified_time"]) for row in ("Z5", "Z1", "Z3", "Z7", "Z4")]
        assert moments == sorted(set(moments))
        assert by_row["Z6"]["modified_time"] == by_row["Z7"]["modified_time"]


def creator(life: Life) -> None:
    behind = {"name": "Patricia", "id": life.portal.operator.id}
    assert behind["id"].isdecimal()
    assert all(each["creator"] == behind for _, _, each in (*life.channels(), *life.access_keys()))


def uuid(life: Life) -> None:
    assert all(re.fullmatch(UUID4, each["uuid"]) for _, _, each in life.access_keys())
    assert len({each["uuid"] for _, _, each in life.access_keys()}) == 4
    assert len({(kind, each["version"], each["uuid"]) for _, kind, each in life.access_keys()}) == 4


def key(life: Life) -> None:
    for _, kind, each in life.access_keys():
        size, characters, padding = {"android": (112, 152, "=="), "ios": (120, 160, "")}[kind]
        decoded = unquote(each["key"])
        assert len(base64.b64decode(decoded, validate=True)) == size
        assert len(decoded) == characters
        assert decoded.endswith(padding)
        assert not set(each["key"]) & set("/+=")
    assert len({each["key"] for _, _, each in life.access_keys()}) == 4


def app_key(life: Life) -> None:
    (shared,) = {data["app_key"] for _, _, data in life.channels()}
    assert re.fullmatch("[0-9A-Za-z]{64}", shared)


def code(life: Life) -> None:
    codes = {(kind, data["code"]) for _, kind, data in life.channels()}
    assert len(codes) == len({each for _, each in codes}) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", each) for _, each in codes)


def bundle_id(life: Life) -> None:
    ids = {(kind, data["bundle_id"]) for _, kind, data in life.channels()}
    assert len(ids) == len({each for _, each in ids}) == 2
    assert all(each.isdecimal() for _, each in ids)


def bundle_name(life: Life) -> None:
    assert all(data["bundle_name"] == f"com.example.{kind}" for _, kind, data in life.channels())


def app_name(life: Life) -> None:
    assert {data["app_name"] for _, _, data in life.channels()} == {"Eleven"}


def components(life: Life) -> None:
    assert all(data["components"] == ["proactive", "chat", "faq", "call"] for _, _, data in life.channels())


def notifications(life: Life) -> None:
    for _, kind, data in life.channels():
        assert data.get("notifications") == ({"password": "", "enabled": "false"} if kind == "android" else None)
        assert ("notifications" in data) is (kind == "android")


def sandbox_notifications(life: Life) -> None:
    for _, kind, data in life.channels():
        assert ("sandbox_notifications" in data) is (kind == "ios")
        if kind == "ios":
            nothing: dict[str, Any] = {"certificate": "", "password": "", "enabled": "false", "test_devices": []}
            assert data["sandbox_notifications"] == nothing


def devices(life: Life) -> None:
    for _, kind, data in life.channels():
        assert data.get("test_devices") == ({"production": []} if kind == "android" else None)


OPERATION_ROWS = [f"Z{number}" for number in range(1, 8)]
FIELDS: dict[str, Callable[[Life], None]] = {
    "url: path of the request, no host, no query": url,
    "object: list, accesskeys or the kind": object_,
    "version: decimal string from 1": version,
    "version: newest first": newest_first,
    "enabled of a key: string, boolean in Z5 and Z7": enabled_of_a_key,
    "enabled of the channel: boolean in Z5 and Z7, string in Z6, else not shown": enabled_of_the_channel,
    "created_time: string of epoch milliseconds": created_time,
    "modified_time: moved by every change, set by a create": modified_time,
    "creator: the operator behind the token": creator,
    "uuid: lower-case UUID v4, one per key": uuid,
    "key: SIQ-7, android 112 bytes, ios 120, percent-encoded": key,
    "app_key: SIQ-7, 64 of 0-9A-Za-z, one per app": app_key,
    "code: SIQ-7, 64 lower-case hex, fixed": code,
    "bundle_id: digits, assigned with the channel": bundle_id,
    "bundle_name: as it was given": bundle_name,
    "app_name: the app's": app_name,
    "components: all four by default": components,
    "notifications: of android": notifications,
    "sandbox_notifications: of ios": sandbox_notifications,
    "test_devices.production: of android, empty by default": devices,
}


@pytest.mark.parametrize("holds", FIELDS.values(), ids=FIELDS)
def test_field(life: Life, holds: Callable[[Life], None]) -> None:
    holds(life)


@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize(
    ("name", "row"), [(name, each.row) for name, each in OPERATIONS.items() if not each.row.startswith(("Z2", "Z5"))]
)
def test_siq_9_attributes_that_the_native_api_sets_are_shown(opened: Portal, name: str, row: str, kind: str) -> None:
    """`components`, `notifications` and `test_devices`, in every answer that shows the channel."""
    told = {"enabled": True} if kind == "android" else {"enabled": True, "certificate": "orchard.p12"}
    opened.change("channel", f"{opened.app.id}:{kind}", components=["faq"], notifications=told, test_devices=[DEVICE])
    opened.change("channel", f"{opened.app.id}:{kind}", notifications={"enabled": True})
    data = opened.ask(name, kind).json()["data"]
    assert data["components"] == ["faq"]
    if kind == "android":
        assert data["notifications"] == {"password": "", "enabled": "true"}
        assert data["test_devices"] == {"production": [DEVICE]}
    else:
        shown = {"certificate": "orchard.p12", "password": "", "enabled": "true", "test_devices": [DEVICE]}
        assert data["sandbox_notifications"] == shown

"""The endpoints Z1 to Z7 of docs/dialects/salesiq.md: each row, at each of its addresses, for android and ios."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from keywright.model import Platform
from tests.contract.salesiq.portal import OPERATIONS, PLATFORMS, Portal, assert_refused, shape

CREATOR = {"name": str, "id": str}


def access_key(switch: type) -> dict[str, Any]:
    return {"version": str, "enabled": switch, "key": str, "uuid": str, "creator": CREATOR, "created_time": str}


def channel(kind: str, switch: type, *, shows_its_own: bool) -> dict[str, Any]:
    """Names, types and order as the vendor's samples have them: rest-api-app-create-access-key.html and
    rest-api-app-ios-create-access-key.html, with the channel's own switch in front where it is shown."""
    own = {"enabled": switch} if shows_its_own else {}
    told: dict[str, Any] = {"password": str, "enabled": str}
    devices: dict[str, Any] = {"production": []}
    notified = (
        {"notifications": told}
        if kind == "android"
        else {"sandbox_notifications": {"certificate": str, **told, "test_devices": []}}
    )
    return {
        **own,
        "modified_time": str,
        "creator": CREATOR,
        "app_key": str,
        "access_keys": [access_key(switch)],
        "bundle_name": str,
        "components": [str],
        "created_time": str,
        **notified,
        "bundle_id": str,
        "code": str,
        "app_name": str,
        **({"test_devices": devices} if kind == "android" else {}),
    }


class Row(NamedTuple):
    """`{app}` is ``/api/v2/{screenname}/apps/{appId}``, `url` what the answer calls itself, `object` what it calls its
    `data`; `switch` is the type of `enabled`. `shows`: whether the channel's own switch is there; None: the bare list.
    """

    method: str
    path: str
    scope: str
    body: Any
    url: str
    object: str
    switch: type
    shows: bool | None


BASE = "{app}/channels/{kind}"
ROWS = {
    "Z1 create key": Row(
        "POST", f"{BASE}/accesskeys", "SalesIQ.apps.CREATE", None, f"{BASE}/accesskeys", "list", str, False
    ),
    "Z2 list keys": Row(
        "GET", f"{BASE}/accesskeys", "SalesIQ.apps.READ", None, f"{BASE}/accesskeys", "accesskeys", str, None
    ),
    "Z2 list keys, SIQ-5 two parts of the address swapped": Row(
        "GET",
        "{app}/{kind}/channels/accesskeys",
        "SalesIQ.apps.READ",
        None,
        f"{BASE}/accesskeys",
        "accesskeys",
        str,
        None,
    ),
    "Z3 enable, disable": Row(
        "PUT",
        f"{BASE}/accesskeys/2",
        "SalesIQ.apps.UPDATE",
        {"enabled": "false"},
        f"{BASE}/accesskeys/2",
        "list",
        str,
        False,
    ),
    "Z3 enable, disable, SIQ-5 the shortened address with is_enabled": Row(
        "PUT",
        "{app}/{kind}/accesskeys/2",
        "SalesIQ.apps.UPDATE",
        {"is_enabled": "false"},
        f"{BASE}/accesskeys/2",
        "list",
        str,
        False,
    ),
    "Z4 delete key": Row(
        "DELETE", f"{BASE}/accesskeys/2", "SalesIQ.apps.DELETE", None, f"{BASE}/accesskeys/2", "list", str, False
    ),
    "Z5 create channel": Row(
        "POST", BASE, "SalesIQ.apps.CREATE", {"bundle_name": "com.mobile.zylker"}, BASE, "{kind}", bool, True
    ),
    "Z6 read channel": Row("GET", BASE, "SalesIQ.apps.READ", None, BASE, "{kind}", str, True),
    "Z7 switch channel": Row("PUT", BASE, "SalesIQ.apps.UPDATE", {"enabled": False}, BASE, "{kind}", bool, True),
}


def test_every_endpoint_is_a_row() -> None:
    served = {(each.method, each.tail.format(kind="ios", version="2"), each.scope) for each in OPERATIONS.values()}
    assert served == {
        (row.method, row.path.format(app="", kind="ios"), row.scope.removeprefix("SalesIQ.apps."))
        for row in ROWS.values()
    }


@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_endpoint_answers_with_its_body_to_its_scope_alone(portal: Portal, row: Row, kind: str) -> None:
    if row.body is None or "bundle_name" not in row.body:
        portal.open_channel(Platform(kind))
        portal.create_access_key(kind)
    app = f"/api/v2/{portal.world.tenant}/apps/{portal.app.id}"
    path = row.path.format(app=app, kind=kind)
    every = {f"SalesIQ.apps.{each}" for each in ("CREATE", "READ", "UPDATE", "DELETE")}

    portal.token = portal.world.access_token(*sorted(every - {row.scope}), operator=portal.operator)
    assert_refused(portal.bundle.request(row.method, path, portal.authorization, json_body=row.body), 1009)
    portal.token = portal.world.access_token(row.scope, operator=portal.operator)
    answer = portal.bundle.request(row.method, path, portal.authorization, json_body=row.body)

    expected = [access_key(str)] if row.shows is None else channel(kind, row.switch, shows_its_own=row.shows)
    body = answer.json()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert shape(body) == {"url": str, "object": str, "data": expected}
    assert list(body) == ["url", "object", "data"]
    assert in_order(body["data"], expected)
    assert body["url"] == row.url.format(app=app, kind=kind)
    assert body["object"] == row.object.format(kind=kind)


def in_order(value: Any, expected: Any) -> bool:
    """Whether the members of every object stand in that order."""
    if isinstance(expected, list):
        return all(in_order(each, expected[0]) for each in value)
    if isinstance(expected, dict):
        return list(value) == list(expected) and all(in_order(value[name], each) for name, each in expected.items())
    return True


@pytest.mark.parametrize(
    ("method", "tail"),
    [("POST", "accesskeys/1/regenerate"), ("PUT", "accesskeys"), ("GET", "accesskeys/1"), ("GET", "components")],
    ids=["no regenerate", "no regenerate of all", "no single-key GET", "SIQ-9 no components"],
)
def test_what_the_vendor_does_not_document_or_we_do_not_serve_is_not_there(
    untouched: Portal, method: str, tail: str
) -> None:
    code = {"accesskeys/1/regenerate": 1006, "components": 1006}.get(tail, 1004)
    answer = untouched.bundle.request(method, f"{untouched.path()}/{tail}", untouched.authorization)
    assert_refused(answer, code)


def test_siq_9_z2_has_no_paging_and_no_sync_time(opened: Portal) -> None:
    for _ in range(2):
        opened.create_access_key()
    path = f"{opened.path(keys=True)}?limit=1&index=2&page=2"
    body = opened.bundle.request("GET", path, opened.authorization).json()
    assert body.keys() == {"url", "object", "data"}
    assert len(body["data"]) == 3

"""The error table of docs/dialects/salesiq.md: each code, for each cause, from each endpoint Z1 to Z7 that has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from keywright import errors
from keywright.dialects.salesiq import credentials
from keywright.model import KeyKind, OwnerRef, Platform
from keywright.ports import Desk
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.salesiq.portal import MESSAGES, OPERATIONS, PLATFORMS, WRITES, Operation, Portal, assert_refused
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Asked:
    """A sound request of one endpoint, of which a cause spoils one thing."""

    portal: Portal
    operation: Operation
    kind: str
    app: str
    of: str
    token: str
    version: str = "1"
    method: str = ""
    tail: str = ""
    authorization: str | None = "Zoho-oauthtoken {token}"
    content_type: str | None = "application/json"
    body: str | None = None

    def send(self) -> Answer:
        headers = {}
        if self.authorization is not None:
            headers["Authorization"] = self.authorization.format(token=self.token)
        body = self.body
        if body is None and self.operation.takes_a_body:
            body = json.dumps(self.operation.body)
        if self.content_type is not None and (self.operation.takes_a_body or body):
            headers["Content-Type"] = self.content_type
        path = f"/api/v2/{self.of}/apps/{self.app}" + (self.tail or self.operation.tail).format(
            kind=self.kind, version=self.version
        )
        return self.portal.bundle.request(self.method or self.operation.method, path, headers, body)


class Town:
    """Three portals for all tests here, since nothing that is refused changes anything: one whose app has both
    channels, of each access keys 2, 3 and 5 (1 evicted, 4 deleted); another tenant's; and the first one's other app,
    which has no channel yet."""

    def __init__(self, bundle: Bundle, admin: Desk) -> None:
        self.portal, self.abroad = Portal(bundle, World(admin)), Portal(bundle, World(admin))
        self.bare = self.portal.world.app("Bare")
        for kind in PLATFORMS:
            self.portal.open_channel(Platform(kind))
            for _ in range(3):
                self.portal.create_access_key(kind)
            self.portal.ask("delete_access_key", kind, version="4")
            self.portal.create_access_key(kind)
        self.abroad.open_channel(Platform.ANDROID)
        self.abroad.open_channel(Platform.IOS)

    def asked(self, operation: Operation, kind: str) -> Asked:
        creates = operation.row == "Z5"
        app = self.bare.id if creates else self.portal.app.id
        return Asked(self.portal, operation, kind, app, self.portal.world.tenant, self.portal.token, version="5")

    def token(self, **state: Any) -> str:
        world = self.portal.world
        scopes = state.pop("scopes", ("SalesIQ.apps.ALL",))
        issued = world.issue(KeyKind.ACCESS_TOKEN, self.portal.operator.ref, scopes=scopes)
        if state:
            world.overwrite(issued.key, **state)
        return issued.token.reveal()

    def token_of_a_disabled_operator(self) -> str:
        operator = self.portal.world.add_operator()
        token = self.portal.world.access_token("SalesIQ.apps.ALL", operator=operator)
        self.portal.change("operator", operator.id, enabled=False)
        return token

    def token_of_an_operator_who_is_gone(self) -> str:
        world = self.portal.world
        issued = world.issue(KeyKind.ACCESS_TOKEN, self.portal.operator.ref, scopes=("SalesIQ.apps.ALL",))
        world.overwrite(issued.key, owner=OwnerRef(world.tenant, self.portal.operator.kind, "9" * 14))
        return issued.token.reveal()


@pytest.fixture(scope="module")
def town(bundle: Bundle, admin: Desk) -> Town:
    return Town(bundle, admin)


Spoil = Callable[[Town, Asked], Asked]
Where = Callable[[Operation], bool]


def everywhere(_: Operation) -> bool:
    return True


def with_a_body(operation: Operation) -> bool:
    return operation.takes_a_body


def with_a_version(operation: Operation) -> bool:
    return "{version}" in operation.tail


def of_a_channel(operation: Operation) -> bool:
    return operation.row != "Z5"


def making_a_channel(operation: Operation) -> bool:
    return operation.row == "Z5"


def field_of(asked: Asked) -> str:
    return str(next(iter(asked.operation.body)))


def spoiled(**changes: Any) -> Spoil:
    return lambda _, asked: replace(asked, **changes)


def with_member(value: Any) -> Spoil:
    return lambda _, asked: replace(asked, body=json.dumps({field_of(asked): value}))


def unknown_member(_: Town, asked: Asked) -> Asked:
    return replace(asked, body=json.dumps({**asked.operation.body, "colour": "red"}))


def other_method(_: Town, asked: Asked) -> Asked:
    return replace(asked, method="PATCH")


FIELD = {"json_key": "{field}"}
CAUSES: dict[str, tuple[Spoil, Where, Mapping[str, str]]] = {
    "1002 header absent": (spoiled(authorization=None), everywhere, {}),
    "1002 not Zoho-oauthtoken": (spoiled(authorization="Bearer {token}"), everywhere, {}),
    "1002 more than one token": (spoiled(authorization="Zoho-oauthtoken {token} {token}"), everywhere, {}),
    "1004 known path, wrong method": (other_method, everywhere, {}),
    "1005 screen name unknown": (spoiled(of="no-such-portal"), everywhere, {}),
    "1005 not the token's portal": (
        lambda town, asked: replace(asked, of=town.abroad.world.tenant, app=town.abroad.app.id),
        everywhere,
        {},
    ),
    "1006 unknown path": (
        lambda _, asked: replace(asked, tail=f"{asked.operation.tail}/more/and/more"),
        everywhere,
        {},
    ),
    "1006 version not digits": (spoiled(version="5a"), with_a_version, {}),
    "1006 app id not digits": (spoiled(app="orchard"), everywhere, {}),
    "1006 other kind": (spoiled(kind="windows"), everywhere, {}),
    "1007 field of wrong type": (with_member(["true"]), with_a_body, FIELD),
    "1007 field of wrong value": (with_member("not so!"), with_a_body, FIELD),
    "1007 field unknown": (unknown_member, with_a_body, {"json_key": "colour"}),
    "1008 token unknown": (spoiled(token=f"1000.{'0' * 32}.{'0' * 32}"), everywhere, {}),
    "1008 token expired": (lambda town, asked: replace(asked, token=town.token(expires_at_ms=1)), everywhere, {}),
    "1008 token revoked": (lambda town, asked: replace(asked, token=town.token(revoked_at_ms=1)), everywhere, {}),
    "1009 token lacks the scope": (
        lambda town, asked: replace(asked, token=town.token(scopes=("SalesIQ.webhooks.ALL",))),
        everywhere,
        {},
    ),
    "1014 channel exists": (lambda town, asked: replace(asked, app=town.portal.app.id), making_a_channel, {}),
    "1015 body absent": (spoiled(body=""), with_a_body, {}),
    "1015 body not JSON": (spoiled(body="enabled=true"), with_a_body, {}),
    "1015 field missing": (spoiled(body="{}"), with_a_body, FIELD),
    "1016 operator disabled": (
        lambda town, asked: replace(asked, token=town.token_of_a_disabled_operator()),
        everywhere,
        {},
    ),
    "1016 operator out of the portal": (
        lambda town, asked: replace(asked, token=town.token_of_an_operator_who_is_gone()),
        everywhere,
        {},
    ),
    "1019 app unknown": (spoiled(app="404"), everywhere, {}),
    "1019 app of more digits than any has": (spoiled(app="9" * 3000), everywhere, {}),
    "1019 app of another portal": (lambda town, asked: replace(asked, app=town.abroad.app.id), everywhere, {}),
    "1019 channel unknown": (lambda town, asked: replace(asked, app=town.bare.id), of_a_channel, {}),
    "1019 version unknown": (spoiled(version="6"), with_a_version, {}),
    "1019 version of more digits than any has": (spoiled(version="9" * 3000), with_a_version, {}),
    "1019 version evicted": (spoiled(version="1"), with_a_version, {}),
    "1019 version deleted": (spoiled(version="4"), with_a_version, {}),
    "1054 body not application/json": (
        spoiled(content_type="text/plain"),
        with_a_body,
        {"header": "content-type"},
    ),
}
OURS = {"1001 our fault", "1001 unable for the moment", "1023 throttled"}
"""Those that no request brings about."""


def cases() -> Iterator[Any]:
    for name, cause in CAUSES.items():
        for operation in OPERATIONS.values():
            if cause[1](operation):
                yield pytest.param(name, operation, id=f"{name}-{operation.row}")


@pytest.mark.parametrize(("name", "operation"), [*cases()])
def test_error(town: Town, name: str, operation: Operation) -> None:
    spoil, _, culprit = CAUSES[name]
    for kind in PLATFORMS:
        asked = spoil(town, town.asked(operation, kind))
        field = field_of(asked) if operation.takes_a_body else ""
        assert_refused(asked.send(), int(name[:4]), **{key: text.format(field=field) for key, text in culprit.items()})


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: f"1001 our fault-{operation.row}")
def test_our_own_fault(town: Town, stack: Stack, monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    broken = Fault(error("ValidationException", text="what nobody should read"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: broken if call.operation == "GetItem" else None)
    answer = town.asked(operation, "android").send()
    assert_refused(answer, 1001)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize(
    "operation", OPERATIONS.values(), ids=lambda operation: f"1001 unable for the moment-{operation.row}"
)
def test_unable_for_the_moment(town: Town, stack: Stack, monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    down = Fault(error("DisabledException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.service == "kms" else None)
    answer = town.asked(operation, "ios").send()
    assert answer.json() == {"error": {"message": MESSAGES[1001], "code": 1001}}
    assert (answer.status, answer.headers["retry-after"]) == (200, "1")
    assert not (WRITES - {"Encrypt"}) & set(answer.calls)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: f"1023 throttled-{operation.row}")
def test_throttled(town: Town, monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    """Whoever says so. It comes before all that could be said of the credentials, which are wrong here."""

    def too_often(*_: object) -> None:
        raise errors.TooManyRequests(retry_after_seconds=7)

    monkeypatch.setattr(credentials, "authenticate", too_often)
    answer = replace(town.asked(operation, "ios"), authorization=None).send()
    assert_refused(answer, 1023)
    assert answer.headers["retry-after"] == "7"


def test_a_sound_request_would_have_succeeded(town: Town) -> None:
    """So each refusal above is due to what was spoiled."""
    for operation in OPERATIONS.values():
        if operation.method == "GET" or operation.row.startswith("Z3"):
            assert "data" in town.asked(operation, "ios").send().json()


def test_every_code_of_the_page_and_no_other_is_a_row() -> None:
    codes = {int(name[:4]) for name in (*CAUSES, *OURS)}
    documented = (ROOT / "docs/dialects/salesiq.md").read_text().partition("## Errors")[2].partition("## Callers")[0]
    assert codes == set(MESSAGES) == {int(code) for code in re.findall(r"\n\|[ \d]*\| (\d{4}) \|", documented)}

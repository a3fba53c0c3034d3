"""The refusals of docs/dialects/supportcenter.md: each status code, each cause, from each of P1 to P5 that has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from keywright import errors
from keywright.dialects.supportcenter import credentials
from keywright.issuing import Issued
from keywright.ports import Desk, SaveOwner
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.loss import lose
from tests.contract.supportcenter.administrator import MESSAGES, UNKNOWN_KEY, WRITES, Administrator
from tests.contract.supportcenter.conftest import Refuse
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
OPERATIONS = {
    "P1": "generateApiKey",
    "P2": "listApiKeys",
    "P3": "emailApiKey",
    "P4": "regenerateApiKey",
    "P5": "deleteApiKey",
}
FORMS = ("json", "xml")
ADDRESS = "dev@example.com"


@dataclass(frozen=True)
class Asked:
    """A sound request of one operation, of which a cause spoils one thing."""

    bundle: Bundle
    row: str
    apikey: str | None
    parameters: dict[str, str]
    method: str = "POST"
    operation: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def naming(self, **parameters: str) -> Asked:
        return replace(self, parameters={**self.parameters, **parameters})

    def without(self, parameter: str) -> Asked:
        return replace(self, parameters={name: each for name, each in self.parameters.items() if name != parameter})

    def send(self, form: str) -> Answer:
        path = f"/api/{form}/{self.operation or OPERATIONS[self.row]}"
        if self.body is not None:
            return self.bundle.request(self.method, path, self.headers, self.body)
        caller = {} if self.apikey is None else {"apikey": self.apikey}
        return self.bundle.request(self.method, path, self.headers, form={**caller, **self.parameters})


class Centre:
    """One tenant for all tests here in which nothing is changed, with reps in every state, and another tenant."""

    def __init__(self, bundle: Bundle, admin: Desk) -> None:
        world, abroad = World(admin), World(admin)
        self.bundle, self.world = bundle, world
        self.administrator = self.key_of("priya.rao")
        self.key_of("meera.nair")
        self.world.expire(self.key_of("has.expired").key)
        world.rep("lea.brun")
        world.rep("no.login", login_enabled=False)
        world.rep("no.role", role=None)
        abroad.rep("from.abroad")

    def key_of(self, login: str, **attributes: Any) -> Issued:
        rep = self.world.rep(login, **attributes)
        return Administrator(self.bundle, self.world, rep, None).key_of(rep)  # type: ignore[arg-type]

    def asked(self, row: str) -> Asked:
        parameters = {
            "P1": {"supportRep": "lea.brun"},
            "P2": {},
            "P3": {"supportRep": "meera.nair", "emailId": ADDRESS},
        }.get(row, {"supportRep": "meera.nair"})
        return Asked(self.bundle, row, self.administrator.token.reveal(), parameters)

    def former_key(self, deed: str) -> str:
        """The key of an administrator to whom that was done."""
        login = f"former.{deed.replace(' ', '.')}.{len(self.bundle.calls())}"
        issued = self.key_of(login)
        world, token = self.world, issued.token.reveal()
        path = f"/v1/owners/support_rep/{login}"
        match deed:
            case "deleted":
                self.asked("P5").naming(supportRep=login).send("json")
            case "replaced":
                self.asked("P4").naming(supportRep=login).send("json")
            case "expired":
                world.expire(issued.key)
            case "login disabled":
                self.bundle.request("PATCH", path, world.bearer, json_body={"login_enabled": False})
            case "rep deleted":
                self.bundle.request("DELETE", path, world.bearer)
        return token


@pytest.fixture(scope="module")
def centre(bundle: Bundle, admin: Desk) -> Centre:
    return Centre(bundle, admin)


Spoil = Callable[[Centre, Asked], Asked]
EVERY = ("P1", "P2", "P3", "P4", "P5")
OF_A_REP = ("P1", "P3", "P4", "P5")
MAILING = ("P1", "P3", "P4")
DATED = ("P1", "P4")


def as_caller(apikey: str | None) -> Spoil:
    return lambda _, asked: replace(asked, apikey=apikey)


def as_former(deed: str) -> Spoil:
    return lambda centre, asked: replace(asked, apikey=centre.former_key(deed))


def naming(**parameters: str) -> Spoil:
    return lambda _, asked: asked.naming(**parameters)


def without(parameter: str) -> Spoil:
    return lambda _, asked: asked.without(parameter)


def with_body(content_type: str, body: bytes) -> Spoil:
    return lambda centre, asked: replace(
        asked, body=body, headers={"authtoken": centre.administrator.token.reveal(), "Content-Type": content_type}
    )


def disagreeing(_: Centre, asked: Asked) -> Asked:
    return replace(asked, headers={"authtoken": UNKNOWN_KEY})


def as_coordinator(centre: Centre, asked: Asked) -> Asked:
    return replace(asked, apikey=centre.key_of(f"co.{len(centre.bundle.calls())}", role="SDCoordinator").token.reveal())


def by_another_method(_: Centre, asked: Asked) -> Asked:
    return replace(asked, method="DELETE")


FORM = "application/x-www-form-urlencoded"
CAUSES: dict[str, tuple[Spoil, tuple[str, ...], str]] = {
    "5101 no key": (as_caller(None), EVERY, ""),
    "5101 not shaped as a key": (as_caller("0123456789abcdef"), EVERY, ""),
    "5101 carriers disagree": (disagreeing, EVERY, ""),
    "5102 key unknown": (as_caller(UNKNOWN_KEY), EVERY, ""),
    "5102 key deleted": (as_former("deleted"), EVERY, ""),
    "5102 key replaced": (as_former("replaced"), EVERY, ""),
    "5102 key expired": (as_former("expired"), EVERY, ""),
    "5102 login disabled": (as_former("login disabled"), EVERY, ""),
    "5102 rep deleted": (as_former("rep deleted"), EVERY, ""),
    "5103 caller is not SDAdmin": (as_coordinator, EVERY, ""),
    "5104 supportRep absent": (without("supportRep"), OF_A_REP, "supportRep"),
    "5104 supportRep blank": (naming(supportRep="  "), OF_A_REP, "supportRep"),
    "5104 emailId absent": (without("emailId"), ("P3",), "emailId"),
    "5104 emailId blank": (naming(emailId=""), ("P3",), "emailId"),
    "5104 expiresOn absent after expiry": (naming(supportRep="has.expired"), ("P4",), "expiresOn"),
    "5104 body is no form": (with_body("application/json", b'{"supportRep": "meera.nair"}'), EVERY, "supportRep"),
    "5104 body is no text": (with_body(FORM, b"supportRep=%ff"), EVERY, "supportRep"),
    "5104 body over 64 kB": (with_body(FORM, b"x=" + b"y" * 64_000), EVERY, "supportRep"),
    "5105 supportRep over 250 characters": (naming(supportRep="x" * 251), EVERY, "supportRep"),
    "5105 emailId not one address": (naming(emailId="a@example.com,b@example.com"), MAILING, "emailId"),
    "5105 emailId over 254 characters": (naming(emailId=f"{'m' * 243}@example.com"), MAILING, "emailId"),
    "5105 expiresOn in the past": (naming(expiresOn="1751362200000"), DATED, "expiresOn"),
    "5105 expiresOn no epoch milliseconds": (naming(expiresOn="2031-07-01"), DATED, "expiresOn"),
    "5105 startIndex 0": (naming(startIndex="0"), ("P2",), "startIndex"),
    "5105 startIndex not decimal": (naming(startIndex="1e1"), ("P2",), "startIndex"),
    "5105 rowCount 0": (naming(rowCount="0"), ("P2",), "rowCount"),
    "5105 rowCount over 100": (naming(rowCount="101"), ("P2",), "rowCount"),
    "5105 businessUnit blank": (naming(businessUnit=""), ("P2",), "businessUnit"),
    "5106 rep unknown": (naming(supportRep="nobody"), EVERY, ""),
    "5106 rep in another case": (naming(supportRep="Meera.Nair"), EVERY, ""),
    "5106 rep of another tenant": (naming(supportRep="from.abroad"), EVERY, ""),
    "5107 login not enabled": (naming(supportRep="no.login"), MAILING, ""),
    "5108 no role": (naming(supportRep="no.role"), DATED, ""),
    "5109 there is a key": (naming(supportRep="meera.nair"), ("P1",), ""),
    "5109 there is an expired key": (naming(supportRep="has.expired"), ("P1",), ""),
    "5110 there is no key": (naming(supportRep="lea.brun"), ("P3", "P4", "P5"), ""),
    "5112 wrong method": (by_another_method, EVERY, ""),
    "5112 another spelling": (lambda _, asked: replace(asked, operation=OPERATIONS[asked.row].lower()), EVERY, ""),
    "5112 SCP-12 the operation AUTH": (lambda _, asked: replace(asked, operation="AUTH"), ("P1",), ""),
}
OURS = {"5111 mail refused", "5113 throttled", "5199 our fault", "5199 unable for the moment"}
"""Those that no request brings about."""


def refused(answer: Answer, form: str, operation: str, statuscode: int, parameter: str = "", status: int = 200) -> bool:
    """The documented body in that form, to the letter."""
    words = {5104: "Mandatory parameter missing: {}", 5105: "Invalid value for parameter: {}"}
    message = words.get(statuscode, MESSAGES.get(statuscode, "")).format(parameter)
    assert answer.headers["cache-control"] == "no-store"
    if form == "json":
        assert answer.headers["content-type"] == "application/json;charset=UTF-8"
        assert answer.text == (
            f'{{"response": {{"uri": "api/json/{operation}", "result": {{"status": "Failure", '
            f'"statuscode": {statuscode}, "statusmessage": "{message}"}}}}}}'
        )
    else:
        assert answer.headers["content-type"] == "text/xml;charset=UTF-8"
        assert answer.text == (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<response uri="api/xml/{operation}"><result>'
            f"<status>Failure</status><statuscode>{statuscode}</statuscode>"
            f"<statusmessage>{message}</statusmessage></result></response>"
        )
    return answer.status == status


def cases() -> Iterator[Any]:
    for name, (_, rows, _) in CAUSES.items():
        for row in rows:
            yield pytest.param(name, row, id=f"{name}-{row}")


@pytest.mark.parametrize(("name", "row"), [*cases()])
def test_scp_3_refusal(centre: Centre, name: str, row: str) -> None:
    spoil, _, parameter = CAUSES[name]
    asked = spoil(centre, centre.asked(row))
    for form in FORMS:
        answer = asked.send(form)
        assert refused(answer, form, asked.operation or OPERATIONS[row], int(name[:4]), parameter)
        # The audit notes it when a dead key is used.
        assert not (WRITES - ({"TransactWriteItems"} if name.startswith("5102") else set())) & set(answer.calls)


@pytest.mark.parametrize("row", OPERATIONS)
@pytest.mark.parametrize("left", ["without a login", "nobody"])
def test_scp_3_a_key_that_is_there_a_moment_longer_than_its_reps_login_opens_nothing(
    administrator: Administrator, stack: Stack, row: str, left: str
) -> None:
    """Login and key go with one write, and a rep's removal takes the key along; this is what stands behind that."""
    rep, store = administrator.rep, administrator.world.desk.store
    if left == "nobody":
        lose(stack, rep)
    else:
        store.commit(SaveOwner(rep.changed(administrator.world.desk.clock.now_ms(), login_enabled=False), rep))
    answer = administrator.post(OPERATIONS[row], supportRep="meera.nair", emailId="dev@example.com")
    assert refused(answer, "json", OPERATIONS[row], 5102)
    assert not WRITES & set(answer.calls)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", MAILING, ids=lambda row: f"5111 mail refused-{row}")
def test_scp_7_mail_refused(administrator: Administrator, ses_answers: Refuse, row: str, form: str) -> None:
    """The key stands."""
    rep = administrator.world.rep("meera.nair")
    if row != "P1":
        administrator.key_of(rep)
    ses_answers(error("MessageRejected"))
    answer = administrator.post(OPERATIONS[row], form, supportRep="meera.nair", emailId=ADDRESS)
    assert refused(answer, form, OPERATIONS[row], 5111)
    (key,) = administrator.listed(supportRep="meera.nair")
    assert administrator.verify(key["apikey"])["valid"] is True


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", EVERY, ids=lambda row: f"5113 throttled-{row}")
def test_throttled(centre: Centre, monkeypatch: pytest.MonkeyPatch, row: str, form: str) -> None:
    """Whoever says so, and before all that could be said of the caller, who brings no key here."""

    def too_often(*_: object) -> None:
        raise errors.TooManyRequests(retry_after_seconds=7)

    monkeypatch.setattr(credentials, "authenticate", too_often)
    answer = replace(centre.asked(row), apikey=None).send(form)
    assert refused(answer, form, OPERATIONS[row], 5113, status=429)
    assert answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", EVERY, ids=lambda row: f"5199 our fault-{row}")
def test_our_own_fault(centre: Centre, stack: Stack, monkeypatch: pytest.MonkeyPatch, row: str, form: str) -> None:
    broken = Fault(error("ValidationException", text="what nobody should read"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: broken if call.operation == "GetItem" else None)
    answer = centre.asked(row).send(form)
    assert refused(answer, form, OPERATIONS[row], 5199, status=500)
    assert "retry-after" not in answer.headers


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", EVERY, ids=lambda row: f"5199 unable for the moment-{row}")
def test_unable_for_the_moment(
    centre: Centre, stack: Stack, monkeypatch: pytest.MonkeyPatch, row: str, form: str
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    down = Fault(error("ThrottlingException"))
    monkeypatch.setattr(stack.aws, "fault", lambda call: down if call.service == "dynamodb" else None)
    answer = centre.asked(row).send(form)
    assert refused(answer, form, OPERATIONS[row], 5199, status=503)
    assert answer.headers["retry-after"] == "1"


def test_a_sound_request_would_have_succeeded(administrator: Administrator) -> None:
    """So each refusal above is due to what was spoiled."""
    administrator.world.rep("meera.nair")
    for operation, parameters in (
        ("generateApiKey", {"supportRep": "meera.nair"}),
        ("listApiKeys", {}),
        ("emailApiKey", {"supportRep": "meera.nair", "emailId": ADDRESS}),
        ("regenerateApiKey", {"supportRep": "meera.nair"}),
        ("deleteApiKey", {"supportRep": "meera.nair"}),
    ):
        answer = administrator.post(operation, **parameters)
        assert answer.json()["response"]["result"]["status"] == "Success", operation


def test_every_code_of_ours_is_a_row_and_the_vendors_5003_is_none() -> None:
    codes = {int(name[:4]) for name in (*CAUSES, *OURS)}
    told = (ROOT / "docs/dialects/supportcenter.md").read_text().partition("## Refusals")[2].partition("\n## ")[0]
    assert codes == {*MESSAGES, 5105} == {int(code) for code in re.findall(r"\n\| (\d{4}) \|", told)}
    assert 5003 not in codes

"""The operations P1 to P5 of docs/dialects/supportcenter.md: each row in JSON and XML, and each of their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest

from tests.bundle import Answer
from tests.contract.supportcenter.administrator import Administrator, refused
from tests.contract.supportcenter.conftest import Mails

ADDRESS = "dev@example.com"
GUID = r"[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"
DETAILS = ["supportRep", "apikey", "createdTime", "expiresOn"]
LISTED = ["supportRep", "supportRepName", "businessUnit", "apikey", "createdTime", "expiresOn"]


class Row(NamedTuple):
    """`details`: the members of a new key, or of each row of a list; none where there is the result alone."""

    methods: tuple[str, ...]
    operation: str
    parameters: dict[str, str]
    message: str
    details: list[str]


ROWS = {
    "P1 Generate API Key": Row(
        ("POST",), "generateApiKey", {"supportRep": "lea.brun"}, "API Key generated successfully.", DETAILS
    ),
    "P2 list view": Row(("GET", "POST"), "listApiKeys", {}, "API Keys listed successfully.", LISTED),
    "P3 Email API Key": Row(
        ("POST",),
        "emailApiKey",
        {"supportRep": "meera.nair", "emailId": ADDRESS},
        "API Key sent to the specified Email ID.",
        [],
    ),
    "P4 Regenerate API Key": Row(
        ("POST",), "regenerateApiKey", {"supportRep": "meera.nair"}, "API Key regenerated successfully.", DETAILS
    ),
    "P5 Delete API Key": Row(
        ("POST",), "deleteApiKey", {"supportRep": "meera.nair"}, "API Key deleted successfully.", []
    ),
}


@pytest.fixture
def staffed(administrator: Administrator) -> Administrator:
    """Meera has a key and Léa has none."""
    administrator.key_of(administrator.world.rep("meera.nair", name="Meera Nair"))
    administrator.world.rep("lea.brun", name="Léa Brun")
    return administrator


def ask(administrator: Administrator, method: str, form: str, row: Row, carrier: str) -> Answer:
    path, parameters, headers = f"/api/{form}/{row.operation}", dict(row.parameters), dict[str, str]()
    if carrier == "apikey":
        parameters["apikey"] = administrator.apikey
    else:
        headers[carrier] = administrator.apikey
    if method == "GET":
        return administrator.bundle.request("GET", f"{path}?{urlencode(parameters)}", headers)
    return administrator.bundle.request("POST", path, headers, form=parameters)


def as_json(answer: Answer) -> Any:
    """Either form as the same values: those of XML are all text, and a list is of `apiKey` elements."""
    if answer.headers["content-type"].startswith("application/json"):
        return answer.json()["response"]
    root = ET.fromstring(answer.text)  # noqa: S314  our own answer
    assert answer.text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<response uri="')
    found: dict[str, Any] = {"uri": root.get("uri")}
    for each in root:
        of_list = each.tag == "details" and each.find("apiKey") is not None
        found[each.tag] = [of(row) for row in each] if of_list else of(each) if len(each) else each.text
    found["result"]["statuscode"] = int(found["result"]["statuscode"])
    return found


def of(element: ET.Element) -> dict[str, str]:
    assert {each.tag for each in element if len(each)} == set()
    return {each.tag: each.text or "" for each in element}


@pytest.mark.parametrize("carrier", ["apikey", "TECHNICIAN_KEY", "authtoken"])
@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_scp_1_operation(staffed: Administrator, row: Row, form: str, carrier: str) -> None:
    for method in row.methods:
        answer = ask(staffed, method, form, row, carrier)
        types = {"json": "application/json;charset=UTF-8", "xml": "text/xml;charset=UTF-8"}
        assert (answer.status, answer.headers["content-type"]) == (200, types[form])
        assert answer.headers["cache-control"] == "no-store"
        response = as_json(answer)
        assert response["uri"] == f"api/{form}/{row.operation}"
        assert response["result"] == {"status": "Success", "statuscode": 200, "statusmessage": row.message}
        if row.operation == "listApiKeys":
            assert [list(each) for each in response["details"]] == [LISTED] * 2
            assert [each["supportRep"] for each in response["details"]] == ["meera.nair", "priya.rao"]
            assert response["hasMoreRows"] == "false"
        else:
            assert list(response.get("details", [])) == row.details
        assert list(response) == [
            "uri",
            "result",
            *(["details"] if row.details else []),
            *(["hasMoreRows"] if row.details is LISTED else []),
        ]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_scp_1_operation_answers_to_its_methods_alone(staffed: Administrator, row: Row) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(row.methods):
        target = f"/api/json/{row.operation}?{urlencode({'apikey': staffed.apikey, **row.parameters})}"
        assert refused(staffed.bundle.request(method, target), 5112)


# --- the fields of the answers -------------------------------------------------------------------------------------


FIELDS: dict[str, tuple[str, str]] = {
    "supportRep: the login": ("supportRep", "meera\\.nair"),
    "apikey: upper-case GUID of a random UUID v4": ("apikey", GUID),
    "createdTime: string of epoch milliseconds": ("createdTime", "[0-9]{13}"),
    "expiresOn: string of epoch milliseconds, -1 never": ("expiresOn", "-1|[0-9]{13}"),
}


@pytest.mark.parametrize(("member", "pattern"), FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("expires", [False, True], ids=["never", "with a date"])
def test_field_of_p1_p2_and_p4(administrator: Administrator, member: str, pattern: str, expires: bool) -> None:
    administrator.world.rep("meera.nair", name="Meera Nair")
    moment = {"expiresOn": administrator.in_ms(86_400_000)} if expires else {}
    told = [
        administrator.generate(supportRep="meera.nair", **moment).json()["response"]["details"],
        administrator.regenerate(supportRep="meera.nair").json()["response"]["details"],
        administrator.listed(supportRep="meera.nair")[0],
    ]
    for each in told:
        assert isinstance(each[member], str)
        assert re.fullmatch(pattern, each[member])
    assert (told[0][member] == told[1][member]) is (member in {"supportRep", "expiresOn"})
    assert told[1][member] == told[2][member]
    if member == "expiresOn":
        assert told[2][member] == moment.get("expiresOn", "-1")


def test_scp_2_statuscode_is_a_json_number_and_has_more_rows_a_string_boolean(staffed: Administrator) -> None:
    response = staffed.ask_for_list(rowCount="1").json()["response"]
    assert response["result"]["statuscode"] == 200
    assert response["hasMoreRows"] == "true"


# --- the parameters ------------------------------------------------------------------------------------------------


def is_success(answer: Answer) -> bool:
    return bool(answer.json()["response"]["result"]["status"] == "Success")


TAKEN: dict[str, Callable[[Administrator], Answer]] = {
    "P1 supportRep of 250 characters": lambda a: a.generate(supportRep=a.world.rep("x" * 250).id),
    "P1 supportRep of 1 character": lambda a: a.generate(supportRep=a.world.rep("x").id),
    "P1 expiresOn in the future": lambda a: a.generate(supportRep="lea.brun", expiresOn=a.in_ms(60_000)),
    "P1 expiresOn -1": lambda a: a.generate(supportRep="lea.brun", expiresOn="-1"),
    "P1 expiresOn absent": lambda a: a.generate(supportRep="lea.brun"),
    "P1 emailId": lambda a: a.generate(supportRep="lea.brun", emailId=ADDRESS),
    "P2 no parameter": lambda a: a.ask_for_list(),
    "P2 supportRep": lambda a: a.ask_for_list(supportRep="meera.nair"),
    "P2 businessUnit": lambda a: a.ask_for_list(businessUnit="Retail"),
    "P2 startIndex 1": lambda a: a.ask_for_list(startIndex="1"),
    "P2 rowCount 1": lambda a: a.ask_for_list(rowCount="1"),
    "P2 rowCount 100": lambda a: a.ask_for_list(rowCount="100"),
    "P3 emailId of 254 characters": lambda a: a.email(supportRep="meera.nair", emailId=f"{'m' * 242}@example.com"),
    "P4 expiresOn absent": lambda a: a.regenerate(supportRep="meera.nair"),
    "P4 expiresOn in the future": lambda a: a.regenerate(supportRep="meera.nair", expiresOn=a.in_ms(60_000)),
    "P4 expiresOn -1": lambda a: a.regenerate(supportRep="meera.nair", expiresOn="-1"),
    "P4 emailId": lambda a: a.regenerate(supportRep="meera.nair", emailId=ADDRESS),
    "P5 supportRep": lambda a: a.delete(supportRep="meera.nair"),
    "a parameter that no operation knows": lambda a: a.delete(supportRep="meera.nair", OPERATION_NAME="x"),
}


@pytest.mark.parametrize("ask", TAKEN.values(), ids=TAKEN)
def test_parameter_is_taken(staffed: Administrator, mails: Mails, ask: Callable[[Administrator], Answer]) -> None:
    answer = ask(staffed)
    assert is_success(answer), answer.text
    assert len(mails) == ("SendEmail" in answer.calls)


@pytest.mark.parametrize("name", ["TECHNICIAN_KEY", "authtoken", "ApiKey", "APIKEY"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_scp_10_the_key_in_a_parameter_of_another_style_or_spelling_is_none(
    staffed: Administrator, row: Row, name: str
) -> None:
    answer = staffed.bundle.request("POST", f"/api/json/{row.operation}", form={name: staffed.apikey, **row.parameters})
    assert refused(answer, 5101)


# --- what neither log nor address keeps ----------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_com_7_a_key_in_the_address_is_not_logged(
    staffed: Administrator, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], row: Row
) -> None:
    target = f"/api/json/{row.operation}?{urlencode({'apikey': staffed.apikey, **row.parameters})}"
    method = row.methods[0]
    caplog.clear()
    answer = staffed.bundle.request(method, target)
    assert answer.json()["response"]["result"]["statusmessage"] == row.message
    logged = str([vars(record) for record in caplog.records]) + "".join(capsys.readouterr())
    assert f"{method} /api/json/{row.operation}" in logged
    secrets = {staffed.apikey, *re.findall(GUID, answer.text)}
    assert not [secret for secret in secrets if secret.lower() in logged.lower()]
    assert ADDRESS not in logged

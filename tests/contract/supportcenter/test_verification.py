"""What a service behind the three prefixes is told of a key that it got: POST /v1/keys/verify with this dialect."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import KeyKind
from tests.bundle import Answer
from tests.contract.supportcenter.administrator import MESSAGES, UNKNOWN_KEY, Administrator, details_of
from tests.world import World

JSON, XML = "application/json;charset=UTF-8", "text/xml;charset=UTF-8"
STYLES = ("classic-json", "classic-xml", "v1-json", "v1-xml", "v3")
PARAMETER = {"classic-json": "apikey", "classic-xml": "apikey", "v1-json": "TECHNICIAN_KEY", "v1-xml": "TECHNICIAN_KEY"}
URI = "api/json/addRequest"


@pytest.fixture
def issued(administrator: Administrator) -> Issued:
    return administrator.key_of(administrator.world.rep("meera.nair", role="SDCoordinator"))


def verify(administrator: Administrator, style: str = "v3", **members: Any) -> Answer:
    body = {"dialect": "supportcenter", "style": style, "uri": f"/{URI}", **members}
    return administrator.bundle.request("POST", "/v1/keys/verify", administrator.world.bearer, json_body=body)


def refusal_of(answer: Answer) -> dict[str, Any]:
    """The vendor's, with an invalid verdict."""
    assert answer.status == 200
    verdict = answer.json()
    assert verdict["valid"] is False
    refusal: dict[str, Any] = verdict["refusal"]
    assert refusal.keys() == {"status", "content_type", "headers", "body"}
    assert refusal["headers"] == {"Cache-Control": "no-store"}
    return refusal


def wording(style: str, statuscode: int) -> tuple[int, str, str]:
    """Status, content type and body, as the vendor or our decision has them for that style."""
    message = MESSAGES[statuscode]
    match style:
        case "classic-json":
            result = {"status": "Failure", "statuscode": statuscode, "statusmessage": message}
            return 200, JSON, json.dumps({"response": {"uri": URI, "result": result}})
        case "classic-xml":
            return (
                200,
                XML,
                (
                    f'<?xml version="1.0" encoding="UTF-8"?>\n<response uri="{URI}"><result><status>Failure</status>'
                    f"<statuscode>{statuscode}</statuscode><statusmessage>{message}</statusmessage></result></response>"
                ),
            )
        case "v1-json":
            operation = {"result": {"message": message, "status": "Failed"}, "name": "Authentication"}
            return 200, JSON, json.dumps({"operation": operation})
        case "v1-xml":
            return (
                200,
                XML,
                (
                    '<API version="1.0"><response><operation name="Authentication"><result><statuscode>401</statuscode>'
                    f"<status>Failed</status><message>{message}</message></result></operation></response></API>"
                ),
            )
    told = {"status_code": 401, "type": "failed", "message": "Invalid Authentication Key"}
    body = {"response_status": {"status_code": 4000, "messages": [told], "status": "failed"}}
    return 401, JSON, json.dumps(body)


def is_worded(answer: Answer, style: str, statuscode: int) -> bool:
    refusal = refusal_of(answer)
    assert (refusal["status"], refusal["content_type"], refusal["body"]) == wording(style, statuscode)
    return True


# --- valid ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_a_good_key_names_the_rep_and_the_roles_and_has_no_refusal(
    administrator: Administrator, issued: Issued, style: str
) -> None:
    answer = verify(administrator, style, token=issued.token.reveal())

    assert answer.json() == {
        "valid": True,
        "reason": None,
        "key_id": issued.key.id,
        "kind": "rep_key",
        "owner": {"kind": "support_rep", "id": "meera.nair"},
        "version": 1,
        "scopes": [],
        "expires_at": None,
        "roles": ["SDCoordinator"],
    }
    assert answer.calls == ("BatchGetItem", "GetItem")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("header", ["authtoken", "AuthToken", "TECHNICIAN_KEY", "technician_key"])
def test_scp_10_the_two_headers_count_in_every_style_in_any_case(
    administrator: Administrator, issued: Issued, style: str, header: str
) -> None:
    answer = verify(administrator, style, headers={"Accept": "*/*", header: issued.token.reveal()})

    assert answer.json()["key_id"] == issued.key.id
    assert answer.calls == ("BatchGetItem", "GetItem")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("parameter", ["apikey", "TECHNICIAN_KEY", "authtoken", "APIKEY", "technician_key"])
def test_scp_10_a_parameter_counts_in_its_own_style_and_in_exactly_its_case(
    administrator: Administrator, issued: Issued, style: str, parameter: str
) -> None:
    parameters = {"OPERATION_NAME": "GET_REQUEST", "format": "json", parameter: issued.token.reveal()}

    answer = verify(administrator, style, parameters=parameters)

    assert answer.json()["valid"] is (PARAMETER.get(style) == parameter)
    if not answer.json()["valid"]:
        assert is_worded(answer, style, 5101)


def test_a_key_is_good_in_either_case_and_as_often_as_it_is_the_same(
    administrator: Administrator, issued: Issued
) -> None:
    key = issued.token.reveal()

    for members in (
        {"token": key.lower()},
        {"headers": {"authtoken": key, "TECHNICIAN_KEY": key.lower()}, "parameters": {"apikey": [key, key.lower()]}},
        {"headers": {"authtoken": [key, key], "AUTHTOKEN": key}, "parameters": {}},
        {"headers": {"authtoken": "", "TECHNICIAN_KEY": key}, "parameters": {"apikey": ""}},
    ):
        assert verify(administrator, "classic-json", **members).json()["valid"] is True


# --- refused -------------------------------------------------------------------------------------------------------


ENDED: dict[str, tuple[Callable[[Administrator, Issued], object], str, int]] = {
    "expired": (lambda administrator, issued: administrator.world.expire(issued.key), "expired", 5102),
    "revoked": (lambda administrator, issued: administrator.revoke(issued.key), "revoked", 5102),
    "disabled": (
        lambda administrator, issued: lifecycle.disable(
            administrator.world.desk, administrator.world.principal, issued.key
        ),
        "disabled",
        5102,
    ),
    "deleted": (lambda administrator, _: administrator.delete(supportRep="meera.nair"), "unknown", 5102),
    "replaced": (lambda administrator, _: administrator.regenerate(supportRep="meera.nair"), "unknown", 5102),
    "login disabled": (
        lambda administrator, _: administrator.change("meera.nair", login_enabled=False),
        "unknown",
        5102,
    ),
    "role removed": (
        lambda administrator, _: administrator.change("meera.nair", role=None),
        "owner_not_eligible",
        5108,
    ),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("end", ENDED)
def test_scp_11_a_key_that_is_good_no_longer_is_refused_in_the_words_of_the_style(
    administrator: Administrator, issued: Issued, style: str, end: str
) -> None:
    deed, reason, statuscode = ENDED[end]
    deed(administrator, issued)

    by_token = verify(administrator, style, token=issued.token.reveal())
    by_header = verify(administrator, style, headers={"authtoken": issued.token.reveal()})

    assert by_token.json()["reason"] == reason
    assert by_token.body == by_header.body
    assert is_worded(by_token, style, statuscode)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "members",
    [
        {"headers": {}},
        {"headers": {"authtoken": ""}, "parameters": {}},
        {"headers": {"authorization": f"Bearer {UNKNOWN_KEY}"}},
        {"token": ""},
        {"token": "x"},
        {"token": f" {UNKNOWN_KEY}"},
        {"token": f"{UNKNOWN_KEY}\n"},
        {"headers": {"authtoken": UNKNOWN_KEY.replace("-", "")}},
        {"headers": {"authtoken": UNKNOWN_KEY, "technician_key": UNKNOWN_KEY.replace("6", "7")}},
        {"headers": {"authtoken": [UNKNOWN_KEY, UNKNOWN_KEY.replace("6", "7")]}},
        {"headers": {"authtoken": f"{UNKNOWN_KEY},{UNKNOWN_KEY}"}},
    ],
    ids=range(11),
)
def test_no_key_what_is_not_shaped_as_one_and_two_of_them_are_5101_without_a_read(
    administrator: Administrator, style: str, members: dict[str, Any]
) -> None:
    answer = verify(administrator, style, **members)

    assert is_worded(answer, style, 5101)
    assert answer.json()["reason"] == "unknown"
    assert answer.calls == ("GetItem",)


def test_scp_10_header_and_parameter_that_differ_are_5101(administrator: Administrator, issued: Issued) -> None:
    own, other = issued.token.reveal(), administrator.apikey

    for style, parameter in PARAMETER.items():
        answer = verify(administrator, style, headers={"authtoken": own}, parameters={parameter: other})
        assert is_worded(answer, style, 5101)
    ignored = verify(administrator, "v3", headers={"authtoken": own}, parameters={"apikey": other})
    assert ignored.json()["key_id"] == issued.key.id


@pytest.mark.parametrize("style", STYLES)
def test_a_key_of_another_kind_is_nobodys_here(administrator: Administrator, style: str) -> None:
    world = administrator.world
    app_api_key = world.issue(KeyKind.APP_API_KEY, world.app().ref).token.reveal()

    answer = verify(administrator, style, token=app_api_key)

    assert answer.json()["reason"] == "unknown"
    assert is_worded(answer, style, 5102)
    assert administrator.verify(app_api_key)["valid"] is True


@pytest.mark.parametrize("style", STYLES)
def test_another_tenants_key_is_refused_byte_for_byte_like_one_that_nobody_has(
    administrator: Administrator, another_world: World, style: str
) -> None:
    theirs = another_world.issue(KeyKind.REP_KEY, another_world.rep("tomas.vega").ref).token.reveal()

    foreign, unknown = (verify(administrator, style, token=token) for token in (theirs, UNKNOWN_KEY))

    assert (foreign.status, foreign.headers, foreign.body) == (unknown.status, unknown.headers, unknown.body)
    assert foreign.calls == unknown.calls


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("apikey", [UNKNOWN_KEY, "", "x"])
def test_the_classic_refusal_is_the_one_that_keywright_itself_sends(
    administrator: Administrator, form: str, apikey: str
) -> None:
    own = administrator.ask_for_list(form, apikey=apikey)

    sent_on = refusal_of(
        verify(administrator, f"classic-{form}", uri=f"/api/{form}/listApiKeys", parameters={"apikey": apikey})
    )

    assert (sent_on["status"], sent_on["body"]) == (own.status, own.text)
    assert {"content-type": sent_on["content_type"], "cache-control": "no-store"} == own.headers


@pytest.mark.parametrize("uri", ["/api/xml/%00", '/api/xml/<&>"', "/api/xml/\x00\ufffe", "api/xml/\u0085", ""])
def test_a_hostile_uri_is_escaped_and_the_xml_stays_xml(administrator: Administrator, uri: str) -> None:
    refusal = refusal_of(verify(administrator, "classic-xml", uri=uri, token=UNKNOWN_KEY))

    assert ET.fromstring(refusal["body"]).get("uri", "").isascii()  # noqa: S314  our own answer
    json.loads(refusal_of(verify(administrator, "classic-json", uri=uri, token=UNKNOWN_KEY))["body"])


def test_a_key_generated_by_the_dialect_is_good_until_it_is_deleted_by_it(administrator: Administrator) -> None:
    administrator.world.rep("meera.nair")
    apikey = details_of(administrator.generate(supportRep="meera.nair"))["apikey"]

    assert verify(administrator, "v3", headers={"authtoken": apikey}).json()["valid"] is True
    administrator.delete(supportRep="meera.nair")
    assert is_worded(verify(administrator, "v3", headers={"authtoken": apikey}), "v3", 5102)


# --- what makes no verification ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"dialect": "supportcenter", "token": UNKNOWN_KEY}, "style"),
        ({"dialect": "supportcenter", "style": "classic", "token": UNKNOWN_KEY}, "style"),
        ({"dialect": "supportcenter", "style": "V3", "token": UNKNOWN_KEY}, "style"),
        ({"dialect": "supportcenter", "style": "", "token": UNKNOWN_KEY}, "style"),
        ({"dialect": "supportcenter", "style": None, "token": UNKNOWN_KEY}, "style"),
        ({"dialect": "salesiq", "style": "v3", "token": UNKNOWN_KEY}, "style"),
        ({"style": "v3", "token": UNKNOWN_KEY}, "dialect"),
        ({"headers": {"authtoken": UNKNOWN_KEY}}, "dialect"),
        ({"parameters": {"apikey": UNKNOWN_KEY}}, "dialect"),
        ({"dialect": "native", "token": UNKNOWN_KEY}, "dialect"),
        ({"dialect": "os", "token": UNKNOWN_KEY}, "dialect"),
        ({"dialect": "supportcenter.wire", "token": UNKNOWN_KEY}, "dialect"),
        ({"dialect": "supportcenter", "style": "v3", "token": UNKNOWN_KEY, "headers": {}}, "headers"),
        ({"dialect": "supportcenter", "style": "v3", "secret": "x", "parameters": {}}, "parameters"),
        ({"dialect": "supportcenter", "style": "v3"}, "token"),
        ({"dialect": "supportcenter", "style": "v3", "token": UNKNOWN_KEY, "uri": "u" * 2001}, "uri"),
    ],
    ids=range(16),
)
def test_members_that_do_not_fit_together_are_refused_by_name(
    administrator: Administrator, members: dict[str, Any], field: str
) -> None:
    answer = administrator.bundle.request("POST", "/v1/keys/verify", administrator.world.bearer, json_body=members)

    assert answer.status == 422
    assert [each["field"] for each in answer.json()["fields"]] == [field]
    assert UNKNOWN_KEY not in answer.text
    assert answer.calls == ("GetItem",)


@pytest.mark.parametrize(
    "headers", [{"authtoken": 5}, {"authtoken": {}}, {"authtoken": [5]}, {"authtoken": None}, [], "x"]
)
def test_headers_that_are_no_text_are_refused(administrator: Administrator, headers: object) -> None:
    assert verify(administrator, headers=headers).status == 422

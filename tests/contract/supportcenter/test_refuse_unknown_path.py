"""The catch-all under /api/json, /api/xml, /sdpapi and /api/v3: 5112 in the style of the prefix."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.bundle import Bundle
from tests.contract.supportcenter.administrator import MESSAGES, Administrator, refused

JSON, XML = "application/json;charset=UTF-8", "text/xml;charset=UTF-8"
V1_XML = (
    '<API version="1.0"><response><operation name="Request"><result><statuscode>404</statuscode><status>Failed</status>'
    f"<message>{MESSAGES[5112]}</message></result></operation></response></API>"
)
V1_JSON = '{"operation": {"result": {"message": "' + MESSAGES[5112] + '", "status": "Failed"}, "name": "Request"}}'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/json"),
        ("POST", "/api/json/addRequest"),
        ("POST", "/api/json/generateapikey"),
        ("POST", "/api/json/generateApiKey/"),
        ("POST", "/api/json/generateApiKey/more"),
        ("GET", "/api/json/generateApiKey"),
        ("DELETE", "/api/json/listApiKeys"),
        ("OPTIONS", "/api/json/listApiKeys"),
    ],
)
def test_an_unknown_operation_and_a_wrong_method_are_5112_in_json(bundle: Bundle, method: str, path: str) -> None:
    answer = bundle.request(method, path)

    assert refused(answer, 5112)
    assert answer.json()["response"]["uri"] == path[1:]
    assert answer.calls == ()


@pytest.mark.parametrize("path", ["/api/xml", "/api/xml/addRequest", "/api/xml/generateApiKey"])
def test_they_are_5112_in_xml_under_the_prefix_of_xml(bundle: Bundle, path: str) -> None:
    answer = bundle.request("GET", path)

    assert answer.status == 200
    assert answer.headers["content-type"] == XML
    assert answer.text == (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<response uri="{path[1:]}"><result><status>Failure</status>'
        f"<statuscode>5112</statuscode><statusmessage>{MESSAGES[5112]}</statusmessage></result></response>"
    )
    assert answer.calls == ()


@pytest.mark.parametrize(
    "path", ["/sdpapi", "/sdpapi/request", "/sdpapi/request?format=xml", "/sdpapi/request?format="]
)
def test_the_style_v1_refuses_in_xml(bundle: Bundle, path: str) -> None:
    answer = bundle.request("POST", path, form={"OPERATION_NAME": "ADD_REQUEST"})

    assert (answer.status, answer.headers["content-type"], answer.text) == (200, XML, V1_XML)


def test_the_style_v1_refuses_in_json_when_query_or_form_ask_for_it(bundle: Bundle) -> None:
    by_query = bundle.request("GET", "/sdpapi/request/7?format=json")
    by_form = bundle.request("POST", "/sdpapi/request", form={"format": "json"})

    for answer in (by_query, by_form):
        assert (answer.status, answer.headers["content-type"], answer.text) == (200, JSON, V1_JSON)


@pytest.mark.parametrize("path", ["/api/v3", "/api/v3/requests", "/api/v3/generateApiKey"])
def test_the_style_v3_refuses_with_http_404_and_4000(bundle: Bundle, path: str) -> None:
    answer = bundle.request("GET", path)

    assert (answer.status, answer.headers["content-type"]) == (404, JSON)
    assert answer.text == (
        '{"response_status": {"status_code": 4000, "messages": [{"status_code": 404, "type": "failed", '
        f'"message": "{MESSAGES[5112]}"}}], "status": "failed"}}}}'
    )


@pytest.mark.parametrize("prefix", ["/api/json", "/api/xml", "/sdpapi", "/api/v3"])
def test_who_asks_makes_no_difference(administrator: Administrator, prefix: str) -> None:
    target = f"{prefix}/addRequest"

    stranger = administrator.bundle.request("POST", target)
    known = administrator.bundle.request("POST", target, {"authtoken": administrator.apikey})

    assert (stranger.status, stranger.headers, stranger.body) == (known.status, known.headers, known.body)
    assert stranger.calls == known.calls == ()
    assert stranger.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("rest", ["%00", "%0d%0aX: y", "a%ff", "\u0085", "%3Cscript%3E", "<&>\"'", "\ufffe", "%25%30"])
def test_a_hostile_path_is_escaped_in_the_answer_and_the_xml_stays_xml(bundle: Bundle, rest: str) -> None:
    for path in (f"/api/xml/{rest}", f"/api/json/{rest}"):
        event_path = path.encode().decode("latin-1")
        answer = bundle.request("GET", event_path)

        assert answer.status == 200
        in_xml = path.startswith("/api/xml")
        uri = ET.fromstring(answer.body).get("uri") if in_xml else answer.json()["response"]["uri"]  # noqa: S314
        assert uri is not None
        assert uri.isascii()
        assert not set('<>" \n\x00') & set(uri)


@pytest.mark.parametrize("body", [b"\xff", b"format=%ff", b"format=json&" + b"x" * 70_000, b"a=1&" * 200])
def test_a_form_that_cannot_be_read_is_no_fault(bundle: Bundle, body: bytes) -> None:
    answer = bundle.request("POST", "/sdpapi/request", {"Content-Type": "application/x-www-form-urlencoded"}, body)

    assert answer.status == 200
    assert MESSAGES[5112] in answer.text

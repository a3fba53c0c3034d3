"""The judge of answers judges: what the description does not promise is noticed, and a refusal is known as one."""

from __future__ import annotations

import json

import pytest

from tests.bundle import Answer
from tests.description import breaches, refuses

PROBLEM = {"content-type": "application/problem+json"}
JSON = {"content-type": "application/json"}
XML = {"content-type": "text/xml;charset=UTF-8"}
NOT_FOUND = {"type": "urn:keywright:problem:key-not-found", "title": "There is no such key.", "status": 404}
FAILURE = b"<result><status>Failure</status><statuscode>5106</statuscode><statusmessage>x</statusmessage></result>"


def found(method: str, route: str, status: int, headers: dict[str, str], body: object) -> list[str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [*breaches(method, route, Answer(status, headers, raw, ()))]


@pytest.mark.parametrize(
    ("method", "route", "status", "headers", "body"),
    [
        ("GET", "/v1/keys/{key_id}", 404, PROBLEM, NOT_FOUND),
        ("GET", "/v1/keys/{key_id}", 503, {**PROBLEM, "retry-after": "1"}, {**NOT_FOUND, "status": 503}),
        ("POST", "/api/v1/applications/key", 400, JSON, {"id": "", "message": "Required data is missing"}),
        (
            "POST",
            "/api/xml/deleteApiKey",
            200,
            XML,
            b'<response uri="api/xml/deleteApiKey">' + FAILURE + b"</response>",
        ),
        ("GET", "/console", 200, {"content-type": "text/html; charset=utf-8"}, b"<!doctype html>"),
        ("GET", "/v1/{proxy+}", 405, PROBLEM, {"anything": "goes"}),
    ],
)
def test_what_is_described_is_let_pass(
    method: str, route: str, status: int, headers: dict[str, str], body: object
) -> None:
    assert found(method, route, status, headers, body) == []


@pytest.mark.parametrize(
    ("method", "route", "status", "headers", "body", "breach"),
    [
        ("GET", "/v1/keys/{key_id}", 418, PROBLEM, NOT_FOUND, "the status 418 is not described"),
        ("GET", "/v1/keys/{key_id}", 404, JSON, NOT_FOUND, "application/json is not described for 404"),
        ("GET", "/v1/keys/{key_id}", 503, PROBLEM, NOT_FOUND, "Retry-After is missing"),
        ("GET", "/v1/keys/{key_id}", 404, PROBLEM, {**NOT_FOUND, "trace": "x"}, "'trace' was unexpected"),
        ("GET", "/v1/keys/{key_id}", 404, PROBLEM, {**NOT_FOUND, "type": "about:blank"}, "$.type"),
        ("GET", "/v1/keys/{key_id}", 200, JSON, {}, "'id' is a required property"),
        ("POST", "/api/xml/deleteApiKey", 200, XML, b"<response>" + FAILURE + b"</response>", "not valid under any"),
    ],
)
def test_what_is_not_described_is_noticed(
    method: str, route: str, status: int, headers: dict[str, str], body: object, breach: str
) -> None:
    assert any(breach in each for each in found(method, route, status, headers, body))


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (404, b"{}", True),
        (200, b'{"error": {"message": "Invalid Resource", "code": 1019}}', True),
        (200, b'{"response": {"uri": "x", "result": {"status": "Failure", "statuscode": 5110}}}', True),
        (200, b"<response><result><status>Failure</status><statuscode>5110</statuscode></result></response>", True),
        (200, b'{"response": {"uri": "x", "result": {"status": "Failure", "statuscode": 5111}}}', False),
        (200, b'{"valid": false, "reason": "unknown"}', False),
        (201, b"{}", False),
    ],
)
def test_a_refusal_is_known_in_every_dialect(status: int, body: bytes, refused: bool) -> None:
    assert refuses(Answer(status, {}, body, ())) is refused

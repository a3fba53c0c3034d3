"""Every error of the core, whether this dialect's endpoints can raise it today or not, has a documented answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

import pytest

from keywright import errors
from keywright.dialects import sunshine
from keywright.edge import Request

DOCUMENTED = {
    (400, "bad_request"),
    (400, "too_many_keys"),
    (401, "unauthorized"),
    (403, "forbidden"),
    (404, "app_not_found"),
    (404, "integration_not_found"),
    (404, "not_found"),
    (413, "payload_too_large"),
    (429, "too_many_requests"),
    (500, "internal_error"),
    (503, "service_unavailable"),
}
TITLES = {
    "API keys are available only for custom integrations",
    "App has reached the max number of keys (10)",
    "App not found",
    "Authorization is required",
    "Bad request",
    "Forbidden",
    "Integration has reached the max number of keys (10)",
    "Integration not found",
    "Internal server error",
    "Request body is too large",
    "Resource not found",
    "Service unavailable",
    "Too many requests",
    "displayName should NOT be longer than 100 characters",
    "displayName should NOT be shorter than 1 characters",
    "displayName should be printable",
    "displayName should be string",
    "should NOT have additional properties",
    "should have required property 'displayName'",
}
OF_AN_APP = Request({"rawPath": "/v2/x", "headers": {}, "pathParameters": {"appId": "x"}})
OF_AN_INTEGRATION = Request({"rawPath": "/v2/x", "headers": {}, "pathParameters": {"appId": "x", "integrationId": "y"}})
REQUESTS = [OF_AN_APP, OF_AN_INTEGRATION]


def all_errors(root: type[errors.KeywrightError] = errors.KeywrightError) -> Iterator[type[errors.KeywrightError]]:
    yield root
    for cls in root.__subclasses__():
        yield from all_errors(cls)


def raised(error: type[errors.KeywrightError]) -> errors.KeywrightError:
    if issubclass(error, errors.LimitReached):
        return error(limit=10)
    return error() if "__init__" in vars(error) else error(field="displayName")


@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: error.__name__)
def test_an_error_has_a_documented_answer(error: type[errors.KeywrightError]) -> None:
    for refusal, request in product((raised(error), error()), REQUESTS):
        answer = sunshine.SURFACE.refuse([refusal], request)
        body = json.loads(answer.body or "")
        assert body.keys() == {"errors"}
        [entry] = body["errors"]
        assert entry.keys() == {"code", "title"}
        assert (answer.status_code, entry["code"]) in DOCUMENTED
        assert entry["title"] in TITLES or isinstance(refusal, errors.LimitReached)
        assert answer.headers["Content-Type"] == "application/json"
        assert ("Retry-After" in answer.headers) == (answer.status_code in {429, 503})
        assert ("WWW-Authenticate" in answer.headers) == (answer.status_code == 401)


def test_every_documented_answer_has_its_error() -> None:
    answers = [sunshine.SURFACE.refuse([raised(error)], request) for error, request in product(all_errors(), REQUESTS)]
    entries = [(answer.status_code, json.loads(answer.body or "")["errors"][0]) for answer in answers]
    assert {(status, entry["code"]) for status, entry in entries} == DOCUMENTED
    assert {entry["title"] for _, entry in entries} == TITLES


def test_when_to_come_back_is_said_in_seconds() -> None:
    answer = sunshine.SURFACE.refuse([errors.TooManyRequests(retry_after_seconds=7)], OF_AN_APP)
    assert answer.headers["Retry-After"] == "7"


def test_only_a_bad_request_lists_several_errors() -> None:
    refused = [errors.CredentialsMissing(), errors.FieldMissing(field="displayName")]
    assert len(json.loads(sunshine.SURFACE.refuse(refused, OF_AN_APP).body or "")["errors"]) == 1
    refused = [errors.FieldMissing(field="displayName"), errors.FieldUnknown(field="x")]
    assert len(json.loads(sunshine.SURFACE.refuse(refused, OF_AN_APP).body or "")["errors"]) == 2

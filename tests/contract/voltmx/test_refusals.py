"""Every error of the core, in the words of Volt MX."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from keywright import errors
from keywright.dialects.voltmx import refusals
from keywright.dialects.voltmx.refusals import ADD, DELETE, GET_ALL, GET_ONE, LOGIN, MODIFY, Words

DOCUMENTED = {
    (400, "The appId entered is incorrect"),
    (400, "Invalid VoltMX AppId or Application is not published with given AppId"),
    (400, "The description exceeds 100 characters"),
    (400, "The expiresOn date is invalid"),
    (400, "The neverExpires value is invalid"),
    (400, "Required data is missing"),
    (400, "App API key limit reached for the application"),
    (400, "App API key not found"),
    (401, "Unauthorized request"),
    (404, "Invalid URL"),
    (405, "Invalid Method"),
    (429, "Too many requests"),
    (500, "Server failure to process request"),
}
MATRIX: dict[type[errors.KeywrightError], tuple[int, str]] = {
    errors.PathUnknown: (404, "Invalid URL"),
    errors.MethodRefused: (405, "Invalid Method"),
    errors.ContentTypeRefused: (400, "Required data is missing"),
    errors.BodyTooLarge: (400, "Required data is missing"),
    errors.BodyUnreadable: (400, "Required data is missing"),
    errors.FieldMissing: (400, "Required data is missing"),
    errors.CredentialsMissing: (401, "Unauthorized request"),
    errors.CredentialsRefused: (401, "Unauthorized request"),
    errors.ScopeMissing: (401, "Unauthorized request"),
    errors.RoleMissing: (401, "Unauthorized request"),
    errors.OperatorDisabled: (401, "Unauthorized request"),
    errors.TooManyRequests: (429, "Too many requests"),
    errors.AppNotFound: (400, "The appId entered is incorrect"),
    errors.NotPublished: (400, "Invalid VoltMX AppId or Application is not published with given AppId"),
    errors.KeyNotFound: (400, "App API key not found"),
    errors.LimitReached: (400, "App API key limit reached for the application"),
    errors.Unavailable: (500, "Server failure to process request"),
    errors.Fault: (500, "Server failure to process request"),
}


def every(cls: type[errors.KeywrightError] = errors.KeywrightError) -> Iterator[type[errors.KeywrightError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from every(child)


def answer(refusal: errors.KeywrightError) -> tuple[int, str]:
    response = refusals.answer([refusal])
    assert response.content_type == "application/json"
    body = json.loads(response.body or "")
    assert body == {"id": "", "message": body["message"]}
    return response.status_code, body["message"]


@pytest.mark.parametrize("error", list(every()))
def test_every_error_of_the_core_has_a_documented_answer(error: type[errors.KeywrightError]) -> None:
    assert answer(error()) in DOCUMENTED


@pytest.mark.parametrize("error", MATRIX)
def test_an_error_is_answered_as_the_matrix_says(error: type[errors.KeywrightError]) -> None:
    assert answer(error()) == MATRIX[error]


@pytest.mark.parametrize("error", [errors.FieldInvalid, errors.TooShort, errors.TooLong, errors.WrongType])
def test_an_invalid_field_is_answered_by_its_name(error: type[errors.FieldInvalid]) -> None:
    assert answer(error(field="appId")) == (400, "The appId entered is incorrect")
    assert answer(error(field="neverExpires")) == (400, "The neverExpires value is invalid")
    assert answer(error(field="expiresOn")) == (400, "The expiresOn date is invalid")
    assert answer(error(field="expires_at")) == (400, "The expiresOn date is invalid")
    assert answer(error(field="description")) == (400, "The description exceeds 100 characters")


@pytest.mark.parametrize("error", list(every()))
def test_a_401_says_how_to_authenticate_and_what_passes_says_when_to_come_back(
    error: type[errors.KeywrightError],
) -> None:
    headers = refusals.answer([error()]).headers

    assert ("WWW-Authenticate" in headers) is (answer(error())[0] == 401)
    assert ("Retry-After" in headers) is issubclass(error, errors.TooManyRequests | errors.Unavailable)


def test_a_throttled_caller_is_told_when_to_come_back() -> None:
    assert refusals.answer([errors.TooManyRequests(retry_after_seconds=7)]).headers["Retry-After"] == "7"


@pytest.mark.parametrize("words", [ADD, MODIFY, DELETE, LOGIN])
def test_what_answers_with_a_message_refuses_with_an_empty_id(words: Words) -> None:
    body = refusals.answer([errors.Fault()], words).body

    assert body == '{"id":"","message":"Server failure to process request"}'


@pytest.mark.parametrize("words", [GET_ALL, GET_ONE])
def test_the_two_gets_refuse_with_the_status_and_the_message_twice(words: Words) -> None:
    text = "Server failure to process request"

    assert refusals.answer([errors.Fault()], words).body == f'{{"status":500,"result":"{text}","message":"{text}"}}'
    assert refusals.answer([errors.PathUnknown()], words).body == '{"id":"","message":"Invalid URL"}'


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        (GET_ALL, errors.AppNotFound(), "Invalid AppId entered"),
        (GET_ALL, errors.KeyNotFound(), "No App API keys found"),
        (GET_ONE, errors.KeyNotFound(), "App API key not found"),
        (MODIFY, errors.KeyNotFound(), "App API key not found for modification"),
        (MODIFY, errors.KeyRevoked(), "App API key not found for modification"),
        (DELETE, errors.KeyNotFound(), "App API key not found for deletion"),
        (LOGIN, errors.CredentialsRefused(), "Authentication fail, Invalid credentials"),
        (LOGIN, errors.OperatorDisabled(), "Authentication fail, Invalid credentials"),
        (LOGIN, errors.OperatorNotFound(), "Authentication fail, Invalid credentials"),
        (MODIFY, errors.CredentialsRefused(field="X-VoltMX-App-API-Key"), "Invalid X-VoltMX-App-API-Key"),
    ],
)
def test_an_operation_has_its_own_words(words: Words, error: errors.KeywrightError, text: str) -> None:
    body = json.loads(refusals.answer([error], words).body or "")

    assert body["message"] == text

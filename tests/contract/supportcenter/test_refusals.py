"""The one table from the core's errors to this dialect's answers, in each of its styles."""

from __future__ import annotations

import json
from http import HTTPStatus
from xml.etree import ElementTree as ET

import pytest
from aws_lambda_powertools.event_handler import Response

from keywright import errors
from keywright.dialects import supportcenter
from keywright.edge import Request
from tests.contract.supportcenter.administrator import MESSAGES

SPOKEN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}

DOCUMENTED = [
    (errors.CredentialsMissing, 5101, 200),
    (errors.CredentialsRefused, 5102, 200),
    (errors.ScopeMissing, 5103, 200),
    (errors.RoleMissing, 5103, 200),
    (errors.FieldMissing, 5104, 200),
    (errors.BodyUnreadable, 5104, 200),
    (errors.BodyTooLarge, 5104, 200),
    (errors.ContentTypeRefused, 5104, 200),
    (errors.FieldInvalid, 5105, 200),
    (errors.TooLong, 5105, 200),
    (errors.OwnerNotFound, 5106, 200),
    (errors.SupportRepNotFound, 5106, 200),
    (errors.LoginNotEnabled, 5107, 200),
    (errors.RoleNotAssigned, 5108, 200),
    (errors.KeyExists, 5109, 200),
    (errors.KeyNotFound, 5110, 200),
    (errors.MailNotSent, 5111, 200),
    (errors.PathUnknown, 5112, 200),
    (errors.MethodRefused, 5112, 200),
    (errors.TooManyRequests, 5113, 429),
    (errors.Unavailable, 5199, 503),
    (errors.Conflict, 5199, 503),
    (errors.Fault, 5199, 500),
]


def every_error(root: type[errors.KeywrightError] = errors.KeywrightError) -> list[type[errors.KeywrightError]]:
    return [root, *(each for child in root.__subclasses__() for each in every_error(child))]


def answer_to(refusal: errors.KeywrightError, path: str, query: str = "") -> Response[str]:
    http = {"method": "POST", "path": path}
    event = {
        "rawPath": path,
        "rawQueryString": query,
        "headers": {},
        "requestContext": {"stage": "$default", "http": http},
    }
    return supportcenter.SURFACE.refuse([refusal], Request(event))


@pytest.mark.parametrize(("error", "statuscode", "status"), DOCUMENTED)
def test_each_refusal_has_the_documented_code_words_and_http_status(
    error: type[errors.KeywrightError], statuscode: int, status: int
) -> None:
    answer = answer_to(error(), "/api/json/generateApiKey")

    message = MESSAGES.get(statuscode, "Invalid value for parameter: supportRep")
    assert answer.status_code == status
    assert answer.body == (
        '{"response": {"uri": "api/json/generateApiKey", '
        f'"result": {{"status": "Failure", "statuscode": {statuscode}, "statusmessage": "{message}"}}}}}}'
    )


@pytest.mark.parametrize("error", [errors.FieldMissing, errors.FieldInvalid, errors.FieldUnknown])
def test_the_parameter_at_fault_is_named(error: type[errors.KeywrightError]) -> None:
    assert ': emailId"' in str(answer_to(error(field="emailId"), "/api/json/emailApiKey").body)


def test_an_expiry_that_passed_while_the_key_was_being_made_bears_the_callers_name_for_it() -> None:
    refusal = errors.FieldInvalid(field="expires_at")

    assert '"Invalid value for parameter: expiresOn"' in str(answer_to(refusal, "/api/json/generateApiKey").body)


@pytest.mark.parametrize("error", every_error())
def test_every_error_of_the_core_has_an_answer_in_every_style(error: type[errors.KeywrightError]) -> None:
    classic = answer_to(error(), "/api/json/x")
    xml = answer_to(error(), "/api/xml/x")
    v1 = answer_to(error(), "/sdpapi/x")
    v1_json = answer_to(error(), "/sdpapi/x", "format=json")
    v3 = answer_to(error(), "/api/v3/x")

    result = json.loads(str(classic.body))["response"]["result"]
    assert result["status"] == "Failure"
    assert result["statuscode"] in {5105, *MESSAGES}
    message = result["statusmessage"]
    in_xml = {each.tag: each.text for each in ET.fromstring(str(xml.body))[0]}  # noqa: S314  our own answer
    assert in_xml == {**result, "statuscode": str(result["statuscode"])}

    (response,) = json.loads(str(v3.body))["response_status"]["messages"]
    assert response["status_code"] == v3.status_code >= 400
    assert response["message"] == ("Invalid Authentication Key" if v3.status_code == 401 else message)

    operation = ET.fromstring(str(v1.body))[0][0]  # noqa: S314  our own answer
    assert {each.tag: each.text for each in operation[0]} == {
        "statuscode": str(v3.status_code),
        "status": "Failed",
        "message": message,
    }
    assert json.loads(str(v1_json.body)) == {
        "operation": {"result": {"message": message, "status": "Failed"}, "name": operation.get("name")}
    }
    spoken = v3.status_code if v3.status_code in SPOKEN else 200
    assert {each.status_code for each in (classic, xml, v1, v1_json)} == {spoken}
    later = v3.status_code in {429, 503}
    assert all(("Retry-After" in each.headers) is later for each in (classic, xml, v1, v1_json, v3))


def test_com_8_the_waiting_time_is_told() -> None:
    assert answer_to(errors.TooManyRequests(retry_after_seconds=7), "/api/json/x").headers["Retry-After"] == "7"


def test_a_credential_refused_in_style_v1_has_the_documented_words() -> None:
    xml, as_json = (answer_to(errors.CredentialsRefused(), "/sdpapi/request", query) for query in ("", "format=json"))

    assert (xml.status_code, as_json.status_code) == (200, 200)
    assert xml.body == (
        '<API version="1.0"><response><operation name="Authentication"><result><statuscode>401</statuscode>'
        f"<status>Failed</status><message>{MESSAGES[5102]}</message></result></operation></response></API>"
    )
    assert json.loads(str(as_json.body)) == {
        "operation": {"result": {"message": MESSAGES[5102], "status": "Failed"}, "name": "Authentication"}
    }


@pytest.mark.parametrize("error", [errors.CredentialsMissing, errors.CredentialsRefused])
def test_a_credential_refused_in_style_v3_has_the_documented_words(error: type[errors.KeywrightError]) -> None:
    answer = answer_to(error(), "/api/v3/requests")

    assert answer.status_code == 401
    assert json.loads(str(answer.body)) == {
        "response_status": {
            "status_code": 4000,
            "messages": [{"status_code": 401, "type": "failed", "message": "Invalid Authentication Key"}],
            "status": "failed",
        }
    }

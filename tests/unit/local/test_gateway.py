"""local.gateway: routes, events and answers as an HTTP API has them, in payload format 2.0."""

import base64
import json
import subprocess
import time
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventV2Model

from local.gateway import Gateway, Router, http_event, http_response, split_target
from local.runtime import Result
from local.server import Request
from local.template import Route

ROUTES = [
    Route("ANY", "/{proxy+}", "Everything"),
    Route("ANY", "/v1", "Bare"),
    Route("ANY", "/v1/{proxy+}", "Rest"),
    Route("GET", "/v1/keys/{key_id}", "Get"),
    Route("POST", "/v1/keys/verify", "Verify"),
    Route("ANY", "/v1/keys/{key_id}/{deed}", "Deed"),
    Route("POST", "/v1/keys/{key_id}/revoke", "Revoke"),
    Route("GET", "/v2/a.b/{id}", "Literal"),
]


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("POST", "/v1/keys/verify", "Verify", {}),
        ("GET", "/v1/keys/verify", "Get", {"key_id": "verify"}),  # falls through to the route that has the method
        ("GET", "/v1/keys/k1", "Get", {"key_id": "k1"}),
        ("DELETE", "/v1/keys/k1", "Rest", {"proxy": "keys/k1"}),
        ("POST", "/v1/keys/k1/revoke", "Revoke", {"key_id": "k1"}),
        ("PATCH", "/v1/keys/k1/revoke", "Deed", {"key_id": "k1", "deed": "revoke"}),
        ("GET", "/v1/keys/k1/a/b", "Rest", {"proxy": "keys/k1/a/b"}),
        ("GET", "/v1/keys/", "Rest", {"proxy": "keys/"}),
        ("GET", "/v1", "Bare", {}),
        ("GET", "/v1/", "Rest", {"proxy": ""}),
        ("GET", "/", "Everything", {"proxy": ""}),
        ("GET", "/v2/a.b/%2F", "Literal", {"id": "%2F"}),
        ("GET", "/v2/a-b/x", "Everything", {"proxy": "v2/a-b/x"}),
        ("GET", "/v1/keys/a\nb", "Get", {"key_id": "a\nb"}),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, function: str, parameters: dict[str, str]) -> None:
    for routes in (ROUTES, ROUTES[::-1]):
        match = Router(routes).match(method, path)
        assert match is not None
        assert (match.route.function, match.parameters) == (function, parameters)


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("BREW", "/v1/keys/k1")])
def test_a_path_or_method_without_a_route_has_none(method: str, path: str) -> None:
    assert Router(ROUTES).match(method, path) is None


def event(method: str, target: str, *headers: tuple[str, str], body: bytes = b"") -> dict[str, Any]:
    path, query = split_target(target)
    match = Router(ROUTES).match(method, path)
    assert match is not None
    return http_event(Request(method, target, (("Host", "desk.example:3000"), *headers), body), match, path, query)


def test_an_event_has_the_request_as_it_came() -> None:
    made = event(
        "GET",
        "/v1/keys/a%2Fb?x=1&y=%20z&x=2&flag",
        ("User-Agent", "curl/8"),
        ("TECHNICIAN_KEY", "k"),
        ("X-Many", "1"),
        ("x-many", "2"),
        ("Cookie", "a=1; b=2"),
        ("X-Forwarded-For", "203.0.113.9"),
    )
    assert (made["version"], made["routeKey"]) == ("2.0", "GET /v1/keys/{key_id}")
    assert (made["rawPath"], made["rawQueryString"]) == ("/v1/keys/a%2Fb", "x=1&y=%20z&x=2&flag")
    assert made["queryStringParameters"] == {"x": "1,2", "y": " z", "flag": ""}
    assert made["pathParameters"] == {"key_id": "a/b"}
    assert made["cookies"] == ["a=1", "b=2"]
    headers = made["headers"]
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers == {
        "content-length": "0",
        "host": "desk.example:3000",
        "technician_key": "k",
        "user-agent": "curl/8",
        "x-forwarded-for": "203.0.113.9, 127.0.0.1",
        "x-forwarded-port": "80",
        "x-forwarded-proto": "http",
        "x-many": "1,2",
    }
    context = made["requestContext"]
    assert context["http"] == {
        "method": "GET",
        "path": "/v1/keys/a%2Fb",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "curl/8",
    }
    assert (context["stage"], context["routeKey"]) == ("$default", made["routeKey"])
    assert (context["domainName"], context["domainPrefix"]) == ("desk.example", "desk")
    moment = time.strptime(context["time"], "%d/%b/%Y:%H:%M:%S +0000")
    assert abs(context["timeEpoch"] / 1000 - time.time()) < 5
    assert time.gmtime(context["timeEpoch"] / 1000)[:6] == moment[:6]


def test_what_a_request_does_not_have_is_left_out() -> None:
    made = event("GET", "/v1")
    assert not made.keys() & {"body", "cookies", "pathParameters", "queryStringParameters"}
    assert (made["rawQueryString"], made["isBase64Encoded"]) == ("", False)
    assert made["requestContext"]["http"]["userAgent"] == ""


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", b'{"a": "\xc3\xa4"}', True),
        ("Application/JSON; charset=utf-8", b"{}", True),
        ("text/plain", b"hello", True),
        ("application/xml", b"<a/>", True),
        ("application/json", b"\xff\xfe", False),
        ("application/x-www-form-urlencoded", b"a=b", False),
        ("application/problem+json", b"{}", False),
        ("application/octet-stream", b"\x00", False),
        ("", b"hello", False),
    ],
)
def test_only_text_of_the_known_types_is_a_plain_body(content_type: str, body: bytes, text: bool) -> None:
    made = event("POST", "/v1/keys/verify", ("Content-Type", content_type), body=body)
    assert made["isBase64Encoded"] is not text
    assert made["body"] == (body.decode() if text else base64.b64encode(body).decode())
    assert made["headers"]["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "target",
    [
        "/v1/keys/\xff\xfe?\xff=%ff&%",
        "/v1/keys/%00%0a%zz%",
        "http://desk.example/v1/keys/k1?a",
        "/v1/keys/k?" + "&" * 2000,
    ],
)
def test_odd_bytes_make_an_odd_event_and_no_error(target: str) -> None:
    made = event("GET", target, ("X-Odd", "\xff\xe4"))
    assert made["rawPath"].startswith("/v1/keys/")
    APIGatewayProxyEventV2Model.model_validate(json.loads(json.dumps(made)))


def test_events_fit_the_model_of_powertools() -> None:
    full = event("POST", "/v1/keys/verify?a=b", ("Cookie", "a=1"), ("Content-Type", "text/plain"), body=b"hello")
    for made in (full, event("GET", "/v1"), event("GET", "/v1/keys/k1")):
        model = APIGatewayProxyEventV2Model.model_validate(made)
        assert model.requestContext.http.method == made["requestContext"]["http"]["method"]
        assert model.body == made.get("body")


def test_answers_carry_status_headers_cookies_and_body() -> None:
    payload = {
        "statusCode": 201,
        "headers": {
            "Content-Type": "application/json",
            "X-Number": 7,
            "Content-Length": "999",
            "X-Odd": "a\r\nb: \u20ac",
        },
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "\u20ac",
    }
    answer = http_response(Result(payload))
    assert (answer.status, answer.body) == (201, "\u20ac".encode())
    assert answer.headers == (
        ("content-type", "application/json"),
        ("x-number", "7"),
        ("x-odd", "a b: \u20ac".encode().decode("latin-1")),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
    )


@pytest.mark.parametrize(
    ("payload", "status", "content_type", "body"),
    [
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, "text/plain; charset=utf-8", b"hi"),
        ({"statusCode": "404"}, 404, "text/plain; charset=utf-8", b""),
        ({"any": "thing"}, 200, "application/json", b'{"any": "thing"}'),
        ("words", 200, "application/json", b"words"),
        (None, 200, "application/json", b"null"),
        ({"statusCode": "soon"}, 500, "application/json", b'{"message": "Internal Server Error"}'),
        ({"statusCode": 200, "headers": ["a"]}, 500, "application/json", b'{"message": "Internal Server Error"}'),
        (
            {"statusCode": 200, "body": "?", "isBase64Encoded": True},
            500,
            "application/json",
            b'{"message": "Internal Server Error"}',
        ),
    ],
)
def test_answers_are_read_as_format_2_has_them(payload: Any, status: int, content_type: str, body: bytes) -> None:
    answer = http_response(Result(payload))
    assert (answer.status, answer.body) == (status, body)
    assert answer.headers == (("content-type", content_type),)


def test_a_failed_function_says_nothing_of_why() -> None:
    answer = http_response(Result({"errorMessage": "secret", "statusCode": 200}, failed=True))
    assert (answer.status, answer.body) == (500, b'{"message": "Internal Server Error"}')


def test_the_log_has_the_route_and_never_the_path() -> None:
    lines: list[tuple[str, str]] = []
    gateway = Gateway(ROUTES, lambda *_: Result({"statusCode": 204}), log=lambda *line: lines.append(line))
    gateway.respond(Request("GET", "/v1/keys/sesame?key=sesame", ()))
    gateway.server_close()
    ((function, line),) = lines
    assert function == "Get"
    assert line.startswith("GET /v1/keys/{key_id} 204 ")


@pytest.mark.parametrize(
    ("decode_path", "function", "raw_path"),
    [(False, "Get", "/v1/keys/k1%2Frevoke"), (True, "Deed", "/v1/keys/k1/revoke")],
)
def test_the_path_is_decoded_only_when_asked_for(decode_path: bool, function: str, raw_path: str) -> None:
    called: list[tuple[str, str]] = []

    def invoke(name: str, event: dict[str, Any]) -> Result:
        called.append((name, event["rawPath"]))
        return Result({"statusCode": 200})

    gateway = Gateway(ROUTES, invoke, decode_path=decode_path)
    gateway.respond(Request("GET", "/v1/keys/k1%2Frevoke", ()))
    gateway.server_close()
    assert called == [(function, raw_path)]


def test_a_route_that_is_not_there_answers_as_api_gateway_does() -> None:
    gateway = Gateway(ROUTES[1:], lambda *_: Result(None))
    answer = gateway.respond(Request("GET", "/elsewhere", ()))
    gateway.server_close()
    assert answer is not None
    assert (answer.status, json.loads(answer.body)) == (404, {"message": "Not Found"})


def curl(gateway: Gateway, path: str, *arguments: str) -> str:
    command = ["curl", "--silent", "--show-error", "--include", "--noproxy", "*", gateway.url + path, *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode()


def test_a_request_reaches_its_function_and_the_answer_comes_back(gateway: Gateway) -> None:
    answer = curl(gateway, "/echo/things/a%2Fb?x=1", "-H", "TECHNICIAN_KEY: k", "-d", "a=b")
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200")
    assert "apigw-requestid: " in head
    made = json.loads(body)["event"]
    assert made["headers"]["technician_key"] == "k"
    assert (made["rawPath"], base64.b64decode(made["body"])) == ("/echo/things/a%2Fb", b"a=b")
    assert made["requestContext"]["requestId"] in head


def test_head_is_answered_without_a_body(gateway: Gateway) -> None:
    answer = curl(gateway, "/echo/things/1", "--head")
    assert answer.startswith("HTTP/1.1 200")
    assert answer.endswith("\r\n\r\n")


@pytest.mark.parametrize("how", ["raise", "sleep", "die"])
def test_a_function_that_goes_wrong_is_a_500_and_the_next_call_is_fine(gateway: Gateway, how: str) -> None:
    text = ("-H", "Content-Type: text/plain", "-d")
    assert curl(gateway, "/misbehave", *text, how).startswith("HTTP/1.1 500")
    assert curl(gateway, "/misbehave", *text, "well").startswith("HTTP/1.1 200")

"""An HTTP API of API Gateway on one machine: routes, events and answers of payload format 2.0, stage `$default`.

Sources: AWS's developer guide (http-api-develop-routes, http-api-develop-integrations-lambda) and, where it is silent,
what others captured from the live service:

- Header names are in lower case, values of the same name joined by a comma, cookies in a list of their own.
- The body is text for `text/*`, `application/json`, `application/xml` and `application/javascript`; anything else,
  forms and a missing content type among them, is base64 (captured in ministackorg/ministack#766). Bytes that are not
  UTF-8 are base64 under any type.
- `pathParameters` are decoded. **`rawPath` is not, and there the live service differs**: it hands on the *decoded*
  path, `%2F` included, and matches routes on it (captured in aws-powertools/powertools-lambda-python#1098,
  honojs/hono#2156, aws/aws-lambda-dotnet#1901). `decode_path=True` does as it does.
- A function that fails or times out is 500 `Internal Server Error`; a route that is not there is 404 `Not Found`.
- A slash at the end of a path counts, no route can have one, and a greedy variable may be empty: `/v1/{proxy+}` takes
  `/v1/`, and `/v1` does not (met by storacha/w3infra#166, whose stack still lives by it).
- A Lambda authorizer is asked anew each time; `local.authorizing` has its side.

Not there: CORS, an authorizer's cache, throttling, custom domains, HTTP/2.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from local import authorizing
from local.runtime import Log, Result
from local.server import Request, Response, Server, refusal
from local.template import ACCOUNT, Route

METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
TEXT = re.compile(r"\s*(text/[^;]*|application/(json|xml|javascript))\s*(;.*)?", re.IGNORECASE | re.DOTALL)
HOP_BY_HOP = {"connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}


class Match(NamedTuple):
    route: Route
    parameters: dict[str, str]


class Router:
    """The most specific route wins: segment by segment a literal beats a variable and a variable a greedy one; on the
    same path a method beats ANY. A path whose routes have no such method falls through to the next."""

    def __init__(self, routes: Iterable[Route]) -> None:
        ranked = sorted(
            routes, key=lambda route: ([_rank(part) for part in route.path.split("/")], route.method == "ANY")
        )
        self._routes = [(route, _pattern(route.path)) for route in ranked]

    def match(self, method: str, path: str) -> Match | None:
        if method in METHODS:
            for route, pattern in self._routes:
                if route.method in {method, "ANY"} and (found := pattern.fullmatch(path)):
                    names = re.findall(r"{([^}+]+)\+?}", route.path)
                    return Match(route, dict(zip(names, found.groups(), strict=True)))
        return None


def _rank(part: str) -> int:
    return 2 if part.endswith("+}") else 1 if part.startswith("{") else 0


def _pattern(path: str) -> re.Pattern[str]:
    parts = ("(.*)" if _rank(part) == 2 else "([^/]+)" if _rank(part) else re.escape(part) for part in path.split("/"))
    return re.compile("/".join(parts), re.DOTALL)


def _text(value: str) -> str:
    """The library reads heads as Latin-1; clients send UTF-8."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def split_target(target: str) -> tuple[str, str]:
    """Path and query, undecoded; of an absolute target, what follows the host."""
    if not target.startswith("/"):
        target = "/" + target.partition("://")[2].partition("/")[2]
    path, _, query = _text(target).partition("?")
    return path, query


def http_event(
    request: Request,
    match: Match,
    path: str,
    query: str,
    account: str = ACCOUNT,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """The event of payload format 2.0. Like the live service, it leaves out what the request does not have, and
    `variables` of a stage that has none."""
    now, request_id = time.time(), base64.b64encode(uuid.uuid4().bytes[:11]).decode()
    headers, cookies = _headers(request)
    host = headers.get("host", "").partition(":")[0]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": match.route.key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": account,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.peer,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": request_id,
            "routeKey": match.route.key,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True, errors="replace"))
    if variables:
        event["stageVariables"] = dict(variables)
    if match.parameters:
        event["pathParameters"] = {name: unquote(value) for name, value in match.parameters.items()}
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _headers(request: Request) -> tuple[dict[str, str], list[str]]:
    given = [(_text(name).lower(), _text(value).strip()) for name, value in request.headers]
    cookies = [part.strip() for name, value in given if name == "cookie" for part in value.split(";") if part.strip()]
    headers = _joined((name, value) for name, value in given if name != "cookie" and name not in HOP_BY_HOP)
    headers["content-length"] = str(len(request.body))
    headers["x-amzn-trace-id"] = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}"
    headers["x-forwarded-for"] = ", ".join(filter(None, [headers.get("x-forwarded-for"), request.peer]))
    headers["x-forwarded-port"] = "80"
    headers["x-forwarded-proto"] = "http"
    return headers, cookies


def _body(request: Request) -> tuple[str, bool]:
    if TEXT.fullmatch(request.header("content-type")):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(request.body).decode(), True


def http_response(result: Result) -> Response:
    """A payload without a status code is the body of a 200 in itself, as format 2.0 has it."""
    payload = result.payload
    if result.failed:
        return refusal(500, "Internal Server Error")
    if not isinstance(payload, dict) or "statusCode" not in payload:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        return Response(200, (("content-type", "application/json"),), text.encode())
    try:
        status, text = int(payload["statusCode"]), payload.get("body") or ""
        body = base64.b64decode(text, validate=True) if payload.get("isBase64Encoded") else str(text).encode()
        headers = [(_line(name).lower(), _line(value)) for name, value in (payload.get("headers") or {}).items()]
        headers += [("set-cookie", _line(cookie)) for cookie in payload.get("cookies") or []]
    except (AttributeError, binascii.Error, TypeError, UnicodeError, ValueError):
        return refusal(500, "Internal Server Error")
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "text/plain; charset=utf-8"))
    return Response(status, tuple(each for each in headers if each[0] not in HOP_BY_HOP | {"content-length"}), body)


def _line(value: object) -> str:
    """Fit for a header: one line, its bytes as UTF-8."""
    return " ".join(str(value).splitlines()).encode("utf-8", "replace").decode("latin-1")


class Gateway(Server):
    """Calls `invoke` with the logical id of the route's function and the event. The log gets the route of each request,
    never its path, which can carry a key."""

    def __init__(
        self,
        routes: Iterable[Route],
        invoke: Callable[[str, dict[str, Any]], Result],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Log = lambda *_: None,
        decode_path: bool = False,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._router, self._invoke, self._log, self._decode_path = Router(routes), invoke, log, decode_path
        self._variables = variables
        super().__init__(self._respond, host, port)

    def _respond(self, request: Request) -> Response:
        began = time.perf_counter()
        path, query = split_target(request.target)
        if self._decode_path:
            path = unquote(path)
        match = self._router.match(request.method, path)
        if match is None:
            return refusal(404, "Not Found")
        event = http_event(request, match, path, query, variables=self._variables)
        response = self._guard(match.route, event) or http_response(self._invoke(match.route.function, event))
        took = (time.perf_counter() - began) * 1000
        self._log(match.route.function, f"{match.route.key} {response.status} {took:.0f} ms")
        identifier = ("apigw-requestid", event["requestContext"]["requestId"])
        return Response(response.status, (*response.headers, identifier), response.body)

    def _guard(self, route: Route, event: dict[str, Any]) -> Response | None:
        """The refusal of the route's authorizer; where it agrees, what it says of the caller is put into the event."""
        if route.authorizer is None:
            return None
        asked = authorizing.question(route.authorizer, event)
        if asked is None:
            return refusal(401, "Unauthorized")
        answer = authorizing.verdict(route.authorizer, self._invoke(route.authorizer.function, asked), asked)
        if answer is None:
            return refusal(500, "Internal Server Error")
        if answer.allowed:
            event["requestContext"]["authorizer"] = {"lambda": answer.context}
        return None if answer.allowed else refusal(403, "Forbidden")

"""The three styles in which SupportCenter Plus answers, told apart by the prefix of the path.

Mind the words: a refusal is ``Failure`` in the classic style, ``Failed`` in V1 and ``failed`` in V3. The former two
speak HTTP only where a proxy or a retrying client should understand too: 429, 500 and 503; V3 speaks it throughout.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import quote
from xml.etree import ElementTree as ET

from aws_lambda_powertools.event_handler import Response

from keywright.dialects.supportcenter.wire import RepKeyDetails, RepKeyRow, readable_form
from keywright.edge import Request

JSON_UTF8: Final = "application/json;charset=UTF-8"
XML_UTF8: Final = "text/xml;charset=UTF-8"
DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

_SPOKEN: Final = frozenset(
    {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
)
_OF_A_PATH: Final = "/%:@!$&'()*+,;=~"
"""What RFC 3986 lets stand in a path beside letters and digits; the rest is escaped before it is shown again, for a
path may hold characters that no XML can."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`status` is what HTTP would call it."""

    statuscode: int
    message: str
    status: HTTPStatus


class Style(Protocol):
    def refuse(self, failure: Failure) -> Response[str]: ...


@dataclass(frozen=True, slots=True)
class Classic:
    """``/api/json/...`` and ``/api/xml/...``."""

    uri: str
    xml: bool

    def done(self, message: str) -> Response[str]:
        return self._answer(_success(message))

    def details(self, message: str, details: RepKeyDetails) -> Response[str]:
        return self._answer(_success(message), details=details.model_dump(by_alias=True))

    def rows(self, message: str, rows: Sequence[RepKeyRow], *, more: bool) -> Response[str]:
        listed = [row.model_dump(by_alias=True) for row in rows]
        return self._answer(_success(message), details=listed, hasMoreRows="true" if more else "false")

    def refuse(self, failure: Failure) -> Response[str]:
        result = {"status": "Failure", "statuscode": failure.statuscode, "statusmessage": failure.message}
        return self._answer(result, status=_spoken(failure))

    def _answer(
        self, result: Mapping[str, Any], *, status: HTTPStatus = HTTPStatus.OK, **further: Any
    ) -> Response[str]:
        members = {"result": result, **further}
        if not self.xml:
            return _json(status, {"response": {"uri": self.uri, **members}})
        response = ET.Element("response", uri=self.uri)
        _grow(response, members)
        return _xml(status, DECLARATION, response)


@dataclass(frozen=True, slots=True)
class V1:
    """``/sdpapi/...``: XML, unless the parameter ``format`` is ``json``."""

    json: bool

    def refuse(self, failure: Failure) -> Response[str]:
        denied = failure.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        name = "Authentication" if denied else "Request"
        if self.json:
            result = {"message": failure.message, "status": "Failed"}
            return _json(_spoken(failure), {"operation": {"result": result, "name": name}})
        api = ET.Element("API", version="1.0")
        operation = ET.SubElement(ET.SubElement(api, "response"), "operation", name=name)
        result = {"statuscode": str(failure.status.value), "status": "Failed", "message": failure.message}
        _grow(operation, {"result": result})
        return _xml(_spoken(failure), "", api)


@dataclass(frozen=True, slots=True)
class V3:
    """``/api/v3/...``."""

    def refuse(self, failure: Failure) -> Response[str]:
        refused = failure.status is HTTPStatus.UNAUTHORIZED
        message = {
            "status_code": failure.status.value,
            "type": "failed",
            "message": "Invalid Authentication Key" if refused else failure.message,
        }
        body = {"response_status": {"status_code": 4000, "messages": [message], "status": "failed"}}
        return _json(failure.status, body)


NAMED: Final[Mapping[str, Callable[[str], Style]]] = {
    "classic-json": lambda path: Classic(_uri(path), xml=False),
    "classic-xml": lambda path: Classic(_uri(path), xml=True),
    "v1-json": lambda _: V1(json=True),
    "v1-xml": lambda _: V1(json=False),
    "v3": lambda _: V3(),
}
"""The styles by name, each made for a path that was called."""


def style_of(request: Request) -> Style:
    match request.path.split("/"):
        case ["", "sdpapi", *_]:
            return V1(json=("format", "json") in (*request.query, *readable_form(request)))
        case ["", "api", "v3", *_]:
            return V3()
    return classic_of(request)


def classic_of(request: Request) -> Classic:
    return Classic(_uri(request.path), xml=request.path.split("/")[2:3] == ["xml"])


def _uri(path: str) -> str:
    return quote(path.removeprefix("/"), safe=_OF_A_PATH, errors="replace")


def _success(message: str) -> Mapping[str, Any]:
    return {"status": "Success", "statuscode": 200, "statusmessage": message}


def _spoken(failure: Failure) -> HTTPStatus:
    return failure.status if failure.status in _SPOKEN else HTTPStatus.OK


def _grow(parent: ET.Element, members: Mapping[str, Any]) -> None:
    """Members become elements, in order; each entry of a list becomes an ``apiKey``."""
    for name, value in members.items():
        element = ET.SubElement(parent, name)
        if isinstance(value, Mapping):
            _grow(element, value)
        elif isinstance(value, list):
            for each in value:
                _grow(ET.SubElement(element, "apiKey"), each)
        else:
            element.text = str(value)


def _json(status: HTTPStatus, body: Mapping[str, Any]) -> Response[str]:
    return Response(status.value, content_type=JSON_UTF8, body=json.dumps(body, ensure_ascii=False))


def _xml(status: HTTPStatus, declaration: str, root: ET.Element) -> Response[str]:
    text = ET.tostring(root, encoding="unicode", short_empty_elements=False)
    return Response(status.value, content_type=XML_UTF8, body=f"{declaration}{text}")

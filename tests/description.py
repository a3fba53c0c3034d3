"""The committed description of the API, as a judge: is an answer one that it promises?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote
from xml.etree import ElementTree as ET

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from local.openapi import COMMITTED

JSON = ("application/json", "application/problem+json")
XML = "text/xml"


class Answer(Protocol):
    """With the names of headers in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


@cache
def described() -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(COMMITTED.read_text())
    return whole


def breaches(method: str, route: str, answer: Answer) -> Iterator[str]:
    """What the description does not say of this answer; nothing where it does not have the route, as of a catch-all."""
    operation = described()["paths"].get(route, {}).get(method.lower())
    if operation is None:
        return
    response = operation["responses"].get(str(answer.status))
    if response is None:
        yield f"the status {answer.status} is not described"
        return
    yield from (f"{name} is missing" for name in response.get("headers", ()) if name.lower() not in answer.headers)
    if "content" not in response:
        yield from (["a body is not described"] if answer.body else [])
        return
    media_type = answer.headers["content-type"].partition(";")[0].strip()
    if media_type not in response["content"]:
        yield f"{media_type} is not described for {answer.status}"
    elif media_type in JSON or media_type == XML:
        value = _of_xml(ET.fromstring(answer.body)) if media_type == XML else json.loads(answer.body)  # noqa: S314
        found = _validator(method.lower(), route, str(answer.status), media_type).iter_errors(value)
        yield from (f"{each.json_path}: {each.message}" for each in found)


def is_refusal_beside(prefix: str, answer: Answer) -> bool:
    """Whether some endpoint under this prefix is described to refuse in such a shape, with whatever status: what a
    catch-all answers."""
    media_type = answer.headers["content-type"].partition(";")[0].strip()
    value = _of_xml(ET.fromstring(answer.body)) if media_type == XML else json.loads(answer.body)  # noqa: S314
    return any(
        not [*_validator(method, path, status, media_type).iter_errors(value)]
        for path, item in described()["paths"].items()
        if path.startswith(prefix)
        for method, operation in item.items()
        for status, response in operation["responses"].items()
        if media_type in response.get("content", ())
    )


@cache
def _validator(method: str, route: str, status: str, media_type: str) -> Draft202012Validator:
    registry = Registry().with_resource("urn:api", Resource.from_contents(described(), DRAFT202012))
    parts = ("paths", route, method, "responses", status, "content", media_type, "schema")
    pointer = "/".join(quote(part.replace("~", "~0").replace("/", "~1"), safe="~") for part in parts)
    return Draft202012Validator({"$ref": f"urn:api#/{pointer}"}, registry=registry)


def _of_xml(element: ET.Element) -> Any:
    """As the schemas' ``xml`` says: an attribute is a member, and the rows of a list have one name."""
    if element.tag == "statuscode":
        return int(element.text or "")
    if element.tag == "details" and all(each.tag == "apiKey" for each in element):
        return [_of_xml(each) for each in element]
    if len(element) or element.attrib:
        return {**element.attrib, **{each.tag: _of_xml(each) for each in element}}
    return element.text or ""


def refuses(answer: Answer) -> bool:
    """Two dialects refuse with 200. A mail that could not be sent is the one failure after which something was done."""
    if answer.status >= 400:
        return True
    marks = (b'"Failure"', b"<status>Failure<", b'"status": "Failed"', b"<status>Failed<")
    failed = answer.body.startswith(b'{"error":') or any(mark in answer.body for mark in marks)
    return failed and b"5111" not in answer.body

"""The Postman collection works as it was committed: every operation once, with its demo values."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from local import demo
from local.openapi import COLLECTION, ROOT
from local.stack import Stack
from tests.bundle import Bundle
from tests.description import refuses

COLLECTED: dict[str, Any] = json.loads(COLLECTION.read_text())
VALUES = {each["key"]: each["value"] for each in COLLECTED["variable"]}


def requests() -> Iterator[tuple[str, dict[str, Any]]]:
    """Those that are no alias of another: the same deed twice may well be refused."""
    for item in (item for folder in COLLECTED["item"] for item in folder["item"]):
        operation = item["name"].rpartition("(")[2].rstrip(")")
        if any((ROOT / "functions").glob(f"*/{operation}.py")):
            yield operation, item["request"]


REQUESTS = dict(requests())


def filled(text: str) -> str:
    return re.sub(r"{{(\w+)}}", lambda name: VALUES[name[1]], text)


def by_key(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {each["key"]: filled(each["value"]) for each in pairs}


@pytest.fixture(scope="module")
def demo_bundle() -> Iterator[Bundle]:
    with Stack.from_template(ROOT / "template.yaml", account="888899990000") as stack:
        demo.seed(stack)
        yield Bundle(stack)


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_request_of_the_collection_succeeds(demo_bundle: Bundle, operation: str) -> None:
    request = REQUESTS[operation]
    url, headers = request["url"], by_key(request["header"])
    variables = by_key(url.get("variable", []))
    query = by_key([each for each in url.get("query", []) if not each.get("disabled")])
    auth = request["auth"]
    given = by_key(auth.get(auth["type"], []))
    match auth["type"]:
        case "bearer":
            headers["Authorization"] = f"Bearer {given['token']}"
        case "basic":
            pair = f"{given['username']}:{given['password']}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        case "apikey":
            (query if given["in"] == "query" else headers)[given["key"]] = given["value"]
    path = "/".join(quote(variables[part[1:]], safe="") if part.startswith(":") else part for part in url["path"])
    body = request.get("body", {})
    sent = filled(body["raw"]) if body.get("mode") == "raw" else urlencode(by_key(body.get("urlencoded", [])))

    answer = demo_bundle.request(request["method"], f"/{path}?{urlencode(query)}", headers, sent)
    assert answer.status in {200, 201, 204}, answer.text
    assert not refuses(answer), answer.text

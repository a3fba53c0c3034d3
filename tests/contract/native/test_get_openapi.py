"""native.get_openapi: the description, for anybody"""

from __future__ import annotations

import json

import pytest

from local.openapi import COMMITTED
from tests.bundle import Bundle


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic Og=="])
def test_whoever_asks_gets_the_committed_description_and_aws_is_not_asked(
    bundle: Bundle, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = bundle.request("GET", "/v1/openapi.json", headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == COMMITTED.read_bytes()
    assert answer.calls == ()


def test_it_describes_itself(bundle: Bundle) -> None:
    described = json.loads(bundle.request("GET", "/v1/openapi.json").body)
    assert described["paths"]["/v1/openapi.json"]["get"]["security"] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
def test_it_is_read_and_nothing_else(bundle: Bundle, method: str) -> None:
    assert bundle.request(method, "/v1/openapi.json").status == 405

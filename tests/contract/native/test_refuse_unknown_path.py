"""native.refuse_unknown_path: what is under /v1 and no endpoint's"""

from __future__ import annotations

import pytest

from tests.bundle import Bundle
from tests.contract.native.desk import refused
from tests.world import World


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1"),
        ("POST", "/v1"),
        ("GET", "/v1/nothing"),
        ("POST", "/v1/keys/"),
        ("GET", "/v1/keys//disable"),
        ("POST", "/v1/keys/key_1/rotat"),
        ("POST", "/v1/keys/key_1/disable/"),
        ("GET", "/v1/Keys"),
        ("GET", "/v1/owners/app"),
        ("GET", "/v1/owners/app/1/2"),
        ("GET", "/v1/%6Beys"),
        ("GET", "/v1/nothing%0A"),
        ("GET", "/v1/keys%00"),
    ],
)
def test_an_unknown_path_is_refused_whoever_asks_and_aws_not_asked(
    bundle: Bundle, house: World, method: str, target: str
) -> None:
    for headers in ({}, house.bearer, {"Authorization": "Bearer x"}):
        answer = bundle.request(method, target, headers)
        refused(answer, "path-unknown")
        assert answer.calls == ()


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("DELETE", "/v1/keys", "GET, POST"),
        ("PUT", "/v1/keys/key_1", "DELETE, GET, PATCH"),
        ("GET", "/v1/keys/key_1/disable", "POST"),
        ("GET", "/v1/tenants", "POST"),
        ("PUT", "/v1/owners/app/1", "DELETE, GET, PATCH"),
        ("OPTIONS", "/v1/keys", "GET, POST"),
        ("HEAD", "/v1/audit", "GET"),
        ("POST", "/v1/owners/app/1", "DELETE, GET, PATCH"),
        ("POST", "/v1/keys/key_1/links/link_1", "DELETE"),
    ],
)
def test_a_wrong_method_is_refused_and_aws_not_asked(
    bundle: Bundle, house: World, method: str, target: str, allowed: str
) -> None:
    for headers in ({}, house.bearer):
        answer = bundle.request(method, target, headers)
        refused(answer, "method-refused")
        assert answer.headers["allow"] == allowed
        assert answer.calls == ()


def test_what_is_no_wrong_method_allows_none(bundle: Bundle) -> None:
    for target in ("/v1/nothing", "/v1/keys/", "/v1/keys%00"):
        assert "allow" not in bundle.request("GET", target).headers


def test_a_body_makes_no_difference(bundle: Bundle) -> None:
    for body in (b"{", b"x" * 100_000, b"\xff"):
        refused(bundle.request("POST", "/v1/nothing", body=body), "path-unknown")

"""What no endpoint of Volt MX answers: 404 for a path, 405 for a method, in the dialect's message."""

from __future__ import annotations

import pytest

from tests.bundle import Bundle
from tests.world import World

KEY = "/api/v1/applications/key/03fb1ae7-5c6b-4ee4-9ac9-47878368b394"


@pytest.mark.parametrize(
    ("path", "methods", "allowed"),
    [
        ("/api/v1/applications/key?appId=20417-5530918264", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"], "GET, POST"),
        (KEY, ["PUT", "PATCH", "HEAD", "OPTIONS"], "DELETE, GET, POST"),
        ("/authService/accounts/login", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"], "POST"),
    ],
)
def test_a_wrong_method_is_told_so(bundle: Bundle, path: str, methods: list[str], allowed: str) -> None:
    for method in methods:
        check_wrong_method(bundle, method, path, allowed)


def check_wrong_method(bundle: Bundle, method: str, path: str, allowed: str) -> None:
    answer = bundle.request(method, path)

    assert answer.status == 405
    assert answer.headers["allow"] == allowed
    assert answer.body == b'{"id":"","message":"Invalid Method"}'


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/applications/key/",
        "/api/v1/applications/key/1/2",
        "/api/v1/applications/key/a/publish",
        "/api/v1/applications/key/%0A",
        f"{KEY}%00",
        f"{KEY}/",
        "/authService",
        "/authService/",
        "/authService/accounts",
        "/authService/accounts/profile",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_told_so(bundle: Bundle, method: str, path: str) -> None:
    answer = bundle.request(method, path)

    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == b'{"id":"","message":"Invalid URL"}'


def test_credentials_and_bodies_change_nothing_and_nothing_is_read(bundle: Bundle, world: World) -> None:
    headers = {"X-VoltMX-Authorization": world.operator_token}

    answer = bundle.request("PUT", "/api/v1/applications/key", headers, form={"appId": "1", "neverExpires": "true"})

    assert answer.status == 405
    assert answer.calls == ()

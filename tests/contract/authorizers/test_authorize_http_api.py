"""authorizers.authorize_http_api: what an HTTP API is told, payload format 2.0."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.model import KeyKind
from tests.bundle import Bundle
from tests.contract.authorizers.authorizing import HTTP, Asked, bearer, event
from tests.world import World


@pytest.fixture
def token(world: World) -> str:
    return world.issue(KeyKind.NATIVE, world.app().ref, scopes=("orders:read",)).token.reveal()


def ask(bundle: Bundle, world: World, *headers: tuple[str, str], **said: str) -> Asked:
    return Asked(bundle, HTTP, event(HTTP, world.tenant, *headers, **said))


def test_it_says_yes_or_no_in_the_simple_form(bundle: Bundle, world: World, token: str) -> None:
    yes = ask(bundle, world, bearer(token))
    assert yes.payload.keys() == {"isAuthorized", "context"}
    assert yes.payload["isAuthorized"] is True
    no = ask(bundle, world, bearer("kw_local_nonsense"))
    assert no.payload == {"isAuthorized": False, "context": {"reason": "unknown"}}


def test_it_answers_by_a_policy_where_simple_responses_are_off(bundle: Bundle, world: World, token: str) -> None:
    yes = ask(bundle, world, bearer(token), answers="policy")
    arn = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/$default/GET/orders/4711"
    assert yes.payload["policyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": arn}],
    }
    assert yes.payload["principalId"] == yes.context["key_id"]
    no = ask(bundle, world, bearer("kw_local_nonsense"), answers="policy")
    assert not no.allowed
    assert no.payload["principalId"] == "unknown"


@pytest.mark.parametrize("path", ["/orders/*", "/orders/47?1"])
def test_a_policy_never_holds_a_wildcard_that_the_client_chose(
    bundle: Bundle, world: World, token: str, path: str
) -> None:
    """Kept by a cache, it would open every other path as well."""
    asked = ask(bundle, world, bearer(token), path=path, answers="policy")
    assert not asked.allowed
    assert asked.line["reason"] == "path_refused"
    assert ask(bundle, world, bearer(token), path=path).allowed


@pytest.mark.parametrize(
    ("route", "scopes", "allowed"),
    [
        ("$default", "default=orders:read", True),
        ("$default", "default=orders:write", False),
        ("$default", "GET/orders=orders:read", False),
        ("ANY /orders", "ANY/orders=orders:read", True),
        ("ANY /orders", "GET/orders=orders:read,ANY/orders=orders:write", True),
        ("ANY /orders", "GET/orders=orders:write,ANY/orders=orders:read", False),
    ],
)
def test_the_routes_that_take_whatever_comes_have_their_own_spelling(
    bundle: Bundle, world: World, token: str, route: str, scopes: str, allowed: bool
) -> None:
    assert ask(bundle, world, bearer(token), route=route, scopes=scopes).allowed is allowed


def test_several_headers_that_the_gateway_joined_are_no_key(bundle: Bundle, world: World, token: str) -> None:
    made: dict[str, Any] = event(HTTP, world.tenant, bearer(f"{token},Bearer {token}"))
    asked = Asked(bundle, HTTP, made)
    assert not asked.allowed
    assert asked.calls == []

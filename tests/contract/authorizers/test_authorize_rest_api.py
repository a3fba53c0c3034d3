"""authorizers.authorize_rest_api: what a REST API is told, type REQUEST."""

from __future__ import annotations

import pytest

from keywright.authorizer import Unauthorized
from keywright.model import KeyKind
from tests.bundle import Bundle
from tests.contract.authorizers.authorizing import REST, Asked, bearer, event
from tests.world import World


@pytest.fixture
def token(world: World) -> str:
    return world.issue(KeyKind.NATIVE, world.app().ref, scopes=("orders:read",)).token.reveal()


def ask(bundle: Bundle, world: World, *headers: tuple[str, str], **said: str) -> Asked:
    return Asked(bundle, REST, event(REST, world.tenant, *headers, **said))


def test_it_permits_the_one_method_and_path_that_was_asked_for(bundle: Bundle, world: World, token: str) -> None:
    asked = ask(bundle, world, bearer(token))
    assert asked.payload["principalId"] == asked.context["key_id"]
    assert asked.payload["policyDocument"]["Statement"] == [
        {
            "Action": "execute-api:Invoke",
            "Effect": "Allow",
            "Resource": "arn:aws:execute-api:eu-west-1:123456789012:f6g7h8i9j0/v1/GET/orders/4711",
        }
    ]


def test_the_context_is_flat_and_of_strings_as_the_gateway_demands(bundle: Bundle, world: World, token: str) -> None:
    context = ask(bundle, world, bearer(token)).context
    assert all(isinstance(value, str) for value in context.values())
    assert context["scopes"] == "orders:read"


@pytest.mark.parametrize("headers", [[], [("Authorization", "Bearer kw_local_nonsense")]])
def test_a_key_that_is_none_is_the_gateways_401(bundle: Bundle, world: World, headers: list[tuple[str, str]]) -> None:
    asked = ask(bundle, world, *headers)
    assert isinstance(asked.fault, Unauthorized)
    assert str(asked.fault) == "Unauthorized", "the gateway compares the whole message"


def test_a_good_key_that_may_not_is_the_gateways_403_and_says_why(bundle: Bundle, world: World, token: str) -> None:
    asked = ask(bundle, world, bearer(token), scopes="default=orders:write")
    assert not asked.allowed
    assert asked.context == {"reason": "scope_missing"}


def test_an_answer_cannot_be_simple(bundle: Bundle, world: World, token: str) -> None:
    assert "policyDocument" in ask(bundle, world, bearer(token), answers="simple").payload


@pytest.mark.parametrize("path", ["/orders/*", "/orders/47?1"])
def test_a_policy_never_holds_a_wildcard_that_the_client_chose(
    bundle: Bundle, world: World, token: str, path: str
) -> None:
    asked = ask(bundle, world, bearer(token), path=path)
    assert not asked.allowed
    assert asked.line["reason"] == "path_refused"

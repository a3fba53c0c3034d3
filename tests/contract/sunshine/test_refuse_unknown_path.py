"""SunshineRefuseUnknownPath: what is no endpoint's is refused in the dialect's words, by a function without rights."""

from __future__ import annotations

import pytest

from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.sunshine.place import NOT_FOUND, Keys

KEYS = "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9/integrations/5ed0f0a1b2c3d4e5f6a7b8ca/keys"


@pytest.mark.parametrize("prefix", ["", "/sc"])
@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/",
        "/v2//",
        "/v2/apps",
        "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9",
        "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9/conversations",
        "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9/integrations",
        "/v2/Apps/5ed0f0a1b2c3d4e5f6a7b8c9/integrations/5ed0f0a1b2c3d4e5f6a7b8ca/keys",
        "/v2/apps//integrations/5ed0f0a1b2c3d4e5f6a7b8ca/keys",
        f"{KEYS}/",
        f"{KEYS}/int_658cda1495e60af593bd04cf/",
        f"{KEYS}/int_658cda1495e60af593bd04cf/more",
        "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9/keys/",
        "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9/keys/app_658cda1495e60af593bd04cf/",
        "/v2/apps/5ed0f0a1b2c3d4e5f6a7b8c9/keys/app_658cda1495e60af593bd04cf/more",
        "/v2/apps//keys",
        "/v2/oauth/authorize?client_id=x",
        "/v2/%00",
        "/v2/%F0%28",
        f"/v2/{'x' * 5_000}",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_not_found_whoever_asks(bundle: Bundle, prefix: str, path: str, method: str) -> None:
    answer = bundle.request(method, f"{prefix}{path}")
    assert (answer.status, answer.body, answer.calls) == (404, NOT_FOUND, ())
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("prefix", ["", "/sc"])
@pytest.mark.parametrize("of_one", [False, True])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD"])
def test_a_method_that_an_address_does_not_have_is_not_found_either(
    shared_keys: Keys, prefix: str, method: str, of_one: bool
) -> None:
    answer = shared_keys.ask(
        method, shared_keys.unknown if of_one else "", prefix=prefix, json_body={"displayName": "x"}
    )
    assert (answer.status, answer.body, answer.calls) == (404, NOT_FOUND, ())


def test_nothing_is_created_at_a_keys_own_address_and_nothing_deleted_at_that_of_all(shared_keys: Keys) -> None:
    """There is no update, no regeneration, and no deletion of all: the vendor has none."""
    for method, key in (("POST", shared_keys.unknown), ("DELETE", "")):
        answer = shared_keys.ask(method, key, json_body={"displayName": "x"})
        assert (answer.status, answer.body, answer.calls) == (404, NOT_FOUND, ())


def test_the_function_that_refuses_may_do_nothing(stack: Stack) -> None:
    assert stack.template.functions["SunshineRefuseUnknownPath"].policies == ()

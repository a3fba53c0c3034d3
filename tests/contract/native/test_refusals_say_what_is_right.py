"""What a refusal says beyond which field it is about: what would be right, and nothing of what was given."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.model import KeyKind
from tests.bundle import Bundle
from tests.contract.native.desk import INVALID, LONG, MISSING, SHORT, TYPE, UNKNOWN, fields_refused, holder_of, refused
from tests.description import described
from tests.world import World

A_TIME = "It is a time by RFC 3339, as 2030-01-31T12:00:00Z."
A_RANGE = "It is a range as 192.0.2.0/24, without a bit beyond its prefix."
ONE_CREDENTIAL = (
    "It is one credential: token; key_id and secret; app_key and access_key; header; or, in a dialect that takes them, "
    "headers and parameters."
)
NO_SECRET = "kw_" + "s" * 40

OF_AN_ORDER: list[tuple[dict[str, Any], str, str, str]] = [
    ({"expires_at": "tomorrow"}, "expires_at", INVALID, A_TIME),
    ({"expires_at": 1}, "expires_at", INVALID, A_TIME),
    ({"expires_at": "2030-01-01"}, "expires_at", INVALID, "Input should have timezone info."),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at", INVALID, "It must be in the future."),
    ({"cache_seconds": 100}, "cache_seconds", INVALID, "Input should be less than or equal to 60."),
    ({"cache_seconds": "1"}, "cache_seconds", TYPE, "Input should be a valid integer."),
    ({"allowed_cidrs": ["10.0.0.1/8"]}, "allowed_cidrs[0]", INVALID, A_RANGE),
    ({"allowed_cidrs": [NO_SECRET]}, "allowed_cidrs[0]", INVALID, A_RANGE),
    ({"metadata": {"a": 1}}, "metadata", INVALID, "Its names and values are printable text, and no name is empty."),
    ({"metadata": NO_SECRET}, "metadata", INVALID, "It is an object of at most 50 members."),
    ({"metadata": {"a": "b" * 2048}}, "metadata", INVALID, "Its names and values have at most 2048 bytes together."),
    ({"description": "a\nb"}, "description", INVALID, "It has printable characters only."),
    ({"description": "a" * 201}, "description", LONG, "String should have at most 200 characters."),
    ({"quota": {"limit": 1, "every": NO_SECRET}}, "quota.every", INVALID, "Input should be 'day' or 'month'."),
    (
        {"kind": "rep_key"},
        "kind",
        INVALID,
        (
            "Of this owner it is one of: native, access_token, oauth_client, refresh_token, account_secret, "
            "service_account_secret."
        ),
    ),
    (
        {"hand_over": {"expires_in": 10}},
        "hand_over.expires_in",
        INVALID,
        "Input should be greater than or equal to 900.",
    ),
]


@pytest.mark.parametrize(("given", "field", "problem", "detail"), OF_AN_ORDER)
def test_a_field_that_is_wrong_is_told_what_is_right(
    bundle: Bundle, world: World, given: dict[str, Any], field: str, problem: str, detail: str
) -> None:
    body = {"owner": {"kind": "operator", "id": world.operator.ref.id}, **given}
    answer = bundle.request("POST", "/v1/keys", world.bearer, json_body=body)
    fields_refused(answer, (field, problem), details=[detail])
    assert NO_SECRET not in answer.text


@pytest.mark.parametrize(
    ("given", "field", "problem", "detail"),
    [
        ({}, "token", MISSING, ONE_CREDENTIAL),
        ({"token": "x", "key_id": "y"}, "token", INVALID, ONE_CREDENTIAL),
        ({"token": "x", "header": {"name": "Authorization", "value": "x"}}, "header", INVALID, ONE_CREDENTIAL),
        ({"token": "x", "address": NO_SECRET}, "address", INVALID, "It is an IPv4 or IPv6 address."),
        (
            {"dialect": "salesiq", "headers": {"a": "b"}},
            "headers",
            INVALID,
            "In this dialect a credential is given by its own members.",
        ),
    ],
)
def test_so_is_a_field_of_a_verification(
    bundle: Bundle, world: World, given: dict[str, Any], field: str, problem: str, detail: str
) -> None:
    answer = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=given)
    fields_refused(answer, (field, problem), details=[detail])
    assert NO_SECRET not in answer.text


@pytest.mark.parametrize(
    ("key", "problem", "details"),
    [("a,b", INVALID, ["It is a quoted string, or a word without comma, quote or backslash."]), ("", SHORT, [])],
)
def test_so_is_an_idempotency_key(bundle: Bundle, world: World, key: str, problem: str, details: list[str]) -> None:
    body = {"owner": {"kind": "operator", "id": world.operator.ref.id}}
    answer = bundle.request("POST", "/v1/keys", {**world.bearer, "Idempotency-Key": key}, json_body=body)
    fields_refused(answer, ("Idempotency-Key", problem), details=details)


def test_a_caller_without_the_scope_is_told_which(bundle: Bundle, world: World) -> None:
    answer = bundle.request("GET", "/v1/keys?owner_kind=app&owner_id=1", holder_of(world, "keys:verify"))
    refused(answer, "scope-missing", "It takes the scope keys:read.")


@pytest.mark.parametrize(
    ("target", "type_"),
    [
        ("/v1/keys", "application/json"),
        ("/v1/introspect", "application/x-www-form-urlencoded"),
        ("/v1/keys/revoke-self", "application/json and application/x-www-form-urlencoded"),
    ],
)
def test_a_body_of_another_type_is_told_which(bundle: Bundle, world: World, target: str, type_: str) -> None:
    answer = bundle.request("POST", target, {**world.bearer, "Content-Type": "text/plain"}, body=b"{}")
    refused(answer, "content-type-refused", f"It takes {type_}.")


# --- the parameters of a query -------------------------------------------------------------------------------------

LISTS = {
    path: [each["name"] for each in item["get"]["parameters"] if each["in"] == "query"]
    for path, item in described()["paths"].items()
    if path.startswith("/v1/") and any(each["in"] == "query" for each in item.get("get", {}).get("parameters", ()))
}


def test_the_lists_are_these() -> None:
    assert sorted(LISTS) == ["/v1/audit", "/v1/keys", "/v1/keys/{key_id}/links", "/v1/owners"]


@pytest.mark.parametrize("path", LISTS)
def test_a_parameter_that_is_misspelt_does_not_find_everything(bundle: Bundle, world: World, path: str) -> None:
    target = path.format(key_id=world.issue(KeyKind.NATIVE, world.operator.ref).key.id)
    answer = bundle.request("GET", f"{target}?stat=revoked", world.bearer)
    fields_refused(answer, ("stat", UNKNOWN), details=[f"There are: {', '.join(LISTS[path])}."])


@pytest.mark.parametrize("path", LISTS)
def test_each_parameter_that_is_described_is_known(bundle: Bundle, world: World, path: str) -> None:
    target = path.format(key_id=world.issue(KeyKind.NATIVE, world.operator.ref).key.id)
    for name in LISTS[path]:
        answer = bundle.request("GET", f"{target}?{name}=1&{name}=2", world.bearer)
        fields_refused(answer, (name, INVALID), details=["It was given twice."])

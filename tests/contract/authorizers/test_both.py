"""What holds for authorizers.authorize_http_api and authorizers.authorize_rest_api, each under its own rights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keywright import errors, lifecycle
from keywright.authorizer import Misconfigured, Unauthorized
from keywright.limits import Every, Quota, RateLimit
from keywright.model import KeyKind, Reason
from keywright.verification import VERIFIABLE
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.authorizers.authorizing import ADDRESS, HTTP, REST, ROOT, Asked, bearer, committed, event
from tests.world import World

BOTH = pytest.mark.parametrize("function", [HTTP, REST])
SECRET_LOOKING = "kw_local_" + "S" * 49


@pytest.fixture
def ask(bundle: Bundle, world: World) -> Callable[..., Asked]:
    def asked(function: str, *headers: tuple[str, str], **said: str) -> Asked:
        return Asked(bundle, function, event(function, world.tenant, *headers, **said))

    return asked


Ask = Callable[..., Asked]


def native(world: World, *scopes: str, **order: Any) -> Any:
    return world.issue(KeyKind.NATIVE, world.app().ref, scopes=scopes, **order)


# --- whose key is good ---------------------------------------------------------------------------------------------


@BOTH
def test_a_good_key_opens_by_one_read_and_the_api_learns_whose_it_is(ask: Ask, world: World, function: str) -> None:
    issued = native(world, "orders:read", "orders:list")
    world.overwrite(issued.key, external_id="customer-7")
    asked = ask(function, bearer(issued.token.reveal()))
    assert asked.allowed
    assert asked.calls == ["GetItem"]
    assert asked.context == {
        "key_id": issued.key.id,
        "kind": "native",
        "tenant": world.tenant,
        "owner_kind": "app",
        "owner_id": issued.key.owner.id,
        "external_id": "customer-7",
        "scopes": "orders:read orders:list",
    }


@BOTH
def test_the_line_is_the_metric_too_and_says_nothing_that_is_secret(ask: Ask, world: World, function: str) -> None:
    issued = native(world, "orders:read")
    token = issued.token.reveal()
    asked = ask(function, bearer(token), path="/orders/a-name-in-the-path")
    measured = asked.line.pop("_aws")
    assert measured["CloudWatchMetrics"][0]["Namespace"] == "Keywright/keywright"
    assert measured["CloudWatchMetrics"][0]["Dimensions"] == [["service", "surface"]]
    assert {each["Name"]: asked.line[each["Name"]] for each in measured["CloudWatchMetrics"][0]["Metrics"]} == {
        "Answers": 1,
        "Refusals": 0,
        "Faults": 0,
    }
    assert asked.line["key_id"] == issued.key.id
    assert asked.line["route"] == "GET /orders/{id}"
    assert token not in asked.printed
    assert token[9:] not in asked.printed
    assert "a-name-in-the-path" not in asked.printed
    assert ADDRESS not in asked.printed


@BOTH
@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda world, key: lifecycle.disable(world.desk, world.principal, key), "disabled"),
        (lambda world, key: lifecycle.revoke(world.desk, world.principal, key), "revoked"),
        (lambda world, key: world.expire(key), "expired"),
    ],
)
def test_the_very_next_call_after_its_end_refuses_a_key(
    ask: Ask, world: World, function: str, end: Callable[[World, Any], object], reason: str
) -> None:
    issued = native(world)
    assert ask(function, bearer(issued.token.reveal())).allowed
    end(world, issued.key)
    asked = ask(function, bearer(issued.token.reveal()))
    assert not asked.allowed
    assert asked.line["reason"] == reason
    assert asked.line["Refusals"] == 1
    assert asked.line["Faults"] == 0


@BOTH
def test_the_key_of_another_tenant_is_unknown(ask: Ask, another_world: World, function: str) -> None:
    asked = ask(function, bearer(native(another_world, "*").token.reveal()))
    assert not asked.allowed
    assert asked.line["reason"] == "unknown"
    assert another_world.tenant not in asked.printed


@BOTH
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Bearer ")],
        [("Authorization", f"Bearer {SECRET_LOOKING}")],
        [("Authorization", f"Basic {SECRET_LOOKING}")],
        [("Authorization", SECRET_LOOKING)],
        [("Cookie", f"Authorization={SECRET_LOOKING}")],
    ],
)
def test_what_can_be_no_key_is_refused_without_a_read(ask: Ask, function: str, headers: list[tuple[str, str]]) -> None:
    asked = ask(function, *headers)
    assert not asked.allowed
    assert asked.calls == []
    assert asked.line["reason"] == ("missing" if not headers or headers[0][0] == "Cookie" else "unknown")
    assert SECRET_LOOKING not in asked.printed


@BOTH
def test_two_headers_are_none_even_if_both_are_good(ask: Ask, world: World, function: str) -> None:
    token = native(world).token.reveal()
    assert not ask(function, bearer(token), bearer(token)).allowed


@BOTH
def test_the_scheme_is_read_without_case_and_the_token_with_it(ask: Ask, world: World, function: str) -> None:
    token = native(world).token.reveal()
    assert ask(function, ("authorization", f"bEARER   {token}")).allowed
    assert not ask(function, bearer(token.swapcase())).allowed


@BOTH
def test_an_api_may_look_for_the_key_in_a_header_of_its_own(ask: Ask, world: World, function: str) -> None:
    token = native(world).token.reveal()
    assert ask(function, ("X-API-Key", token), header="x-api-key").allowed
    assert ask(function, ("X-API-Key", f"Key {token}"), header="X-Api-Key:Key").allowed
    assert not ask(function, ("X-API-Key", f"Key {token}"), header="X-Api-Key").allowed
    assert not ask(function, bearer(token), header="X-Api-Key").allowed


@BOTH
def test_only_native_keys_are_good_unless_an_api_names_other_kinds(ask: Ask, world: World, function: str) -> None:
    access = world.access_token("orders:read")
    assert not ask(function, bearer(access)).allowed
    asked = ask(function, bearer(access), kinds="native,access_token")
    assert asked.allowed
    assert asked.calls == ["GetItem", "GetItem"], "whether the operator is enabled is looked at as it is now"


# --- what it may open ----------------------------------------------------------------------------------------------

SCOPES = "GET/orders=orders:read,GET/orders/:id=orders:read&orders:list,ANY/files/:path~=files:*,default=admin"
ROUTES = [
    ("GET /orders", ["orders:read"], True),
    ("GET /orders", ["orders:*"], True),
    ("GET /orders", ["*"], True),
    ("GET /orders", ["orders:write"], False),
    ("GET /orders", [], False),
    ("GET /orders/{id}", ["orders:read"], False),
    ("GET /orders/{id}", ["orders:read", "orders:list"], True),
    ("PUT /files/{path+}", ["files:*"], True),
    ("PUT /files/{path+}", ["orders:read"], False),
    ("DELETE /orders/{id}", ["orders:read", "orders:list"], False),
    ("DELETE /orders/{id}", ["admin"], True),
]


@BOTH
@pytest.mark.parametrize(("route", "scopes", "opens"), ROUTES)
def test_a_route_needs_all_the_scopes_that_its_api_names(
    ask: Ask, world: World, function: str, route: str, scopes: list[str], opens: bool
) -> None:
    token = native(world, *scopes).token.reveal()
    asked = ask(function, bearer(token), route=route, scopes=SCOPES)
    assert asked.allowed is opens
    if not opens:
        assert asked.context == {"reason": "scope_missing"}
        assert asked.line["reason"] == "scope_missing"


@BOTH
def test_a_route_that_is_not_listed_is_closed_once_any_is(ask: Ask, world: World, function: str) -> None:
    token = native(world, "*").token.reveal()
    assert ask(function, bearer(token), route="GET /orders").allowed
    closed = ask(function, bearer(token), route="GET /invoices", scopes="GET/orders=orders:read")
    assert closed.context == {"reason": "route_not_listed"}
    assert ask(function, bearer(token), route="GET /invoices", scopes="GET/orders=a", scopes_more="default=b").allowed


@BOTH
def test_an_empty_list_of_scopes_asks_for_nothing_but_a_good_key(ask: Ask, world: World, function: str) -> None:
    assert ask(function, bearer(native(world).token.reveal()), route="GET /me", scopes="GET/me=").allowed
    assert not ask(function, bearer(SECRET_LOOKING), route="GET /me", scopes="GET/me=").allowed


# --- addresses and limits ------------------------------------------------------------------------------------------


@BOTH
def test_a_key_is_good_from_the_addresses_of_its_list_alone(ask: Ask, world: World, function: str) -> None:
    issued = native(world)
    world.overwrite(issued.key, allowed_cidrs=("203.0.113.0/24",))
    assert ask(function, bearer(issued.token.reveal())).allowed
    elsewhere = native(world)
    world.overwrite(elsewhere.key, allowed_cidrs=("198.51.100.0/24",))
    asked = ask(function, bearer(elsewhere.token.reveal()))
    assert not asked.allowed
    assert asked.line["reason"] == "address_not_allowed"


@BOTH
def test_a_key_over_its_rate_limit_is_refused(ask: Ask, world: World, function: str) -> None:
    issued = native(world)
    world.overwrite(issued.key, rate_limit=RateLimit(limit=2, period_seconds=3600, burst=2))
    answers = [ask(function, bearer(issued.token.reveal())) for _ in range(3)]
    assert [each.allowed for each in answers] == [True, True, False]
    assert answers[0].calls == ["GetItem", "UpdateItem"]
    assert answers[2].context["reason"] == "rate_limited"
    assert answers[1].context["rate_limit"].startswith('"rate";r=0')


@BOTH
def test_an_api_that_answers_429_itself_gets_the_call_marked(ask: Ask, world: World, function: str) -> None:
    issued = native(world)
    world.overwrite(issued.key, quota=Quota(limit=1, every=Every.DAY))
    assert "limited_by" not in ask(function, bearer(issued.token.reveal()), limits="pass").context
    asked = ask(function, bearer(issued.token.reveal()), limits="pass")
    assert asked.allowed
    assert asked.context["limited_by"] == "quota"
    assert 0 < int(asked.context["retry_after"]) <= 86_400
    assert asked.line["reason"] == "quota_exceeded"
    assert asked.line["Refusals"] == 1


@BOTH
def test_what_is_refused_anyway_costs_nothing_of_a_limit(ask: Ask, world: World, function: str) -> None:
    issued = native(world)
    world.overwrite(issued.key, quota=Quota(limit=1, every=Every.DAY))
    token = bearer(issued.token.reveal())
    assert ask(function, token, scopes="default=orders:read").calls == ["GetItem"]
    assert ask(function, token).allowed


# --- what is no verdict --------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "keywright_tenant"),
        ({"tenant": ""}, "keywright_tenant"),
        ({"tenant": "t", "header": "a b"}, "keywright_header"),
        ({"tenant": "t", "header": "Authorization:"}, "keywright_header"),
        ({"tenant": "t", "kinds": "native,"}, "keywright_kinds"),
        ({"tenant": "t", "kinds": "refresh_token"}, "keywright_kinds"),
        ({"tenant": "t", "answers": "yes"}, "keywright_answers"),
        ({"tenant": "t", "limits": "ignore"}, "keywright_limits"),
        ({"tenant": "t", "scope": "GET/a=b"}, "keywright_scope"),
        ({"tenant": "t", "scopes": "GET/a"}, "keywright_scopes"),
        ({"tenant": "t", "scopes": "get/a=b"}, "keywright_scopes"),
        ({"tenant": "t", "scopes": "GET/a=b,"}, "keywright_scopes"),
        ({"tenant": "t", "scopes": "GET/a=b", "scopes_2": "GET/a=c"}, "keywright_scopes_2"),
    ],
)
def test_variables_that_are_not_understood_open_nothing_and_are_named(
    bundle: Bundle, world: World, function: str, variables: dict[str, str], named: str
) -> None:
    made = event(function, world.tenant, bearer(native(world, "*").token.reveal()))
    tenant = {"tenant": world.tenant} if variables.get("tenant") == "t" else {}
    made["stageVariables"] = {f"keywright_{name}": value for name, value in {**variables, **tenant}.items()} or None
    asked = Asked(bundle, function, made)
    assert isinstance(asked.fault, Misconfigured)
    assert asked.calls == []
    assert asked.line["level"] == "ERROR"
    assert asked.line["Faults"] == 1
    assert f"stage variable {named} " in asked.line["cause"]


@BOTH
def test_variables_of_the_apis_own_are_left_alone(bundle: Bundle, world: World, function: str) -> None:
    made = event(function, world.tenant, bearer(native(world).token.reveal()))
    made["stageVariables"] |= {"backend": "orders.internal", "scopes": "none of ours"}
    assert Asked(bundle, function, made).allowed


@BOTH
def test_a_table_that_does_not_answer_is_neither_yes_nor_no(
    ask: Ask, stack: Stack, world: World, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    token = bearer(native(world).token.reveal())
    with monkeypatch.context() as down:
        down.setattr(stack.aws, "fault", lambda _: Fault(error("InternalServerError", 500)))
        asked = ask(function, token)
        assert isinstance(asked.fault, errors.Unavailable)
        assert not isinstance(asked.fault, Unauthorized)
        assert asked.line["Faults"] == 1
        assert token[1] not in asked.printed
    assert ask(function, token).allowed


MAY = {
    ("dynamodb:GetItem", False): {"TOKEN#*", "OWNERS#*"},
    ("dynamodb:UpdateItem", False): {"USE#*", "LIMIT#*"},
    ("dynamodb:UpdateItem", True): {"REFUSALS#*"},
    ("dynamodb:PutItem", True): {"EVENTS#*"},
}
"""All that an authorizer may do, and to which rows: alone, or in a transaction only."""


@BOTH
def test_it_holds_no_right_to_decrypt_and_writes_to_no_row_of_a_key(stack: Stack, function: str) -> None:
    statements = [
        statement
        for policy in stack.template.functions[function].policies
        for statement in policy.document["Statement"]
    ]
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        rows = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        in_a_transaction = "StringEquals" in statement["Condition"]
        (kinds,) = [MAY.get((action, in_a_transaction), set()) for action in actions]
        assert set(rows) <= kinds


def test_every_reason_of_a_verification_is_one_of_the_two_kinds_of_no(bundle: Bundle, world: World) -> None:
    """A REST API's 401 is for a key that is none; a 403 for a good one that may not do this, here or now."""
    issued = native(world)
    world.overwrite(issued.key, allowed_cidrs=("198.51.100.0/24",))
    asked = Asked(bundle, REST, event(REST, world.tenant, bearer(issued.token.reveal())))
    assert asked.fault is None
    assert asked.context == {"reason": Reason.ADDRESS_NOT_ALLOWED.value}


@BOTH
def test_the_committed_event_is_of_the_form_that_the_gateway_sends(function: str) -> None:
    names = committed(function).keys()
    assert {"type", "stageVariables", "requestContext", "headers"} <= names
    assert ({"routeArn", "routeKey", "identitySource"} if function == HTTP else {"methodArn", "resource"}) <= names


def test_the_kinds_that_the_documentation_names_are_those_that_can_be_verified() -> None:
    text = (ROOT / "docs/operations/authorizer.md").read_text()
    assert all(f"`{kind}`" in text for kind in VERIFIABLE)

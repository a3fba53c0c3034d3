"""The sample API behind the authorizer, end to end: its own template, function and settings, as `make run` has it."""

from __future__ import annotations

import http.client
import importlib.util
import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from keywright import lifecycle
from keywright.limits import RateLimit
from keywright.model import KeyKind
from local.gateway import Gateway
from local.runtime import Result
from local.stack import Stack
from local.template import Template
from tests.bundle import Bundle
from tests.contract.authorizers.authorizing import HTTP, ROOT
from tests.world import World

SAMPLE = ROOT / "docs/samples/guarded-api"
VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]{1,512}")
"""What API Gateway lets a stage variable be."""


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Guarded:
    def __init__(self, gateway: Gateway, world: World) -> None:
        self._gateway, self.world = gateway, world

    def call(self, method: str, path: str, *headers: tuple[str, str]) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self._gateway.port, timeout=20)) as line:
            line.putrequest(method, path)
            for name, value in headers:
                line.putheader(name, value)
            line.endheaders()
            answer = line.getresponse()
            text = answer.read()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(text))

    def ask(self, token: str, method: str = "GET", path: str = "/orders") -> Answer:
        return self.call(method, path, ("Authorization", f"Bearer {token}"))


@pytest.fixture
def sample(stack: Stack, world: World) -> Template:
    return Template.load(SAMPLE / "template.yaml", {"Tenant": world.tenant}, stack="sample", beside=stack.template)


@pytest.fixture
def guarded(bundle: Bundle, world: World, sample: Template) -> Iterator[Guarded]:
    declared = sample.functions["Orders"]
    spec = importlib.util.spec_from_file_location("orders", declared.path[0] / "orders.py")
    assert spec is not None
    assert spec.loader is not None
    orders = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(orders)

    def invoke(function: str, event: dict[str, Any]) -> Result:
        if function == "Orders":
            return Result(json.loads(json.dumps(orders.handler(event, None))))
        assert function == HTTP
        try:
            return bundle.invoke(function, event)
        except Exception as fault:  # noqa: BLE001  as the runtime has it
            return Result({"errorMessage": str(fault)}, failed=True)

    with closing(Gateway(sample.routes, invoke, variables=sample.variables)) as gateway:
        gateway.start()
        yield Guarded(gateway, world)


def key(world: World, *scopes: str) -> Any:
    return world.issue(KeyKind.NATIVE, world.app().ref, scopes=scopes)


def test_a_good_key_opens_what_its_scopes_allow(guarded: Guarded) -> None:
    issued = key(guarded.world, "orders:*")
    token = issued.token.reveal()
    assert guarded.ask(token).status == 200
    assert guarded.ask(token, path="/orders/4711").body["id"] == "4711"
    made = guarded.ask(token, "POST")
    assert (made.status, made.body["ordered_by"]) == (201, issued.key.id)
    me = guarded.ask(token, path="/me")
    assert me.body == {
        "key_id": issued.key.id,
        "owner_kind": "app",
        "owner_id": issued.key.owner.id,
        "external_id": "",
        "scopes": "orders:*",
    }


def test_no_key_is_401_and_the_authorizer_is_not_even_asked(guarded: Guarded, stack: Stack) -> None:
    before = len(stack.aws.calls)
    answer = guarded.call("GET", "/orders")
    assert (answer.status, answer.body) == (401, {"message": "Unauthorized"})
    assert guarded.call("GET", "/orders", ("Authorization", "")).status == 401
    assert len(stack.aws.calls) == before


def test_a_bad_key_is_403(guarded: Guarded) -> None:
    answer = guarded.ask("kw_local_nonsense")
    assert (answer.status, answer.body) == (403, {"message": "Forbidden"})


def test_a_revoked_key_is_refused_by_the_very_next_call(guarded: Guarded) -> None:
    issued = key(guarded.world, "orders:read")
    assert guarded.ask(issued.token.reveal()).status == 200
    lifecycle.revoke(guarded.world.desk, guarded.world.principal, issued.key)
    assert guarded.ask(issued.token.reveal()).status == 403


def test_a_missing_scope_is_403_and_nothing_was_done(guarded: Guarded) -> None:
    token = key(guarded.world, "orders:read").token.reveal()
    before = guarded.ask(token).body
    assert guarded.ask(token, "POST").status == 403
    assert guarded.ask(token).body == before


def test_a_route_that_the_settings_do_not_list_is_closed_to_every_key(guarded: Guarded) -> None:
    assert guarded.ask(key(guarded.world, "*").token.reveal(), "DELETE", "/orders/4711").status == 403


def test_a_key_over_its_limit_gets_429_with_the_fields_that_say_when(guarded: Guarded) -> None:
    issued = key(guarded.world, "orders:read")
    guarded.world.overwrite(issued.key, rate_limit=RateLimit(limit=2, period_seconds=60, burst=2))
    token = issued.token.reveal()
    answers = [guarded.ask(token) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 429]
    assert re.fullmatch(r'"rate";r=1;t=\d+', answers[0].headers["ratelimit"])
    assert answers[0].headers["ratelimit-policy"] == '"rate";q=2;w=60'
    assert "retry-after" not in answers[1].headers
    assert re.fullmatch(r'"rate";r=0;t=\d+', answers[2].headers["ratelimit"])
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60


def test_another_tenants_key_is_refused_like_a_bad_one(guarded: Guarded, another_world: World) -> None:
    refused, bad = guarded.ask(key(another_world, "*").token.reveal()), guarded.ask("kw_local_nonsense")
    assert (refused.status, refused.body) == (bad.status, bad.body)


def test_the_sample_keeps_no_answer_and_looks_at_the_header_alone(sample: Template) -> None:
    """The local stack refuses a template whose authorizer has no time to live of 0; here every route is seen to have
    one, and its settings to be such as API Gateway takes."""
    authorizers = {route.authorizer for route in sample.routes}
    assert None not in authorizers
    (authorizer,) = authorizers
    assert authorizer is not None
    assert authorizer.headers == ("authorization",)
    assert authorizer.simple
    assert all(VALUE.fullmatch(value) for value in sample.variables.values())

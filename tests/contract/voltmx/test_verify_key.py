"""POST /v1/keys/verify, asked by a service behind about an App API key that a sender of Volt MX brought."""

from __future__ import annotations

from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import App, KeyKind
from tests.bundle import Bundle
from tests.contract.voltmx.engagement import (
    NOT_PUBLISHED,
    PATH,
    UNAUTHORIZED,
    WRONG_APP_KEY,
    change,
    claims,
    key_of,
    operators_token,
)
from tests.world import World


def ask(bundle: Bundle, world: World, **credential: Any) -> Any:
    body = {"dialect": "voltmx", **credential}
    answer = bundle.request("POST", "/v1/keys/verify", world.bearer, json_body=body)
    assert answer.status == 200
    return answer.json()


def refused(verdict: Any) -> tuple[int, str]:
    """Status and message of what the service behind may send on as it is."""
    assert verdict["valid"] is False
    refusal = verdict["refusal"]
    assert refusal["content_type"] == "application/json"
    assert refusal["headers"]["Cache-Control"] == "no-store"
    assert refusal["body"].startswith('{"id":"","message":"')
    return refusal["status"], refusal["body"].removeprefix('{"id":"","message":"').removesuffix('"}')


@pytest.mark.parametrize("header", ["X-VoltMX-App-API-Key", "x-voltmx-app-api-key", "X-Kony-App-API-Key"])
def test_a_key_is_good_in_its_header_and_names_application_and_user(
    bundle: Bundle, world: World, app: App, header: str
) -> None:
    token = operators_token(world, operator := world.add_operator("Ama"), "keys:issue")
    form = {"appId": app.id, "neverExpires": "true"}
    key = bundle.request("POST", PATH, claims(token), form=form).json()["id"]

    for spelling in (key, key.upper()):
        verdict = ask(bundle, world, headers={header: spelling, "X-VoltMX-Authorization": "nobody's"})
        assert verdict["valid"] is True
        assert verdict["owner"] == {"kind": "app", "id": app.id}
        assert verdict["issued_by"] == operator.id
        assert "refusal" not in verdict


def test_a_key_is_good_for_the_application_that_was_named(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    for parameters in ({}, {"appId": ""}, {"appId": app.id}, {"appId": [app.id], "other": "x"}):
        headers = {"X-VoltMX-App-API-Key": token}
        assert ask(bundle, world, headers=headers, parameters=parameters)["valid"] is True


def test_a_token_alone_will_do(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    assert ask(bundle, world, token=token)["valid"] is True
    assert refused(ask(bundle, world, token="guessed")) == (401, WRONG_APP_KEY)


def test_a_key_of_another_application_is_refused_as_such(bundle: Bundle, world: World, app: App) -> None:
    """Names do not count here: whoever could name an application after another's id would speak for that one."""
    _, token = key_of(world, app)
    other = world.app(name=app.id)

    for named in (other.id, app.name, f" {app.id}", "\ud800", [app.id, app.id]):
        verdict = ask(bundle, world, headers={"X-VoltMX-App-API-Key": token}, parameters={"appId": named})
        assert refused(verdict) == (400, NOT_PUBLISHED)
        assert verdict["reason"] == "owner_not_eligible"


def test_a_key_of_an_unpublished_application_is_refused_as_such(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)
    change(world, app, published=False)

    for parameters in ({}, {"appId": app.id}, {"appId": "elsewhere"}):
        verdict = ask(bundle, world, headers={"X-VoltMX-App-API-Key": token}, parameters=parameters)
        assert refused(verdict) == (400, NOT_PUBLISHED)


def test_every_other_key_is_refused_in_the_same_words(
    bundle: Bundle, world: World, another_world: World, app: App
) -> None:
    keys = [key_of(world, app) for _ in range(4)]
    world.expire(keys[0][0])
    lifecycle.disable(world.desk, world.principal, keys[1][0])
    lifecycle.revoke(world.desk, world.principal, keys[2][0])
    lifecycle.delete(world.desk, world.principal, keys[3][0])
    theirs = key_of(another_world, another_world.app(id=app.id))[1]
    rep = world.issue(KeyKind.REP_KEY, world.rep().ref).token.reveal()
    native = operators_token(world, app.ref, "*")

    for presented in (*(token for _, token in keys), theirs, rep, native, world.operator_token, "guessed"):
        verdict = ask(bundle, world, headers={"X-VoltMX-App-API-Key": presented}, parameters={"appId": app.id})
        assert refused(verdict) == (401, WRONG_APP_KEY)


def test_a_header_that_came_twice_is_no_key(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    verdict = ask(bundle, world, headers={"X-VoltMX-App-API-Key": [token, token]})

    assert refused(verdict) == (401, WRONG_APP_KEY)


def test_a_sender_without_a_key_is_unauthorized(bundle: Bundle, world: World) -> None:
    for headers in ({}, {"X-VoltMX-App-API-Key": ""}, {"X-Device-AuthToken": "x"}):
        assert refused(ask(bundle, world, headers=headers)) == (401, UNAUTHORIZED)

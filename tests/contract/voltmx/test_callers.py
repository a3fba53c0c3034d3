"""Who may call V2 to V6: operators by a claims token or Basic, applications by an App API key of theirs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from keywright import lifecycle
from keywright.model import App, KeyKind
from keywright.ports import SaveOwner
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.loss import lose
from tests.contract.voltmx.engagement import (
    NOT_PUBLISHED,
    NOTED,
    READS,
    UNAUTHORIZED,
    WRONG_APP_KEY,
    Headers,
    app_key,
    basic,
    body_of,
    change,
    claims,
    delete,
    get_all,
    get_one,
    get_refusal,
    key_of,
    modify,
    operators_token,
    refusal,
    verify,
)
from tests.world import World

Call = Callable[[Bundle, Headers, App, str], Answer]


class Operation(NamedTuple):
    """`call` names an application and one of its keys; `scope` is what it takes of an operator."""

    call: Call
    refusal: Callable[[Answer], tuple[int, str]]
    scope: str
    not_found: str


OPERATIONS = {
    "V2": Operation(
        lambda bundle, headers, app, _: get_all(bundle, headers, app.id),
        get_refusal,
        "keys:reveal",
        "Invalid AppId entered",
    ),
    "V3": Operation(
        lambda bundle, headers, _, token: get_one(bundle, headers, token),
        get_refusal,
        "keys:read",
        "App API key not found",
    ),
    "V4": Operation(
        lambda bundle, headers, _, token: modify(bundle, headers, token, {"description": "tills"}),
        refusal,
        "keys:change",
        "App API key not found for modification",
    ),
    "V5": Operation(
        lambda bundle, headers, _, token: modify(bundle, headers, token, {"neverExpires": "true"}),
        refusal,
        "keys:change",
        "App API key not found for modification",
    ),
    "V6": Operation(
        lambda bundle, headers, _, token: delete(bundle, headers, token),
        refusal,
        "keys:change",
        "App API key not found for deletion",
    ),
}
of_keys = pytest.mark.parametrize(
    "operation", [OPERATIONS[name] for name in ("V3", "V4", "V6")], ids=["V3", "V4", "V6"]
)


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@pytest.fixture
def token(world: World, app: App, operation: Operation) -> str:
    """The key that is acted on; V5 finds it expired."""
    key, token = key_of(world, app)
    if operation is OPERATIONS["V5"]:
        world.expire(key)
    return token


# --- operators -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["X-VoltMX-Authorization", "X-Kony-Authorization", "x-voltmx-authorization"])
def test_a_claims_token_with_the_scope_is_enough(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str, header: str
) -> None:
    headers = {header: operators_token(world, world.operator, operation.scope)}

    assert operation.call(bundle, headers, app, token).status == 200


def test_basic_takes_an_operator_and_a_token_of_theirs(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    assert operation.call(bundle, basic(world.operator.id, world.operator_token), app, token).status == 200


def test_without_the_scope_it_is_unauthorized(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    """Which keys there are may be read by many; V2 shows their secrets, so `keys:read` is not enough there."""
    others = {"keys:issue", "keys:verify", "owners:*", "keys:read", "keys:reveal", "keys:change"} - {operation.scope}

    for scopes in ((), tuple(others)):
        answer = operation.call(bundle, claims(operators_token(world, world.operator, *scopes)), app, token)
        assert operation.refusal(answer) == (401, UNAUTHORIZED)
        assert set(answer.calls) <= READS


def test_no_credentials_are_refused_without_any_call(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    bad: list[Mapping[str, str]] = [
        {},
        claims(""),
        claims("no token"),
        claims(f"{world.operator_token},{world.operator_token}"),
        app_key(""),
        {"Authorization": world.operator_token},
        {"Authorization": "Basic"},
        {"Authorization": "Basic %%%"},
        {"Authorization": f"Basic {base64.b64encode(b'no colon').decode()}"},
        {"Authorization": f"Bearer {world.operator_token}"},
        {"Authorization": basic(world.operator.id, world.operator_token)["Authorization"].replace("Basic", "Bearer")},
        basic(world.operator.id, "guessed"),
        {"AccessToken": world.operator_token, "AccessSecret": world.operator_token},
    ]
    for headers in bad:
        answer = operation.call(bundle, headers, app, token)
        assert operation.refusal(answer) == (401, UNAUTHORIZED)
        assert answer.headers["www-authenticate"] == 'Basic realm="keywright", charset="UTF-8"'
        assert answer.calls == ()


def test_credentials_of_nobody_are_unauthorized(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    native = [world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",)) for _ in range(3)]
    lifecycle.disable(world.desk, world.principal, native[0].key)
    lifecycle.revoke(world.desk, world.principal, native[1].key)
    world.expire(native[2].key)
    tokens = [
        *(each.token.reveal() for each in native),
        operators_token(world, app.ref, "*"),
        world.access_token("*"),
        token,
        f"{world.operator_token[:-1]}-",
    ]

    for presented in tokens:
        answer = operation.call(bundle, claims(presented), app, token)
        assert operation.refusal(answer) == (401, UNAUTHORIZED)
    other = world.add_operator("Ama")
    for user in (other.id, "", f"{world.operator.id} "):
        answer = operation.call(bundle, basic(user, world.operator_token), app, token)
        assert operation.refusal(answer) == (401, UNAUTHORIZED)


def test_a_disabled_operator_is_unauthorized_whatever_is_named(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    operator = world.add_operator("Ama")
    theirs = operators_token(world, operator, "*")
    change(world, operator, enabled=False)
    nowhere = world.app("Nowhere")

    for named, key in ((app, token), (nowhere, "03fb1ae7-5c6b-4ee4-9ac9-47878368b394"), (app, "no-key")):
        answer = operation.call(bundle, claims(theirs), named, key)
        assert operation.refusal(answer) == (401, UNAUTHORIZED)
        assert set(answer.calls) <= READS


@pytest.mark.parametrize("left", ["disabled", "gone"])
def test_a_key_that_is_there_a_moment_longer_than_its_operator_opens_nothing(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str, stack: Stack, left: str
) -> None:
    """Disabling an operator disables the keys after it; this is what stands behind that."""
    operator = world.add_operator("Ama")
    theirs = operators_token(world, operator, "*")
    if left == "gone":
        lose(stack, operator)
    else:
        world.desk.store.commit(SaveOwner(operator.changed(world.desk.clock.now_ms(), enabled=False), operator))

    answer = operation.call(bundle, claims(theirs), app, token)

    assert operation.refusal(answer) == (401, UNAUTHORIZED)
    assert set(answer.calls) <= READS


# --- applications --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["X-VoltMX-App-API-Key", "X-Kony-App-API-Key", "x-kony-app-api-key"])
@pytest.mark.parametrize("spelling", [str.lower, str.upper])
def test_an_application_acts_on_its_keys(
    bundle: Bundle,
    world: World,
    app: App,
    operation: Operation,
    token: str,
    header: str,
    spelling: Callable[[str], str],
) -> None:
    _, callers = key_of(world, app)

    assert operation.call(bundle, {header: spelling(callers)}, app, token).status == 200


def test_a_key_acts_on_itself(bundle: Bundle, world: World, app: App) -> None:
    _, token = key_of(world, app)

    for name in ("V2", "V3", "V4", "V6"):
        assert OPERATIONS[name].call(bundle, app_key(token), app, token).status == 200
    answer = get_one(bundle, app_key(token), token)
    assert get_refusal(answer) == (401, WRONG_APP_KEY)


def test_an_expired_key_acts_on_nothing_itself_included(bundle: Bundle, world: World, app: App) -> None:
    (expired, own), (_, other) = key_of(world, app), key_of(world, app)
    world.expire(expired)

    for operation in OPERATIONS.values():
        for named in (own, other):
            assert operation.refusal(operation.call(bundle, app_key(own), app, named)) == (401, WRONG_APP_KEY)
    assert verify(bundle, world, own)["reason"] == "expired"
    assert modify(bundle, app_key(other), own, {"neverExpires": "true"}).status == 200
    assert get_one(bundle, app_key(own), own).status == 200


def test_what_is_no_living_app_key_is_refused(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    (disabled, first), (revoked, second), (deleted, third) = (key_of(world, app) for _ in range(3))
    lifecycle.disable(world.desk, world.principal, disabled)
    lifecycle.revoke(world.desk, world.principal, revoked)
    lifecycle.delete(world.desk, world.principal, deleted)
    rep = world.issue(KeyKind.REP_KEY, world.rep().ref).token.reveal()

    for presented in (
        first,
        second,
        third,
        rep,
        world.operator_token,
        operators_token(world, app.ref, "*"),
        "03fb1ae7-5c6b-4ee4-9ac9-47878368b394",
        "guessed",
        f"{token},{token}",
    ):
        answer = operation.call(bundle, app_key(presented), app, token)
        assert operation.refusal(answer) == (401, WRONG_APP_KEY)
        assert answer.headers["www-authenticate"] == 'Basic realm="keywright", charset="UTF-8"'
        assert set(answer.calls) <= (READS | NOTED if presented == second else READS)


def test_another_applications_key_answers_like_one_that_does_not_exist(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    other = world.app("Other")
    _, callers = key_of(world, other)
    nowhere = other.changed(0, id="20417-0")

    answer = operation.call(bundle, app_key(callers), app, token)

    assert operation.refusal(answer) == (400, operation.not_found)
    missing = operation.call(bundle, app_key(callers), nowhere, "03fb1ae7-5c6b-4ee4-9ac9-47878368b394")
    assert answer.body == missing.body
    assert answer.headers == missing.headers


def test_an_application_may_name_itself(bundle: Bundle, world: World, app: App) -> None:
    namesake = world.app(name=app.id)
    _, token = key_of(world, app)
    _, namesakes = key_of(world, namesake)

    assert get_all(bundle, app_key(token), "Orchard%20tills").status == 200
    assert get_refusal(get_all(bundle, app_key(namesakes), namesake.name)) == (400, "Invalid AppId entered")


def test_the_key_of_an_unpublished_application_acts_on_nothing(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    """Publishing it again revives the key; meanwhile operators go on as before."""
    _, callers = key_of(world, app)
    change(world, app, published=False)

    answer = operation.call(bundle, app_key(callers), app, token)

    assert operation.refusal(answer) == (400, NOT_PUBLISHED)
    assert set(answer.calls) <= READS
    change(world, app, published=True)
    assert operation.call(bundle, app_key(callers), app, token).status == 200


def test_operators_act_on_the_keys_of_an_unpublished_application(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    change(world, app, published=False)

    assert operation.call(bundle, claims(world.operator_token), app, token).status == 200


def test_credentials_of_an_operator_come_first_good_or_bad(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    _, callers = key_of(world, app)

    for bad in (claims("guessed"), basic(world.operator.id, "guessed")):
        answer = operation.call(bundle, {**bad, **app_key(callers)}, app, token)
        assert operation.refusal(answer) == (401, UNAUTHORIZED)
    both = {**claims(world.operator_token), **app_key("guessed")}
    assert operation.call(bundle, both, app, token).status == 200


def test_an_authorization_that_is_not_basic_is_nobodys(
    bundle: Bundle, world: World, app: App, operation: Operation, token: str
) -> None:
    _, callers = key_of(world, app)

    assert operation.call(bundle, {"Authorization": "Bearer x", **app_key(callers)}, app, token).status == 200


@of_keys
def test_a_key_that_is_there_a_moment_longer_than_its_application_opens_nothing(
    bundle: Bundle, world: World, app: App, operation: Operation, stack: Stack
) -> None:
    _, callers = key_of(world, app)
    lose(stack, app)

    answer = operation.call(bundle, app_key(callers), app, callers)

    assert operation.refusal(answer) == (401, WRONG_APP_KEY)
    assert set(answer.calls) <= READS


def test_with_the_setting_off_no_app_key_is_a_credential(
    zurich: Bundle, zurich_world: World, operation: Operation
) -> None:
    app = zurich_world.app("Tills")
    (named, token), (_, callers) = key_of(zurich_world, app), key_of(zurich_world, app)

    answer = operation.call(zurich, app_key(callers), app, token)

    assert operation.refusal(answer) == (401, WRONG_APP_KEY)
    assert answer.calls == ()
    assert zurich_world.key(named.id) == named
    assert operation.call(zurich, claims(zurich_world.operator_token), app, token).status == 200
    if operation is not OPERATIONS["V6"]:
        assert verify(zurich, zurich_world, token)["valid"] is True


# --- keys that are not there ---------------------------------------------------------------------------------------


@of_keys
def test_another_tenants_key_answers_like_one_that_does_not_exist(
    bundle: Bundle, world: World, another_world: World, operation: Operation
) -> None:
    theirs = another_world.app("Their tills", id="90000-1")
    key, token = key_of(another_world, theirs)
    ours = world.app("Ours")
    _, callers = key_of(world, ours)

    for headers in (claims(world.operator_token), basic(world.operator.id, world.operator_token), app_key(callers)):
        missing = operation.call(bundle, headers, ours, "03fb1ae7-5c6b-4ee4-9ac9-47878368b394")
        assert operation.refusal(missing) == (400, operation.not_found)
        assert operation.call(bundle, headers, theirs, token) == missing
    assert another_world.key(key.id) == key


@of_keys
@pytest.mark.parametrize(
    "named",
    [
        "20417-5530918264",
        "03fb1ae75c6b4ee49ac947878368b394",
        "{03fb1ae7-5c6b-4ee4-9ac9-47878368b394}",
        "03fb1ae7-5c6b-4ee4-9ac9-47878368b394%20",
        "03fb1ae7%2F5c6b",
        "%C3%A4",
        "%FF",
        "x" * 4000,
    ],
)
def test_what_is_no_key_at_all_answers_the_same(
    bundle: Bundle, world: World, app: App, operation: Operation, named: str
) -> None:
    missing = operation.call(bundle, claims(world.operator_token), app, "03fb1ae7-5c6b-4ee4-9ac9-47878368b394")

    answer = operation.call(bundle, claims(world.operator_token), app, named)

    assert (answer.status, answer.headers, answer.body) == (missing.status, missing.headers, missing.body)
    assert operation.refusal(answer) == (400, operation.not_found)


@of_keys
def test_a_token_that_is_no_app_api_key_is_none(bundle: Bundle, world: World, app: App, operation: Operation) -> None:
    rep = world.issue(KeyKind.REP_KEY, world.rep().ref)
    native = world.issue(KeyKind.NATIVE, app.ref)
    revoked, token = key_of(world, app)
    lifecycle.revoke(world.desk, world.principal, revoked)

    for named in (rep.token.reveal(), native.token.reveal(), world.operator_token, token):
        answer = operation.call(bundle, claims(world.operator_token), app, named)
        assert operation.refusal(answer) == (400, operation.not_found)
    assert world.key(rep.key.id) == rep.key
    assert world.key(native.key.id) == native.key


@of_keys
def test_an_encoded_key_is_the_same_key(bundle: Bundle, world: World, app: App, operation: Operation) -> None:
    _, token = key_of(world, app)

    assert operation.call(bundle, claims(world.operator_token), app, token.replace("-", "%2D")).status == 200


def test_no_answer_but_the_lists_shows_more_than_was_sent(bundle: Bundle, world: World, app: App) -> None:
    key, token = key_of(world, app)

    for name in ("V3", "V4", "V6"):
        body: Any = body_of(OPERATIONS[name].call(bundle, claims(world.operator_token), app, token))
        assert key.id not in repr(body)
        assert world.tenant not in repr(body)

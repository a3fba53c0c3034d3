"""The login: POST /authService/accounts/login"""

from __future__ import annotations

from typing import Any

import pytest

from keywright import errors, lifecycle, sweeping
from keywright.dialects.voltmx.accounts import Account, claims_token
from keywright.model import Key, KeyKind, Operator
from keywright.ports import TokenRef
from keywright.tokens import Token
from local.aws import Fault, error
from local.iam import Call
from local.stack import Stack
from tests.bundle import Answer, Bundle
from tests.contract.voltmx.engagement import (
    FAILURE,
    LOGIN,
    MISSING,
    NOTED,
    PATH,
    READS,
    UNAUTHORIZED,
    WRONG_LOGIN,
    basic,
    body_of,
    change,
    claims,
    get_all,
    operators_token,
    refusal,
    verify,
)
from tests.world import World

HOUR_MS = 3_600_000


def login(bundle: Bundle, user: str, password: str, **members: Any) -> Answer:
    return bundle.request("POST", LOGIN, json_body={"userid": user, "password": password, **members})


@pytest.fixture
def operator(world: World) -> Operator:
    return world.add_operator("Ama Boateng Owusu", email="ops@example.com")


# --- success -------------------------------------------------------------------------------------------------------


def test_an_operator_gets_a_claims_token_for_an_hour(bundle: Bundle, world: World, operator: Operator) -> None:
    before = world.desk.clock.now_ms()

    answer = login(bundle, operator.id, operators_token(world, operator, "keys:*"))

    assert answer.status == 200
    body = body_of(answer)
    assert list(body) == ["profile", "refresh_token", "claims_token"]
    assert list(body["profile"].items()) == [
        ("email", "ops@example.com"),
        ("userid", operator.id),
        ("firstname", "Ama"),
        ("lastname", "Boateng Owusu"),
    ]
    assert list(body["claims_token"]) == ["value", "exp"]
    assert type(body["claims_token"]["exp"]) is int
    assert before + HOUR_MS <= body["claims_token"]["exp"] <= world.desk.clock.now_ms() + HOUR_MS
    assert type(body["refresh_token"]) is str
    assert answer.calls == ("GetItem", "GetItem", "Encrypt", "TransactWriteItems")


def test_the_claims_token_may_do_what_the_password_may(bundle: Bundle, world: World, operator: Operator) -> None:
    app = world.app("Tills")
    password = operators_token(world, operator, "keys:issue")
    value = body_of(login(bundle, operator.id, password))["claims_token"]["value"]

    for headers in (claims(value), {"X-Kony-Authorization": value}, basic(operator.id, value)):
        answer = bundle.request("POST", PATH, headers, form={"appId": app.id, "neverExpires": "true"})
        assert answer.status == 200
    assert get_all(bundle, claims(value), app.id).status == 401


def test_the_claims_token_is_good_from_the_passwords_addresses_only(
    bundle: Bundle, world: World, operator: Operator
) -> None:
    issued = world.issue(KeyKind.NATIVE, operator.ref, allowed_cidrs=("127.0.0.0/8",))
    answer = login(bundle, operator.id, issued.token.reveal())
    ref = TokenRef(Token(answer.json()["claims_token"]["value"]).digest)
    grant = world.desk.store.read(ref)[ref]
    assert grant is not None
    assert grant.allowed_cidrs == ("127.0.0.0/8",)
    elsewhere = world.issue(KeyKind.NATIVE, operator.ref, allowed_cidrs=("203.0.113.0/24",))
    assert login(bundle, operator.id, elsewhere.token.reveal()).status != 200


def test_every_login_gives_another_token(bundle: Bundle, world: World, operator: Operator) -> None:
    password = operators_token(world, operator, "keys:*")

    bodies = [body_of(login(bundle, operator.id, password)) for _ in range(2)]

    assert bodies[0]["claims_token"]["value"] != bodies[1]["claims_token"]["value"]
    assert bodies[0]["refresh_token"] != bodies[1]["refresh_token"]


def test_the_refresh_token_opens_nothing(bundle: Bundle, world: World, operator: Operator) -> None:
    refresh = body_of(login(bundle, operator.id, operators_token(world, operator, "*")))["refresh_token"]

    assert verify(bundle, world, refresh)["reason"] == "unknown"
    assert refusal(login(bundle, operator.id, refresh)) == (401, WRONG_LOGIN)


def test_a_form_will_do(bundle: Bundle, world: World, operator: Operator) -> None:
    form = {"userid": operator.id, "password": operators_token(world, operator), "source": "console"}

    assert bundle.request("POST", LOGIN, form=form).status == 200


def test_provider_and_domain_are_accepted(bundle: Bundle, world: World, operator: Operator) -> None:
    password = operators_token(world, operator)

    assert login(bundle, operator.id, password, provider="userstore", domain="example.com").status == 200
    assert login(bundle, operator.id, password, provider=None, domain=None).status == 200
    form = {"userid": operator.id, "password": password, "provider": "userstore", "domain": ""}
    assert bundle.request("POST", f"{LOGIN}?provider=userstore", form=form).status == 200


def test_an_operator_of_one_name_and_without_address(bundle: Bundle, world: World) -> None:
    operator = world.add_operator("Imani")

    profile = body_of(login(bundle, operator.id, operators_token(world, operator)))["profile"]

    assert profile == {"email": "", "userid": operator.id, "firstname": "Imani", "lastname": ""}


# --- how long it lives ---------------------------------------------------------------------------------------------


def test_a_claims_token_expires(bundle: Bundle, world: World, operator: Operator) -> None:
    value = body_of(login(bundle, operator.id, operators_token(world, operator, "*")))["claims_token"]["value"]
    key_id = verify(bundle, world, value)["key_id"]

    world.expire(world.key(key_id))

    answer = bundle.request("POST", PATH, claims(value), form={"appId": "1", "neverExpires": "true"})
    assert refusal(answer) == (401, UNAUTHORIZED)


def test_a_claims_token_does_not_outlive_its_password(bundle: Bundle, world: World, operator: Operator) -> None:
    """Else whoever once held a claims token could log in with it for ever."""
    ends = world.desk.clock.now_ms() + 60_000
    first = body_of(login(bundle, operator.id, operators_token(world, operator, "*", expires_at_ms=ends)))

    second = body_of(login(bundle, operator.id, first["claims_token"]["value"]))

    assert first["claims_token"]["exp"] == second["claims_token"]["exp"] == ends


def test_a_password_that_expired_since_it_was_read_is_refused(world: World) -> None:
    account = Account(world.operator, world.desk.clock.now_ms() - 1)

    with pytest.raises(errors.CredentialsRefused):
        claims_token(world.desk, world.principal, account)


def test_claims_tokens_do_not_pile_up(zurich: Bundle, zurich_world: World) -> None:
    """Every row of one carries the table's time to live, a day after the expiry; the password's rows do not."""
    operator = zurich_world.operator
    password = operators_token(zurich_world, operator, "*")
    body = body_of(login(zurich, operator.id, password))
    issued = zurich_world.key(verify(zurich, zurich_world, body["claims_token"]["value"])["key_id"])
    lasting = zurich_world.key(verify(zurich, zurich_world, password)["key_id"])
    assert rows_purged_at(zurich.stack, issued) == [(issued.expires_at_ms or 0) // 1000 + 86_400] * 3
    assert rows_purged_at(zurich.stack, lasting) == [None] * 3

    zurich_world.expire(issued)
    sweeping.sweep(zurich_world.desk, time_is_up=lambda: False)

    swept = zurich_world.key(issued.id)
    assert swept.expiry_marked_at_ms is not None
    assert rows_purged_at(zurich.stack, swept) == [(swept.expires_at_ms or 0) // 1000 + 86_400] * 3


def rows_purged_at(stack: Stack, key: Key) -> list[int | None]:
    """The time to live of each row of a key, in the attribute that the table's settings name."""
    table = next(iter(stack.template.tables.values()))
    attribute = table.properties["TimeToLiveSpecification"]["AttributeName"]
    rows = [
        item
        for partition in (
            f"KEY#{key.id}",
            f"TOKEN#{key.newest.digest}",
            f"KEYS#{key.tenant}#{key.owner.kind}#{key.owner.id}",
        )
        for item in stack.client("dynamodb").query(
            TableName=table.name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
        )["Items"]
        if {"S": key.id} in (item.get("id"), item.get("key_id"))
    ]
    return [int(row[attribute]["N"]) if attribute in row else None for row in rows]


# --- what is refused -----------------------------------------------------------------------------------------------


def test_a_wrong_user_or_password_is_told_so(bundle: Bundle, world: World, operator: Operator) -> None:
    other = world.add_operator("Imani")
    password = operators_token(world, operator, "*")
    tokens = [world.issue(KeyKind.NATIVE, operator.ref) for _ in range(3)]
    lifecycle.disable(world.desk, world.principal, tokens[0].key)
    lifecycle.revoke(world.desk, world.principal, tokens[1].key)
    world.expire(tokens[2].key)
    app = world.app("Tills")

    for user, given in [
        (other.id, password),
        (f"{operator.id} ", password),
        ("nobody", password),
        (operator.id, "guessed"),
        (operator.id, f"{password} "),
        (operator.id, world.operator_token),
        (operator.id, "x" * 60_000),
        (operator.id, "\u0000"),
        *((operator.id, each.token.reveal()) for each in tokens),
        (app.id, operators_token(world, app.ref, "*")),
        (operator.id, world.access_token("*", operator=operator)),
        (app.id, world.issue(KeyKind.APP_API_KEY, app.ref).token.reveal()),
    ]:
        answer = login(bundle, user, given)
        dead = given in {each.token.reveal() for each in tokens[1:]}
        assert refusal(answer) == (401, WRONG_LOGIN)
        assert answer.body == b'{"id":"","message":"Authentication fail, Invalid credentials"}'
        assert answer.headers["www-authenticate"] == 'Basic realm="keywright", charset="UTF-8"'
        assert set(answer.calls) <= (READS | NOTED if dead else READS)


def test_a_disabled_operator_cannot_log_in(bundle: Bundle, world: World, operator: Operator) -> None:
    password = operators_token(world, operator, "*")
    change(world, operator, enabled=False)

    assert refusal(login(bundle, operator.id, password)) == (401, WRONG_LOGIN)


def test_an_operator_who_is_disabled_at_the_last_moment_cannot_either(
    bundle: Bundle, world: World, operator: Operator, aws: Any
) -> None:
    password = operators_token(world, operator, "*")
    meanwhile = iter([True])

    def disable(call: Call) -> None:
        if call.operation == "TransactWriteItems" and call.principal == "VoltmxLogin" and next(meanwhile, False):
            change(world, operator, enabled=False)

    aws.fault = disable

    assert refusal(login(bundle, operator.id, password)) == (401, WRONG_LOGIN)
    assert len(world.desk.store.keys_of(operator.ref).items) == 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{}"),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b'{"userid": "u"}'),
        ("application/json", b'{"password": "p"}'),
        ("application/json", b'{"userid": "", "password": "p"}'),
        ("application/json", b'{"userid": "u", "password": ""}'),
        ("application/json", b'{"userid": null, "password": "p"}'),
        ("application/json", b'{"userid": 1, "password": 2}'),
        ("application/json", b'{"userid": "u", "password": ["p"]}'),
        ("application/json", b'{"userid": "u", "userid": "v", "password": "p"}'),
        ("application/json", b'{"userid": "u", "password": "p", "remember": true}'),
        ("application/json", b'{"userid": "u", "password": "p", "provider": 1}'),
        ("application/json", b'{"userid": "u", "password": "\xff"}'),
        ("application/json", b"[" * 30_000),
        ("application/json", b'{"userid": "u", "password": "' + b"x" * 64_000 + b'"}'),
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"userid=u"),
        ("application/x-www-form-urlencoded", b"userid=u&password="),
        ("application/x-www-form-urlencoded", b"userid=u&userid=u&password=p"),
        ("application/x-www-form-urlencoded", b"userid=u&password=%FF"),
        ("application/x-www-form-urlencoded", b'{"userid": "u", "password": "p"}'),
        ("text/plain", b'{"userid": "u", "password": "p"}'),
    ],
)
def test_user_and_password_must_be_there(bundle: Bundle, content_type: str, body: bytes) -> None:
    answer = bundle.request("POST", LOGIN, {"Content-Type": content_type}, body)

    assert refusal(answer) == (400, MISSING)
    assert answer.calls == ()


def test_credentials_in_headers_or_the_query_do_not_count(bundle: Bundle, world: World) -> None:
    target = f"{LOGIN}?userid={world.operator.id}&password={world.operator_token}"
    headers = {**claims(world.operator_token), **basic(world.operator.id, world.operator_token)}

    assert refusal(bundle.request("POST", target, headers)) == (400, MISSING)


@pytest.mark.parametrize("operation", ["GetItem", "Encrypt", "TransactWriteItems"])
def test_what_does_not_answer_is_a_server_failure_to_be_tried_again(
    bundle: Bundle, world: World, operator: Operator, aws: Any, operation: str
) -> None:
    password = operators_token(world, operator, "*")
    fault = error("ThrottlingException")
    aws.fault = lambda call: Fault(fault) if call.operation == operation and call.principal else None

    answer = login(bundle, operator.id, password)

    assert refusal(answer) == (500, FAILURE)
    assert answer.headers["retry-after"] == "1"

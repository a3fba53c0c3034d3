"""What all endpoints of the dialect refuse alike, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from keywright import errors
from keywright.dialects.salesiq import refusals
from keywright.model import KeyKind, OwnerRef, Platform
from local.aws import Fault, error
from local.stack import Stack
from tests.bundle import Answer
from tests.contract.salesiq.portal import MESSAGES, OPERATIONS, PLATFORMS, Portal, assert_refused

EVERY = pytest.mark.parametrize("name", OPERATIONS, ids=lambda name: OPERATIONS[name].row)
ENDPOINTS = pytest.mark.parametrize("keys", [True, False], ids=["create_access_key", "create_channel"])
"""Two that stand for all where every endpoint goes through the same lines."""
BODY = '{"bundle_name": "com.mobile.zylker"}'
DOCUMENTED = {
    errors.KeywrightError: 1001,
    errors.PathUnknown: 1006,
    errors.MethodRefused: 1004,
    errors.ContentTypeRefused: 1054,
    errors.BodyTooLarge: 1015,
    errors.BodyUnreadable: 1015,
    errors.FieldMissing: 1015,
    errors.FieldUnknown: 1007,
    errors.FieldInvalid: 1007,
    errors.TooShort: 1007,
    errors.TooLong: 1007,
    errors.WrongType: 1007,
    errors.SignedToken: 1007,
    errors.CredentialsMissing: 1002,
    errors.CredentialsRefused: 1008,
    errors.ScopeMissing: 1009,
    errors.RoleMissing: 1016,
    errors.OperatorDisabled: 1016,
    errors.OperatorNotFound: 1016,
    errors.TooManyRequests: 1023,
    errors.TenantNotFound: 1005,
    errors.TenantExists: 1014,
    errors.OwnerNotFound: 1019,
    errors.AppNotFound: 1019,
    errors.ChannelNotFound: 1019,
    errors.IntegrationNotFound: 1019,
    errors.SupportRepNotFound: 1019,
    errors.OwnerExists: 1014,
    errors.OwnerNotEligible: 1019,
    errors.ChannelDisabled: 1019,
    errors.LoginNotEnabled: 1019,
    errors.RoleNotAssigned: 1019,
    errors.NotCustom: 1019,
    errors.NotPublished: 1019,
    errors.KeyNotFound: 1019,
    errors.KeyExists: 1014,
    errors.KeyRevoked: 1019,
    errors.LimitReached: 1001,
    errors.MailNotSent: 1001,
    errors.Conflict: 1001,
    errors.Unavailable: 1001,
    errors.Fault: 1001,
    # None of the dialect's endpoints raises what follows.
    **dict.fromkeys(
        (
            errors.IdempotencyKeyReused,
            errors.KeyExpired,
            errors.KeyGoesWithOwner,
            errors.KeyNotRotatable,
            errors.LinkNotFound,
            errors.LinkOpened,
            errors.MailRefused,
            errors.OwnKey,
            errors.RotationNotUnderWay,
            errors.RotationUnderWay,
        ),
        1001,
    ),
}


def call(portal: Portal, keys: bool, headers: dict[str, str], of: str = "") -> Answer:
    """An otherwise sound request to the portal `of`."""
    headers = {"Content-Type": "application/json", **headers}
    return portal.bundle.request("POST", portal.path(keys=keys, portal=of), headers, BODY)


def all_errors(root: type[errors.KeywrightError] = errors.KeywrightError) -> Iterator[type[errors.KeywrightError]]:
    yield root
    for each in root.__subclasses__():
        yield from all_errors(each)


@pytest.mark.parametrize("refused", list(all_errors()), ids=lambda cls: f"{DOCUMENTED.get(cls)} {cls.__name__}")
def test_every_error_of_the_core_has_a_documented_code(refused: type[errors.KeywrightError]) -> None:
    code = DOCUMENTED[refused]
    answer = refusals.error([refused()])
    assert answer.status_code == 200
    culprit = {"header": "content-type"} if code == 1054 else {}
    assert json.loads(answer.body or "") == {"error": {"message": MESSAGES[code], "code": code, **culprit}}


def test_a_code_has_its_literal_message() -> None:
    assert refusals.MESSAGES == MESSAGES


@pytest.mark.parametrize("refused", [errors.FieldMissing, errors.FieldUnknown, errors.TooLong])
def test_only_a_field_is_named_as_a_json_key(refused: type[errors.KeywrightError]) -> None:
    named = json.loads(refusals.error([refused(field="parent.child[0]")]).body or "")
    assert named["error"]["json_key"] == "parent.child[0]"
    scope = json.loads(refusals.error([errors.ScopeMissing(field="scopes")]).body or "")
    assert scope["error"].keys() == {"message", "code"}


def test_com_8_who_comes_too_often_is_told_when_to_come_back() -> None:
    answer = refusals.error([errors.TooManyRequests(retry_after_seconds=30)])
    assert answer.headers["Retry-After"] == "30"


@ENDPOINTS
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Zoho-oauthtoken",
        "Zoho-oauthtoken ",
        "Bearer {token}",
        "Basic {token}",
        "{token}",
        "Zoho-oauthtoken{token}",
        "Zoho-oauthtoken {token} {token}",
        "Zoho-oauthtoken {token},Zoho-oauthtoken {token}",
        "Zoho-oauthtoken {token}, Zoho-oauthtoken {token}",
        "Zoho-oauthtoken {token},",
        "Zoho-oauthtoken ,{token}",
        "Zoho-oauthtoken\t{token}",
    ],
)
def test_credentials_that_are_not_one_token_are_an_invalid_header(
    untouched: Portal, keys: bool, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.format(token=untouched.token)}
    answer = call(untouched, keys, headers)
    assert_refused(answer, 1002)
    assert answer.calls == ()


@ENDPOINTS
def test_two_authorization_headers_are_an_invalid_header(untouched: Portal, keys: bool) -> None:
    header = ("Authorization", f"Zoho-oauthtoken {untouched.token}")
    answer = untouched.bundle.request("POST", untouched.path(keys=keys), [header, header], BODY)
    assert_refused(answer, 1002)
    assert answer.calls == ()


@ENDPOINTS
@pytest.mark.parametrize(
    "token",
    ["x", "1000.abc.def", f"1000.{'A' * 32}.{'0' * 32}", "1000." * 1000, "ключ", f"1000.{'0' * 32}.{'0' * 32}\x7f"],
    ids=lambda token: ascii(token[:20]),
)
def test_a_token_that_none_of_ours_could_be_is_refused_unread(untouched: Portal, keys: bool, token: str) -> None:
    answer = call(untouched, keys, {"Authorization": f"Zoho-oauthtoken {token}"})
    assert_refused(answer, 1008)
    assert answer.calls == ()


@ENDPOINTS
@pytest.mark.parametrize("state", ["unknown", "disabled", "revoked", "expired", "of another kind"])
def test_a_token_that_is_not_valid_is_refused_alike(untouched: Portal, keys: bool, state: str) -> None:
    world = untouched.world
    issued = world.issue(KeyKind.ACCESS_TOKEN, untouched.operator.ref, scopes=("SalesIQ.apps.ALL",))
    token = issued.token.reveal()
    now_ms = world.desk.clock.now_ms()
    match state:
        case "unknown":
            token = token[:-32] + "0" * 32
        case "disabled":
            world.overwrite(issued.key, enabled=False)
        case "revoked":
            world.overwrite(issued.key, revoked_at_ms=now_ms)
        case "expired":
            world.expire(issued.key)
        case _:
            token = world.operator_token
    answer = call(untouched, keys, {"Authorization": f"Zoho-oauthtoken {token}"})
    assert_refused(answer, 1008)
    noted = ("TransactWriteItems",) if state in {"revoked", "expired"} else ()
    assert answer.calls == ("GetItem", *noted)


@ENDPOINTS
@pytest.mark.parametrize(
    "scopes", [(), ("SalesIQ.apps.READ", "SalesIQ.conversations.CREATE"), ("SalesIQ.apps",), ("*",)]
)
def test_a_token_without_the_scope_is_refused(untouched: Portal, keys: bool, scopes: tuple[str, ...]) -> None:
    token = untouched.world.access_token(*scopes, operator=untouched.operator)
    answer = call(untouched, keys, {"Authorization": f"Zoho-oauthtoken {token}"})
    assert_refused(answer, 1009)
    assert answer.calls == ("GetItem",)


@EVERY
def test_the_operations_own_scope_is_enough_and_all_the_others_are_not(untouched: Portal, name: str) -> None:
    """Scopes of Z1 to Z7; the portal has no channel, so a caller who may is told 1019."""
    own = OPERATIONS[name].scope
    scopes = {scope: f"SalesIQ.apps.{scope}" for scope in ("CREATE", "READ", "UPDATE", "DELETE")}
    others = untouched.world.access_token(*(text for scope, text in scopes.items() if scope != own))
    only = untouched.world.access_token(scopes[own].swapcase())
    headers = [{"Authorization": f"Zoho-oauthtoken {token}"} for token in (others, only)]
    answer = untouched.ask(name, app="404", headers=headers[0])
    assert_refused(answer, 1009)
    assert answer.calls == ("GetItem",)
    assert_refused(untouched.ask(name, app="404", headers=headers[1]), 1019)


@EVERY
def test_another_portal_answers_like_one_that_does_not_exist(opened: Portal, another_portal: Portal, name: str) -> None:
    theirs = another_portal.ask(name, app=opened.app.id, of=opened.world.tenant)
    unknown = another_portal.ask(name, app=opened.app.id, of="no-such-portal")
    assert_refused(theirs, 1005)
    assert (theirs.status, theirs.headers, theirs.body) == (unknown.status, unknown.headers, unknown.body)
    assert theirs.calls == unknown.calls == ("GetItem",)


@EVERY
def test_another_tenants_app_answers_like_one_that_does_not_exist(
    opened: Portal, another_portal: Portal, name: str
) -> None:
    before = opened.key(), opened.ask("get_channel").body
    for kind in PLATFORMS:
        theirs, unknown = (another_portal.ask(name, kind, app=app) for app in (opened.app.id, "404"))
        assert_refused(theirs, 1019)
        assert (theirs.status, theirs.headers, theirs.body) == (unknown.status, unknown.headers, unknown.body)
        assert theirs.calls == unknown.calls == ("GetItem", "BatchGetItem")
    assert (opened.key(), opened.ask("get_channel").body) == before


@EVERY
def test_an_operator_who_is_switched_off_may_do_nothing(portal: Portal, name: str) -> None:
    portal.change("operator", portal.operator.id, enabled=False)
    answer = portal.ask(name)
    assert_refused(answer, 1016)
    assert answer.calls == ("GetItem", "BatchGetItem")


@ENDPOINTS
def test_a_store_that_does_not_answer_is_said_to_be_unable_for_the_moment(
    untouched: Portal, faulty_stack: Stack, keys: bool
) -> None:
    faulty_stack.aws.fault = lambda call: (
        Fault(error("ThrottlingException")) if call.operation == "BatchGetItem" else None
    )
    answer = call(untouched, keys, untouched.authorization)
    assert_refused(answer, 1001)
    assert answer.headers["retry-after"] == "1"


@ENDPOINTS
def test_a_fault_of_ours_tells_nothing(untouched: Portal, faulty_stack: Stack, keys: bool) -> None:
    faulty_stack.aws.fault = lambda call: (
        Fault(error("ValidationException", text="a secret of the table")) if call.operation == "GetItem" else None
    )
    answer = call(untouched, keys, untouched.authorization)
    assert_refused(answer, 1001)
    assert "retry-after" not in answer.headers


@EVERY
@pytest.mark.parametrize("kind", PLATFORMS)
def test_siq_2_the_first_check_that_fails_decides(portal: Portal, name: str, kind: str) -> None:
    """The order of 2.4. Everything is wrong at first; each repair uncovers the next refusal."""
    operation = OPERATIONS[name]
    portal.change("operator", portal.operator.id, enabled=False)
    weak = portal.world.access_token("SalesIQ.conversations.ALL")
    asked = {
        "method": "PATCH",
        "kind": "windows",
        "version": "1a",
        "authorization": "none",
        "portal": "elsewhere",
        "content-type": "text/plain",
        "body": "x" * 64_001,
        "app": "404",
    }

    def ask(**repaired: str) -> Answer:
        asked.update({name.replace("_", "-"): value for name, value in repaired.items()})
        headers = {"Content-Type": asked["content-type"], "Authorization": asked["authorization"]}
        tail = operation.tail.format(kind=asked["kind"], version=asked["version"])
        path = f"/api/v2/{asked['portal']}/apps/{asked['app']}{tail}"
        return portal.bundle.request(asked["method"], path, headers, asked["body"])

    assert_refused(ask(), 1006)
    if "{version}" in operation.tail:
        assert_refused(ask(kind=kind), 1006)
    assert_refused(ask(kind=kind, version="7"), 1004)
    assert_refused(ask(method=operation.method), 1002)
    assert_refused(ask(authorization=f"Zoho-oauthtoken 1000.{'0' * 32}.{'0' * 32}"), 1008)
    assert_refused(ask(authorization=f"Zoho-oauthtoken {weak}"), 1009)
    assert_refused(ask(authorization=f"Zoho-oauthtoken {portal.token}"), 1005)
    assert_refused(ask(portal=portal.world.tenant), 1016)
    portal.change("operator", portal.operator.id, enabled=True)
    if operation.takes_a_body:
        field = next(iter(operation.body))
        assert_refused(ask(), 1054, header="content-type")
        assert_refused(ask(content_type="application/json"), 1015)
        assert_refused(ask(body="{"), 1015)
        assert_refused(ask(body='{"more": 1}'), 1015, json_key=field)
        assert_refused(ask(body=json.dumps({**operation.body, "more": 1})), 1007, json_key="more")
        ask(body=json.dumps(operation.body))
    assert_refused(ask(), 1019)
    assert_refused(ask(app=portal.app.id) if name != "create_channel" else ask(), 1019)
    portal.open_channel(Platform(kind))
    if "{version}" in operation.tail:
        assert_refused(ask(), 1019)
    answer = ask(app=portal.app.id, version="1")
    if name == "create_channel":
        assert_refused(answer, 1014)
    else:
        assert "data" in answer.json()


def test_an_operator_that_is_gone_is_no_operator_of_the_portal(portal: Portal) -> None:
    """A token outlives its operator only where somebody took the operator's row away by hand."""
    ghost = OwnerRef(portal.world.tenant, portal.operator.kind, "9" * 14)
    key = portal.world.issue(KeyKind.ACCESS_TOKEN, portal.operator.ref, scopes=("SalesIQ.apps.ALL",))
    portal.world.overwrite(key.key, owner=ghost)
    answer = call(portal, True, {"Authorization": f"Zoho-oauthtoken {key.token.reveal()}"})
    assert_refused(answer, 1016)

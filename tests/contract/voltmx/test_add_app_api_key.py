"""V1, Add App API Key: POST /api/v1/applications/key. What goes over the wire is in docs/dialects/voltmx.md."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keywright import lifecycle
from keywright.model import App, EventType, KeyKind
from keywright.ports import AuditQuestion
from local.aws import Fault, error
from local.iam import Call
from tests.bundle import Answer, Bundle
from tests.contract.voltmx.engagement import (
    MISSING,
    NOT_PUBLISHED,
    PATH,
    READS,
    UNAUTHORIZED,
    WRONG_APP,
    WRONG_DATE,
    WRONG_DESCRIPTION,
    WRONG_NEVER,
    Form,
    basic,
    change,
    claims,
    keys,
    operators_token,
    refusal,
    verify,
)
from tests.world import World

FORM = "application/x-www-form-urlencoded"
ADDED = "App API key Added successfully"


def add(bundle: Bundle, world: World, form: Form, headers: Mapping[str, str] | None = None) -> Answer:
    return bundle.request("POST", PATH, claims(world.operator_token) if headers is None else headers, form=form)


def never(app: App, **fields: str) -> dict[str, str]:
    return {"appId": app.id, "neverExpires": "true", **fields}


def until(app: App, expires_on: str, **fields: str) -> dict[str, str]:
    return {"appId": app.id, "expiresOn": expires_on, **fields}


# --- success -------------------------------------------------------------------------------------------------------


def test_a_key_that_never_expires_is_added(bundle: Bundle, world: World, app: App) -> None:
    answer = add(bundle, world, never(app, description="till terminals"))

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert list(body) == ["id", "message"]
    assert body["message"] == ADDED
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", body["id"])
    [key] = keys(world, app)
    assert key.expires_at_ms is None
    assert key.description == "till terminals"


def test_a_key_that_expires_on_a_date_is_added(bundle: Bundle, world: World, app: App) -> None:
    answer = add(bundle, world, until(app, "09/29/2049 21:30:05", neverExpires="false"))

    assert answer.status == 200
    verdict = verify(bundle, world, answer.json()["id"])
    assert verdict["valid"] is True
    assert datetime.fromisoformat(verdict["expires_at"]) == datetime(2049, 9, 29, 21, 30, 5, tzinfo=UTC)


def test_the_key_verifies_in_either_case(bundle: Bundle, world: World, app: App) -> None:
    token = add(bundle, world, never(app)).json()["id"]

    lower, upper = verify(bundle, world, token), verify(bundle, world, token.upper())

    assert lower["valid"] is True
    assert lower["expires_at"] is None
    assert lower["version"] == 1
    assert lower["owner"] == {"kind": "app", "id": app.id}
    assert upper == lower


def test_the_key_id_is_not_the_key(bundle: Bundle, world: World, app: App) -> None:
    token = add(bundle, world, never(app)).json()["id"]

    assert verify(bundle, world, token)["key_id"] != token


def test_a_key_names_the_operator_who_added_it(bundle: Bundle, world: World, app: App) -> None:
    add(bundle, world, never(app))

    [key] = keys(world, app)
    assert (key.creator.id, key.creator.name) == (world.operator.id, world.operator.name)


def test_the_application_may_be_given_by_its_name(bundle: Bundle, world: World, app: App) -> None:
    answer = add(bundle, world, {"appId": app.name, "neverExpires": "true"})

    assert answer.status == 200
    assert len(keys(world, app)) == 1


def test_never_expires_wins_over_a_date_that_is_not_even_parsed(bundle: Bundle, world: World, app: App) -> None:
    for date in ("01/01/2001 00:00:00", "tomorrow", ""):
        answer = add(bundle, world, until(app, date, neverExpires="true"))
        assert answer.status == 200
        assert verify(bundle, world, answer.json()["id"])["expires_at"] is None


@pytest.mark.parametrize("spelling", ["true", "True", "TRUE", "tRuE"])
def test_never_expires_is_read_in_any_case(bundle: Bundle, world: World, app: App, spelling: str) -> None:
    assert add(bundle, world, {"appId": app.id, "neverExpires": spelling}).status == 200


@pytest.mark.parametrize("spelling", ["false", "FALSE", ""])
def test_a_date_counts_where_never_expires_is_not_true(bundle: Bundle, world: World, app: App, spelling: str) -> None:
    answer = add(bundle, world, until(app, "12/31/2049 00:00:00", neverExpires=spelling))

    assert keys(world, app)[0].expires_at_ms is not None
    assert answer.status == 200


def test_a_description_is_optional_and_may_have_a_hundred_characters(bundle: Bundle, world: World, app: App) -> None:
    add(bundle, world, never(app))
    add(bundle, world, never(app, description=""))
    add(bundle, world, never(app, description="ö" * 100))

    assert sorted(key.description for key in keys(world, app)) == ["", "", "ö" * 100]


def test_unknown_fields_are_ignored_even_twice(bundle: Bundle, world: World, app: App) -> None:
    answer = add(bundle, world, [*never(app).items(), ("source", "console"), ("source", "adapter")])

    assert answer.status == 200


def test_the_media_type_may_have_parameters_and_any_case(bundle: Bundle, world: World, app: App) -> None:
    headers = {**claims(world.operator_token), "Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}

    answer = bundle.request("POST", PATH, headers, f"appId={app.id}&neverExpires=true")

    assert answer.status == 200


def test_an_application_has_several_keys(bundle: Bundle, world: World, app: App) -> None:
    tokens = {add(bundle, world, never(app)).json()["id"] for _ in range(3)}

    assert len(tokens) == 3
    assert all(verify(bundle, world, token)["valid"] for token in tokens)


# --- callers -------------------------------------------------------------------------------------------------------


def test_a_claims_token_with_the_scope_to_issue_is_enough(bundle: Bundle, world: World, app: App) -> None:
    token = operators_token(world, world.operator, "keys:issue")

    assert add(bundle, world, never(app), claims(token)).status == 200


def test_the_former_name_of_the_header_is_accepted(bundle: Bundle, world: World, app: App) -> None:
    assert add(bundle, world, never(app), {"X-Kony-Authorization": world.operator_token}).status == 200


def test_basic_takes_an_operator_and_a_token_of_theirs(bundle: Bundle, world: World, app: App) -> None:
    assert add(bundle, world, never(app), basic(world.operator.id, world.operator_token)).status == 200


def test_an_app_key_beside_an_operators_credentials_is_no_credential(bundle: Bundle, world: World, app: App) -> None:
    headers = {**claims(world.operator_token), "X-VoltMX-App-API-Key": "00000000-0000-4000-8000-000000000000"}

    assert add(bundle, world, never(app), headers).status == 200


def test_no_credentials_are_refused_without_any_call(bundle: Bundle, world: World, app: App) -> None:
    for headers in (
        {},
        {"X-VoltMX-Authorization": ""},
        {"X-VoltMX-Authorization": "no token"},
        {"X-VoltMX-Authorization": f"{world.operator_token},{world.operator_token}"},
        {"X-VoltMX-Authorization": f"{world.operator_token[:-1]}-"},
        {"Authorization": world.operator_token},
        {"Authorization": "Basic"},
        {"Authorization": "Basic %%%"},
        {"Authorization": f"Basic {base64.b64encode(b'no colon').decode()}"},
        {"Authorization": f"Basic {base64.b64encode(bytes([255, 58, 255])).decode()}"},
        {"Authorization": basic(world.operator.id, world.operator_token)["Authorization"].replace("Basic", "Bearer")},
        basic(world.operator.id, "guessed"),
        {"AccessToken": world.operator_token, "AccessSecret": world.operator_token},
    ):
        answer = add(bundle, world, never(app), headers)
        assert refusal(answer) == (401, UNAUTHORIZED)
        assert answer.body == b'{"id":"","message":"Unauthorized request"}'
        assert answer.headers["www-authenticate"] == 'Basic realm="keywright", charset="UTF-8"'
        assert answer.calls == ()


def test_an_app_key_cannot_add_another(bundle: Bundle, world: World, app: App) -> None:
    token = add(bundle, world, never(app)).json()["id"]

    for header in ("X-VoltMX-App-API-Key", "X-Kony-App-API-Key", "X-VoltMX-Authorization"):
        assert refusal(add(bundle, world, never(app), {header: token})) == (401, UNAUTHORIZED)


def test_whoever_may_not_issue_keys_is_unauthorized(bundle: Bundle, world: World, app: App) -> None:
    for scopes in ((), ("keys:read",), ("keys:issued",), ("owners:*",)):
        answer = add(bundle, world, never(app), claims(operators_token(world, world.operator, *scopes)))
        assert refusal(answer) == (401, UNAUTHORIZED)
        assert answer.calls == ("GetItem",)


def test_a_token_that_is_not_an_operators_is_unauthorized(bundle: Bundle, world: World, app: App) -> None:
    native = world.issue(KeyKind.NATIVE, app.ref, scopes=("keys:issue",)).token.reveal()
    bearer = world.access_token("keys:issue")

    for token in (native, bearer):
        assert refusal(add(bundle, world, never(app), claims(token))) == (401, UNAUTHORIZED)


def test_a_token_that_is_off_is_unauthorized(bundle: Bundle, world: World, app: App) -> None:
    issued = [world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("keys:issue",)) for _ in range(3)]
    lifecycle.disable(world.desk, world.principal, issued[0].key)
    lifecycle.revoke(world.desk, world.principal, issued[1].key)
    world.expire(issued[2].key)

    for each in issued:
        assert refusal(add(bundle, world, never(app), claims(each.token.reveal()))) == (401, UNAUTHORIZED)


def test_a_disabled_operator_is_unauthorized_whatever_is_sent(bundle: Bundle, world: World, app: App) -> None:
    operator = world.add_operator("Ama")
    token = operators_token(world, operator, "keys:issue")
    assert add(bundle, world, never(app), claims(token)).status == 200
    change(world, operator, enabled=False)

    for form in (never(app), {"appId": "nowhere"}, {}):
        for headers in (claims(token), basic(operator.id, token)):
            answer = add(bundle, world, form, headers)
            assert refusal(answer) == (401, UNAUTHORIZED)
            assert set(answer.calls) <= READS


def test_basic_with_another_operators_name_is_unauthorized(bundle: Bundle, world: World, app: App) -> None:
    other = world.add_operator("Ama")

    for user in (other.id, "", f"0{world.operator.id}", f"{world.operator.id} "):
        assert refusal(add(bundle, world, never(app), basic(user, world.operator_token))) == (401, UNAUTHORIZED)


# --- the application -----------------------------------------------------------------------------------------------


def test_an_unknown_application_is_incorrect(bundle: Bundle, world: World, app: App) -> None:
    for named in (
        "20417-0000000000",
        f" {app.id}",
        f"{app.id} ",
        f"{app.id}\n",
        f"{app.id}\x00",
        app.name.upper(),
        f"{app.name}\u2028",
        "\x1f",
        "a" * 251,
        "𝄞" * 251,
        "a" * 60_000,
    ):
        answer = add(bundle, world, {"appId": named, "neverExpires": "true"})
        assert refusal(answer) == (400, WRONG_APP), named
        assert set(answer.calls) <= READS


def test_another_tenants_application_answers_like_one_that_does_not_exist(
    bundle: Bundle, world: World, another_world: World
) -> None:
    theirs = another_world.app("Their tills", id="90000-1")
    missing = add(bundle, world, {"appId": "90000-2", "neverExpires": "true"})

    for named in (theirs.id, theirs.name):
        answer = add(bundle, world, {"appId": named, "neverExpires": "true"})
        assert (answer.status, answer.headers, answer.body, answer.calls) == (
            missing.status,
            missing.headers,
            missing.body,
            missing.calls,
        )
    assert keys(another_world, theirs) == []


def test_an_unpublished_application_is_refused(bundle: Bundle, world: World) -> None:
    draft = world.app("Draft", published=False)

    for named in (draft.id, draft.name):
        answer = add(bundle, world, {"appId": named, "neverExpires": "true"})
        assert refusal(answer) == (400, NOT_PUBLISHED)
        assert set(answer.calls) <= READS


def test_an_application_unpublished_at_the_last_moment_gets_no_key(
    bundle: Bundle, world: World, app: App, aws: Any
) -> None:
    def unpublish(call: Call) -> None:
        if call.operation == "TransactWriteItems" and call.principal == "VoltmxAddAppApiKey":
            change(world, app, published=False)

    aws.fault = unpublish

    assert refusal(add(bundle, world, never(app))) == (400, NOT_PUBLISHED)
    assert keys(world, app) == []


def test_a_key_stops_while_its_application_is_unpublished(bundle: Bundle, world: World, app: App) -> None:
    token = add(bundle, world, never(app)).json()["id"]

    change(world, app, published=False)
    verdict = verify(bundle, world, token)
    assert (verdict["valid"], verdict["reason"]) == (False, "owner_not_eligible")
    change(world, app, published=True)
    assert verify(bundle, world, token)["valid"] is True


def test_a_key_stops_when_it_expires(bundle: Bundle, world: World, app: App) -> None:
    token = add(bundle, world, until(app, "12/31/2049 00:00:00")).json()["id"]

    world.expire(keys(world, app)[0])

    verdict = verify(bundle, world, token)
    assert (verdict["valid"], verdict["reason"]) == (False, "expired")


def test_an_id_wins_over_a_name(bundle: Bundle, world: World, app: App) -> None:
    namesake = world.app(name=app.id)

    assert add(bundle, world, never(app)).status == 200
    assert len(keys(world, app)) == 1
    assert keys(world, namesake) == []


def test_a_name_that_two_applications_share_names_none(bundle: Bundle, world: World, app: App) -> None:
    second = world.app(name=app.name)
    by_name = {"appId": app.name, "neverExpires": "true"}

    assert refusal(add(bundle, world, by_name)) == (400, WRONG_APP)
    change(world, second, name="Orchard tills, next")
    assert add(bundle, world, by_name).status == 200
    assert len(keys(world, app)) == 1


def test_a_name_follows_its_application(bundle: Bundle, world: World, app: App) -> None:
    change(world, app, name="Orchard counters")

    assert refusal(add(bundle, world, {"appId": "Orchard tills", "neverExpires": "true"})) == (400, WRONG_APP)
    assert add(bundle, world, {"appId": "Orchard counters", "neverExpires": "true"}).status == 200


def test_a_name_is_not_lost_by_other_changes(bundle: Bundle, world: World, app: App) -> None:
    world.channel(app)
    change(world, app, published=False)
    change(world, app, published=True)

    assert add(bundle, world, {"appId": app.name, "neverExpires": "true"}).status == 200


def test_an_application_renamed_between_the_reads_is_not_the_one_that_was_named(
    bundle: Bundle, world: World, app: App, aws: Any
) -> None:
    reads = iter(["credential", "names", "application"])

    def rename(call: Call) -> None:
        if call.principal == "VoltmxAddAppApiKey" and next(reads) == "application":
            change(world, app, name="Orchard counters")

    aws.fault = rename

    assert refusal(add(bundle, world, {"appId": app.name, "neverExpires": "true"})) == (400, WRONG_APP)
    assert keys(world, app) == []


def test_names_with_marks_and_of_any_length_are_found(bundle: Bundle, world: World) -> None:
    for name in ("Äpfel & Birnen = 果樹園 + 100 %", "𝄞" * 250):
        world.app(name)
        assert add(bundle, world, {"appId": name, "neverExpires": "true"}).status == 200


# --- the other fields ----------------------------------------------------------------------------------------------


def test_what_is_required_must_be_there(bundle: Bundle, world: World, app: App) -> None:
    for form in (
        {},
        {"neverExpires": "true"},
        {"appId": "", "neverExpires": "true"},
        {"appid": app.id, "neverExpires": "true"},
        {"appId": app.id},
        {"appId": app.id, "neverExpires": "false"},
        {"appId": app.id, "neverExpires": "False", "expiresOn": ""},
        {"appId": app.id, "neverExpires": ""},
        {"appId": app.id, "description": "tills"},
    ):
        answer = add(bundle, world, form)
        assert refusal(answer) == (400, MISSING)
        assert set(answer.calls) <= READS


@pytest.mark.parametrize("value", ["yes", "1", "0", "t", "tru\u0435", "true ", " true", "null", "true\n", "\uff54rue"])
def test_never_expires_is_true_or_false(bundle: Bundle, world: World, app: App, value: str) -> None:
    for form in ({"appId": app.id, "neverExpires": value}, until(app, "12/31/2049 00:00:00", neverExpires=value)):
        answer = add(bundle, world, form)
        assert refusal(answer) == (400, WRONG_NEVER)
        assert set(answer.calls) <= READS


@pytest.mark.parametrize(
    "value",
    [
        "01/01/2001 00:00:00",
        "12/31/2049",
        "12/31/2049 00:00",
        "1/1/2049 00:00:00",
        "01/01/49 00:00:00",
        "31/12/2049 00:00:00",
        "02/29/2049 00:00:00",
        "12/31/2049 24:00:00",
        "12/31/2049 23:60:00",
        "12/31/2049 23:59:60",
        "12/31/2049T00:00:00",
        "12-31-2049 00:00:00",
        "2049-12-31 00:00:00",
        "12/31/2049  00:00:00",
        " 12/31/2049 00:00:00",
        "12/31/2049 00:00:00 ",
        "12/31/2049 00:00:00\n",
        "12/31/2049 00:00:00 UTC",
        "12/31/2049 11:00:00 PM",
        "١٢/31/2049 00:00:00",
        "00/00/0000 00:00:00",
        "12/31/10000 00:00:00",
        "never",
        "1893456000000",
        "9" * 5000,
    ],
)
def test_a_date_is_in_the_format_and_in_the_future(bundle: Bundle, world: World, app: App, value: str) -> None:
    answer = add(bundle, world, until(app, value))

    assert refusal(answer) == (400, WRONG_DATE)
    assert set(answer.calls) <= READS


def test_a_date_that_has_just_passed_is_invalid_and_one_that_comes_soon_is_not(
    bundle: Bundle, world: World, app: App
) -> None:
    now = datetime.now(UTC)
    passed, coming = (f"{now + timedelta(seconds=by):%m/%d/%Y %H:%M:%S}" for by in (-1, 30))

    assert refusal(add(bundle, world, until(app, passed))) == (400, WRONG_DATE)
    assert add(bundle, world, until(app, coming)).status == 200


@pytest.mark.parametrize(
    "value", ["x" * 101, "𝄞" * 101, "two\nlines", "tab\t", "\x00", "\x7f", "\x85", "\u2028", "\u2029"]
)
def test_a_description_is_one_line_of_a_hundred_characters(bundle: Bundle, world: World, app: App, value: str) -> None:
    answer = add(bundle, world, never(app, description=value))

    assert refusal(answer) == (400, WRONG_DESCRIPTION)
    assert set(answer.calls) <= READS


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("appId", WRONG_APP),
        ("neverExpires", WRONG_NEVER),
        ("expiresOn", WRONG_DATE),
        ("description", WRONG_DESCRIPTION),
    ],
)
def test_a_field_that_is_sent_twice_is_invalid(
    bundle: Bundle, world: World, app: App, field: str, message: str
) -> None:
    sent = {"appId": app.id, "neverExpires": "false", "expiresOn": "12/31/2049 00:00:00", "description": "tills"}

    for second in (sent[field], ""):
        answer = add(bundle, world, [*sent.items(), (field, second)])
        assert refusal(answer) == (400, message)
        assert set(answer.calls) <= READS


def test_the_hundred_and_first_key_is_refused(bundle: Bundle, world: World, app: App) -> None:
    issued = [world.issue(KeyKind.APP_API_KEY, app.ref) for _ in range(99)]

    assert add(bundle, world, never(app)).status == 200
    assert refusal(add(bundle, world, never(app))) == (400, "App API key limit reached for the application")
    assert len(keys(world, app)) == 100
    lifecycle.revoke(world.desk, world.principal, issued[0].key)
    assert add(bundle, world, never(app)).status == 200


def test_an_operators_token_that_was_revoked_adds_nothing_and_its_use_is_noted(
    bundle: Bundle, world: World, app: App
) -> None:
    issued = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("*",))
    lifecycle.revoke(world.desk, world.principal, issued.key)

    answer = add(bundle, world, never(app), claims(issued.token.reveal()))
    assert refusal(answer) == (401, UNAUTHORIZED)
    assert not keys(world, app)
    told = world.desk.store.audit(AuditQuestion(tenant=world.tenant, key_id=issued.key.id)).items
    assert [event.type for event in told][:1] == [EventType.KEY_REFUSED]


# --- the body ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b""),
        (FORM, b"{}"),
        (FORM, b"&&&&"),
        (FORM, b"=&=&="),
        (FORM, b"appId=%FF%FE&neverExpires=true"),
        (FORM, b"appId=\xff\xfe&neverExpires=true"),
        (FORM, b"appId=%ED%A0%80&neverExpires=true"),
        (FORM, b"neverExpires=true&appId=1&description=" + b"x" * 64_000),
        (FORM, b"&".join(b"f%d=1" % n for n in range(200)) + b"&appId=1&neverExpires=true"),
        ("", b"appId=1&neverExpires=true"),
        ("text/plain", b"appId=1&neverExpires=true"),
        ("application/json", b'{"appId": "1", "neverExpires": true}'),
        ("application/json", b"[" * 30_000),
        ("application/json", b"x" * 70_000),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="appId"\r\n\r\n1\r\n--b--\r\n',
        ),
        (f"{FORM}, {FORM}", b"appId=1&neverExpires=true"),
    ],
)
def test_a_body_that_is_no_form_is_missing_data(bundle: Bundle, world: World, content_type: str, body: bytes) -> None:
    world.app("One", id="1")
    headers = {**claims(world.operator_token), **({"Content-Type": content_type} if content_type else {})}

    answer = bundle.request("POST", PATH, headers, body)

    assert refusal(answer) == (400, MISSING)
    assert answer.calls == ("GetItem", "GetItem")


def test_fields_in_the_query_do_not_count(bundle: Bundle, world: World, app: App) -> None:
    target = f"{PATH}?appId={app.id}&neverExpires=true"

    assert refusal(bundle.request("POST", target, claims(world.operator_token))) == (400, MISSING)


# --- order ---------------------------------------------------------------------------------------------------------


def test_the_checks_come_in_the_documented_order(bundle: Bundle, world: World, app: App) -> None:
    draft = world.app("Draft", published=False)
    wrong = {"neverExpires": "maybe", "expiresOn": "yesterday", "description": "x" * 101}
    passed = "01/01/2001 00:00:00"
    steps: list[tuple[dict[str, str], Form, tuple[int, str]]] = [
        ({}, {}, (401, UNAUTHORIZED)),
        (claims(world.operator_token), {"description": "x" * 101}, (400, MISSING)),
        (claims(world.operator_token), {"appId": "nowhere", "description": "x" * 101}, (400, MISSING)),
        (claims(world.operator_token), {"appId": draft.id, "neverExpires": "false"}, (400, MISSING)),
        (claims(world.operator_token), {"appId": "nowhere", **wrong}, (400, WRONG_APP)),
        (claims(world.operator_token), {"appId": draft.id, **wrong}, (400, NOT_PUBLISHED)),
        (claims(world.operator_token), {"appId": app.id, **wrong}, (400, WRONG_NEVER)),
        (claims(world.operator_token), {"appId": app.id, **wrong, "neverExpires": "false"}, (400, WRONG_DATE)),
        (claims(world.operator_token), until(app, passed, description="x" * 101), (400, WRONG_DATE)),
        (claims(world.operator_token), {"appId": app.id, **wrong, "neverExpires": "true"}, (400, WRONG_DESCRIPTION)),
    ]

    assert [refusal(add(bundle, world, form, headers)) for headers, form, _ in steps] == [last for *_, last in steps]


def test_the_description_comes_before_the_limit(bundle: Bundle, world: World, app: App) -> None:
    for _ in range(100):
        world.issue(KeyKind.APP_API_KEY, app.ref)

    assert refusal(add(bundle, world, never(app, description="x" * 101))) == (400, WRONG_DESCRIPTION)


# --- AWS -----------------------------------------------------------------------------------------------------------


def test_a_key_takes_two_reads_one_seal_and_one_transaction(bundle: Bundle, world: World, app: App) -> None:
    by_id = add(bundle, world, never(app))
    by_name = add(bundle, world, {"appId": app.name, "neverExpires": "true"})

    assert by_id.calls == ("GetItem", "BatchGetItem", "Encrypt", "TransactWriteItems")
    assert by_name.calls == ("GetItem", "BatchGetItem", "GetItem", "Encrypt", "TransactWriteItems")


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("GetItem", error("ThrottlingException")),
        ("BatchGetItem", error("ProvisionedThroughputExceededException")),
        ("Encrypt", error("KMSInternalException", 500)),
        ("TransactWriteItems", error("InternalServerError", 500)),
    ],
)
def test_what_does_not_answer_is_a_server_failure_to_be_tried_again(
    bundle: Bundle, world: World, app: App, aws: Any, operation: str, fault: Any
) -> None:
    aws.fault = lambda call: Fault(fault) if call.operation == operation and call.principal else None

    answer = add(bundle, world, never(app))

    assert refusal(answer) == (500, "Server failure to process request")
    assert answer.headers["retry-after"] == "1"
    assert keys(world, app) == []


def test_our_own_fault_is_a_server_failure_and_says_no_more(bundle: Bundle, world: World, app: App, aws: Any) -> None:
    aws.fault = lambda call: Fault(error("AccessDeniedException", text="secret detail")) if call.principal else None

    answer = add(bundle, world, never(app))

    assert refusal(answer) == (500, "Server failure to process request")
    assert "retry-after" not in answer.headers

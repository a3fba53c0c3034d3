"""Volt MX Foundry Engagement row by row: each id names the operation, the caller, the field, the refusal or the rule
that it is about. V1 adds, V2 gets all, V3 gets one, V4 modifies, V5 regenerates, V6 deletes.

The other files of this folder go deeper where one row has many spellings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import pytest

from keywright import lifecycle, sweeping
from keywright.limits import RateLimit
from keywright.model import App, Key
from local.aws import Fault, error
from tests.bundle import Answer, Bundle
from tests.contract.voltmx.engagement import (
    LOGIN,
    PATH,
    Form,
    Headers,
    app_key,
    basic,
    body_of,
    change,
    claims,
    get_refusal,
    key_of,
    refusal,
    verify,
)
from tests.world import World

UNKNOWN: Final = "03fb1ae7-5c6b-4ee4-9ac9-47878368b394"
UUID4: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TIME: Final = r"(0[1-9]|1[0-2])/[0-3]\d/\d{4} [0-2]\d:[0-5]\d:[0-5]\d UTC"
PAST, LATER = "01/01/2001 00:00:00", "12/31/2049 23:59:59"
OUTDATED_MS: Final = 978_307_200_000


class Place:
    """A published application with two keys, the second for V5 to find expired."""

    def __init__(self, bundle: Bundle, world: World) -> None:
        self.bundle, self.world = bundle, world
        self.app = world.app("Orchard tills", id="20417-5530918264")
        self.key, self.token = key_of(world, self.app, description="till terminals")
        self.user = claims(world.operator_token)

    def expired(self, **order: Any) -> tuple[Key, str]:
        key, token = key_of(self.world, self.app, **order)
        self.world.expire(key)
        return key, token


@pytest.fixture
def place(bundle: Bundle, world: World) -> Place:
    return Place(bundle, world)


class Operation(NamedTuple):
    method: str
    path: str
    form: Form | None
    message: str
    """What it says when it is done, and None where it shows something instead."""
    said: Callable[[Answer], tuple[int, str]] = refusal

    def ask(
        self,
        place: Place,
        headers: Headers | None = None,
        *,
        app: str | None = None,
        token: str | None = None,
        form: Form | None = None,
        raw: tuple[str, bytes] | None = None,
    ) -> Answer:
        """With what it takes to succeed, but for what is said otherwise; `raw` is a content type and a body."""
        if token is None:
            token = place.expired()[1] if self is OPERATIONS["V5 Regenerate"] else place.token
        app = place.app.id if app is None else app
        target = self.path.format(app=app, key=token)
        headers = place.user if headers is None else headers
        if raw is not None:
            return place.bundle.request(self.method, target, {**headers, "Content-Type": raw[0]}, raw[1])
        sent = self.form if form is None else form
        if self is OPERATIONS["V1 Add"] and form is None:
            sent = {"appId": app, **dict(self.form or {})}
        return place.bundle.request(self.method, target, headers, form=sent)


OPERATIONS: Final = {
    "V1 Add": Operation("POST", PATH, {"neverExpires": "true"}, "App API key Added successfully"),
    "V2 Get all": Operation("GET", f"{PATH}?appId={{app}}", None, "", get_refusal),
    "V3 Get one": Operation("GET", f"{PATH}/{{key}}", None, "", get_refusal),
    "V4 Modify": Operation("POST", f"{PATH}/{{key}}", {"description": "x"}, "App API key updated successfully"),
    "V5 Regenerate": Operation(
        "POST", f"{PATH}/{{key}}", {"neverExpires": "true"}, "App API key regenerated successfully"
    ),
    "V6 Delete": Operation("DELETE", f"{PATH}/{{key}}", None, "App API key deleted successfully"),
}
BY_APP_KEY: Final = [name for name in OPERATIONS if name != "V1 Add"]
NAMING_A_KEY: Final = [name for name in OPERATIONS if name > "V3"]
of_every_operation = pytest.mark.parametrize("name", OPERATIONS)


# --- the operations ------------------------------------------------------------------------------------------------


@of_every_operation
def test_an_operation_is_served_with_200(place: Place, name: str) -> None:
    """Members in their order, types, and the literal message; V1 too is 200 and not 201."""
    operation = OPERATIONS[name]
    token = place.expired()[1] if name == "V5 Regenerate" else place.token

    answer = operation.ask(place, token=token)

    assert answer.status == 200
    body = body_of(answer)
    if operation.message:
        assert list(body) == ["id", "message"]
        assert body["message"] == operation.message
        assert re.fullmatch(UUID4, body["id"])
        assert (body["id"] == token) is (name != "V1 Add")
    else:
        assert list(body) == ["status", "result"]
        assert type(body["status"]) is int
        for shown in body["result"] if name == "V2 Get all" else [body["result"]]:
            check_shown(shown)


def check_shown(key: dict[str, Any]) -> None:
    assert list(key) == ["appAPIKey", "description", "neverExpires", "createdOn", "updatedOn", "expiresOn"]
    assert re.fullmatch(UUID4, key["appAPIKey"])
    assert type(key["neverExpires"]) is bool
    assert re.fullmatch(TIME, key["createdOn"])
    assert key["updatedOn"] == key["createdOn"]
    assert (key["expiresOn"] is None) is key["neverExpires"]


@pytest.mark.parametrize("name", NAMING_A_KEY)
def test_the_id_is_the_key_itself_in_lower_case_and_compared_without_case(place: Place, name: str) -> None:
    token = place.expired()[1] if name == "V5 Regenerate" else place.token
    body = body_of(OPERATIONS[name].ask(place, token=token.upper()))
    assert (body["result"]["appAPIKey"] if name == "V3 Get one" else body["id"]) == token


def test_v2_shows_the_oldest_first_and_a_date_with_its_zone(place: Place) -> None:
    _, second = key_of(place.world, place.app, expires_at_ms=2_524_607_999_000)
    place.world.overwrite(place.key, created_at_ms=place.key.created_at_ms - 1_000)
    first, then = body_of(OPERATIONS["V2 Get all"].ask(place))["result"]
    assert (first["appAPIKey"], then["appAPIKey"]) == (place.token, second)
    assert (first["neverExpires"], first["expiresOn"]) == (True, None)
    assert (then["neverExpires"], then["expiresOn"]) == (False, f"{LATER} UTC")


@pytest.mark.parametrize("named", ["20417-5530918264", "Orchard%20tills"], ids=["appId an id", "appId a name"])
@pytest.mark.parametrize("name", ["V1 Add", "V2 Get all"])
def test_an_application_is_named_by(place: Place, name: str, named: str) -> None:
    sent = named if name == "V2 Get all" else named.replace("%20", " ")
    assert OPERATIONS[name].ask(place, app=sent).status == 200


# --- the callers ---------------------------------------------------------------------------------------------------

CALLERS: Final[dict[str, tuple[Callable[[Place], Headers], list[str]]]] = {
    "X-VoltMX-Authorization": (lambda place: place.user, [*OPERATIONS]),
    "X-Kony-Authorization": (lambda place: {"X-Kony-Authorization": place.world.operator_token}, [*OPERATIONS]),
    "Authorization: Basic": (lambda place: basic(place.world.operator.id, place.world.operator_token), [*OPERATIONS]),
    "X-VoltMX-App-API-Key": (lambda place: app_key(key_of(place.world, place.app)[1]), BY_APP_KEY),
    "X-Kony-App-API-Key": (
        lambda place: {"X-Kony-App-API-Key": key_of(place.world, place.app)[1].upper()},
        BY_APP_KEY,
    ),
    "AccessToken and AccessSecret": (
        lambda place: {"AccessToken": place.world.operator_token, "AccessSecret": place.world.operator_token},
        [],
    ),
    "Authorization: Bearer": (lambda place: place.world.bearer, []),
    "no credentials": (lambda _: {}, []),
}


@of_every_operation
@pytest.mark.parametrize("header", CALLERS)
def test_a_caller_comes_by(place: Place, header: str, name: str) -> None:
    make, accepted = CALLERS[header]
    answer = OPERATIONS[name].ask(place, make(place))
    if name in accepted:
        assert answer.status == 200
    else:
        assert OPERATIONS[name].said(answer) == (401, "Unauthorized request")


@pytest.mark.parametrize("body", ["JSON", "a form"])
def test_the_login_gives_a_claims_token_for_an_hour(place: Place, body: str) -> None:
    """`profile`, `refresh_token`, `claims_token`, whose `exp` is a number of epoch milliseconds."""
    sent = {
        "userid": place.world.operator.id,
        "password": place.world.operator_token,
        "provider": "userstore",
        "domain": "example.com",
    }
    how: dict[str, Any] = {"json_body": sent} if body == "JSON" else {"form": sent}
    before = place.world.desk.clock.now_ms()

    answered = body_of(place.bundle.request("POST", LOGIN, **how))

    assert list(answered) == ["profile", "refresh_token", "claims_token"]
    assert list(answered["profile"]) == ["email", "userid", "firstname", "lastname"]
    assert list(answered["claims_token"]) == ["value", "exp"]
    assert type(answered["claims_token"]["exp"]) is int
    assert 0 <= answered["claims_token"]["exp"] - before - 3_600_000 < 60_000
    headers = claims(answered["claims_token"]["value"])
    assert all(operation.ask(place, headers).status == 200 for operation in OPERATIONS.values())


LOGINS: Final[dict[str, tuple[Mapping[str, Any], tuple[int, str]]]] = {
    "no userid": ({"userid": None}, (400, "Required data is missing")),
    "no password": ({"password": None}, (400, "Required data is missing")),
    "an unknown user": ({"userid": "nobody"}, (401, "Authentication fail, Invalid credentials")),
    "a wrong password": ({"password": "guessed"}, (401, "Authentication fail, Invalid credentials")),
}


@pytest.mark.parametrize("row", LOGINS)
def test_a_login_is_refused_for(place: Place, row: str) -> None:
    """Its own words stand at the login alone: a wrong Basic password elsewhere is `Unauthorized request`."""
    otherwise, told = LOGINS[row]
    good = {"userid": place.world.operator.id, "password": place.world.operator_token}
    sent = {name: value for name, value in {**good, **otherwise}.items() if value is not None}
    assert refusal(place.bundle.request("POST", LOGIN, json_body=sent)) == told
    assert refusal(place.bundle.request("POST", LOGIN, form=sent)) == told
    if told[0] == 401:
        answer = OPERATIONS["V1 Add"].ask(place, basic(sent["userid"], sent["password"]))
        assert refusal(answer) == (401, "Unauthorized request")


ENDS: Final = {"disabled": lifecycle.disable, "revoked": lifecycle.revoke, "deleted": lifecycle.delete, "expired": None}


@pytest.mark.parametrize("name", BY_APP_KEY)
@pytest.mark.parametrize("end", [*ENDS, "unknown"])
def test_an_app_api_key_is_no_credential_when(place: Place, end: str, name: str) -> None:
    """An expired key acts on nothing, itself included."""
    key, callers = key_of(place.world, place.app)
    match end:
        case "unknown":
            callers = UNKNOWN
        case "expired":
            place.world.expire(key)
        case _:
            ENDS[end](place.world.desk, place.world.principal, key)  # type: ignore[misc]
    for token in (None, callers):
        answer = OPERATIONS[name].ask(place, app_key(callers), token=token)
        assert OPERATIONS[name].said(answer) == (401, "Invalid X-VoltMX-App-API-Key")


@of_every_operation
def test_with_the_setting_off_no_app_api_key_is_a_credential(zurich: Bundle, zurich_world: World, name: str) -> None:
    elsewhere = Place(zurich, zurich_world)
    answer = OPERATIONS[name].ask(elsewhere, app_key(elsewhere.token))
    words = "Unauthorized request" if name == "V1 Add" else "Invalid X-VoltMX-App-API-Key"
    assert OPERATIONS[name].said(answer) == (401, words)
    assert OPERATIONS[name].ask(elsewhere).status == 200


# --- the fields ----------------------------------------------------------------------------------------------------


def soon(seconds: int) -> str:
    return f"{datetime.now(UTC) + timedelta(seconds=seconds):%m/%d/%Y %H:%M:%S}"


MISSING = "Required data is missing"
WRONG_NEVER, WRONG_DATE = "The neverExpires value is invalid", "The expiresOn date is invalid"
WRONG_DESCRIPTION = "The description exceeds 100 characters"
FIELDS: Final[dict[str, tuple[Callable[[], dict[str, str]], str | None]]] = {
    "expiresOn alone": (lambda: {"expiresOn": LATER}, None),
    "expiresOn in half a minute": (lambda: {"expiresOn": soon(30)}, None),
    "expiresOn a second ago": (lambda: {"expiresOn": soon(-1)}, WRONG_DATE),
    "expiresOn without a time": (lambda: {"expiresOn": "12/31/2049"}, WRONG_DATE),
    "expiresOn with one digit": (lambda: {"expiresOn": "1/1/2049 00:00:00"}, WRONG_DATE),
    "expiresOn on a 12-hour clock": (lambda: {"expiresOn": "12/31/2049 11:59:59 PM"}, WRONG_DATE),
    "expiresOn in European order": (lambda: {"expiresOn": "31/12/2049 23:59:59"}, WRONG_DATE),
    "neverExpires true": (lambda: {"neverExpires": "true"}, None),
    "neverExpires TRUE": (lambda: {"neverExpires": "TRUE"}, None),
    "neverExpires yes": (lambda: {"neverExpires": "yes"}, WRONG_NEVER),
    "neverExpires 1": (lambda: {"neverExpires": "1"}, WRONG_NEVER),
    "neverExpires true and a past expiresOn": (lambda: {"neverExpires": "true", "expiresOn": PAST}, None),
    "neverExpires true and an expiresOn that is none": (lambda: {"neverExpires": "true", "expiresOn": "soon"}, None),
    "neverExpires false and an expiresOn": (lambda: {"neverExpires": "false", "expiresOn": LATER}, None),
    "description of 100 characters": (lambda: {"neverExpires": "true", "description": "é" * 100}, None),
    "description of 101 characters": (lambda: {"neverExpires": "true", "description": "é" * 101}, WRONG_DESCRIPTION),
    "an unknown field": (lambda: {"neverExpires": "true", "source": "console"}, None),
}


@pytest.mark.parametrize("name", ["V1 Add", "V4 Modify", "V5 Regenerate"])
@pytest.mark.parametrize("row", FIELDS)
def test_a_field_is(place: Place, row: str, name: str) -> None:
    make, told = FIELDS[row]
    form = make() | ({"appId": place.app.id} if name == "V1 Add" else {})

    answer = OPERATIONS[name].ask(place, form=form)

    if told is not None:
        assert refusal(answer) == (400, told)
        return
    assert body_of(answer)["message"] == OPERATIONS[name].message
    [shown] = [
        each
        for each in body_of(OPERATIONS["V2 Get all"].ask(place))["result"]
        if each["appAPIKey"] == body_of(answer)["id"]
    ]
    never = form.get("neverExpires", "").lower() == "true"
    assert shown["neverExpires"] is never
    assert shown["expiresOn"] == (None if never else f"{form['expiresOn']} UTC")
    kept = "till terminals" if name == "V4 Modify" else ""
    assert shown["description"] == form.get("description", kept)


NEEDED: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "V1 without appId": ("V1 Add", {"neverExpires": "true"}),
    "V1 with neither expiresOn nor neverExpires": ("V1 Add", {"appId": "20417-5530918264", "description": "x"}),
    "V1 with neverExpires false and no expiresOn": ("V1 Add", {"appId": "20417-5530918264", "neverExpires": "false"}),
    "V4 without fields": ("V4 Modify", {}),
    "V4 with neverExpires false on a key that never expires": ("V4 Modify", {"neverExpires": "false"}),
    "V5 without fields": ("V5 Regenerate", {}),
    "V5 with neither expiresOn nor neverExpires": ("V5 Regenerate", {"description": "x"}),
    "V5 with neverExpires false and no expiresOn": ("V5 Regenerate", {"neverExpires": "false"}),
}


@pytest.mark.parametrize("row", NEEDED)
def test_required_data_is_missing_from(place: Place, row: str) -> None:
    name, form = NEEDED[row]
    raw = (FORM, b"") if not form else None
    assert refusal(OPERATIONS[name].ask(place, form=form, raw=raw)) == (400, MISSING)


def test_required_data_is_missing_from_v2_without_app_id(place: Place) -> None:
    answer = place.bundle.request("GET", PATH, place.user)
    assert get_refusal(answer) == (400, MISSING)


FORM: Final = "application/x-www-form-urlencoded"
BODIES: Final = {
    "JSON": ("application/json", json.dumps({"appId": "20417-5530918264", "neverExpires": True}).encode()),
    "text": ("text/plain", b"appId=20417-5530918264&neverExpires=true"),
    "more than 64 kB": (FORM, b"appId=20417-5530918264&neverExpires=true&x=" + b"x" * 64_000),
    "no UTF-8": (FORM, b"appId=20417-5530918264&neverExpires=true&description=%FF"),
}


@pytest.mark.parametrize("name", ["V1 Add", "V4 Modify", "V5 Regenerate"])
@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_form_is_missing_data(place: Place, body: str, name: str) -> None:
    assert refusal(OPERATIONS[name].ask(place, raw=BODIES[body])) == (400, MISSING)


# --- the refusals --------------------------------------------------------------------------------------------------

UNPUBLISHED = "Invalid VoltMX AppId or Application is not published with given AppId"


class Row(NamedTuple):
    operations: list[str]
    how: Callable[[Place], dict[str, Any]]
    status: int
    message: str


def others_key(place: Place) -> dict[str, Any]:
    """An application by a key of its own, which asks about another's."""
    return {"headers": app_key(key_of(place.world, place.world.app("Other"))[1]), "token": place.token}


def draft(place: Place, *, asks: bool = False) -> dict[str, Any]:
    """An application that was published once; who asks is an operator or itself."""
    app = place.world.app("Draft")
    _, token = key_of(place.world, app)
    change(place.world, app, published=False)
    return {"app": app.id, "token": token, **({"headers": app_key(token)} if asks else {})}


REFUSALS: Final = {
    "400 The appId entered is incorrect": Row(
        ["V1 Add"], lambda _: {"app": "20417-0"}, 400, "The appId entered is incorrect"
    ),
    "400 not published": Row(["V1 Add"], draft, 400, UNPUBLISHED),
    "400 not published, by its own key": Row(
        ["V2 Get all", "V3 Get one", "V4 Modify", "V6 Delete"], lambda place: draft(place, asks=True), 400, UNPUBLISHED
    ),
    "400 Invalid AppId entered": Row(["V2 Get all"], lambda _: {"app": "20417-0"}, 400, "Invalid AppId entered"),
    "400 Invalid AppId entered, another's app key": Row(["V2 Get all"], others_key, 400, "Invalid AppId entered"),
    "400 No App API keys found": Row(
        ["V2 Get all"], lambda place: {"app": place.world.app("Empty").id}, 400, "No App API keys found"
    ),
    "400 App API key not found": Row(["V3 Get one"], lambda _: {"token": UNKNOWN}, 400, "App API key not found"),
    "400 App API key not found, another's app key": Row(["V3 Get one"], others_key, 400, "App API key not found"),
    "400 App API key not found for modification": Row(
        ["V4 Modify", "V5 Regenerate"], lambda _: {"token": UNKNOWN}, 400, "App API key not found for modification"
    ),
    "400 App API key not found for modification, another's app key": Row(
        ["V4 Modify", "V5 Regenerate"], others_key, 400, "App API key not found for modification"
    ),
    "400 App API key not found for deletion": Row(
        ["V6 Delete"], lambda _: {"token": UNKNOWN}, 400, "App API key not found for deletion"
    ),
    "400 App API key not found for deletion, another's app key": Row(
        ["V6 Delete"], others_key, 400, "App API key not found for deletion"
    ),
    "401 Unauthorized request, an unknown claims token": Row(
        [*OPERATIONS], lambda _: {"headers": claims("kw_local_unknown")}, 401, "Unauthorized request"
    ),
    "401 Unauthorized request, a wrong Basic password": Row(
        [*OPERATIONS],
        lambda place: {"headers": basic(place.world.operator.id, "guessed")},
        401,
        "Unauthorized request",
    ),
    "401 Unauthorized request, an app key adds": Row(
        ["V1 Add"], lambda place: {"headers": app_key(place.token)}, 401, "Unauthorized request"
    ),
}


@pytest.mark.parametrize("row", REFUSALS)
def test_a_request_is_refused_with(place: Place, row: str) -> None:
    """In the operation's own body: an empty `id` and the message, or of the two GETs status, result and message."""
    operations, how, status, message = REFUSALS[row]
    for name in operations:
        made = how(place)
        assert OPERATIONS[name].said(OPERATIONS[name].ask(place, **made)) == (status, message), name


def test_the_hundred_and_first_key_is_refused(place: Place) -> None:
    for _ in range(99):
        key_of(place.world, place.app)
    assert refusal(OPERATIONS["V1 Add"].ask(place)) == (400, "App API key limit reached for the application")
    assert OPERATIONS["V6 Delete"].ask(place).status == 200
    assert OPERATIONS["V1 Add"].ask(place).status == 200


@of_every_operation
@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [(error("AccessDeniedException"), None), (error("InternalServerError", 500), "1")],
    ids=["500 our fault", "500 unable for the moment"],
)
def test_a_server_failure_is(place: Place, aws: Any, name: str, fault: Any, retry_after: str | None) -> None:
    token = place.expired()[1]
    aws.fault = lambda call: Fault(fault) if call.principal and call.operation == "BatchGetItem" else None
    answer = OPERATIONS[name].ask(place, token=token)
    assert OPERATIONS[name].said(answer) == (500, "Server failure to process request")
    assert answer.headers.get("retry-after") == retry_after


def test_the_checks_come_in_the_documented_order(place: Place) -> None:
    """401, missing data, appId, published, neverExpires, expiresOn, description, limit; V1 has them all."""
    unpublished = place.world.app("Draft", published=False)
    for _ in range(99):
        key_of(place.world, place.app)
    bad = {"neverExpires": "maybe", "expiresOn": PAST, "description": "x" * 101}
    good: dict[str, str] = {"appId": place.app.id, "neverExpires": "true"}
    steps: list[tuple[Headers, dict[str, str], str]] = [
        ({}, {}, "Unauthorized request"),
        (place.user, bad, MISSING),
        (place.user, {"appId": "20417-0", **bad}, "The appId entered is incorrect"),
        (place.user, {"appId": unpublished.id, **bad}, UNPUBLISHED),
        (place.user, {"appId": place.app.id, **bad}, WRONG_NEVER),
        (place.user, {"appId": place.app.id, **bad, "neverExpires": "false"}, WRONG_DATE),
        (place.user, {**good, "description": "x" * 101}, WRONG_DESCRIPTION),
        (place.user, good, "App API key limit reached for the application"),
    ]
    told = [refusal(OPERATIONS["V1 Add"].ask(place, headers, form=form))[1] for headers, form, _ in steps]
    assert told == [message for *_, message in steps]


# --- the life of a key ---------------------------------------------------------------------------------------------


def test_modify_on_a_key_that_is_not_expired_keeps_value_and_absent_fields(place: Place) -> None:
    key, token = key_of(place.world, place.app, description="old", expires_at_ms=2_524_607_999_000)
    body = body_of(OPERATIONS["V4 Modify"].ask(place, token=token, form={"description": "new"}))
    assert body == {"id": token, "message": "App API key updated successfully"}
    now = place.world.key(key.id)
    assert (now.description, now.expires_at_ms, now.versions) == ("new", key.expires_at_ms, key.versions)


def test_regenerate_on_an_expired_key_revives_the_same_value(place: Place) -> None:
    key, token = place.expired(description="old")
    assert verify(place.bundle, place.world, token)["reason"] == "expired"
    body = body_of(OPERATIONS["V5 Regenerate"].ask(place, token=token, form={"expiresOn": LATER}))
    assert body == {"id": token, "message": "App API key regenerated successfully"}
    assert place.world.key(key.id).versions == key.versions
    assert verify(place.bundle, place.world, token)["valid"] is True


def test_an_expired_key_stays_listed_and_can_be_regenerated_however_long_ago_it_expired(
    zurich: Bundle, zurich_world: World
) -> None:
    elsewhere = Place(zurich, zurich_world)
    key, token = elsewhere.expired()
    zurich_world.overwrite(zurich_world.key(key.id), created_at_ms=OUTDATED_MS, expires_at_ms=OUTDATED_MS + 1)
    for _ in range(2):
        sweeping.sweep(zurich_world.desk, time_is_up=lambda: False)
    listed = {each["appAPIKey"] for each in body_of(OPERATIONS["V2 Get all"].ask(elsewhere))["result"]}
    assert listed == {token, elsewhere.token}
    assert body_of(OPERATIONS["V5 Regenerate"].ask(elsewhere, token=token))["id"] == token
    assert OPERATIONS["V6 Delete"].ask(elsewhere, token=token).status == 200


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "V1 Add"])
def test_the_keys_of_an_unpublished_application_list_change_and_delete(place: Place, name: str) -> None:
    token = place.expired()[1] if name == "V5 Regenerate" else place.token
    change(place.world, place.app, published=False)
    assert OPERATIONS[name].ask(place, token=token).status == 200


def test_unpublishing_keeps_the_keys_which_fail_verification_until_it_is_published_again(place: Place) -> None:
    app: App = place.app
    for published, reason in ((False, "owner_not_eligible"), (True, None)):
        change(place.world, app, published=published)
        assert verify(place.bundle, place.world, place.token)["reason"] == reason


def test_with_its_application_go_all_its_keys(place: Place) -> None:
    _, expired = place.expired()
    path = f"/v1/owners/app/{place.app.id}"
    answers = [place.bundle.request("DELETE", path, place.world.bearer).json() for _ in range(3)]
    assert {"removed": True} in answers
    for token in (place.token, expired):
        assert verify(place.bundle, place.world, token)["reason"] == "unknown"
        told = OPERATIONS["V3 Get one"].said(OPERATIONS["V3 Get one"].ask(place, token=token))
        assert told == (400, "App API key not found")
    assert get_refusal(OPERATIONS["V2 Get all"].ask(place)) == (400, "Invalid AppId entered")


@pytest.mark.parametrize("name", BY_APP_KEY)
def test_a_key_that_stands_in_a_url_or_a_header_is_in_no_log(
    place: Place, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    _, callers = key_of(place.world, place.app)
    token = place.expired()[1] if name == "V5 Regenerate" else place.token
    capfd.readouterr()
    assert OPERATIONS[name].ask(place, app_key(callers), token=token).status == 200
    written = caplog.text + "".join(capfd.readouterr())
    assert "answered" in written
    for hidden in (callers, token, place.app.id):
        assert hidden not in written


# --- how a key is verified -----------------------------------------------------------------------------------------

VERDICTS: Final[dict[str, tuple[Callable[[Place], dict[str, Any]], tuple[int, str] | None]]] = {
    "good, no application named": (lambda place: {"headers": app_key(place.token)}, None),
    "good, its application named": (
        lambda place: {"headers": app_key(place.token), "parameters": {"appId": place.app.id}},
        None,
    ),
    "good, by the former header": (lambda place: {"headers": {"X-Kony-App-API-Key": place.token}}, None),
    "another application named": (
        lambda place: {"headers": app_key(place.token), "parameters": {"appId": place.world.app("Other").id}},
        (400, UNPUBLISHED),
    ),
    "an unpublished application": (lambda place: {"headers": app_key(draft(place)["token"])}, (400, UNPUBLISHED)),
    "an expired key": (lambda place: {"headers": app_key(place.expired()[1])}, (401, "Invalid X-VoltMX-App-API-Key")),
    "an unknown key": (lambda _: {"headers": app_key(UNKNOWN)}, (401, "Invalid X-VoltMX-App-API-Key")),
    "a device's token": (lambda _: {"headers": {"X-Device-AuthToken": "x"}}, (401, "Unauthorized request")),
}


@pytest.mark.parametrize("row", VERDICTS)
def test_a_service_behind_is_told_of_a_key_that_is(place: Place, row: str) -> None:
    make, refused = VERDICTS[row]
    asked = {"dialect": "voltmx", **make(place)}
    verdict = place.bundle.request("POST", "/v1/keys/verify", place.world.bearer, json_body=asked).json()
    assert verdict["valid"] is (refused is None)
    if refused is None:
        assert verdict["owner"] == {"kind": "app", "id": place.app.id}
        assert verdict["issued_by"] == place.key.creator.id
    else:
        assert (verdict["refusal"]["status"], json.loads(verdict["refusal"]["body"])) == (
            refused[0],
            {"id": "", "message": refused[1]},
        )


def test_a_service_behind_is_told_of_a_good_key_that_was_used_too_much(place: Place) -> None:
    _, token = key_of(place.world, place.app, rate_limit=RateLimit(limit=1, period_seconds=60, burst=1))
    asked = {"dialect": "voltmx", "headers": app_key(token)}
    first, second = (
        place.bundle.request("POST", "/v1/keys/verify", place.world.bearer, json_body=asked).json() for _ in range(2)
    )
    assert (first["valid"], second["valid"]) == (True, False)
    told = second["refusal"]
    assert (told["status"], told["body"]) == (429, '{"id":"","message":"Too many requests"}')
    assert 1 <= int(told["headers"]["Retry-After"]) <= 60


# --- the vendor's page "Add App API Key" ---------------------------------------------------------------------------


def test_the_pages_request_is_answered_as_its_sample_is(place: Place) -> None:
    """POST, a form, the claims token in its header; `id` and `message` and nothing else, the message to the letter."""
    headers = {"Content-Type": FORM, "X-VoltMX-Authorization": place.world.operator_token}
    form = f"appId={place.app.id}&expiresOn=12%2F31%2F2049+23%3A59%3A59&neverExpires=false&description=till+terminals"
    body = body_of(place.bundle.request("POST", "/api/v1/applications/key", headers, form))
    assert list(body.items()) == [("id", body["id"]), ("message", "App API key Added successfully")]
    assert re.fullmatch(UUID4, body["id"])


@pytest.mark.parametrize(
    ("form", "status", "message"),
    [
        ({"appId": "20417-0", "neverExpires": "true"}, 400, "The appId entered is incorrect"),
        ({"neverExpires": "true", "description": "x" * 101}, 400, WRONG_DESCRIPTION),
        ({"expiresOn": PAST}, 400, WRONG_DATE),
        ({}, 400, MISSING),
        (None, 401, "Unauthorized request"),
    ],
    ids=[
        "Status 400 The appId entered is incorrect",
        "Status 400 The description exceeds 100 characters",
        "Status 400 The expiresOn date is invalid, one that has already passed",
        "Status 400 Required data is missing",
        "Status 401 Unauthorized request",
    ],
)
def test_the_page_says(place: Place, form: dict[str, str] | None, status: int, message: str) -> None:
    sent = {"appId": place.app.id, **({"neverExpires": "true"} if form is None else form)}
    answer = OPERATIONS["V1 Add"].ask(place, {} if form is None else None, form=sent)
    assert refusal(answer) == (status, message)


def test_the_page_says_that_with_expires_on_and_never_expires_the_key_never_expires(place: Place) -> None:
    form = {"appId": place.app.id, "expiresOn": LATER, "neverExpires": "true"}
    token = body_of(OPERATIONS["V1 Add"].ask(place, form=form))["id"]
    assert verify(place.bundle, place.world, token)["expires_at"] is None

"""Who may not call K2 to K4 and K6 to K8, and in which order the checks come. K1 and K5 have their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keywright.issuing import Issued
from tests.contract.sunshine.place import (
    APP_NOT_FOUND,
    FORBIDDEN,
    INTEGRATION_NOT_FOUND,
    NOT_CUSTOM,
    NOT_FOUND,
    UNAUTHORIZED,
    UNKNOWN,
    Keys,
    Place,
    basic,
    bearer,
    id_of,
)
from tests.world import World

OPERATIONS = pytest.mark.parametrize(
    ("method", "of_one"), [("GET", False), ("GET", True), ("DELETE", True)], ids=["list", "get", "delete"]
)
SCHEMES = pytest.mark.parametrize("scheme", [basic, bearer])
Scheme = Callable[[Issued], dict[str, str]]


@OPERATIONS
def test_without_credentials_one_is_refused_and_nothing_is_read(shared_keys: Keys, method: str, of_one: bool) -> None:
    answer = shared_keys.ask(method, shared_keys.unknown if of_one else "", {})
    assert (answer.status, answer.body, answer.calls) == (401, UNAUTHORIZED, ())
    assert answer.headers["www-authenticate"] == 'Basic realm="keywright", Bearer realm="keywright"'


@OPERATIONS
@pytest.mark.parametrize("authorization", ["Basic eDp5", "Bearer x.y.z", "Bearer kw_local_x", "Digest x", "Basic"])
def test_with_credentials_of_no_form_as_well(shared_keys: Keys, method: str, of_one: bool, authorization: str) -> None:
    answer = shared_keys.ask(method, shared_keys.unknown if of_one else "", {"Authorization": authorization})
    assert (answer.status, answer.body, answer.calls) == (401, UNAUTHORIZED, ())


@OPERATIONS
@SCHEMES
def test_an_integrations_key_manages_no_keys(
    place: Place, keys: Keys, method: str, of_one: bool, scheme: Scheme
) -> None:
    caller = place.integration_key()
    for key in (keys.unknown, caller.key) if of_one else ("",):
        for app in (None, UNKNOWN):
            answer = keys.ask(method, key, scheme(caller), app=app)
            assert (answer.status, answer.body) == (403, FORBIDDEN)
    assert place.world.key(caller.key.id) == caller.key


@OPERATIONS
@SCHEMES
def test_an_apps_key_manages_its_own_integrations_keys_and_nothing_else(
    place: Place, another_world: World, method: str, of_one: bool, scheme: Scheme
) -> None:
    """Whether the other app exists or not."""
    caller, sibling, theirs = scheme(place.app_key), place.world.app(), another_world.app()
    integration = Keys(place, place.integration)
    own = integration.ask(method, integration.issue().key if of_one else "", caller)
    assert own.status == 200
    for app in (sibling.id, theirs.id, UNKNOWN, "%20", "."):
        answer = integration.ask(method, integration.unknown if of_one else "", caller, app=app)
        assert (answer.status, answer.body) == (403, FORBIDDEN)
    of_app = Keys(place, place.app)
    for app in (place.app.id, sibling.id, theirs.id, UNKNOWN, "%20"):
        for key in (of_app.unknown, place.app_key.key) if of_one else ("",):
            answer = of_app.ask(method, key, caller, app=app)
            assert (answer.status, answer.body) == (403, FORBIDDEN)
    assert place.world.key(place.app_key.key.id) == place.app_key.key


@OPERATIONS
@SCHEMES
def test_a_service_account_manages_the_apps_that_were_granted_to_it(
    keys: Keys, method: str, of_one: bool, scheme: Scheme
) -> None:
    place = keys.place
    app_id = keys.owner.ref.id.partition(":")[0]
    for granted in ("app:*", f"app:{app_id}"):
        answer = keys.ask(method, keys.issue().key if of_one else "", scheme(place.service_key(granted)))
        assert answer.status == 200
    for scopes in ((), ("app:another",), (f"app:{app_id}0",), ("app",)):
        caller = scheme(place.service_key(*scopes))
        for app in (None, UNKNOWN):
            answer = keys.ask(method, keys.unknown if of_one else "", caller, app=app)
            assert (answer.status, answer.body) == (403, FORBIDDEN)


@OPERATIONS
@SCHEMES
def test_a_disabled_operators_keys_are_no_credentials(
    place: Place, keys: Keys, method: str, of_one: bool, scheme: Scheme
) -> None:
    callers = [place.account_key, place.service_key("app:*")]
    path = f"/v1/owners/operator/{place.person.id}"
    assert place.bundle.request("PATCH", path, place.world.bearer, json_body={"enabled": False}).status == 200
    for caller in callers:
        answer = keys.ask(method, keys.unknown if of_one else "", scheme(caller))
        assert (answer.status, answer.body) == (401, UNAUTHORIZED)


@OPERATIONS
def test_the_checks_come_in_the_documented_order(place: Place, method: str, of_one: bool) -> None:
    """Each request has every fault that its successors have, and is refused for the first of them."""
    account, foreign = basic(place.account_key), basic(place.service_key("app:another"))
    whatsapp = id_of(place.world.integration(place.app, type="whatsapp"))
    integration, app = Keys(place, place.integration), Keys(place, place.app)
    key = integration.unknown if of_one else ""
    bodies = [
        integration.ask(method, key, {}, app=UNKNOWN, integration=UNKNOWN).body,
        integration.ask(method, key, foreign, app=UNKNOWN, integration=UNKNOWN).body,
        integration.ask(method, key, account, app=UNKNOWN, integration=UNKNOWN).body,
        integration.ask(method, key, account, integration=UNKNOWN).body,
        integration.ask(method, key, account, integration=whatsapp).body,
    ]
    assert bodies == [UNAUTHORIZED, FORBIDDEN, APP_NOT_FOUND, INTEGRATION_NOT_FOUND, NOT_CUSTOM]
    key = app.unknown if of_one else ""
    bodies = [app.ask(method, key, headers, app=UNKNOWN).body for headers in ({}, foreign, account)]
    assert bodies == [UNAUTHORIZED, FORBIDDEN, APP_NOT_FOUND]
    if of_one:
        assert integration.ask(method, key, account).body == app.ask(method, key, account).body == NOT_FOUND


@OPERATIONS
def test_an_app_and_an_integration_of_somebody_else_answer_like_unknown_ones(
    place: Place, another_world: World, method: str, of_one: bool
) -> None:
    theirs = Place(place.bundle, another_world)
    sibling = place.world.app()
    integration, app = Keys(place, place.integration), Keys(place, place.app)
    key = theirs.integration_key().key if of_one else ""
    unknown = integration.ask(method, key, app=UNKNOWN)
    another = integration.ask(method, key, app=theirs.app.id, integration=id_of(theirs.integration))
    assert (another.status, another.headers, another.body, another.calls) == (
        404,
        unknown.headers,
        APP_NOT_FOUND,
        unknown.calls,
    )
    unknown = integration.ask(method, key, integration=UNKNOWN)
    for answer in (
        integration.ask(method, key, integration=id_of(theirs.integration)),
        integration.ask(method, key, app=sibling.id),
    ):
        assert (answer.status, answer.body, answer.calls) == (404, INTEGRATION_NOT_FOUND, unknown.calls)
    key = theirs.app_key.key if of_one else ""
    answers = [app.ask(method, key, app=each) for each in (UNKNOWN, theirs.app.id)]
    assert {(answer.status, answer.body, answer.calls) for answer in answers} == {
        (404, APP_NOT_FOUND, answers[0].calls)
    }
    assert theirs.world.key(theirs.app_key.key.id) == theirs.app_key.key


@OPERATIONS
def test_only_custom_integrations_have_keys(place: Place, method: str, of_one: bool) -> None:
    """The list's documented error, on all four operations."""
    keys = Keys(place, place.integration)
    whatsapp = id_of(place.world.integration(place.app, type="whatsapp"))
    answer = keys.ask(method, keys.issue().key if of_one else "", integration=whatsapp)
    assert (answer.status, answer.body) == (400, NOT_CUSTOM)


@pytest.mark.parametrize(
    ("method", "below"),
    [("GET", ""), ("POST", ""), ("GET", "/%20"), ("DELETE", "/%20")],
    ids=["list", "create", "get", "delete"],
)
@pytest.mark.parametrize("owner", ["/integrations/%20", ""], ids=["integration", "app"])
def test_where_no_id_of_the_path_could_be_anybodys_only_the_caller_is_read(
    shared: Place, method: str, below: str, owner: str
) -> None:
    body = {"displayName": "Billing bot"} if method == "POST" else None
    target = f"/v2/apps/%20{owner}/keys{below}"
    answer = shared.bundle.request(method, target, basic(shared.account_key), json_body=body)
    assert (answer.status, answer.body, answer.calls) == (404, APP_NOT_FOUND, ("GetItem", "GetItem"))

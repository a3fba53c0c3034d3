"""K3 and K7, SunshineGetIntegrationKey and SunshineGetAppKey; and which ids name a key, to K4 and K8 alike."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from keywright import lifecycle
from keywright.issuing import Issued
from keywright.model import KeyKind
from local.aws import Fault, error
from tests.contract.sunshine.place import NOT_FOUND, UNAVAILABLE, UNKNOWN, Keys, Place, basic, bearer, faults, shown
from tests.world import World

READS = ("GetItem", "BatchGetItem")
METHODS = pytest.mark.parametrize("method", ["GET", "DELETE"])


def wire(issued: Issued) -> bytes:
    return json.dumps({"key": shown(issued)}, separators=(",", ":")).encode()


def test_a_key_comes_with_its_secret_and_exactly_the_documented_members(keys: Keys) -> None:
    issued, _ = keys.issue("My custom key"), keys.issue()
    answer = keys.get(issued.key)
    assert (answer.status, answer.body) == (200, wire(issued))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_it_is_what_the_creation_said(keys: Keys) -> None:
    created = keys.create(body={"displayName": "\U0001f469‍\U0001f4bb bot é"})
    assert keys.get(created.json()["key"]["id"]).body == created.body


@pytest.mark.parametrize("prefix", ["", "/sc"])
def test_both_prefixes_answer_alike(keys: Keys, prefix: str) -> None:
    issued = keys.issue()
    assert keys.get(issued.key, prefix=prefix).body == wire(issued)


def test_it_costs_two_reads_a_decryption_and_a_record_and_by_bearer_one_decryption_more(keys: Keys) -> None:
    issued = keys.issue()
    assert keys.get(issued.key).calls == (*READS, "Decrypt", "TransactWriteItems")
    by_bearer = keys.get(issued.key, bearer(keys.place.account_key))
    assert by_bearer.body == wire(issued)
    assert by_bearer.calls == ("GetItem", "Decrypt", "BatchGetItem", "Decrypt", "TransactWriteItems")


def test_whoever_may_list_may_get(place: Place) -> None:
    issued = place.integration_key()
    of_integration, of_app = Keys(place, place.integration), Keys(place, place.app)
    for scheme in (basic, bearer):
        for caller in (place.account_key, place.service_key(f"app:{place.app.id}"), place.service_key("app:*")):
            assert of_integration.get(issued.key, scheme(caller)).body == wire(issued)
            assert of_app.get(place.app_key.key, scheme(caller)).body == wire(place.app_key)
        assert of_integration.get(issued.key, scheme(place.app_key)).body == wire(issued)


def test_a_key_that_is_off_for_now_or_has_expired_is_still_there(keys: Keys) -> None:
    world, disabled, expired = keys.place.world, keys.issue(), keys.issue()
    lifecycle.disable(world.desk, world.principal, disabled.key)
    world.expire(expired.key)
    assert keys.get(disabled.key).body == wire(disabled)
    assert keys.get(expired.key).body == wire(expired)


# --- what is not found: 404 not_found ------------------------------------------------------------------------------


@METHODS
def test_an_unknown_key_is_not_found(shared_keys: Keys, method: str) -> None:
    answer = shared_keys.ask(method, shared_keys.unknown)
    assert (answer.status, answer.body) == (404, NOT_FOUND)
    assert answer.headers["content-type"] == "application/json"
    assert answer.calls == READS


@METHODS
@pytest.mark.parametrize("end", [lifecycle.revoke, lifecycle.delete])
def test_a_revoked_or_deleted_key_is_not_found(keys: Keys, end: Callable[..., object], method: str) -> None:
    issued, world = keys.issue(), keys.place.world
    end(world.desk, world.principal, issued.key)
    answer = keys.ask(method, issued.key)
    assert (answer.status, answer.body, answer.calls) == (404, NOT_FOUND, READS)


@METHODS
def test_a_key_of_anybody_else_answers_like_an_unknown_one(place: Place, another_world: World, method: str) -> None:
    theirs = Place(place.bundle, another_world)
    integration, app = Keys(place, place.integration), Keys(place, place.app)
    others = {
        integration: [
            place.world.issue(KeyKind.INTEGRATION_SECRET, place.world.integration(place.app).ref),
            place.world.issue(KeyKind.INTEGRATION_SECRET, place.world.integration(place.world.app()).ref),
            theirs.integration_key(),
        ],
        app: [place.world.issue(KeyKind.APP_SECRET, place.world.app().ref), theirs.app_key],
    }
    for keys, foreign in others.items():
        unknown = keys.ask(method, keys.unknown)
        for issued in foreign:
            answer = keys.ask(method, issued.key)
            assert (answer.status, answer.headers, answer.body, answer.calls) == (
                unknown.status,
                unknown.headers,
                unknown.body,
                unknown.calls,
            )
            assert place.world.key(issued.key.id) == issued.key


@METHODS
def test_a_key_of_another_kind_is_none_here(place: Place, method: str) -> None:
    """Some are the very owner's; their ids are not of the form, so nothing is looked for."""
    integration, app = Keys(place, place.integration), Keys(place, place.app)
    for keys, foreign in (
        (integration, place.app_key),
        (integration, place.account_key),
        (integration, place.world.issue(KeyKind.NATIVE, place.integration.ref)),
        (app, place.integration_key()),
        (app, place.account_key),
        (app, place.world.issue(KeyKind.NATIVE, place.app.ref)),
        (app, place.world.issue(KeyKind.APP_API_KEY, place.app.ref)),
    ):
        answer = keys.ask(method, foreign.key)
        assert (answer.status, answer.body) == (404, NOT_FOUND)
        assert place.world.key(foreign.key.id) == foreign.key


def test_a_tenant_reaches_its_own_where_two_have_the_same_ids(place: Place, another_world: World) -> None:
    integration = place.integration.id.partition(":")[2]
    twin = Place(place.bundle, another_world, app=place.app.id, integration=integration)
    mine, yours = place.integration_key(), twin.integration_key()
    assert Keys(place, place.integration).get(mine.key).body == wire(mine)
    assert Keys(place, place.integration).get(yours.key).body == NOT_FOUND
    assert Keys(twin, twin.integration).get(mine.key).body == NOT_FOUND
    assert Keys(place, place.app).get(twin.app_key.key).body == NOT_FOUND


SPELLINGS = {
    "in capitals": lambda key_id: key_id.upper(),
    "hexadecimal capitals": lambda key_id: key_id[:4] + key_id[4:].upper().replace("0", "A"),
    "one less": lambda key_id: key_id[:-1],
    "one more": lambda key_id: f"{key_id}0",
    "no prefix": lambda key_id: key_id[4:],
    "another prefix": lambda key_id: f"key_{key_id[4:]}",
    "a hyphen": lambda key_id: key_id.replace("_", "-"),
    "a space after": lambda key_id: f"{key_id}%20",
    "a space before": lambda key_id: f"%20{key_id}",
    "a plus": lambda key_id: f"{key_id}+",
    "a slash, encoded": lambda key_id: f"{key_id}%2F",
    "dots": lambda key_id: f"{key_id}%2F..%2F{key_id}",
    "the row of the table": lambda key_id: f"KEY%23{key_id}",
    "two of them": lambda key_id: f"{key_id},{key_id}",
    "full width digits": lambda key_id: f"{key_id[:4]}{'%EF%BC%91' * 24}",
    "letters beyond f": lambda key_id: f"{key_id[:4]}{'g' * 24}",
    "no UTF-8": lambda key_id: f"{key_id}%C3%28",
    "a kilobyte and more": lambda key_id: f"{key_id}{'0' * 2_000}",
    "a wildcard": lambda _: "*",
    "a brace": lambda _: "%7BkeyId%7D",
}


@METHODS
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_an_id_that_no_key_can_have_is_not_looked_for(
    shared_keys: Keys, spelling: Callable[[str], str], method: str
) -> None:
    real = existing(shared_keys)
    answer = shared_keys.ask(method, spelling(real))
    assert (answer.status, answer.body, answer.calls) == (404, NOT_FOUND, READS)
    [asked] = shared_keys.place.bundle.calls()[-1].request["RequestItems"].values()
    assert not [key for key in asked["Keys"] if key["pk"]["S"].startswith("KEY#")]
    assert existing(shared_keys) == real


def existing(keys: Keys) -> str:
    """The id of the one key there is."""
    found = keys.listed() or {keys.issue().key.id}
    [key_id] = found
    return key_id


@METHODS
def test_an_id_may_be_written_in_percents(keys: Keys, method: str) -> None:
    issued = keys.issue()
    assert keys.ask(method, issued.key.id.replace("_", "%5F").replace("a", "%61")).status == 200


@METHODS
@pytest.mark.parametrize("control", ["%00", "%0A", "%0d", "%1F", "%7F"])
def test_a_control_character_in_an_id_is_no_address(shared_keys: Keys, control: str, method: str) -> None:
    answer = shared_keys.ask(method, f"{existing(shared_keys)}{control}")
    assert (answer.status, answer.body, answer.calls) == (404, NOT_FOUND, ())


# --- the rest ------------------------------------------------------------------------------------------------------


@METHODS
@pytest.mark.parametrize(
    "sent", [{"body": b"{"}, {"body": b"x" * 70_000}, {"json_body": {"displayName": 1}}], ids=range(3)
)
def test_a_body_is_not_looked_at(keys: Keys, method: str, sent: dict[str, object]) -> None:
    assert keys.ask(method, keys.issue().key, **sent).status == 200  # type: ignore[arg-type]


@pytest.mark.parametrize("operation", ["GetItem", "BatchGetItem", "Decrypt"])
def test_it_is_unavailable_while_a_service_is(shared_keys: Keys, operation: str) -> None:
    key_id, down = existing(shared_keys), Fault(error("ServiceUnavailable", 503))
    with faults(shared_keys.place.bundle, lambda call: down if call.operation == operation else None):
        answer = shared_keys.get(key_id)
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (503, UNAVAILABLE, "1")


def test_a_key_asks_for_itself_in_vain(place: Place) -> None:
    """By bearer, its own record is read twice: as the caller's and, at the path, as the key that is asked about."""
    integration = place.integration_key()
    for scheme in (basic, bearer):
        assert Keys(place, place.integration).get(integration.key, scheme(integration)).status == 403
        assert Keys(place, place.app).get(place.app_key.key, scheme(place.app_key)).status == 403
        answer = Keys(place, place.app).get(f"app_{UNKNOWN}", scheme(place.app_key), app="%20")
        assert answer.status == 403

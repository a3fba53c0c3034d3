"""K2 and K6, SunshineListIntegrationKeys and SunshineListAppKeys: request in, exact wire out."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest

from keywright import lifecycle, tokens
from keywright.issuing import Issued
from keywright.model import KeyKind
from keywright.ports import SaveKey
from local.aws import Fault, error
from tests.contract.sunshine.place import UNAVAILABLE, Keys, Place, basic, bearer, faults, id_of, shown
from tests.world import World

READS = ("GetItem", "BatchGetItem", "Query")


def wire(*issued: Issued) -> bytes:
    return json.dumps({"keys": [shown(each) for each in issued]}, separators=(",", ":")).encode()


def test_the_keys_come_oldest_first_each_with_its_secret(keys: Keys) -> None:
    issued = [keys.issue(name) for name in ("Billing bot", "Billing bot", "Zzz", "\U0001f469‍\U0001f4bb bot é")]
    answer = keys.list()
    assert answer.status == 200
    assert answer.json() == {"keys": [shown(each) for each in issued]}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


def test_the_members_are_exactly_the_documented_ones_in_their_order(keys: Keys) -> None:
    one, other = keys.issue(), keys.issue()
    assert keys.list().body == wire(one, other)


def test_without_keys_the_list_is_empty_and_nothing_is_decrypted(keys: Keys) -> None:
    answer = keys.list()
    assert (answer.status, answer.body) == (200, b'{"keys":[]}')
    assert answer.calls == READS


@pytest.mark.parametrize("prefix", ["", "/sc"])
def test_both_prefixes_answer_alike(keys: Keys, prefix: str) -> None:
    issued = keys.issue()
    assert keys.list(prefix=prefix).body == wire(issued)


def test_ten_keys_cost_ten_decryptions_and_a_record_and_a_caller_by_bearer_one_decryption_more(keys: Keys) -> None:
    issued = [keys.issue() for _ in range(10)]
    answer = keys.list()
    assert answer.body == wire(*issued)
    assert answer.calls == (*READS, *["Decrypt"] * 10, "TransactWriteItems")
    by_bearer = keys.list(bearer(keys.place.account_key))
    assert by_bearer.body == answer.body
    assert by_bearer.calls == ("GetItem", "Decrypt", *READS[1:], *["Decrypt"] * 10, "TransactWriteItems")


def test_a_key_is_listed_as_soon_as_it_was_created_and_gone_as_soon_as_it_was_deleted(keys: Keys) -> None:
    created = keys.create().json()["key"]
    assert keys.list().json() == {"keys": [created]}
    assert keys.delete(created["id"]).status == 200
    assert keys.list().body == b'{"keys":[]}'


def test_whoever_may_create_may_list(place: Place) -> None:
    issued = place.integration_key()
    of_integration, of_app = Keys(place, place.integration), Keys(place, place.app)
    for scheme in (basic, bearer):
        for caller in (place.account_key, place.service_key(f"app:{place.app.id}"), place.service_key("app:*")):
            assert of_integration.list(scheme(caller)).body == wire(issued)
            assert of_app.list(scheme(caller)).body == wire(place.app_key)
        assert of_integration.list(scheme(place.app_key)).body == wire(issued)


# --- what counts as a key ------------------------------------------------------------------------------------------


def test_what_takes_one_of_the_ten_places_is_listed_and_a_revoked_key_takes_none(keys: Keys) -> None:
    world = keys.place.world
    active, disabled, expired, revoked = (keys.issue() for _ in range(4))
    lifecycle.disable(world.desk, world.principal, disabled.key)
    world.expire(expired.key)
    lifecycle.revoke(world.desk, world.principal, revoked.key)
    assert keys.list().body == wire(active, disabled, expired)
    created = [keys.create().status for _ in range(8)]
    assert created == [201] * 7 + [400]
    assert len(keys.listed()) == 10


def test_keys_that_were_revoked_long_ago_hide_none_of_those_that_live(keys: Keys) -> None:
    """They stay in the store's list, which comes in pages."""
    world, first = keys.place.world, keys.issue()
    [version] = first.key.versions
    for _ in range(101):
        former = replace(
            first.key,
            id=tokens.new_id(keys.prefix),
            created_at_ms=first.key.created_at_ms - 1,
            versions=(replace(version, digest=secrets.token_hex(32)),),
            revoked_at_ms=first.key.created_at_ms,
        )
        world.desk.store.commit(SaveKey(former))
    answer = keys.list()
    assert answer.body == wire(first)
    assert answer.calls == (*READS, "Query", "Decrypt", "TransactWriteItems")


def test_only_the_keys_of_this_owner_and_kind_are_listed(place: Place, another_world: World) -> None:
    other = place.world.integration(place.app)
    place.world.issue(KeyKind.INTEGRATION_SECRET, other.ref)
    for kind in (KeyKind.NATIVE, KeyKind.APP_API_KEY):
        place.world.issue(kind, place.app.ref)
    place.world.issue(KeyKind.NATIVE, place.integration.ref)
    twin = another_world.app(id=place.app.id)
    another_world.issue(KeyKind.APP_SECRET, twin.ref)
    mine = place.integration_key()
    assert Keys(place, place.integration).list().body == wire(mine)
    assert Keys(place, place.app).list().body == wire(place.app_key)


def test_a_tenant_lists_its_own_where_two_have_apps_and_integrations_of_the_same_id(
    place: Place, another_world: World
) -> None:
    theirs = Place(place.bundle, another_world, app=place.app.id, integration=id_of(place.integration))
    mine, yours = place.integration_key(), theirs.integration_key()
    assert Keys(place, place.integration).list().body == wire(mine)
    assert Keys(theirs, theirs.integration).list().body == wire(yours)
    assert Keys(theirs, theirs.app).list().body == wire(theirs.app_key)


# --- what does not matter ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        {"body": b"{"},
        {"body": b"x" * 70_000},
        {"json_body": {"displayName": "x"}},
        {"form": {"limit": "1"}},
    ],
    ids=["no JSON", "more than 64 kB", "JSON", "a form"],
)
def test_a_body_is_not_looked_at(keys: Keys, sent: dict[str, object]) -> None:
    issued = keys.issue()
    assert keys.ask("GET", **sent).body == wire(issued)  # type: ignore[arg-type]


def test_there_is_no_paging(keys: Keys) -> None:
    """By absence: the vendor documents none."""
    issued = [keys.issue() for _ in range(3)]
    target = f"{keys.path()}?limit=1&page[size]=1&offset=2&displayName=x"
    assert keys.place.bundle.request("GET", target, basic(keys.place.account_key)).body == wire(*issued)


# --- when AWS does not answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["GetItem", "BatchGetItem", "Query", "Decrypt"])
def test_it_is_unavailable_while_a_service_is(shared_keys: Keys, operation: str) -> None:
    if not shared_keys.listed():
        shared_keys.issue()
    down = Fault(error("ServiceUnavailable", 503))
    with faults(shared_keys.place.bundle, lambda call: down if call.operation == operation else None):
        answer = shared_keys.list()
    assert (answer.status, answer.body, answer.headers["retry-after"]) == (503, UNAVAILABLE, "1")


def test_no_secret_is_in_the_log(
    keys: Keys, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    issued = keys.issue()
    assert keys.list().status == 200
    written = caplog.text + "".join(capfd.readouterr())
    assert "answered" in written
    for hidden in (issued.token.reveal(), keys.place.account_key.token.reveal(), issued.key.id):
        assert hidden not in written


@pytest.mark.parametrize("end", [lifecycle.disable, lifecycle.revoke, lifecycle.delete])
def test_a_caller_whose_key_is_over_lists_nothing(keys: Keys, end: Callable[..., object]) -> None:
    keys.issue()
    caller, world = keys.place.account_key, keys.place.world
    end(world.desk, world.principal, caller.key)
    assert [keys.list(scheme(caller)).status for scheme in (basic, bearer)] == [401, 401]

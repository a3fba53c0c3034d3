"""HTTP Basic: the key's id and its secret, and every way to get it wrong, all refused with the same bytes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import pytest

from keywright import lifecycle
from keywright.model import KeyKind
from tests.contract.sunshine.place import UNAUTHORIZED, Place, basic, basic_of
from tests.world import World

NOTED: Final = "TransactWriteItems"
"""That somebody used a key which had expired or was revoked is written down."""


@dataclass(frozen=True)
class Pair:
    key_id: str
    secret: str


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def basic_header(change: Callable[[Pair], str | bytes]) -> Callable[[Pair], str]:
    return lambda pair: f"Basic {encoded(change(pair))}"


MALFORMED: Final[dict[str, Callable[[Pair], str]]] = {
    "empty": lambda _: "",
    "a scheme and no more": lambda _: "Basic",
    "a scheme and a space": lambda _: "Basic ",
    "no scheme": lambda pair: encoded(f"{pair.key_id}:{pair.secret}"),
    "another scheme": lambda pair: f"Digest {encoded(f'{pair.key_id}:{pair.secret}')}",
    "the scheme twice": lambda pair: f"Basic Basic {encoded(f'{pair.key_id}:{pair.secret}')}",
    "two spaces": lambda pair: f"Basic  {encoded(f'{pair.key_id}:{pair.secret}')}",
    "a tab": lambda pair: f"Basic\t{encoded(f'{pair.key_id}:{pair.secret}')}",
    "not encoded": lambda pair: f"Basic {pair.key_id}:{pair.secret}",
    "no base64": lambda _: "Basic ?",
    "cut": lambda pair: f"Basic {encoded(f'{pair.key_id}:{pair.secret}')[:-1]}",
    "two of them": lambda pair: f"Basic {encoded(f'{pair.key_id}:{pair.secret}')},Basic x",
    "a letter that is not ASCII": lambda pair: f"Basic {encoded(f'{pair.key_id}:{pair.secret}')}é",
    "no UTF-8": basic_header(lambda _: b"\xff:\xff"),
    "no colon": basic_header(lambda pair: pair.key_id + pair.secret),
    "nothing but a colon": basic_header(lambda _: ":"),
    "no id": basic_header(lambda pair: f":{pair.secret}"),
    "no secret": basic_header(lambda pair: f"{pair.key_id}:"),
    "a colon more": basic_header(lambda pair: f"{pair.key_id}::{pair.secret}"),
    "a space before the secret": basic_header(lambda pair: f"{pair.key_id}: {pair.secret}"),
    "a line break after the secret": basic_header(lambda pair: f"{pair.key_id}:{pair.secret}\n"),
    "a null character": basic_header(lambda pair: f"{pair.key_id}\0:{pair.secret}"),
    "the secret cut": basic_header(lambda pair: f"{pair.key_id}:{pair.secret[:-1]}"),
    "the secret and more": basic_header(lambda pair: f"{pair.key_id}:{pair.secret}A"),
    "the secret twice": basic_header(lambda pair: f"{pair.key_id}:{pair.secret * 2}"),
    "the two swapped": basic_header(lambda pair: f"{pair.secret}:{pair.key_id}"),
    "the id in capitals": basic_header(lambda pair: f"{pair.key_id.upper()}:{pair.secret}"),
    "the id cut": basic_header(lambda pair: f"{pair.key_id[:-1]}:{pair.secret}"),
    "the id without its prefix": basic_header(lambda pair: f"{pair.key_id.removeprefix('app_')}:{pair.secret}"),
    "the id of a row": basic_header(lambda pair: f"KEY#{pair.key_id}:{pair.secret}"),
    "an id of 9 kB": basic_header(lambda pair: f"{pair.key_id}{'0' * 6_000}:{pair.secret}"),
}
"""Refused as it stands, before anything is read."""

WRONG: Final[dict[str, Callable[[Pair], str]]] = {
    "an unknown id": basic_header(lambda pair: f"app_{'0' * 24}:{pair.secret}"),
    "the id of another kind": basic_header(lambda pair: f"{pair.key_id.replace('app_', 'act_')}:{pair.secret}"),
    "the secret in capitals": basic_header(lambda pair: f"{pair.key_id}:{pair.secret.upper()}"),
    "a secret of nobody": basic_header(lambda pair: f"{pair.key_id}:{'A' * 86}"),
}
"""Of the right form, and of no key."""


@pytest.fixture(scope="module")
def pair(shared: Place) -> Pair:
    return Pair(shared.app_key.key.id, shared.app_key.token.reveal())


def assert_refused(place: Place, headers: dict[str, str], calls: tuple[str, ...]) -> None:
    answer = place.create(headers)
    assert (answer.status, answer.body) == (401, UNAUTHORIZED)
    assert answer.headers["www-authenticate"] == 'Basic realm="keywright", Bearer realm="keywright"'
    assert answer.calls == calls


def test_a_pair_is_accepted_as_clients_write_it(shared: Place, pair: Pair) -> None:
    for scheme in ("Basic", "basic", "BASIC"):
        header = {"Authorization": f"{scheme} {encoded(f'{pair.key_id}:{pair.secret}')}"}
        assert shared.create(header, {"displayName": ""}).status == 400


def test_no_credentials_are_refused_unread(shared: Place) -> None:
    assert_refused(shared, {}, ())


@pytest.mark.parametrize("header", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_credentials_are_refused_unread(shared: Place, pair: Pair, header: Callable[[Pair], str]) -> None:
    assert_refused(shared, {"Authorization": header(pair)}, ())


@pytest.mark.parametrize("header", WRONG.values(), ids=WRONG.keys())
def test_wrong_credentials_are_refused(shared: Place, pair: Pair, header: Callable[[Pair], str]) -> None:
    assert_refused(shared, {"Authorization": header(pair)}, ("GetItem",))


def test_the_id_must_be_that_of_the_secrets_own_key(place: Place, another_world: World) -> None:
    theirs = Place(place.bundle, another_world).app_key
    for other in (place.account_key, place.world.issue(KeyKind.APP_SECRET, place.app.ref), theirs):
        assert_refused(place, basic_of(other.key.id, place.app_key.token.reveal()), ("GetItem",))
        assert_refused(place, basic_of(place.app_key.key.id, other.token.reveal()), ("GetItem",))


def test_credentials_of_other_surfaces_are_none_here(place: Place) -> None:
    native = place.world.issue(KeyKind.NATIVE, place.app.ref)
    app_api_key = place.world.issue(KeyKind.APP_API_KEY, place.app.ref)
    for issued in (native, app_api_key):
        assert_refused(place, basic(issued), ())
        assert_refused(place, basic_of(place.app_key.key.id, issued.token.reveal()), ("GetItem",))
    assert_refused(place, place.world.bearer, ())


def test_a_pair_stops_with_its_key_at_the_very_next_call(place: Place) -> None:
    caller = basic(place.app_key)
    assert place.create(caller).status == 201
    disabled = lifecycle.disable(place.world.desk, place.world.principal, place.app_key.key)
    assert_refused(place, caller, ("GetItem",))
    enabled = lifecycle.enable(place.world.desk, place.world.principal, disabled)
    assert place.create(caller).status == 201
    lifecycle.revoke(place.world.desk, place.world.principal, enabled)
    assert_refused(place, caller, ("GetItem", NOTED))


def test_a_pair_stops_when_its_key_expires_or_its_version_is_switched_off(place: Place) -> None:
    place.world.expire(place.app_key.key)
    assert_refused(place, basic(place.app_key), ("GetItem", NOTED))
    switched_off = place.world.issue(KeyKind.APP_SECRET, place.app.ref)
    [version] = switched_off.key.versions
    place.world.overwrite(switched_off.key, versions=(replace(version, enabled=False),))
    assert_refused(place, basic(switched_off), ("GetItem",))


def test_credentials_in_the_query_or_the_body_count_for_nothing(shared: Place, pair: Pair) -> None:
    query = f"?username={pair.key_id}&password={pair.secret}&access_token={pair.secret}"
    target = f"/v2/apps/{shared.app.id}/integrations/{shared.integration.id.partition(':')[2]}/keys{query}"
    answer = shared.bundle.request("POST", target, json_body={"displayName": "x"})
    assert (answer.status, answer.body, answer.calls) == (401, UNAUTHORIZED, ())

"""The life of a channel's access keys, rule by rule, as docs/dialects/salesiq.md has it; and who may bring it about."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from keywright.model import Platform
from tests.bundle import Answer
from tests.contract.salesiq.portal import OPERATIONS, PLATFORMS, Portal, assert_refused

BEARER = r"1000\.[0-9a-f]{32}\.[0-9a-f]{32}"


class Channel:
    """One channel through its endpoints."""

    def __init__(self, portal: Portal, kind: str) -> None:
        self.portal, self.kind = portal, kind

    def create(self) -> Any:
        return self.portal.create_access_key(self.kind).json()["data"]["access_keys"][0]

    def ask(self, name: str, version: str = "1", **body: Any) -> Answer:
        return self.portal.ask(name, self.kind, version=version, **body)

    def switch(self, version: str, enabled: str) -> Answer:
        return self.ask("update_access_key", version, json_body={"enabled": enabled})

    def delete(self, version: str) -> Answer:
        return self.ask("delete_access_key", version)

    def listed(self) -> list[Any]:
        listed: list[Any] = self.ask("list_access_keys").json()["data"]
        return listed

    def versions(self) -> list[str]:
        return [each["version"] for each in self.listed()]

    def verifies(self, key: Any) -> bool:
        return self.portal.verifies(key["key"])


def born_with_version_1(channel: Channel) -> None:
    assert channel.versions() == ["1"]


def three_at_most(channel: Channel) -> None:
    first = channel.listed()[0]
    for wanted in (["2", "1"], ["3", "2", "1"]):
        channel.create()
        assert channel.versions() == wanted
    assert channel.verifies(first)
    answer = channel.portal.create_access_key(channel.kind)
    assert [each["version"] for each in answer.json()["data"]["access_keys"]] == ["4", "3", "2"]
    assert channel.versions() == ["4", "3", "2"]
    assert not channel.verifies(first)
    assert all(channel.verifies(each) for each in channel.listed())


def evicted_with_the_mint(channel: Channel) -> None:
    for _ in range(2):
        channel.create()
    before = len(channel.portal.bundle.calls())
    channel.create()
    written = [call for call in channel.portal.bundle.calls()[before:] if call.operation == "TransactWriteItems"]
    assert len(written) == 1
    assert sum("Delete" in item for item in written[0].request["TransactItems"]) == 1


def disabled_ones_count(channel: Channel) -> None:
    channel.create()
    newest = channel.create()
    channel.switch("3", "false")
    channel.create()
    assert channel.versions() == ["4", "3", "2"]
    assert not channel.verifies(newest)
    channel.switch("4", "false")
    channel.create()
    assert channel.versions() == ["5", "4", "3"]


def newest_first(channel: Channel) -> None:
    for _ in range(4):
        channel.create()
    shown = [channel.ask("get_channel").json()["data"]["access_keys"], channel.listed()]
    shown += [channel.switch("4", value).json()["data"]["access_keys"] for value in ("false", "true")]
    assert [[each["version"] for each in keys] for keys in shown] == [["5", "4", "3"]] * 4
    assert [each["version"] for each in channel.delete("4").json()["data"]["access_keys"]] == ["5", "3"]


def not_reused_after_eviction(channel: Channel) -> None:
    assert [channel.create()["version"] for _ in range(5)] == ["2", "3", "4", "5", "6"]


def not_reused_after_deletion(channel: Channel) -> None:
    channel.create()
    channel.delete("2")
    assert channel.create()["version"] == "3"
    for version in ("3", "1"):
        channel.delete(version)
    assert channel.create()["version"] == "4"


def one_counter_a_channel(channel: Channel) -> None:
    other = Channel(channel.portal, next(kind for kind in PLATFORMS if kind != channel.kind))
    channel.create()
    assert (channel.versions(), other.versions()) == (["2", "1"], ["1"])
    assert other.create()["version"] == "2"


def already_so(channel: Channel) -> None:
    for value in ("true", "false", "false"):
        answer = channel.switch("1", value)
        assert answer.json()["data"]["access_keys"][0]["enabled"] == value


def enabled_again(channel: Channel) -> None:
    key = channel.listed()[0]
    channel.switch("1", "false")
    assert not channel.verifies(key)
    channel.switch("1", "true")
    assert channel.verifies(key)


def the_last_may_go(channel: Channel) -> None:
    key = channel.listed()[0]
    assert channel.delete("1").json()["data"]["access_keys"] == []
    assert channel.listed() == []
    assert not channel.verifies(key)
    assert_refused(channel.delete("1"), 1019)


def no_expiry(channel: Channel) -> None:
    verdict = channel.portal.verify(token=channel.create()["key"])
    assert (verdict["valid"], verdict["expires_at"]) == (True, None)


def rotated(channel: Channel) -> None:
    """One key per app version: the installed one goes on with the former until that is switched off or deleted."""
    former, new = channel.listed()[0], channel.create()
    assert channel.verifies(former)
    assert channel.verifies(new)
    channel.switch("1", "false")
    assert (channel.verifies(former), channel.verifies(new)) == (False, True)
    channel.delete("1")
    assert (channel.verifies(former), channel.verifies(new)) == (False, True)


def app_key_never_changes(channel: Channel) -> None:
    before = channel.ask("get_channel").json()["data"]["app_key"]
    for _ in range(4):
        channel.create()
    for version in channel.versions():
        channel.delete(version)
    channel.create()
    assert channel.ask("get_channel").json()["data"]["app_key"] == before


RULES: dict[str, Callable[[Channel], None]] = {
    "a channel is born with version 1": born_with_version_1,
    "at most three, a fourth create removes the oldest and succeeds": three_at_most,
    "mint and eviction are one transaction": evicted_with_the_mint,
    "SIQ-3, disabled versions count to the three, the version alone decides who goes": disabled_ones_count,
    "everywhere newest first": newest_first,
    "a number is never reused, not after eviction": not_reused_after_eviction,
    "a number is never reused, not after deletion": not_reused_after_deletion,
    "SIQ-3, one counter per channel and kind": one_counter_a_channel,
    "SIQ-1, Z3 with the value already set succeeds": already_so,
    "SIQ-1, a disabled key can be enabled again": enabled_again,
    "SIQ-3, the last version may be deleted": the_last_may_go,
    "no expiry": no_expiry,
    "rotate by creating, then disabling or deleting": rotated,
    "app_key never changes": app_key_never_changes,
}


@pytest.mark.parametrize("kind", PLATFORMS)
@pytest.mark.parametrize("holds", RULES.values(), ids=RULES)
def test_rule(opened: Portal, holds: Callable[[Channel], None], kind: str) -> None:
    holds(Channel(opened, kind))


# --- the callers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["SalesIQ.apps.{}", "salesiq.APPS.{}", "SALESIQ.apps.ALL", "salesiq.apps.all"])
@pytest.mark.parametrize("name", OPERATIONS, ids=lambda name: OPERATIONS[name].row)
def test_siq_6_a_scope_is_compared_without_case_and_all_covers_every_operation(
    untouched: Portal, name: str, spelling: str
) -> None:
    operation = OPERATIONS[name].scope
    for scope in (spelling.format(operation), spelling.format(operation.lower())):
        token = untouched.world.access_token(scope, operator=untouched.operator)
        headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        assert_refused(untouched.ask(name, app="404", headers=headers), 1019)


def test_siq_6_the_native_api_mints_the_first_token_for_as_long_as_it_is_told(portal: Portal) -> None:
    order = {
        "owner": {"kind": "operator", "id": portal.operator.id},
        "kind": "access_token",
        "scopes": ["SalesIQ.apps.ALL"],
        "expires_at": "2099-01-01T00:00:00Z",
    }
    answer = portal.bundle.request("POST", "/v1/keys", portal.world.bearer, json_body=order)
    portal.token = answer.json()["token"]
    assert re.fullmatch(BEARER, portal.token)
    assert portal.create_channel().json()["data"]["creator"] == {"name": "Patricia", "id": portal.operator.id}


def test_com_4_deleting_the_app_deletes_its_channels_and_their_keys(portal: Portal) -> None:
    for platform in Platform:
        portal.open_channel(platform)
    keys = [portal.ask("list_access_keys", kind).json()["data"][0]["key"] for kind in PLATFORMS]
    path = f"/v1/owners/app/{portal.app.id}"
    assert portal.bundle.request("DELETE", path, portal.world.bearer).json() == {"removed": True}
    assert not any(portal.verifies(key) for key in keys)
    assert_refused(portal.ask("get_channel"), 1019)

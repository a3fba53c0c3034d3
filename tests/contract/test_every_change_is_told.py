"""Each transaction that changes something holds exactly one event of each thing that it changes, and no event of what
it does not: looked at in every transaction that the committed events of all functions make."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import demo
from local.iam import Call
from local.stack import Stack
from tests.bundle import Bundle

ROOT = Path(__file__).resolve().parents[2]
NO_CHANGES = {"key_revealed", "key_refused", "link_created", "link_opened", "link_revoked", "warning_not_mailed"}
"""What is told of a key beside its changes: nothing of the key itself is then written."""
US = "\x1f"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The demo tenant, and every function once."""
    with Stack.from_template(ROOT / "template.yaml", account="444455558888") as opened:
        demo.seed(opened)
        opened.aws.clear()
        bundle = Bundle(opened)
        for name, function in opened.template.functions.items():
            module = function.handler.rpartition(".")[0]
            event = json.loads((ROOT / "events" / f"{module.replace('.', '/')}.json").read_text())
            bundle.invoke(name, event)
        yield opened


def transactions(stack: Stack) -> list[Call]:
    """Of the functions; whoever lays out the demo tenant has every right and tells nobody."""
    return [call for call in stack.aws.calls if call.operation == "TransactWriteItems" and call.principal]


def changed(call: Call) -> Counter[str]:
    """The ids of the keys, owners and tenants that a transaction writes, counting of keys alone left out."""
    found: Counter[str] = Counter()
    for item in call.request["TransactItems"]:
        ((verb, action),) = item.items()
        address = action.get("Key") or action.get("Item") or {}
        pk, sk = address["pk"]["S"], address["sk"]["S"]
        if verb == "Put" and pk.startswith("KEY#"):
            found[pk.removeprefix("KEY#")] += 1
        elif verb == "Put" and pk.startswith("TENANT#"):
            found[pk.removeprefix("TENANT#")] += 1
        elif pk.startswith("OWNERS#") and US not in sk and not pk.endswith("#names"):
            names = set(action.get("ExpressionAttributeNames", {}).values())
            if verb in {"Put", "Delete"} or (verb == "Update" and "revision" in names):
                found[sk] += 1
    return found


def told(call: Call) -> Counter[str]:
    items: list[dict[str, Any]] = [item["Put"]["Item"] for item in call.request["TransactItems"] if "Put" in item]
    events = [item for item in items if item["pk"]["S"].startswith("EVENTS#")]
    return Counter(item["subject"]["S"] for item in events if item["type"]["S"] not in NO_CHANGES)


def test_there_are_as_many_events_as_changes_and_of_the_same_things(stack: Stack) -> None:
    assert len(transactions(stack)) > 30
    for call in transactions(stack):
        changes, events = changed(call), told(call)
        if any(each.startswith("TENANT#") for each in partitions(call)):
            # A tenant is opened with its first operator and that one's key, by one event.
            assert sum(events.values()) == 1
            continue
        unpaired = {owner for owner in changes - events if gave_its_half(call, owner)}
        assert {each: n for each, n in (changes - events).items() if each not in unpaired} == {}
        assert events - changes == Counter()
        assert set(events.values()) <= {1}


def partitions(call: Call) -> Iterator[str]:
    for item in call.request["TransactItems"]:
        ((_, action),) = item.items()
        yield (action.get("Key") or action["Item"])["pk"]["S"]


def gave_its_half(call: Call, app_id: str) -> bool:
    """An app gets the half that its channels share with the first of them, and that channel's event tells of both."""
    rows = (item.get("Put", {}).get("Item", {}) for item in call.request["TransactItems"])
    return any(row.get("sk", {}).get("S", "").startswith(f"{app_id}:") for row in rows)


def test_every_event_has_an_id_of_its_own_and_lies_in_its_tenants_partitions(stack: Stack) -> None:
    ids = []
    for call in transactions(stack):
        for item in call.request["TransactItems"]:
            row = item.get("Put", {}).get("Item", {})
            if not row.get("pk", {}).get("S", "").startswith("EVENTS#"):
                continue
            tenant = row["tenant"]["S"]
            ids.append(row["id"]["S"])
            assert row["pk"]["S"].startswith(f"EVENTS#{tenant}#")
            assert row["audited_tenant"]["S"] == f"EVENTS#{tenant}"
            assert row["audited_key"]["S"] == f"EVENTS#{tenant}#{row['subject']['S']}"
            assert row.get("audited_actor", {"S": f"EVENTS#{tenant}#"})["S"].startswith(f"EVENTS#{tenant}#")
            assert row["sk"]["S"].endswith(f"#{row['id']['S']}")
    assert len(ids) == len(set(ids)) > 30


def test_no_row_but_an_events_is_in_the_indexes_of_the_audit(stack: Stack) -> None:
    for call in transactions(stack):
        for item in call.request["TransactItems"]:
            row = item.get("Put", {}).get("Item", {})
            if row and not row["pk"]["S"].startswith("EVENTS#"):
                assert not {name for name in row if name.startswith("audited_")}

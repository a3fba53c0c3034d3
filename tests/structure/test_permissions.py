"""The comparison of rights with uses finds what it is there for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.iam import Access
from local.template import Function, Policy, Template
from tests.permissions import Right, Use, compare, recorded, rights, uses

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/keys"


def granted(**condition: Any) -> list[Right]:
    statement = {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": TABLE, **condition}
    policy = Policy("CanRead", {"Statement": [statement]})
    function = Function("Reader", "reader", "", "", (), {}, 3, 128, "", (policy,), "arn:aws:iam::123456789012:role/r")
    return sorted(rights(Template(region="eu-west-1", account="123456789012", functions={"Reader": function})))


def of_rows(*patterns: str) -> dict[str, Any]:
    return {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [*patterns]}}}


def use(action: str, *keys: str, resource: str = TABLE, function: str = "Reader") -> list[Use]:
    return [*uses(function, Access(f"dynamodb:{action}", resource, {"dynamodb:leadingkeys": [*keys]}))]


def test_a_right_is_an_action_on_a_resource_and_on_the_rows_of_one_pattern() -> None:
    assert [str(right) for right in granted(**of_rows("TOKEN#*", "KEY#*"))] == [
        "Reader: dynamodb:GetItem on dynamodb/table of KEY#* (CanRead)",
        "Reader: dynamodb:GetItem on dynamodb/table of TOKEN#* (CanRead)",
        "Reader: dynamodb:Query on dynamodb/table of KEY#* (CanRead)",
        "Reader: dynamodb:Query on dynamodb/table of TOKEN#* (CanRead)",
    ]


def test_a_right_is_idle_until_that_very_action_met_a_row_of_that_pattern() -> None:
    had = granted(**of_rows("TOKEN#*", "KEY#*"))
    used = [*use("GetItem", "TOKEN#abc", "KEY#1"), *use("Query", "TOKEN#abc")]
    idle, stray = compare(had, used)
    assert ([(right.action, right.rows) for right in idle], stray) == ([("dynamodb:Query", "KEY#*")], [])
    assert compare(had, [*used, *use("Query", "KEY#2")]) == ([], [])


def test_rows_beside_an_owner_of_one_kind_are_not_those_of_another() -> None:
    had = granted(**of_rows("OWNERS#*#support_rep"))
    idle, stray = compare(had, use("GetItem", "OWNERS#tenant#channel"))
    assert (len(idle), [each.rows for each in stray]) == (2, ["OWNERS#-#channel"])


@pytest.mark.parametrize(
    "used",
    [
        use("PutItem", "TOKEN#abc"),
        use("GetItem", "LINK#abc"),
        use("GetItem", "TOKEN#abc", function="Writer"),
        use("GetItem", "TOKEN#abc", resource=f"{TABLE}/index/by_due"),
    ],
    ids=["action", "rows", "function", "index"],
)
def test_what_was_done_and_is_not_granted_is_named(used: list[Use]) -> None:
    assert compare(granted(**of_rows("TOKEN#*")), used)[1] == used


def test_without_a_pattern_a_right_is_for_any_row() -> None:
    assert compare(granted(), [*use("GetItem", "TOKEN#abc"), *use("Query", "KEY#1")]) == ([], [])


def test_what_every_process_kept_counts_and_where_none_did_nothing_is_compared(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        recorded(tmp_path)
    for n, each in enumerate(use("GetItem", "TOKEN#abc", "KEY#1")):
        (tmp_path / f"gw{n}.jsonl").write_text(json.dumps(each) + "\n")
    assert sorted(each.rows for each in recorded(tmp_path)) == ["KEY#-", "TOKEN#-"]

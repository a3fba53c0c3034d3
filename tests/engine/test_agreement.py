"""The three tables answer alike, case by case.

Each case is a sequence of requests on rows of its own. Where one of the three answers otherwise, the case names it, and
`docs/operations/engines.md` says what DynamoDB does, and what settles it. What the store itself asks is compared too:
its contract tests run on all three at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from keywright.adapters.aws import JsonService
from tests.engine.agreement import DICTIONARY, ENGINE, MOTO, TABLE, said, three_tables
from tests.reliability.figures import ROOT

Request = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """`odd` are those that answer otherwise."""

    name: str
    requests: tuple[Request, ...]
    odd: frozenset[str] = field(default_factory=frozenset)


def key(pk: str, sk: str = "a") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def get(pk: str, sk: str = "a") -> Request:
    return "GetItem", {"TableName": TABLE, "Key": key(pk, sk), "ConsistentRead": True}


def batch_get(*keys: dict[str, Any]) -> Request:
    return "BatchGetItem", {"RequestItems": {TABLE: {"Keys": [*keys], "ConsistentRead": True}}}


def transact(*deeds: tuple[str, dict[str, Any]], token: str | None = None) -> Request:
    items = [{verb: {"TableName": TABLE, **body}} for verb, body in deeds]
    return "TransactWriteItems", {"TransactItems": items, **({"ClientRequestToken": token} if token else {})}


def put(pk: str, sk: str = "a", condition: str | None = None, values: Any = None, **item: Any) -> tuple[str, Any]:
    return "Put", {"Item": {**key(pk, sk), **item}, **on(condition, values)}


def delete(pk: str, sk: str = "a", condition: str | None = None, values: Any = None) -> tuple[str, Any]:
    return "Delete", {"Key": key(pk, sk), **on(condition, values)}


def check(pk: str, condition: str, values: Any = None, **more: Any) -> tuple[str, Any]:
    return "ConditionCheck", {"Key": key(pk), **on(condition, values), **more}


def change(pk: str, expression: str, values: Any = None, condition: str | None = None, **more: Any) -> tuple[str, Any]:
    return "Update", {"Key": key(pk), "UpdateExpression": expression, **on(condition, values), **more}


def on(condition: str | None, values: Any) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if condition is not None:
        body |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return {**body, "ExpressionAttributeValues": values} if values else body


def update(pk: str, expression: str, values: Any = None, condition: str | None = None, **more: Any) -> Request:
    _, body = change(pk, expression, values, condition, **more)
    return "UpdateItem", {"TableName": TABLE, "ReturnValues": "ALL_NEW", **body}


def query(condition: str, values: Any, limit: int = 2, start: Any = None, **more: Any) -> Request:
    request = {
        "TableName": TABLE,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "Limit": limit,
        **more,
    }
    return "Query", request if start is None else {**request, "ExclusiveStartKey": start}


def s(text: str) -> dict[str, str]:
    return {"S": text}


def n(number: int) -> dict[str, str]:
    return {"N": str(number)}


# --- what the store asks -------------------------------------------------------------------------------------------

NEW = "attribute_not_exists(pk)"
EVERY_KIND: dict[str, Any] = {
    "text": s("é\x1f\U0001f600"),
    "empty": s(""),
    "a_number": {"N": "99999999999999999999999999999999999999"},
    "below": {"N": "-1"},
    "flag": {"BOOL": False},
    "blob": {"B": "AP8="},
    "list": {"L": [s("a"), {"L": []}, {"M": {}}]},
    "map": {"M": {"a": {"M": {"b": n(0)}}, "c": {"B": "AA=="}}},
    "texts": {"SS": ["b", "a"]},
}


def conditions() -> Iterator[Case]:
    """Each on a row that is there and one that is not, alone and within a transaction."""
    values = {":one": n(1), ":two": n(2), ":text": s("x"), ":yes": {"BOOL": True}}
    held: dict[str, Any] = {
        "a_one": n(1),
        "a_two": n(2),
        "a_text": s("x"),
        "a_yes": {"BOOL": True},
        "a_map": {"M": {"at_ms": n(1)}},
    }
    for number, (condition, *used) in enumerate(
        [
            ("attribute_exists(pk)",),
            (NEW,),
            ("a_one = :one", ":one"),
            ("a_one = :text", ":text"),
            ("a_one <> :text", ":text"),
            ("a_one <> :one", ":one"),
            ("a_text <> :text", ":text"),
            ("a_none <> :one", ":one"),
            ("a_none = :one", ":one"),
            ("a_none < :one", ":one"),
            ("a_one < :two", ":two"),
            ("a_two <= :two", ":two"),
            ("a_two > :two", ":two"),
            ("a_two >= :one", ":one"),
            ("a_yes = :yes", ":yes"),
            ("a_two BETWEEN :one AND :two", ":one", ":two"),
            ("a_none BETWEEN :one AND :two", ":one", ":two"),
            ("a_map.at_ms <= :one", ":one"),
            ("a_map.a_none <= :one", ":one"),
            ("a_none.at_ms <= :one", ":one"),
            ("a_text.at_ms <= :one", ":one"),
            ("attribute_not_exists(a_none) OR a_none.at_ms <= :one", ":one"),
            ("a_one = :one AND a_two = :one OR a_two = :two", ":one", ":two"),
            ("a_two = :two OR a_one = :one AND a_two = :one", ":one", ":two"),
            ("a_one = :two AND (a_two = :one OR a_two = :two)", ":one", ":two"),
            ("(attribute_not_exists(a_one) OR a_one < :one) AND a_two = :two", ":one", ":two"),
        ]
    ):
        pk, given = f"CONDITION#{number}", {name: values[name] for name in used}
        yield Case(
            condition,
            (
                transact(put(pk, **held)),
                update(pk, "SET seen = :seen", {**given, ":seen": n(1)}, condition),
                update(f"{pk}-", "SET seen = :seen", {**given, ":seen": n(1)}, condition),
                transact(check(pk, condition, given)),
                transact(check(f"{pk}--", condition, given)),
                transact(put(pk, "a", condition, given, fresh=n(1))),
                transact(delete(pk, "a", condition, given)),
                get(pk),
                get(f"{pk}-"),
            ),
        )


TRANSACTIONS = [
    Case("an item of every kind", (transact(put("KINDS", **EVERY_KIND)), get("KINDS"), get("KINDS", "b"))),
    Case(
        "a refusal leaves nothing, and shows each row that was in the way",
        (
            transact(put("R1", a_old=n(1)), put("R2", **EVERY_KIND)),
            transact(
                put("R3"),
                put("R1", "a", NEW),
                change("R2", "SET x = :x", {":x": n(1)}, "a_number = :x"),
                delete("R4", "a", "attribute_exists(pk)"),
                check("R5", NEW),
            ),
            get("R1"),
            get("R2"),
            get("R3"),
        ),
    ),
    Case(
        "who does not ask for the old row is not shown it",
        (
            transact(put("Q1")),
            transact(("Put", {"Item": key("Q1"), "ConditionExpression": NEW})),
            (
                "UpdateItem",
                {"TableName": TABLE, "Key": key("Q1"), "UpdateExpression": "REMOVE x", "ConditionExpression": NEW},
            ),
        ),
    ),
    Case("an item twice", (transact(put("T1"), check("T1", NEW)), transact(put("T2"), delete("T2")), get("T1"))),
    Case("nothing to delete", (transact(delete("D1")), get("D1"))),
    Case(
        "a request token is honoured once",
        (
            transact(change("K1", "ADD a_count :one", {":one": n(1)}), token="a" * 32),
            transact(change("K1", "ADD a_count :one", {":one": n(1)}), token="a" * 32),
            transact(change("K1", "ADD a_count :two", {":two": n(2)}), token="a" * 32),
            transact(change("K1", "ADD a_count :one", {":one": n(1)}), token="b" * 32),
            transact(change("K1", "ADD a_count :one", {":one": n(1)})),
            get("K1"),
        ),
    ),
    Case(
        "a request token whose transaction was refused is free",
        (
            transact(put("K2")),
            transact(put("K2", "a", NEW), token="c" * 32),
            transact(delete("K2")),
            transact(put("K2", "a", NEW), token="c" * 32),
            transact(put("K2", "a", NEW), token="c" * 32),
            get("K2"),
        ),
    ),
    Case(
        "a refusal of a repetition shows its own row",
        (transact(put("K3", "a", NEW, operation=s("o"))), transact(put("K3", "a", NEW, operation=s("o")))),
    ),
]
UPDATES = [
    Case(
        "ADD and SET make the row",
        (
            update("U1", "SET a = :a ADD b :b", {":a": s("x"), ":b": n(-3)}),
            update("U1", "SET a = :a ADD b :b", {":a": s("y"), ":b": n(5)}),
            update("U1", "ADD c :c", {":c": {"SS": ["x", "y"]}}),
            update("U1", "ADD c :c", {":c": {"SS": ["y", "z"]}}),
            update("U1", "DELETE c :c", {":c": {"SS": ["x", "no"]}}),
            update("U1", "DELETE c :c", {":c": {"SS": ["y", "z"]}}),
            update("U1", "DELETE c :c", {":c": {"SS": ["y", "z"]}}),
            get("U1"),
        ),
    ),
    Case(
        "REMOVE takes away, and does not mind what is not there",
        (
            update("U2", "SET a = :a, b = :a", {":a": s("x")}),
            update("U2", "SET c = :a REMOVE a, d", {":a": s("x")}),
            update("U2", "REMOVE b, c"),
            update("U2", "REMOVE b"),
            get("U2"),
        ),
    ),
    Case(
        "sums of what the row holds",
        (
            update("U3", "SET a = :a, b = :a", {":a": n(5)}),
            update("U3", "SET a = a + :a, b = a + :a", {":a": n(1)}),
            update("U3", "SET #x = #x + :a", {":a": n(1)}, ExpressionAttributeNames={"#x": "a"}),
            get("U3"),
        ),
    ),
    Case(
        "names stand for names",
        (
            update("U4", "SET #v = :v", {":v": {"M": {"at_ms": n(1)}}}, ExpressionAttributeNames={"#v": "full_at:1:2"}),
            update(
                "U4",
                "SET #v = :v REMOVE #o",
                {":v": {"M": {"at_ms": n(3)}}, ":since": n(1)},
                "attribute_not_exists(#v) OR #v.at_ms <= :since",
                ExpressionAttributeNames={"#v": "full_at:1:2", "#o": "v0"},
            ),
            update(
                "U4",
                "SET #v = :v",
                {":v": {"M": {"at_ms": n(4)}}, ":since": n(1)},
                "attribute_not_exists(#v) OR #v.at_ms <= :since",
                ExpressionAttributeNames={"#v": "full_at:1:2"},
            ),
        ),
    ),
    Case(
        "an update within a transaction makes the row",
        (transact(change("U5", "SET a = :a ADD b :b", {":a": s(""), ":b": n(1)})), get("U5")),
    ),
]
ORDER = ["a", "a#", "a\x1f", "a\x1fb", "aa", "b", "é", "￿", "\U0001f600", "A", "_", "~"]


def pages(pk: str) -> Iterator[Request]:
    yield transact(*(put(pk, sk, n=n(number)) for number, sk in enumerate(ORDER)))
    for sk in [None, "a\x1f", "a\x1fa", "é", "\U0001f600", "zz"]:
        yield query("pk = :pk", {":pk": s(pk)}, 3, None if sk is None else key(pk, sk), ConsistentRead=True)
    for prefix in ("a", "a\x1f", "none"):
        for limit in (1, 2, 4, 5, 100):
            yield query("pk = :pk AND begins_with(sk, :prefix)", {":pk": s(pk), ":prefix": s(prefix)}, limit)
    yield query("pk = :pk AND begins_with(sk, :prefix)", {":pk": s(pk), ":prefix": s("a")}, 2, key(pk, "a#"))
    yield query("pk = :pk", {":pk": s(f"{pk}-none")}, 2)
    for forward in (True, False):
        between = "pk = :partition AND sk BETWEEN :from AND :until"
        values = {":partition": s(pk), ":from": s("a"), ":until": s("b")}
        for start in (None, "a\x1f", "b", "a"):
            more = {"ScanIndexForward": forward}
            yield query(between, values, 2, start and key(pk, start), **more)
            yield query(between, values, 100, start and key(pk, start), **more)
        yield query(between, {**values, ":from": s("x"), ":until": s("y")}, 2, ScanIndexForward=forward)


def due() -> Iterator[Request]:
    bucket: dict[str, Any] = {"due_bucket": s("DUE#agreement")}
    yield transact(
        *(put(f"DUE#{at}", **bucket, due_at_ms=n(at), more=s("not projected")) for at in (100, 9, 10, 1_000, 11)),
        put("DUE#none", due_at_ms=n(1)),
        put("DUE#other", due_bucket=s("DUE#another"), due_at_ms=n(1)),
    )
    asked = {":bucket": s("DUE#agreement"), ":until": n(100)}
    condition = "due_bucket = :bucket AND due_at_ms <= :until"
    for limit in (1, 2, 3, 4, 5):
        yield query(condition, asked, limit, IndexName="by_due")
    start = {**key("DUE#10"), **bucket, "due_at_ms": n(10)}
    yield query(condition, asked, 2, start, IndexName="by_due")
    yield update("DUE#11", "REMOVE due_bucket")
    yield query(condition, asked, 9, IndexName="by_due")
    yield query(condition, asked, 9, {**key("DUE#11"), **bucket, "due_at_ms": n(11)}, IndexName="by_due")
    yield transact(delete("DUE#9"), put("DUE#10", **bucket, due_at_ms=n(101)))
    yield query(condition, asked, 9, IndexName="by_due")


def audit() -> Iterator[Request]:
    """Of two owners, told apart by the table's own key."""
    for number in range(7):
        yield transact(
            put(f"AUDIT#{number % 2}", f"{number:013d}#evt", audited_tenant=s("EVENTS#agreement"), type=s("t"))
        )
    condition = "audited_tenant = :partition AND sk BETWEEN :from AND :until"
    values = {":partition": s("EVENTS#agreement"), ":from": s(f"{1:013d}"), ":until": s(f"{6:013d}")}
    for forward in (True, False):
        for limit in (1, 2, 5, 6):
            yield query(condition, values, limit, IndexName="by_tenant", ScanIndexForward=forward)
        start = {**key("AUDIT#1", f"{3:013d}#evt"), "audited_tenant": s("EVENTS#agreement")}
        yield query(condition, values, 2, start, IndexName="by_tenant", ScanIndexForward=forward)


READING = [
    Case("a page of a partition, in the order of its bytes", tuple(pages("PAGES"))),
    Case("what has something due", tuple(due())),
    Case("what happened, in either order", tuple(audit())),
    Case(
        "several at once",
        (transact(put("B1", **EVERY_KIND), put("B1", "b")), batch_get(key("B1"), key("B1", "b"), key("B1", "c"))),
    ),
]

# --- what it does not ask, or that is refused ----------------------------------------------------------------------

NOT_MOTO = frozenset({MOTO})
NOT_DICTIONARY = frozenset({DICTIONARY})
ONLY_THE_ENGINE = frozenset({DICTIONARY, MOTO})
HALF = "x" * 205_000
BETWEEN, VALUES = (
    "pk = :partition AND sk BETWEEN :from AND :until",
    {":partition": s("Z"), ":from": s("a"), ":until": s("b")},
)


def growing(pk: str) -> Iterator[Request]:
    yield transact(put(pk, one=s(HALF)))
    yield transact(change(pk, "SET another = :x", {":x": s(HALF)}))
    yield get(pk)


REFUSED = [
    Case(
        "which is greater, a text or a number?",
        (
            transact(put("C1", a_text=s("x"), a_one=n(1))),
            transact(check("C1", "a_text > :one", {":one": n(1)})),
            transact(check("C1", "a_one < :text", {":text": s("x")})),
            update("C1", "SET seen = :one", {":one": n(1), ":two": n(2)}, "a_text BETWEEN :one AND :two"),
        ),
        NOT_MOTO,
    ),
    Case(
        "a full page that is the last",
        (transact(put("P1"), put("P1", "b")), query("pk = :pk", {":pk": s("P1")}, 2)),
        NOT_MOTO,
    ),
    Case("a key of no bytes", (get("X", ""), transact(delete("", "a"))), NOT_MOTO),
    Case("a key of too many bytes", (get("X", "é" * 513), get("x" * 2049)), NOT_MOTO),
    Case("an item under a key of too many bytes", (transact(put("X", "é" * 513)),), ONLY_THE_ENGINE),
    Case("the longest keys", (transact(put("X", "é" * 512), put("y" * 2048)), get("X", "é" * 512), get("y" * 2048))),
    Case("a key asked for twice at once", (batch_get(key("X"), key("X")),)),
    Case("an item of more than 400 kB", (transact(put("L1", more=s(HALF * 2))), get("L1")), NOT_DICTIONARY),
    Case("an item that becomes larger than 400 kB", tuple(growing("L2")), ONLY_THE_ENGINE),
    Case("a set of nothing", (transact(put("S1", texts={"SS": []})), get("S1")), ONLY_THE_ENGINE),
    Case("a set that has something twice", (transact(put("S2", texts={"SS": ["a", "a"]})), get("S2")), ONLY_THE_ENGINE),
    Case("a hundred items", (transact(*(put(f"H{number}") for number in range(100))), get("H99"))),
    Case("more than a hundred items", (transact(*(put(f"I{number}") for number in range(101))), get("I0"))),
    Case("a transaction of nothing", (transact(),), NOT_MOTO),
    Case("a request token of more than 36 characters", (transact(put("X1"), token="t" * 37), get("X1")), NOT_MOTO),
    Case("a value that is not used", (transact(put("X2", "a", NEW, {":x": n(1)})), get("X2")), NOT_MOTO),
    Case("a value that is not given", (transact(put("X3", "a", "x = :x")), get("X3")), NOT_MOTO),
    Case("a word that is reserved", (update("X4", "SET timestamp = :x", {":x": n(1)}), get("X4")), NOT_DICTIONARY),
    Case("a sum with what is not there", (update("X5", "SET x = y + :x", {":x": n(1)}), get("X5")), NOT_DICTIONARY),
    Case(
        "a number added to a text",
        (transact(put("X6", x=s("a"))), update("X6", "ADD x :x", {":x": n(1)}), get("X6")),
        NOT_DICTIONARY,
    ),
    Case(
        "a transaction that adds a number to a text",
        (transact(put("X7", x=s("a"))), transact(put("X8"), change("X7", "ADD x :x", {":x": n(1)})), get("X8")),
        ONLY_THE_ENGINE,
    ),
    Case("from above until", (query(BETWEEN, {**VALUES, ":from": s("c")}, ScanIndexForward=True),), NOT_MOTO),
    Case(
        "a start outside of what is asked for",
        (query(BETWEEN, VALUES, 2, key("Z", "c"), ScanIndexForward=True),),
        NOT_MOTO,
    ),
    Case("a start in another partition", (query("pk = :pk", {":pk": s("Z")}, 2, key("Y")),), NOT_MOTO),
]
CASES = [*conditions(), *TRANSACTIONS, *UPDATES, *READING, *REFUSED]


@pytest.fixture(scope="module")
def tables() -> Iterator[Mapping[str, JsonService]]:
    with three_tables() as three:
        yield three


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_who_is_not_named_as_odd_answers_like_the_engine(case: Case, tables: Mapping[str, JsonService]) -> None:
    answers = {name: [answer(table, request) for request in case.requests] for name, table in tables.items()}
    for name in tables.keys() - case.odd:
        assert answers[name] == answers[ENGINE]
    for name in case.odd:
        assert answers[name] != answers[ENGINE], f"{name} answers like the others by now"


def answer(table: JsonService, request: Request) -> Any:
    try:
        return said(lambda: table.call(*request))
    except (KeyError, NotImplementedError) as unknown:
        return repr(unknown)


def test_each_difference_is_documented() -> None:
    page = (ROOT / "docs" / "operations" / "engines.md").read_text()
    documented = {
        name.strip(): frozenset(re.findall(r"\w+", odd))
        for name, odd in re.findall(r"^\| `(.+?)` \|.*\| ([\w, ]+) \|[^|]*\|$", page, re.MULTILINE)
    }
    assert documented == {case.name: case.odd for case in CASES if case.odd}

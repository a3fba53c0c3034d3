"""Bodies that are not in order, at every endpoint of the native API that takes one: nothing is written for them."""

from __future__ import annotations

import json

import pytest

from tests.bundle import Bundle
from tests.contract.native.conftest import Holders
from tests.contract.native.desk import COMMIT, OPERATIONS, SEAL, UNKNOWN, fields_refused, refused
from tests.world import World

WITH_BODY = [name for name, operation in OPERATIONS.items() if operation.takes_a_body]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"[{}]",
        b"null",
        b'"x"',
        b"5",
        b"{}{}",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' * 9 + b"1" + b"}" * 9,
        b"[" * 60_000,
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b"\x00",
    ],
    ids=range(17),
)
def test_what_is_no_strict_json_object_is_unreadable(
    bundle: Bundle, house: World, holders: Holders, name: str, body: bytes
) -> None:
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, house, {**JSON, **holders(operation.scope)}, body=body)
    refused(answer, "body-unreadable")
    assert not {SEAL, COMMIT} & set(answer.calls)


@pytest.mark.parametrize("name", WITH_BODY)
def test_an_absent_body_is_unreadable_where_there_is_something_to_be_said(
    bundle: Bundle, house: World, holders: Holders, name: str
) -> None:
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, house, holders(operation.scope), body=b"")
    if operation.body_may_be_absent:
        assert answer.status == operation.status
    else:
        refused(answer, "body-unreadable")


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
def test_another_content_type_is_refused(
    bundle: Bundle, house: World, holders: Holders, name: str, content_type: str
) -> None:
    operation = OPERATIONS[name]
    headers = {"Content-Type": content_type, **holders(operation.scope)}
    refused(operation.ask(bundle, house, headers, body=b'{"a": 1}'), "content-type-refused")


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_of_more_than_64_kb_is_refused_whatever_it_is(
    bundle: Bundle, house: World, holders: Holders, name: str
) -> None:
    operation = OPERATIONS[name]
    caller = holders(operation.scope)
    for content_type in ("application/json", "text/plain"):
        headers = {"Content-Type": content_type, **caller}
        refused(operation.ask(bundle, house, headers, body=b" " * 64_001), "body-too-large")
        refused(operation.ask(bundle, house, headers, body=b"\xc3\xa9" * 32_001), "body-too-large")


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_of_just_64_kb_is_read(bundle: Bundle, house: World, holders: Holders, name: str) -> None:
    operation = OPERATIONS[name]
    body = json.dumps(operation.body_in(house)).ljust(64_000)
    answer = operation.ask(bundle, house, {**JSON, **holders(operation.scope)}, body=body)
    assert answer.status == operation.status, answer.text


@pytest.mark.parametrize("name", WITH_BODY)
@pytest.mark.parametrize(
    "member",
    ["tenant", "digest", "sealed", "revision", "creator", "created_at", "state", "live_native", "operation", "pk", ""],
)
def test_a_member_that_is_not_documented_is_refused_by_its_name(
    bundle: Bundle, house: World, holders: Holders, name: str, member: str
) -> None:
    """What is stored is no way in: T4, mass assignment."""
    operation = OPERATIONS[name]
    answer = operation.ask(bundle, house, holders(operation.scope), json_body={**operation.body, member: "x"})
    assert answer.status == 422, answer.text
    assert not {SEAL, COMMIT} & set(answer.calls)
    if member:
        fields_refused(answer, (member, UNKNOWN))

"""R14: bad input at every route. Whatever is sent, the answer is one that the surface's description has, no 5xx, tells
nothing of our insides and nothing of what was presented; a refusal has written nothing but what the audit has of it.

T4, T17 and T22 are among what is sent: every stored attribute as a further member, the key in the address, and every
id in forty spellings. Half is made by hand and half by hypothesis, whose seed is fixed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.bundle import Answer
from tests.description import breaches, described, is_refusal_beside, refuses
from tests.quick_table import Address, Item
from tests.reliability.endpoints import Rig, rig
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.hostile import PLANTED, PLANTED_NUMBER, TEMPLATE, Good, Sent, by_chance, by_hand, good_requests

EACH: Final = 2_000 if NIGHTLY else 170
"""Inputs for each function."""
FUNCTIONS: Final = sorted({route.function for route in TEMPLATE.routes})
INSIDES: Final = re.compile(rb"Traceback|\.py\b|botocore|pydantic|dynamodb|Exception\b|arn:aws|ValidationError")
MOST_CALLS: Final = 12
"""Of AWS, for one refusal."""
LONGEST_ANSWER: Final = 20_000
"""Bytes, for one refusal."""


@pytest.fixture(scope="module")
def at() -> Iterator[Rig]:
    with rig("444455556666", nearby=True) as opened:
        yield opened


@cache
def members_of(method: str, route: str) -> frozenset[str]:
    """The names that the description has for members of a body, at any depth."""
    operation = described()["paths"].get(route, {}).get(method.lower(), {})
    return frozenset(_names(operation.get("requestBody", {}), set()))


def _names(schema: Any, seen: set[str]) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _names(each, seen)
    elif isinstance(schema, dict):
        ref = schema.get("$ref", "")
        if ref and ref not in seen:
            seen.add(ref)
            yield from _names(described()["components"]["schemas"][ref.rpartition("/")[2]], seen)
        yield from schema.get("properties", {})
        for each in schema.values():
            yield from _names(each, seen)


def changed(before: Mapping[Address, Item], after: Mapping[Address, Item]) -> list[Address]:
    """But for what the audit has of a use: when a key was used last, and that a dead one was."""
    return [
        address
        for address in before.keys() | after.keys()
        if before.get(address) != after.get(address) and not _is_note(address, after.get(address))
    ]


def _is_note(address: Address, item: Item | None) -> bool:
    if address[0].startswith(("USE#", "REFUSALS#")):
        return True
    return item is not None and address[0].startswith("EVENTS#") and item["type"]["S"] == "key_refused"


class House:
    """The demo tenant, which is as it was after each request, whatever came of it."""

    def __init__(self, at: Rig) -> None:
        self._at = at
        self.refusals = 0
        self.inputs = 0
        at.begin()
        at.stack.aws.records = True

    def findings(self, sent: Sent) -> list[str]:
        """What is wrong with the answer; nothing where no route of ours takes the request."""
        bundle, table = self._at.bundle, self._at.table
        match = bundle._router.match(sent.method, sent.path)
        if match is None:
            return []
        self._at.stack.aws.clear()
        answer = bundle.request(sent.method, sent.target, sent.headers, sent.body)
        self.inputs += 1
        found = [*_wrong(sent, match.route.path, answer)]
        refused = refuses(answer)
        self.refusals += refused
        if answer.calls or answer.notes:
            written = changed(self._at.seeded.items, table.items)
            if refused and written:
                found.append(f"a refusal has written {written}")
            if any(
                PLANTED in (text := repr(table.items.get(address))) or str(PLANTED_NUMBER) in text
                for address in written
            ):
                found.append("what no body has was stored")
            if written:
                table.restore(self._at.seeded)
                self._at.stack.aws._tokens.clear()
        return found


def _wrong(sent: Sent, route: str, answer: Answer) -> Iterator[str]:
    if answer.status >= 500:
        yield f"status {answer.status}"
    yield from breaches(sent.method, route, answer)
    refused = refuses(answer)
    if refused and route not in described()["paths"] and not _is_shaped(route, answer):
        yield "a refusal of another shape"
    if refused and not {*INSIDES.findall(answer.body)} <= {*INSIDES.findall(brought(sent))}:
        yield "it tells of our insides"
    if refused and any(secret.encode() in answer.body for secret in sent.secrets):
        yield "it repeats what was presented"
    if refused and (len(answer.calls) > MOST_CALLS or len(answer.body) > LONGEST_ANSWER):
        yield f"a refusal of {len(answer.body)} bytes after {len(answer.calls)} calls"
    if sent.refused and not refused:
        yield "it was accepted"


def brought(sent: Sent) -> bytes:
    """All that a request says. A refusal names the member it is about, whatever that is called."""
    headers = (f"{name}: {value}" for name, value in sent.headers)
    return b"\n".join([sent.body, unquote(sent.target).encode(), "\n".join(headers).encode()])


def _is_shaped(route: str, answer: Answer) -> bool:
    """What a catch-all answers. No endpoint has the prefixes of two older styles, so these are told by their marks."""
    if route.startswith("/h"):
        return answer.headers["content-type"].startswith("text/html")
    if route.startswith("/sdpapi"):
        return b"<status>Failed</status>" in answer.body or b'"status": "Failed"' in answer.body
    if route.startswith("/api/v3"):
        return list(answer.json()) == ["response_status"]
    return is_refusal_beside(route.partition("/{")[0], answer)


def handmade(goods: list[Good]) -> list[Sent]:
    return [sent for good in goods for sent in by_hand(good, members_of(good.sent.method, good.route))]


def spread(all_: list[Sent], most: int) -> list[Sent]:
    """So many of them, evenly from first to last."""
    if len(all_) <= most:
        return all_
    return [all_[n * len(all_) // most] for n in range(most)]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_bad_input_is_refused_in_the_words_of_the_surface(function: str, at: Rig, figures: Figures) -> None:
    house, goods = House(at), [*good_requests(function)]
    by_hand_ = spread(handmade(goods), EACH // 2)
    wrong = [(sent.what, sent.method, sent.target[:300], found) for sent in by_hand_ if (found := house.findings(sent))]
    assert wrong == []

    @seed(20261130)
    @settings(max_examples=EACH - len(by_hand_), database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(sent=by_chance(goods))
    def by_chance_(sent: Sent) -> None:
        assert house.findings(sent) == []

    by_chance_()
    figures.add("R14", inputs=house.inputs, of_which_refused=house.refusals)
    figures.note("R14", functions=len(FUNCTIONS), routes=len(TEMPLATE.routes), accepted_or_written=0)

"""R6: every function's committed event, each attempt at a call of AWS that it makes, each of the nine faults; and then
the same request once more. R7: another fault meets that too. T9: it comes five times more, and another in its name.
R11 and R12: KMS or the table is down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from local.iam import Call
from local.template import Template
from tests.engine.process import PROGRAM
from tests.reliability.endpoints import ROOT, Rig, Said, rig
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.stand_ins import TRIED_AGAIN, Fault

FUNCTIONS = sorted(Template.load(ROOT / "template.yaml", {}).functions)
STAYING = TRIED_AGAIN if NIGHTLY else set() if PROGRAM else {Fault.LOST}
"""Of these also that it lasts, so that trying again is of no use. On the second engine each fault comes once."""
_DETAIL = re.compile(r"Exception|arn:|Traceback|amazonaws|dynamodb|kms|\.py\b|DENIED|disabled", re.IGNORECASE)


@pytest.fixture(scope="module")
def at() -> Iterator[Rig]:
    with rig("777788889999") as opened:
        yield opened


def clean_run(at: Rig, function: str) -> tuple[Said, list[str], list[str]]:
    """The answer, the attempts and the effects, when nothing goes wrong."""
    at.begin()
    at.injector.arm()
    said = at.call(function)
    return said, list(at.injector.attempts), at.effects()


def check_refusal(said: Said) -> None:
    if said.status is not None and said.status >= 500:
        assert said.status in {500, 502, 503}
        assert not _DETAIL.search(said.body), said.body


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_fault_anywhere_leaves_all_or_nothing_and_a_retry_settles_it(
    function: str, at: Rig, figures: Figures
) -> None:
    clean, attempts, effects = clean_run(at, function)
    assert not clean.refused or "UnknownPath" in function
    repeatable = function in REPEATABLE
    for number, operation in enumerate(attempts):
        for fault in Fault:
            if not fault.can_meet(operation):
                continue
            for stays in (False, True) if fault in STAYING else (False,):
                where = f"{function}, {operation} {number}, {fault}{', which stays' if stays else ''}"
                at.begin()
                at.injector.arm({number: fault}, stays=stays)
                said = at.call(function)
                assert at.injector.hit, where
                check_refusal(said)
                assert at.violations() == [], where
                after_fault = at.effects()
                at.injector.arm()
                at.new_environment()
                again = at.call(function)
                check_refusal(again)
                assert at.violations() == [], where
                assert not again.crashed, where
                # What is no endpoint says by an error that its work was done already.
                assert not again.failed or after_fault, where
                if not said.refused and not effects:
                    assert said.status == clean.status, where
                if len(set(effects)) == len(effects) == 1:
                    assert after_fault in ([], effects), where
                if repeatable:
                    assert at.effects() == effects, where
                    assert again.status == clean.status, where
                figures.add("R6", runs=1)
        figures.add("R6", call_points=1)
    figures.note("R6", functions=len(FUNCTIONS), faults=len(Fault))


REPLAYS = 5
REPEATABLE = frozenset(
    f"Native{name}"
    for name in (
        "CancelRotation",
        "CreateLink",
        "CreateOwner",
        "CreateTenant",
        "DisableKey",
        "EnableKey",
        "ExtendRotation",
        "FinishRotation",
        "IssueKey",
        "RevokeKey",
        "RotateKey",
        "UndeleteKey",
    )
)


def test_the_repeatable_endpoints_are_those_that_say_so() -> None:
    functions = (ROOT / "functions" / "native").glob("*.py")
    said = {path.stem for path in functions if "repeatable=True" in path.read_text()}
    assert {f"Native{''.join(part.capitalize() for part in name.split('_'))}" for name in said} == REPEATABLE


@pytest.mark.parametrize("function", sorted(REPEATABLE))
def test_a_request_that_comes_again_and_again_has_one_effect_and_one_answer(
    function: str, at: Rig, figures: Figures
) -> None:
    """A fault meets the first. Its answers after that are the same, byte for byte; none of what they tell lies in clear
    beside them; and another request under its idempotency key is refused, and changes nothing."""
    clean, attempts, effects = clean_run(at, function)
    for number, operation in enumerate(attempts):
        for fault in filter(lambda fault: fault.can_meet(operation), Fault):
            where = f"{function}, {operation} {number}, {fault}"
            at.begin()
            at.injector.arm({number: fault})
            first = at.call(function)
            at.new_environment()
            at.injector.arm()
            answers = [at.call(function) for _ in range(REPLAYS)]
            if not first.refused:
                answers.append(first)
            assert {(each.status, each.body) for each in answers} == {(clean.status, answers[0].body)}, where
            assert at.effects() == effects, where
            items = dict(at.table.items)
            assert at.call(function, body='{"another": "request"}').status == 422, where
            assert at.table.items == items, where
            assert at.violations(told_in(answers[0])) == [], where
            figures.add("T9", fault_points=1, replays=REPLAYS, effects=1, other_requests_refused=1)
    figures.note("T9", functions=len(REPEATABLE))


def told_in(said: Said) -> list[str]:
    """The secrets: tokens, and the last part of what opens a link."""
    body = json.loads(said.body)
    return [body[name].rpartition("/")[2] for name in ("token", "url") if name in body]


def test_without_kms_whatever_needs_no_secret_goes_on(at: Rig, figures: Figures) -> None:
    def kms(call: Call) -> Fault | None:
        return Fault.KMS_DISABLED if call.service == "kms" else None

    for function in FUNCTIONS:
        clean, attempts, effects = clean_run(at, function)
        at.begin()
        at.injector.arm()
        at.injector.down = kms
        try:
            said = at.call(function)
        finally:
            at.injector.down = lambda _: None
        assert at.violations() == []
        if {"Encrypt", "Decrypt"} & set(attempts):
            assert said.refused, function
            assert at.table.commits == [], function
            check_refusal(said)
            if function.startswith("Native") and said.status is not None:
                assert said.status == 503, function
                assert int(said.headers["retry-after"]) > 0
            figures.add("R11", refused_without_a_row=1)
        else:
            assert (said.status, said.refused, at.effects()) == (clean.status, clean.refused, effects), function
            figures.add("R11", answered_as_ever=1)


def test_without_the_table_nothing_is_valid_and_the_next_call_is_right(at: Rig, figures: Figures) -> None:
    def table(call: Call) -> Fault | None:
        return Fault.INTERNAL if call.service == "dynamodb" else None

    for function in FUNCTIONS:
        clean, attempts, effects = clean_run(at, function)
        if not set(attempts) & {"GetItem", "BatchGetItem", "Query", "TransactWriteItems", "UpdateItem"}:
            continue
        at.begin()
        at.injector.arm()
        at.injector.down = table
        try:
            said = at.call(function)
        finally:
            at.injector.down = lambda _: None
        check_refusal(said)
        assert at.table.items == at.seeded.items, function
        if function.startswith("Authorizers"):
            assert "isAuthorized" not in (said.payload or {}) or said.payload["isAuthorized"] is False
            assert '"Allow"' not in repr(said.payload)
        elif not function.startswith("Streams"):
            assert said.refused, function
        at.new_environment()
        again = at.call(function)
        assert (again.status, again.refused, at.effects()) == (clean.status, clean.refused, effects), function
        figures.add("R12", refused=1, right_on_the_first_call_after=1)


@pytest.mark.parametrize(
    "function", ["NativeIssueKey", "NativeRotateKey", "NativeRevokeKey", "NativeUndeleteKey", "NativeCreateTenant"]
)
def test_two_faults_are_no_worse_than_one(function: str, at: Rig, figures: Figures) -> None:
    """The second one meets the retry. With the same idempotency key, the third request settles it."""
    clean, attempts, effects = clean_run(at, function)
    points = [
        (number, fault) for number, operation in enumerate(attempts) for fault in Fault if fault.can_meet(operation)
    ]
    pairs = [(first, second) for first in points for second in points]
    for (number, fault), (other_number, other) in pairs if NIGHTLY else pairs[::23]:
        at.begin()
        at.injector.arm({number: fault})
        check_refusal(at.call(function))
        at.injector.arm({other_number: other})
        at.new_environment()
        check_refusal(at.call(function))
        at.injector.arm()
        at.new_environment()
        settled = at.call(function)
        where = f"{function}: {fault} at {number}, {other} at {other_number} of the retry"
        assert settled.status == clean.status, where
        assert at.effects() == effects, where
        assert at.violations() == [], where
        figures.add("R7", runs=1)

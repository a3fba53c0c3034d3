"""R10: mail that fails. SES is down, throttles, refuses for good, or took a mail whose answer got lost; the function
dies before or after any of its calls; the stream hands the same records over twice.

A warning, for which nobody waits, is sent, or on record as not mailed, or in the queue with the place where it stands
in the stream; of two mails for one warning, one was asked for again because nobody could know of the first. Whatever
else the bundle does answers as ever. A mail that its own call asks for, and that does not leave, is told by the answer,
and the key stands.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from keywright.model import DAY_MS, EventType, KeyKind
from local import demo
from local.aws import Fault as Happening
from local.aws import error
from local.iam import Call
from local.runtime import Result
from local.server import Response
from local.streams import Follower, _batches
from tests.contract.streams.test_mail_warnings import record
from tests.quick_table import Crash
from tests.reliability.endpoints import Rig, rig
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.stand_ins import Snapshot
from tests.reliability.test_single_faults import FUNCTIONS
from tests.world import World

FUNCTION: Final = "StreamsMailWarnings"
WARNINGS: Final = 6 if NIGHTLY else 3
FOR_GOOD: Final = (
    "AccountSuspendedException",
    "BadRequestException",
    "MailFromDomainNotVerifiedException",
    "MessageRejected",
    "NotFoundException",
    "SendingPausedException",
)
"""The second last is what SES says of an address that it suppresses, and of one that bounces for good."""
FOR_NOW: Final = ("TooManyRequestsException", "LimitExceededException", "InternalServiceErrorException")


@dataclass(slots=True)
class Trouble:
    """What happens to the calls of AWS that the follower's function makes, or that are about one mail."""

    code: str | None = None
    """SES says so; "" is a connection that breaks."""
    about: str | None = None
    """To the mail of this key only."""
    times: int = 10**9
    lost: bool = False
    """After SES has taken the mail."""
    dies_at: int | None = None
    """The process is gone at its n-th attempt at a call, `lost` after it was carried out."""


@dataclass
class Post:
    """The follower of the template's table, with its tries, halves and queue; and what SES took."""

    at: Rig
    records: list[dict[str, Any]]
    held: Snapshot
    trouble: Trouble = field(default_factory=Trouble)
    taken: list[str] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    given_up: list[str] = field(default_factory=list)
    attempts: int = 0
    hits: int = 0

    @classmethod
    def laid_out(cls, at: Rig) -> Post:
        at.begin()
        world = World(demo.desk(at.stack))
        owner = world.change(world.app("Tills"), contact="tills@example.com")
        when = world.desk.clock.now_ms() + 30 * DAY_MS
        keys = [world.issue(KeyKind.NATIVE, owner.ref, expires_at_ms=when).key for _ in range(WARNINGS)]
        return cls(at, [record(key.id, owner, when, n) for n, key in enumerate(keys)], at.table.snapshot())

    @property
    def subjects(self) -> list[str]:
        return [each["dynamodb"]["NewImage"]["subject"]["S"] for each in self.records]

    def begin(self, trouble: Trouble) -> None:
        self.at.table.restore(self.held)
        self.at.stack.aws._tokens.clear()
        self.at.injector.dead = False
        self.at.new_environment()
        self.trouble = trouble
        self.taken, self.asked, self.given_up, self.attempts, self.hits = [], Counter(), [], 0, 0

    def fault(self, call: Call) -> Happening | None:
        if call.principal != FUNCTION:
            return None
        if self.at.injector.dead:
            return Happening(None)
        self.attempts += 1
        subject = _subject(call) if call.operation == "SendEmail" else ""
        if subject:
            self.asked[subject] += 1
        trouble = self.trouble
        if trouble.dies_at == self.attempts - 1:
            self.hits += 1
            self.at.injector.dead = True
            return Happening(None, committed=trouble.lost)
        if not subject or trouble.code is None or trouble.about not in (None, subject) or self.hits >= trouble.times:
            return None
        self.hits += 1
        return Happening(error(trouble.code) if trouble.code else None, committed=trouble.lost)

    def watch(self, call: Call, answer: Response) -> None:
        if call.operation == "SendEmail" and answer.status == 200:
            self.taken.append(_subject(call))

    def invoke(self, _: str, event: dict[str, Any]) -> Result:
        try:
            return self.at.bundle.invoke(FUNCTION, event)
        except Crash:
            self.at.injector.dead = False
            self.at.new_environment()
            return Result(None, failed=True)

    def deliver(self, *, twice: bool = False) -> None:
        for _ in range(1 + twice):
            Handed(self).deliver(self.records)

    def on_record(self) -> list[str]:
        return [
            item["subject"]["S"]
            for (pk, _), item in self.at.table.items.items()
            if pk.startswith("EVENTS#") and item["type"]["S"] == EventType.WARNING_NOT_MAILED
        ]

    def lost(self) -> set[str]:
        return {*self.subjects} - {*self.taken} - {*self.on_record()} - {*self.given_up}

    @property
    def doubles(self) -> int:
        return len(self.taken) - len({*self.taken})


class Handed(Follower):
    """A follower that is given its records, waits for nothing, and tells what it gives up."""

    def __init__(self, post: Post) -> None:
        (self._source,) = [each for each in post.at.stack.template.stream_sources if each.function == FUNCTION]
        self._post, self._invoke, self._stopped = post, post.invoke, AtOnce()

    def deliver(self, records: Sequence[dict[str, Any]]) -> None:
        for batch in _batches(records, self._source.batch_size):
            self._deliver(batch)

    def _give_up(self, records: Sequence[Mapping[str, Any]], attempt: int) -> None:
        assert attempt == self._source.retries
        self._post.given_up += [each["dynamodb"]["NewImage"]["subject"]["S"] for each in records]


class AtOnce(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return False


def _subject(call: Call) -> str:
    """The key that a mail is about."""
    found = re.search(r"key_[0-9a-f]{24}", json.dumps(call.request))
    return found[0] if found else "?"


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with rig("222233334444", nearby=True) as at:
        made = Post.laid_out(at)
        at.stack.aws.fault, at.stack.aws.watch = made.fault, made.watch
        yield made
        at.stack.aws.watch = lambda *_: None


def note(post: Post, figures: Figures) -> None:
    assert post.lost() == set()
    figures.add(
        "R10",
        runs=1,
        warnings_due=len(post.records),
        mailed=len({*post.taken}),
        on_record=len({*post.on_record()}),
        in_the_queue=len({*post.given_up}),
        mailed_twice=post.doubles,
        lost=0,
    )


@pytest.mark.parametrize("code", [*FOR_NOW, ""])
def test_what_passes_is_waited_for(post: Post, code: str, figures: Figures) -> None:
    for about in (None, *post.subjects[: None if NIGHTLY else 1]):
        for times in (1, 7, 10**9):
            post.begin(Trouble(code, about, times))
            post.deliver()
            assert post.hits
            note(post, figures)
            if times < 10**9:
                assert (post.given_up, post.doubles) == ([], 0)
                assert {*post.taken} == {*post.subjects}
            else:
                assert post.given_up == (post.subjects if about is None else [about])


@pytest.mark.parametrize("code", FOR_GOOD)
def test_what_is_refused_for_good_is_asked_for_once(post: Post, code: str, figures: Figures) -> None:
    for about in (None, *post.subjects):
        post.begin(Trouble(code, about))
        post.deliver()
        refused = post.subjects if about is None else [about]
        assert post.on_record() == refused
        assert {post.asked[subject] for subject in post.subjects} == {1}
        assert (post.given_up, post.doubles) == ([], 0)
        note(post, figures)


def test_a_lost_answer_costs_one_mail_more(post: Post, figures: Figures) -> None:
    for about in post.subjects:
        post.begin(Trouble("", about, times=1, lost=True))
        post.deliver()
        assert post.doubles == 1
        note(post, figures)


def test_a_death_anywhere_costs_one_mail_more_at_most(post: Post, figures: Figures) -> None:
    post.begin(Trouble())
    post.deliver()
    calls = post.attempts
    assert calls == 2 * len(post.records)
    for code in (None, "MessageRejected"):
        for number in range(calls + len(post.records) * (code is not None)):
            for lost in (False, True):
                post.begin(Trouble(code, dies_at=number, lost=lost and code is None))
                post.deliver()
                assert post.doubles <= 1
                assert post.given_up == []
                note(post, figures)
                figures.add("R10", deaths=1)


def test_records_that_come_twice_are_mailed_twice_at_most(post: Post, figures: Figures) -> None:
    post.begin(Trouble())
    post.deliver(twice=True)
    assert {*Counter(post.taken).values()} == {2}
    note(post, figures)


@contextmanager
def seeded(post: Post, ses: Callable[[], Happening | None]) -> Iterator[list[str]]:
    """The demo tenant, while SES answers so; what was asked of it."""
    post.at.begin()
    post.at.injector.dead = False
    asked: list[str] = []

    def fault(call: Call) -> Happening | None:
        if call.operation != "SendEmail":
            return None
        asked.append(call.operation)
        return ses()

    own, post.at.stack.aws.fault = post.at.stack.aws.fault, fault
    try:
        yield asked
    finally:
        post.at.stack.aws.fault = own


def test_without_ses_whatever_mails_nothing_answers_as_ever(post: Post, figures: Figures) -> None:
    for function in FUNCTIONS:
        with seeded(post, lambda: None) as sent:
            clean = post.at.call(function)
        with seeded(post, lambda: Happening(None)):
            said = post.at.call(function)
        if not sent:
            assert (said.status, said.refused) == (clean.status, clean.refused), function
            figures.add("R10", answered_as_ever=1)
        elif function.startswith("Supportcenter"):
            assert '"statuscode": 5111' in said.body
            figures.add("R10", told_that_it_was_not_mailed=1)
        elif function.startswith("Native"):
            assert said.status == 502
            figures.add("R10", told_that_it_was_not_mailed=1)


@pytest.mark.parametrize("operation", ["generateApiKey", "regenerateApiKey"])
def test_a_key_that_could_not_be_mailed_stands(post: Post, operation: str, figures: Figures) -> None:
    bundle, rep = post.at.bundle, demo.REP if operation == "generateApiKey" else demo.REP_WITH_KEY
    form = {"apikey": demo.REP_KEY, "supportRep": rep}
    bearer = {"Authorization": f"Bearer {demo.OPERATOR_TOKEN}"}
    for code in (*FOR_GOOD, *FOR_NOW, ""):
        answer = Happening(error(code) if code else None)
        with seeded(post, lambda answer=answer: answer):  # type: ignore[misc]
            told = bundle.request("POST", f"/api/json/{operation}", form={**form, "emailId": "dev@example.com"})
            assert '"statuscode": 5111' in told.text
            (row,) = bundle.request("POST", "/api/json/listApiKeys", form=form).json()["response"]["details"]
            verdict = bundle.request("POST", "/v1/keys/verify", bearer, json_body={"token": row["apikey"]})
            assert verdict.json()["valid"] is True
            assert post.at.violations() == []
        figures.add("R10", told_that_it_was_not_mailed=1)

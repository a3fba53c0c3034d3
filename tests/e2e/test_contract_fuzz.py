"""Contract fuzzing (reliability R15): the description is what the API keeps to, whatever is sent.

schemathesis makes the requests from the description: its examples, its limits and just beyond them, random ones, and
sequences in which one answer feeds the next request. The seed is fixed. KEYWRIGHT_FUZZ_REQUESTS says how many; `make
fuzz` asks for 20,000, and writes what it reached to docs/operations/promises.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template as Text
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from local import demo, postman
from local.openapi import COMMITTED, ROOT
from tests.bundle import Answer
from tests.description import described, refuses
from tests.e2e.conftest import Running
from tests.quick_table import Address, Item
from tests.reliability import promises
from tests.reliability.endpoints import Rig, rig
from tests.reliability.figures import Figures, kept
from tests.reliability.test_bad_input import changed

REQUESTS = int(os.environ.get("KEYWRIGHT_FUZZ_REQUESTS", "1500"))
LONG = REQUESTS >= 20_000
CONFIG = Path(__file__).with_name("schemathesis.toml")
VALUES: Mapping[str, str] = dict([*demo.VALUES, *postman.VARIABLES])
OPERATIONS = [
    pytest.param(path, method, id=operation["operationId"])
    for path, item in described()["paths"].items()
    for method, operation in item.items()
]
PYTHONPATH = (ROOT, ROOT / "layers/keywright", ROOT / "functions")
OF_A_REQUEST = {"method", "url", "headers", "params", "data", "json", "files", "cookies"}
THROUGH_THE_DOOR = {200, 201, 204, 410}
"""What only a known caller with a known thing is told: a link that is over has been open before."""


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    counted = Figures(command="make fuzz")
    yield counted
    if LONG and not request.session.testsfailed:
        counted.keep()
        promises.PAGE.write_text(promises.page(kept()))


def config(folder: Path) -> Path:
    """The committed one, with the demo tenant's values."""
    written = folder / "schemathesis.toml"
    written.write_text(Text(CONFIG.read_text()).substitute(VALUES))
    return written


# --- against the running gateway -----------------------------------------------------------------------------------


@dataclass
class Report:
    """What schemathesis wrote of a run: how often an operation was answered with what status, and what failed."""

    printed: str
    answers: dict[str, Counter[int]] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return sum(answers.total() for answers in self.answers.values())

    @property
    def locked(self) -> set[str]:
        """What no request has succeeded with. An alias and what it repeats are one, and have one summary."""
        statuses: dict[str, set[int]] = {}
        for name, answers in self.answers.items():
            method, path = name.split(" ")
            summary = described()["paths"][path][method.lower()]["summary"]
            statuses.setdefault(summary, set()).update(answers)
        return {summary for summary, answered in statuses.items() if not answered & THROUGH_THE_DOOR}

    def read(self, events: Path) -> None:
        with events.open() as lines:
            for line in lines:
                recorded = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
                if "interactions" in recorded:
                    self._add(recorded)

    def _add(self, recorded: Mapping[str, Any]) -> None:
        for name, interaction in recorded["interactions"].items():
            # A request may be of another method than the operation that is tested; a sequence is about several.
            case, label = recorded["cases"][name]["value"], recorded["label"]
            operation = label if "/" in label else f"{case['method']} {case['path']}"
            response = interaction["response"] or {"status_code": 0}
            self.answers.setdefault(operation, Counter())[response["status_code"]] += 1
        for name, checks in recorded["checks"].items():
            case = recorded["cases"][name]["value"]
            self.failed += [
                f"{check['name']}: {case['method']} {case['path']}" for check in checks if check["status"] != "success"
            ]


def fuzz(running: Running, folder: Path, *phases: str, most: int) -> Report:
    """At most that many requests for an operation and phase; the phase `coverage` has as many as there are limits."""
    events = folder / f"{phases[0]}.ndjson"
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", config(folder), "run", f"{running.url}/v1/openapi.json", "--no-color"),
            *("--phases", ",".join(phases), "--max-examples", str(most), "--report-ndjson-path", events),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PYTHONPATH))},
        check=False,
        capture_output=True,
        text=True,
    )
    report = Report(done.stdout + done.stderr)
    assert done.returncode == 0, report.printed
    report.read(events)
    return report


def test_no_request_brings_out_a_fault_or_an_answer_that_is_not_described(
    running: Running, tmp_path: Path, figures: Figures, record_property: Callable[[str, object], None]
) -> None:
    each = -(-REQUESTS // len(OPERATIONS))
    phases = ("examples", "coverage", "fuzzing") if LONG else ("examples", "fuzzing")
    report = fuzz(running, tmp_path, *phases, most=each)
    record_property("requests", report.requests)
    assert report.failed == [], report.printed
    assert report.requests >= REQUESTS
    assert {status for answers in report.answers.values() for status in answers if not 200 <= status < 500} == set()
    assert report.locked == set(), "no request of these got through the door"
    figures.add("R15", requests=report.requests, operations=len(report.answers), failed_checks=0)


def test_no_sequence_of_requests_does_either(
    running: Running, tmp_path: Path, figures: Figures, record_property: Callable[[str, object], None]
) -> None:
    report = fuzz(running, tmp_path, "stateful", most=REQUESTS // 25)
    record_property("requests", report.requests)
    assert report.failed == [], report.printed
    assert report.requests > REQUESTS // 25
    assert {status for answers in report.answers.values() for status in answers if not 200 <= status < 500} == set()
    figures.add("R15", requests_in_sequences=report.requests)


# --- in this process -----------------------------------------------------------------------------------------------


class House:
    """The demo tenant, which is as it was after each request, whatever came of it."""

    def __init__(self, at: Rig) -> None:
        self._at = at
        at.begin()
        at.stack.aws.records = True

    def written(self) -> list[Address]:
        return changed(self._at.seeded.items, self._at.table.items)

    def ask(self, case: schemathesis.Case[Any]) -> Answer:
        """Raises AssertionError where a refusal has written something, but for what the audit has of a use."""
        kwargs = case.as_transport_kwargs(base_url="http://keywright.test")
        sent = requests.Request(**{name: value for name, value in kwargs.items() if name in OF_A_REQUEST}).prepare()
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body
        assert isinstance(body, bytes | None)
        headers = [(name, str(value)) for name, value in sent.headers.items()]
        self._at.stack.aws.clear()
        answer = self._at.bundle.request(str(sent.method), sent.path_url, headers, body)
        if answer.calls or answer.notes:
            written = self.written()
            assert not (refuses(answer) and written), f"{answer.status} {answer.text} has written {written}"
            if written:
                self._at.begin()
        return answer

    def plant(self, row: Item) -> None:
        self._at.table.fill([row])


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with rig("777788889999", nearby=True) as at:
        yield House(at)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    loaded = SchemathesisConfig.from_path(config(tmp_path_factory.mktemp("schemathesis")))
    return schemathesis.openapi.from_path(COMMITTED, config=loaded)


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_what_is_refused_writes_nothing(
    house: House, schema: schemathesis.BaseSchema, figures: Figures, path: str, method: str
) -> None:
    operation = schema[path][method.upper()]
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])

    @seed(20260911)
    @settings(max_examples=max(REQUESTS // 150, 1), database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(case=cases)
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = house.ask(case)
        assert answer.status < 500, answer.text
        figures.add("R15", watched_for_writes=1, writes_of_a_refusal=0)

    ask()


def test_a_row_more_is_noticed(house: House) -> None:
    assert house.written() == []
    house.plant({"pk": {"S": "TOKEN#planted"}, "sk": {"S": "TOKEN"}})
    assert house.written() == [("TOKEN#planted", "TOKEN")]

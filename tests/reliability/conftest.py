from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final, cast

import pytest

from tests.engine.process import PROGRAM
from tests.reliability.figures import Figures, kept
from tests.reliability.promises import PAGE, page

COLLECTED: Final = Figures()
BY_MAKE: Final = "KEYWRIGHT_RELIABILITY" in os.environ
_proofs: Final[dict[str, set[str]]] = {}
"""Which each file counted for."""
_failed: Final[set[str]] = set()
"""Files."""


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Iterator[Figures]:
    """They go with the test's report, which the process that collects them sees wherever the test ran."""
    counted = Figures()
    yield counted
    record_property("figures", [counted.counts, counted.noted])


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits before trying again does not wait."""
    monkeypatch.setattr("time.sleep", lambda _: None)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file, _, _ = report.nodeid.partition("::")
    if report.failed:
        _failed.add(file)
    if report.when == "teardown":
        for name, value in report.user_properties:
            if name == "figures":
                counted = Figures()
                counted.merge(*cast("list[dict[str, dict[str, int]]]", value))
                COLLECTED.merge(counted.counts, counted.noted)
                _proofs.setdefault(file, set()).update(counted.all)


def spoilt() -> set[str]:
    """The proofs of which a file failed; all of them where that is one that proves the proofs."""
    return {*COLLECTED.all} if _failed - _proofs.keys() else {proof for file in _failed for proof in _proofs[file]}


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A proof that failed leaves the figures of its last run that did not; so does a run that was broken off, and one
    that was of some tests only."""
    is_whole = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} and not session.config.option.keyword
    if hasattr(session.config, "workeroutput") or not is_whole or not (BY_MAKE or PROGRAM):
        return
    COLLECTED.keep(but=spoilt())
    if BY_MAKE:
        PAGE.write_text(page(kept()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for proof, counts in COLLECTED.all.items():
        told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        terminalreporter.write_line(f"{proof}: {told}{', and something failed' if proof in spoilt() else ''}")

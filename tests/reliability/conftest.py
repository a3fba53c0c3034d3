from __future__ import annotations

import os
from typing import Any

import pytest

from tests.reliability.figures import Figures, kept
from tests.reliability.promises import PAGE, page

COLLECTED = Figures()


@pytest.fixture
def figures() -> Figures:
    return COLLECTED


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits before trying again does not wait."""
    monkeypatch.setattr("time.sleep", lambda _: None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that failed leaves the figures of the last one that did not. A worker hands its own on."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = [COLLECTED.counts, COLLECTED.noted]
    elif exitstatus == pytest.ExitCode.OK and COLLECTED.all:
        COLLECTED.keep()
        if "KEYWRIGHT_RELIABILITY" in os.environ:
            PAGE.write_text(page(kept()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    COLLECTED.merge(*node.workeroutput.get("figures", ({}, {})))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for proof, counts in COLLECTED.all.items():
        told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items())
        terminalreporter.write_line(f"{proof}: {told}")

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keywright.model import KeyKind
from local.aws import Fault
from local.iam import Call
from local.server import Response
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.supportcenter.administrator import Administrator
from tests.world import World

Mails = list[dict[str, Any]]
Refuse = Callable[[Response | None], None]
Meanwhile = Callable[[Callable[[], object]], None]


@pytest.fixture
def administrator(bundle: Bundle, world: World) -> Administrator:
    rep = world.rep("priya.rao", name="Priya Rao", role="SDAdmin", business_unit="Retail")
    return Administrator(bundle, world, rep, world.issue(KeyKind.REP_KEY, rep.ref))


@pytest.fixture
def mails(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Mails:
    """What SES was asked to send and took."""
    taken: Mails = []

    def watch(call: Call, answer: Response) -> None:
        if call.operation == "SendEmail" and answer.status == 200:
            taken.append(call.request)

    monkeypatch.setattr(stack.aws, "watch", watch)
    return taken


@pytest.fixture
def ses_answers(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """From then on SES answers whatever it is asked with this; None ends the connection. Nobody waits for a retry."""
    monkeypatch.setattr("time.sleep", lambda _: None)

    def answer(given: Response | None) -> None:
        monkeypatch.setattr(stack.aws, "fault", lambda call: Fault(given) if call.service == "ses" else None)

    return answer


@pytest.fixture
def meanwhile(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Does something once, just before the next transaction of a function is carried out."""

    def plan(deed: Callable[[], object]) -> None:
        left = [deed]

        def fault(call: Call) -> None:
            if call.principal and call.operation == "TransactWriteItems" and left:
                left.pop()()

        monkeypatch.setattr(stack.aws, "fault", fault)

    return plan

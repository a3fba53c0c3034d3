from __future__ import annotations

import pytest

from local.template import Route
from tests.bundle import Answer, Bundle
from tests.description import breaches


@pytest.fixture(autouse=True)
def held_to_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a contract test asks for, its answer must be one that the committed description promises."""

    def watch(method: str, route: Route, answer: Answer) -> None:
        found = [*breaches(method, route.path, answer)]
        assert found == [], f"{method} {route.path} answered {answer.status} {answer.text[:300]!r}: see description.py"

    monkeypatch.setattr(Bundle, "watchers", [watch])

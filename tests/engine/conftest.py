from __future__ import annotations

import pytest

from tests.engine.process import PROGRAM, VARIABLE


def pytest_configure() -> None:
    if not PROGRAM:
        pytest.exit(f"{VARIABLE} does not say where the engine is: make engine", returncode=2)

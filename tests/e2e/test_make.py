"""`make run` where there is no Python for it: one line that says what is missing, and nothing is made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A checkout in which nothing was installed yet, as far as the Makefile looks."""
    for name in ("Makefile", "requirements-dev.txt", "requirements-sam.txt", "requirements-checkov.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def refusal(fresh: Path, python: str) -> str:
    before = set(fresh.iterdir())
    done = subprocess.run(
        ["make", "run", f"PYTHON={python}"],
        cwd=fresh,
        env={"PATH": os.environ["PATH"]},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert set(fresh.iterdir()) == before
    return done.stderr


def test_a_python_that_is_too_old_is_named(fresh: Path) -> None:
    old = fresh / "python3"
    old.write_text('#!/bin/sh\n[ "$1" != --version ] || echo Python 3.10.13\n')
    old.chmod(0o755)
    assert f"Keywright needs Python 3.11 or newer, and {old} is Python 3.10.13. " in refusal(fresh, str(old))


def test_a_python_that_is_not_there_is_named(fresh: Path) -> None:
    assert "Keywright needs Python 3.11 or newer, and no-such-python is not there. " in refusal(fresh, "no-such-python")

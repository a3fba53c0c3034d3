"""`make` where what it needs is missing: one line that says so, and nothing is made."""

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
    shutil.copytree(ROOT / "tests/engine/server", tmp_path / "tests/engine/server")
    return tmp_path


def refusal(fresh: Path, *goal: str, path: str = os.environ["PATH"]) -> str:
    before = set(fresh.iterdir())
    done = subprocess.run(
        ["make", *goal],
        cwd=fresh,
        env={"PATH": path},
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
    assert f"Keywright needs Python 3.11 or newer, and {old} is Python 3.10.13. " in refusal(
        fresh, "run", f"PYTHON={old}"
    )


def test_a_python_that_is_not_there_is_named(fresh: Path) -> None:
    assert "Keywright needs Python 3.11 or newer, and no-such-python is not there. " in refusal(
        fresh, "run", "PYTHON=no-such-python"
    )


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PATH with what the Makefile itself asks, and no compiler of any kind."""
    folder = tmp_path_factory.mktemp("bin")
    for tool in ("make", "sh", "cksum", "cut", "printf", "sort", "tr"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return folder


def put(folder: Path, **tools: str) -> None:
    for name, said in tools.items():
        (folder / name).write_text(f"#!/bin/sh\necho {said}\n")
        (folder / name).chmod(0o755)


def test_the_second_engine_says_which_compiler_is_not_there(fresh: Path, bare: Path) -> None:
    assert "cc is not there" in refusal(fresh, "engine", path=str(bare))
    put(bare, cc="gcc")
    assert "needs Rust 1.88 or newer, and cargo is not there" in refusal(fresh, "engine", path=str(bare))
    put(bare, cargo="cargo 1.87.0", rustc="rustc 1.87.0")
    assert "needs Rust 1.88 or newer, and this is 1.87.0" in refusal(fresh, "engine", path=str(bare))

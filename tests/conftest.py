from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keywright.ports import Desk
from local import demo
from local.stack import Stack
from tests.bundle import Bundle
from tests.engine.process import PROGRAM, answer_for
from tests.permissions import VARIABLE, Recorder
from tests.world import World

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def recorded_permissions() -> Iterator[None]:
    """Where the variable names a folder, every process keeps there what the judge allowed the functions."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        yield
        return
    recorder = Recorder(Path(folder))
    recorder.start()
    yield
    recorder.stop()


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Table, key and roles made from template.yaml, once; tests keep apart by tenant. The table is moto's, or that of
    the second engine where it runs."""
    made = Stack.from_template(ROOT / "template.yaml", account="111122223333")
    if PROGRAM:
        answer_for(made)
    with made as opened:
        yield opened


@pytest.fixture(scope="session")
def bundle(stack: Stack) -> Bundle:
    return Bundle(stack)


@pytest.fixture(scope="session")
def admin(stack: Stack) -> Desk:
    """The ports with every right: for laying out what a test needs, and for looking afterwards."""
    return demo.desk(stack)


@pytest.fixture
def world(admin: Desk) -> World:
    return World(admin)


@pytest.fixture
def another_world(admin: Desk) -> World:
    """A second tenant, which must neither see nor change anything of the first."""
    return World(admin)


@pytest.fixture
def new_world(admin: Desk) -> Callable[[], World]:
    return lambda: World(admin)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from keywright.model import App
from local import demo
from local.stack import Stack
from tests.bundle import Bundle
from tests.world import World

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = {"Stage": "local", "TimeZone": "Europe/Zurich", "VoltmxAppKeyAuthentication": "false"}


@pytest.fixture
def app(world: World) -> App:
    return world.app("Orchard tills", id="20417-5530918264")


@pytest.fixture
def aws(bundle: Bundle) -> Iterator[Any]:
    yield bundle.stack.aws
    bundle.stack.aws.fault = lambda _: None


@pytest.fixture(scope="session")
def zurich() -> Iterator[Bundle]:
    """An installation in Zurich's time, which takes no App API key for a credential."""
    with Stack.from_template(ROOT / "template.yaml", SETTINGS, account="777788889999") as stack:
        yield Bundle(stack)


@pytest.fixture
def zurich_world(zurich: Bundle) -> World:
    return World(demo.desk(zurich.stack))

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keywright.model import Platform
from keywright.ports import Desk
from local.stack import Stack
from tests.bundle import Bundle
from tests.contract.salesiq.portal import Portal
from tests.world import World


@pytest.fixture
def portal(bundle: Bundle, world: World) -> Portal:
    return Portal(bundle, world)


@pytest.fixture(scope="session")
def untouched(bundle: Bundle, admin: Desk) -> Portal:
    """One portal for all tests in which every request is refused, and so changes nothing."""
    return Portal(bundle, World(admin))


@pytest.fixture
def another_portal(bundle: Bundle, another_world: World) -> Portal:
    return Portal(bundle, another_world)


@pytest.fixture
def opened(portal: Portal) -> Portal:
    """A portal whose app has both channels."""
    for platform in Platform:
        portal.open_channel(platform)
    return portal


@pytest.fixture
def faulty_stack(stack: Stack) -> Iterator[Stack]:
    """The stack, for a test that gives it a fault; it has none afterwards."""
    yield stack
    stack.aws.fault = lambda _: None

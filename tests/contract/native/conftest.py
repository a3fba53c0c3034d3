from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from keywright import rotation
from keywright.issuing import Issued
from keywright.model import DAY_MS, KeyKind
from keywright.ports import Desk
from tests.contract.native.desk import holder_of
from tests.world import World

Holders = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def house(admin: Desk) -> World:
    """A tenant that many tests share, because nothing they ask for is done."""
    return World(admin)


@pytest.fixture(scope="module")
def holders(house: World) -> Holders:
    """The header of a caller of the shared tenant who has one scope."""
    return cache(lambda scope: holder_of(house, scope))


@pytest.fixture
def first(world: World) -> Issued:
    return world.issue(KeyKind.NATIVE, world.app().ref, description="tills", scopes=("orders:read",))


@pytest.fixture
def second(world: World, first: Issued) -> Issued:
    """The same key, rotated with an overlap of a day."""
    return rotation.rotate(world.desk, world.principal, first.key, overlap_ms=DAY_MS)

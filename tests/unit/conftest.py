from __future__ import annotations

import pytest
from hypothesis import settings

from tests.fakes import Fakes
from tests.world import World

settings.register_profile("keywright", deadline=None, print_blob=True)
settings.load_profile("keywright")


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.fixture
def world(fakes: Fakes) -> World:
    return World(fakes.desk)


@pytest.fixture
def another_world(fakes: Fakes) -> World:
    return World(fakes.desk)

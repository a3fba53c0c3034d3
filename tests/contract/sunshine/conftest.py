from __future__ import annotations

import pytest

from keywright.ports import Desk
from tests.bundle import Bundle
from tests.contract.sunshine.place import Keys, Place
from tests.world import World

OWNERS = ["integration", "app"]


@pytest.fixture
def place(bundle: Bundle, world: World) -> Place:
    return Place(bundle, world)


@pytest.fixture(scope="module")
def shared(bundle: Bundle, admin: Desk) -> Place:
    """A place for many requests that change nothing."""
    return Place(bundle, World(admin))


@pytest.fixture(params=OWNERS)
def keys(request: pytest.FixtureRequest, place: Place) -> Keys:
    """Those of an integration, where K1 to K4 are, then those of an app, where K5 to K8 are."""
    return keys_of(place, request.param)


@pytest.fixture(scope="module", params=OWNERS)
def shared_keys(request: pytest.FixtureRequest, shared: Place) -> Keys:
    return keys_of(shared, request.param)


def keys_of(place: Place, owner: str) -> Keys:
    """The app is one without keys: the place's own has that of a caller."""
    return Keys(place, place.integration if owner == "integration" else place.world.app())

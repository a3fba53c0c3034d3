"""What an API is told of a verdict, apart from how it came about; that is in `tests/contract/authorizers`."""

from __future__ import annotations

from keywright.authorizer import Verdict
from keywright.model import Grant, KeyKind
from tests.world import World


def test_only_a_key_that_goes_on_is_told(world: World) -> None:
    key = world.issue(KeyKind.NATIVE, world.operator.ref, scopes=("orders:read",)).key
    grant = Grant.of(key, key.newest)
    assert Verdict(True, None, grant, goes_on=True).context["key_id"] == key.id
    assert Verdict(True, "scope_missing", grant).context == {"reason": "scope_missing"}
    assert Verdict(False, None, None, goes_on=True).context == {"reason": ""}

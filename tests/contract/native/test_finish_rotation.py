"""POST /v1/keys/{key_id}/rotation/finish"""

from __future__ import annotations

from typing import Any

from keywright.issuing import Issued
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    answered,
    key_view,
    verdict,
)
from tests.world import World


def finish(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key_id}/rotation/finish", world.bearer, json_body=body)


def test_the_former_secret_stops_at_the_very_next_call(
    bundle: Bundle, world: World, first: Issued, second: Issued
) -> None:
    assert verdict(bundle, world, first.token.reveal())["valid"] is True
    answer = finish(bundle, world, second.key.id)
    key = world.key(second.key.id)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH, COMMIT)
    assert [each["version"] for each in answer.json()["versions"]] == [2]
    assert verdict(bundle, world, first.token.reveal())["reason"] == "unknown"
    assert verdict(bundle, world, second.token.reveal())["valid"] is True

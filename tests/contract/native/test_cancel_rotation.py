"""POST /v1/keys/{key_id}/rotation/cancel"""

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


def cancel(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request("POST", f"/v1/keys/{key_id}/rotation/cancel", world.bearer, json_body=body)


def test_the_former_secret_is_the_keys_again_and_the_new_one_is_nobodys(
    bundle: Bundle, world: World, first: Issued, second: Issued
) -> None:
    answer = cancel(bundle, world, second.key.id)
    key = world.key(second.key.id)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH, COMMIT)
    assert (answer.json()["version"], [each["version"] for each in answer.json()["versions"]]) == (2, [1])
    back = verdict(bundle, world, first.token.reveal())
    assert (back["valid"], back["version"], "retires_at" in back) == (True, 1, False)
    assert verdict(bundle, world, second.token.reveal())["reason"] == "unknown"


def test_the_number_of_the_cancelled_secret_is_not_given_again(bundle: Bundle, world: World, second: Issued) -> None:
    cancel(bundle, world, second.key.id)
    answer = bundle.request("POST", f"/v1/keys/{second.key.id}/rotate", world.bearer)
    assert [each["version"] for each in answer.json()["versions"]] == [3]

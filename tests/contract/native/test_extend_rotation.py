"""POST /v1/keys/{key_id}/rotation/extend"""

from __future__ import annotations

from typing import Any

import pytest

from keywright.issuing import Issued
from tests.bundle import Answer, Bundle
from tests.contract.native.desk import (
    BATCH,
    COMMIT,
    INVALID,
    MISSING,
    TYPE,
    UNKNOWN,
    answered,
    fields_refused,
    key_view,
    rfc3339,
    verdict,
)
from tests.world import World


def extend(bundle: Bundle, world: World, key_id: str, **body: Any) -> Answer:
    return bundle.request(
        "POST", f"/v1/keys/{key_id}/rotation/extend", world.bearer, json_body={"overlap_seconds": 60, **body}
    )


@pytest.mark.parametrize("seconds", [60, 7 * 86_400, 30 * 86_400])
def test_the_overlap_ends_so_many_seconds_from_now_be_it_later_or_earlier(
    bundle: Bundle, world: World, first: Issued, second: Issued, seconds: int
) -> None:
    answer = extend(bundle, world, second.key.id, overlap_seconds=seconds)
    key = world.key(second.key.id)
    answered(answer, 200, key_view(key))
    assert answer.calls == (BATCH, COMMIT)
    assert key.versions[0].retires_at_ms == key.modified_at_ms + seconds * 1000
    assert verdict(bundle, world, first.token.reveal())["retires_at"] == rfc3339(key.versions[0].retires_at_ms)
    assert verdict(bundle, world, second.token.reveal())["version"] == 2


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ({}, "overlap_seconds", MISSING),
        ({"overlap_seconds": 0}, "overlap_seconds", INVALID),
        ({"overlap_seconds": -60}, "overlap_seconds", INVALID),
        ({"overlap_seconds": 30 * 86_400 + 1}, "overlap_seconds", INVALID),
        ({"overlap_seconds": "60"}, "overlap_seconds", TYPE),
        ({"overlap_seconds": None}, "overlap_seconds", TYPE),
        ({"overlap_seconds": 60, "until": "2031-05-01"}, "until", UNKNOWN),
    ],
    ids=range(7),
)
def test_a_field_at_fault_is_named_and_the_overlap_stays(
    bundle: Bundle, world: World, second: Issued, body: dict[str, Any], field: str, problem: str
) -> None:
    target = f"/v1/keys/{second.key.id}/rotation/extend"
    answer = bundle.request("POST", target, world.bearer, json_body=body)
    fields_refused(answer, (field, problem))
    assert (answer.calls, world.key(second.key.id)) == ((BATCH,), second.key)

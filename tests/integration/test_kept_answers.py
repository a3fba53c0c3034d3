"""Answers that are kept for a retry, against the table."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from keywright import issuing
from keywright.issuing import Order
from keywright.model import KeyKind, OwnerKind, OwnerRef
from keywright.ports import AnswerRef, Desk, KeepAnswer, KeptAnswer, KeptSecret, SealedSecret, Stale
from keywright.replay import Attempt
from tests.world import World

NOW_MS = 1_790_000_000_000


def answer_of(world: World, **attributes: object) -> KeptAnswer:
    secret = KeptSecret(SealedSecret(world.tenant, "key_1", 3, b"\x00\xff"), OwnerRef("t", OwnerKind.APP, "1"))
    answer = KeptAnswer(
        id=world.tenant,
        request_digest="0" * 64,
        status=201,
        content_type="application/json",
        parts=("", '", "b": "', ""),
        secrets=(secret, KeptSecret(SealedSecret(world.tenant, "link_1", 1, b"x"))),
        expires_at_ms=NOW_MS + 1,
    )
    return replace(answer, **attributes)  # type: ignore[arg-type]


def test_an_answer_is_found_as_it_was_kept(desk: Desk, world: World) -> None:
    answer, ref = answer_of(world), AnswerRef(world.tenant)
    assert desk.store.read(ref)[ref] is None
    desk.store.commit(KeepAnswer(answer, NOW_MS))
    assert desk.store.read(ref)[ref] == answer


def test_an_answer_is_not_replaced_before_its_time_is_over(desk: Desk, world: World) -> None:
    desk.store.commit(KeepAnswer(answer_of(world), NOW_MS))
    with pytest.raises(Stale):
        desk.store.commit(KeepAnswer(answer_of(world, status=200), NOW_MS))
    later = answer_of(world, status=200, expires_at_ms=NOW_MS + 2)
    desk.store.commit(KeepAnswer(later, NOW_MS + 1))
    ref = AnswerRef(world.tenant)
    assert desk.store.read(ref)[ref] == later


def test_of_many_retries_at_once_one_is_done(world: World) -> None:
    start = threading.Barrier(6)

    def retry(n: int) -> bool:
        attempt = Attempt(world.desk)
        issuing.issue(attempt.desk, world.principal, Order(kind=KeyKind.NATIVE, owner=world.operator.ref))
        start.wait()
        try:
            attempt.settle(world.tenant, "0" * 64, status=201, content_type="text/plain", body=str(n))
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(retry, range(6)))
    assert done.count(True) == 1
    ref = AnswerRef(world.tenant)
    kept = world.desk.store.read(ref)[ref]
    assert kept is not None
    assert kept.parts == (str(done.index(True)),)
    assert len(world.desk.store.keys_of(world.operator.ref).items) == 2, "that of the operator and the one"

"""R2 to R5: crowds at one key. What they saw must be explained by one record that did one thing after the other."""

from __future__ import annotations

import random
from functools import partial

import pytest

from keywright.model import KeyKind
from keywright.ports import KeyRef
from tests.engine.process import PROGRAM
from tests.reliability.crowds import begun_after_an_end, history, losing
from tests.reliability.deeds import DEEDS, Result, Scene, scene, settled, spec, verify_version
from tests.reliability.figures import NIGHTLY, Figures
from tests.reliability.histories import is_linearizable
from tests.reliability.interleaving import Deed, Gate, run
from tests.reliability.invariants import Inspector
from tests.reliability.stand_ins import no_fault

HISTORIES = 1_000 if NIGHTLY else 40 if PROGRAM else 120
"""Fewer on the second engine, where each call goes to another process and back."""
ROTATIONS = 1_000 if NIGHTLY else 200
ROUNDS, CREATORS = (100, 200) if NIGHTLY else (6, 60)
REVOCATIONS = 1_000 if NIGHTLY else 50


@pytest.mark.parametrize("remembers", [True, False], ids=["with request tokens", "without"])
@pytest.mark.parametrize("kind", [KeyKind.NATIVE, KeyKind.APP_SECRET])
def test_what_a_crowd_saw_has_one_explanation(kind: KeyKind, remembers: bool, figures: Figures) -> None:
    at = scene(kind, others=8 if kind is KeyKind.APP_SECRET else 0)
    at.cloud.table.honours_request_tokens = remembers
    inspector = Inspector(at.cloud.desk().vault)
    for seed in range(HISTORIES // 4):
        clients = 16 + seed % 49
        operations = history(at, seed, clients=clients, each=max(2, 64 // clients))
        assert is_linearizable(operations, spec(at)), f"seed {seed}: {operations}"
        table = at.cloud.table
        found = inspector.violations(table.items, at.cloud.clock.ms, secrets=at.secrets, commits=table.commits)
        assert found == [], f"seed {seed}"
        inspector.forget(at.held.items)
        figures.add("R2", histories=1, operations=len(operations))
        figures.add("R5", verifications_begun_after_an_end=begun_after_an_end(operations))


@pytest.mark.parametrize("kind", [KeyKind.NATIVE, KeyKind.APP_SECRET], ids=["rotation", "next version"])
def test_of_however_many_rotations_at_once_one_secret_is_left(kind: KeyKind, figures: Figures) -> None:
    at = scene(kind)
    at.again()
    chance = random.Random(3)  # noqa: S311
    plan = losing(chance, 0.02) if kind is KeyKind.NATIVE else no_fault

    def rotate(gate: Gate) -> Result:
        return settled(DEEDS["rotate"], at, at.cloud.desk(gate, plan))

    deeds: list[Deed] = [rotate] * ROTATIONS
    ran = run(deeds, chance.choice)
    won = [outcome.result.version for outcome in ran.outcomes if outcome.result and outcome.result.said == "done"]
    unknown = sum(outcome.result is None or outcome.result.said == "Unavailable" for outcome in ran.outcomes)
    ref = KeyRef(at.key.id)
    key = at.cloud.desk().store.read(ref)[ref]
    assert key is not None
    assert len(key.working(at.cloud.clock.ms)) == 1
    assert len(set(won)) == len(won) > 1
    assert 1 + len(won) <= key.last_version <= 1 + len(won) + unknown
    assert set(won) <= set(range(2, key.last_version + 1))
    good = [v for v in at.tokens if verify_version(at, at.cloud.desk(), v).said == "done"]
    assert good in ([key.last_version], [])
    assert good or unknown, "the secret that works was given to somebody"
    figures.add("R3", rotations_at_once=ROTATIONS, of_which_successful=len(won))
    figures.note("R3", active_at_the_end=1)


def test_a_maximum_is_a_maximum(figures: Figures) -> None:
    """Ten keys at most, whoever creates, while others delete and revoke."""
    at = scene(KeyKind.APP_SECRET, others=7)
    inspector = Inspector(at.cloud.desk().vault)

    def act(name: str, gate: Gate) -> Result:
        return settled(DEEDS[name], at, at.cloud.desk(gate))

    for round_ in range(ROUNDS):
        at.again()
        chance = random.Random(round_)  # noqa: S311
        deeds: list[Deed] = [partial(act, "create") for _ in range(CREATORS)]
        deeds += [partial(act, name) for name in ("delete", "undelete", "revoke", "delete")]
        ran = run(deeds, chance.choice)
        created = [outcome.result.said for outcome in ran.outcomes[:CREATORS]]
        assert set(created) <= {"done", "LimitReached", "Conflict"}
        assert created.count("done") in {2, 3}
        assert inspector.violations(at.cloud.table.items, at.cloud.clock.ms, commits=at.cloud.table.commits) == []
        inspector.forget(at.held.items)
        figures.add("R4", rounds=1, creations_at_once=CREATORS)
    figures.note("R4", most_keys_of_ten=10)


@pytest.fixture(scope="module")
def native() -> Scene:
    return scene(KeyKind.NATIVE)


@pytest.mark.parametrize("end", ["revoke", "rotate", "delete"])
def test_nothing_opens_from_the_moment_the_call_returned(native: Scene, end: str, figures: Figures) -> None:
    """Others verify before, during and after; those who began after the return must all be refused."""
    for seed in range(REVOCATIONS):
        native.again()
        chance = random.Random(seed)  # noqa: S311
        returned: list[int] = []

        def ends(gate: Gate, returned: list[int] = returned) -> None:
            assert settled(DEEDS[end], native, native.cloud.desk(gate)).said == "done"
            returned.append(gate.step)

        def verifies(gate: Gate) -> list[tuple[int, bool]]:
            seen = []
            for _ in range(8):
                gate.begin()
                good = verify_version(native, native.cloud.desk(gate), 1).said == "done"
                seen.append((gate.began or 0, good))
            return seen

        ran = run([ends, *[verifies] * 4], chance.choice)
        late = [good for outcome in ran.outcomes[1:] for began, good in outcome.result if began > returned[0]]
        assert not any(late)
        figures.add("R5", verifications_begun_after_an_end=len(late))
    figures.note("R5", accepted=0)

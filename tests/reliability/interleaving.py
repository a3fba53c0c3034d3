"""Every order in which clients' calls of AWS can come, one after the other.

A client runs on a thread of its own, and only ever one of them runs. Before each call it stands at its gate; who is let
through next is the schedule. Between two calls a client touches nothing that others can see, so these are all the
orders there are. A schedule is the list of the clients let through, and the same list gives the same run again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

_STACK_BYTES = 512 * 1024


class Gate:
    """Where one client waits. `began` is the step of the first call since `begin`, None where there was none."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._open = threading.Lock()
        self._open.acquire()
        self.began: int | None = None

    def __call__(self) -> None:
        self._run.stands.release()
        self._open.acquire()
        if self.began is None:
            self.began = self._run.step

    def let_through(self) -> None:
        self._open.release()

    def begin(self) -> None:
        self.began = None

    @property
    def step(self) -> int:
        """How many calls were let through, of all clients."""
        return self._run.step


Deed = Callable[[Gate], Any]
Choose = Callable[[Sequence[int]], int]


@dataclass(slots=True)
class Outcome:
    """What a client came to. `began` and `ended` are steps of the run."""

    result: Any = None
    failure: BaseException | None = None
    began: int = 0
    ended: int = 0


class _Run:
    def __init__(self) -> None:
        self.stands = threading.Semaphore(0)
        self.step = 0


@dataclass(slots=True)
class Ran:
    schedule: list[int] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


def run(deeds: Sequence[Deed], choose: Choose) -> Ran:
    """`choose` is asked at each step which of the clients that stand at their gates goes on."""
    common, ran = _Run(), Ran()
    gates = [Gate(common) for _ in deeds]
    over = [False] * len(deeds)
    ran.outcomes = [Outcome() for _ in deeds]

    def live(n: int) -> None:
        outcome, gate = ran.outcomes[n], gates[n]
        try:
            outcome.result = deeds[n](gate)
        except BaseException as failure:  # noqa: BLE001  a crash is an outcome like any other
            outcome.failure = failure
        outcome.began = common.step if gate.began is None else gate.began
        outcome.ended = common.step
        over[n] = True
        common.stands.release()

    former = threading.stack_size(_STACK_BYTES)
    try:
        for n in range(len(deeds)):
            threading.Thread(target=live, args=(n,), daemon=True).start()
            common.stands.acquire()
    finally:
        threading.stack_size(former)
    while waiting := [n for n, is_over in enumerate(over) if not is_over]:
        picked = choose(waiting)
        ran.schedule.append(picked)
        common.step += 1
        gates[picked].let_through()
        common.stands.acquire()
    return ran


def every(prepare: Callable[[], Sequence[Deed]], most: int | None = None) -> Iterator[Ran]:
    """All schedules of the deeds that `prepare` makes anew for each, depth first; at most as many as `most`."""
    to_do: list[list[int]] = [[]]
    done = 0
    while to_do and (most is None or done < most):
        ahead = to_do.pop()
        taken: list[int] = []

        def choose(waiting: Sequence[int], ahead: list[int] = ahead, taken: list[int] = taken) -> int:
            if len(taken) < len(ahead):
                picked = ahead[len(taken)]
            else:
                picked = waiting[0]
                to_do.extend([*taken, other] for other in waiting[1:])
            taken.append(picked)
            return picked

        yield run(prepare(), choose)
        done += 1

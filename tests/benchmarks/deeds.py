"""Verify, list, issue, sweep, each timed alone over the engine that the environment names.

It reads numbers, one a line, does each deed as often, and answers with one line of JSON: the processor time of one, in
microseconds, by deed. What it needs beforehand is made without being timed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from keywright import bootstrap, sweeping, verification
from keywright.model import KeyKind
from keywright.ports import SaveKey
from keywright.usage import NO_NOTES
from keywright.verification import Presented
from tests.world import World

DUE = 5


def main() -> None:
    told = os.fdopen(os.dup(1), "w", buffering=1)
    logging.disable(logging.WARNING)
    desk = replace(bootstrap.desk(), notes=NO_NOTES)
    world = World(desk)
    app = world.app()
    for _ in range(10):
        token = world.issue(KeyKind.NATIVE, app.ref).token.reveal()

    def verify() -> None:
        assert verification.verify(desk, world.tenant, Presented.token(token)).valid

    def list_keys() -> None:
        assert len(desk.store.keys_of(app.ref).items) == 10

    def issue() -> None:
        world.issue(KeyKind.NATIVE, world.operator.ref)

    def make_due() -> None:
        for _ in range(DUE):
            key = world.issue(KeyKind.NATIVE, world.operator.ref).key
            changed = replace(key, expires_at_ms=desk.clock.now_ms() - 1, revision=key.revision + 1)
            desk.store.commit(SaveKey(changed, key))

    def sweep() -> None:
        swept = sweeping.sweep(desk, time_is_up=lambda: False)
        assert swept.expired == DUE, swept

    deeds: Sequence[tuple[str, Callable[[], None], Callable[[], None]]] = [
        ("verify", lambda: None, verify),
        ("list 10 keys", lambda: None, list_keys),
        ("issue", lambda: None, issue),
        (f"sweep {DUE} due keys", make_due, sweep),
    ]
    for _, prepare, deed in deeds:
        prepare()
        deed()
    told.write("ready\n")
    for line in sys.stdin:
        taken = {}
        for name, prepare, deed in deeds:
            spent, count = 0.0, max(1, int(line) // (10 if prepare is make_due else 1))
            for _ in range(count):
                prepare()
                began = time.process_time()
                deed()
                spent += time.process_time() - began
            taken[name] = spent / count * 1e6
        told.write(json.dumps(taken) + "\n")


if __name__ == "__main__":
    main()

"""One subject in a process of its own: `python -m tests.benchmarks.worker <subject> [<operations>]`.

It reads numbers from its standard input, one a line, carries out as many operations, and answers with the processor
time of each, user and system, in microseconds. With a number as its second argument it carries out so many and ends.
What the subject prints goes nowhere.
"""

from __future__ import annotations

import gc
import os
import sys
import time

from tests.benchmarks.subjects import SUBJECTS


def main(name: str, operations: int | None) -> None:
    told = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    operation = SUBJECTS[name]()
    operation()
    # What loading left behind is looked through once, and not in whichever round it would fall into.
    gc.collect()
    gc.freeze()
    if operations is not None:
        for _ in range(operations):
            operation()
        return
    told.write("ready\n")
    for line in sys.stdin:
        count = int(line)
        began = time.process_time()
        for _ in range(count):
            operation()
        told.write(f"{(time.process_time() - began) / count * 1e6}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)

"""The life of a fresh process up to its first answer: `python -m tests.benchmarks.first <subject> <descriptor>`.

It writes one byte to the descriptor when the answer is there.
"""

import os
import sys

if sys.argv[1] != "nothing":
    from tests.benchmarks.subjects import SUBJECTS

    SUBJECTS[sys.argv[1]]()()
os.write(int(sys.argv[2]), b"1")

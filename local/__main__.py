"""`python -m local`, or `make run`. Parses under older Pythons, so that they get a sentence and not a traceback."""

from __future__ import annotations

import sys


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - the very case that ruff rules out
        print(f"Keywright needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    try:
        from local.serve import CannotStart, serve  # noqa: PLC0415 - needs what an old Python cannot parse

        try:
            serve()
        except CannotStart as reason:
            print(reason, file=sys.stderr)
            return 1
    except KeyboardInterrupt:
        print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The routes of the bundle, as ``template.yaml`` has them.

`make routes` writes ``routes.json`` from the template, since Lambda does not see the template; a test fails when the
two differ. The catch-alls need it to tell a wrong method from an unknown path.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files


def under(*prefixes: str) -> Sequence[tuple[str, str]]:
    """The (method, path) pairs whose path begins with one of the prefixes."""
    routes = json.loads(files("keywright").joinpath("routes.json").read_text(encoding="utf-8"))
    return [(method, path) for method, path in routes if path.startswith(prefixes)]

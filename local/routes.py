"""`make routes`: the routes of template.yaml for the layer, since Lambda does not see the template."""

import json
from pathlib import Path

from local.template import Route, Template

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "layers/keywright/keywright/routes.json"


def listed(routes: tuple[Route, ...]) -> str:
    """One route a line, so that a change is one line too; what takes any method is a catch-all and no route."""
    lines = sorted(json.dumps([route.method, route.path]) for route in routes if route.method != "ANY")
    return "[\n  " + ",\n  ".join(lines) + "\n]\n"


if __name__ == "__main__":
    LIST.write_text(listed(Template.load(ROOT / "template.yaml").routes))

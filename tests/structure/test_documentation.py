"""The documents mention every make target, environment variable and parameter, and no link of theirs leads nowhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.structure.conftest import Change, Plant
from tests.structure.project import Project

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
VARIABLE = re.compile(r"KEYWRIGHT_[A-Z_]+")


def documents(project: Project) -> list[Path]:
    return [path for path in (*project.root.glob("*.md"), *project.root.glob("docs/**/*.md")) if path.is_file()]


def breaches(project: Project) -> list[str]:
    text = "\n".join(path.read_text() for path in documents(project))
    return [*_unmentioned(project, text), *_unknown_targets(project, text), *_dead_links(project)]


def targets(project: Project) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+):.* ## ", (project.root / "Makefile").read_text(), re.MULTILINE))


def variables(project: Project) -> set[str]:
    """Those that the template gives the functions, and those of ours that any source or the layer's Makefile names."""
    own = set(VARIABLE.findall((project.root / "layers/keywright/Makefile").read_text()))
    for source in project.layer:
        constants = (node.value for node in ast.walk(source.tree) if isinstance(node, ast.Constant))
        own |= {value for value in constants if isinstance(value, str) and VARIABLE.fullmatch(value)}
    shared = project.template["Globals"]["Function"]
    return own | set(shared.get("Environment", {}).get("Variables", {}))


def _unmentioned(project: Project, text: str) -> Iterator[str]:
    for target in sorted(targets(project)):
        if not re.search(rf"\bmake {target}\b(?!-)", text):
            yield f"no document mentions make {target}"
    for variable in sorted(variables(project)):
        if not re.search(rf"\b{variable}\b", text):
            yield f"no document mentions {variable}"
    for parameter in sorted(project.template.get("Parameters", {})):
        if not re.search(rf"\b{parameter}\b", text):
            yield f"no document mentions the template's parameter {parameter}"


def _unknown_targets(project: Project, text: str) -> Iterator[str]:
    quoted = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
    for target in sorted(set(re.findall(r"\bmake ([a-z][a-z0-9-]*)", quoted)) - targets(project)):
        yield f"a document mentions make {target}, which does not exist"


def _dead_links(project: Project) -> Iterator[str]:
    for document in documents(project):
        for link in LINK.findall(document.read_text()):
            target, _, anchor = link.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            path = document.parent / target if target else document
            where = document.relative_to(project.root)
            if not path.exists():
                yield f"{where} links to {link}, which is not there"
            elif anchor and path.suffix == ".md" and anchor not in _anchors(path):
                yield f"{where} links to {link}, where no heading is called so"


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_documents_mention_what_there_is_and_nothing_else(project: Project) -> None:
    assert {"help", "install", "run", "test", "check", "build", "e2e", "clean"} <= targets(project)
    assert {"KEYWRIGHT_TABLE", "KEYWRIGHT_SECRETS_KEY", "AWS_ENDPOINT_URL"} <= variables(project)
    assert {"README.md", "CONTRIBUTING.md"} <= {path.name for path in documents(project)}
    assert breaches(project) == []


SOUND: dict[str, Change] = {
    "Makefile": "run: ## serve\nhidden:\n",
    "layers/keywright/Makefile": "",
    "README.md": "# Start\nType `make run`; see [how](docs/how.md#the-table), [here](#start). `KEYWRIGHT_TABLE`.",
    "docs/how.md": "## The table!\n[back](../README.md) [out](https://example.com/a)",
}


def test_sound_documents_break_no_law(plant: Plant) -> None:
    assert breaches(plant(SOUND)) == []


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"Makefile": "run: ## serve\ntest: ## test\n"}, "no document mentions make test"),
        ({"Makefile": "start: ## serve\n"}, "a document mentions make run, which does not exist"),
        (
            {"layers/keywright/Makefile": "KEYWRIGHT_LAYER_PYTHON ?= 3.13"},
            "no document mentions KEYWRIGHT_LAYER_PYTHON",
        ),
        ({"template.yaml": ("Timeout: 10", "Environment: {Variables: {TZ: x}}")}, "no document mentions TZ"),
        (
            {"template.yaml": ("Resources:", "Parameters: {Stage: {Type: String}}\nResources:")},
            "template's parameter Stage",
        ),
        ({"docs/how.md": None}, "README.md links to docs/how.md#the-table, which is not there"),
        ({"docs/how.md": "## A table"}, "where no heading is called so"),
    ],
)
def test_a_gap_in_the_documents_is_noticed(plant: Plant, changes: dict[str, Change], breach: str) -> None:
    assert any(breach in found for found in breaches(plant({**SOUND, **changes})))

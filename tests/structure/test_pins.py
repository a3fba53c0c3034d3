"""What is installed is pinned: by version where we name it, by hash with all that it pulls."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.structure.conftest import Change, Plant
from tests.structure.project import Project

LAYER = "layers/keywright/requirements.txt"
APART = {"sam": "requirements-sam.txt", "checkov": "requirements-checkov.txt"}
"""The groups that have an environment of their own."""
LOCKS = (LAYER, "requirements-dev.txt", *APART.values())
PIN = re.compile(r"^([\w.\-]+)(?:\[[\w,\-]+\])?==([\w.]+)$")
LOCKED = re.compile(r"^([\w.\-]+)==([\w.]+)(?: ; [^\\\n]+)? \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.MULTILINE)
BROUGHT_BY_LAMBDA = {"boto3", "botocore"}


def breaches(project: Project) -> list[str]:
    return [*_of_names(project), *_of_locks(project)]


def named(project: Project) -> dict[str, list[Any]]:
    """What pyproject.toml names, by group; the layer's own dependencies are its group `layer`."""
    declared = tomllib.loads((project.root / "pyproject.toml").read_text())
    return {"layer": declared["project"]["dependencies"], **declared["dependency-groups"]}


def locked(project: Project, lock: str) -> set[tuple[str, str]]:
    return {(name, version) for name, version, _ in LOCKED.findall((project.root / lock).read_text())}


def _of_names(project: Project) -> Iterator[str]:
    for group, requirements in named(project).items():
        lock = LAYER if group == "layer" else APART.get(group, "requirements-dev.txt")
        for requirement in requirements:
            if isinstance(requirement, dict):
                continue
            pin = PIN.match(requirement)
            if pin is None:
                yield f"{group} names {requirement}, which is no exact version"
            elif (pin[1], pin[2]) not in locked(project, lock):
                yield f"{lock} does not hold {requirement}: make lock"


def _of_locks(project: Project) -> Iterator[str]:
    for lock in LOCKS:
        text = (project.root / lock).read_text()
        for line in LOCKED.sub("", text).splitlines():
            if line and not line.startswith("#"):
                yield f"{lock} holds {line.strip()}, which is not pinned by hash"
        if "://" in text:
            yield f"{lock} names a host; where packages come from is the machine's own setting"
    layer = locked(project, LAYER)
    yield from (
        f"the tests run without the layer's {name} {version}: make lock"
        for name, version in layer - locked(project, "requirements-dev.txt")
    )
    yield from (f"the layer ships {name}, which Lambda brings itself" for name, _ in layer if name in BROUGHT_BY_LAMBDA)


def test_everything_that_is_installed_is_pinned_by_hash(project: Project) -> None:
    assert all(locked(project, lock) for lock in LOCKS)
    assert breaches(project) == []


HASH = "    --hash=sha256:00\n"
PYPROJECT = """
[project]
dependencies = ["pydantic==2.0"]
[dependency-groups]
test = ["pytest==9.0"]
dev = [{ include-group = "test" }]
sam = ["aws-sam-cli==1.0"]
checkov = ["checkov==1.0"]
"""
SOUND: dict[str, Change] = {
    "pyproject.toml": PYPROJECT,
    LAYER: f"# made\npydantic==2.0 \\\n{HASH}",
    "requirements-dev.txt": f"pydantic==2.0 \\\n{HASH}pytest==9.0 ; os_name == 'nt' \\\n    --hash=sha256:0 \\\n{HASH}",
    "requirements-sam.txt": f"aws-sam-cli==1.0 \\\n{HASH}",
    "requirements-checkov.txt": f"checkov==1.0 \\\n{HASH}",
}


def test_sound_pins_break_no_law(plant: Plant) -> None:
    assert breaches(plant(SOUND)) == []


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"pyproject.toml": PYPROJECT.replace("pytest==9.0", "pytest>=9.0")}, "test names pytest>=9.0"),
        ({"pyproject.toml": PYPROJECT.replace("pytest==9.0", "pytest==9.1")}, "does not hold pytest==9.1"),
        (
            {"requirements-sam.txt": f"aws-sam-cli==1.0 \\\n{HASH}click==8.0\n"},
            "click==8.0, which is not pinned by hash",
        ),
        ({LAYER: f"pydantic==2.0 \\\n{HASH}tzdata==1 \\\n{HASH}"}, "the tests run without the layer's tzdata 1"),
        ({LAYER: f"pydantic==2.0 \\\n{HASH}boto3==1 \\\n{HASH}"}, "the layer ships boto3"),
        ({LAYER: f"--index-url https://example.com\npydantic==2.0 \\\n{HASH}"}, "names a host"),
    ],
)
def test_a_loose_pin_is_noticed(plant: Plant, changes: dict[str, Change], breach: str) -> None:
    assert any(breach in found for found in breaches(plant({**SOUND, **changes})))

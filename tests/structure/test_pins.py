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
CRATES = "tests/engine/server/Cargo.toml"
LOCKS = (LAYER, "requirements-dev.txt", *APART.values())
PIN = re.compile(r"^([\w.\-]+)(?:\[[\w,\-]+\])?==([\w.]+)$")
LOCKED = re.compile(r"^([\w.\-]+)==([\w.]+)(?: ; [^\\\n]+)? \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.MULTILINE)
CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
BROUGHT_BY_LAMBDA = {"boto3", "botocore"}


def breaches(project: Project) -> list[str]:
    return [*_of_names(project), *_of_locks(project), *_of_crates(project)]


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


def _of_crates(project: Project) -> Iterator[str]:
    """Of the second engine. Cargo's lock names its registry as cargo itself does, and no other place."""
    manifest = project.root / CRATES
    if not manifest.exists():
        return
    lock = tomllib.loads(manifest.with_name("Cargo.lock").read_text())["package"]
    for name, wanted in tomllib.loads(manifest.read_text())["dependencies"].items():
        version = wanted if isinstance(wanted, str) else wanted["version"]
        if not any(each["name"] == name and version == f"={each['version']}" for each in lock):
            yield f"{CRATES} names {name} {version}, which is no exact version, or not that of its lock"
    own = tomllib.loads(manifest.read_text())["package"]["name"]
    for each in lock:
        if each["name"] != own and ("checksum" not in each or each["source"] != CRATES_IO):
            yield f"the lock of {CRATES} holds {each['name']} {each['version']}, which is not pinned by checksum"


def test_everything_that_is_installed_is_pinned_by_hash(project: Project) -> None:
    assert all(locked(project, lock) for lock in LOCKS)
    assert (project.root / CRATES).exists()
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
MANIFEST = '[package]\nname = "engine"\n[dependencies]\nserde = { version = "=1.0.1" }\ntokio = "=1.2.3"\n'
CRATE_LOCK = f"""
[[package]]
name = "engine"
version = "0.0.0"
[[package]]
name = "serde"
version = "1.0.1"
source = "{CRATES_IO}"
checksum = "00"
[[package]]
name = "tokio"
version = "1.2.3"
source = "{CRATES_IO}"
checksum = "01"
"""
CARGO_LOCK = "tests/engine/server/Cargo.lock"
SOUND: dict[str, Change] = {
    "pyproject.toml": PYPROJECT,
    CRATES: MANIFEST,
    CARGO_LOCK: CRATE_LOCK,
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
        ({CRATES: MANIFEST.replace("=1.0.1", "1.0.1")}, "serde 1.0.1, which is no exact version"),
        ({CARGO_LOCK: CRATE_LOCK.replace('version = "1.2.3"', 'version = "1.2.4"')}, "not that of its lock"),
        ({CARGO_LOCK: CRATE_LOCK.replace('checksum = "01"', "")}, "holds tokio 1.2.3, which is not pinned"),
        ({CARGO_LOCK: CRATE_LOCK.replace(CRATES_IO, "git+elsewhere", 1)}, "holds serde 1.0.1, which is not pinned"),
        ({LAYER: f"--index-url https://example.com\npydantic==2.0 \\\n{HASH}"}, "names a host"),
    ],
)
def test_a_loose_pin_is_noticed(plant: Plant, changes: dict[str, Change], breach: str) -> None:
    assert any(breach in found for found in breaches(plant({**SOUND, **changes})))

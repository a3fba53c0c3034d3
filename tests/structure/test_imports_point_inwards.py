"""Law 3: the core knows no wire and no AWS, a dialect knows no other, only the rim knows boto3 and the environment."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.structure.conftest import Change, Plant
from tests.structure.project import Project, Source


@dataclass(frozen=True)
class Ring:
    """What the modules of one ring may import beside the standard library and their own ring."""

    rings: frozenset[str]
    packages: frozenset[str] = frozenset()


AWS = frozenset({"boto3", "botocore", "mypy_boto3_dynamodb", "mypy_boto3_events", "mypy_boto3_kms", "mypy_boto3_sesv2"})
WIRE = frozenset({"aws_lambda_powertools", "pydantic", "pydantic_core"})
RINGS = {
    "core": Ring(frozenset()),
    "edge": Ring(frozenset({"core", "bootstrap"}), WIRE),
    "dialect": Ring(frozenset({"core", "edge"}), WIRE),
    "adapters": Ring(frozenset({"core"})),
    "boto": Ring(frozenset({"core", "adapters"}), AWS),
    "bootstrap": Ring(frozenset({"core", "adapters", "boto"}), AWS),
    "surface": Ring(frozenset({"core"})),
    "functions": Ring(
        frozenset({"core", "edge", "dialect", "bootstrap", "surface"}), frozenset({"aws_lambda_powertools"})
    ),
}
EDGE = {"authorizer", "description", "direct", "edge", "http_fields", "replay", "routes", "streams", "telemetry"}


def ring_of(module: str) -> str:
    match module.split("."):
        case ["keywright"]:
            return "surface"
        case ["keywright", name] if name in EDGE:
            return "edge"
        case ["keywright", "bootstrap"]:
            return "bootstrap"
        case ["keywright", "adapters", "boto"]:
            return "boto"  # to load boto3 is most of a cold start: nothing else may do so unasked
        case ["keywright", "adapters", *_]:
            return "adapters"
        case ["keywright", "dialects", *_]:
            return "dialect"
        case ["keywright", *_]:
            return "core"
    return "functions"


def dialect_of(module: str) -> str | None:
    match module.split("."):
        case ["keywright", "dialects", dialect, *_]:
            return dialect
    return None


def breaches(project: Project) -> list[str]:
    modules = {source.module for source in project.layer}
    folders = {endpoint.folder for endpoint in project.endpoints}
    dialects = {dialect_of(module) for module in modules} - {None}
    return [
        breach
        for source in (*project.layer, *project.functions)
        for node, imported in _imports(source, modules)
        if (breach := _breach(source, node, imported, folders, dialects))
    ]


def _imports(source: Source, modules: set[str]) -> Iterator[tuple[ast.stmt, str]]:
    """What a module imports, wherever it does so; `from keywright import errors` is `keywright.errors`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (
                    node,
                    full if full in modules or not str(node.module).startswith("keywright") else str(node.module),
                )


def _breach(source: Source, node: ast.stmt, imported: str, folders: set[str], dialects: set[str | None]) -> str | None:
    """One sentence, or None where the import is lawful."""
    own, package = ring_of(source.module), imported.split(".", maxsplit=1)[0]
    where = f"{source.at(node)} ({own}) imports {imported}"
    if package == "keywright":
        ring = ring_of(imported)
        if ring != own and ring not in RINGS[own].rings:
            return f"{where}, which is {ring}"
        home = dialect_of(source.module) if own == "dialect" else source.module.split(".")[0]
        if own in {"dialect", "functions"} and home in dialects and dialect_of(imported) not in {home, None}:
            return f"{where}, another dialect's"
        return None
    if package in folders:
        return f"{where}: a Lambda knows no other"
    if package not in sys.stdlib_module_names and package not in RINGS[own].packages:
        return f"{where}, which is not for {own}"
    if own == "functions" and any(part.startswith("_") for part in imported.split(".") if part != "__future__"):
        return f"{where}, which is not public"
    return None


def environment_breaches(project: Project) -> list[str]:
    """Where the environment is read by anything but the composition root."""
    return [
        f"{source.at(node)} reads the environment"
        for source in (*project.layer, *project.functions)
        if source.module != "keywright.bootstrap"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv", "getenvb"})
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and {a.name for a in node.names} & {"environ", "getenv"}
        )
    ]


def test_imports_point_inwards(project: Project) -> None:
    assert {ring_of(source.module) for source in (*project.layer, *project.functions)} == set(RINGS)
    assert breaches(project) == []


def test_only_the_composition_root_reads_the_environment(project: Project) -> None:
    assert any(source.module == "keywright.bootstrap" for source in project.layer)
    assert environment_breaches(project) == []


def test_a_sound_tree_imports_inwards(plant: Plant) -> None:
    assert breaches(plant({})) == []
    assert environment_breaches(plant({})) == []


CORE = "layers/keywright/keywright/issuing.py"
ADAPTER = "layers/keywright/keywright/adapters/dynamodb.py"
VOLTMX = "layers/keywright/keywright/dialects/voltmx/wire.py"
LAMBDA = "functions/native/issue_key.py"


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({CORE: "import boto3"}, "(core) imports boto3"),
        ({CORE: "import pydantic"}, "(core) imports pydantic"),
        (
            {CORE: "def f():\n    from botocore.exceptions import ClientError"},
            "(core) imports botocore.exceptions.ClientError",
        ),
        ({CORE: "from keywright import edge"}, "imports keywright.edge, which is edge"),
        ({CORE: "from keywright.adapters.dynamodb import Store"}, "which is adapters"),
        ({CORE: "import keywright.dialects.voltmx"}, "which is dialect"),
        ({CORE: "from keywright import Key"}, "which is surface"),
        ({CORE: "from keywright.bootstrap import desk"}, "which is bootstrap"),
        ({ADAPTER: "from keywright import bootstrap"}, "which is bootstrap"),
        ({ADAPTER: "import boto3"}, "which is not for adapters"),
        ({ADAPTER: "from keywright.adapters.boto import BotoService"}, "which is boto"),
        ({ADAPTER: "from keywright.dialects.voltmx import wire"}, "which is dialect"),
        ({"layers/keywright/keywright/edge.py": "import boto3"}, "which is not for edge"),
        ({"layers/keywright/keywright/edge.py": "from keywright.dialects import native"}, "which is dialect"),
        ({"layers/keywright/keywright/bootstrap.py": "import local"}, "which is not for bootstrap"),
        ({VOLTMX: "from keywright.dialects.native import wire"}, "another dialect's"),
        ({VOLTMX: "from keywright.dialects import native"}, "another dialect's"),
        ({VOLTMX: "import boto3"}, "which is not for dialect"),
        ({VOLTMX: "from keywright import bootstrap"}, "which is bootstrap"),
        ({LAMBDA: "import boto3"}, "which is not for functions"),
        ({LAMBDA: "import pydantic"}, "which is not for functions"),
        ({LAMBDA: "from keywright.adapters import dynamodb"}, "which is adapters"),
        ({LAMBDA: "from keywright.dialects import voltmx"}, "another dialect's"),
        ({LAMBDA: "from native.get_key import handler"}, "a Lambda knows no other"),
        ({LAMBDA: "from aws_lambda_powertools.event_handler import _route"}, "which is not public"),
    ],
)
def test_an_import_that_points_outwards_is_noticed(plant: Plant, changes: dict[str, Change], breach: str) -> None:
    assert any(breach in found for found in breaches(plant(changes)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (CORE, "import os\nos.environ['KEYWRIGHT_TABLE']"),
        (CORE, "from os import getenv"),
        (ADAPTER, "import os as system\nsystem.getenv('KEYWRIGHT_TABLE')"),
        (LAMBDA, "from os import environ"),
    ],
)
def test_a_second_reader_of_the_environment_is_noticed(plant: Plant, path: str, text: str) -> None:
    assert environment_breaches(plant({path: text})) != []

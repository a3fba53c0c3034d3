"""What no source of the layer or of the functions does, and what no two wire models share."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.structure.conftest import Plant
from tests.structure.project import Project, Source

SECRET = {"digest", "fingerprint", "mac", "password", "secret", "signature", "token"}
FORWARDED = re.compile(
    r"(http-)?((x-)?forwarded(-[a-z]+)?|(x-|cf-|true-|fastly-)?(client|connecting|real|cluster-client)-ip"
    r"|x-original-(for|host|url)|x-amzn-.*source-ip|cloudfront-viewer-address)"
)
WIRE = re.compile(r"keywright\.dialects\.(\w+)\.wire")


def print_breaches(project: Project) -> list[str]:
    """A printed line escapes the logger, and with it the rule of what may be logged."""
    return [
        f"{source.at(node)} prints"
        for source in (*project.layer, *project.functions)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"breakpoint", "pprint", "print"}
    ]


def comparison_breaches(project: Project) -> list[str]:
    """`==` stops at the first difference, and the time it took tells where: secrets go through hmac.compare_digest."""
    return [
        f"{source.at(node)} compares {name} by =="
        for source in (*project.layer, *project.functions)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Compare) and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        for name in _compared_secrets(node)
    ]


def _compared_secrets(node: ast.Compare) -> Iterator[str]:
    sides = (node.left, *node.comparators)
    if any(isinstance(side, ast.Constant) for side in sides):
        return  # a word of the source is no secret: token_type == "bearer"
    for side in sides:
        called = side.func if isinstance(side, ast.Call) else side
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if set(name.lower().split("_")) & SECRET and not name.isupper():
            yield name


def forwarded_breaches(project: Project) -> list[str]:
    """Whoever calls writes these headers: the address of a request is the one that the gateway saw."""
    return [
        f"{source.at(node)} reads {node.value}"
        for source in (*project.layer, *project.functions)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and FORWARDED.fullmatch(node.value.replace("_", "-").lower())
    ]


def wire_model_breaches(project: Project) -> list[str]:
    """Two models of one name become one schema of the API description, and one of them is silently lost.

    A private base is no schema of its own.
    """
    homes: dict[str, set[str]] = defaultdict(set)
    for source, dialect in _wires(project):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(dialect)
    return [
        f"the wire model {name} is in {', '.join(sorted(found))}" for name, found in homes.items() if len(found) > 1
    ]


def _wires(project: Project) -> list[tuple[Source, str]]:
    return [(source, match[1]) for source in project.layer if (match := WIRE.match(source.module))]


def test_nothing_is_printed(project: Project) -> None:
    assert project.layer
    assert print_breaches(project) == []


def test_no_secret_is_compared_by_its_equality(project: Project) -> None:
    assert comparison_breaches(project) == []


def test_no_forwarded_header_is_read(project: Project) -> None:
    assert forwarded_breaches(project) == []


def test_no_two_dialects_share_the_name_of_a_wire_model(project: Project) -> None:
    assert len(_wires(project)) > 1
    assert wire_model_breaches(project) == []


def test_a_sound_tree_breaks_no_law_of_sources(plant: Plant) -> None:
    project = plant({})
    found = print_breaches(project) + comparison_breaches(project) + forwarded_breaches(project)
    assert found + wire_model_breaches(project) == []


CORE = "layers/keywright/keywright/issuing.py"


@pytest.mark.parametrize("path", [CORE, "functions/native/issue_key.py"])
def test_a_print_is_noticed(plant: Plant, path: str) -> None:
    assert print_breaches(plant({path: "def issue(token: str) -> None:\n    print(token)"})) != []


@pytest.mark.parametrize(
    "comparison",
    [
        "presented_secret == stored",
        "stored.digest != digest(presented)",
        "a == b == token",
        "hash_of(presented) == row.token_digest",
        "signature(body) == given",
    ],
)
def test_an_equality_of_secrets_is_noticed(plant: Plant, comparison: str) -> None:
    assert comparison_breaches(plant({CORE: comparison})) != []


@pytest.mark.parametrize(
    "comparison", ["token_type == 'bearer'", "kind == KeyKind.ACCOUNT_SECRET", "version == latest"]
)
def test_an_equality_of_something_else_is_let_pass(plant: Plant, comparison: str) -> None:
    assert comparison_breaches(plant({CORE: comparison})) == []


@pytest.mark.parametrize(
    "source",
    [
        'headers.get("X-Forwarded-For")',
        'event["headers"]["forwarded"]',
        'request.headers.get("x-real-ip", "")',
        'NAMES = ("True-Client-IP",)',
        'environ["HTTP_X_FORWARDED_HOST"]',
        'value(name="cf-connecting-ip")',
        'headers["cloudfront-viewer-address"]',
    ],
)
@pytest.mark.parametrize("path", [CORE, "functions/native/issue_key.py"])
def test_a_forwarded_header_is_noticed(plant: Plant, path: str, source: str) -> None:
    assert forwarded_breaches(plant({path: source})) != []


@pytest.mark.parametrize(
    "source", ['context["http"]["sourceIp"]', 'say("forwarded to the owner")', 'headers["origin"]']
)
def test_what_is_no_forwarded_header_is_let_pass(plant: Plant, source: str) -> None:
    assert forwarded_breaches(plant({CORE: source})) == []


def test_a_wire_model_of_two_dialects_is_noticed(plant: Plant) -> None:
    project = plant({"layers/keywright/keywright/dialects/voltmx/wire.py": "class NativeKey: ..."})
    assert wire_model_breaches(project) == ["the wire model NativeKey is in native, voltmx"]


def test_a_private_base_of_two_dialects_is_let_pass(plant: Plant) -> None:
    wires = (f"layers/keywright/keywright/dialects/{dialect}/wire.py" for dialect in ("native", "voltmx"))
    assert wire_model_breaches(plant(dict.fromkeys(wires, "class _Answer: ..."))) == []

"""Law 1: a Lambda's module, handler, template block, example event and contract test share one name."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.structure.conftest import Change, Plant
from tests.structure.project import Project


def breaches(project: Project) -> list[str]:
    return [*_of_endpoints(project), *_of_what_no_endpoint_has(project)]


def _of_endpoints(project: Project) -> Iterator[str]:
    contract = "".join(path.read_text() for path in sorted(project.root.glob("tests/contract/**/*.py")))
    handlers = {source.module: _defines_handler(source.tree) for source in project.functions}
    for endpoint in project.endpoints:
        name = endpoint.module
        if not handlers[name]:
            yield f"{name} has no handler"
        block = project.blocks.get(endpoint.logical_id)
        if block is None:
            yield f"{name} has no function {endpoint.logical_id} in the template"
        elif block["Properties"].get("Handler") != endpoint.handler:
            yield f"{endpoint.logical_id} does not point at {endpoint.handler}"
        if not (project.root / f"events/{endpoint.folder}/{endpoint.operation}.json").is_file():
            yield f"{name} has no example event"
        own_test = project.root / f"tests/contract/{endpoint.folder}/test_{endpoint.operation}.py"
        if not own_test.is_file() and not re.search(rf"\b({re.escape(name)}|{endpoint.logical_id})\b", contract):
            yield f"{name} has no contract test: neither a file of its name nor a mention"


def _of_what_no_endpoint_has(project: Project) -> Iterator[str]:
    logical_ids = {endpoint.logical_id for endpoint in project.endpoints}
    for logical_id in project.blocks.keys() - logical_ids:
        yield f"{logical_id} is in the template and has no module"
    modules = {endpoint.module for endpoint in project.endpoints}
    for event in project.root.glob("events/**/*"):
        if (
            event.is_file()
            and ".".join(event.relative_to(project.root / "events").with_suffix("").parts) not in modules
        ):
            yield f"{event.relative_to(project.root)} belongs to no module"


def _defines_handler(tree: ast.Module) -> bool:
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {target.id for node in tree.body for target in _targets(node) if isinstance(target, ast.Name)}
    return "handler" in names


def _targets(node: ast.stmt) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []


def test_each_lambda_is_found_under_one_name_everywhere(project: Project) -> None:
    assert project.endpoints
    assert breaches(project) == []


def test_a_sound_tree_has_one_name_for_five_things(plant: Plant) -> None:
    assert breaches(plant({})) == []


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"functions/native/issue_key.py": ("handler =", "lambda_handler =")}, "native.issue_key has no handler"),
        ({"functions/native/get_key.py": "handler = 1"}, "native.get_key has no function NativeGetKey in the template"),
        ({"template.yaml": ("native.issue_key.handler", "native.issue_keys.handler")}, "does not point at"),
        ({"template.yaml": ("NativeIssueKey:", "NativeIssue:")}, "NativeIssue is in the template and has no module"),
        ({"functions/native/issue_key.py": None}, "NativeIssueKey is in the template and has no module"),
        ({"events/native/issue_key.json": None}, "native.issue_key has no example event"),
        ({"events/native/issue_keys.json": "{}"}, "events/native/issue_keys.json belongs to no module"),
        ({"tests/contract/native/test_issue_key.py": None}, "native.issue_key has no contract test"),
    ],
)
def test_a_second_name_is_noticed(plant: Plant, changes: dict[str, Change], breach: str) -> None:
    assert any(breach in found for found in breaches(plant(changes)))


def test_a_contract_test_may_cover_several_lambdas_that_it_names(plant: Plant) -> None:
    changes = {"tests/contract/native/test_issue_key.py": None, "tests/contract/test_native.py": '"NativeIssueKey"'}
    assert breaches(plant(changes)) == []

"""What is called a condition, and what a guard, when they are taken away in turn."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.mutation.mutants import CONDITIONS, GUARDS, LAYER, mutants

CORE = """
def own(caller, key):
    if key is None or key.tenant != caller.tenant:
        raise KeyNotFound
    match key.state:
        case REVOKED:
            raise KeyRevoked
    contain(caller.scopes, key.scopes)
    if key.mine:
        return key
    return other(key)
"""


def planted(text: str, folder: Path, path: str = "lifecycle.py") -> dict[str, str]:
    """What each mutant of a module would be, by its name."""
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(text)
    return {mutant.name.partition(": ")[2]: ast.unparse(mutant.tree) for mutant in mutants(path, folder)}


def test_a_guard_raises_or_answers_and_is_taken_away_alone(tmp_path: Path) -> None:
    found = planted(CORE, tmp_path)
    assert found.keys() == {
        "if key is None or key.tenant != caller.tenant",
        "or key is None",
        "or key.tenant != caller.tenant",
        "case REVOKED",
        "contain(caller.scopes, key.scopes)",
        "if key.mine",
    }
    assert "if key is None and False or key.tenant" in found["or key is None"]
    assert "case REVOKED if False:" in found["case REVOKED"]
    assert "contain(" not in found["contain(caller.scopes, key.scopes)"]
    assert len(set(found.values())) == len(found)


def test_where_a_refusal_is_never_an_answer_only_raising_is_a_guard(tmp_path: Path) -> None:
    assert "if key.mine" not in planted(CORE, tmp_path, "issuing.py")


def test_a_condition_is_made_to_hold_always_and_stays(tmp_path: Path) -> None:
    body = '{"ConditionExpression": "revision = :before", "Key": key}'
    [mutant] = planted(f"def save(key):\n    return {body}\n", tmp_path, "adapters/dynamodb.py").values()
    namespace: dict[str, object] = {}
    exec(mutant, namespace)  # noqa: S102  our own source
    said = namespace["save"]({"pk": 1})["ConditionExpression"]  # type: ignore[operator]
    assert said == "((revision = :before) OR attribute_exists(pk) OR attribute_not_exists(pk))"


@pytest.mark.parametrize("path", CONDITIONS)
def test_no_condition_of_the_table_is_passed_over(path: str) -> None:
    """Whatever is put into a condition in the adapters is among the mutants, or is made of such parts."""
    source = (LAYER / path).read_text()
    names = {name.partition(": ")[2] for name in (mutant.name for mutant in mutants(path))}
    for part in re.findall(r"""conditions\.append\(\s*(f?".*")\s*\)""", source):
        assert ast.unparse(ast.parse(part, mode="eval").body) in names
    constants = re.findall(r'"ConditionExpression": (f?".*"),', source)
    assert {ast.unparse(ast.parse(part, mode="eval").body) for part in constants} <= names


@pytest.mark.parametrize("path", [*CONDITIONS, *GUARDS])
def test_every_mutant_has_a_name_of_its_own_and_can_be_compiled(path: str) -> None:
    found = list(mutants(path))
    assert found
    assert len({mutant.name for mutant in found}) == len(found)
    for mutant in found:
        compile(mutant.tree, path, "exec")

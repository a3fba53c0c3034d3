"""Law 2: functions/ holds nothing but Lambdas, one module each, and each is thin.

That it holds no requirements.txt is also what lets `sam build` copy it without the runtime's own Python.
"""

import ast
import io
import tokenize
from collections.abc import Iterator

import pytest

from tests.structure.conftest import SOUND, Change, Plant
from tests.structure.project import Project, Source

MOST_LINES = 60
"""Lines of code: blank ones, comments and docstrings do not count."""
MOST_FUNCTIONS = 3


def breaches(project: Project) -> list[str]:
    return [*_strangers(project), *(breach for source in project.functions for breach in _thick(project, source))]


def _strangers(project: Project) -> Iterator[str]:
    functions = project.root / "functions"
    for path in sorted(functions.rglob("*")):
        place = path.relative_to(functions)
        if path.is_dir() or "__pycache__" in place.parts:
            continue
        if len(place.parts) != 2 or path.suffix != ".py" or path.stem.startswith("_"):
            yield f"functions/{place} is no Lambda: they are functions/<folder>/<operation>.py"


def _thick(project: Project, source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            yield f"{source.at(node)} defines the class {node.name}; classes live in the layer"
    functions = [node for node in source.tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    if len(functions) > MOST_FUNCTIONS:
        yield f"{source.path} has {len(functions)} functions; what they share lives in the layer"
    lines = _lines_of_code((project.root / source.path).read_text())
    if lines > MOST_LINES:
        yield f"{source.path} has {lines} lines of code, more than {MOST_LINES}"


def _lines_of_code(text: str) -> int:
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in blank
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - docstrings)


def test_every_file_among_the_functions_is_one_thin_lambda(project: Project) -> None:
    assert project.functions
    assert breaches(project) == []


def test_a_sound_tree_holds_only_lambdas(plant: Plant) -> None:
    assert breaches(plant({})) == []


LAMBDA = SOUND["functions/native/issue_key.py"]


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"functions/native/__init__.py": ""}, "functions/native/__init__.py is no Lambda"),
        ({"functions/shared.py": ""}, "functions/shared.py is no Lambda"),
        ({"functions/native/parts/read.py": ""}, "functions/native/parts/read.py is no Lambda"),
        ({"functions/requirements.txt": ""}, "functions/requirements.txt is no Lambda"),
        ({"functions/native/issue_key.py": f"{LAMBDA}\nclass Body: ..."}, "defines the class Body"),
        ({"functions/native/issue_key.py": f"{LAMBDA}\ndef a(): ...\ndef b(): ...\ndef c(): ..."}, "has 4 functions"),
        ({"functions/native/issue_key.py": LAMBDA + "handler\n" * 60}, "has 66 lines of code"),
    ],
)
def test_what_is_no_thin_lambda_is_noticed(plant: Plant, changes: dict[str, Change], breach: str) -> None:
    assert any(breach in found for found in breaches(plant(changes)))


def test_comments_and_docstrings_do_not_make_a_lambda_thick(plant: Plant) -> None:
    told = LAMBDA + "# why\n" * 60 + '"""' + "what\n" * 60 + '"""\n'
    assert breaches(plant({"functions/native/issue_key.py": told})) == []

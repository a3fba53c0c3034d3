"""The mutants: each takes one condition of the table, or one guard of the core, away.

A condition is made to hold always and not cut out, because a value that no expression uses is refused by DynamoDB
itself, and that would catch the mutant for the wrong reason. A guard is an `if` or a `case` that raises, a part of its
`or`, or a call that does nothing but raise; and in `ANSWERING` modules also an `if` that answers at once. What it asks
is still evaluated, as it may name what comes after.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers/keywright/keywright"
CONDITIONS = ("adapters/dynamodb.py", "adapters/metering.py")
GUARDS = (
    "access.py",
    "addresses.py",
    "authorizer.py",
    "caching.py",
    *(f"dialects/{each}/credentials.py" for each in ("native", "salesiq", "sunshine", "supportcenter", "voltmx")),
    "edge.py",
    "grants.py",
    "handover.py",
    "http_fields.py",
    "issuing.py",
    "jwt.py",
    "kinds.py",
    "lifecycle.py",
    "limits.py",
    "model.py",
    "refused_use.py",
    "registry.py",
    "removal.py",
    "replay.py",
    "rotation.py",
    "strict_json.py",
    "sweeping.py",
    "tokens.py",
    "usage.py",
    "verification.py",
    "warning.py",
)
ANSWERING = frozenset(
    {
        "access.py",
        "addresses.py",
        "authorizer.py",
        "caching.py",
        "grants.py",
        "jwt.py",
        "lifecycle.py",
        "limits.py",
        "model.py",
        "refused_use.py",
        "tokens.py",
        "usage.py",
        "verification.py",
        "warning.py",
    }
)
"""Where a refusal is an answer, and what is not allowed, or not needed any more, ends in a `return`."""
CHECKS = {"contain", "demand", "check", "check_address", "_check_expiry"}
"""Calls that answer nothing, and raise where something is not allowed."""
_ARGUMENT = {"_put": 3, "_update_lease": 2}
"""Which argument of these is a condition."""

Kind = Literal["condition", "guard"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` is where it is and what it takes away, and stays the same when lines move."""

    kind: Kind
    module: str
    name: str
    tree: ast.Module


def mutants(path: str, layer: Path = LAYER) -> Iterator[Mutant]:
    """Of a module of the layer, by its path there."""
    tree = ast.parse((layer / path).read_text(), path)
    kind: Kind = "condition" if path in CONDITIONS else "guard"
    found = _conditions(tree) if kind == "condition" else _guards(tree, answering=path in ANSWERING)
    seen: dict[str, int] = {}
    for function, what, node, change in found:
        memo: dict[int, Any] = {}
        changed = copy.deepcopy(tree, memo)
        change(memo[id(node)])
        name = f"{path.removesuffix('.py')}.{function}: {what}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f" ({seen[name]})"
        yield Mutant(kind, path, name, ast.fix_missing_locations(changed))


Found = tuple[str, str, ast.stmt | ast.expr | ast.match_case, Callable[[ast.AST], None]]


def _scopes(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every node, with the innermost function it is in."""

    def walk(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = child.name if isinstance(child, ast.FunctionDef) else function
            yield inner, child
            yield from walk(child, inner)

    yield from walk(tree, "")


def _conditions(tree: ast.Module) -> Iterator[Found]:
    for function, node in _scopes(tree):
        for text in _texts(node):
            if not (isinstance(text, ast.Name) and text.id == "condition"):
                yield function, ast.unparse(text), text, _always


def _texts(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        position = _ARGUMENT.get(called)
        if position is not None and len(node.args) > position:
            yield node.args[position]
        if called == "append" and isinstance(node.func, ast.Attribute) and _is_conditions(node.func.value):
            yield node.args[0]
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "ConditionExpression" and not _is_joined(value):
                yield value
    elif isinstance(node, ast.Assign):
        yield from _assigned(node.targets[0], node.value)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        if target.slice.value == "ConditionExpression" and not _is_joined(value):
            yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for each, initial in zip(target.elts, value.elts, strict=True):
            if _is_conditions(each) and isinstance(initial, ast.List):
                yield from initial.elts


def _is_conditions(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "conditions"


def _is_joined(node: ast.expr) -> bool:
    """Its parts are mutants of their own."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join"


def _always(node: ast.AST) -> None:
    assert isinstance(node, ast.expr)
    kept = copy.copy(node)
    always = ast.JoinedStr(
        [
            ast.Constant("(("),
            ast.FormattedValue(kept, -1),
            ast.Constant(") OR attribute_exists(pk) OR attribute_not_exists(pk))"),
        ]
    )
    _become(node, always)


def _become(node: ast.AST, other: ast.AST) -> None:
    line = {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update(other.__dict__, **line)


def _guards(tree: ast.Module, *, answering: bool) -> Iterator[Found]:
    leaving = (ast.Raise, ast.Return, ast.Continue) if answering else ast.Raise
    for function, node in _scopes(tree):
        if isinstance(node, ast.If) and isinstance(node.body[-1], leaving):
            yield function, f"if {ast.unparse(node.test)}", node.test, _never
            if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.Or):
                for part in node.test.values:
                    yield function, f"or {ast.unparse(part)}", part, _never
        elif isinstance(node, ast.match_case) and isinstance(node.body[-1], ast.Raise):
            yield function, f"case {ast.unparse(node.pattern)}", node, _matches_nothing
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in CHECKS:
                yield function, ast.unparse(node), node, _nothing


def _never(node: ast.AST) -> None:
    assert isinstance(node, ast.expr)
    _become(node, ast.BoolOp(ast.And(), [copy.copy(node), ast.Constant(value=False)]))


def _matches_nothing(node: ast.AST) -> None:
    assert isinstance(node, ast.match_case)
    node.guard = ast.Constant(value=False)


def _nothing(node: ast.AST) -> None:
    _become(node, ast.Pass())

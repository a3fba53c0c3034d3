"""The project as its laws see it: a tree of endpoints, sources and one template.

A law is a function over a `Project` that returns its breaches, one sentence each. It runs over the real project and
over small planted ones, so that every law is seen to hold and seen to bite.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.template import expand

ROOT = Path(__file__).resolve().parents[2]
FUNCTION = "AWS::Serverless::Function"


@dataclass(frozen=True)
class Endpoint:
    """A Lambda, by the one name that five things share."""

    folder: str
    operation: str

    @property
    def module(self) -> str:
        return f"{self.folder}.{self.operation}"

    @property
    def handler(self) -> str:
        return f"{self.module}.handler"

    @property
    def logical_id(self) -> str:
        return "".join(word.capitalize() for word in re.split(r"[._]", self.module))

    @property
    def is_catch_all(self) -> bool:
        return self.operation == "refuse_unknown_path"


@dataclass(frozen=True)
class Source:
    """A module of the layer or of the functions, by the name it is imported under."""

    path: str
    module: str
    tree: ast.Module

    def at(self, node: ast.stmt | ast.expr) -> str:
        return f"{self.path}:{node.lineno}"


@dataclass(frozen=True)
class Project:
    root: Path

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(path.parent.name, path.stem) for path in sorted(self.root.glob("functions/*/*.py")))

    @cached_property
    def template(self) -> dict[str, Any]:
        template: dict[str, Any] = yaml_parse((self.root / "template.yaml").read_text())
        return template

    @cached_property
    def expanded(self) -> dict[str, Any]:
        return expand(self.root / "template.yaml")

    @cached_property
    def blocks(self) -> dict[str, dict[str, Any]]:
        """The template's functions by logical id."""
        return {name: block for name, block in self.template["Resources"].items() if block["Type"] == FUNCTION}

    @cached_property
    def layer(self) -> tuple[Source, ...]:
        return tuple(self._sources("layers/keywright", "keywright/**/*.py"))

    @cached_property
    def functions(self) -> tuple[Source, ...]:
        return tuple(self._sources("functions", "**/*.py"))

    def _sources(self, base: str, pattern: str) -> Iterator[Source]:
        for path in sorted((self.root / base).glob(pattern)):
            module = ".".join(path.relative_to(self.root / base).with_suffix("").parts).removesuffix(".__init__")
            yield Source(str(path.relative_to(self.root)), module, ast.parse(path.read_text(), str(path)))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

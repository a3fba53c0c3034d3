"""What the functions may do, and what they did: the rights that template.yaml grants, beside the calls of the tests.

`Recorder` keeps what the judge allowed while tests run; `python -m tests.permissions <folder>` compares what all of
them kept with the template, or of it with the functions whose names begin with a further argument. A right is one
action on one resource and, where the policy names rows, on the rows of one pattern; so a statement over three patterns
is three rights, and each must have been used.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from local.aws import Aws
from local.iam import Access, Call, needs
from local.server import Response
from local.template import Template
from tests.reliability.figures import Figures

ROOT = Path(__file__).resolve().parents[1]
VARIABLE = "KEYWRIGHT_RECORD_PERMISSIONS"
ANY = "*"
CONFIGURED = {"MailSender": "keys@keywright.test", "MailConfigurationSet": "keywright"}
"""Parameters with which every statement of the template is there."""

OF_LAMBDA = {"sqs:SendMessage"}
"""Lambda itself does this by the function's role, where a batch or a sweep failed for good."""


class Use(NamedTuple):
    """One allowed access. `rows` is the partition key without its ids: what kind of row it is, and of an owner's row
    the owner's kind. It is empty where the call names no row."""

    function: str
    action: str
    resource: str
    rows: str


@dataclass(frozen=True, order=True, slots=True)
class Right:
    """`rows` is a pattern of partition keys, or `*`."""

    function: str
    action: str
    resource: str
    rows: str
    policy: str

    def covers(self, use: Use) -> bool:
        return (self.function, self.action, self.resource) == (use.function, use.action, use.resource) and (
            self.rows == ANY or re.fullmatch(".*".join(map(re.escape, self.rows.split("*"))), use.rows) is not None
        )

    def __str__(self) -> str:
        rows = "" if self.rows == ANY else f" of {self.rows}"
        return f"{self.function}: {self.action} on {self.resource}{rows} ({self.policy})"


class Recorder:
    """Keeps the uses of the functions of the real template, a line of JSON for each that is new, from `start` until
    `stop`. What was kept outlives a run that breaks off."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}.jsonl"
        self._functions = Template.load(ROOT / "template.yaml").functions.keys()
        self._seen: set[Use] = set()
        self._patch = mock.patch.object(Aws, "_denied", self._watched(Aws._denied))

    def start(self) -> None:
        self._patch.start()

    def stop(self) -> None:
        self._patch.stop()

    def _watched(self, denied: Callable[[Aws, Call], Response | None]) -> Callable[[Aws, Call], Response | None]:
        def watched(aws: Aws, call: Call) -> Response | None:
            refused = denied(aws, call)
            if refused is None and call.principal is not None and aws._template.functions.keys() == self._functions:
                for access in needs(call, aws._template):
                    self._keep({*uses(call.principal, access)} - self._seen)
            return refused

        return watched

    def _keep(self, found: set[Use]) -> None:
        if found:
            self._seen |= found
            with self._file.open("a") as file:
                file.writelines(json.dumps(use) + "\n" for use in found)


def uses(function: str, access: Access) -> Iterator[Use]:
    keys = access.context.get("dynamodb:leadingkeys") or [""]
    for key in [keys] if isinstance(keys, str) else keys:
        yield Use(function, access.action, _resource(access.resource), _rows(key))


def _rows(key: str) -> str:
    kind, *rest = key.split("#")
    if kind == "LEASE":
        return key
    return f"{kind}#-#{rest[-1]}" if kind == "OWNERS" and len(rest) > 1 else f"{kind}#-" if rest else kind


def _resource(arn: str) -> str:
    """Of an ARN or a pattern of one, what kind of thing it is: which table or key it is, is the installation's."""
    if arn == ANY:
        return ANY
    service, name = arn.split(":")[2], arn.split(":", 5)[-1]
    parts = name.split("/")
    return "/".join([service, parts[0], *parts[2:]])


def rights(template: Template) -> Iterator[Right]:
    for function in template.functions.values():
        for policy in function.policies:
            for statement in _list(policy.document["Statement"]):
                if statement["Effect"] != "Allow":
                    continue
                patterns = [
                    pattern
                    for operator, keys in statement.get("Condition", {}).items()
                    if operator == "ForAllValues:StringLike"
                    for pattern in _list(keys.get("dynamodb:LeadingKeys", []))
                ]
                for action in set(_list(statement["Action"])) - OF_LAMBDA:
                    for resource in _list(statement["Resource"]):
                        for rows in patterns or [ANY]:
                            yield Right(function.logical_id, action, _resource(resource), rows, policy.name)


def compare(granted: Iterable[Right], used: Iterable[Use]) -> tuple[list[Right], list[Use]]:
    """Granted and not used, used and not granted."""
    granted, used = sorted(granted), sorted(set(used))
    idle = [right for right in granted if not any(map(right.covers, used))]
    return idle, [use for use in used if not any(right.covers(use) for right in granted)]


def recorded(folder: Path) -> list[Use]:
    """Raises LookupError where no run has kept anything."""
    found = [Use(*json.loads(line)) for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    if not found:
        raise LookupError(f"{folder}: nothing was recorded; run the tests with {VARIABLE}={folder}")
    return found


def main(folder: Path, prefix: str) -> int:
    granted = [
        right
        for right in rights(Template.load(ROOT / "template.yaml", CONFIGURED))
        if right.function.startswith(prefix)
    ]
    try:
        used = [use for use in recorded(folder) if use.function.startswith(prefix)]
    except LookupError as error:
        sys.exit(str(error))
    idle, stray = compare(granted, used)
    for right in idle:
        sys.stdout.write(f"granted, never used: {right}\n")
    for use in stray:
        sys.stdout.write(f"used, not granted: {use.function}: {use.action} on {use.resource} {use.rows}\n")
    counts = {
        "functions": len({right.function for right in granted}),
        "rights": len(granted),
        "never_used": len(idle),
        "used_and_not_granted": len(stray),
    }
    sys.stdout.write(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items()) + "\n")
    if idle or stray:
        return 1
    if not prefix:
        figures = Figures(command="make permissions")
        figures.note("permissions", **counts)
        figures.keep()
    return 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))

"""Takes every condition of the table and every guard of the core away in turn, and sees whether a test of it notices.

`make mutation`, or with ARGS: the modules to look at (`adapters/dynamodb.py access.py`). Nothing is written to the
sources: each mutant is a process of its own that has the changed module under the real one's name. What none
noticed is listed in docs/operations/mutation.md, with its verdict from verdicts.toml; only a run over all modules
writes it. The run fails where a condition survived, where more than one mutant of twenty did, and where a survivor has
no verdict.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import signal
import sys
import time
import tomllib
import traceback
import types
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import NamedTuple

import pytest

from local.template import Template
from tests.mutation.mutants import CONDITIONS, GUARDS, LAYER, ROOT, Mutant, mutants
from tests.reliability.figures import Figures

REPORT = ROOT / "docs/operations/mutation.md"
VERDICTS = Path(__file__).with_name("verdicts.toml")
LONGEST_SECONDS = 600
LEAST_KILLED = 0.95
HEAVY = (
    "boto3",
    "hypothesis",
    "moto.moto_server.werkzeug_app",
    "moto.dynamodb",
    "pydantic",
    "samtranslator.translator.translator",
)
"""Loaded once, before the processes part. None of them is ours, or has a say in how pytest rewrites."""
STORE = [f"tests/integration/test_{each}.py" for each in ("key_store", "kept_answers", "handover")]
REMOVAL = "tests/integration/test_removal.py"
NOT_QUICK = "not lean and not fake and not quick"
METERING = "tests/integration/test_metering.py"
CLIENT = ["tests/integration/test_dynamodb.py"]
UNIT = {
    "caching.py": ["verification"],
    "grants.py": ["verification", "model", "rotation"],
    "kinds.py": ["model", "registry", "issuing", "lifecycle"],
    "refused_use.py": ["refused_use"],
    "removal.py": ["registry"],
    "replay.py": ["replay", "edge"],
    "verification.py": ["verification", "usage"],
}
"""Which files of `tests/unit` are a module's own, where that is not the one of its name."""
CREDENTIALS = {
    "native": ["callers", "revoke_self"],
    "salesiq": ["endpoints", "errors", "refresh_access_token", "verification"],
    "sunshine": ["basic_credentials", "bearer_tokens", "refused_callers", "verification"],
    "supportcenter": ["endpoints", "errors", "verification"],
    "voltmx": ["callers", "login", "verify_key"],
}
"""Which files of a dialect's contract are about who calls, and with what."""
ELSEWHERE = {
    "access.py": ["tests/contract/native/test_key_settings.py"],
    "authorizer.py": ["tests/contract/authorizers"],
    "caching.py": ["tests/contract/authorizers"],
    "edge.py": [
        f"tests/contract/{each}.py"
        for each in (
            "test_common",
            *(f"native/test_{each}" for each in ("bodies", "idempotency", "key_settings")),
            *(f"salesiq/test_{each}" for each in ("errors", "endpoints", "refuse_unknown_path")),
        )
    ],
    "handover.py": ["tests/integration/test_handover.py", "tests/contract/handover"],
    "jwt.py": ["tests/contract/sunshine/test_bearer_tokens.py"],
    "model.py": [f"tests/unit/test_{each}.py" for each in ("sweeping", "lifecycle", "rotation", "handover")],
    "replay.py": ["tests/contract/native/test_idempotency.py"],
    "registry.py": [f"tests/contract/native/test_{each}_owner.py" for each in ("create", "change", "delete")],
    "removal.py": ["tests/integration/test_removal.py", "tests/contract/native/test_delete_owner.py"],
}
"""What is asked where the module's own tests noticed nothing."""


def stages(mutant: Mutant) -> list[list[str]]:
    """Arguments of pytest, the quickest to notice first."""
    if mutant.kind == "condition":
        # The quick table first; what it does not notice, by one of the clients on the local stack.
        if mutant.module == "adapters/metering.py":
            return [["-k", NOT_QUICK, METERING]]
        return [["-k", "quick", *STORE], ["-k", NOT_QUICK, *CLIENT], ["-k", NOT_QUICK, *STORE, REMOVAL]]
    if mutant.module.startswith("dialects/"):
        dialect = Path(mutant.module).parent.name
        contract = [f"tests/contract/{dialect}/test_{each}.py" for each in CREDENTIALS[dialect]]
        return [["tests/unit/test_credentials.py"], contract]
    own = mutant.module.removesuffix(".py")
    unit = [f"tests/unit/test_{each}.py" for each in UNIT.get(mutant.module, [own])]
    return [each for each in (unit, ELSEWHERE.get(mutant.module)) if each]


class Memory:
    """Which test noticed a mutant, as long as neither the layer, nor the table, nor that test, nor what all tests share
    has changed. That no test did is not remembered."""

    def __init__(self, folder: Path) -> None:
        shared = [*(LAYER.rglob("*.py")), *(ROOT / "tests").glob("*.py")]
        tables = [each.properties for each in Template.load(ROOT / "template.yaml").tables.values()]
        self._folder = folder
        self._shared = _digest([repr(tables).encode(), *(path.read_bytes() for path in sorted(shared))])

    def find(self, mutant: Mutant) -> str | None:
        path = self._place(mutant)
        if not path.exists():
            return None
        noticed, _, digest = path.read_text().rpartition("\n")
        return noticed if digest == self._of(noticed) else None

    def keep(self, mutant: Mutant, noticed: str) -> None:
        if "::" in noticed:
            self._place(mutant).write_text(f"{noticed}\n{self._of(noticed)}")

    def _place(self, mutant: Mutant) -> Path:
        return self._folder / f"{_digest([mutant.name.encode()])}.noticed"

    def _of(self, noticed: str) -> str:
        test = ROOT / noticed.partition("::")[0]
        folders = test.relative_to(ROOT).parents
        beside = [each for folder in folders for each in sorted((ROOT / folder).glob("conftest.py"))]
        return _digest([self._shared.encode(), *(each.read_bytes() for each in (test, *beside) if each.exists())])


def _digest(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


class Result(NamedTuple):
    mutant: Mutant
    noticed_by: str | None
    seconds: float


class _Planted(MetaPathFinder, Loader):
    """Gives the mutant's tree where its module is asked for."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        self._module, self._tree = module, tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        return ModuleSpec(fullname, self, origin=str(LAYER / f"{fullname.partition('.')[2].replace('.', '/')}.py"))

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._tree, f"<mutant of {self._module}>", "exec"), module.__dict__)  # noqa: S102  our own source


class _Notice:
    """Keeps which tests failed, in their order."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._keep(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._keep(f"{report.nodeid} (not collected)")

    def _keep(self, name: str) -> None:
        with self._path.open("a") as file:
            file.write(name + "\n")


def run(tree: ast.Module | None, module: str, arguments: Sequence[str], folder: Path, label: str) -> list[str]:
    """The tests that failed. `tree` None is the module as it is."""
    told = folder / f"{label}.told"
    told.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        log = os.open(folder / f"{label}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if tree is not None:
            sys.meta_path.insert(0, _Planted(f"keywright.{module.removesuffix('.py').replace('/', '.')}", tree))
        code = 70
        try:
            code = pytest.main(["-q", *arguments], plugins=[_Notice(told)])
        except BaseException:  # noqa: BLE001  this process must not go on as its parent
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code))
    until = time.monotonic() + LONGEST_SECONDS
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return [f"nothing came to its end in {LONGEST_SECONDS} s"]
        time.sleep(0.02)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        return []
    return told.read_text().splitlines() if told.exists() else ["the run broke off"]


_unsound: dict[tuple[str, ...], list[str]] = {}


def _failing_anyway(stage: Sequence[str], folder: Path) -> list[str]:
    """The tests of a stage that fail without any mutant, as by a fault of this machine: they are left out."""
    name = tuple(stage)
    if name not in _unsound:
        failing = run(None, "", stage, folder, f"sound-{len(_unsound)}")
        if odd := [each for each in failing if "::" not in each]:
            raise RuntimeError(f"pytest {' '.join(stage)}: {odd[0]}")
        _unsound[name] = failing
    return _unsound[name]


def _without(names: Sequence[str]) -> list[str]:
    return [each for name in names for each in ("--deselect", name)]


def judge(mutant: Mutant, memory: Memory, folder: Path, number: int) -> Result:
    began = time.monotonic()
    if known := memory.find(mutant):
        return Result(mutant, known, 0)
    for stage in stages(mutant):
        left_out = [*_failing_anyway(stage, folder)]
        while noticed := run(mutant.tree, mutant.module, ["-x", *stage, *_without(left_out)], folder, str(number)):
            # What fails once and not again was no notice, but a test that this machine was too busy for.
            if "::" not in noticed[0] or run(mutant.tree, mutant.module, noticed[:1], folder, str(number)):
                memory.keep(mutant, noticed[0])
                return Result(mutant, noticed[0], time.monotonic() - began)
            left_out.append(noticed[0])
    return Result(mutant, None, time.monotonic() - began)


def report(results: Sequence[Result], verdicts: dict[str, str]) -> str:
    lines = [
        "# Mutation of our own guards",
        "",
        f"Written by `make mutation`, {datetime.now(UTC):%-d %B %Y}. Each condition of the table and each guard of the",
        "core was taken away in turn, and the tests of its module were run; what none of them noticed has survived.",
        "",
        "| | mutants | noticed | |",
        "| --- | ---: | ---: | ---: |",
    ]
    for kind in ("condition", "guard"):
        of_kind = [result for result in results if result.mutant.kind == kind]
        noticed = sum(result.noticed_by is not None for result in of_kind)
        if of_kind:
            lines.append(f"| {kind}s | {len(of_kind)} | {noticed} | {noticed / len(of_kind):.1%} |")
    noticed = sum(result.noticed_by is not None for result in results)
    lines += [f"| all | {len(results)} | {noticed} | {noticed / len(results):.1%} |", ""]
    survivors = [result.mutant for result in results if result.noticed_by is None]
    if survivors:
        lines += ["## Survivors", "", "| taken away | verdict |", "| --- | --- |"]
        lines += [f"| `{_cell(each.name)}` | {verdicts.get(each.name, '**none yet**')} |" for each in survivors]
        lines.append("")
    lines += ["## Noticed", "", "| taken away | first noticed by |", "| --- | --- |"]
    lines += [
        f"| `{_cell(each.mutant.name)}` | `{_cell(each.noticed_by)}` |"
        for each in results
        if each.noticed_by is not None
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(wanted: Sequence[str]) -> int:
    modules = wanted or (*CONDITIONS, *GUARDS)
    if unknown := set(modules) - {*CONDITIONS, *GUARDS}:
        sys.exit(f"no mutants are made of {', '.join(sorted(unknown))}; of {', '.join((*CONDITIONS, *GUARDS))}")
    found = [mutant for module in modules for mutant in mutants(module)]
    folder = ROOT / ".cache/mutation"
    folder.mkdir(parents=True, exist_ok=True)
    # The plugin of hypothesis would want to be loaded by pytest, and is not needed.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for heavy in HEAVY:
        importlib.import_module(heavy)
    began = time.monotonic()
    results = []
    with ThreadPoolExecutor(int(os.environ.get("KEYWRIGHT_MUTATION_WORKERS", os.cpu_count() or 1))) as pool:
        memory = Memory(folder)
        for result in pool.map(lambda n: judge(found[n], memory, folder, n), range(len(found))):
            results.append(result)
            sys.stdout.write(
                f"{result.seconds:5.0f} s  {_cell(result.mutant.name)}: {result.noticed_by or 'SURVIVED'}\n"
            )
            sys.stdout.flush()
    verdicts: dict[str, str] = tomllib.loads(VERDICTS.read_text())
    if not wanted:
        REPORT.write_text(report(results, verdicts))
        figures = Figures(command="make mutation")
        for kind in ("condition", "guard"):
            noticed = [result.noticed_by is not None for result in results if result.mutant.kind == kind]
            figures.note("R19", **{f"{kind}s": len(noticed), f"{kind}s_noticed": sum(noticed)})
        figures.keep()
    lost = [result.mutant for result in results if result.noticed_by is None]
    share = 1 - len(lost) / len(results)
    sys.stdout.write(
        f"{len(results)} mutants, {len(lost)} survived, {share:.1%} noticed, {time.monotonic() - began:.0f} s\n"
    )
    bare = [mutant for mutant in lost if mutant.name not in verdicts]
    return int(bool(bare) or share < LEAST_KILLED or any(mutant.kind == "condition" for mutant in lost))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make run` and `make build`, for the tests that talk to the running bundle or run what was built."""

import atexit
import functools
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.template import Function, Template
from tests.e2e.lambda_host import Environment, link_runtime

# What a shell starts in the background it has ignore Ctrl-C, and so would everything that is started from here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = (".*", "tests")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that are worth seeing and that no test holds a machine to."""
    for report in terminalreporter.getreports("passed"):
        if isinstance(report, pytest.TestReport) and report.when == "call" and report.user_properties:
            figures = ", ".join(f"{name} {value}" for name, value in report.user_properties)
            terminalreporter.write_line(f"{report.nodeid.partition('[')[2].rstrip(']')}: {figures}")


@functools.cache
def checkout(_name: str = "") -> Path:
    """A copy to run in, so that nobody's own .local/demo.env is written over. It uses the environment that is here.
    There is one for each name: what runs beside the session's own takes another."""
    copy = Path(tempfile.mkdtemp()) / "keywright"
    atexit.register(shutil.rmtree, copy.parent)
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


class Running:
    """A started `python -m local`: in a process group of its own, as a terminal would have it, on free ports unless
    told otherwise. Its output is read all the time, or it would stop when the pipe is full."""

    def __init__(self, *command: str, folder: Path | None = None, **environment: str) -> None:
        self.folder = folder or checkout()
        path = os.pathsep.join(str(self.folder / part) for part in ("layers/keywright", "functions"))
        self.printed = ""
        self.values: dict[str, str] = {}
        """Those of .local/demo.env, as a shell reads them."""
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "local"],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "PORT": "0", "AWS_PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.printed += line
                if "Ctrl-C" in line:
                    self._ready.set()
        self._ready.set()

    def wait_until_ready(self) -> None:
        assert self._ready.wait(60), self.printed
        assert self.process.poll() is None, f"it ended before it was ready:\n{self.printed}"
        script = "env -i sh -c 'set -a; . .local/demo.env; env'"
        sourced = subprocess.run(["sh", "-c", script], cwd=self.folder, check=True, capture_output=True, text=True)
        self.values = dict(line.split("=", 1) for line in sourced.stdout.splitlines())

    def wait_until_over(self) -> int:
        """The exit code."""
        code = self.process.wait(60)
        self._reader.join(10)
        return code

    def interrupt(self) -> None:
        """Ctrl-C: it reaches everything that the terminal has in front."""
        with suppress(ProcessLookupError):  # it is over
            os.killpg(self.process.pid, signal.SIGINT)

    @property
    def url(self) -> str:
        return self.values["KEYWRIGHT_URL"]

    @property
    def aws_url(self) -> str:
        """Of the stand-in for AWS."""
        found = re.search(r"AWS is played on (http://[\d.]+:\d+)", self.printed)
        assert found
        return found[1]

    @property
    def examples(self) -> dict[str, str]:
        """The requests that it prints to be pasted, by the name in the comment above each."""
        return dict(re.findall(r"^# (.+?): .+\n((?:.+\n)+)", self.printed, re.MULTILINE))


@contextmanager
def started(*command: str, folder: Path | None = None, **environment: str) -> Iterator[Running]:
    running = Running(*command, folder=folder, **environment)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.interrupt()
        running.wait_until_over()


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    with started() as running:
        yield running


@dataclass(frozen=True)
class Built:
    """What `sam build` made, for the interpreter that runs the tests."""

    functions: dict[str, Function]
    runtime: Path
    """What Lambda's runtime brings."""

    def environment(self, function: Function, endpoint: str) -> Environment:
        """As `sam local invoke --env-vars local/sam-env.json` would have it: the committed values over the template's.
        Only the address of the local stack is another."""
        committed = json.loads((ROOT / "local/sam-env.json").read_text())["Parameters"]
        return Environment(function, {**function.variables, **committed, "AWS_ENDPOINT_URL": endpoint}, self.runtime)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    platform_here = "macos" if sys.platform == "darwin" else f"{platform.machine()}-manylinux2014"
    python_here = ".".join(map(str, sys.version_info[:2]))
    done = subprocess.run(
        ["make", "build", f"ARGS=--build-dir {folder / 'build'}"],
        cwd=ROOT,
        env={**os.environ, "KEYWRIGHT_LAYER_PYTHON": python_here, "KEYWRIGHT_LAYER_PLATFORM": platform_here},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    runtime = folder / "runtime"
    runtime.mkdir()
    return Built(Template.load(folder / "build/template.yaml").functions, link_runtime(runtime))

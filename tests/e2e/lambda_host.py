"""One execution environment of Lambda on this machine: a function under AWS's own runtime client, `awslambdaric`.

The client takes its events from an HTTP service, the Runtime API of Lambda's developer guide (runtimes-api), which is
played here. Its process finds the function, the layer, what Lambda's runtime brings, and nothing else that is installed
on this machine: a package that the layer lacks is missing here as it would be there.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryFile
from types import TracebackType
from typing import Any, Final, Self

from local.runtime import Result
from local.server import Request, Response, Server
from local.template import Function

BROUGHT_BY_LAMBDA: Final = ("boto3", "awslambdaric")
INIT_SECONDS: Final = 60
"""Lambda gives ten, and its machines do nothing else meanwhile."""


def link_runtime(folder: Path) -> Path:
    """Links what Lambda's runtime brings, and all that it requires, into a folder of its own."""
    for name in _closure(BROUGHT_BY_LAMBDA):
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}:
            if not (top.endswith(".dist-info") or (folder / top).exists()):
                (folder / top).symlink_to(Path(str(installed.locate_file(top))))
    return folder


def _closure(names: tuple[str, ...]) -> Iterator[str]:
    found, fresh = set[str](), set(names)
    while fresh:
        yield from fresh
        found |= fresh
        requirements = (text for name in fresh for text in distribution(name).requires or () if "extra ==" not in text)
        fresh = {match[0] for text in requirements if (match := re.match(r"[\w.-]+", text))} - found


class Environment:
    """`failed` is Lambda's error object where the function could not be loaded. `output` is all that it printed."""

    def __init__(self, function: Function, variables: Mapping[str, str], runtime: Path) -> None:
        self.function = function
        self.failed: Any = None
        self.init_seconds = 0.0
        self._events: SimpleQueue[Response] = SimpleQueue()
        self._answers: SimpleQueue[Result | None] = SimpleQueue()
        self._server = Server(self._respond)
        self._output = TemporaryFile()  # noqa: SIM115 - lives as long as the environment
        self._variables = {**self._what_lambda_sets(runtime), **variables}

    def _what_lambda_sets(self, runtime: Path) -> dict[str, str]:
        """And what keeps this machine's own settings for AWS away, which no Lambda has."""
        task, layer = self.function.path
        region = self.function.arn.split(":")[3]
        return {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory),
            "AWS_LAMBDA_FUNCTION_NAME": self.function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": "Text",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.function.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"[$LATEST]{uuid.uuid4().hex}",
            "AWS_LAMBDA_RUNTIME_API": self._server.url.removeprefix("http://"),
            "AWS_REGION": region,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "LAMBDA_RUNTIME_DIR": str(runtime),
            "LAMBDA_TASK_ROOT": str(task),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",  # there, the folders cannot be written to
            "PYTHONPATH": os.pathsep.join(map(str, (task, layer / "python", runtime))),
            "TZ": ":UTC",
            "_HANDLER": self.function.handler,
        }

    def __enter__(self) -> Self:
        self._server.start()
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "awslambdaric", self.function.handler],  # -S leaves site-packages out
            cwd=self.function.path[0],
            env=self._variables,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        loaded = self._answer(INIT_SECONDS)
        self.init_seconds = time.perf_counter() - began
        self.failed = loaded and loaded.payload
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._events.put(Response(410))  # to nobody: it ends the thread that held the next event back
        self._server.close()
        self._output.close()

    def invoke(self, event: Any) -> Result:
        """The answer, once the environment is ready for the next event."""
        deadline = int((time.time() + self.function.timeout) * 1000)
        headers = (
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", str(uuid.uuid4())),
            ("Lambda-Runtime-Deadline-Ms", str(deadline)),
            ("Lambda-Runtime-Invoked-Function-Arn", self.function.arn),
            ("Lambda-Runtime-Trace-Id", f"Root=1-{deadline // 1000:08x}-{uuid.uuid4().hex[:24]};Sampled=0"),
        )
        self._events.put(Response(200, headers, json.dumps(event).encode()))
        answer = self._answer(self.function.timeout)
        assert answer, self.output
        assert self._answer(self.function.timeout) is None, self.output
        return answer

    @property
    def output(self) -> str:
        return os.pread(self._output.fileno(), 1 << 20, 0).decode()

    @property
    def peak_megabytes(self) -> int:
        """Of memory that was resident, or 0 where there is no /proc."""
        status = Path(f"/proc/{self._process.pid}/status")
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
        return int(found[1]) // 1024 if found else 0

    def _answer(self, seconds: float) -> Result | None:
        """None is the sign that the environment asks for an event."""
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            raise AssertionError(f"{self.function.logical_id} is silent:\n{self.output}") from None

    def _respond(self, request: Request) -> Response:
        if request.method == "GET":
            self._answers.put(None)
            return self._events.get()
        self._answers.put(Result(json.loads(request.body), failed=request.target.endswith("/error")))
        return Response(202)

"""The functions, run as Lambda runs them: each environment a process of its own, with its own os.environ and
credentials, one invocation at a time; a second environment when the first is busy, up to a few.

The processes are forked from a server that has the heavy libraries loaded, so a first call takes tens of milliseconds.
Like Lambda, an environment that overruns its time or dies is thrown away and the next call gets a new one. Unlike
Lambda there is no CPU share, no memory limit and no freeze between calls, and code is read when an environment starts.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import signal
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from local import clock
from local.template import Function

ENVIRONMENTS = 4
INIT_SECONDS = 10

Log = Callable[[str, str], None]
"""Takes the function's logical id and one line."""


@dataclass(frozen=True, slots=True)
class Result:
    """`payload` is what the handler returned, or Lambda's error object if it `failed`."""

    payload: Any
    failed: bool = False


class Context:
    """The attributes of Lambda's context object that handlers and Powertools read."""

    def __init__(self, function: Function, request_id: str, deadline: float) -> None:
        self.function_name = function.name
        self.function_version = "$LATEST"
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory)
        self.aws_request_id = request_id
        self.log_group_name = function.log_group
        self.log_stream_name = f"local/[$LATEST]{function.logical_id}"
        self.identity = None
        self.client_context = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


def _failure(error: BaseException) -> str:
    return json.dumps(
        {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "stackTrace": traceback.format_tb(error.__traceback__),
        }
    )


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(0)


def _environment(
    function: Function, variables: dict[str, str], offset_file: Path | None, calls: Connection, output: Connection
) -> None:
    """The life of one environment, in its own process: load the handler, then answer until the line goes dead."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    output.close()
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    if offset_file is not None:
        clock.shift(offset_file)
    sys.path[:0] = map(str, function.path)
    try:
        module, _, name = function.handler.rpartition(".")
        handler = getattr(importlib.import_module(module), name)
    except Exception as error:  # noqa: BLE001 - Lambda reports whatever a module raises
        traceback.print_exc()
        calls.send((_failure(error), True))
        return
    with suppress(EOFError, OSError):  # the other end has hung up
        calls.send(None)
        while True:
            event, request_id, deadline = calls.recv()
            try:
                answer = json.dumps(handler(json.loads(event), Context(function, request_id, deadline))), False
            except Exception as error:  # noqa: BLE001 - so too what a handler raises
                traceback.print_exc()
                answer = _failure(error), True
            calls.send(answer)


_starting = threading.Lock()


def _start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """multiprocessing would import this program's main module into every child: for a moment there is none."""
    process = multiprocessing.get_context("forkserver").Process(target=target, args=arguments, daemon=True)
    with _starting:
        main, sys.modules["__main__"] = sys.modules["__main__"], ModuleType("__main__")
        try:
            process.start()
        finally:
            sys.modules["__main__"] = main
    return process


def _nothing() -> None:
    """Done as soon as the fork server has its libraries."""


class _Environment:
    def __init__(self, function: Function, variables: dict[str, str], offset_file: Path | None, log: Log) -> None:
        self._function = function
        self._calls, theirs = multiprocessing.Pipe()
        reader, output = multiprocessing.Pipe(duplex=False)
        self._process = _start(_environment, function, variables, offset_file, theirs, output)
        theirs.close()
        output.close()
        self._pump = threading.Thread(target=self._pass_on, args=(reader, log), daemon=True)
        self._pump.start()
        self.broken = self._answer(INIT_SECONDS)

    def _pass_on(self, reader: Connection, log: Log) -> None:
        with open(reader.fileno(), encoding="utf-8", errors="replace", closefd=False) as lines:
            for line in lines:
                log(self._function.logical_id, line.rstrip("\n"))
        reader.close()

    def invoke(self, event: str) -> Result:
        request_id, deadline = str(uuid.uuid4()), time.time() + self._function.timeout
        with suppress(OSError):  # it is dead: the answer says so
            self._calls.send((event, request_id, deadline))
        return self._answer(self._function.timeout) or Result(None)

    def _answer(self, seconds: float) -> Result | None:
        """None is the sign that the handler is loaded."""
        try:
            if self._calls.poll(seconds):
                answer: tuple[str, bool] | None = self._calls.recv()
                return answer and Result(json.loads(answer[0]), answer[1])
            reason = {"errorType": "Sandbox.Timedout", "errorMessage": f"Task timed out after {seconds:.2f} seconds"}
        except (EOFError, OSError):
            self._process.join(1)
            status = f"exit status {self._process.exitcode}"
            reason = {"errorType": "Runtime.ExitError", "errorMessage": f"Runtime exited with error: {status}"}
        self.stop()
        return Result(reason, failed=True)

    @property
    def alive(self) -> bool:
        return self.broken is None and not self._calls.closed and self._process.is_alive()

    def kill(self) -> None:
        """From any thread: whoever waits for an answer gets the end of the line."""
        with suppress(ValueError):  # it is stopped
            self._process.kill()

    def stop(self) -> None:
        self.kill()
        self._calls.close()
        self._process.join()
        self._process.close()
        self._pump.join(1)


class Runtime:
    """`invoke` may be called from many threads. `log` gets every line that a function prints. `offset_file` moves the
    functions' clock, see `local.clock`."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        environment: Callable[[str], dict[str, str]],
        log: Log,
        offset_file: Path | None = None,
    ) -> None:
        self._offset_file = offset_file
        self._functions, self._variables, self._log = functions, environment, log
        self._free: dict[str, list[_Environment]] = {name: [] for name in functions}
        self._all: set[_Environment] = set()
        self._places = {name: threading.Semaphore(ENVIRONMENTS) for name in functions}
        _start_forkserver([path for function in functions.values() for path in map(str, function.path)])

    def invoke(self, function: str, event: Mapping[str, Any]) -> Result:
        with self._places[function]:
            environment = self._free_environment(function)
            try:
                return environment.broken or environment.invoke(json.dumps(event))
            finally:
                if environment.alive:
                    self._free[function].append(environment)
                else:
                    self._all.discard(environment)

    def _free_environment(self, function: str) -> _Environment:
        with suppress(IndexError):
            while True:
                environment = self._free[function].pop()
                if environment.alive:
                    return environment
        environment = _Environment(self._functions[function], self._variables(function), self._offset_file, self._log)
        self._all.add(environment)
        return environment

    def warm(self) -> None:
        """Waits until a first call is a fork and no more."""
        _start(_nothing).join()

    def close(self) -> None:
        for environment in list(self._all):
            environment.kill()
        for environment in chain.from_iterable(self._free.values()):
            environment.stop()


def _start_forkserver(path: list[str]) -> None:
    """One for the whole process, and it ends with it. Its libraries are found by PYTHONPATH, since Python 3.11 does not
    hand over sys.path before it loads them; Ctrl-C is kept from it while it does."""
    multiprocessing.set_forkserver_preload(["local.preload"])
    before = os.environ.get("PYTHONPATH")
    multiprocessing.resource_tracker.ensure_running()  # on its own start it would lift the block again
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([*sys.path, *path]))
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before

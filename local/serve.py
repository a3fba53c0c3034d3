"""The whole bundle on this machine until Ctrl-C: stack, functions, gateway, timer, and the demo tenant.

PORT        where the HTTP API listens (3000)
SAMPLE_PORT where the sample API listens that Keywright's authorizer guards (ten after PORT; if taken, a free one)
SWEEP_SECONDS how often the sweep runs (as in the template)
LOCAL_CLOCK_OFFSET_FILE a file with the seconds by which the functions' clock is ahead (none), read at each use
AWS_PORT    where the stand-in for AWS listens, so that `sam local` can be pointed at it (4566; if taken, a free one)
AWS_HOST    on which address that is (127.0.0.1; containers on Linux reach only an address of Docker's bridge)
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from local import clock, demo
from local.gateway import Gateway
from local.iam import Call, PolicyError
from local.outbox import Outbox
from local.runtime import Runtime
from local.schedule import Scheduler
from local.server import Response
from local.stack import PARAMETERS, Stack
from local.streams import EventPrinter, Followers
from local.template import Template, TemplateError

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"
SAMPLE = ROOT / "docs/samples/guarded-api/template.yaml"
AWS_PORT = 4566
"""What local/sam-env.json names."""

DEMO = ROOT / ".local/demo.env"
OUTBOX = ROOT / ".local/outbox"


class CannotStart(Exception):
    """Says in one line why."""


def serve() -> None:
    """Ends in a KeyboardInterrupt, by Ctrl-C or SIGTERM, with everything stopped. Raises CannotStart."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    port, aws_port = _port("PORT", 3000), _port("AWS_PORT", AWS_PORT)
    offset_file = _offset_file("LOCAL_CLOCK_OFFSET_FILE")
    with ExitStack() as running:
        try:
            template = Template.load(TEMPLATE, PARAMETERS)
            stack = running.enter_context(_stack(template, aws_port))
            sample = Template.load(SAMPLE, stack="sample", beside=template)
        except (PolicyError, TemplateError) as error:
            raise CannotStart(str(error)) from error
        stack.aws.records = False
        functions = {**template.functions, **sample.functions}

        def environment(name: str) -> dict[str, str]:
            # One-time links lead to where the gateway has come to listen. Nobody here reads metrics, and among them
            # nobody would find the lines that say what happened.
            local = {"KEYWRIGHT_PUBLIC_URL": gateway.url, "POWERTOOLS_METRICS_DISABLED": "true"}
            return {**stack.environment_of(functions[name]), **local}

        runtime = running.enter_context(closing(Runtime(functions, environment, _log, offset_file)))
        gateway = running.enter_context(closing(_gateway(template, runtime, port)))
        guarded = running.enter_context(closing(_sample_gateway(sample, runtime, gateway.port)))
        followers = Followers(stack, template.stream_sources, runtime.invoke, _say)
        values = {"KEYWRIGHT_URL": gateway.url, "SAMPLE_URL": guarded.url, **dict(demo.seed(stack))}
        _watch(stack, Outbox(OUTBOX, _say).watch, EventPrinter(_say, since=time.time()).watch, followers.watch)
        _write(values)
        runtime.warm()
        gateway.start()
        guarded.start()
        every = _seconds("SWEEP_SECONDS")
        scheduler = running.enter_context(closing(Scheduler(template.schedules, runtime.invoke, every)))
        scheduler.start()
        running.enter_context(closing(followers)).start()
        _say(f"Keywright is ready on {gateway.url}")
        _say(f"Operator token: {values['KEYWRIGHT_OPERATOR_TOKEN']}")
        _say(f"This and every other credential of the demo tenant: {DEMO.relative_to(ROOT)}")
        for example in demo.examples(gateway.url, list(values.items())):
            _say(f"\n{example}")
        _say(f"\nAn API that Keywright's authorizer guards, {SAMPLE.parent.relative_to(ROOT)}, is on {guarded.url}:")
        _say(f"curl -i {guarded.url}/orders -H 'Authorization: Bearer {values['SAMPLE_KEY']}'")
        _say(f"\nMail is not sent; it lies in {OUTBOX.relative_to(ROOT)}, a file each.")
        _say("Events that the stream hands to the bus are said here, a line each.")
        _say(f"AWS is played on {stack.url}. All data lives as long as this process; Ctrl-C ends it.")
        threading.Event().wait()


def _watch(stack: Stack, *watchers: Callable[[Call, Response], None]) -> None:
    def watch(call: Call, answer: Response) -> None:
        for each in watchers:
            each(call, answer)

    stack.aws.watch = watch


def _stack(template: Template, port: int) -> Stack:
    host = os.environ.get("AWS_HOST", "127.0.0.1")
    try:
        try:
            return Stack(template, host, port)
        except OSError as error:
            stack = Stack(template, host)
            _say(f"Port {port}: {error.strerror}. AWS is played on {stack.url} instead.")
            return stack
    except OSError as error:
        raise CannotStart(f"AWS_HOST {host}: {error.strerror}") from error


def _gateway(template: Template, runtime: Runtime, port: int) -> Gateway:
    try:
        return Gateway(template.routes, runtime.invoke, port=port, log=_log)
    except OSError as error:
        raise CannotStart(f"Port {port}: {error.strerror}. Another one: PORT={port + 1} make run") from error


def _sample_gateway(sample: Template, runtime: Runtime, beside: int) -> Gateway:
    """On the port that is asked for, else ten after `beside`, else on a free one."""
    asked = _port("SAMPLE_PORT", 0)
    try:
        return Gateway(
            sample.routes, runtime.invoke, port=asked or (beside + 10) % 65536, log=_log, variables=sample.variables
        )
    except OSError as error:
        if asked:
            raise CannotStart(f"SAMPLE_PORT {asked}: {error.strerror}") from error
        return Gateway(sample.routes, runtime.invoke, log=_log, variables=sample.variables)


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise CannotStart(f"{name} is {text!r}, which is no port number.")
    return int(text)


def _seconds(name: str) -> int | None:
    text = os.environ.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 86_400):
        raise CannotStart(f"{name} is {text!r}, which is no number of seconds from 1 to 86400.")
    return int(text)


def _offset_file(name: str) -> Path | None:
    text = os.environ.get(name)
    if not text:
        return None
    path = Path(text).absolute()
    try:
        clock.read(path)
    except (OSError, ValueError) as error:
        raise CannotStart(f"{name} is {text!r}, which holds no number of seconds.") from error
    return path


def _write(values: Mapping[str, str]) -> None:
    """For a shell to source: every value is quoted."""
    DEMO.parent.mkdir(exist_ok=True)
    DEMO.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))
    DEMO.chmod(0o600)


_printing = threading.Lock()


def _say(line: str) -> None:
    """Whole lines, whichever thread they come from."""
    with _printing:
        print(line, flush=True)


def _log(function: str, line: str) -> None:
    _say(f"[{function}] {line}")

"""The whole bundle on this machine until Ctrl-C: stack, functions, gateway, timer, and the demo tenant.

PORT        where the HTTP API listens (3000)
AWS_PORT    where the stand-in for AWS listens, so that `sam local` can be pointed at it (4566; if taken, a free one)
AWS_HOST    on which address that is (127.0.0.1; containers on Linux reach only an address of Docker's bridge)
"""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from local import demo
from local.gateway import Gateway
from local.iam import PolicyError
from local.outbox import Outbox
from local.runtime import Runtime
from local.schedule import Scheduler
from local.stack import PARAMETERS, Stack
from local.template import Template, TemplateError

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "template.yaml"
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
    with ExitStack() as running:
        try:
            template = Template.load(TEMPLATE, PARAMETERS)
            stack = running.enter_context(_stack(template, aws_port))
        except (PolicyError, TemplateError) as error:
            raise CannotStart(str(error)) from error
        stack.aws.records = False
        stack.aws.watch = Outbox(OUTBOX, _say).watch
        runtime = running.enter_context(closing(Runtime(template.functions, stack.environment, _log)))
        gateway = running.enter_context(closing(_gateway(template, runtime, port)))
        values = {"KEYWRIGHT_URL": gateway.url, **dict(demo.seed(stack))}
        _write(values)
        runtime.warm()
        gateway.start()
        scheduler = running.enter_context(closing(Scheduler(template.schedules, runtime.invoke)))
        scheduler.start()
        _say(f"Keywright is ready on {gateway.url}")
        _say(f"Operator token: {values['KEYWRIGHT_OPERATOR_TOKEN']}")
        _say(f"This and every other credential of the demo tenant: {DEMO.relative_to(ROOT)}")
        for example in demo.examples(gateway.url, list(values.items())):
            _say(f"\n{example}")
        _say(f"\nMail is not sent; it lies in {OUTBOX.relative_to(ROOT)}, a file each.")
        _say(f"AWS is played on {stack.url}. All data lives as long as this process; Ctrl-C ends it.")
        threading.Event().wait()


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


def _port(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise CannotStart(f"{name} is {text!r}, which is no port number.")
    return int(text)


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

"""One small stack, its functions and its gateway, for all tests of the local stack itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.gateway import Gateway
from local.runtime import Runtime
from local.stack import Stack

TEMPLATE = Path(__file__).with_name("template.yaml")
ACCOUNT = "111111111111"
"""Not the default one, in which another test's stack may be open."""


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack.from_template(TEMPLATE, account=ACCOUNT) as stack:
        yield stack


@pytest.fixture(scope="session")
def lines() -> list[tuple[str, str]]:
    """What functions have printed."""
    return []


@pytest.fixture(scope="session")
def runtime(stack: Stack, lines: list[tuple[str, str]]) -> Iterator[Runtime]:
    runtime = Runtime(stack.template.functions, stack.environment, lambda *line: lines.append(line))
    yield runtime
    runtime.close()


@pytest.fixture(scope="session")
def gateway(stack: Stack, runtime: Runtime) -> Iterator[Gateway]:
    gateway = Gateway(stack.template.routes, runtime.invoke)
    gateway.start()
    yield gateway
    gateway.close()

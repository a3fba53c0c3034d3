"""local.runtime: functions in processes of their own, as Lambda runs them."""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from local.runtime import Runtime
from local.stack import Stack


def seen(runtime: Runtime) -> dict[str, Any]:
    result = runtime.invoke("EchoEvent", {"routeKey": "a route"})
    assert not result.failed
    body: dict[str, Any] = json.loads(result.payload["body"])
    return body


def eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_function_sees_its_own_environment_and_nothing_of_ours(
    stack: Stack, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_PARENT", "secret")
    environment = seen(runtime)["environment"]
    environment.pop("LC_CTYPE", None)  # Python's own doing when it starts without a locale
    assert environment == stack.environment("EchoEvent")
    assert environment["AWS_ACCESS_KEY_ID"] == "LOCALEchoEvent"
    assert environment["AWS_ENDPOINT_URL"] == stack.url
    assert environment["STAGE"] == "local"


def test_an_environment_is_used_again(runtime: Runtime) -> None:
    first, second = seen(runtime), seen(runtime)
    assert first["process"] == second["process"] != os.getpid()
    assert first["request"] != second["request"]


def test_the_context_tells_the_time_that_is_left(runtime: Runtime) -> None:
    answer = seen(runtime)
    assert 2000 < answer["remaining"] <= 3000
    assert answer["function"] == "keywright-EchoEvent"


def test_a_busy_environment_is_joined_by_others_up_to_four(runtime: Runtime) -> None:
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(runtime.invoke, "EchoMisbehave", {"body": "nap"}) for _ in range(8)]
        processes = {call.result().payload["body"] for call in calls}
    assert len(processes) == 4


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        ("raise", "RuntimeError", "on purpose"),
        ("sleep", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("die", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("unserializable", "TypeError", "Object of type set is not JSON serializable"),
    ],
)
def test_what_goes_wrong_is_reported_as_lambda_does(runtime: Runtime, how: str, kind: str, said: str) -> None:
    result = runtime.invoke("EchoMisbehave", {"body": how})
    assert result.failed
    assert (result.payload["errorType"], result.payload["errorMessage"]) == (kind, said)
    assert not runtime.invoke("EchoMisbehave", {"body": "well"}).failed


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("nowhere.handler", "ModuleNotFoundError"),
        ("broken.handler", "FileNotFoundError"),
        ("event.no", "AttributeError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_says_why_each_time(stack: Stack, handler: str, kind: str) -> None:
    functions = {"Broken": replace(stack.template.functions["EchoEvent"], handler=f"echo.{handler}")}
    runtime = Runtime(functions, lambda _: {}, lambda *_: None)
    for _ in range(2):
        result = runtime.invoke("Broken", {})
        assert result.failed
        assert result.payload["errorType"] == kind
    runtime.close()


def test_closing_ends_a_call_that_is_under_way(stack: Stack) -> None:
    runtime = Runtime(stack.template.functions, stack.environment, lambda *_: None)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(runtime.invoke, "EchoMisbehave", {"body": "sleep"})
        time.sleep(0.5)
        runtime.close()
        result = call.result(timeout=5)
    assert result.failed
    assert result.payload["errorType"] == "Runtime.ExitError"


def test_what_a_function_prints_arrives_line_by_line(runtime: Runtime, lines: list[tuple[str, str]]) -> None:
    lines.clear()
    runtime.invoke("EchoEvent", {"routeKey": "one"})
    runtime.invoke("EchoMisbehave", {"body": "raise"})
    assert eventually(lambda: ("EchoMisbehave", "RuntimeError: on purpose") in lines)
    assert ("EchoEvent", "HEARD one") in lines


def test_closing_leaves_no_process_behind(stack: Stack) -> None:
    runtime = Runtime(stack.template.functions, stack.environment, lambda *_: None)
    process = seen(runtime)["process"]
    assert is_running(process)
    runtime.close()
    assert eventually(lambda: not is_running(process))

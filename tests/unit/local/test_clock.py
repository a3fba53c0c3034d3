"""A clock that is moved ahead by a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import clock
from local.runtime import Runtime
from local.stack import Stack
from tests.unit.local.test_runtime import seen

DAY = 86_400


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "offset"


def test_it_goes_by_what_stands_in_the_file_at_each_use(file: Path) -> None:
    shifted = clock.shifted(file, lambda: 5)
    assert shifted() == 5
    file.write_text("2\n")
    assert shifted() == 2_000_000_005
    file.write_text("-1")
    assert shifted() == -999_999_995
    file.unlink()
    assert shifted() == 5


@pytest.mark.parametrize("half_written", ["", "3x", "9" * 5000, "²"])
def test_what_cannot_be_understood_leaves_it_as_it_is(file: Path, half_written: str) -> None:
    shifted = clock.shifted(file, lambda: 5)
    file.write_text("2")
    assert shifted() == 2_000_000_005
    file.write_text(half_written)
    assert shifted() == 2_000_000_005


@pytest.mark.parametrize("said", ["", "soon", "1.5", str(clock.FARTHEST + 1)])
def test_an_offset_is_a_number_of_seconds_within_a_hundred_years(file: Path, said: str) -> None:
    file.write_text(said)
    with pytest.raises(ValueError, match=r"."):
        clock.read(file)


@pytest.fixture
def ahead(stack: Stack, file: Path) -> Iterator[Runtime]:
    runtime = Runtime(stack.template.functions, stack.environment, lambda *_: None, file)
    yield runtime
    runtime.close()


def test_a_function_tells_the_time_by_it_and_its_deadline_stays(ahead: Runtime, file: Path) -> None:
    file.write_text(str(30 * DAY))
    first = seen(ahead)
    file.write_text(str(60 * DAY))
    second = seen(ahead)
    assert first["process"] == second["process"]
    passed = [round((told["time_ns"] / 1e9 - time.time()) / DAY) for told in (first, second)]
    assert passed == [30, 60]
    assert 2000 < second["remaining"] <= 3000


def test_the_process_that_serves_keeps_its_own_time(ahead: Runtime, file: Path) -> None:
    file.write_text(str(30 * DAY))
    before = seen(ahead)
    assert abs(time.time_ns() / 1e9 - time.time()) < 60
    assert before["time_ns"] / 1e9 > time.time() + 29 * DAY

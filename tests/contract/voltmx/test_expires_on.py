"""`expiresOn` of Add App API Key is a time of the installation's zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from keywright import errors
from keywright.dialects.voltmx.wire import AddAppApiKey, instant

ZURICH = ZoneInfo("Europe/Zurich")
LONG_AGO = 0


def utc(text: str, zone: str) -> str:
    moment = datetime.fromtimestamp(instant(text, ZoneInfo(zone)) / 1000, UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("UTC", "09/29/2025 09:30:00", "2025-09-29 09:30:00"),
        ("Europe/Zurich", "01/15/2026 12:00:00", "2026-01-15 11:00:00"),
        ("Europe/Zurich", "07/15/2026 12:00:00", "2026-07-15 10:00:00"),
        ("America/New_York", "01/15/2026 12:00:00", "2026-01-15 17:00:00"),
        ("Asia/Kolkata", "01/15/2026 00:00:00", "2026-01-14 18:30:00"),
        ("Pacific/Kiritimati", "01/01/2026 00:00:00", "2025-12-31 10:00:00"),
    ],
)
def test_a_date_is_read_in_the_installations_zone(zone: str, local: str, expected: str) -> None:
    assert utc(local, zone) == expected


def test_a_time_that_clocks_show_twice_is_the_first() -> None:
    assert utc("10/25/2026 02:30:00", "Europe/Zurich") == "2026-10-25 00:30:00"
    assert utc("10/25/2026 03:00:00", "Europe/Zurich") == "2026-10-25 02:00:00"
    assert utc("11/01/2026 01:30:00", "America/New_York") == "2026-11-01 05:30:00"


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/Zurich", "03/29/2026 02:00:00"),
        ("Europe/Zurich", "03/29/2026 02:59:59"),
        ("America/New_York", "03/08/2026 02:30:00"),
        ("Australia/Lord_Howe", "10/04/2026 02:15:00"),
    ],
)
def test_a_time_that_clocks_skip_is_invalid(zone: str, local: str) -> None:
    with pytest.raises(ValueError, match="skip"):
        instant(local, ZoneInfo(zone))


def test_the_seconds_around_a_gap_are_valid() -> None:
    assert utc("03/29/2026 01:59:59", "Europe/Zurich") == "2026-03-29 00:59:59"
    assert utc("03/29/2026 03:00:00", "Europe/Zurich") == "2026-03-29 01:00:00"


@pytest.mark.parametrize(
    ("zone", "local"), [("Asia/Tokyo", "01/01/0001 00:00:00"), ("America/New_York", "12/31/9999 23:00:00")]
)
def test_a_time_beyond_the_calendar_is_invalid(zone: str, local: str) -> None:
    with pytest.raises(ValueError, match="calendar"):
        instant(local, ZoneInfo(zone))


def test_a_key_expires_in_the_future_of_its_zone() -> None:
    sent = {"appId": ["1"], "expiresOn": ["07/15/2026 12:00:00"]}
    due = instant("07/15/2026 12:00:00", ZURICH)

    assert AddAppApiKey.read(sent, zone=ZURICH, now_ms=due - 1).expires_at_ms == due
    for now_ms in (due, due + 1):
        with pytest.raises(errors.FieldInvalid) as refused:
            AddAppApiKey.read(sent, zone=ZURICH, now_ms=now_ms)
        assert refused.value.field == "expiresOn"


def test_what_never_expires_has_no_date_in_any_zone() -> None:
    sent = {"appId": ["1"], "neverExpires": ["true"], "expiresOn": ["03/29/2026 02:30:00"]}

    assert AddAppApiKey.read(sent, zone=ZURICH, now_ms=LONG_AGO).expires_at_ms is None

"""When an answer need not be asked for again."""

from datetime import UTC, date, datetime

import pytest

from producer.pulling.history import BusinessDays
from producer.settings import Settings

DAYS = BusinessDays(Settings.model_construct())
DAY = date(2024, 1, 1)  # ends 2024-01-02 04:00 at the store, 07:00 UTC


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2024-01-02T06:59:59", "2024-01-01"), ("2024-01-02T07:00:00", "2024-01-02")],
)
def test_a_business_day_ends_at_four_at_the_store(moment: str, day: str) -> None:
    assert DAYS.day_of(utc(moment)).isoformat() == day


@pytest.mark.parametrize(
    ("pulled_at", "now", "current"),
    [
        ("2024-01-02T06:59:59", "2024-01-02T07:00:00", False),  # the day was running
        ("2024-01-02T06:59:59", "2025-01-01T00:00:00", False),
        ("2024-01-02T07:00:00", "2024-01-02T07:59:59", True),  # over, and fresh
        ("2024-01-02T07:00:00", "2024-01-02T08:00:00", False),  # over, corrections may have come
        ("2024-01-16T06:59:59", "2024-01-16T09:00:00", False),
        ("2024-01-16T07:00:00", "2024-01-16T09:00:00", True),  # final
        ("2024-01-16T07:00:00", "2030-01-01T00:00:00", True),
        ("2030-01-01T00:00:00", "2024-01-01T12:00:00", False),  # a clock that was wrong
    ],
)
def test_an_answer_is_current_when_it_is_final_or_fresh(
    pulled_at: str, now: str, *, current: bool
) -> None:
    assert DAYS.is_current(utc(pulled_at), DAY, utc(now)) is current


def test_the_last_day_of_the_calendar_is_a_day_like_any_other() -> None:
    assert (
        DAYS.is_current(utc("2024-01-01T00:00:00"), date.max, utc("2024-01-01T00:00:00")) is False
    )

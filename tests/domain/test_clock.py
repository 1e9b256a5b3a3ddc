"""Working time: deadlines across nights, week-ends, holidays, clock changes; and that `due` and `worked` agree."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import Calendar
from domain.departments import ALWAYS, COUNTER, OFFICE, Hours

PARIS = ZoneInfo("Europe/Paris")


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


PLAIN = Calendar(PARIS)
MONDAY_OFF = Calendar(PARIS, lambda day: day == date(2026, 3, 9))


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "due"),
    [
        (PLAIN, at(3, 10), 2, at(3, 12)),  # inside a day
        (PLAIN, at(3, 17), 2, at(4, 10)),  # over a night
        (PLAIN, at(6, 17), 2, at(9, 10)),  # over a week-end (the 6th is a Friday)
        (MONDAY_OFF, at(6, 17), 2, at(10, 10)),  # and a holiday
        (PLAIN, at(7, 12), 1, at(9, 10)),  # said on a Saturday
        (PLAIN, at(3, 6), 1, at(3, 10)),  # before opening
        (PLAIN, at(3, 10), 9, at(3, 18) + timedelta(hours=16)),  # exactly one day later: opening + 1 h
        (PLAIN, at(27, 17), 2, at(30, 10)),  # the clocks go forward on the 29th
    ],
)
def test_due_in_office_hours(calendar: Calendar, start: datetime, hours: float, due: datetime) -> None:
    assert calendar.due(start, timedelta(hours=hours), OFFICE) == due


def test_always_open_counts_every_minute_even_when_the_clocks_change() -> None:
    start = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    assert PLAIN.due(start, timedelta(hours=10), ALWAYS) == start + timedelta(hours=10)
    assert PLAIN.worked(start, start + timedelta(days=2), ALWAYS) == timedelta(days=2)


def test_hours_that_never_open_are_refused() -> None:
    with pytest.raises(ValueError, match="never open"):
        PLAIN.due(at(3, 10), timedelta(hours=1), Hours(()))


def test_local_day_is_the_shops() -> None:
    assert PLAIN.local_day(datetime(2026, 3, 2, 23, 30, tzinfo=UTC)) == date(2026, 3, 3)


@given(
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1)).map(lambda moment: moment.replace(tzinfo=UTC)),
    minutes=st.integers(1, 60 * 60),
    hours=st.sampled_from([OFFICE, COUNTER, ALWAYS, Hours(((7, time(10), time(10, 30)),))]),
)
def test_what_is_due_after_a_duration_is_worked_for_that_duration(start: datetime, minutes: int, hours: Hours) -> None:
    duration = timedelta(minutes=minutes)
    if hours not in {OFFICE, COUNTER, ALWAYS}:
        duration /= 10  # half an hour a week: keep inside the horizon
    due = PLAIN.due(start, duration, hours)
    assert due > start
    assert PLAIN.worked(start, due, hours) == duration
    assert PLAIN.worked(start, due - timedelta(seconds=1), hours) < duration

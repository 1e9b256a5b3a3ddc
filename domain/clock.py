"""Working time: when an answer is due, given opening hours, public holidays and the shop's time zone.

Pure: the set of public holidays is handed in (the doors read it from a library), so is `now`. All results are aware UTC.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.departments import Hours

Now = Callable[[], datetime]
_HORIZON_DAYS = 400  # a deadline further away than this means that the hours are never open


def utc_now() -> datetime:
    """The present, aware UTC; tests hand in a fixed one instead."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Calendar:
    """A shop's time zone and the days on which it is closed.

    Args:
        zone: IANA time zone of the shop, e.g. ``Europe/Paris``.
        is_holiday: tells public holidays; asked once for each day that a deadline crosses.
    """

    zone: ZoneInfo
    is_holiday: Callable[[date], bool] = lambda _day: False

    def local_day(self, moment: datetime) -> date:
        """The shop's calendar day of an aware moment."""
        return moment.astimezone(self.zone).date()

    def _openings(self, hours: Hours, first: date) -> Iterator[tuple[datetime, datetime]]:
        # Opening spans in UTC, from `first` on. Converted per day: a working hour stays an hour when the clocks change.
        for offset in range(_HORIZON_DAYS):
            day = first + timedelta(days=offset)
            if hours.closed_on_holidays and self.is_holiday(day):
                continue
            for weekday, opens, closes in hours.days:
                if weekday == day.isoweekday():
                    end = (
                        datetime.combine(day + timedelta(days=1), time(0), self.zone)
                        if closes == time.max
                        else datetime.combine(day, closes, self.zone)
                    )
                    yield datetime.combine(day, opens, self.zone).astimezone(UTC), end.astimezone(UTC)

    def due(self, start: datetime, duration: timedelta, hours: Hours) -> datetime:
        """The moment at which `duration` of working time has passed since `start`.

        Raises:
            ValueError: the hours are not open once in the next 400 days.
        """
        left = duration
        for opens, closes in self._openings(hours, self.local_day(start)):
            begin = max(opens, start)
            if begin >= closes:
                continue
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
        raise ValueError("these opening hours are never open")

    def worked(self, start: datetime, end: datetime, hours: Hours) -> timedelta:
        """Working time between two moments; zero where `end` is not after `start`."""
        total = timedelta()
        for opens, closes in self._openings(hours, self.local_day(start)):
            if opens >= end:
                break
            span = min(closes, end) - max(opens, start)
            if span > timedelta():
                total += span
        return total

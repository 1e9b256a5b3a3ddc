"""Dates as exports write them, read into aware UTC: ISO 8601, RFC 2822, epochs, 24/02/2015, Excel's, "24 février 2015".

Pure. Says whether a time zone was missing and whether day and month could be swapped, so that the caller can tell the
person. Relative dates ("2 days ago") are refused: they mean something else at each import. To add a form, add a pattern.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

NOON = time(12)  # a day without an hour: noon stays on the same day in all of Europe and America
_YEARS = range(1970, 2101)
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's day zero, local by nature
_EXCEL_DAYS = range(20_000, 80_000)  # 1954 .. 2119
_EPOCH_SECONDS = (500_000_000, 4_200_000_000)  # 1985 .. 2103

_CLOCK = (
    r"(?:\s*,?\s*(?:T|à|at|a|-)?\s*(?P<hour>\d{1,2})[:hH](?P<minute>\d{2})?(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<zone>Z|[A-Z]{2,4}|[+-]\d{2}:?\d{2})?(?:\s*\([^)]*\))?)?"
)
_LONGEST = 64  # characters; no date is longer, and patterns must not labour on what a stranger wrote
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_CLOCK_ALONE = re.compile(_CLOCK, re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})" + _CLOCK, re.IGNORECASE)
_SLASHED = re.compile(r"(?P<one>\d{1,2})[/.-](?P<two>\d{1,2})[/.-](?P<year>\d{4}|\d{2})" + _CLOCK, re.IGNORECASE)
_WEEKDAY = r"(?:[^\W\d]{2,9}\.?,?\s+)?"
_DAY_WORD = re.compile(
    _WEEKDAY + r"(?P<day>\d{1,2})(?:er|st|nd|rd|th)?[\s-]+(?P<word>[^\W\d]{3,9})\.?,?[\s-]+(?P<year>\d{4})" + _CLOCK,
    re.IGNORECASE,
)
_WORD_DAY = re.compile(
    _WEEKDAY + r"(?P<word>[^\W\d]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})" + _CLOCK,
    re.IGNORECASE,
)
_YEAR_LAST = re.compile(  # Tue Feb 24 11:35:52 +0000 2015
    r"[A-Z]{3}\s+(?P<word>[A-Z]{3})\s+(?P<day>\d{1,2})\s+(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})"
    r"(?P<half>)\s+(?P<zone>[A-Z]{2,4}|[+-]\d{4})\s+(?P<year>\d{4})",
    re.IGNORECASE,
)
_ISO_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$|\s+(?=[+-]\d{2}:?\d{2}$)", re.IGNORECASE)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier janv jan january",
            "fevrier fevr fev february feb",
            "mars mar march",
            "avril avr april apr",
            "mai may",
            "juin june jun",
            "juillet juil july jul",
            "aout aou august aug",
            "septembre sept sep september",
            "octobre oct october",
            "novembre nov november",
            "decembre dec december",
        ),
        start=1,
    )
    for name in names.split()
}
_ZONES = {
    **dict.fromkeys(("z", "ut", "utc", "gmt", "wet"), 0),
    **dict.fromkeys(("cet", "west", "bst"), 1),
    "cest": 2,
    **dict.fromkeys(("est", "cdt"), -5),
    **dict.fromkeys(("cst", "mdt"), -6),
    **dict.fromkeys(("mst", "pdt"), -7),
    "edt": -4,
    "pst": -8,
}


class ReadDate(NamedTuple):
    """A moment, aware UTC, and what a person should know of how it was read."""

    at: datetime
    no_zone: bool = False
    swappable: bool = False


class DateReader:
    """Reads dates of one file.

    Args:
        zone: where dates without a time zone were written.
        day_first: whether 03/04/2024 is in April.
    """

    def __init__(self, zone: ZoneInfo, *, day_first: bool) -> None:
        self.zone = zone
        self.day_first = day_first

    def read(self, value: Any, clock: str = "") -> ReadDate:
        """The moment that `value` names.

        Args:
            clock: the hour, where the file keeps it in a column of its own.

        Raises:
            ValueError: it is no date, or one outside 1970..2100.
        """
        if isinstance(value, bool):
            raise ValueError(f"“{value}” is no date")
        try:
            if isinstance(value, int | float):
                return self._from_number(float(value), clock)
            return self._from_text(str(value).strip(), clock)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"“{str(value)[:60]}” is no date that can be read") from error

    def _from_text(self, text: str, clock: str) -> ReadDate:
        if len(text) > _LONGEST:
            raise ValueError(text)
        if _ISO.match(text):
            return self._from_iso(text, clock)
        if _NUMBER.fullmatch(text):
            return self._from_number(float(text.replace(",", ".")), clock)
        found = _YEAR_FIRST.fullmatch(text)
        if found:
            return self._moment(found, int(found["year"]), int(found["month"]), int(found["day"]), clock)
        found = _SLASHED.fullmatch(text)
        if found:
            return self._from_slashed(found, clock)
        found = _YEAR_LAST.fullmatch(text) or _DAY_WORD.fullmatch(text) or _WORD_DAY.fullmatch(text)
        if found:
            return self._moment(found, int(found["year"]), _month(found["word"]), int(found["day"]), clock)
        raise ValueError(text)

    def _from_iso(self, text: str, clock: str) -> ReadDate:
        if len(text) == 10:
            return self._on_day(date.fromisoformat(text), clock)
        moment = datetime.fromisoformat(_ISO_ZONE.sub(_iso_zone, text))
        return self._checked(moment)

    def _from_number(self, number: float, clock: str) -> ReadDate:
        whole = int(number)
        if whole in _EXCEL_DAYS:
            moment = _EXCEL_EPOCH + timedelta(seconds=round((number % 1) * 86_400), days=whole)
            return self._on_day(moment.date(), clock) if number == whole else self._checked(moment)
        if number == whole and whole // 10_000 in _YEARS and len(str(whole)) == 8:
            return self._on_day(datetime.strptime(str(whole), "%Y%m%d").date(), clock)  # noqa: DTZ007 - a day only
        for scale in (1, 1_000, 1_000_000):
            if _EPOCH_SECONDS[0] <= number / scale < _EPOCH_SECONDS[1]:
                return self._checked(datetime.fromtimestamp(number / scale, UTC))
        raise ValueError(number)

    def _from_slashed(self, found: re.Match[str], clock: str) -> ReadDate:
        one, two, year = int(found["one"]), int(found["two"]), int(found["year"])
        year += 2000 if year < 70 else 1900 if year < 100 else 0
        swappable = one <= 12 and two <= 12 and one != two
        day_first = self.day_first if swappable else one > 12 or (self.day_first and two <= 12)
        day, month = (one, two) if day_first else (two, one)
        return self._moment(found, year, month, day, clock)._replace(swappable=swappable)

    def _moment(self, found: re.Match[str], year: int, month: int, day: int, clock: str) -> ReadDate:
        if found["hour"] is None:
            return self._on_day(date(year, month, day), clock)
        moment = datetime.combine(date(year, month, day), _time_of(found))
        zone = found["zone"]
        return self._checked(moment.replace(tzinfo=_zone(zone)) if zone else moment)

    def _on_day(self, day: date, clock: str) -> ReadDate:
        found = _CLOCK_ALONE.fullmatch(clock.strip()) if 0 < len(clock) <= _LONGEST else None
        hour = _time_of(found) if found and found["hour"] else NOON
        return self._checked(datetime.combine(day, hour))

    def _checked(self, moment: datetime) -> ReadDate:
        no_zone = moment.tzinfo is None
        if moment.year not in _YEARS:
            raise ValueError(moment)
        return ReadDate((moment.replace(tzinfo=self.zone) if no_zone else moment).astimezone(UTC), no_zone)


def day_comes_first(values: Iterable[str]) -> bool | None:
    """Whether these dates write the day before the month, where one of them proves it; None where none does."""
    halves = False
    for value in values:
        found = _SLASHED.fullmatch(value.strip()) if len(value) <= _LONGEST else None
        if not found:
            continue
        if int(found["one"]) > 12:
            return True
        if int(found["two"]) > 12:
            return False
        halves = halves or bool(found["half"])
    return False if halves else None  # a.m. and p.m. are written where the month comes first


def _month(word: str) -> int:
    folded = unicodedata.normalize("NFKD", word.lower()).encode("ascii", "ignore").decode()
    if folded not in _MONTHS:
        raise ValueError(word)
    return _MONTHS[folded]


def _time_of(found: re.Match[str]) -> time:
    hour, half = int(found["hour"]), (found["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError(found[0])
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return time(hour, int(found["minute"] or 0), int(found["second"] or 0))


def _zone(name: str) -> timezone:
    if name[0] in "+-":
        sign = -1 if name[0] == "-" else 1
        return timezone(sign * timedelta(hours=int(name[1:3]), minutes=int(name[-2:])))
    if name.lower() not in _ZONES:
        raise ValueError(name)
    return timezone(timedelta(hours=_ZONES[name.lower()]))


def _iso_zone(found: re.Match[str]) -> str:
    return "" if found[0].isspace() else "+00:00"

"""Every number on a screen, with its formula, its owner, its sample and the very rows behind it.

`INDICATORS` is the glossary, `Indicators` reads it. To add one: a row in the family that it belongs to (subjects,
opinions, answering, trade), its key in the department that shows it (`domain.departments`), then
`python -m store.indicators.glossary` to write docs/indicators.md again.
"""

from dataclasses import replace
from datetime import datetime

from domain.clock import utc_now
from store.engine import Database
from store.indicators import answering, listening, opinions, reading, subjects, trade
from store.indicators.facts import Frame, Row
from store.indicators.values import (
    Dimension,
    DrillRow,
    Indicator,
    Part,
    Reading,
    Scope,
    Spike,
    Verbatim,
    VolumeBy,
    VolumeRow,
)

__all__ = [
    "INDICATORS",
    "INDICATOR_BY_KEY",
    "Dimension",
    "DrillRow",
    "Indicator",
    "Indicators",
    "Part",
    "Reading",
    "Scope",
    "Spike",
    "Verbatim",
    "VolumeBy",
    "VolumeRow",
]

_ROWS: tuple[Row, ...] = (*subjects.ROWS, *opinions.ROWS, *answering.ROWS, *trade.ROWS)
_ROW_BY_KEY = {row[0].key: row for row in _ROWS}

INDICATORS: tuple[Indicator, ...] = tuple(indicator for indicator, _ in _ROWS)
INDICATOR_BY_KEY = {indicator.key: indicator for indicator in INDICATORS}


class Indicators:
    """Reading the indicators. All reads, no writes; an unknown key raises KeyError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _frame(self, scope: Scope, now: datetime | None = None) -> Frame:
        return Frame(scope, now or utc_now(), self._database.calendar, self._database.is_sqlite)

    def _asked(self, key: str, scope: Scope, now: datetime | None, seen_by: tuple[str, ...] = ()) -> tuple[Row, Frame]:
        row = _ROW_BY_KEY[key]
        if row[0].whole_house:
            scope = replace(scope, departments=seen_by)
        return row, self._frame(scope, now)

    def read(self, key: str, scope: Scope, now: datetime) -> Reading:
        """One indicator with its comparison and its history."""
        row, frame = self._asked(key, scope, now)
        with self._database.read() as connection:
            return reading.read(connection, row, frame)

    def rows(
        self,
        key: str,
        scope: Scope,
        now: datetime,
        limit: int = 50,
        offset: int = 0,
        seen_by: tuple[str, ...] = (),
    ) -> list[DrillRow]:
        """The rows that `read` counted: what is bad news first, then the newest. For a rate, its numerator.

        `seen_by`: departments whose cases and messages may be shown, all where empty. A count over the whole house is for
        everybody; the words behind it are not.
        """
        row, frame = self._asked(key, scope, now, seen_by)
        with self._database.read() as connection:
            return reading.rows(connection, row, frame, limit, offset)

    def row_count(self, key: str, scope: Scope, now: datetime, seen_by: tuple[str, ...] = ()) -> int:
        """How many rows `rows` has in all."""
        row, frame = self._asked(key, scope, now, seen_by)
        with self._database.read() as connection:
            return reading.row_count(connection, row, frame)

    def breakdown(self, key: str, scope: Scope, by: Dimension, now: datetime | None = None) -> list[Part]:
        """The indicator for each value of a dimension, the best founded (largest n) first; unknown values are left out.

        Raises:
            ValueError: the indicator has no such dimension (see `Indicator.dimensions`).
        """
        row, frame = self._asked(key, scope, now)
        with self._database.read() as connection:
            return reading.breakdown(connection, row, frame, by)

    def volume(self, scope: Scope, by: VolumeBy, split: VolumeBy | None = None) -> list[VolumeRow]:
        """How many mentions of others: days in order with their zeros, everything else largest first.

        The label "" stands for what is not known yet: the sentiment of a mention that nobody analysed.
        """
        with self._database.read() as connection:
            return listening.volume(connection, self._frame(scope), by, split)

    def verbatims(self, scope: Scope, limit: int = 5) -> list[Verbatim]:
        """Ordinary words, shared out over sentiments and intents as the mentions are; the commonest kind first."""
        with self._database.read() as connection:
            return listening.verbatims(connection, self._frame(scope), limit)

    def spikes(self, scope: Scope) -> list[Spike]:
        """Days on which everything, a network or an intent was louder than its week; the loudest first."""
        with self._database.read() as connection:
            return listening.spikes(connection, self._frame(scope))

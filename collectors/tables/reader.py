"""Rows of one file to mentions or rejects, one after the other: made ids and remarks in words.

`columns` is the pure part of it; here is what has to be remembered from row to row. It is small: counts, column names,
and eight bytes for each id that had to be made.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from collectors.tables.columns import Plan, Reading, Remark, UnusableRowError, flat, mention_of, plan_for
from collectors.tables.row import RAW_LIMIT, Row
from collectors.values import counted
from domain.contracts import Reject
from domain.mention import Mention

_NAMES_SHOWN = 30
_NAMES_KEPT = 1_000
_PLANS_KEPT = 500  # JSON lines may have as many sets of columns as lines


class Occurrences:
    """How often each made id came: two identical rows are two mentions. Eight bytes of hash are kept of each."""

    def __init__(self) -> None:
        self._once: set[int] = set()
        self._again: dict[int, int] = {}

    @property
    def any(self) -> bool:
        """True once an id was made."""
        return bool(self._once)

    def number(self, native_id: str) -> int:
        """1 for the first row of this id, 2 for the next."""
        key = int(native_id[1:17], 16)
        if key not in self._once:
            self._once.add(key)
            return 1
        self._again[key] = self._again.get(key, 1) + 1
        return self._again[key]


class RowReader:
    """Rows to mentions or rejects; remembers what the run needs to know of the rows before."""

    def __init__(self, reading: Reading, tally: Mapping[str, int]) -> None:
        self.reading = reading
        self.tally: Counter[str] = Counter(tally)
        self.occurrences = Occurrences()
        self._plans: dict[tuple[str, ...], Plan] = {}
        self._unused: dict[str, bool] = {}  # column -> told already

    def read(self, row: Row) -> Mention | Reject:
        """Every row is one or the other."""
        position = f"{row.place} {row.number}"
        if row.problem:
            return Reject(position, row.problem, row.raw)
        cells = flat(row.values)
        try:
            mention, remarks = mention_of(row.values, cells, self._plan(cells), self.reading)
        except UnusableRowError as error:
            return Reject(position, str(error), json.dumps(row.values, ensure_ascii=False)[:RAW_LIMIT])
        if Remark.ID_MADE in remarks:
            mention = _numbered(mention, self.occurrences.number(mention.native_id))
        self.tally.update(remarks)
        return mention

    def learn(self, sample: Iterable[dict[str, Any]]) -> tuple[str, ...]:
        """Looks at the columns of the head of the file; a note on those that have no meaning here."""
        for row in sample:
            self._plan(flat(row))
        return self.new_columns()

    def new_columns(self) -> tuple[str, ...]:
        """A note on columns without a meaning that were not told of yet."""
        names = [name for name, told in self._unused.items() if not told]
        self._unused.update(dict.fromkeys(names, True))
        return (f"Columns that were not used, kept with each mention: {listed(names)}.",) if names else ()

    def summary(self) -> tuple[str, ...]:
        """Remarks on the rows read so far, with their counts."""
        reading = self.reading
        first = "day" if reading.dates.day_first else "month"
        words = {
            Remark.ID_MADE: ("row", "had no id: made of channel, text, author and date, the same ones at each import."),
            Remark.ID_ROUNDED: ("id", "not used: rounded by a spreadsheet (5.7E+17). Export ids as text."),
            Remark.NO_DATE: ("row", f"had no date: dated {reading.undated_at:%Y-%m-%d %H:%M} UTC."),
            Remark.NO_ZONE: ("date", f"had no time zone: read as {reading.dates.zone}."),
            Remark.DAY_OR_MONTH: (
                "date",
                f"open as to which number is the month (03/04/2024): read {first} first. The setting date_order changes it.",
            ),
            Remark.RATING_UNREAD: ("rating", "left out: not to be read as 1 to 5 stars."),
            Remark.NAMES_ONLY: ("row", "with an author known by name only: people of one name cannot be told apart."),
        }
        return tuple(
            f"{counted(self.tally[key], noun)} {rest}" for key, (noun, rest) in words.items() if self.tally[key]
        )

    def _plan(self, cells: Mapping[str, Any]) -> Plan:
        key = tuple(cells)
        plan = self._plans.get(key)
        if plan is None:
            plan = plan_for(key, self.reading.mapping)
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            self._plans[key] = plan
            used = set(plan.values())
            for name in key:
                if name not in used and len(self._unused) < _NAMES_KEPT:
                    self._unused.setdefault(name, False)
        return plan


def _numbered(mention: Mention, number: int) -> Mention:
    if number == 1:
        return mention
    native_id = f"{mention.native_id}-{number}"
    own_thread = mention.conversation_id == mention.native_id
    return replace(mention, native_id=native_id, conversation_id=native_id if own_thread else mention.conversation_id)


def dates_in(sample: Sequence[dict[str, Any]], mapping: Mapping[str, str]) -> Iterator[str]:
    for row in sample:
        cells = flat(row)
        value = cells.get(plan_for(cells, mapping).get("created_at", ""))
        if isinstance(value, str):
            yield value


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(str(name)[:60] for name in names[:_NAMES_SHOWN])
    return f"{shown} and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else shown

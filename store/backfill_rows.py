"""Back-fills as values: where one stands, and how a row of the table becomes one. What is done with them is in backfills.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from domain.contracts import Cursor, Page, Watch
from domain.errors import InputError
from store import schema
from store.rows import storable


class BackfillState(StrEnum):
    """Where a back-fill stands."""

    ASKED = "asked"  # what it costs is not known yet
    ANNOUNCED = "announced"  # waits for a person's yes
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    REFUSED = "refused"


UNKNOWN_LIMIT = 1.0  # US dollars, where nobody can tell the price beforehand
OPEN = (BackfillState.ASKED, BackfillState.ANNOUNCED, BackfillState.RUNNING, BackfillState.PAUSED)


@dataclass(frozen=True, slots=True)
class Backfill:
    """One span of one source's past.

    Attributes:
        watch: what is looked for, as it was when this was asked.
        opens_cases: whether messages older than a day open cases too.
        price_estimated, price_limit, price_spent: US dollars; the first is None where nobody can tell, the second where
            reading costs nothing.
        reached_at: everything before is read; `cursor` goes on from there.
        found_count: messages of the span that were read; stored_count: those that nobody had heard before.
        error: why it waits or ended early; empty where all is well.
    """

    id: int
    source_key: str
    since: datetime
    until: datetime
    watch: Watch
    opens_cases: bool
    state: BackfillState
    asked_by: str
    asked_at: datetime
    count_estimated: int | None
    price_estimated: float | None
    estimate_note: str
    confirmed_by: str | None
    confirmed_at: datetime | None
    price_limit: float | None
    reached_at: datetime
    cursor: Cursor | None
    found_count: int
    stored_count: int
    price_spent: float
    notes: tuple[str, ...]
    error: str
    failure_count: int
    retry_at: datetime | None
    reader: str | None
    finished_at: datetime | None

    @property
    def done_share(self) -> float:
        """How much of the span is read, 0..1."""
        return min(1.0, (self.reached_at - self.since) / (self.until - self.since))

    @property
    def suggested_limit(self) -> float | None:
        """US dollars at which reading should stop and ask again: a fifth above the estimate; None where it is free."""
        if self.price_estimated is None:
            return UNKNOWN_LIMIT
        return round(self.price_estimated * 1.2 + 0.01, 2) if self.price_estimated else None

    @property
    def open(self) -> bool:
        """True until it has come to an end, good or bad."""
        return self.state in OPEN


BLANK: dict[str, Any] = {
    "state": BackfillState.ASKED.value, "estimate_note": "", "found_count": 0, "window_found_count": 0, "stored_count": 0,
    "price_spent": 0.0, "notes": [], "error": "", "failure_count": 0,
}  # fmt: skip
_MOST_NOTES = 20


def need(connection: sa.Connection, backfill_id: int, *, lock: bool = False) -> Backfill:
    b = schema.backfills
    query = sa.select(b).where(b.c.id == backfill_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise InputError(f"There is no back-fill {backfill_id}.")
    return backfill_of(row)


def backfill_of(row: Mapping[Any, Any]) -> Backfill:
    values = {name: row[name] for name in Backfill.__slots__}
    watch = row["watch"]
    values["watch"] = Watch(tuple(watch["terms"]), tuple(watch["accounts"]), watch["query"])
    values["state"] = BackfillState(row["state"])
    values["notes"] = tuple(row["notes"])
    values["found_count"] = row["found_count"] + row["window_found_count"]
    return Backfill(**values)


def watch_json(watch: Watch) -> dict[str, Any]:
    return {"terms": list(watch.terms), "accounts": list(watch.accounts), "query": watch.query}


def noted(notes: Sequence[str], page: Page) -> list[str]:
    told = [storable(note) for note in page.notes]
    if page.gap is not None:
        told.append(f"Not read, {page.gap.since:%Y-%m-%d} to {page.gap.until:%Y-%m-%d}: {storable(page.gap.reason)}")
    return list(dict.fromkeys([*notes, *told]))[:_MOST_NOTES]


def too_dear(spent: float) -> str:
    return (
        f"It has cost ${spent:,.2f}, which is as much as was agreed. Nothing is lost: let it go on to spend as much again, or "
        "give it up."
    )

"""Previews: what a watch would have found, asked by a person before it is kept, answered by the worker source by source.

The dashboard never calls a network: `ask` writes one row a source, the worker leases and answers them. Sources that cannot be
asked are answered from what is kept (`kept`). Samples are words of strangers: `forget` drops everything after a day.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from domain.contracts import Estimate, Search, Watch
from domain.mention import Mention
from domain.watch import parse, said, watch_matches
from store import people, schema
from store.engine import Database, chunks
from store.rows import mention_of, storable
from store.watches import WatchRow

LEASE = timedelta(minutes=2)  # a network that has not answered by then is asked again
KEPT_FOR = timedelta(days=1)
FRESH = timedelta(minutes=10)  # asked again within this time, nothing is paid for a second time
SAMPLES = 6
MOST_LOOKED_AT = 20_000  # messages of one source; newer ones first
_SAMPLE_LENGTH = 400  # characters


class PreviewState(StrEnum):
    """Where an answer stands."""

    ASKED = "asked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sample:
    """One message that would have been found."""

    network: str
    author: str
    text: str
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """One source's answer.

    Attributes:
        among_kept: the source could not be asked; found among `looked_count` messages that are kept.
        found_count: None where the source cannot tell.
        price: US dollars that reading them would have cost; spent: what asking did cost.
        search: what the watch becomes in the network's own search; None where it has none.
    """

    id: int
    wish: str
    source_key: str
    query: str
    since: datetime
    until: datetime
    state: PreviewState
    asked_by: str
    asked_at: datetime
    answered_at: datetime | None
    among_kept: bool
    looked_count: int | None
    found_count: int | None
    price: float
    spent: float
    samples: tuple[Sample, ...]
    search: Search | None
    note: str
    error: str

    @property
    def settled(self) -> bool:
        """True once there is an answer, or a reason why there is none."""
        return self.state in {PreviewState.DONE, PreviewState.FAILED}


@dataclass(frozen=True, slots=True)
class Counts:
    """What watches find among kept messages.

    Attributes:
        found: watch id -> network -> messages.
        looked_count: messages that were looked at; cut: there were more, which were not.
    """

    found: Mapping[int, Mapping[str, int]]
    looked_count: int
    cut: bool


class Previews:
    """Asking and answering."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(
        self, query: str, source_keys: Sequence[str], since: datetime, until: datetime, *, by: str, at: datetime
    ) -> str:
        """Ask what this expression would have found; the wish to look up with `of`.

        Raises:
            InputError: the expression cannot be read.
        """
        parse(query)
        p, wish = schema.previews, uuid4().hex
        with self._database.write() as connection:
            for key in dict.fromkeys(source_keys):
                row = {**_BLANK, "wish": wish, "source_key": key, "query": storable(query), "since": since}
                row |= {"until": until, "asked_by": by, "asked_at": at}
                connection.execute(sa.insert(p).values(**{**row, **_known(connection, row, at)}))
        return wish

    def of(self, wish: str) -> list[Preview]:
        """The answers so far, in the order in which the sources were named."""
        p = schema.previews
        with self._database.read() as connection:
            rows = connection.execute(sa.select(p).where(p.c.wish == wish).order_by(p.c.id)).mappings()
            return [_preview(row) for row in rows]

    def lease(self, now: datetime) -> Preview | None:
        """The oldest question that waits, marked as being answered; those whose answerer died come again."""
        p = schema.previews
        due = sa.or_(
            p.c.state == PreviewState.ASKED.value,
            sa.and_(p.c.state == PreviewState.RUNNING.value, p.c.lease_until <= now),
        )
        query = sa.select(p).where(due).order_by(p.c.asked_at, p.c.id).limit(1)
        with self._database.read() as connection:  # an idle worker must not write
            if connection.execute(query).first() is None:
                return None
        with self._database.write() as connection:
            locked = query if self._database.is_sqlite else query.with_for_update(skip_locked=True)
            row = connection.execute(locked).mappings().one_or_none()
            if row is None:
                return None
            taken = {"state": PreviewState.RUNNING.value, "lease_until": now + LEASE}
            connection.execute(sa.update(p).where(p.c.id == row["id"]).values(**taken))
            return _preview({**row, **taken})

    def answer(
        self,
        preview: Preview,
        found: Estimate,
        now: datetime,
        *,
        looked_count: int | None = None,
        search: Search | None = None,
    ) -> None:
        """What was found; with `looked_count`, among that many kept messages."""
        self._settle(
            preview,
            state=PreviewState.DONE.value,
            answered_at=now,
            among_kept=looked_count is not None,
            looked_count=looked_count,
            found_count=found.count,
            price=found.price,
            spent=found.spent.price,
            samples=[_as_json(sample) for sample in found.samples[:SAMPLES]],
            search=asdict(search) if search else None,
            note=storable(found.note),
        )

    def fail(self, preview: Preview, reason: str, now: datetime) -> None:
        """Why there is no answer."""
        self._settle(preview, state=PreviewState.FAILED.value, answered_at=now, error=storable(reason))

    def forget(self, now: datetime) -> int:
        """Drop what was answered a day ago; how many."""
        p = schema.previews
        old = p.c.asked_at <= now - KEPT_FOR
        with self._database.read() as connection:
            if connection.execute(sa.select(p.c.id).where(old).limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(sa.delete(p).where(old)).rowcount

    def kept(self, query: str, source_key: str, since: datetime, until: datetime) -> tuple[Estimate, int]:
        """What an expression finds among the kept messages of a source, and how many were looked at, the newest first."""
        watch, count, looked, samples = Watch(query=query), 0, 0, list[Mention]()
        with self._database.read() as connection:
            for _, mention in _heard(connection, since, until, source_key):
                looked += 1
                if watch_matches(watch, mention):
                    count += 1
                    samples += [mention] if len(samples) < SAMPLES else []
        return Estimate(count, 0.0, tuple(samples)), looked

    def counts(self, watches: Sequence[WatchRow], since: datetime, until: datetime) -> Counts:
        """What each watch finds among the kept messages of the sources that it is for; the newest ones of all sources."""
        wanted = [(row, parse(row.query)) for row in watches]
        found: dict[int, Counter[str]] = {row.id: Counter() for row in watches}
        looked = 0
        with self._database.read() as connection:
            for source_key, mention in _heard(connection, since, until):
                looked += 1
                heard = said(mention)
                for row, expression in wanted:
                    if row.concerns(source_key) and expression.matches(heard):
                        found[row.id][mention.network] += 1
        return Counts({key: dict(counter) for key, counter in found.items()}, looked, looked == MOST_LOOKED_AT)

    def _settle(self, preview: Preview, **values: Any) -> None:
        p = schema.previews
        with self._database.write() as connection:
            connection.execute(
                sa.update(p)
                .where(p.c.id == preview.id, p.c.state == PreviewState.RUNNING.value)
                .values(lease_until=None, **values)
            )


_BLANK: dict[str, Any] = {
    "state": PreviewState.ASKED.value, "among_kept": False, "price": 0.0, "spent": 0.0, "samples": [], "note": "", "error": "",
}  # fmt: skip


def _heard(
    connection: sa.Connection, since: datetime, until: datetime, source_key: str | None = None
) -> Iterator[tuple[str, Mention]]:
    """(source, message) of what others said, the newest first."""
    m = schema.mentions
    columns = [column for column in m.c if column.name not in {"raw", "folded", "permission"}]
    where = [m.c.created_at >= since, m.c.created_at < until, m.c.outbound.is_(False)]
    where += [m.c.source_key == source_key] if source_key is not None else []
    asked = sa.select(*columns).where(*where).order_by(m.c.created_at.desc(), m.c.id).limit(MOST_LOOKED_AT)
    for part in chunks(list(connection.execute(asked).mappings())):
        authors = people.authors_of(connection, [row["account_id"] for row in part])
        for row in part:
            yield row["source_key"], mention_of(row, authors.get(row["account_id"]))


def _known(connection: sa.Connection, row: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The answer to the same question, where one was given a moment ago; asking it again costs nothing."""
    p = schema.previews
    same = (
        p.c.source_key == row["source_key"],
        p.c.query == row["query"],
        p.c.state == PreviewState.DONE.value,
        p.c.answered_at > at - FRESH,
    )
    names = ("state", "answered_at", "among_kept", "looked_count", "found_count", "price", "samples", "search", "note")
    for found in connection.execute(sa.select(p).where(*same).order_by(p.c.id.desc())).mappings():
        if found["until"] - found["since"] == row["until"] - row["since"]:
            return {name: found[name] for name in names}
    return {}


def _as_json(mention: Mention) -> dict[str, Any]:
    author = mention.author
    text = storable(mention.text or mention.title)
    return {
        "network": mention.network,
        "author": storable((author.handle or author.name) if author else ""),
        "text": text if len(text) <= _SAMPLE_LENGTH else f"{text[:_SAMPLE_LENGTH]}…",
        "url": storable(mention.url),
        "created_at": mention.created_at.isoformat(),
    }


def _search(told: dict[str, Any] | None) -> Search | None:
    if told is None:
        return None
    return Search(tuple(told["queries"]), told["exact"], tuple(told["left"]), told["note"])


def _preview(row: Any) -> Preview:
    values = {name: row[name] for name in Preview.__slots__}
    values["state"] = PreviewState(row["state"])
    values["search"] = _search(row["search"])
    values["samples"] = tuple(
        Sample(**{**sample, "created_at": datetime.fromisoformat(sample["created_at"])}) for sample in row["samples"]
    )
    return Preview(**values)

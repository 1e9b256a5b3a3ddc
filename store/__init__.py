"""The one memory, and the only room that writes SQL.

`Store.open(url, calendar)` gives one narrow face per kind of thing: mentions, cases, people, outbox, sources, audit, and
queue/indicators for screens. To add a table: a column in `schema.py`, a file in `migrations/versions`, a function in the
module that owns it, a test that runs on SQLite and on PostgreSQL.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from domain.clock import Calendar
from store import rollups, schema
from store.audit import Audit
from store.backfills import Backfills
from store.cases import Cases
from store.engine import Database
from store.gaps import Gaps
from store.inbox import Inbox
from store.indicators import Indicators
from store.labelling import Labelling
from store.labels import Labels
from store.ledger import Ledger
from store.mentions import Mentions
from store.models import Models
from store.moderation import Moderation
from store.outbox import Outbox
from store.past import Past
from store.people import People
from store.previews import Previews
from store.quality import Quality
from store.queue import Queue
from store.rollups import Difference
from store.sources import Sources
from store.watches import Watches


@dataclass(frozen=True)
class Store:
    """The memory, by kind of thing."""

    database: Database
    mentions: Mentions
    cases: Cases
    people: People
    outbox: Outbox
    sources: Sources
    audit: Audit
    queue: Queue
    indicators: Indicators
    labels: Labels
    labelling: Labelling
    quality: Quality
    models: Models
    watches: Watches
    previews: Previews
    backfills: Backfills
    past: Past
    inbox: Inbox
    ledger: Ledger
    gaps: Gaps
    moderation: Moderation

    @classmethod
    def open(cls, url: str, calendar: Calendar) -> "Store":
        """Open a store and bring its tables up to date.

        Raises:
            ConfigurationError: the address cannot be read.
            StorageError: the store cannot be opened or written.
        """
        database = Database.open(url, calendar)
        return cls(
            database,
            Mentions(database),
            Cases(database),
            People(database),
            Outbox(database),
            Sources(database),
            Audit(database),
            Queue(database),
            Indicators(database),
            Labels(database),
            Labelling(database),
            Quality(database),
            Models(database),
            Watches(database),
            Previews(database),
            Backfills(database),
            Past(database),
            Inbox(database),
            Ledger(database),
            Gaps(database),
            Moderation(database),
        )

    @property
    def calendar(self) -> Calendar:
        """The shop's working time."""
        return self.database.calendar

    def revision(self) -> int:
        """Grows with every write: the key of cached reads."""
        r = schema.revision
        with self.database.read() as connection:
            return connection.scalar(sa.select(r.c.value).where(r.c.id == 1)) or 0

    def mention_count(self) -> int:
        """How many mentions are kept."""
        return self._count(schema.mentions)

    def analysis_count(self) -> int:
        """How many analyses are kept."""
        return self._count(schema.analyses)

    def _count(self, table: sa.Table) -> int:
        with self.database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def rebuild_rollups(self, *, write: bool = True) -> list[Difference]:
        """Count everything again; the differences found (and mended, unless `write` is False)."""
        return rollups.rebuild(self.database, write=write)

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()

"""Opening the memory: SQLite (WAL) or PostgreSQL by URL, migrations at start-up, one way to write, errors in words.

`Database.write()` is the only way to change anything: one transaction, the revision bumped as its last statement. Reads
go through `Database.read()`, a connection per unit of work, so that threads never share one.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event, exc
from sqlalchemy.dialects import postgresql, sqlite

from domain.clock import Calendar
from domain.errors import ComptoirError, ConfigurationError, StorageError
from store import schema

_MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 30_000


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise ConfigurationError(
            f"COMPTOIR_DATABASE_URL is not a database address: {url!r}. "
            "Use sqlite:///data/comptoir.sqlite or postgresql://user:password@host/name."
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            folder = Path(parsed.database).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(
                    f"The folder {folder} cannot be written: {error.strerror}. Name another one."
                ) from error
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    raise ConfigurationError(f"COMPTOIR_DATABASE_URL names {backend!r}; Comptoir speaks SQLite and PostgreSQL.")


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own transaction handling starts writes late and in deferred mode; ours is explicit (see _begin_sqlite).
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "cache_size=-32000",  # KiB; the counts of a month fit
        "mmap_size=268435456",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE takes the write lock first: a transaction that reads and then writes cannot fail half-way on a lock.
    immediate = connection.get_execution_options().get("comptoir_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def in_words(error: exc.DBAPIError, url: sa.URL) -> ComptoirError | None:
    """A database error that a person can mend, in words; None for a bug of ours, which must travel up as it is."""
    text = str(error.orig).lower()
    where = url.render_as_string(hide_password=True)
    if "disk is full" in text or "no space left" in text or "disk full" in text:
        return StorageError(
            f"The disk that holds {where} is full. Nothing of this step was kept, what came before is safe. "
            "Free some space and start again: it goes on where it stopped."
        )
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return StorageError(f"{where} cannot be written. Check that the folder exists and that you may write in it.")
    if "not a database" in text or "malformed" in text:
        return StorageError(f"{where} is not a Comptoir store or is damaged. Put a backup back, or name another file.")
    if "database is locked" in text:
        return StorageError(f"{where} is held by another program. Close it and start again; nothing was lost.")
    if isinstance(error, exc.OperationalError) and (
        "connect" in text or "authentication" in text or "does not exist" in text
    ):
        return StorageError(f"{where} does not answer: {error.orig}. Check the address and that the server runs.")
    return None


@dataclass(frozen=True)
class Database:
    """An open store: the engine and the shop's calendar (which decides where a day ends)."""

    engine: sa.Engine
    calendar: Calendar

    @classmethod
    def open(cls, url: str, calendar: Calendar) -> "Database":
        """Open and bring the tables up to date.

        Raises:
            ConfigurationError: the address cannot be read.
            StorageError: it cannot be opened or written.
        """
        database = cls(_engine(url), calendar)
        with database._translated():
            database._migrate()
        return database

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded default."""
        return self.engine.dialect.name == "sqlite"

    def _migrate(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.engine.connect().execution_options(comptoir_write=True) as connection, connection.begin():
            if not self.is_sqlite:  # two workers starting together must not both create the tables
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(730151)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            translated = in_words(error, self.engine.url)
            if translated is None:
                raise
            raise translated from error

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction: all of it or nothing. Raises StorageError where a person must act."""
        bump = sa.update(schema.revision).where(schema.revision.c.id == 1).values(value=schema.revision.c.value + 1)
        options = {"comptoir_write": True}
        with (
            self._translated(),
            self.engine.connect().execution_options(**options) as connection,
            connection.begin(),
        ):
            yield connection
            connection.execute(bump)  # last, so that writers on PostgreSQL hold this one row for a moment only

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view for one unit of work."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def chunks(values: list[Any], size: int = 500) -> Iterator[list[Any]]:
    """Pieces of a list small enough for one `IN (...)` on every backend."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def insert_ignoring(connection: sa.Connection, table: sa.Table) -> Any:
    """`INSERT ... ON CONFLICT DO NOTHING` of the backend in use."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


def upsert(connection: sa.Connection, table: sa.Table, key: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Insert rows, or bring those with the same key up to date; all rows name the same columns."""
    if not rows:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    changed = {name: insert.excluded[name] for name in rows[0] if name not in key}
    connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=changed), rows)


def backlog_exists(database: Database, step: str) -> bool:
    """True where mentions wait at this step. An idle worker asks first: a write that changes nothing would still make every
    dashboard read again.
    """
    m = schema.mentions
    with database.read() as connection:
        return connection.execute(sa.select(m.c.id).where(m.c.step == step).limit(1)).first() is not None

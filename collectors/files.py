"""Files that a person hands in: exports of reviews, mails and posts as CSV, JSON lines or Excel, of any size.

Every row becomes a mention or a listed reject. Read page by page in bounded memory; the cursor holds a place and a
fingerprint of what came before it, so a run goes on where the last one stopped, reads rows appended since, and starts
afresh where the file was replaced. What a file is made of is in `collectors.tables`; usual column names in its `columns`.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.tables import Row, Table, open_table
from collectors.tables.columns import FIELDS, Reading, flat, plan_for
from collectors.tables.dates import DateReader, day_comes_first
from collectors.tables.reader import Occurrences, RowReader, dates_in, listed
from collectors.values import network_key
from domain.contracts import Collector, CollectorSpec, Cursor, Page, Reject, Setting, Watch
from domain.errors import ConfigurationError, InputError, TransientError
from domain.mention import Mention

SPEC = CollectorSpec(
    key="files",
    title="Files (CSV, JSON lines, Excel)",
    settings=(
        Setting("path", "File: .csv, .jsonl (both also .gz) or .xlsx"),
        Setting("network", "Channel of rows that name none, e.g. trustpilot", required=False),
        Setting("mapping", "Which column is what, e.g. text=Commentaire,created_at=Date", required=False),
        Setting("timezone", "Time zone of dates that have none", required=False),
        Setting("date_order", "dmy or mdy, where 03/04/2024 leaves it open", required=False),
        Setting("encoding", "Encoding, where it is not found out by itself", required=False),
        Setting("imported_at", "Moment given to rows without a date, ISO 8601", required=False),
        Setting("page_size", "Rows read and stored at a time", required=False),
    ),
)
_NEXT_FIELD = re.compile(r",(?=\s*\w+\s*=|\s*$)")  # a comma may also be part of a column's name
PAGE_BYTES = 8 * 1024 * 1024  # a page also ends here, however few its rows: memory stays bounded
_REPLACED = (
    "The file is no longer the one that was read before: read again from its start. Rows that are known already change "
    "nothing."
)


def connect(settings: Mapping[str, str]) -> Collector:
    """The collector of one file. Raises ConfigurationError where a setting is missing or cannot be used."""
    if not settings.get("path"):
        raise ConfigurationError("The setting path is missing: name the file to import.")
    return FileCollector(
        Path(settings["path"]).expanduser(),
        network=network_key(settings.get("network") or "file"),
        mapping=_read_mapping(settings.get("mapping", "")),
        zone=_read_zone(settings.get("timezone") or "Europe/Paris"),
        day_first=_read_order(settings.get("date_order", "")),
        encoding=_read_encoding(settings.get("encoding", "")),
        imported_at=_read_moment(settings.get("imported_at", "")),
        page_size=_read_page_size(settings.get("page_size") or "500"),
    )


class FileCollector:
    """The mentions of one file.

    Args:
        mapping: field -> column, goes before the usual names.
        day_first: None to tell it from the dates themselves, day first where they leave it open.
        imported_at: the moment given to rows without a date; None for the file's own time of change.
    """

    spec = SPEC

    def __init__(
        self,
        path: Path,
        *,
        network: str,
        mapping: Mapping[str, str],
        zone: ZoneInfo,
        day_first: bool | None,
        encoding: str,
        imported_at: datetime | None,
        page_size: int,
    ) -> None:
        self._path = path
        self._network = network
        self._mapping = mapping
        self._zone = zone
        self._day_first = day_first
        self._encoding = encoding
        self._imported_at = imported_at
        self._page_size = page_size

    def check(self) -> None:
        """See Collector: the file is there and has a column of texts."""
        try:
            with closing(self._open()) as table:
                self._must_fit(table)
        except InputError as error:
            raise ConfigurationError(str(error)) from error

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - see below
        """See Collector. A file is handed in to be read whole: `watch` leaves nothing out.

        Raises:
            InputError: the file as a whole cannot be used, or is damaged from some place on; pages before it are good.
            TransientError: the disk did not answer.
        """
        for place, notes in ((_Place.read(since), ()), (_Place(), (_REPLACED,))):
            with closing(self._open()) as table:
                self._must_fit(table)
                if table.start(place.at, place.line, place.digest):
                    yield from self._pages(table, place, notes)
                    return

    def _open(self) -> Table:
        return open_table(self._path, self._encoding, lambda names: "text" in plan_for(names, self._mapping))

    def _pages(self, table: Table, place: "_Place", notes: tuple[str, ...]) -> Iterator[Page]:
        reader = RowReader(self._reading(table), place.tally)
        columns_note = reader.learn(table.sample)
        if place.at == 0:
            notes = (*notes, *table.notes, *columns_note)
        counted_before = not place.made_ids
        full: Page | None = None
        pending = _Batch(notes)
        try:
            for row in table.rows():
                if full:
                    yield full
                    full = None
                if not counted_before:  # as late as this: most often there is nothing new
                    reader.occurrences = self._occurrences_before(place.at)
                    counted_before = True
                pending.add(row, reader)
                if row.whole and (pending.row_count >= self._page_size or pending.size >= PAGE_BYTES):
                    full = pending.page(_Place.of(table, reader, dict(reader.tally)), reader.new_columns())
                    pending = _Batch()
        except (InputError, TransientError):  # what was read before the damage is good
            if full or pending.row_count:
                yield full or pending.page(_Place.of(table, reader, dict(reader.tally)), reader.new_columns())
            raise
        last = _Place.of(table, reader, {})
        if full:
            yield replace(full, cursor=last.cursor(), notes=(*full.notes, *reader.summary()))
        elif pending.row_count or place.at == 0:
            yield pending.page(last, (*reader.new_columns(), *reader.summary()))

    def _reading(self, table: Table) -> Reading:
        day_first = self._day_first
        if day_first is None:
            day_first = day_comes_first(dates_in(table.sample, self._mapping)) is not False
        return Reading(
            dates=DateReader(self._zone, day_first=day_first),
            network=self._network,
            undated_at=self._imported_at or datetime.fromtimestamp(self._path.stat().st_mtime, UTC),
            mapping=self._mapping,
        )

    def _occurrences_before(self, at: int) -> Occurrences:
        # Ids made from content count how often the same row came before; that is not in the cursor, so read it again.
        with closing(self._open()) as table:
            table.start(0, 0, "")
            reader = RowReader(self._reading(table), {})
            for row in table.rows():
                reader.read(row)
                if row.whole and table.at >= at:
                    break
            return reader.occurrences

    def _must_fit(self, table: Table) -> None:
        names = list(dict.fromkeys(name for row in table.sample for name in flat(row)))
        found = f"Columns found: {listed(names)}."
        missing = [column for column in self._mapping.values() if column not in names]
        if missing:
            raise InputError(f"{self._path.name} has no column “{missing[0]}”. {found} Change the mapping.")
        if not any("text" in plan_for(flat(row), self._mapping) for row in table.sample):
            raise InputError(
                f"No column of {self._path.name} has a name that is usual for texts. {found} Say which one holds them: "
                "--map text=COLUMN (setting mapping)."
            )


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a file, and what is needed to go on from there as if nothing had happened."""

    at: int = 0
    line: int = 0
    digest: str = ""
    made_ids: bool = False
    tally: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table, reader: RowReader, tally: dict[str, int]) -> "_Place":
        return cls(table.at, table.line, table.digest(), reader.occurrences.any, tally)

    @classmethod
    def read(cls, cursor: Cursor | None) -> "_Place":
        if cursor is None:
            return cls()
        try:
            read = json.loads(cursor)
            tally = {str(key): int(number) for key, number in read["tally"].items()}
            return cls(int(read["at"]), int(read["line"]), str(read["digest"]), bool(read["made_ids"]), tally)
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()  # from the start: nothing is lost by reading twice

    def cursor(self) -> Cursor:
        parts = {"at": self.at, "line": self.line, "digest": self.digest, "made_ids": self.made_ids}
        return Cursor(json.dumps({**parts, "tally": self.tally}, sort_keys=True))


class _Batch:
    """The page that is being filled."""

    def __init__(self, notes: tuple[str, ...] = ()) -> None:
        self.row_count = 0
        self.size = 0
        self._mentions: list[Mention] = []
        self._rejects: list[Reject] = []
        self._notes = notes

    def add(self, row: Row, reader: RowReader) -> None:
        self.row_count += 1
        self.size += row.size
        read = reader.read(row)
        if isinstance(read, Mention):
            self._mentions.append(read)
        else:
            self._rejects.append(read)

    def page(self, place: _Place, notes: Iterable[str]) -> Page:
        return Page(tuple(self._mentions), place.cursor(), rejects=tuple(self._rejects), notes=(*self._notes, *notes))


def _read_mapping(written: str) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for part in filter(None, map(str.strip, _NEXT_FIELD.split(written))):
        key, equals, column = (piece.strip() for piece in part.partition("="))
        if not equals or not column:
            raise ConfigurationError(f"The mapping “{part}” cannot be read. Write field=Column, e.g. text=Commentaire.")
        if key not in FIELDS:
            raise ConfigurationError(f"There is no field “{key}” to map. Choose among: {', '.join(FIELDS)}.")
        mapping[key] = column
    return mapping


def _read_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(f"There is no time zone “{name}”. Write one such as Europe/Paris.") from error


def _read_order(written: str) -> bool | None:
    if written not in {"", "dmy", "mdy"}:
        raise ConfigurationError(f"The setting date_order is “{written}”. Write dmy or mdy, or leave it out.")
    return {"": None, "dmy": True, "mdy": False}[written]


def _read_encoding(name: str) -> str:
    try:
        b"a".decode(name or "utf-8", "ignore")  # also refuses codecs that are no text encodings, such as zlib
        return codecs.lookup(name).name if name else ""
    except LookupError as error:
        raise ConfigurationError(f"There is no encoding “{name}”. Write one such as utf-8 or cp1252.") from error


def _read_moment(written: str) -> datetime | None:
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise ConfigurationError(f"The setting imported_at is “{written}”, which is no ISO 8601 date.") from error
    if moment.tzinfo is None:
        raise ConfigurationError(f"The setting imported_at is “{written}”, without a time zone. Add one, e.g. +00:00.")
    return moment.astimezone(UTC)


def _read_page_size(written: str) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= 100_000:
        raise ConfigurationError(f"The setting page_size is “{written}”. Write a number from 1 to 100000.")
    return int(written)

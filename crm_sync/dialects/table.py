"""Table, Group, Dialect: the shape of a vendor's import files, and how a row of them is written and read again.

One row is one line: cells never hold a line break, so that a file cut in the middle is mended by looking at its last line.
Vendors' columns are in their own modules.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from crm_sync.cells import cell
from domain.contracts import CrmRecord

LINE_END = b"\r\n"  # RFC 4180
BOM = b"\xef\xbb\xbf"


def _as_is(person_id: str) -> str:
    return person_id


@dataclass(frozen=True)
class Table:
    """One import file.

    Attributes:
        file: its name; `*` stands for what tells several files of one table apart.
        key: the column that says which rows are replaced together.
        owner: the column that names the person whose row it is, so that forgetting finds it.
        owned_as: person id -> what stands in that column.
        owner_list: the column names several persons, separated by commas; forgetting takes one name out of it.
        bom: starts with a byte order mark.
    """

    file: str
    header: tuple[str, ...]
    key: str
    owner: str | None = None
    owned_as: Callable[[str], str] = _as_is
    owner_list: bool = False
    bom: bool = False

    @cached_property
    def head(self) -> bytes:
        """The first line."""
        return (BOM if self.bom else b"") + _line(self.header)

    @cached_property
    def _key_at(self) -> int:
        return self.header.index(self.key)

    @cached_property
    def _owner_at(self) -> int | None:
        return self.header.index(self.owner) if self.owner else None

    def line(self, row: Mapping[str, object]) -> bytes:
        """A row as bytes. Every column of the header has to be there, and no other."""
        if row.keys() != set(self.header):
            raise KeyError(f"{self.file}: {sorted(row.keys() ^ set(self.header))}")
        return _line([cell(row[name]) for name in self.header])

    def cells(self, line: bytes) -> list[str]:
        """A line (without its end) as cells. Raises ValueError for anything that is no row of this table."""
        text = line.decode()
        if _NEVER_WRITTEN.search(text):
            raise ValueError("a character that Comptoir never writes")
        cells = _split(text)
        if len(cells) != len(self.header):
            raise ValueError(f"{len(cells)} cells where there should be {len(self.header)}")
        return cells

    def is_row(self, line: bytes) -> bool:
        """True for a line that is whole up to its last cell, which may be cut. Never where the key is that last cell."""
        try:
            self.cells(line)
        except ValueError:
            return False
        return self._key_at < len(self.header) - 1

    def key_of(self, cells: Sequence[str]) -> str:
        """What the row is replaced by."""
        return cells[self._key_at]

    def owners_of(self, cells: Sequence[str]) -> list[str]:
        """Whose row it is, as the owner column names them."""
        if self._owner_at is None or not cells[self._owner_at]:
            return []
        return cells[self._owner_at].split(",") if self.owner_list else [cells[self._owner_at]]

    def without(self, line: bytes, owner: str) -> bytes | None:
        """The line after `owner` is forgotten: unchanged, shorter, or None where nothing of it may stay."""
        cells = self.cells(line.removesuffix(LINE_END))
        owners = self.owners_of(cells)
        if owner not in owners or self._owner_at is None:
            return line
        if not self.owner_list:
            return None
        cells[self._owner_at] = ",".join(name for name in owners if name != owner)
        return _line(cells)


_NEVER_WRITTEN = re.compile(r"[\x00\r\n]")
_CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|\Z)')


def _split(line: str) -> list[str]:
    # Not csv.reader: its limit on the length of a cell is the whole process's, and a list of members may be long.
    if '"' not in line:
        return line.split(",")
    cells: list[str] = []
    at = 0
    while True:
        found = _CELL.match(line, at)
        if found is None:
            raise ValueError(f"a quote in the wrong place after character {at}")
        quoted, bare, end = found.groups()
        cells.append(bare if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if not end:
            return cells


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=LINE_END.decode()).writerow(cells)
    return text.getvalue().encode()


@dataclass(frozen=True)
class Group:
    """From now on, the rows with this key in this file are exactly these (none: they go)."""

    table: Table
    file: str
    key: str
    rows: tuple[Mapping[str, object], ...]


def group(table: Table, rows: Iterable[Mapping[str, object]], *, key: str, part: str = "") -> Group:
    """The rows of one key; `part` is what stands for the `*` of the file's name."""
    return Group(table, table.file.replace("*", part), key, tuple(rows))


@dataclass(frozen=True)
class Rendered:
    """What one record becomes. `unfit` says why the vendor cannot take it; then `groups` clear what stood there."""

    groups: tuple[Group, ...]
    unfit: str = ""


Options = Mapping[str, str]


@dataclass(frozen=True)
class Dialect:
    """One vendor's import.

    Attributes:
        render: the record and the connector's settings -> rows; looks nothing up.
    """

    key: str
    title: str
    tables: tuple[Table, ...]
    render: Callable[[CrmRecord, Options], Rendered]

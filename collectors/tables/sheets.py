"""Excel workbooks (XLSX), row by row: every sheet that has a header with a text column in it.

Offsets count rows; a workbook is one compressed archive, so coming back to a place means reading up to it. Zip bombs and
document types are refused before openpyxl sees them. Cells come out as what JSON can hold: dates as ISO 8601.
"""

import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from collectors.tables.row import SAMPLE_ROWS, Row, distinct
from collectors.tables.streams import reading
from domain.errors import InputError

HEADER_WITHIN = 10  # rows; exports put a title and a date above the header
STRINGS_LIMIT = 256 * 1024 * 1024  # bytes of the shared texts, which are held in memory
_BOMB_FLOOR = 64 * 1024 * 1024
_BOMB_RATIO = 300  # sheets of numbers and empty cells shrink further than texts
_ROOT = re.compile(rb"<[A-Za-z]")
_BLOCK = 500
_EXACT_BELOW = 2**53


class _Sheet(NamedTuple):
    title: str
    header_row: int
    names: list[str]
    cells: Any  # openpyxl's worksheet


class SheetTable:
    """The rows of a workbook.

    Args:
        is_header: whether these names can be those of the columns.
    """

    def __init__(self, path: Path, is_header: Callable[[Sequence[str]], bool]) -> None:
        self.at = 0
        self.line = 0
        self.notes: tuple[str, ...] = ()
        self._path = path
        self._taken = blake2b(digest_size=16)
        _refuse_bombs(path)
        with self._in_words():
            self._book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            self._sheets = self._find_sheets(is_header)
        self.sample = self._read_sample()
        self._walk = self._all_rows()

    def start(self, at: int, line: int, digest: str) -> bool:  # noqa: ARG002 - `at` says it all
        """See Table."""
        while self.at < at:
            if next(self._walk, None) is None:
                return False
        return at == 0 or self.digest() == digest

    def rows(self) -> Iterator[Row]:
        """One row a row; blank ones are none."""
        return self._walk

    def digest(self) -> str:
        """See Table."""
        return self._taken.hexdigest()

    def close(self) -> None:
        """See Table."""
        self._book.close()

    def _find_sheets(self, is_header: Callable[[Sequence[str]], bool]) -> list[_Sheet]:
        found, first, passed = [], None, []
        for sheet in self._book.worksheets:
            sheet.reset_dimensions()  # some programs write wrong ones, and rows would be missed
            if sheet.sheet_state != "visible":
                continue
            top = islice(sheet.iter_rows(values_only=True), HEADER_WITHIN)
            rows = [(number, [_text(cell) for cell in _trimmed(cells)]) for number, cells in enumerate(top, start=1)]
            rows = [(number, names) for number, names in rows if names]
            header = next(((number, names) for number, names in rows if is_header(names)), None)
            if header:
                found.append(_Sheet(sheet.title, header[0], distinct(header[1]), sheet))
            elif rows:
                first = first or _Sheet(sheet.title, rows[0][0], distinct(rows[0][1]), sheet)
                passed.append(sheet.title)
        if not found and not first:
            raise InputError(f"{self._path.name} is empty: no visible sheet holds anything. Export it again.")
        if found and passed:
            self.notes = (f"Sheets without a column of texts were not read: {', '.join(passed)}.",)
        return found or [first] if first else found

    def _read_sample(self) -> tuple[dict[str, Any], ...]:
        rows = tuple(row.values for row in islice(self._all_rows(counted=False), SAMPLE_ROWS) if row.values)
        return rows or (dict.fromkeys(self._sheets[0].names, ""),)

    def _all_rows(self, *, counted: bool = True) -> Iterator[Row]:
        for sheet in self._sheets:
            place = f"sheet {sheet.title}, row"
            for number, cells in self._cells_of(sheet):
                values = [_plain(cell) for cell in _trimmed(cells)]
                if not values:
                    continue
                written = repr(values)
                if counted:
                    self.at += 1
                    self.line = number
                    self._taken.update(written.encode("utf-8", "surrogatepass"))
                # Somebody's remark to the right of the table has no column, and is no reason to refuse the row.
                names = distinct(sheet.names + [""] * (len(values) - len(sheet.names)))
                values += [""] * (len(names) - len(values))
                yield Row(place, number, dict(zip(names, values, strict=True)), size=len(written))

    def _cells_of(self, sheet: _Sheet) -> Iterator[tuple[int, tuple[Any, ...]]]:
        rows = enumerate(sheet.cells.iter_rows(values_only=True), start=1)
        while True:
            with self._in_words():
                block = list(islice(rows, _BLOCK))
            if not block:
                return
            yield from (row for row in block if row[0] > sheet.header_row)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        with reading(self._path), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl remarks on styles and print settings
            try:
                yield
            except (
                BadZipFile,
                InvalidFileException,
                ParseError,
                zlib.error,
                AttributeError,
                IndexError,
                KeyError,
                TypeError,
                ValueError,
            ) as error:
                raise InputError(
                    f"{self._path.name} is damaged or no Excel workbook. Open it and save it again as .xlsx, or as CSV."
                ) from error


def _refuse_bombs(path: Path) -> None:
    try:
        with reading(path), ZipFile(path) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            packed = sum(part.compress_size for part in parts)
            strings = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
            if strings > STRINGS_LIMIT or (size > _BOMB_FLOOR and size > _BOMB_RATIO * packed):
                raise InputError(f"{path.name} unpacks to {size // 1024 // 1024:,} MB. Save it as CSV and import that.")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as xml:
                        _refuse_document_type(xml.read(4096), path.name)
    except (BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path.name} is no Excel workbook. Save it as .xlsx or as CSV.") from error


def _refuse_document_type(start: bytes, name: str) -> None:
    # A document type can define entities that grow without end; Excel writes none.
    root = _ROOT.search(start)
    if root is None or b"<!DOCTYPE" in start[: root.start()]:
        raise InputError(f"{name} holds what Excel does not write. Save it again as .xlsx, or as CSV.")


def _trimmed(cells: Sequence[Any]) -> Sequence[Any]:
    end = len(cells)
    while end and (cells[end - 1] is None or cells[end - 1] == ""):
        end -= 1
    return cells[:end]


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _plain(cell: Any) -> Any:
    if isinstance(cell, str):
        return cell.replace("_x000D_", "")  # how Excel writes the carriage return of a line break
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    if isinstance(cell, int) and cell >= _EXACT_BELOW:
        return float(cell)  # a workbook keeps 15 digits; what looks exact here is not
    return "" if cell is None else cell

"""CSV: a header and records, separated by comma, semicolon, tab or bar; quoted cells may run over several lines.

A quote that is never closed would swallow the rows after it. So a record over several lines that does not come out right
costs its first line only: the other lines are read again, each on its own. Nothing here says what a column means.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from collectors.tables.row import NUL, SAMPLE_ROWS, TOO_LONG, Row, TextTable, distinct
from collectors.tables.streams import LINE_LIMIT, SAMPLE_SIZE, DamagedError, Encoding, Line, Lines
from domain.errors import InputError

RECORD_LINES = 100_000  # a record over more lines than this has lost its closing quote
RECORD_SIZE = 2 * 1024 * 1024  # bytes, likewise
_SEPARATORS = ",;\t|"
_NO_SEPARATOR = "\x1f"  # a file of one column has none
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own hint, before the header

# By default the csv module gives up on cells over 128 KB, in the middle of a record. Ours are bounded by RECORD_SIZE.
csv.field_size_limit(max(csv.field_size_limit(), RECORD_SIZE + LINE_LIMIT))


class CsvTable(TextTable):
    """The records of a CSV file.

    Args:
        is_header: whether these names can be those of the columns.
    """

    def __init__(self, path: Path, encoding: Encoding, is_header: Callable[[Sequence[str]], bool]) -> None:
        super().__init__(path, encoding)
        lines: list[bytes] = []
        try:
            while self.at < SAMPLE_SIZE and (line := self._lines.take()) is not None:
                lines.append(line.data)
        except DamagedError:
            if not lines:
                self.close()
                raise  # else it is told when the rows are read
        self._rewind()
        texts = [data.decode(self._codec, "replace") for data in lines]
        hint = _SEPARATOR_LINE.fullmatch(texts[0])
        skipped = 1 if hint else 0
        self._separator = hint[1] if hint else _sniff(texts, is_header)
        reader = csv.reader(texts[skipped:], delimiter=self._separator)
        records = _records(reader)
        self._names = distinct(next((cells for cells in records if any(map(str.strip, cells))), []))
        if not self._names:
            self.close()
            raise InputError(f"{path.name} has no header: its first line names no column. Add one.")
        self._first_line = skipped + reader.line_num
        self._first_at = sum(len(data) for data in lines[: self._first_line])
        rows = islice((cells for cells in records if len(cells) == len(self._names)), SAMPLE_ROWS)
        self.sample = tuple(dict(zip(self._names, cells, strict=True)) for cells in rows)
        self.sample = self.sample or (dict.fromkeys(self._names, ""),)

    def start(self, at: int, line: int, digest: str) -> bool:
        """See Table; the first row comes after the header."""
        return super().start(at, line, digest) if at else self._lines.skip(self._first_at, self._first_line)

    def rows(self) -> Iterator[Row]:
        """One row a record; blank ones are none."""
        names, width = self._names, len(self._names)
        record = _Record(self._lines, self._codec)
        reader = csv.reader(record, delimiter=self._separator, strict=True)
        while True:
            record.begin()
            cells, shape = [], ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _UnclosedError:
                shape = "a quote is opened and never closed"
            except csv.Error as error:
                cells = record.read_leniently(self._separator, width)
                several = "a quote is opened and not closed where its cell ends"
                shape = "" if cells else several if len(record.lines) > 1 else f"malformed CSV: {error}"
            if not shape and not any(map(str.strip, cells)):
                continue
            if not shape and (len(cells) < width or any(cells[width:])):
                shape = f"{len(cells)} columns where the header has {width}"
            number, size = record.lines[0].number, record.size
            if not shape and not record.problem:
                yield Row("line", number, dict(zip(names, cells, strict=False)), size=size, whole=not record.waiting)
                continue
            problem = record.problem if len(record.lines) == 1 or not shape else shape
            refused = record.refuse(first_only=bool(shape))
            yield Row("line", number, {}, problem or shape, self._shown(refused), size, whole=not record.waiting)


class _UnclosedError(Exception):
    """A record asks for more lines than it may have."""


class _Record:
    """Hands lines to csv.reader, and remembers which ones the present record took."""

    def __init__(self, source: Lines, codec: str) -> None:
        self.waiting: deque[Line] = deque()  # to be read again
        self.lines: list[Line] = []
        self.size = 0
        self.problem = ""
        self._texts: list[str] = []
        self._alone = False
        self._source = source
        self._codec = codec

    def begin(self) -> None:
        """A new record starts."""
        self.lines, self._texts, self.size, self.problem = [], [], 0, ""
        self._alone = len(self.waiting) > 1  # the last of them may go on in lines that were not read yet

    def __iter__(self) -> "_Record":
        return self

    def __next__(self) -> str:
        if self.lines and (self._alone or len(self.lines) >= RECORD_LINES or self.size > RECORD_SIZE):
            raise _UnclosedError
        line = self.waiting.popleft() if self.waiting else self._source.take()
        if line is None:
            if self.lines:
                raise _UnclosedError
            raise StopIteration
        self.lines.append(line)
        self.size += len(line.data)
        try:
            text = line.data.decode(self._codec)
        except UnicodeDecodeError as error:
            self.problem = f"byte {line.data[error.start]:#04x} cannot be read as {self._codec}"
            text = line.data.decode(self._codec, "replace")
        if line.cut or "\x00" in text:
            self.problem = TOO_LONG if line.cut else NUL
        self._texts.append(text)
        return text

    def read_leniently(self, separator: str, width: int) -> list[str]:
        """The cells of a record whose quotes break the rules, where they can only be these; else none.

        On one line, quotes that are part of the text: `"Bravo" he says;5`. Over several, text after a closing quote.
        """
        if len(self.lines) == 1:
            records = list(_records(csv.reader(self._texts, delimiter=separator, quoting=csv.QUOTE_NONE)))
        else:
            records = list(_records(csv.reader(self._texts, delimiter=separator)))
        return records[0] if len(records) == 1 and len(records[0]) == width else []

    def refuse(self, *, first_only: bool) -> bytes:
        """The bytes refused; with `first_only`, the lines after the first wait to be read again."""
        refused = self.lines[:1] if first_only else self.lines
        self.waiting.extendleft(reversed(self.lines[len(refused) :]))
        return b"".join(line.data for line in refused)


def _records(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    # For the head of a file, where a malformed record is not of interest: `rows` will report it.
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue


def _sniff(texts: Sequence[str], is_header: Callable[[Sequence[str]], bool]) -> str:
    """The separator that most rows agree on; where none is, the one that makes a known header."""
    header = next((text for text in texts if text.strip()), "")
    best, best_score = _NO_SEPARATOR, (False, 0.0, 1)
    for separator in _SEPARATORS:
        if separator not in header:
            continue
        reader = _records(csv.reader(texts, delimiter=separator))
        names, *rows = [cells for cells in islice(reader, SAMPLE_ROWS) if cells] or [[]]
        rows = rows[:-1] or rows  # the sample may end within the last one
        share = sum(len(cells) == len(names) for cells in rows) / len(rows) if rows else 1.0
        score = (share > 0.5, share, len(names))
        if len(names) > 1 and score > best_score and (share > 0.5 or (share and is_header(names))):
            best, best_score = separator, score
    return best

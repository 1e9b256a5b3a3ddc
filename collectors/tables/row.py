"""What every table gives: Row, and the Table that yields them. What text formats share is `TextTable`.

A row is its values by column name, or the reason why it has none. A table raises InputError only where no row at all can
be had from the file. Formats are in `jsonl`, `delimited` and `sheets`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from collectors.tables.streams import LINE_LIMIT, Encoding, Lines

RAW_LIMIT = 2_000  # characters of a row that a reject shows
SAMPLE_ROWS = 1_000
TOO_LONG = f"the line is longer than {LINE_LIMIT // 1024 // 1024} MB"
NUL = "holds a NUL character, which no text has"


class Row(NamedTuple):
    """One row: `values` by column name, or `problem` where there are none.

    Attributes:
        place: "line" or "sheet Avis, row"; with `number` it tells a person where to look.
        raw: where there is a problem, the row as it stands in the file, cut to RAW_LIMIT characters.
        size: about how many bytes it takes.
        whole: False while lines after it are still being made sense of: no place to stop at.
    """

    place: str
    number: int
    values: dict[str, Any]
    problem: str = ""
    raw: str = ""
    size: int = 0
    whole: bool = True


class Table(Protocol):
    """A file of rows, open.

    Attributes:
        notes: remarks on the file as a whole, for the person who imports.
        sample: up to SAMPLE_ROWS rows of its head; where there are none, one of empty values under the columns' names.
    """

    notes: tuple[str, ...]
    sample: tuple[dict[str, Any], ...]

    @property
    def at(self) -> int:
        """How far `rows` has come; the unit is the format's own, 0 is before anything."""

    @property
    def line(self) -> int:
        """Number of the last line or row taken."""

    def start(self, at: int, line: int, digest: str) -> bool:
        """Go to a place reached before, or with 0 to the first row; False where what comes before it has changed."""

    def rows(self) -> Iterator[Row]:
        """All rows from there on."""

    def digest(self) -> str:
        """Fingerprint of everything up to `at`."""

    def close(self) -> None:
        """Gives the file back."""


class TextTable:
    """What JSON lines and CSV have in common; offsets are bytes."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self.notes: tuple[str, ...] = (encoding.note,) if encoding.note else ()
        self.sample: tuple[dict[str, Any], ...] = ()
        self._path = path
        self._encoding = encoding
        self._codec = encoding.stream
        self._lines = Lines(path, encoding)

    @property
    def at(self) -> int:
        """Bytes taken."""
        return self._lines.at

    @property
    def line(self) -> int:
        """Lines taken."""
        return self._lines.line

    def digest(self) -> str:
        """See Table."""
        return self._lines.digest()

    def close(self) -> None:
        """See Table."""
        self._lines.close()

    def start(self, at: int, line: int, digest: str) -> bool:
        """See Table."""
        return at == 0 or (self._lines.skip(at, line) and self._lines.digest() == digest)

    def _rewind(self) -> None:
        self._lines.close()
        self._lines = Lines(self._path, self._encoding)

    def _undecodable(self, data: bytes) -> str:
        try:
            data.decode(self._codec)
        except UnicodeDecodeError as error:
            return f"byte {data[error.start]:#04x} cannot be read as {self._codec}"
        return ""

    def _shown(self, data: bytes) -> str:
        text = data[: RAW_LIMIT * 4].decode(self._codec, "replace").strip()[:RAW_LIMIT]
        return text.replace("\x00", "\u2400")  # shown as a sign: no database keeps a NUL in a text


def distinct(names: Sequence[str]) -> list[str]:
    """Column names, each of them once: a second “text” becomes “text 2”, one without a name “column 3”."""
    result: list[str] = []
    for number, name in enumerate(names, start=1):
        title = " ".join(name.replace("\x00", "").split()) or f"column {number}"
        while title in result:
            title = f"{title} {number}"
        result.append(title)
    return result

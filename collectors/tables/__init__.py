"""Tables that people hand in, row by row: CSV, JSON lines (both also gzipped) and Excel workbooks.

`streams` gives bounded lines; `jsonl`, `delimited` and `sheets` the rows of one format each; `dates` and `columns` turn a
row into a mention. Nothing here knows pages and cursors: that is `collectors.files`. To add a format, write a class that
is a `Table` and tell it apart in `open_table`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from collectors.tables.delimited import CsvTable
from collectors.tables.jsonl import JsonTable
from collectors.tables.row import Row, Table
from collectors.tables.streams import detect, head_of, must_be_file
from domain.errors import InputError

__all__ = ["Row", "Table", "open_table"]

_ZIP_MAGIC = b"PK\x03\x04"
_OLD_OFFICE_MAGIC = b"\xd0\xcf\x11\xe0"
_JSON_ENDINGS = {".jsonl", ".ndjson", ".json"}


def open_table(path: Path, encoding: str, is_header: Callable[[Sequence[str]], bool]) -> Table:
    """The rows of a file, whatever its format: told from its ending and its first bytes.

    Args:
        encoding: Python's codec name, "" to find out.
        is_header: whether these names can be those of the columns; finds header and separator.

    Raises:
        InputError: no row can be had from it; the message says what to change.
    """
    must_be_file(path)
    head = head_of(path)
    if head.startswith(_OLD_OFFICE_MAGIC):
        raise InputError(
            f"{path.name} is an Excel file of before 2007, or one with a password. Save it as .xlsx without a password, "
            "or as CSV."
        )
    if head.startswith(_ZIP_MAGIC) or path.suffix.lower() == ".xlsx":
        from collectors.tables.sheets import SheetTable

        return SheetTable(path, is_header)
    found = detect(head, path.name, encoding)
    start = head[len(found.mark) :].lstrip()[:1]
    if not start:
        raise InputError(f"{path.name} is empty. Export it again.")
    ending = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if start in {b"{", b"["} or ending in _JSON_ENDINGS:
        return JsonTable(path, found)
    return CsvTable(path, found, is_header)

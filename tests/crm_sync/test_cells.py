"""Cells: safe in a spreadsheet, whole in an importer."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_sync import cells
from crm_sync.dialects import DIALECTS
from crm_sync.dialects.table import LINE_END, Table

STARTERS = "=+-@\uff0b\uff0d\uff1d\uff20"
TABLE = Table("t.csv", ("id", "a", "b"), key="id", owner="a")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Léa Martin", "Léa Martin"),
        ('=HYPERLINK("http://evil.example";"click")', '\'=HYPERLINK("http://evil.example";"click")'),
        ("+1+1", "'+1+1"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1:A9)", "'@SUM(A1:A9)"),
        ("\t=1+1", "'=1+1"),
        (" \r\n =1+1", "'=1+1"),
        ("x;=1+1", "x;'=1+1"),  # a French Excel cuts here
        ("x; \uff1d1", "x; '\uff1d1"),
        ("+33612345678", "+33612345678"),  # an importer needs it bare, and a number computes to itself
        ("-12.5", "-12.5"),
        ("a\x00b\u2028c\nd", "a b c d"),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        (None, ""),
        (True, "true"),
        (3, "3"),
    ],
)
def test_cell(value: object, expected: str) -> None:
    assert cells.cell(value) == expected


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from('=+-@;\t\r\n "'))))
def test_no_cell_ever_starts_a_formula_or_breaks_a_line(text: str) -> None:
    cell = cells.cell(text)
    for part in cell.split(";"):
        start = part.strip()[:1]
        assert start not in STARTERS or start == "" or cells._NUMBER.fullmatch(cell)
    assert not set(cell) & set("\r\n\t\0")
    assert cells.cell(cell) == cell  # told again, nothing changes


@given(st.lists(st.text(), min_size=2, max_size=2))
def test_a_row_is_one_line_that_any_reader_reads(values: list[str]) -> None:
    line = TABLE.line({"id": "1", "a": values[0], "b": values[1]})
    expected = ["1", *map(cells.cell, values)]
    assert line.endswith(LINE_END) and line.count(b"\n") == 1
    assert list(csv.reader(io.StringIO(line.decode(), newline=""), strict=True)) == [expected]
    assert TABLE.cells(line.removesuffix(LINE_END)) == expected


@pytest.mark.parametrize(
    "line", [b'1,"a,b', b'1,a"b,c', b"1,2", b"1,2,3,4", b"1,\xff,3", b"1,a\nb,c", b"1,a\x00,c", b'1,"a"x,c']
)
def test_what_is_no_row_is_not_read_as_one(line: bytes) -> None:
    with pytest.raises(ValueError):
        TABLE.cells(line)


def test_a_row_has_all_columns_and_no_others() -> None:
    for row in ({"id": 1, "a": 2}, {"id": 1, "a": 2, "b": 3, "c": 4}):
        with pytest.raises(KeyError):
            TABLE.line(row)


def test_very_long_cells_are_read() -> None:
    row = {"id": "1", "a": "", "b": '"' + "x" * 300_000}
    assert TABLE.cells(TABLE.line(row).removesuffix(LINE_END))[2] == row["b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lea@Example.fr", "Lea@Example.fr"),
        (" lea@example.fr ", "lea@example.fr"),
        ("lea", ""),
        ("=cmd@x.fr", ""),
        ("a@b", ""),
        ("a;b@x.fr", ""),
        ("a@x.fr,b@x.fr", ""),
        (None, ""),
        ("x" * 250 + "@x.fr", ""),
    ],
)
def test_email(text: object, expected: str) -> None:
    assert cells.email(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033 6.12.34.56.78", "+33612345678"),
        ("06 12 34 56 78", "0612345678"),
        ("(01) 42-68-53-00", "0142685300"),
        ("=1+1", ""),
        ("+33 6 12 ; =cmd", ""),
        ("call me", ""),
        ("12", ""),
        (None, ""),
    ],
)
def test_phone(text: object, expected: str) -> None:
    assert cells.phone(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Léa Martin", ("Léa", "Martin")),
        ("Anne Le Goff", ("Anne", "Le Goff")),
        ("LE GOFF Anne", ("Anne", "LE GOFF")),
        ("Martin, Léa", ("Léa", "Martin")),
        ("Madonna", ("", "Madonna")),
        ("", ("", "")),
        ("JEAN MARTIN", ("JEAN", "MARTIN")),
    ],
)
def test_first_and_last_name(name: str, expected: tuple[str, str]) -> None:
    assert cells.first_and_last(name) == expected


@given(st.lists(st.text(min_size=1), unique=True, max_size=5))
def test_plain_names_are_plain_and_differ(texts: list[str]) -> None:
    names = [cells.plain_name(text) for text in texts]
    assert len(set(names)) == len(texts)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in names)


def test_tables_are_well_made() -> None:
    for dialect in DIALECTS:
        for table in dialect.tables:
            assert len(set(table.header)) == len(table.header)
            assert table.key in table.header and (table.owner is None or table.owner in table.header)
            assert table.cells(table.head.removeprefix(b"\xef\xbb\xbf").removesuffix(LINE_END)) == list(table.header)

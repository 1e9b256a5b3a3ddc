"""JSON lines: one object a line, each with the columns it likes.

A malformed line is a row with a problem, and the next line starts afresh. Objects inside the object stay as they are;
`columns` looks into them ("user.name").
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from collectors.tables.row import NUL, SAMPLE_ROWS, TOO_LONG, Row, TextTable
from collectors.tables.streams import SAMPLE_SIZE, DamagedError, Encoding
from domain.errors import InputError

DEPTH_LIMIT = 32
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false", type(None): "null"}


class JsonTable(TextTable):
    """The objects of a file of JSON lines."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        super().__init__(path, encoding)
        # NaN and Infinity are not JSON, but some programs write them where they have nothing.
        self._decoder = JSONDecoder(parse_constant=lambda _: None)
        try:
            self.sample = self._read_sample()
            self._rewind()
        except InputError:
            self.close()
            raise

    def rows(self) -> Iterator[Row]:
        """One row a line; blank lines are none."""
        codec, take, decode = self._codec, self._lines.take, self._decoder.decode
        while (line := take()) is not None:
            try:
                values = decode(line.data.decode(codec))
                problem = _problem(values, line.data)
            except UnicodeDecodeError:
                problem = TOO_LONG if line.cut else self._undecodable(line.data)
            except JSONDecodeError as error:
                if line.data.isspace():
                    continue
                problem = TOO_LONG if line.cut else f"malformed JSON: {error.msg}, column {error.colno}"
            except RecursionError:
                problem = "nested too deeply"
            except ValueError:
                problem = "holds a number of thousands of digits"
            if problem:
                yield Row("line", line.number, {}, problem, self._shown(line.data), len(line.data))
            else:
                yield Row("line", line.number, values, size=len(line.data))

    def _read_sample(self) -> tuple[dict[str, Any], ...]:
        found: list[dict[str, Any]] = []
        with suppress(DamagedError):  # told when the rows are read
            for row in self.rows():
                if row.values:
                    found.append(row.values)
                if len(found) == SAMPLE_ROWS or self.at > SAMPLE_SIZE:
                    break
        if found:
            return tuple(found)
        raise InputError(
            f"{self._path.name} holds no JSON object on a line of its own. Write one object a line (JSON lines); a list, "
            "or an object over several lines, is turned into that by: jq -c '.[]'"
        )


def _problem(values: Any, data: bytes) -> str:
    if type(values) is not dict:
        return f"not a JSON object but {_KINDS[type(values)]}"
    if data.count(b"{") + data.count(b"[") > DEPTH_LIMIT and _deeper_than(values, DEPTH_LIMIT):
        return "nested too deeply"
    if b"\\u" not in data:
        return ""
    written = json.dumps(values, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate)"
    return NUL if _ESCAPED_NUL.search(written) else ""


def _deeper_than(values: Any, limit: int) -> bool:
    level = [values]
    for _ in range(limit):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True

"""Tags for files of messages: JSON lines in, the same lines with an analyzer's answers out, in bounded memory.

What a line becomes is here (FIELDS, `tagged`), and which lines cannot be tagged; opening and replacing files is at the end.
Nothing here needs a store or settings. A new tag is a row of FIELDS.
"""

import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from domain.analysis import Analysis
from domain.contracts import Analyzer
from domain.errors import InputError, StorageError
from domain.mention import TEXT_LIMIT, Mention
from nlp.text import clip

Row = dict[str, Any]

GIVEN = "given_"
LINE_LIMIT = 16 * 2**20  # bytes of one line: beyond it, a file is not JSON lines
_DIGITS = 6
_SAID_AT = datetime(2026, 1, 1, tzinfo=UTC)  # analyzers read texts, not dates

FIELDS: Mapping[str, Callable[[Analysis], Any]] = {
    "lang": lambda found: found.lang,
    "sentiment": lambda found: found.sentiment.value.value,
    "p_negative": lambda found: round(found.p_negative, _DIGITS),
    "p_neutral": lambda found: round(found.p_neutral, _DIGITS),
    "p_positive": lambda found: round(found.p_positive, _DIGITS),
    "intent": lambda found: found.intent.value,
    "intent_p": lambda found: round(found.intent.p, _DIGITS),
    "secondary": lambda found: list(found.secondary),
    "aspects": lambda found: list(found.aspects),
    "urgency": lambda found: found.urgency,
    "churn": lambda found: found.churn,
    "toxic": lambda found: found.toxic,
    "irony": lambda found: found.irony,
    "directed": lambda found: found.directed,
    "uncertain": lambda found: found.uncertain,
    "model": lambda found: str(found.model),
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that is no JSON object: where it stands, why it was left out, and what it said."""

    line: int
    reason: str
    raw: bytes


@dataclass(slots=True)
class Counts:
    """What happened so far; `without_text` ones are tagged too, as empty."""

    tagged: int = 0
    without_text: int = 0
    rejected: int = 0


def tag(analyzer: Analyzer, lines: Iterable[tuple[int, bytes]], batch: int, counts: Counts) -> Iterator[Row | Rejected]:
    """Tagged rows and rejected lines, each group in the order of the lines; blank lines are skipped.

    Args:
        lines: numbered from 1.
        batch: lines that are read together, and so the most that is held in memory.
        counts: brought up to date as rows leave.
    """
    readable = (_read(number, line) for number, line in lines if line.strip())
    while together := list(islice(readable, batch)):
        rejected = [item for item in together if isinstance(item, Rejected)]
        rows = [item for item in together if not isinstance(item, Rejected)]
        yield from rejected
        mentions = [_mention(row, place) for place, row in enumerate(rows)]
        yield from (tagged(row, found) for row, found in zip(rows, analyzer.analyze(mentions), strict=True))
        counts.rejected += len(rejected)
        counts.tagged += len(rows)
        counts.without_text += sum(not _words(row, "text").strip() for row in rows)


def tagged(row: Row, found: Analysis) -> Row:
    """The row with our answers, instead of those of an earlier run.

    A field of the same name that is not ours is kept as ``given_<name>``.
    """
    kept: Row = {}
    row = untagged(row)
    for name, value in row.items():
        if name not in FIELDS:
            kept[name] = value
        elif GIVEN + name not in row:
            kept[GIVEN + name] = value
    return kept | {name: tell(found) for name, tell in FIELDS.items()}


def untagged(row: Row) -> Row:
    """The row as it was before `tagged`: what was given has its own name again, and our answers are gone."""
    if not set(FIELDS) <= set(row):
        return row
    given = {GIVEN + name: name for name in FIELDS}
    return {given.get(name, name): value for name, value in row.items() if name not in FIELDS}


def as_line(row: Row) -> bytes:
    """The row as one line of JSON."""
    try:
        return json.dumps(row, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of an emoji, as some exports hold: escaped, as it came
        return json.dumps(row).encode() + b"\n"


def _read(number: int, line: bytes) -> Row | Rejected:
    if len(line) >= LINE_LIMIT:
        return Rejected(number, f"longer than {LINE_LIMIT // 2**20} MB", line)
    try:
        row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError:
        return Rejected(number, "not UTF-8", line)
    except (ValueError, RecursionError) as error:
        return Rejected(number, f"not JSON ({getattr(error, 'msg', 'nested too deeply')})", line)
    return row if isinstance(row, dict) else Rejected(number, "JSON, but no object", line)


def _words(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _mention(row: Row, place: int) -> Mention:
    text = _words(row, "text")
    return Mention(
        network="file",
        native_id=str(place + 1),
        text=clip(text) if len(text) > TEXT_LIMIT else text,
        title=_words(row, "title"),
        created_at=_SAID_AT,
        lang_hint=_words(row, "lang_hint") or None,
    )


def numbered_lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Lines of a stream, unpacked where it is gzip; of a line beyond LINE_LIMIT only the head.

    Raises:
        InputError: the stream is damaged or cannot be read.
    """
    packed = hasattr(stream, "peek") and stream.peek(2)[:2] == b"\x1f\x8b"
    source: IO[bytes] = gzip.GzipFile(fileobj=stream) if packed else stream  # type: ignore[assignment]
    number = 0
    try:
        while line := source.readline(LINE_LIMIT):
            number += 1
            yield number, line
            while len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                line = source.readline(LINE_LIMIT)
    except (EOFError, OSError, zlib.error) as error:
        raise InputError(f"{name} cannot be read beyond line {number:,} ({error}). Nothing was written.") from error


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """A stream to a new file, packed where its name ends in `.gz`, which takes the place of `path` when all went well.

    A pipe or a device is written to directly.

    Raises:
        StorageError: it cannot be written; what stood there before is untouched.
    """
    target = path.resolve()
    direct = target.exists() and not target.is_file()
    part = target if direct else target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as raw:
            if target.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield raw
        if not direct:
            part.replace(target)
    except OSError as error:
        raise StorageError(
            f"{path} could not be written ({error.strerror or error}). Nothing of it was kept: free some space, "
            "or name another place with --out."
        ) from error
    finally:
        if not direct:
            part.unlink(missing_ok=True)

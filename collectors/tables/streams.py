"""The bytes of a file as lines: unzipped, in a known encoding, each of bounded length, counted and hashed.

Memory stays small whatever the file: lines longer than `LINE_LIMIT` are cut and marked, gzip is unpacked as it is read.
What the lines mean is in `jsonl` and `delimited`. Offsets count the bytes after unzipping (of UTF-16, as UTF-8).
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from domain.errors import InputError, TransientError

SAMPLE_SIZE = 256 * 1024  # bytes; encoding, separator and columns are told from the head
LINE_LIMIT = 4 * 1024 * 1024  # bytes; far above a mention at its longest with everything an export adds to it
_CHUNK = 128 * 1024
_BOMB_FLOOR = 64 * 1024 * 1024  # bytes
_BOMB_RATIO = 200  # texts shrink to a third or a tenth; even logs hardly to a hundredth

GZIP_MAGIC = b"\x1f\x8b"
_MARKS = (  # byte-order marks
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WESTERN = ["cp1252", "mac_roman", "cp850"]  # what French and English exports are written in where not in UTF-8
_SHOWN = {"cp1252": "Windows-1252", "mac_roman": "Mac Roman", "cp850": "code page 850"}


class Encoding(NamedTuple):
    """How the bytes of a file are read.

    Attributes:
        name: Python's codec name.
        mark: the byte-order mark at the start, not part of the text.
        note: a remark for the person who imports, or "".
        carriage_returns: lines end in CR alone, as old Macs wrote them.
    """

    name: str
    mark: bytes = b""
    note: str = ""
    carriage_returns: bool = False

    @property
    def stream(self) -> str:
        """Codec of the lines that come out: UTF-16 is turned into UTF-8, others are left alone."""
        return "utf-8" if self.name.startswith("utf-16") else self.name


class DamagedError(InputError):
    """The archive cannot be unzipped from some place on; what comes before is good."""


class Line(NamedTuple):
    """One line with its end; `cut` where it was longer than LINE_LIMIT and the rest was left out."""

    number: int
    data: bytes
    cut: bool


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the file system and gzip say into words for the person who imports."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}. Check the path.") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read by this program. Give it the right to read it.") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedError(
            f"{path.name} is damaged or was cut off: it cannot be unzipped to its end. What came before was kept; "
            "hand the whole file in again, nothing will be counted twice."
        ) from error
    except OSError as error:
        raise TransientError(f"{path} could not be read now ({error.strerror}). It is tried again later.") from error


def must_be_file(path: Path) -> None:
    """Raises InputError where the path is not a plain file with something in it."""
    with reading(path):
        size = path.stat().st_size
    if path.is_dir():
        raise InputError(f"{path} is a folder. Name one file in it.")
    if not path.is_file():
        raise InputError(f"{path} is not a plain file. Save the export to disk and name that file.")
    if size == 0:
        raise InputError(f"{path.name} is empty. Export it again.")


def head_of(path: Path) -> bytes:
    """The first SAMPLE_SIZE bytes, unzipped; of a damaged archive, those before the damage."""
    head = b""
    with reading(path):
        file = _opened(path)
    with file:
        try:
            for chunk in _chunks(file, path):
                head += chunk
                if len(head) >= SAMPLE_SIZE:
                    break
        except DamagedError:
            if not head:
                raise
    return head[:SAMPLE_SIZE]


def detect(head: bytes, name: str, wanted: str = "") -> Encoding:
    """How to read a file that starts with `head`.

    Args:
        name: the file's name, for messages.
        wanted: the encoding that a person gave; "" to find out.

    Raises:
        InputError: it is no text, or the encoding cannot be told.
    """
    returns = b"\r" in head and b"\n" not in head
    wide = head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE))
    for mark, codec in _MARKS:
        if head.startswith(mark) and not wide:
            return Encoding(codec, mark, carriage_returns=returns)
    if _is_binary(head) and not wanted.startswith("utf-16"):
        raise InputError(
            f"{name} is not a text file that can be read here: it holds binary data. Export it as CSV or JSON lines in "
            "UTF-8, or as XLSX."
        )
    if wanted:
        return Encoding(wanted, carriage_returns=returns)
    if _mostly_utf8(head):
        return Encoding("utf-8", carriage_returns=returns)
    best = from_bytes(head, cp_isolation=_WESTERN).best() or from_bytes(head).best()
    if best is None:
        raise InputError(f"The encoding of {name} cannot be told. Save it as UTF-8, or give the setting encoding.")
    shown = _SHOWN.get(best.encoding, best.encoding)
    note = f"The file is not UTF-8: read as {shown}. If accents look wrong, save it as UTF-8 and import it again."
    return Encoding(best.encoding, note=note, carriage_returns=returns)


def _is_binary(head: bytes) -> bool:
    # One NUL spoils its row only; a picture or an archive has them everywhere.
    lines = head.splitlines()
    return sum(b"\x00" in line for line in lines) > len(lines) / 5


def _mostly_utf8(head: bytes) -> bool:
    # A few broken rows must not turn all others into mojibake, so the lines vote.
    good = bad = 0
    for line in head.splitlines():
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            # The sample may end within a character; that says nothing.
            bad += 0 if error.reason == "unexpected end of data" and head.endswith(line) else 1
        else:
            good += 1
    return good >= bad


class Lines:
    """The lines of a text file, from the start or from a place reached before.

    Attributes:
        at: bytes taken so far. line: lines taken so far.
    """

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self.at = 0
        self.line = 0
        self._path = path
        self._taken = blake2b(digest_size=16)
        with reading(path):
            self._file = _opened(path)
        chunks = _without_mark(_chunks(self._file, path), encoding.mark)
        if encoding.name.startswith("utf-16"):
            chunks = _as_utf8(chunks, encoding.name)
        if encoding.carriage_returns:
            chunks = (chunk.replace(b"\r", b"\n") for chunk in chunks)
        self._bytes = io.BufferedReader(_ChunkReader(chunks), _CHUNK)

    def take(self) -> Line | None:
        """The next line, or None at the end."""
        data = self._bytes.readline(LINE_LIMIT)
        if not data:
            return None
        self._count(data)
        self.line += 1
        cut = len(data) == LINE_LIMIT and not data.endswith(b"\n")
        if cut:
            rest = data
            while rest and not rest.endswith(b"\n"):
                rest = self._bytes.readline(LINE_LIMIT)
                self._count(rest)
        return Line(self.line, data, cut)

    def skip(self, at: int, line: int) -> bool:
        """Go on to byte `at`, where line number `line` ends; False where the file is shorter than that."""
        while self.at < at:
            data = self._bytes.read(min(_CHUNK, at - self.at))
            if not data:
                return False
            self._count(data)
        self.line = line
        return True

    def digest(self) -> str:
        """Fingerprint of everything taken so far."""
        return self._taken.hexdigest()

    def close(self) -> None:
        """Gives the file back."""
        self._bytes.close()
        self._file.close()

    def _count(self, data: bytes) -> None:
        self.at += len(data)
        self._taken.update(data)


def _opened(path: Path) -> io.BufferedReader | gzip.GzipFile:
    file = path.open("rb")
    zipped = file.read(2) == GZIP_MAGIC
    file.seek(0)
    if not zipped:
        return file
    file.close()
    return gzip.GzipFile(path, "rb")


def _chunks(file: io.BufferedReader | gzip.GzipFile, path: Path) -> Iterator[bytes]:
    size, taken = path.stat().st_size, 0
    zipped = isinstance(file, gzip.GzipFile)
    while True:
        with reading(path):
            chunk = file.read1(_CHUNK)  # not `read`: where a damaged archive ends, it would take good data with it
        if not chunk:
            return
        taken += len(chunk)
        if zipped and taken > _BOMB_FLOOR and taken > _BOMB_RATIO * size:
            raise InputError(
                f"{path.name} unpacks to more than {_BOMB_RATIO} times its size, which no text does. Unpack it, look at "
                "what is in it, and hand in the text itself."
            )
        yield chunk


def _without_mark(chunks: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
    first = next(chunks, b"")
    yield first[len(mark) :]
    yield from chunks


def _as_utf8(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    # What is broken in UTF-16 comes out as broken UTF-8, so that the row it stands in is refused and no other.
    decoder = codecs.getincrementaldecoder(codec)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        yield b"\xff"


class _ChunkReader(io.RawIOBase):
    """An iterator of bytes as a file, so that the fast `readline` of BufferedReader can be had."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Always: that is all it can do."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fills `buffer` as far as one chunk goes; 0 at the end."""
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = memoryview(chunk)
        length = min(len(buffer), len(self._left))
        buffer[:length] = self._left[:length]
        self._left = self._left[length:]
        return length

"""KeyedCsv: a CSV file whose rows are replaced by key, and `write_all`, which changes several such files together.

New keys are appended, so that a growing file is never copied; replaced and removed ones make a new file that takes the old
one's place in one step. Both reach the disk before anybody is told. A process killed anywhere leaves whole files and at most
one torn last line, which the next reader mends. The caller holds the folder's lock.
"""

import os
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crm_sync import disk
from crm_sync.dialects.table import LINE_END, Table

Lines = tuple[bytes, ...]
Span = tuple[int, int]  # offset and length, line end included
Groups = Mapping[str, Lines]

TEMPORARY = ".new"
_MODE = 0o660  # less the umask: customers' data is not for everybody


class AlteredFileError(Exception):
    """Something else than Comptoir wrote into the file."""


class HalfPublishedError(Exception):
    """Some files have their new content and others do not; pushing again finishes it."""


class KeyedCsv:
    """One file and where the rows of each key stand in it. An empty or missing file has no rows."""

    def __init__(self, path: Path, table: Table) -> None:
        self.path, self.table = path, table
        self.spans: dict[str, tuple[Span, ...]] = {}
        self.size = 0
        self._owned: defaultdict[str, set[str]] = defaultdict(set)
        self._seen: tuple[int, int, int] | None = None
        self._generation = 0

    # -- reading -------------------------------------------------------------------------------------------------------

    def refresh(self, generation: int) -> None:
        """Read what others wrote since. Raises AlteredFileError where the file is not ours any more.

        `generation` grows whenever a file of the folder was replaced (`write_all` tells): as long as it stands still, only
        what was appended has to be read.
        """
        seen = disk.signature(self.path)
        if seen != self._seen:
            grown = (
                generation == self._generation and self._seen is not None and seen is not None and seen[1] > self.size
            )
            if not grown:
                self.forget_index()
            if seen is not None:
                try:
                    self._load()
                except AlteredFileError:
                    self.forget_index()
                    raise
                self._seen = disk.signature(self.path)
        self._generation = generation

    def forget_index(self) -> None:
        """Know nothing of the file's content any more."""
        self.spans, self.size, self._seen = {}, 0, None
        self._owned.clear()

    def pass_over(self, before: int, after: int) -> None:
        """Take the generation `after` for `before`: the files replaced in between were ours, and are known."""
        if self._generation == before:
            self._generation = after

    def _load(self) -> None:
        # Reads on from `size`; what is known stays.
        head = self.table.head
        with self.path.open("rb") as file:
            start = file.read(len(head))
            if start and start != head:
                raise AlteredFileError("its first line is not the header that Comptoir wrote")
            base = self.size or len(start)
            file.seek(max(base - len(LINE_END), 0))
            if start and file.read(len(LINE_END)) != LINE_END:
                raise AlteredFileError(f"byte {base} is not the end of a line any more")
            raw = file.read()
        self.size = base + self._index(raw, base)

    def _index(self, raw: bytes, base: int) -> int:
        # Notes the rows of `raw`, which stands at `base` in the file; how many bytes are whole rows.
        found: defaultdict[str, list[Span]] = defaultdict(list)
        at = 0
        while at < len(raw):
            end = raw.find(LINE_END, at)
            line = raw[at:end] if end >= 0 else raw[at:].removesuffix(b"\r")
            if end < 0 and not self._mend(line, raw, base + at):
                break
            try:
                cells = self.table.cells(line)
            except ValueError as error:
                raise AlteredFileError(f"the row at byte {base + at}: {error}") from error
            key, length = self.table.key_of(cells), len(line) + len(LINE_END)
            found[key].append((base + at, length))
            for owner in self.table.owners_of(cells):
                self._owned[owner].add(key)
            at += length
        for key, spans in found.items():
            self.spans[key] = (*self.spans.get(key, ()), *spans)
        return at

    def _mend(self, line: bytes, raw: bytes, offset: int) -> bool:
        # The last line has no end. With all its cells (somebody's editor, or a cut in the last cell) it gets one; without,
        # it is what a killed process left: it goes, nobody was told of it, and it will be pushed again.
        if self.table.is_row(line):
            disk.append(self.path, LINE_END[1:] if raw.endswith(b"\r") else LINE_END)
            return True
        disk.truncate(self.path, offset)
        return False

    def lines(self, keys: Iterable[str]) -> dict[str, Lines]:
        """The rows of these keys as they stand in the file; () for a key that is not there."""
        found: dict[str, Lines] = dict.fromkeys(keys, ())
        known = [key for key in found if key in self.spans]
        if known:
            with self.path.open("rb") as file:
                for key in known:
                    found[key] = tuple(disk.read_at(file.fileno(), span) for span in self.spans[key])
        return found

    def keys_of(self, owner: str) -> set[str]:
        """Keys with a row of this owner."""
        return set(self._owned.get(owner, ()))

    # -- after writing -------------------------------------------------------------------------------------------------

    def settle(self, spans: dict[str, tuple[Span, ...]], size: int, before: Groups, after: Groups) -> None:
        """Take over what was written: the new places, and whose rows changed."""
        self.spans, self.size = spans, size
        for key, lines in before.items():
            for owner in self._owners(lines):
                self._owned[owner].discard(key)
                if not self._owned[owner]:
                    del self._owned[owner]
        for key, lines in after.items():
            for owner in self._owners(lines):
                self._owned[owner].add(key)
        self._seen = disk.signature(self.path)

    def _owners(self, lines: Lines) -> set[str]:
        table = self.table
        return {owner for line in lines for owner in table.owners_of(table.cells(line.removesuffix(LINE_END)))}


@dataclass
class _Append:
    file: KeyedCsv
    before: Groups
    after: Groups

    def prepare(self) -> None:
        disk.append(self.file.path, b"".join(line for lines in self.after.values() for line in lines))

    def undo(self) -> None:
        disk.truncate(self.file.path, self.file.size)

    def publish(self) -> None:
        spans, size = self.file.spans, self.file.size
        for key, lines in self.after.items():
            for line in lines:
                spans[key] = ((size, len(line)),)
                size += len(line)
        self.file.settle(spans, size, self.before, self.after)


@dataclass
class _Rewrite:
    file: KeyedCsv
    before: Groups
    after: Groups
    spans: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    size: int = 0

    @property
    def _temporary(self) -> Path:
        return self.file.path.with_name("." + self.file.path.name + TEMPORARY)

    def prepare(self) -> None:
        path = self.file.path
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | disk.BINARY, _MODE)
        try:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)  # what the operator set on the file stays
            disk.write(descriptor, b"".join(self._pieces()))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _pieces(self) -> Iterable[bytes]:
        # Copies what stays in long runs, and writes the new rows of a key where its old ones stood. Notes the new places.
        file, head = self.file, self.file.table.head
        old = file.path.read_bytes() if file.size else head
        changed = sorted((span, key) for key in self.after for span in file.spans.get(key, ()))
        waiting = dict(self.after)
        cuts: list[int] = []
        shifts: list[int] = [0]
        run, shift = 0, 0
        for (offset, length), key in changed:
            yield old[run:offset]
            run = offset + length
            lines = waiting.pop(key, ())
            self._note(key, lines, offset + shift)
            yield from lines
            shift += sum(map(len, lines)) - length
            cuts.append(offset)
            shifts.append(shift)
        yield old[run : max(file.size, len(head))]
        self.size = max(file.size, len(head)) + shift
        for key, lines in waiting.items():
            self._note(key, lines, self.size)
            yield from lines
            self.size += sum(map(len, lines))
        for key, spans in file.spans.items():
            if key not in self.after:
                self.spans[key] = tuple((offset + shifts[bisect(cuts, offset)], length) for offset, length in spans)

    def _note(self, key: str, lines: Lines, offset: int) -> None:
        places = []
        for line in lines:
            places.append((offset, len(line)))
            offset += len(line)
        if places:
            self.spans[key] = tuple(places)

    def undo(self) -> None:
        self._temporary.unlink(missing_ok=True)

    def publish(self) -> None:
        os.replace(self._temporary, self.file.path)  # noqa: PTH105 - the call that is atomic
        self.file.settle(self.spans, self.size, self.before, self.after)


def write_all(changes: Sequence[tuple[KeyedCsv, Groups]], replacing: Callable[[], None]) -> None:
    """Give the files their new rows, all of them or none.

    Everything is written and synced first (new files beside the old ones, new rows at the end), and undone where the disk
    says no; then the new files take their places.

    Args:
        replacing: called before the first file is replaced, so that other writers read it anew.

    Raises:
        OSError: nothing was kept.
        HalfPublishedError: the last step failed in the middle.
    """
    steps: list[_Append | _Rewrite] = []
    for file, groups in changes:
        before = file.lines(groups)
        changed = {key: lines for key, lines in groups.items() if lines != before[key]}
        if changed:
            before = {key: before[key] for key in changed}
            # Rows of one key belong together, and an append may be cut between two of them.
            grows = file.size > 0 and not any(before.values()) and all(len(lines) < 2 for lines in changed.values())
            steps.append((_Append if grows else _Rewrite)(file, before, changed))
    started: list[_Append | _Rewrite] = []
    try:
        for step in steps:
            started.append(step)
            step.prepare()
        if any(isinstance(step, _Rewrite) for step in steps):
            replacing()
    except OSError:
        _undo(started)
        raise
    try:
        for step in steps:
            step.publish()
        for folder in {step.file.path.parent for step in steps if isinstance(step, _Rewrite)}:
            disk.sync_folder(folder)
    except OSError as error:
        raise HalfPublishedError(str(error)) from error


def _undo(steps: Sequence[_Append | _Rewrite]) -> None:
    trouble: OSError | None = None
    for step in steps:
        try:
            step.undo()
        except OSError as error:
            trouble = error
    if trouble is not None:
        raise HalfPublishedError(str(trouble)) from trouble


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process had not put into place; it may hold rows of persons who were forgotten since."""
    for path in folder.glob(f".*{TEMPORARY}"):
        path.unlink(missing_ok=True)

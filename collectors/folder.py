"""A drop folder: every export that is laid into it is read once it has stopped growing; nothing is moved, nothing deleted.

Each file is read as `files` reads one, with a place of its own in the cursor: rows appended later are heard, a file that was
replaced is read afresh. A file that cannot be read is listed once, and the others go on.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from collectors import files
from collectors.wire import dict_of
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Cursor, Page, Reject, Setting, Watch
from domain.errors import ConfigurationError, InputError, TransientError

SPEC = CollectorSpec(
    key="folder",
    title="Drop folder",
    settings=(
        Setting("folder", "Folder that exports are laid into"),
        *(one for one in files.SPEC.settings if one.key not in {"path", "imported_at"}),
    ),
    reads="Every .csv, .jsonl (both also .gz) and .xlsx in the folder: exports of marketplaces, review sites, surveys, "
    "telephone tools and contact forms. Rows that cannot be read are listed.",
    access=("Make the folder, let the export of the other tool write into it, and name it in the setting folder.",),
    limits="A file is read once it has not changed for ten seconds. Hidden files and folders below are left alone.",
    facts=("Our own interface: docs/operations.md, “A drop folder”",),
)
ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".xlsx")
STILL = timedelta(seconds=10)

_Seen = tuple[int, int]  # size and time of change, when it was read to its end


def connect(settings: Mapping[str, str], *, now: Now = utc_now) -> Collector:
    """The collector of one folder. Raises ConfigurationError where a setting is missing or cannot be used."""
    if not settings.get("folder", "").strip():
        raise ConfigurationError("The setting folder is missing: name the folder that exports are laid into.")
    own = {key: value for key, value in settings.items() if key != "folder"}
    files.connect({**own, "path": "export.csv"})  # says what is wrong with the other settings
    return FolderCollector(Path(settings["folder"].strip()).expanduser(), own, now=now)


class FolderCollector:
    """The mentions of all files of one folder."""

    spec = SPEC

    def __init__(self, folder: Path, settings: Mapping[str, str], *, now: Now) -> None:
        self._folder, self._settings, self._now = folder, settings, now

    def check(self) -> None:
        """See Collector: the folder is there and can be read."""
        try:
            self._found()
        except TransientError as error:
            raise ConfigurationError(str(error)) from error

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector. Exports are laid down to be read whole: `watch` leaves nothing out."""
        places, found = _Places.read(since), self._found()
        places.keep(found)
        for name, seen in found.items():
            if places.seen.get(name) == seen:
                continue
            try:
                for page in self._file(name).fetch(watch, places.at.get(name)):
                    if page.cursor is not None:
                        places.at[name] = page.cursor
                    yield _named(page, name, places.cursor() if page.cursor is not None else None)
            except (InputError, ConfigurationError) as error:
                places.seen[name] = seen
                yield Page((), places.cursor(), rejects=(Reject(name, str(error), name),))
                continue
            places.seen[name] = seen
            yield Page((), places.cursor())

    def _file(self, name: str) -> Collector:
        return files.connect({**self._settings, "path": str(self._folder / name)})

    def _found(self) -> dict[str, _Seen]:
        """The files that nobody is writing any more, in the order of their names."""
        if not self._folder.is_dir():
            raise TransientError(f"There is no folder {self._folder}. Make it, or change the setting folder.")
        found: dict[str, _Seen] = {}
        try:
            for path in sorted(self._folder.iterdir()):
                if path.name.startswith(".") or not path.name.lower().endswith(ENDINGS) or not path.is_file():
                    continue
                told = path.stat()
                if self._now().timestamp() - told.st_mtime >= STILL.total_seconds():
                    found[path.name] = (told.st_size, told.st_mtime_ns)
        except OSError as error:
            words = f"The folder {self._folder} cannot be read: {error.strerror}. It is tried again later."
            raise TransientError(words) from error
        return found


def _named(page: Page, name: str, cursor: Cursor | None) -> Page:
    rejects = tuple(replace(one, position=f"{name}, {one.position}") for one in page.rejects)
    notes = tuple(f"{name}: {note}" for note in page.notes)
    return replace(page, cursor=cursor, rejects=rejects, notes=notes)


@dataclass
class _Places:
    """How far each file was read, and how the file was when it was read to its end."""

    at: dict[str, Cursor] = field(default_factory=dict)
    seen: dict[str, _Seen] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> "_Places":
        try:
            told: dict[str, Any] = dict_of(json.loads(cursor)) if cursor else {}
        except ValueError:
            told = {}  # from the start: nothing is lost by reading twice
        at = {name: Cursor(one) for name, one in dict_of(told.get("at")).items() if isinstance(one, str)}
        seen = {
            name: (int(one[0]), int(one[1]))
            for name, one in dict_of(told.get("seen")).items()
            if isinstance(one, list) and len(one) == 2 and all(isinstance(part, int) for part in one)
        }
        return cls(at, seen)

    def keep(self, found: Mapping[str, _Seen]) -> None:
        """Forget files that are gone."""
        self.at = {name: one for name, one in self.at.items() if name in found}
        self.seen = {name: one for name, one in self.seen.items() if name in found}

    def cursor(self) -> Cursor:
        return Cursor(json.dumps({"at": self.at, "seen": self.seen}, sort_keys=True))

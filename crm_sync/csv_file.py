"""Files that other CRMs import: the connector that needs no account.

For each dialect a folder with that vendor's own import files, always as of now: a record pushed again replaces its rows, a
forgotten person's rows go from every file. What a row looks like is in `dialects`, how it reaches the disk in `keyed_csv`.
To feed another vendor's import, add a dialect there.
"""

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile

from crm_sync.cells import cell
from crm_sync.dialects import DIALECTS
from crm_sync.dialects.table import Dialect, Group, Rendered, Table
from crm_sync.dialects.wording import LANGUAGES
from crm_sync.folder_lock import FolderBusyError, Lock, locked
from crm_sync.keyed_csv import AlteredFileError, HalfPublishedError, KeyedCsv, Lines, remove_leftovers, write_all
from crm_sync.records import ID_FIELD
from domain.contracts import (
    CrmConnector,
    CrmRecord,
    CrmSpec,
    Receipt,
    ReceiptState,
    RecordKind,
    RemoteId,
    Setting,
)
from domain.errors import ConfigurationError, OutcomeUnknownError, TransientError

SPEC = CrmSpec(
    key="csv_file",
    title="CSV files (HubSpot, Salesforce, Odoo)",
    settings=(
        Setting("folder", "Folder for the files"),
        Setting("dialects", "CRMs to write for (hubspot, salesforce, odoo)", required=False),
        Setting("lang", "Language of subjects and summaries (fr or en)", required=False),
        Setting("hubspot_pipeline", "HubSpot: ticket pipeline", required=False),
        Setting("hubspot_status", "HubSpot: status of a new ticket", required=False),
    ),
    batch_size=200,
)
_PATIENCE = timedelta(seconds=10)  # how long we wait for another process to finish its batch
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}


def connect(settings: Mapping[str, str]) -> CrmConnector:
    """The connector for these settings.

    Raises:
        ConfigurationError: no folder, or a dialect or language that does not exist.
    """
    folder = settings.get("folder", "").strip()
    if not folder or "\0" in folder:
        raise ConfigurationError("The CRM “csv_file” needs the setting “folder”: where to put the files.")
    known = {dialect.key: dialect for dialect in DIALECTS}
    wanted = [name.strip().lower() for name in settings.get("dialects", ",".join(known)).split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        what = f"“{unknown[0]}” is no dialect" if unknown else "no dialect is named"
        raise ConfigurationError(f"Setting “dialects” of the CRM “csv_file”: {what}. Choose from: {', '.join(known)}.")
    lang = settings.get("lang", "").strip().lower() or LANGUAGES[0]
    if lang not in LANGUAGES:
        choices = " or ".join(LANGUAGES)
        raise ConfigurationError(f"Setting “lang” of the CRM “csv_file”: “{lang}” is not known. Choose {choices}.")
    dialects = tuple(known[name] for name in dict.fromkeys(wanted))
    return CsvFiles(_home(folder), dialects, {**settings, "lang": lang})


class CsvFiles:
    """A folder of import files, one folder inside it for each dialect."""

    spec = SPEC

    def __init__(self, folder: Path, dialects: tuple[Dialect, ...], options: Mapping[str, str]) -> None:
        self._folder = folder
        self._dialects = dialects
        self._options = options
        self._files: dict[tuple[str, str], KeyedCsv] = {}
        self._fresh: set[tuple[str, str]] = set()  # files looked at since the lock was taken
        self._generation = 0

    def check(self) -> None:
        """Raises ConfigurationError where the folder takes no files, or a file in it is not ours any more."""
        try:
            with self._opened():
                for dialect in self._dialects:
                    with TemporaryFile(dir=self._folder / dialect.key) as probe:
                        probe.write(b"x" * 4096)
                    self._existing(dialect)
        except TransientError as error:
            if not isinstance(error.__cause__, FolderBusyError):  # somebody writes there this moment: it works
                raise ConfigurationError(str(error)) from error

    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        """One receipt a record, in order. A record is refused only where no dialect can take it; where some cannot, the
        receipt's reason says which and why.

        Raises:
            ConfigurationError: the folder takes no files, or a file was altered; nothing was written.
            TransientError: the disk is full or another process is writing; nothing was written.
            OutcomeUnknownError: some files have the new rows, others not; pushing again finishes it.
        """
        if len(records) > SPEC.batch_size:
            raise ValueError(f"{len(records)} records in one push; at most {SPEC.batch_size} are taken.")
        if not records:
            return []
        with self._opened() as lock:
            batch = _Batch(self)
            receipts = [self._take(record, batch) for record in records]
            batch.write(lock)
            for file in self._files.values():
                file.pass_over(self._generation, lock.generation)
        return receipts

    def find(self, record: CrmRecord) -> RemoteId | None:
        """The record's id where all files that take it have it (of a person to forget: where none has anything left)."""
        key, trouble = _identity(record)
        if trouble:
            return None
        with self._opened():
            rendered = self._render(record)
            fit = [(dialect, result) for dialect, result in rendered if not result.unfit]
            there = bool(fit) and all(self._has(dialect, group) for dialect, result in fit for group in result.groups)
            if there and record.kind is RecordKind.FORGET:
                there = not any(self.files_of(dialect, key) for dialect, _ in rendered)
        return RemoteId(key) if there else None

    # -- one record ----------------------------------------------------------------------------------------------------

    def _take(self, record: CrmRecord, batch: "_Batch") -> Receipt:
        key, trouble = _identity(record)
        if trouble:
            return Receipt(record.key, ReceiptState.REFUSED, reason=trouble)
        rendered = self._render(record)
        reason = " ".join(f"{dialect.title}: {result.unfit}." for dialect, result in rendered if result.unfit)
        if all(result.unfit for _, result in rendered):
            return Receipt(record.key, ReceiptState.REFUSED, reason=reason)
        for dialect, result in rendered:
            if record.kind is RecordKind.FORGET:
                batch.forget(dialect, key)
            for group in result.groups:
                batch.put(dialect, group)
        return Receipt(record.key, ReceiptState.ACCEPTED, RemoteId(key), f"Not written for {reason}" if reason else "")

    def _render(self, record: CrmRecord) -> list[tuple[Dialect, Rendered]]:
        dialects = self._dialects
        if record.kind is RecordKind.FORGET:  # files of a dialect that is no longer wanted still hold persons
            dialects = tuple(d for d in DIALECTS if d in dialects or (self._folder / d.key).is_dir())
        known = {name: value for name, value in record.fields.items() if value is not None}
        record = CrmRecord(record.kind, record.key, known)
        return [(dialect, dialect.render(record, self._options)) for dialect in dialects]

    # -- files ---------------------------------------------------------------------------------------------------------

    def file(self, dialect: Dialect, table: Table, name: str) -> KeyedCsv:
        """One file as it is now. While the lock is held nobody changes it, so that one look is enough."""
        place = dialect.key, name
        if place in self._fresh:
            return self._files[place]
        if place not in self._files:
            self._files[place] = KeyedCsv(self._folder / dialect.key / name, table)
        found = self._files[place]
        try:
            found.refresh(self._generation)
        except AlteredFileError as error:
            raise ConfigurationError(
                f"The file {found.path} was changed by another program ({error}). Nothing was written. Move it out of the "
                "folder or delete it, and Comptoir starts a new one at the next push; work on copies of these files."
            ) from error
        self._fresh.add(place)
        return found

    def files_of(self, dialect: Dialect, person_id: str) -> list[KeyedCsv]:
        """Files with a row of this person."""
        return [file for file in self._existing(dialect) if file.keys_of(cell(file.table.owned_as(person_id)))]

    def _existing(self, dialect: Dialect) -> list[KeyedCsv]:
        folder = self._folder / dialect.key
        return [
            self.file(dialect, table, path.name) for table in dialect.tables for path in sorted(folder.glob(table.file))
        ]

    def _has(self, dialect: Dialect, group: Group) -> bool:
        file = self.file(dialect, group.table, group.file)
        return cell(group.key) in file.spans or not group.rows

    @contextmanager
    def _opened(self) -> Iterator[Lock]:
        # The lock, the folders, and the system's errors in a person's words.
        try:
            for dialect in self._dialects:
                (self._folder / dialect.key).mkdir(parents=True, exist_ok=True)
            with locked(self._folder, _PATIENCE) as lock:
                self._generation = lock.generation
                self._fresh.clear()
                for dialect in DIALECTS:
                    remove_leftovers(self._folder / dialect.key)
                yield lock
        except FolderBusyError as error:
            raise TransientError(
                f"Another process is writing into {self._folder}. Nothing was written; it is tried again by itself."
            ) from error
        except HalfPublishedError as error:
            raise OutcomeUnknownError(
                f"The files in {self._folder} could not all be replaced ({error}). Some have the new rows; the next try "
                "brings the others up to date."
            ) from error
        except OSError as error:
            raise _explained(error, self._folder) from error


class _Batch:
    # What the files will hold after this push: the rows of each key, later records over earlier ones.

    def __init__(self, connector: CsvFiles) -> None:
        self._connector = connector
        self._rows: dict[KeyedCsv, dict[str, Lines]] = {}

    def put(self, dialect: Dialect, group: Group) -> None:
        file = self._connector.file(dialect, group.table, group.file)
        self._rows.setdefault(file, {})[cell(group.key)] = tuple(group.table.line(row) for row in group.rows)

    def forget(self, dialect: Dialect, person_id: str) -> None:
        for file in self._connector.files_of(dialect, person_id):
            owner = cell(file.table.owned_as(person_id))
            rows = self._rows.setdefault(file, {})
            rows.update(file.lines(file.keys_of(owner) - rows.keys()))
        for file, rows in self._rows.items():
            if file.table in dialect.tables:
                owner = cell(file.table.owned_as(person_id))
                for key, lines in rows.items():
                    left = (file.table.without(line, owner) for line in lines)
                    rows[key] = tuple(line for line in left if line is not None)

    def write(self, lock: Lock) -> None:
        write_all(list(self._rows.items()), replacing=lock.advance)


def _home(folder: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:  # "~somebody" who has no home here
        raise ConfigurationError(f"Setting “folder” of the CRM “csv_file”: {folder} leads nowhere. {error}.") from error


def _identity(record: CrmRecord) -> tuple[str, str]:
    # The id that the record's rows are known by, and what is wrong with it.
    name = ID_FIELD[record.kind]
    key = str(record.fields.get(name) or "")
    if not key:
        return "", f"The record has no {name}, without which its rows could not be found again."
    if not record.key.endswith(f":{key}"):
        return "", f"The record's key “{record.key}” does not end with its {name} “{key}”."
    return key, ""


def _explained(error: OSError, folder: Path) -> ConfigurationError | TransientError:
    if error.errno in _FULL:
        return TransientError(
            f"There is no room left for the files in {folder}. Nothing was written. Free some space on that disk; the "
            "records are sent again by themselves."
        )
    if error.errno in _NOT_ALLOWED or isinstance(error, FileExistsError):
        return ConfigurationError(
            f"No files can be written into {folder} ({error.strerror}). Nothing was written. Let Comptoir's user write "
            "there, close the files in other programs, or choose another “folder” for the CRM “csv_file”."
        )
    return TransientError(f"The files in {folder} could not be written ({error}). Nothing was kept; it is tried again.")

"""The files when the world misbehaves: killed processes, torn lines, full disks, other programs, other processes."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crm_sync import csv_file
from crm_sync.folder_lock import LOCK_NAME, locked
from crm_sync.records import contact, forget
from domain.contracts import CrmRecord, ReceiptState
from domain.errors import ConfigurationError, OutcomeUnknownError, TransientError
from tests.crm_sync.shop import (
    LEA,
    PAUL,
    connect,
    everything,
    everything_in,
    found,
    segment,
    table,
)

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FIRST = [contact(LEA), found(LEA), found(PAUL, 2), segment(LEA)]
THEN = [found(LEA, mention_count=9), contact(PAUL), found(PAUL, 3), segment(LEA, PAUL), forget(LEA.id)]


# -- killed --------------------------------------------------------------------------------------------------------------


class Kill:
    """Ends the process by SIGKILL at its Nth call that changes the disk; a write dies half way."""

    NAMES = ("write", "fsync", "replace", "ftruncate", "open", "unlink")

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0
        for name in self.NAMES:
            setattr(os, name, self.around(name, getattr(os, name)))

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **more: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                if name == "write":
                    call(args[0], bytes(args[1])[: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return stepped


def push_and_die(folder: Path, records: list[CrmRecord], at: int) -> bool:
    """Push in a child that is killed at its Nth step; False where it came to its end before."""
    child = os.fork()
    if child == 0:
        try:
            Kill(at)
            connect(folder).push(records)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("records", [FIRST, THEN, [found(PAUL, 7), found(PAUL, 8)]], ids=["new", "changed", "appended"])
def test_killed_at_any_step_and_pushed_again_ends_as_if_nothing_had_happened(
    tmp_path: Path, records: list[CrmRecord]
) -> None:
    expected = connect(tmp_path / "unbroken")
    if records is not FIRST:
        expected.push(FIRST)
    before = everything_in(tmp_path / "unbroken")
    expected.push(records)
    after = everything_in(tmp_path / "unbroken")
    at, killed = 0, True
    while killed:
        at += 1
        folder = tmp_path / f"at{at}"
        if records is not FIRST:
            connect(folder).push(FIRST)
        killed = push_and_die(folder, records, at)
        survivor = connect(folder)
        survivor.check()  # what is left is whole files
        for name, rows in everything_in(folder).items():
            allowed = [*before.get(name, []), *after.get(name, [])]
            assert [row for row in rows if row not in allowed] == [], (at, name)
        survivor.push(records)
        assert everything_in(folder) == after, at
        assert [path.name for path in folder.rglob("*") if path.name.endswith(".new")] == []
    assert at > 8


def test_what_was_receipted_before_a_kill_is_there_after(tmp_path: Path) -> None:
    connect(tmp_path).push(FIRST)
    before = everything_in(tmp_path)
    for at in range(1, 40):
        if not push_and_die(tmp_path, [found(PAUL, 100 + at)], at):
            break
    crm = connect(tmp_path)
    assert [crm.find(record) for record in FIRST] == ["p1", "c1", "c2", "vip"]
    for name, rows in before.items():
        assert [row for row in rows if row not in everything_in(tmp_path)[name]] == []


@pytest.mark.parametrize("name", ["hubspot/tickets.csv", "salesforce/Contact.csv", "odoo/erasures.csv"])
def test_a_torn_last_line_is_mended_wherever_it_was_cut(tmp_path: Path, name: str) -> None:
    records = [*FIRST, contact(PAUL), forget(LEA.id), forget("p5"), forget("p6")]
    connect(tmp_path).push(records)
    expected = everything_in(tmp_path)
    path = tmp_path / name
    whole = path.read_bytes()
    last = len(whole.rstrip(b"\r\n").rpartition(b"\n")[0]) + 1
    for end in range(last, len(whole)):
        path.write_bytes(whole[:end])
        crm = connect(tmp_path)
        crm.check()
        assert path.read_bytes().endswith(b"\r\n")
        crm.push(records)
        assert everything_in(tmp_path) == expected, end


def test_a_last_row_that_an_editor_left_without_its_end_is_kept(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([contact(LEA), contact(PAUL)])
    path = tmp_path / "odoo" / "res.partner.csv"
    rows = table(tmp_path, "odoo/res.partner.csv")
    path.write_bytes(path.read_bytes().removesuffix(b"\r\n"))
    crm.push([contact(LEA)])
    assert table(tmp_path, "odoo/res.partner.csv") == rows


def test_leftovers_of_a_killed_process_go(tmp_path: Path) -> None:
    crm = connect(tmp_path, dialects="odoo")
    crm.push([contact(LEA)])
    (tmp_path / "salesforce").mkdir()
    leftovers = [tmp_path / "odoo" / ".res.partner.csv.new", tmp_path / "salesforce" / ".Contact.csv.new"]
    for leftover in leftovers:
        leftover.write_text("lea@example.fr")
    crm.push([forget(LEA.id)])
    assert not any(leftover.exists() for leftover in leftovers)


def test_everything_is_on_the_disk_before_anybody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[tuple[str, str]] = []
    names: dict[int, str] = {}
    real_open, real_write, real_replace = os.open, os.write, os.replace

    def opened(path: Any, *args: Any, **more: Any) -> int:
        descriptor = real_open(path, *args, **more)
        names[descriptor] = str(path)
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "write", lambda d, data: events.append(("write", names[d])) or real_write(d, data))
    monkeypatch.setattr(os, "fsync", lambda d: events.append(("fsync", names[d])))
    monkeypatch.setattr(os, "replace", lambda a, b: events.append(("replace", str(b))) or real_replace(a, b))
    crm = connect(tmp_path)
    for records in (FIRST, [found(PAUL, 9)], THEN):
        events.clear()
        crm.push(records)
        assert ("fsync", str(tmp_path / LOCK_NAME)) not in events
        for at, (what, name) in enumerate(events):
            rest = events[at + 1 :]
            if what == "write" and not name.endswith(LOCK_NAME):
                assert ("fsync", name) in rest
                replaced = ("replace", name.replace("/.", "/").removesuffix(".new"))
                assert replaced not in rest or rest.index(("fsync", name)) < rest.index(replaced)
            if what == "replace":
                assert ("fsync", str(Path(name).parent)) in rest
    assert any(what == "replace" for what, _ in events)


# -- a disk that says no -------------------------------------------------------------------------------------------------


@contextmanager
def failing(name: str, error: int, at: int, part: int = 0) -> Iterator[list[str]]:
    """The Nth call of `os.<name>` fails, after `part` bytes where it is a write."""
    real, calls = getattr(os, name), []

    def call(*args: Any, **more: Any) -> Any:
        calls.append(name)
        if len(calls) == at:
            if part:
                real(args[0], bytes(args[1])[:part])
            raise OSError(error, os.strerror(error))
        return real(*args, **more)

    setattr(os, name, call)
    try:
        yield calls
    finally:
        setattr(os, name, real)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (errno.ENOSPC, TransientError, "Free some space"),
        (errno.EDQUOT, TransientError, "Free some space"),
        (errno.EIO, TransientError, "tried again"),
        (errno.EROFS, ConfigurationError, "folder"),
        (errno.EACCES, ConfigurationError, "folder"),
    ],
)
@pytest.mark.parametrize("name", ["write", "fsync"])
def test_nothing_is_half_written_where_the_disk_says_no(
    tmp_path: Path, name: str, error: int, kind: type[Exception], words: str
) -> None:
    connect(tmp_path).push(FIRST)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.csv")}
    crm = connect(tmp_path)
    at = 0
    while True:
        at += 1
        with failing(name, error, at, part=10 if name == "write" else 0) as calls:
            try:
                crm.push(THEN)
            except OutcomeUnknownError:
                assert name == "fsync"
                break  # the last step: files are in place, only their names may not be on the disk yet
            except kind as trouble:
                assert words in str(trouble) and str(tmp_path) in str(trouble)
                assert {path: path.read_bytes() for path in tmp_path.rglob("*.csv")} == before, at
                assert not list(tmp_path.rglob("*.new"))
                continue
        assert len(calls) < at
        break
    assert at > 5
    assert {receipt.state for receipt in crm.push(THEN)} == {ReceiptState.ACCEPTED}
    connect(tmp_path / "unbroken").push(FIRST)
    connect(tmp_path / "unbroken").push(THEN)
    unbroken = everything_in(tmp_path / "unbroken")
    assert {name: rows for name, rows in everything_in(tmp_path).items() if "unbroken" not in name} == unbroken


def test_a_replacement_that_fails_in_the_middle_is_unknown_and_finished_by_the_next_push(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push(FIRST)
    with failing("replace", errno.EIO, 2), pytest.raises(OutcomeUnknownError, match="next try"):
        crm.push(THEN)
    crm.push(THEN)
    connect(tmp_path / "unbroken").push(FIRST)
    connect(tmp_path / "unbroken").push(THEN)
    unbroken = everything_in(tmp_path / "unbroken")
    assert {name: rows for name, rows in everything_in(tmp_path).items() if "unbroken" not in name} == unbroken


def test_an_undo_that_fails_too_is_unknown(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push(FIRST)
    with failing("ftruncate", errno.EIO, 1), failing("fsync", errno.EIO, 1), pytest.raises(OutcomeUnknownError):
        crm.push([found(PAUL, 9)])
    crm.push([found(PAUL, 9)])
    assert [row["External_Id__c"] for row in table(tmp_path, "salesforce/Case.csv")] == ["c1", "c2", "c9"]


def test_a_real_limit_of_the_system_keeps_the_files_whole(tmp_path: Path) -> None:
    # The system itself refuses to let a file grow past its limit, in the middle of a write.
    connect(tmp_path).push(FIRST)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.csv")}
    script = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from tests.crm_sync.shop import LEA, connect, found
        from domain.errors import TransientError
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
        try:
            connect(Path(sys.argv[1])).push([found(LEA, number) for number in range(100)])
        except TransientError as error:
            sys.exit(0 if "no room left" in str(error) else str(error))
        sys.exit("nothing was refused")
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.csv")} == before


def test_check_says_that_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(csv_file, "TemporaryFile", full)
    with pytest.raises(ConfigurationError, match="Free some space"):
        connect(tmp_path).check()


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    connect(tmp_path).check()
    assert {path.name for path in tmp_path.rglob("*")} == {LOCK_NAME, "hubspot", "salesforce", "odoo"}


# -- other programs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "alter",
    [
        lambda raw: raw.replace(b",", b";"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"\r\n", b"\n"),
        lambda raw: raw + b"a;b;c\r\n",
        lambda raw: raw.replace("Léa".encode(), "Léa".encode("latin-1")),
        lambda raw: raw + b"more\ncells,than,there,should,be,here\r\n",
    ],
    ids=["semicolons", "mark", "line-ends", "a-line", "encoding", "a-break"],
)
def test_a_file_that_another_program_changed_is_named_and_left_alone(
    tmp_path: Path, alter: Callable[[bytes], bytes]
) -> None:
    crm = connect(tmp_path)
    crm.push([contact(LEA)])
    path = tmp_path / "salesforce" / "Contact.csv"
    path.write_bytes(alter(path.read_bytes()))
    before = {one: one.read_bytes() for one in tmp_path.rglob("*.csv")}
    for act in (crm.check, lambda: crm.push([contact(PAUL)]), lambda: connect(tmp_path).check()):
        with pytest.raises(ConfigurationError, match=r"Contact\.csv.*Move it") as caught:
            act()
        assert str(path) in str(caught.value)
    assert {one: one.read_bytes() for one in tmp_path.rglob("*.csv")} == before
    path.rename(tmp_path / "aside.csv")
    assert crm.push([contact(PAUL)])[0].state is ReceiptState.ACCEPTED
    assert [row["External_Id__c"] for row in table(tmp_path, "salesforce/Contact.csv")] == ["p2"]


def test_a_file_that_shrank_or_was_emptied_is_read_anew(tmp_path: Path) -> None:
    crm = connect(tmp_path)
    crm.push([contact(LEA), contact(PAUL)])
    path = tmp_path / "odoo" / "res.partner.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))
    assert crm.find(contact(PAUL)) is None
    crm.push([contact(PAUL)])
    assert len(table(tmp_path, "odoo/res.partner.csv")) == 2
    path.write_bytes(b"")
    crm.push([contact(LEA)])
    assert len(table(tmp_path, "odoo/res.partner.csv")) == 1


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "odoo" / "res.partner.csv").mkdir(parents=True)
    crm = connect(tmp_path)
    for act in (crm.check, lambda: crm.push([contact(LEA)])):
        with pytest.raises(ConfigurationError, match="folder"):
            act()


# -- other processes -----------------------------------------------------------------------------------------------------


def _push_share(folder: Path, share: int) -> None:
    crm = connect(folder)
    for batch in range(4):
        crm.push([found(LEA, 1000 * share + 10 * batch + number) for number in range(10)])
        crm.push([found(PAUL, 5, mention_count=100 * share + batch), segment(LEA, PAUL), contact(LEA)])


def test_several_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_push_share, args=(tmp_path, share)) for share in (1, 2, 3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    for name, key in (
        ("hubspot/tickets.csv", "Comptoir Case ID"),
        ("salesforce/Case.csv", "External_Id__c"),
        ("odoo/crm.lead.csv", "id"),
    ):
        ids = [row[key] for row in table(tmp_path, name)]
        assert len(ids) == len(set(ids)) == 3 * 40 + 1
    assert len(table(tmp_path, "hubspot/segment_vip.csv")) == 2
    connect(tmp_path).check()


def test_what_another_connector_wrote_is_seen(tmp_path: Path) -> None:
    one, two = connect(tmp_path), connect(tmp_path)
    one.push([found(LEA, 1)])
    two.push([found(LEA, 2)])  # appended to what `one` knows
    one.push([found(LEA, 2, mention_count=50)])  # replaced, so that `two` has to read anew
    two.push([found(LEA, 3), found(LEA, 1, mention_count=60)])
    one.push([forget(LEA.id)])
    two.push([found(PAUL, 4)])
    assert [row["External_Id__c"] for row in table(tmp_path, "salesforce/Case.csv")] == ["c4"]
    assert one.find(found(PAUL, 4)) == two.find(found(PAUL, 4)) == "c4"
    assert one.find(found(LEA, 2)) is None


def test_only_what_was_appended_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = connect(tmp_path), connect(tmp_path)
    one.push([found(LEA, number) for number in range(150)])
    two.push([found(LEA, 1000)])
    read: list[int] = []
    real = csv_file.KeyedCsv._index

    def counting(self: csv_file.KeyedCsv, raw: bytes, base: int) -> int:
        read.append(len(raw))
        return real(self, raw, base)

    monkeypatch.setattr(csv_file.KeyedCsv, "_index", counting)
    one.push([found(LEA, 2000)])
    assert len(read) == 3 and max(read) < 1000  # one row in each vendor's file, not 150


def test_a_folder_that_stays_busy_is_tried_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "_PATIENCE", timedelta(0))
    crm = connect(tmp_path)
    crm.push([contact(LEA)])
    with locked(tmp_path, timedelta(0)):
        with pytest.raises(TransientError, match="Another process"):
            crm.push([contact(PAUL)])
        crm.check()  # somebody writes there: it works
    assert crm.push([contact(PAUL)])[0].state is ReceiptState.ACCEPTED


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    connect(tmp_path).push(everything())
    assert push_and_die(tmp_path, [found(LEA, 50)], at=3)
    assert connect(tmp_path).push([contact(LEA)])[0].state is ReceiptState.ACCEPTED

"""The drop folder: files are read once they are still, once, one after the other, whatever lies beside them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors import folder
from collectors.folder import FolderCollector
from domain.contracts import Cursor, Page, Watch
from domain.errors import ConfigurationError, TransientError

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def lay(where: Path, name: str, text: str, *, age: float = 60) -> Path:
    path = where / name
    path.write_text(text, "utf-8")
    os.utime(path, (NOW.timestamp() - age,) * 2)
    return path


def rows(*texts: str, start: int = 0) -> str:
    return "id,date,texte\n" + "".join(f"r{start + n},2026-03-01 10:00,{text}\n" for n, text in enumerate(texts))


def read(where: Path, since: Cursor | None = None, **settings: str) -> tuple[list[Page], Cursor | None]:
    made = folder.connect({"folder": str(where), "network": "amazon", **settings}, now=lambda: NOW)
    assert isinstance(made, FolderCollector)
    pages = list(made.fetch(Watch(), since))
    cursors = [page.cursor for page in pages if page.cursor]
    return pages, cursors[-1] if cursors else since


def texts(pages: list[Page]) -> list[str]:
    return [one.text for page in pages for one in page.mentions]


def test_all_files_are_read_once_and_new_ones_later(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", rows("un", "deux"))
    lay(tmp_path, "b.jsonl", '{"id": "j1", "text": "trois", "date": "2026-03-02T10:00:00Z"}\n')
    pages, cursor = read(tmp_path)
    assert texts(pages) == ["un", "deux", "trois"]
    assert {one.network for page in pages for one in page.mentions} == {"amazon"}
    assert read(tmp_path, cursor)[0] == []
    lay(tmp_path, "c.csv", rows("quatre", start=9))
    pages, cursor = read(tmp_path, cursor)
    assert texts(pages) == ["quatre"]


def test_rows_appended_later_are_heard_alone(tmp_path: Path) -> None:
    path = lay(tmp_path, "a.csv", rows("un"))
    _, cursor = read(tmp_path)
    lay(tmp_path, path.name, path.read_text("utf-8") + "r7,2026-03-01 10:00,deux\n", age=30)
    assert texts(read(tmp_path, cursor)[0]) == ["deux"]


def test_a_file_that_still_grows_waits(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", rows("un"), age=2)
    assert read(tmp_path)[0] == []
    lay(tmp_path, "a.csv", rows("un"), age=11)
    assert texts(read(tmp_path)[0]) == ["un"]


def test_a_file_that_cannot_be_read_is_listed_once_and_the_others_go_on(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", "prix,poids\n1,2\n")
    lay(tmp_path, "b.csv", rows("un"))
    for name in ("notes.txt", ".hidden.csv"):
        lay(tmp_path, name, rows("nichts"))
    (tmp_path / "below.csv").mkdir()
    pages, cursor = read(tmp_path)
    assert texts(pages) == ["un"]
    [reject] = [one for page in pages for one in page.rejects]
    assert reject.position == "a.csv" and "prix" in reject.reason
    assert read(tmp_path, cursor)[0] == []
    lay(tmp_path, "a.csv", rows("mended", start=5), age=20)
    assert texts(read(tmp_path, cursor)[0]) == ["mended"]


def test_rejected_rows_name_their_file(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", rows("un", ""))
    pages, _ = read(tmp_path)
    [reject] = [one for page in pages for one in page.rejects]
    assert reject.position.startswith("a.csv, line 3")


def test_killed_after_any_page_nothing_is_lost(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", rows("un", "deux", "trois"))
    lay(tmp_path, "b.csv", rows("quatre", "cinq", start=5))
    whole, _ = read(tmp_path, page_size="1")
    for count in range(len(whole)):
        cursors = [page.cursor for page in whole[:count] if page.cursor]
        rest, _ = read(tmp_path, cursors[-1] if cursors else None, page_size="1")
        assert {*texts(whole[:count]), *texts(rest)} == {"un", "deux", "trois", "quatre", "cinq"}


def test_settings_that_cannot_be_used_say_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="setting folder is missing"):
        folder.connect({})
    with pytest.raises(ConfigurationError, match="no field"):
        folder.connect({"folder": str(tmp_path), "mapping": "colour=x"})
    gone = folder.connect({"folder": str(tmp_path / "none")})
    with pytest.raises(ConfigurationError, match="Make it"):
        gone.check()
    with pytest.raises(TransientError):
        list(gone.fetch(Watch(), None))


def test_a_cursor_of_another_kind_reads_from_the_start(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", rows("un"))
    for odd in ("", "{", "[]", '{"at": 3, "seen": {"a.csv": "x"}}'):
        assert texts(read(tmp_path, Cursor(odd))[0]) == ["un"]
    assert timedelta(seconds=10) == folder.STILL

"""The command line as scripts use it: exit codes, the last line of stdout, messages that say what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPTOIR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("COMPTOIR_DATABASE_URL", raising=False)
    monkeypatch.setenv("COMPTOIR_ANALYZER", "lexicon")  # starts in no time; the default has a test of its own here


def run(*words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """(last line of stdout as an object, stderr)."""
    result = CliRunner().invoke(cli.app, [*words, "--json"])
    assert result.exit_code == code, result.output
    lines = result.stdout.strip().splitlines()
    return (json.loads(lines[-1]) if lines else {}), result.stderr


CSV = """id;date;auteur;texte
1;2026-03-02 10:00;lea;Toujours pas reçu mon colis
2;2026-03-02 11:00;karim;Merci, au top !
3;;;
"""


def test_a_file_goes_through_the_whole_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPTOIR_ANALYZER")
    file = tmp_path / "avis.csv"
    file.write_text(CSV, "utf-8")
    first, told = run("import", str(file), "--network", "x")
    assert {key: first[key] for key in ("read", "stored", "duplicates", "rejected")} == {
        "read": 3,
        "stored": 2,
        "duplicates": 0,
        "rejected": 1,
    }
    assert "line 4" in told
    second, _ = run("import", str(file), "--network", "x")
    assert (second["stored"], second["duplicates"]) == (0, 2)
    worked, _ = run("work", "--once")
    assert set(worked) == {"collected", "analyzed", "routed", "sent", "failed"}
    assert (worked["analyzed"], worked["routed"], worked["failed"]) == (2, 2, 0)
    status, _ = run("status")
    assert set(status) == {"mentions", "analyses", "cases", "persons", "outbox"}
    assert set(status["outbox"]) == {"pending", "sent", "refused", "unknown"}
    assert (status["mentions"], status["analyses"], status["persons"], status["outbox"]["pending"]) == (2, 2, 2, 0)
    assert list((tmp_path / "data" / "crm").rglob("*.csv")), "findings left for the CRM"
    rebuilt, _ = run("rebuild-rollups")
    assert rebuilt == {"differences": 0}
    again, _ = run("work", "--once")
    assert not any(again.values())


def test_doctor_is_content_and_then_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told, _ = run("doctor")
    assert told["ok"] and {"store", "disk", "analyzer"} <= {line["check"] for line in told["checks"]}
    sources = [{"key": "blog", "collector": "feed", "settings": {"url": "file:///etc/passwd"}}]
    monkeypatch.setenv("COMPTOIR_SOURCES", json.dumps(sources))
    run("work", "--once", code=1)
    told, stderr = run("doctor", code=1)
    assert not told["ok"] and "source blog" in stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("import", "nowhere.csv"), 2, "does not exist"),
        (("work", "--twice"), 2, "No such option"),
        (("demo", "--fail", "earthquake"), 2, "one of"),
    ],
)
def test_wrong_usage_is_2(words: tuple[str, ...], code: int, says: str) -> None:
    _, stderr = run(*words, code=code)
    assert says in stderr


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 40, ""),
        ("no_text.csv", b"colour;size\nred;3\nblue;4\n", "colour"),
    ],
)
def test_a_file_that_cannot_be_used_is_1_and_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    told, _ = run("import", str(file), code=1)
    assert says in told["error"] and len(told["error"]) > 30
    assert run("status")[0]["mentions"] == 0


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("COMPTOIR_DATABASE_URL", "mysql://x/y", "SQLite and PostgreSQL"),
        ("COMPTOIR_TIME_ZONE", "Mars/Olympus", "Europe/Paris"),
        ("COMPTOIR_HOLIDAYS_COUNTRY", "ZZ", "ISO code"),
        ("COMPTOIR_ANALYZER", "crystal_ball", "lexicon"),
    ],
)
def test_a_wrong_setting_says_which(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str) -> None:
    monkeypatch.setenv(variable, value)
    told, _ = run("work", "--once", code=1)
    assert says in told["error"]


def test_an_unknown_key_in_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "comptoir.toml").write_text('brnad = "Ormelune"\n', "utf-8")
    told, _ = run("status", code=1)
    assert "brnad" in told["error"]


def test_a_secret_comes_from_the_environment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [{"key": "blog", "collector": "feed", "settings": {"url": "env:BLOG_URL"}}]
    monkeypatch.setenv("COMPTOIR_SOURCES", json.dumps(sources))
    _, stderr = run("work", "--once", code=1)
    assert "BLOG_URL" in stderr

"""`comptoir tag` and `comptoir evaluate` as scripts use them."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli

ROOT = Path(__file__).parents[2]
ROWS = [
    {
        "id": 1,
        "text": "Toujours pas reçu mon colis, c'est une honte",
        "sentiment": "negative",
        "intent": "order_delivery_issue",
    },
    {"id": 2, "text": "Merci, service parfait !", "sentiment": "positive", "intent": "praise_thanks"},
    {"id": 3, "text": "Vous ouvrez à quelle heure ?", "sentiment": "neutral", "intent": "question_info"},
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*words: str, code: int = 0, stdin: bytes | None = None) -> tuple[dict[str, Any], str, list[str]]:
    """(last line of stdout as an object, stderr, the lines before it)."""
    result = CliRunner().invoke(cli.app, [*words, "--json"], input=stdin)
    assert result.exit_code == code, result.output
    *before, last = result.stdout.strip().splitlines() or [""]
    return (json.loads(last) if last else {}), " ".join(result.stderr.split()), before


def write(path: Path, *rows: Any) -> Path:
    lines = b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    return [json.loads(line) for line in (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()]


def test_a_file_is_tagged_by_the_shipped_model(tmp_path: Path) -> None:
    told, stderr, _ = run("tag", str(write(tmp_path / "in.jsonl", *ROWS)), "--out", "out.jsonl")
    found = read(tmp_path / "out.jsonl")
    assert [row["sentiment"] for row in found] == ["negative", "positive", "neutral"]
    assert [row["intent"] for row in found] == [row["given_intent"] for row in found] == [row["intent"] for row in ROWS]
    assert {row["lang"] for row in found} == {"fr"} and {row["model"] for row in found} == {told["model"]}
    assert told == {"tagged": 3, "without_text": 0, "rejected": 0, "model": told["model"]}
    assert "3 tagged in out.jsonl" in stderr
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out.jsonl"}, "no store, no rest"


def test_packed_in_packed_out_and_into_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl.gz", *ROWS)
    for _ in range(2):
        run("tag", str(path), "--out", str(path), "--analyzer", "lexicon", "--batch", "2")
    found = read(path)
    assert [row["id"] for row in found] == [1, 2, 3] and found[0]["given_sentiment"] == "negative"


def test_a_pipe_is_tagged_into_a_pipe() -> None:
    stdin = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
    told, stderr, lines = run("tag", "-", "--out", "-", "--analyzer", "lexicon", stdin=stdin + b"oops\n")
    assert [json.loads(line)["id"] for line in lines] == [1, 2, 3]
    assert (told["tagged"], told["rejected"]) == (3, 1) and "line 4: not JSON" in stderr


def test_rejected_lines_are_listed_and_kept_until_a_run_has_none(tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", ROWS[0], b"\n", *[b"oops\r\n"] * 22, {"text": None}, b"[1]")
    told, stderr, _ = run("tag", str(file), "--out", "out.jsonl", "--analyzer", "lexicon")
    assert (told["tagged"], told["without_text"], told["rejected"]) == (2, 1, 23)
    assert "line 3: not JSON" in stderr and "line 22: not JSON" in stderr and "line 23" not in stderr
    assert "and 3 more" in stderr and "1 had no “text”" in stderr
    rejected = tmp_path / "out.jsonl.rejected"
    assert rejected.read_bytes() == b"oops\n" * 22 + b"[1]\n"
    run("tag", str(write(tmp_path / "in.jsonl", *ROWS)), "--out", "out.jsonl", "--analyzer", "lexicon")
    assert not rejected.exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("tag", "nowhere.jsonl", "--out", "x"), 2, "does not exist"),
        (("tag", "in.jsonl"), 2, "--out"),
        (("tag", "in.jsonl", "--out", "x", "--batch", "0"), 2, "--batch"),
        (("tag", "in.jsonl", "--out", "no/such/folder/x"), 1, "could not be written"),
        (("tag", "in.jsonl", "--out", "folder"), 2, "is a directory"),
        (("tag", "folder", "--out", "x"), 1, "cannot be read"),
        (("tag", "cut.gz", "--out", "x"), 1, "cannot be read beyond line"),
        (("tag", "in.jsonl", "--out", "x", "--analyzer", "oracle"), 1, "Choose one of"),
        (("evaluate", "all"), 2, "--data"),
        (("evaluate", "nowhere.jsonl"), 1, "cannot be read"),
        (("evaluate", "plain.jsonl"), 1, "carries a gold label"),
        (("evaluate", "in.jsonl", "--task", "irony"), 1, "irony"),
        (("evaluate", "in.jsonl", "--task", "weather"), 2, "weather"),
    ],
)
def test_what_cannot_be_done_says_why_and_leaves_nothing(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    write(tmp_path / "in.jsonl", *ROWS)
    write(tmp_path / "plain.jsonl", {"text": "a"})
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b'{"text": "a"}\n' * 1000)[:-9])
    (tmp_path / "folder").mkdir()
    analyzer = () if "--analyzer" in words else ("--analyzer", "lexicon")
    told, stderr, _ = run(*words, *analyzer, code=code)
    assert says in (told["error"] if code == 1 else stderr)
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "plain.jsonl", "cut.gz", "folder"}
    assert not list((tmp_path / "folder").iterdir())


def test_an_interrupted_run_keeps_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nlp.lexicon import LexiconAnalyzer

    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    (tmp_path / "out.jsonl").write_text("before")
    monkeypatch.setattr(LexiconAnalyzer, "analyze", interrupted)
    write(tmp_path / "in.jsonl", *ROWS)
    told, _, _ = run("tag", "in.jsonl", "--out", "out.jsonl", "--analyzer", "lexicon", code=1)
    assert "Stopped" in told["error"] and (tmp_path / "out.jsonl").read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out.jsonl"}


def test_all_tasks_that_have_labels_are_measured(tmp_path: Path) -> None:
    told, stderr, _ = run("evaluate", str(write(tmp_path / "in.jsonl", *ROWS)))
    assert set(told["tasks"]) == {"sentiment", "intent"} and told["rows"] == 3
    assert told["tasks"]["intent"]["accuracy"] == told["tasks"]["sentiment"]["macro_f1"] == 1
    assert told["model"] in stderr and "sentiment" in stderr


def test_one_task_may_be_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", *ROWS)
    told, _, _ = run("evaluate", "in.jsonl", "--task", "intent", "--analyzer", "lexicon")
    assert set(told["tasks"]) == {"intent"} and told["model"].startswith("lexicon@")


def test_a_tagged_file_is_measured_against_what_was_given(tmp_path: Path) -> None:
    wrong = [{**row, "sentiment": "neutral"} for row in ROWS]
    write(tmp_path / "in.jsonl", *wrong)
    before, _, _ = run("evaluate", "in.jsonl", "--analyzer", "lexicon")
    run("tag", "in.jsonl", "--out", "out.jsonl", "--analyzer", "lexicon")
    after, _, _ = run("evaluate", "out.jsonl", "--analyzer", "lexicon")
    assert after == before and after["tasks"]["sentiment"]["accuracy"] < 1
    run("tag", str(write(tmp_path / "plain.jsonl", {"text": "a"})), "--out", "plain.out.jsonl", "--analyzer", "lexicon")
    assert "gold label" in run("evaluate", "plain.out.jsonl", code=1)[0]["error"]


def test_a_field_called_label_will_do(tmp_path: Path) -> None:
    write(
        tmp_path / "in.jsonl",
        {"text": "a", "label": "positive"},
        {"text": "b", "label": "spam_promo"},
        {"text": "c", "label": 4},
    )
    told, _, _ = run("evaluate", "in.jsonl", "--analyzer", "lexicon")
    assert {name: task["n"] for name, task in told["tasks"].items()} == {"sentiment": 1, "intent": 1}


def test_all_measures_the_labelled_data_of_a_folder(tmp_path: Path) -> None:
    rows = [{"text": row["text"], "label": row["sentiment"], "split": "val", "lang": "fr"} for row in ROWS]
    write(tmp_path / "umsab.jsonl.gz", *rows)
    told, stderr, _ = run("evaluate", "all", "--data", str(tmp_path), "--analyzer", "lexicon")
    assert [(line["set"], line["n"]) for line in told["lines"]] == [("umsab fr", 3)]
    assert told["notes"] == [] and any("airline_sentiment" in line for line in told["skipped"])
    assert "umsab fr" in stderr
    shipped, _, _ = run("evaluate", "all", "--data", str(tmp_path))
    assert "card.md" in shipped["notes"][0]


def test_tag_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", ROWS[0])
    code = (
        "import sys; sys.argv = ['comptoir', 'tag', 'in.jsonl', '--out', 'out.jsonl']\n"
        "import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'streamlit', 'pandas', 'sqlalchemy', 'transformers', 'torch', 'store', 'settings', 'worker', 'httpx'}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & heavy))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert told.stdout.strip() == "[]"
    assert len(read(tmp_path / "out.jsonl")) == 1

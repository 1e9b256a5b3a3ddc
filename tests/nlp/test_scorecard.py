"""nlp.scorecard: which rows are measured, and what is said of them."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.analysis import Analysis, ModelRef, Scored
from domain.errors import InputError
from domain.mention import Mention
from nlp import scorecard
from nlp.evaluate import Task
from nlp.scorecard import LABELLED, Agreement, Line, Scorecard, measure

FEELINGS = {"pos": (0.1, 0.1, 0.8), "neu": (0.1, 0.8, 0.1), "neg": (0.8, 0.1, 0.1)}


class Scripted:
    """Answers the feeling that the text names first, and keeps what it was asked."""

    model = ModelRef("scripted", "1")

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        self.asked += [(mention.title, mention.text) for mention in mentions]
        return [Analysis(m.id, self.model, "fr", *FEELINGS[m.text[:3]], intent=Scored("other", 1.0)) for m in mentions]


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" if row else "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, "utf-8")


def label(row: int, sentiment: str, *aspects: str, **others: object) -> dict[str, Any]:
    return {"row": row, "sentiment": sentiment, "intent": "other", "aspects": list(aspects), **others}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One of our sets, packed, line 2 blank, and its second reader; labels stand in no order."""
    texts = [
        {"text": "pos 0"},
        {"text": "neg 1", "title": "late"},
        {},
        {"text": "neg 3"},
        {"text": "neu 4"},
        {"text": "neu 5"},
    ]
    write(tmp_path / "complaints_en.jsonl.gz", texts)
    labels = [
        label(5, "positive", "delivery", "packaging"),
        label(3, "negative"),
        label(1, "negative", urgency=2),
        label(0, "negative"),
        label(4, "negative"),
    ]
    write(tmp_path / "labels/complaints_en.jsonl", labels)
    second = [
        label(5, "positive", "packaging", "delivery", source="complaints_en"),
        label(4, "neutral", source="complaints_en"),
        label(1, "negative", source="freemobile_fr"),
    ]
    write(tmp_path / "labels/second_reader.jsonl", second)
    return tmp_path


def line(card: Scorecard, key: str, task: Task) -> Line:
    found = [one for one in card.lines if (one.key, one.scores.task) == (key, task)]
    assert len(found) == 1
    return found[0]


def test_our_labels_are_joined_by_row_and_only_odd_ones_are_measured(folder: Path) -> None:
    analyzer = Scripted()
    sentiment = line(measure(analyzer, folder), "complaints_en", Task.SENTIMENT)
    assert (sentiment.which, sentiment.scores.n) == ("odd", 3)
    assert sentiment.scores.accuracy == pytest.approx(2 / 3)
    assert sorted(analyzer.asked) == [("", "neg 3"), ("", "neu 5"), ("late", "neg 1")]


def test_only_tasks_that_some_label_tells_are_measured(folder: Path) -> None:
    card = measure(Scripted(), folder)
    assert {one.scores.task for one in card.lines} == {Task.SENTIMENT, Task.INTENT, Task.ASPECTS, Task.URGENCY}
    assert line(card, "complaints_en", Task.URGENCY).scores.n == 1


def test_two_readers_are_compared_where_both_have_read(folder: Path) -> None:
    card = measure(Scripted(), folder)
    assert line(card, "complaints_en", Task.SENTIMENT).readers == Agreement(0.5, 2)
    assert line(card, "complaints_en", Task.ASPECTS).readers == Agreement(1.0, 2)  # the order of aspects is no matter
    assert line(card, "complaints_en", Task.URGENCY).readers is None
    (folder / "labels/second_reader.jsonl").unlink()
    card = measure(Scripted(), folder)
    assert line(card, "complaints_en", Task.SENTIMENT).readers is None
    assert any("second_reader.jsonl is not in the folder" in text for text in card.skipped)


def test_sets_are_also_measured_together_once_all_are_there(folder: Path) -> None:
    assert any(text.startswith("all three together: skipped") for text in measure(Scripted(), folder).skipped)
    for name in LABELLED[:2]:
        write(folder / f"{name}.jsonl", [{}, {"text": "pos here"}])
        write(folder / f"labels/{name}.jsonl", [label(1, "positive")])
    analyzer = Scripted()
    together = line(measure(analyzer, folder), "all three together", Task.SENTIMENT)
    assert (together.scores.n, together.scores.accuracy) == (5, pytest.approx(4 / 5))
    assert together.readers == Agreement(1 / 3, 3)
    assert len(analyzer.asked) == len(set(analyzer.asked)) == 4, "a text is analysed once, however many sets hold it"


def test_official_test_parts_are_never_read(tmp_path: Path) -> None:
    def public(text: str, split: str, lang: str = "en") -> dict[str, str]:
        return {"text": text, "label": "positive", "split": split, "lang": lang}

    write(
        tmp_path / "umsab.jsonl.gz",
        [
            public("pos fr", "val", "fr"),
            public("neg fr", "test", "fr"),
            public("neg ar", "val", "ar"),
            public("pos de", "val", "de"),
        ],
    )
    write(
        tmp_path / "tweeteval_sentiment.jsonl.gz",
        [public("neu en", "val"), public("neg en", "test"), public("neg", "train")],
    )
    write(tmp_path / "airline_sentiment.jsonl", [public("pos air", "all"), public("neg air", "all") | {"label": "odd"}])
    analyzer = Scripted()
    card = measure(analyzer, tmp_path)
    assert {one.key: one.scores.accuracy for one in card.lines} == {
        "airline_sentiment": 1.0,
        "umsab fr": 1.0,
        "umsab de": 1.0,
        "tweeteval_sentiment": 0.0,
    }
    assert {text for _, text in analyzer.asked} == {"pos fr", "pos de", "neu en", "pos air"}
    assert "umsab es: skipped, for its files hold no labelled row to measure (val)." in card.skipped
    assert any(text.startswith("freemobile_fr: skipped, for labels/freemobile_fr.jsonl") for text in card.skipped)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([label(9, "negative")], "row 9, which complaints_en.jsonl does not have"),
        ([label(2, "negative")], "row 2, which"),
        ([{"sentiment": "negative"}], "line 1: a label needs the “row”"),
    ],
)
def test_labels_that_lead_nowhere_are_said(folder: Path, labels: list[dict[str, Any]], message: str) -> None:
    write(folder / "labels/complaints_en.jsonl", labels)
    with pytest.raises(InputError, match=message):
        measure(Scripted(), folder)


def test_files_that_cannot_be_read_are_said(folder: Path, tmp_path: Path) -> None:
    (folder / "labels/complaints_en.jsonl").write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"complaints_en\.jsonl cannot be read"):
        measure(Scripted(), folder)
    with pytest.raises(InputError, match="can be measured"):
        measure(Scripted(), tmp_path / "nowhere")


def test_the_command_prints_a_table_and_one_object_last(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scorecard.main([str(folder), "--json"])
    *table, last = capsys.readouterr().out.splitlines()
    printed = "\n".join(table)
    assert "only odd rows" in printed
    assert "airline_sentiment: skipped" in printed
    row = next(text for text in table if "complaints_en  " in text).split()
    card = json.loads(last)
    assert card["model"].startswith("lexicon@")
    first = card["lines"][0]
    assert (first["set"], first["task"], first["n"]) == ("complaints_en", "sentiment", 3)
    assert row[:4] == ["complaints_en", "odd", "sentiment", "3"]
    assert [float(row[4]), float(row[5])] == pytest.approx([first["macro_f1"], first["accuracy"]], abs=0.001)
    assert row[-2:] == ["0.500", "(2)"]
    assert first["readers"] == {"share": 0.5, "n": 2}
    assert set(first["per_class"]["negative"]) == {"precision", "recall", "f1", "support"}


def test_without_json_the_last_line_is_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scorecard.main([str(folder)])
    assert capsys.readouterr().out.splitlines()[-1].startswith("tweeteval_sentiment: skipped")


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--analyzer", "oracle"], "no analyzer “oracle”"), ([], "Nothing in")]
)
def test_what_goes_wrong_is_said_in_a_sentence(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        scorecard.main([str(tmp_path), *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err

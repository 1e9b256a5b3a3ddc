"""nlp.evaluate: figures that can be checked by hand."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.analysis import Analysis, ModelRef, Scored
from domain.errors import InputError
from domain.mention import Mention
from nlp.evaluate import Task, evaluate, read_rows

POSITIVE, NEUTRAL, NEGATIVE = (0.1, 0.1, 0.8), (0.1, 0.8, 0.1), (0.8, 0.1, 0.1)


class Scripted:
    """An analyzer that answers what the text itself says: `<sentiment> <intent> [?]`."""

    model = ModelRef("scripted", "1")

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [self._answer(mention) for mention in mentions]

    def _answer(self, mention: Mention) -> Analysis:
        feeling, intent, *rest = mention.text.split()
        three = {"pos": POSITIVE, "neu": NEUTRAL, "neg": NEGATIVE}[feeling]
        return Analysis(
            mention.id,
            self.model,
            "fr",
            *three,
            intent=Scored(intent, 1.0),
            aspects=tuple(word for word in rest if word != "?"),
            uncertain="?" in rest,
        )


def rows(*pairs: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """(what the analyzer will say, gold labels) -> rows."""
    return [{"text": text, **labels} for text, labels in pairs]


def test_sentiment_by_hand() -> None:
    scores = evaluate(
        Scripted(),
        rows(
            ("pos other", {"sentiment": "positive"}),
            ("pos other", {"sentiment": "negative"}),
            ("neg other ?", {"sentiment": "negative"}),
            ("neu other", {"sentiment": "neutral"}),
        ),
        "sentiment",
    )
    assert (scores.task, scores.n, scores.accuracy, scores.abstention) == (Task.SENTIMENT, 4, 0.75, 0.25)
    assert scores.accuracy_kept == pytest.approx(2 / 3)
    positive = scores.per_class["positive"]
    assert (positive.precision, positive.recall, positive.support) == (0.5, 1.0, 1)
    assert positive.f1 == pytest.approx(2 / 3)
    assert scores.per_class["negative"].f1 == pytest.approx(2 / 3)
    assert scores.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert scores.calibration_error == pytest.approx(0.05)


def test_a_class_that_gold_lacks_is_shown_but_not_averaged() -> None:
    scores = evaluate(
        Scripted(), rows(("pos other", {"intent": "other"}), ("pos churn_threat", {"intent": "other"})), "intent"
    )
    assert scores.per_class["churn_threat"].support == 0
    assert scores.macro_f1 == scores.per_class["other"].f1 == pytest.approx(2 / 3)
    assert scores.calibration_error == pytest.approx(0.5)


def test_aspects_are_sets() -> None:
    scores = evaluate(
        Scripted(),
        rows(("neu other delivery packaging", {"aspects": ["delivery"]}), ("neu other", {"aspects": []})),
        Task.ASPECTS,
    )
    assert scores.accuracy == 0.5
    assert scores.macro_f1 == scores.per_class["delivery"].f1 == 1.0
    assert scores.calibration_error is None


@pytest.mark.parametrize(("task", "gold"), [("urgency", 0), ("churn", False), ("directed", True), ("lang", "fr")])
def test_other_tasks_read_their_field(task: str, gold: object) -> None:
    assert evaluate(Scripted(), rows(("neu other", {task: gold})), task).accuracy == 1.0


def test_rows_without_the_label_are_left_out_and_many_rows_are_batched() -> None:
    many = rows(
        *[("pos other", {"sentiment": "positive"})] * 600, ("neu other", {}), ("neu other", {"sentiment": None})
    )
    assert evaluate(Scripted(), iter(many), "sentiment").n == 600


def test_all_abstained() -> None:
    scores = evaluate(Scripted(), rows(("pos other ?", {"sentiment": "positive"})), "sentiment")
    assert (scores.abstention, scores.accuracy_kept) == (1.0, None)


def test_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="no task “mood”"):
        evaluate(Scripted(), [], "mood")
    with pytest.raises(InputError, match="No row carries a label “intent”"):
        evaluate(Scripted(), rows(("pos other", {"sentiment": "positive"})), "intent")


def test_read_rows_plain_and_compressed(tmp_path: Path) -> None:
    line = json.dumps({"text": "déçu", "sentiment": "negative"}, ensure_ascii=False)
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_text(f"{line}\n\n{line}\n", encoding="utf-8")
    packed.write_bytes(gzip.compress(line.encode()))
    assert [row["text"] for row in read_rows(plain)] == ["déçu", "déçu"]
    assert [row["text"] for row in read_rows(packed)] == ["déçu"]


@pytest.mark.parametrize("content", ["{", "[1]", '{"label": "x"}', '{"text": 3}'])
def test_read_rows_names_the_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "ok"}}\n{content}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.jsonl, line 2"):
        list(read_rows(path))


def test_read_rows_of_no_file_or_bytes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        list(read_rows(tmp_path / "none.jsonl"))
    bad = tmp_path / "latin.jsonl"
    bad.write_bytes(b'{"text": "d\xe9\xe7u"}\n')
    with pytest.raises(InputError, match="UTF-8"):
        list(read_rows(bad))
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(b"not a gzip file")
    with pytest.raises(InputError, match="cannot be read"):
        list(read_rows(broken))

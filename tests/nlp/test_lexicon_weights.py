"""nlp.lexicon_weights: the recipe on a handful of messages, and the file that the lexicon reads."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InputError
from domain.mention import Mention
from nlp import lexicon, lexicon_weights
from nlp.lexicon import LexiconAnalyzer
from nlp.lexicon_weights import INTENT_COUNTS, INTENT_KEYS, SENTIMENT_COUNTS, SENTIMENTS, WEIGHTS_FILE
from nlp.text import language_of, normalise, tokenise

PRAISE = ("Service parfait, merci beaucoup !", "praise_thanks", "positive")
LATE = ("Mon colis est en retard, toujours rien reçu ???", "order_delivery_issue", "negative")
PRICE = ("Do you have this coat in stock, and at what price?", "purchase_intent", "neutral")
BROKEN = ("The screen arrived broken and it does not work.", "product_defect", "negative")
MESSAGES = (PRAISE, LATE, PRICE, BROKEN)


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_folder(folder: Path, *, praise_is: str = "positive", odd_intent: str | None = None) -> Path:
    """Four sets of eight messages; both ways of writing a source, with and without `.gz`."""
    rows = [
        {
            "row": row,
            "text": text,
            "intent": odd_intent if odd_intent and row % 2 else intent,
            "sentiment": praise_is if intent == "praise_thanks" else sentiment,
        }
        for row, (text, intent, sentiment) in enumerate(message for message in MESSAGES for _ in range(2))
    ]
    texts = lines([{"text": row["text"], "lang": "und"} for row in rows])
    labels = lines([{key: value for key, value in row.items() if key != "text"} for row in rows])
    (folder / "labels").mkdir(parents=True)
    (folder / "freemobile_fr.jsonl").write_text(texts, "utf-8")
    for name in ("trustpilot_fr_ecommerce", "complaints_en"):
        (folder / f"{name}.jsonl.gz").write_bytes(gzip.compress(texts.encode()))
    for name in ("freemobile_fr", "trustpilot_fr_ecommerce", "complaints_en"):
        (folder / "labels" / f"{name}.jsonl").write_text(labels, "utf-8")
    written = lines([{key: value for key, value in row.items() if key != "row"} for row in rows])
    (folder / "labels" / "written_retail.jsonl").write_text(written, "utf-8")
    return folder


def fitted(folder: Path, out: Path) -> str:
    lexicon_weights.main([str(folder), "--out", str(out)])
    return out.read_text("utf-8")


def analyzer_with(weights: str, monkeypatch: pytest.MonkeyPatch) -> LexiconAnalyzer:
    read = lexicon.read_lexicon_files
    monkeypatch.setattr(
        lexicon,
        "read_lexicon_files",
        lambda *names: [weights if name == WEIGHTS_FILE.name else read(name)[0] for name in names],
    )
    return LexiconAnalyzer()


def test_same_labels_same_file_and_odd_rows_are_never_read(tmp_path: Path) -> None:
    once = fitted(write_folder(tmp_path / "a"), tmp_path / "once.tsv")
    assert fitted(tmp_path / "a", tmp_path / "again.tsv") == once
    assert fitted(write_folder(tmp_path / "b", odd_intent="no_such_intent"), tmp_path / "odd.tsv") == once
    assert fitted(write_folder(tmp_path / "c", praise_is="negative"), tmp_path / "other.tsv") != once


@pytest.mark.parametrize("praise_is", ["positive", "negative"])
def test_the_lexicon_reads_the_file_and_answers_as_it_was_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, praise_is: str
) -> None:
    shipped = LexiconAnalyzer().model
    weights = fitted(write_folder(tmp_path / "data", praise_is=praise_is), tmp_path / "weights.tsv")
    analyzer = analyzer_with(weights, monkeypatch)
    assert analyzer.model != shipped
    said_at = datetime(2026, 3, 2, tzinfo=UTC)
    mentions = [Mention("x", str(n), text, said_at) for n, (text, _, _) in enumerate(MESSAGES)]
    answers = analyzer.analyze(mentions)
    assert [answer.intent.value for answer in answers] == [intent for _, intent, _ in MESSAGES]
    assert answers[0].sentiment.value == praise_is


def test_the_shipped_file_holds_the_counts_of_the_recipe() -> None:
    sections = WEIGHTS_FILE.read_text("utf-8").split("[")[1:]
    tables = [[line.split("\t") for line in section.strip().splitlines()[1:]] for section in sections]
    assert [table[0][1:] for table in tables] == [list(SENTIMENTS), list(INTENT_KEYS)]
    sentiment, intent = ([row[0] for row in table[1:]] for table in tables)
    assert sentiment == ["bias", "flat", *SENTIMENT_COUNTS]
    assert intent == ["bias", *INTENT_COUNTS, *(f"log_{key}" for key in INTENT_KEYS)]


def test_a_cue_that_one_message_alone_holds_does_not_count() -> None:
    alone = lexicon_weights.count([PRAISE[0]])[0]
    assert alone["positive"] == alone["praise_thanks"] == 0.0
    assert lexicon_weights.count([PRAISE[0]] * 2)[0]["positive"] > 0


@pytest.mark.parametrize(
    "text", [*(text for text, _, _ in MESSAGES), "Bravo, encore une panne !", "jajaja top 👍", "…"]
)
def test_familiar_cues_are_counted_as_the_analyzer_counts_them(text: str) -> None:
    plain = normalise(text)
    tokens = tokenise(plain)
    _, _, features = lexicon._weigh(language_of(plain, tokens.words), tokens)
    assert lexicon_weights.count([text, text]) == (features, features)


def test_cross_validation_measures_rows_that_were_left_out(tmp_path: Path) -> None:
    given = lexicon_weights.sample(lexicon_weights.rows_to_fit(write_folder(tmp_path / "data")))
    figures = lexicon_weights.cross_validate(given)
    assert figures == lexicon_weights.cross_validate(given)
    assert all(0.5 < f1 <= 1 for f1 in figures.values())


def test_what_is_missing_or_unknown_is_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "weights.tsv"
    with pytest.raises(SystemExit, match="2"):
        lexicon_weights.main([str(tmp_path / "nowhere"), "--out", str(out)])
    assert "cannot be read" in capsys.readouterr().err
    assert not out.exists()
    folder = write_folder(tmp_path / "data", praise_is="delighted")
    with pytest.raises(InputError, match="no sentiment “delighted”"):
        lexicon_weights.sample(lexicon_weights.rows_to_fit(folder))

"""The bars to beat on our real labels: the word lists, and TF-IDF with logistic regression.

Both are measured on the same rows by the same scores as the networks of crossfit.py; TF-IDF learns from the same folds of
our labels and the written messages. Measured on odd rows, which the weights of the word lists never saw.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from domain.mention import Mention
from nlp.train import ours, score, stack
from nlp.train.crossfit import PARTS, held_folds
from nlp.train.data import Part, Row, without_leaks
from nlp.train.heads import HEAD_BY_KEY, HEADS, LOGIT_COUNT, Kind, slices

_log = logging.getLogger(__name__)
_SURE = 8.0  # logit of an answer that carries no probability


def lexicon_logits(rows: Sequence[Row]) -> score.Logits:
    """What the word lists say, as logits."""
    from nlp import build

    said_at = datetime(2026, 1, 1, tzinfo=UTC)
    mentions = [Mention("evaluation", str(n), row.text, said_at) for n, row in enumerate(rows)]
    table = np.full((len(rows), LOGIT_COUNT), -_SURE, np.float32)
    columns = slices()
    for place, analysis in enumerate(build("lexicon").analyze(mentions)):
        answers: dict[str, tuple[str, ...]] = {
            "sentiment": (analysis.sentiment.value.value,),
            "intent": (analysis.intent.value,),
            "secondary": analysis.secondary,
            "aspects": analysis.aspects,
            "urgency": (str(analysis.urgency),),
        }
        answers |= {key: (key,) if getattr(analysis, key) else () for key in ("churn", "toxic", "irony", "directed")}
        for head, labels in answers.items():
            for label in labels:
                table[place, columns[head].start + HEAD_BY_KEY[head].labels.index(label)] = _SURE
    return table


def tfidf_logits(train: Sequence[Row], rows: Sequence[Row]) -> score.Logits:
    """Words, pairs of words and runs of 2 to 5 letters, one balanced logistic regression a label."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, strip_accents="unicode")
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, max_features=60_000)
    union = make_union(words, letters)
    known, asked = union.fit_transform([row.text for row in train]), union.transform([row.text for row in rows])
    table = np.full((len(rows), LOGIT_COUNT), -_SURE, np.float32)
    columns = slices()
    for head in HEADS:
        gold: Any = np.asarray([row.targets[head.key] for row in train])
        if head.kind is Kind.ONE:
            model = LogisticRegression(C=4, class_weight="balanced", max_iter=300).fit(known, gold)
            table[:, columns[head.key].start + model.classes_] = model.decision_function(asked)
            continue
        for column in range(len(head.labels)):
            if 1 < gold[:, column].sum() < len(gold):
                model = LogisticRegression(C=4, class_weight="balanced", max_iter=300).fit(known, gold[:, column])
                table[:, columns[head.key].start + column] = model.decision_function(asked)
    return table


def main() -> None:
    """Scores of both baselines on all our real messages; TF-IDF learns and answers in the same five parts as ours."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    mine, written = list(ours.by_fold(arguments.data)), list(ours.written(arguments.data))
    rows: list[Row] = []
    parts = []
    for part in range(PARTS):
        held = held_folds(part)
        test = [row for fold, row in mine if fold in held]
        train = without_leaks(
            [replace(row, part=Part.TEST) for row in test] + [r for f, r in mine if f not in held] + written
        )
        parts.append(tfidf_logits([row for row in train if row.part is Part.TRAIN], test))
        rows += test
    kept = [place for place, row in enumerate(rows) if stack.unseen(row)]  # the rows that our own figures are made on
    fresh = [rows[place] for place in kept]
    found = {
        "lexicon": score.report(fresh, lexicon_logits(fresh)),
        "tfidf": score.report(fresh, np.concatenate(parts)[kept]),
    }
    arguments.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    _log.info("%s", json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

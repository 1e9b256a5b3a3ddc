"""nlp.train.crossfit and report: who learns what, and figures that were not tuned on their own rows."""

import numpy as np
import pytest

pytest.importorskip("torch")

from nlp.train import calibrate, crossfit, report, stack
from nlp.train.data import Part, Row
from nlp.train.heads import HEADS, LOGIT_COUNT, Kind, slices


def test_each_real_message_is_left_out_by_exactly_one_network(data_folder):
    held: list[str] = []
    for part in range(crossfit.PARTS):
        rows = crossfit.rows_for(data_folder, crossfit.held_folds(part))
        mine = [row for row in rows if row.source.startswith("ours")]
        left, learnt = ({row.text for row in mine if row.part is wanted} for wanted in (Part.TEST, Part.TRAIN))
        assert left and learnt and not left & learnt
        held += left
    assert len(held) == len(set(held)) == len(mine)


def test_the_shipped_network_leaves_the_gold_fold_out(data_folder):
    rows = crossfit.rows_for(data_folder, frozenset({crossfit.GOLD_FOLD}))
    mine = [row for row in rows if row.source.startswith("ours")]
    assert 0 < sum(row.part is Part.TEST for row in mine) < len(mine) / 4
    assert not [row for row in mine if row.part is Part.VAL]


def _row(number: int, lang: str) -> Row:
    targets: dict[str, int | tuple[int, ...]] = {}
    for head in HEADS:
        many = head.kind is Kind.MANY
        targets[head.key] = tuple(int(number % 3 == 0) for _ in head.labels) if many else number % len(head.labels)
    return Row(f"message {number}", lang, Part.TEST, "ours_x", targets)


def _logits(rows, right_share):
    dice = np.random.default_rng(5)
    table = dice.standard_normal((len(rows), LOGIT_COUNT)).astype(np.float32)
    for place, row in enumerate(rows):
        if dice.random() > right_share:
            continue
        for key, part in slices().items():
            target = row.targets[key]
            if isinstance(target, int):
                table[place, part.start + target] += 6
            else:
                table[place, part] += 6 * (2 * np.asarray(target) - 1)
    return table


def _silent(rows):
    return np.zeros((len(rows), LOGIT_COUNT), np.float32)


def test_word_lists_count_as_far_as_they_are_right():
    rows = [_row(number, "fr") for number in range(200)]
    logits = _logits(rows, 0.5)
    truth = (_logits(rows, 1.0) > 3).astype(np.float32)
    noise = np.random.default_rng(2).integers(0, 2, truth.shape).astype(np.float32)
    right, wrong = (stack.weights(rows, logits, told) for told in (truth, noise))
    intent, directed = slices()["intent"], slices()["directed"]
    assert right[intent].min() > 1 > wrong[intent].max()
    assert right[slices()["churn"]] > 1
    assert not right[directed].any(), "the lists do not answer whether it is said to us"


def test_figures_follow_the_answers_and_their_interval_holds_them():
    rows = [_row(number, "fr" if number % 2 else "en") for number in range(260)]
    parts = np.arange(len(rows)) % crossfit.PARTS
    good, bad = (
        report.gold_figures(report.judge(rows, _logits(rows, share), _silent(rows), parts, rows))
        for share in (0.9, 0.3)
    )
    for key in ("fr/intent", "en/sentiment", "all/aspects"):
        low, high = good[key]["interval"]
        assert low <= good[key]["macro_f1"] <= high
        assert good[key]["macro_f1"] > bad[key]["macro_f1"] + 0.2
    assert good["all/intent"]["n"] == good["fr/intent"]["n"] + good["en/intent"]["n"] == len(rows)
    assert sum(map(sum, good["all/urgency"]["confusion"])) == len(rows)
    assert good["all/intent"]["abstention"]["accuracy_kept"] > good["all/intent"]["accuracy"]


def test_no_row_is_judged_by_a_calibration_that_saw_it(monkeypatch):
    rows = [_row(number, "fr") for number in range(60)]
    parts = np.arange(len(rows)) % crossfit.PARTS
    asked: list[set[str]] = []
    real = calibrate.calibrate

    def noted(known, logits, **more):
        asked.append({row.text for row in known})
        return real(known, logits, **more)

    monkeypatch.setattr(report, "calibrate", noted)
    report.judge(rows, _logits(rows, 0.8), _silent(rows), parts, rows)
    for part, seen in enumerate(asked):
        assert not seen & {row.text for row, other in zip(rows, parts, strict=True) if other == part}


def test_two_readers_are_compared_label_by_label(data_folder, tiny):
    labels = data_folder / "labels"
    again = [{"source": "complaints_en", "row": row, **tiny.LABEL} for row in range(3)]
    tiny.write_lines(labels / "second_reader.jsonl", [*again, {**again[0], "row": 3, "intent": "other", "churn": True}])
    found = report.people(data_folder)
    assert found["intent"]["n"] == 4 and found["intent"]["agreement"] == 0.75
    assert found["churn"]["agreement"] == 0.75 and found["sentiment"]["agreement"] == 1.0
    assert "kappa" not in found["sentiment"], "where both always say the same, chance alone would agree"

"""Temperatures repair stated probabilities; thresholds are found where they were put."""

import numpy as np

from nlp.train import balance, calibrate, score
from nlp.train.data import Part, Row
from nlp.train.heads import HEADS, LOGIT_COUNT, slices


def _sentiment_rows(factor: float, count: int = 3_000) -> tuple[list[Row], np.ndarray]:
    """Answers that are right exactly as often as their logits say, then multiplied by `factor`."""
    dice = np.random.default_rng(7)
    logits = np.zeros((count, LOGIT_COUNT), np.float32)
    honest = dice.standard_normal((count, 3)) * 1.5
    shares = calibrate.softmax(honest)
    gold = [int(dice.choice(3, p=row)) for row in shares]
    logits[:, slices()["sentiment"]] = honest * factor
    return [Row("t", "fr" if n % 2 else "en", Part.VAL, "ours_x", {"sentiment": g}) for n, g in enumerate(gold)], logits


def test_an_overconfident_model_is_cooled_to_honesty():
    rows, logits = _sentiment_rows(factor=2.5)
    found = calibrate.calibrate(rows, logits)
    assert 2.2 < found.temperature("sentiment", "fr") < 2.8
    gold = np.asarray([row.targets["sentiment"] for row in rows])
    errors = []
    for table in (logits, found.apply([row.lang for row in rows], logits)):
        shares = calibrate.softmax(table[:, slices()["sentiment"]])
        errors.append(calibrate.calibration_error(shares.max(axis=1), shares.argmax(axis=1) == gold))
    assert errors[0] > 0.1
    assert errors[1] < 0.03


def test_a_language_with_few_rows_shares_the_temperature_of_all():
    rows, logits = _sentiment_rows(factor=2.0)
    rows[0] = Row("t", "nl", Part.VAL, "ours_x", rows[0].targets)
    found = calibrate.calibrate(rows, logits)
    assert set(found.temperatures["sentiment"]) == {"*", "fr", "en"}
    assert found.temperature("sentiment", "nl") == found.temperatures["sentiment"]["*"]


def test_the_least_sure_share_falls_under_the_abstaining_limit():
    rows, logits = _sentiment_rows(factor=1.0)
    found = calibrate.calibrate(rows, logits, abstention=0.15)
    warmed = found.apply([row.lang for row in rows], logits)
    sure = calibrate.softmax(warmed[:, slices()["sentiment"]]).max(axis=1)
    assert abs((sure < found.abstain_below["sentiment"]).mean() - 0.15) < 0.01


def test_a_message_is_uncertain_for_either_reason_and_both_together_make_the_share():
    draws = np.random.default_rng(3)
    sure = {head: dict(enumerate(draws.uniform(0.2, 1.0, 4000).tolist())) for head in ("sentiment", "intent")}
    sure["intent"] |= {4000 + place: 0.1 for place in range(50)}  # no mood is known of these
    found = calibrate.limits(sure, 0.15)
    under = [any(sure[head][place] < limit for head, limit in found.items()) for place in range(4000)]
    assert abs(np.mean(under) - 0.15) < 0.005
    assert abs(found["sentiment"] - found["intent"]) < 0.05


def test_a_label_that_is_said_too_shyly_gets_a_low_threshold():
    yes = np.arange(400) % 4 == 0
    logits = np.full((400, LOGIT_COUNT), -5.0, np.float32)
    logits[yes, slices()["churn"]] = -1.2
    rows = [Row("t", "fr", Part.VAL, "ours_x", {"churn": (int(flag),)}) for flag in yes]
    found = calibrate.calibrate(rows, logits)
    assert found.thresholds["churn"][0] < 0.5
    assert score.score(rows, logits, "churn")["macro_f1"] == 0.0
    warmed = found.apply(["fr"] * len(rows), logits)
    assert score.score(rows, warmed, "churn", found.thresholds)["macro_f1"] == 1.0


def test_a_class_that_one_language_favours_is_put_back_in_its_place():
    rows, logits = _sentiment_rows(factor=1.0)
    english = np.asarray([row.lang == "en" for row in rows])
    biased = logits.copy()
    biased[english, slices()["sentiment"].start] += 2.0
    found = calibrate.calibrate(rows, biased)
    assert max(map(abs, found.offsets["sentiment"]["fr"])) < 0.2
    assert found.offsets["sentiment"]["en"][0] < -0.9
    own = [row for row in rows if row.lang == "en"]
    before = score.score(own, biased[english], "sentiment")["macro_f1"]
    after = score.score(own, found.apply(["en"] * len(own), biased[english]), "sentiment")["macro_f1"]
    assert after > before + 0.05


def test_macro_f1_counts_each_class_that_occurs_the_same():
    gold, answers = np.asarray([0, 0, 0, 1]), np.asarray([0, 0, 0, 0])
    found = score.one(gold, answers, classes=3)
    assert found["accuracy"] == 0.75
    assert abs(found["macro_f1"] - (6 / 7) / 2) < 1e-9
    assert found["macro_recall"] == 0.5


def test_every_logit_belongs_to_one_head():
    columns = [column for part in slices().values() for column in range(part.start, part.stop)]
    assert columns == list(range(LOGIT_COUNT))
    assert len(HEADS) == len({head.key for head in HEADS})


def _urgency(part: Part, gold: int, shy: float = 0.0) -> tuple[Row, np.ndarray]:
    logits = np.zeros(LOGIT_COUNT, np.float32)
    logits[slices()["urgency"].start] = shy
    logits[slices()["urgency"].start + gold] += 1.0
    return Row("t", "fr", part, "ours_x", {"urgency": gold}), logits


def test_a_rare_class_that_is_said_too_shyly_is_heard():
    train = [_urgency(Part.TRAIN, 0)[0]] * 90 + [_urgency(Part.TRAIN, 3)[0]] * 3
    pairs = [_urgency(Part.VAL, 0, shy=2.0)] * 60 + [_urgency(Part.VAL, 3, shy=2.0)] * 20
    tuning, logits = [row for row, _ in pairs], np.asarray([found for _, found in pairs])
    added, chosen = balance.offsets(train, tuning, logits)
    assert chosen["urgency"] > 0
    assert score.score(tuning, logits, "urgency")["macro_f1"] < 0.5
    assert score.score(tuning, logits + added, "urgency")["macro_f1"] == 1.0


def test_nothing_is_moved_where_nothing_is_gained():
    train = [_urgency(Part.TRAIN, 0)[0]] * 90 + [_urgency(Part.TRAIN, 3)[0]] * 3
    pairs = [_urgency(Part.VAL, 0)] * 60 + [_urgency(Part.VAL, 3)] * 20
    added, chosen = balance.offsets(train, [row for row, _ in pairs], np.asarray([found for _, found in pairs]))
    assert chosen["urgency"] == 0.0
    assert not added[slices()["urgency"]].any()

"""Reads of the quality page on both backends: which labels count, what they are compared with, samples of what came in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from struct import pack
from typing import Any

import pytest
import sqlalchemy as sa

from domain.analysis import Analysis, ModelRef, Scored, Signals
from domain.drift import State, compare
from domain.label import Field, Origin
from domain.mention import Mention, MentionId
from domain.quality import measure
from store import Store, schema, windows
from store.quality import Correction
from store.rows import analysis_row
from store.windows import RECENT_DAYS, REFERENCE_DAYS, family
from tests.builders import analysis, mention
from tests.conftest import NOW
from tests.store.shop import tell

TODAY = date(2026, 3, 10)
SHIPPED = ModelRef("small", "1")


def say(store: Store, *analyses: Analysis, **fields: Any) -> None:
    """One message for each analysis."""
    said = [
        mention(a.mention_id.partition(":")[2], "Message", **{"after": number, **fields})
        for number, a in enumerate(analyses)
    ]
    tell(store, list(zip(said, analyses, strict=True)))


def sure(p: float, told: Analysis) -> Analysis:
    """The same, with this probability of its intent."""
    return replace(told, intent=Scored(told.intent.value, p))


def put(store: Store, mention_id: str, field: Field, value: Any, was: Any, **fields: Any) -> None:
    """One label, as it lies in the table."""
    row = {
        "mention_id": mention_id,
        "field": field.value,
        "value": value,
        "was": was,
        "model": "test@1",
        "by": "Awa",
        "origin": Origin.LABELLING.value,
        "at": NOW - timedelta(hours=1),
        "retracted_at": None,
    }
    with store.database.write() as connection:
        connection.execute(sa.insert(schema.labels), [{**row, **fields}])


# -- people ----------------------------------------------------------------------------------------------------------------


def test_a_review_is_compared_with_what_the_model_had_said(store: Store) -> None:
    say(
        store,
        sure(0.62, analysis("x:1", "question_info", "neutral", uncertain=True, lang="en")),
        analysis("x:2", "praise_thanks", "positive"),
    )
    put(store, "x:1", Field.INTENT, "refund_return", "question_info")
    put(store, "x:1", Field.SENTIMENT, "neutral", "neutral")
    put(store, "x:2", Field.ASPECTS, ["store_staff"], [])
    [pair] = store.quality.reviews(Field.INTENT).pairs
    assert (pair.said, pair.right, pair.hit) == (("question_info",), ("refund_return",), False)
    assert (pair.p, pair.uncertain, pair.lang, pair.network, pair.month) == (0.62, True, "en", "x", "2026-03")
    assert pair.model == "test@1"
    [tone] = store.quality.reviews(Field.SENTIMENT).pairs
    assert tone.hit and tone.p == pytest.approx(0.9)
    [aspects] = store.quality.reviews(Field.ASPECTS).pairs
    assert (aspects.said, aspects.right, aspects.p) == ((), ("store_staff",), None)


def test_only_drawn_labels_that_stand_count(store: Store) -> None:
    say(store, *(analysis(f"x:{n}") for n in range(4)))
    put(store, "x:0", Field.INTENT, "other", "order_delivery_issue", origin=Origin.DESK.value)
    put(store, "x:1", Field.INTENT, "other", "order_delivery_issue", retracted_at=NOW)
    put(store, "x:2", Field.INTENT, "other", None)  # the model had said nothing
    put(store, "gone:1", Field.INTENT, "other", "other")
    assert store.quality.reviews(Field.INTENT).pairs == []
    put(store, "x:3", Field.INTENT, "other", "order_delivery_issue")
    assert [pair.mention_id for pair in store.quality.reviews(Field.INTENT).pairs] == ["x:3"]


def test_several_people_make_one_pair_by_majority_and_the_first_wins_a_tie(store: Store) -> None:
    say(store, analysis("x:1"), analysis("x:2"), analysis("x:3"))

    def answer(mention_id: str, by: str, value: str, minutes: int) -> None:
        at = NOW + timedelta(minutes=minutes)
        put(store, mention_id, Field.INTENT, value, "order_delivery_issue", by=by, at=at)

    answer("x:1", "Awa", "other", 1)
    answer("x:1", "Inès", "refund_return", 2)
    answer("x:1", "Karim", "refund_return", 3)
    answer("x:2", "Inès", "question_info", 2)
    answer("x:2", "Awa", "other", 1)
    answer("x:3", "Awa", "other", 1)
    answer("x:3", "Awa", "question_info", 5)  # the same person, having thought again
    found = store.quality.reviews(Field.INTENT)
    assert {pair.mention_id: pair.right for pair in found.pairs} == {
        "x:1": ("refund_return",),
        "x:2": ("other",),
        "x:3": ("question_info",),
    }
    assert found.doubles == [(("other",), ("refund_return",)), (("other",), ("question_info",))]


def test_a_label_counts_against_the_model_that_spoke_then(store: Store) -> None:
    say(store, sure(0.5, analysis("x:1", "other")))
    later = analysis("x:1", "refund_return", model=SHIPPED)
    with store.database.write() as connection:
        connection.execute(sa.insert(schema.analyses), [analysis_row(later, NOW)])
        connection.execute(sa.update(schema.mentions).values(model="small@1"))
    put(store, "x:1", Field.INTENT, "refund_return", "other")
    # The second reader's answer meets a model that may have learnt from the first one's.
    put(store, "x:1", Field.INTENT, "refund_return", "refund_return", model="small@1", by="Inès", at=NOW)
    [pair] = store.quality.reviews(Field.INTENT).pairs
    assert (pair.said, pair.p, pair.model) == (("other",), 0.5, "test@1")


def test_labels_written_by_the_store_itself_are_read(store: Store) -> None:
    say(store, analysis("x:1"))
    answers = {Field.INTENT: "refund_return", Field.IRONY: False, Field.SECONDARY: ("question_info",)}
    store.labels.put(MentionId("x:1"), answers, by="Awa", at=NOW, origin=Origin.LABELLING)
    [intent] = store.quality.reviews(Field.INTENT).pairs
    assert (intent.said, intent.right, intent.p) == (("order_delivery_issue",), ("refund_return",), 0.9)
    [irony] = store.quality.reviews(Field.IRONY).pairs
    assert irony.hit and irony.right == ("no",)
    [secondary] = store.quality.reviews(Field.SECONDARY).pairs
    assert secondary.right == ("question_info",)
    assert measure([intent], Field.INTENT)["accuracy"] == 0.0


def test_corrections_of_the_desk_are_counted_and_opened(store: Store) -> None:
    say(store, *(analysis(f"x:{n}") for n in range(5)))
    desk = {"origin": Origin.DESK.value}
    for n in range(2):
        put(store, f"x:{n}", Field.INTENT, "refund_return", "order_delivery_issue", **desk)
    put(store, "x:2", Field.INTENT, "order_delivery_issue", "order_delivery_issue", **desk)
    put(store, "x:3", Field.ASPECTS, ["delivery", "packaging"], ["delivery"], **desk)
    put(store, "x:3", Field.CHURN, True, False, retracted_at=NOW, **desk)
    put(store, "x:4", Field.INTENT, "refund_return", "order_delivery_issue", at=NOW - timedelta(days=100), **desk)
    put(store, "x:4", Field.INTENT, "refund_return", "order_delivery_issue")  # drawn, not of the desk
    since = NOW - timedelta(days=90)
    found = store.quality.corrections(since)
    wrong = Correction(Field.INTENT, ("order_delivery_issue",), ("refund_return",), 2)
    assert found == [
        wrong,
        Correction(Field.ASPECTS, ("delivery",), ("delivery", "packaging"), 1),
        Correction(Field.INTENT, ("order_delivery_issue",), ("order_delivery_issue",), 1),
    ]
    assert set(store.quality.corrected(wrong, since)) == {"x:0", "x:1"}
    assert store.quality.corrected(found[1], since) == ["x:3"]


def test_messages_are_shown_to_their_departments(store: Store) -> None:
    say(store, analysis("x:1"), analysis("x:2", "billing_account_issue"))
    ids = [MentionId("x:1"), MentionId("x:2"), MentionId("x:9")]
    total, everything = store.quality.messages(ids, limit=20)
    assert total == 2 and [row.mention_id for row in everything] == ["x:2", "x:1"]
    assert everything[0].person_name == "Lea" and everything[0].case_id and everything[0].text == "Message"
    total, second = store.quality.messages(ids, limit=1, offset=1)
    assert total == 2 and [row.mention_id for row in second] == ["x:1"]
    total, own = store.quality.messages(ids, ("logistics",), limit=20)
    assert total == 1 and [row.mention_id for row in own] == ["x:1"]
    assert store.quality.messages(ids, ("-",), limit=20) == (0, [])


# -- models ----------------------------------------------------------------------------------------------------------------


def test_models_that_spoke_and_those_that_were_registered(store: Store) -> None:
    assert store.quality.models() == []
    say(store, analysis("x:1"), analysis("x:2"), analysis("x:3", model=SHIPPED))
    by_use = store.quality.models()
    assert [(row.model, row.analysis_count, row.in_use) for row in by_use] == [
        ("small@1", 1, True),
        ("test@1", 2, False),
    ]
    learnt = {
        "model": "small@1+0000abcd",
        "base": "small@1",
        "created_at": NOW,
        "created_by": "Awa",
        "heads": b"",
        "report": {"gold": {}},
        "in_use": True,
    }
    with store.database.write() as connection:
        connection.execute(sa.insert(schema.models), [learnt])
    first = store.quality.models()[0]
    assert (first.model, first.base, first.analysis_count, first.in_use) == ("small@1+0000abcd", "small@1", 0, True)
    assert first.created_at == NOW and first.report == {"gold": {}}
    assert sum(row.in_use for row in store.quality.models()) == 1


def test_a_corrected_analysis_is_no_model(store: Store) -> None:
    say(store, analysis("x:1"))
    store.labels.put(MentionId("x:1"), {Field.INTENT: "other"}, by="Awa", at=NOW, origin=Origin.DESK)
    assert [(row.model, row.in_use) for row in store.quality.models()] == [("test@1", True)]


# -- what came in ----------------------------------------------------------------------------------------------------------


def stream(
    store: Store, days: Sequence[date], a_day: int, model: ModelRef = SHIPPED, first: int = 0, **fields: Any
) -> None:
    """So many messages on each of these days, each with its own sketch."""
    said: list[tuple[Mention, Analysis | None]] = []
    for number, day in enumerate(day for day in days for _ in range(a_day)):
        key = first + number
        at = datetime(day.year, day.month, day.day, 9, tzinfo=NOW.tzinfo)
        signals = Signals(10 + key % 7, int(key % 50 == 0), pack("<4e", key % 5, key % 3, 1.0, key % 2))
        told = analysis(f"x:s{key}", model=model, signals=signals, **fields)
        said.append((mention(f"s{key}", "Message", created_at=at), told))
    tell(store, said)


def days_before(today: date, start: int, count: int) -> list[date]:
    """`count` days in a row, the first one `start` days before today."""
    return [today - timedelta(days=start - n) for n in range(count)]


def test_windows_are_the_last_days_and_those_before(store: Store) -> None:
    stream(store, days_before(TODAY, 60, 61), 5)
    reference, recent = store.quality.windows(TODAY, "small@1")
    assert (recent.since, recent.until) == (TODAY - timedelta(days=RECENT_DAYS - 1), TODAY + timedelta(days=1))
    assert (reference.since, reference.until) == (TODAY - timedelta(days=60), recent.since)  # nothing is older
    assert (reference.count, recent.count) == (33 * 5, 28 * 5)
    assert recent.langs == {"fr": 140} and recent.networks == {"x": 140}
    assert (len(reference.seen), len(recent.seen)) == (165, 140)
    one = recent.seen[0]
    assert len(one.sketch) == 4 and recent.since <= one.day < recent.until and one.token_count >= 10
    assert {shift.state for shift in compare(reference, recent)} == {State.STABLE}


def test_without_enough_before_the_oldest_days_are_the_reference(store: Store) -> None:
    stream(store, days_before(TODAY, 300, 20), 10)
    stream(store, days_before(TODAY, 27, 28), 4, first=1000)
    reference, _ = store.quality.windows(TODAY, "small@1")
    oldest = TODAY - timedelta(days=300)
    assert (reference.since, reference.until) == (oldest, oldest + timedelta(days=REFERENCE_DAYS))
    assert reference.count == 200 and len(reference.seen) == 200


def test_an_empty_store_has_empty_windows(store: Store) -> None:
    reference, recent = store.quality.windows(TODAY, "")
    assert reference.count == recent.count == 0
    assert {shift.state for shift in compare(reference, recent)} == {State.TOO_FEW}
    assert store.quality.unsure(recent.since, recent.until) == (0, 0)


def test_a_sample_is_bounded_spread_and_the_same_each_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stream(store, days_before(TODAY, 27, 28), 20)
    monkeypatch.setattr(windows, "SAMPLE", 100)
    _, recent = store.quality.windows(TODAY, "small@1")
    assert len(recent.seen) == 100
    assert len({row.day for row in recent.seen}) >= 24
    assert store.quality.windows(TODAY, "small@1")[1].seen == recent.seen


def test_a_sample_looks_further_where_another_model_told_most(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stream(store, days_before(TODAY, 27, 28), 20, ModelRef("lexicon", "1"))
    stream(store, days_before(TODAY, 9, 10), 4, first=5000)
    monkeypatch.setattr(windows, "SAMPLE", 30)
    _, recent = store.quality.windows(TODAY, "small@1")
    assert len(recent.seen) == 30
    monkeypatch.setattr(windows, "SAMPLE", 300)
    assert len(store.quality.windows(TODAY, "small@1")[1].seen) == 40


def test_signals_are_of_one_family_and_corrected_messages_stay_in(store: Store) -> None:
    stream(store, days_before(TODAY, 9, 10), 3)
    stream(store, days_before(TODAY, 9, 10), 3, ModelRef("small", "1+0000abcd"), first=100)
    stream(store, days_before(TODAY, 9, 10), 3, ModelRef("small", "12"), first=200)
    for key in ("x:s0", "x:s100"):
        store.labels.put(MentionId(key), {Field.INTENT: "other"}, by="Awa", at=NOW, origin=Origin.DESK)
    assert family("small@1+0000abcd") == "small@1"
    assert len(store.quality.windows(TODAY, "small@1+ffff0000")[1].seen) == 60
    assert len(store.quality.windows(TODAY, "small@12")[1].seen) == 30
    assert store.quality.windows(TODAY, "other@1")[1].seen == []


def test_uncertain_messages_that_nobody_has_looked_at(store: Store) -> None:
    stream(store, days_before(TODAY, 4, 5), 4)
    stream(store, days_before(TODAY, 4, 5), 1, first=100, uncertain=True)
    until = TODAY + timedelta(days=1)
    assert store.quality.unsure(TODAY - timedelta(days=4), until) == (5, 25)
    assert store.quality.unsure(TODAY - timedelta(days=1), until) == (2, 10)
    store.labels.put(MentionId("x:s100"), {Field.INTENT: "other"}, by="Awa", at=NOW, origin=Origin.DESK)
    assert store.quality.unsure(TODAY - timedelta(days=4), until) == (4, 25)

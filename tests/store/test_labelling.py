"""Drawing what to label, on both backends: a fair sample that two people share, the unsure ones spread out, agreement."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from domain.analysis import Signals
from domain.label import Field, LabelValue, Origin
from domain.mention import Mention, MentionId
from store import Store, diverse
from store.labelling import DOUBLE_SHARE, Agreement, Counts, LabellingScope, Pile
from tests.builders import START, analysis, mention
from tests.conftest import NOW
from tests.store.shop import tell

ALL = LabellingScope()
INTENTS = ("order_delivery_issue", "product_defect", "praise_thanks")


def said(number: int, **fields: Any) -> Mention:
    return mention(f"{number:04}", f"Message {number}", who=f"p{number}", after=number / 10, **fields)


def fill(store: Store, count: int, about: Callable[[int], dict[str, Any]] = lambda _number: {}) -> list[MentionId]:
    """So many messages; `about` names what their analyses say."""
    rows = [(one := said(n), analysis(one.id, **about(n))) for n in range(count)]
    tell(store, rows, NOW)  # type: ignore[arg-type]
    return [one.id for one, _ in rows]


def label(
    store: Store,
    mention_id: str,
    by: str,
    answers: Mapping[Field, LabelValue] | None = None,
    origin: Origin = Origin.LABELLING,
) -> list[int]:
    given = store.labels.put(
        MentionId(mention_id), answers or {Field.INTENT: "praise_thanks"}, by=by, at=NOW, origin=origin
    )
    return [one.id for one in given]


# -- the sample ------------------------------------------------------------------------------------------------------------


def test_everybody_goes_through_the_same_order_and_it_stays(store: Store) -> None:
    fill(store, 120)
    drawn = store.labelling.draw(Pile.SAMPLE, "Awa", 20, ALL)
    assert len(set(drawn)) == 20
    assert store.labelling.draw(Pile.SAMPLE, "Karim", 20, ALL) == drawn
    assert set(store.labelling.draw(Pile.SAMPLE, "Awa", 5, ALL)) < set(drawn)
    assert drawn != sorted(drawn)


def test_the_sample_leans_to_nothing(store: Store) -> None:
    fill(store, 600, lambda n: {"uncertain": n % 4 == 0, "intent": INTENTS[n % 3]})
    drawn = store.labelling.draw(Pile.SAMPLE, "Awa", 200, ALL)
    numbers = [int(key.removeprefix("x:")) for key in drawn]
    assert abs(sum(n % 4 == 0 for n in numbers) / 200 - 0.25) < 0.08
    assert abs(sum(n % 3 == 0 for n in numbers) / 200 - 1 / 3) < 0.08
    assert abs(sum(numbers) / 200 - 300) < 40  # neither the old ones nor the new ones


def test_what_a_person_has_read_is_not_drawn_again_until_it_is_taken_back(store: Store) -> None:
    fill(store, 40)
    first, *_ = store.labelling.draw(Pile.SAMPLE, "Awa", 40, ALL)
    ids = label(store, first, "Awa")
    assert first not in store.labelling.draw(Pile.SAMPLE, "Awa", 40, ALL)
    assert first in store.labelling.draw(Pile.SAMPLE, "Karim", 40, ALL)
    store.labels.retract(ids, by="Awa", at=NOW)
    assert first in store.labelling.draw(Pile.SAMPLE, "Awa", 40, ALL)


def test_a_correction_at_the_desk_takes_nothing_out_of_the_sample(store: Store) -> None:
    # Corrected messages are the model's errors: a sample without them would flatter it.
    ids = fill(store, 10)
    for key in ids[:5]:
        label(store, key, "Awa", origin=Origin.DESK)
    assert set(store.labelling.draw(Pile.SAMPLE, "Awa", 10, ALL)) == set(ids)


def test_a_share_of_the_sample_is_what_another_has_read(store: Store) -> None:
    fill(store, 100)
    theirs = store.labelling.draw(Pile.SAMPLE, "Karim", 40, ALL)
    for key in theirs:
        label(store, key, "Karim")
    mine = store.labelling.draw(Pile.SAMPLE, "Awa", 20, ALL)
    twice = [key for key in mine if key in theirs]
    assert len(twice) == round(20 * DOUBLE_SHARE) and len(mine) == 20
    assert twice != mine[: len(twice)]  # nothing tells which ones they are
    # Where new messages are short, the other part fills the pile.
    assert len(store.labelling.draw(Pile.SAMPLE, "Awa", 90, ALL)) == 90
    assert store.labelling.counts("Awa", ALL) == Counts(100, 0, 40, 0)
    label(store, twice[0], "Awa")
    assert store.labelling.counts("Awa", ALL) == Counts(100, 1, 40, 1)


@pytest.mark.parametrize("pile", Pile)
def test_the_draw_keeps_to_the_scope(store: Store, pile: Pile) -> None:
    own = mention("own", "Bonjour, nous regardons.", who=None, outbound=True, after=3)
    mute = mention("mute", "", after=3)
    tell(store, [(own, None), (mute, analysis(mute.id))], NOW)
    ids = fill(
        store,
        60,
        lambda n: {"lang": "en" if n % 2 else "fr", "intent": ("order_delivery_issue", "product_defect")[n // 30]},
    )
    drawn = store.labelling.draw(pile, "Awa", 100, ALL)
    assert sorted(drawn) == ids  # neither our own words nor a message without any
    english = store.labelling.draw(pile, "Awa", 100, LabellingScope(langs=("en",)))
    assert sorted(english) == ids[1::2]
    logistics = store.labelling.draw(pile, "Awa", 100, LabellingScope(departments=("logistics",)))
    assert sorted(logistics) == ids[:30]
    days = LabellingScope(since=START + timedelta(hours=1), until=START + timedelta(hours=2))
    assert sorted(store.labelling.draw(pile, "Awa", 100, days)) == ids[10:20]


def test_an_empty_store_has_nothing_to_draw(store: Store) -> None:
    assert [store.labelling.draw(pile, "Awa", 10, ALL) for pile in Pile] == [[], []]
    assert store.labelling.counts("Awa", ALL) == Counts(0, 0, 0, 0)
    assert store.labelling.agreement() == []
    assert store.labelling.item(MentionId("x:none")) is None


# -- the instructive pile --------------------------------------------------------------------------------------------------


def sketch(cluster: int, number: int) -> Signals:
    towards = np.zeros(32, np.float32)
    towards[cluster] = 1
    noise = np.random.default_rng(number).normal(0, 0.05, 32)
    return Signals(9, 0, (towards + noise).astype("<f2").tobytes())


def unsure(number: int, **more: Any) -> dict[str, Any]:
    """The lower the number, the less sure; the first half asks for a person."""
    from domain.analysis import Scored

    p = 0.3 + number / 500
    return {"intent": Scored("other", p), "uncertain": number < 60, **more}


def fill_unsure(store: Store, count: int, about: Callable[[int], dict[str, Any]]) -> list[MentionId]:
    from dataclasses import replace

    rows = [(one := said(n), replace(analysis(one.id), **unsure(n, **about(n)))) for n in range(count)]
    tell(store, rows, NOW)  # type: ignore[arg-type]
    return [one.id for one, _ in rows]


def test_the_least_sure_come_first_and_each_cluster_gives_one(store: Store) -> None:
    # Cluster 0 holds the forty least sure ones, clusters 1 to 4 twenty each of the others.
    of = [0] * 40 + [1 + n % 4 for n in range(80)]
    ids = fill_unsure(store, 120, lambda n: {"signals": sketch(of[n], n)})
    drawn = store.labelling.draw(Pile.INSTRUCTIVE, "Awa", 5, LabellingScope())
    clusters = [of[ids.index(key)] for key in drawn]
    assert sorted(clusters) == [0, 1, 2, 3, 4]
    assert drawn == sorted(drawn) and drawn[0] == ids[0]
    assert drawn == [ids[of.index(cluster)] for cluster in clusters]  # of each cluster, the least sure one
    assert store.labelling.draw(Pile.INSTRUCTIVE, "Karim", 5, ALL) == drawn


def test_taking_the_least_sure_without_spreading_would_not_do(store: Store) -> None:
    # The double of the test above: without clusters, the same pile holds five of one kind.
    of = [0] * 40 + [1 + n % 4 for n in range(80)]
    assert len({of[n] for n in range(5)}) == 1


def test_far_from_sure_ones_are_left_out_before_spreading(store: Store) -> None:
    ids = fill_unsure(store, 120, lambda n: {"signals": sketch(n % 30, n)})
    drawn = store.labelling.draw(Pile.INSTRUCTIVE, "Awa", 3, ALL)
    assert all(key in ids[:60] for key in drawn)  # twenty candidates for each that is drawn


def test_what_anybody_has_labelled_anywhere_teaches_nothing_new(store: Store) -> None:
    ids = fill_unsure(store, 30, lambda n: {})
    label(store, ids[0], "Karim", origin=Origin.DESK)
    label(store, ids[1], "Karim")
    gone = label(store, ids[2], "Karim")
    store.labels.retract(gone, by="Karim", at=NOW)
    drawn = store.labelling.draw(Pile.INSTRUCTIVE, "Awa", 30, ALL)
    assert sorted(drawn) == ids[2:]


def test_without_sketches_the_words_tell_what_is_alike(store: Store) -> None:
    from dataclasses import replace

    texts = ["Colis perdu, où est mon colis"] * 30 + ["La poignée brûle"] * 5 + ["Merci à l'équipe de Lille"] * 5
    said_ = [mention(f"{n:02}", text, who=f"p{n}", after=n / 10) for n, text in enumerate(texts)]
    tell(store, [(one, replace(analysis(one.id), **unsure(n))) for n, one in enumerate(said_)], NOW)
    drawn = store.labelling.draw(Pile.INSTRUCTIVE, "Awa", 3, ALL)
    assert {texts[int(key.removeprefix("x:"))] for key in drawn} == set(texts)


def test_two_models_are_not_compared_by_their_sketches() -> None:
    assert diverse.of_sketches([b"\0" * 64, b"\0" * 32]) is None
    assert diverse.of_sketches([b"\0" * 64, None]) is None
    found = diverse.of_sketches([b"\0" * 64, b"\0" * 64])
    assert found is not None and found.shape == (2, 32)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_copies_and_broken_numbers_still_fill_the_pile(count: int) -> None:
    same = np.ones((10, 4), np.float32)
    assert diverse.spread(same, count) == list(range(count))
    broken = np.full((10, 4), np.nan, np.float32)
    assert len(set(diverse.spread(broken, count))) == count


# -- one message, and two people -------------------------------------------------------------------------------------------


def test_a_message_comes_with_the_models_own_answer_whatever_was_answered_since(store: Store) -> None:
    [key] = fill(store, 1)
    label(store, key, "Karim", {Field.INTENT: "praise_thanks", Field.SENTIMENT: "positive"})
    item = store.labelling.item(key)
    assert item is not None and item.analysis is not None
    assert (item.analysis.intent.value, item.analysis.sentiment.value.value) == ("order_delivery_issue", "negative")
    assert (item.mention.text, item.previous) == ("Message 0", None)


def test_a_message_comes_with_what_it_answers_or_what_was_said_before_it(store: Store) -> None:
    thread = {"conversation_id": "1", "network": "facebook"}
    rows = [
        mention("1", "Notre nouvelle cocotte !", who=None, outbound=True, **thread),
        mention("2", "Elle rouille ?", after=1, parent_id="1", **thread),
        mention("3", "La mienne non", who="max", after=2, **thread),
        mention("4", "Merci", after=3, parent_id="2", **thread),
        mention("5", "Et le prix ?", after=4, parent_id="unknown", **thread),
    ]
    tell(store, [(m, None if m.outbound else analysis(m.id)) for m in rows], NOW)

    def before(number: str) -> str | None:
        item = store.labelling.item(MentionId(f"facebook:{number}"))
        return item.previous.native_id if item and item.previous else None

    assert [before(number) for number in "12345"] == [None, "1", "2", "2", "4"]


def test_agreement_counts_the_messages_of_both_in_the_sample_only(store: Store) -> None:
    ids = fill(store, 8)
    mine = ["praise_thanks", "praise_thanks", "other", "other", "other", "praise_thanks"]
    theirs = ["praise_thanks", "other", "other", "other", "other", "praise_thanks"]
    for key, one, two in zip(ids, mine, theirs, strict=False):
        label(store, key, "Awa", {Field.INTENT: one, Field.URGENCY: 1})
        label(store, key, "Karim", {Field.INTENT: two})
    label(store, ids[6], "Awa")  # by one alone
    label(store, ids[7], "Awa")
    label(store, ids[7], "Karim", origin=Origin.DESK)  # the desk leans to errors
    # 5 of 6 alike; by chance 3/6 x 2/6 + 3/6 x 4/6 = 1/2
    [found] = store.labelling.agreement()
    assert found == Agreement("Awa", "Karim", Field.INTENT, 6, 5 / 6, pytest.approx((5 / 6 - 0.5) / 0.5))


def test_agreement_takes_a_persons_last_word_and_forgets_what_was_taken_back(store: Store) -> None:
    one, two = fill(store, 2)
    label(store, one, "Awa", {Field.ASPECTS: ("delivery",)})
    label(store, one, "Karim", {Field.ASPECTS: ("packaging",)})
    label(store, one, "Awa", {Field.ASPECTS: ("packaging",)})
    gone = label(store, two, "Awa", {Field.ASPECTS: ("delivery",)})
    label(store, two, "Karim", {Field.ASPECTS: ()})
    store.labels.retract(gone, by="Awa", at=NOW)
    [found] = store.labelling.agreement()
    assert (found.n, found.share, found.kappa) == (1, 1.0, None)


def test_urgency_is_compared_by_distance(store: Store) -> None:
    ids = fill(store, 4)
    for key, mine, theirs in zip(ids, (0, 1, 2, 3), (0, 1, 3, 3), strict=True):
        label(store, key, "Awa", {Field.URGENCY: mine})
        label(store, key, "Karim", {Field.URGENCY: theirs})
    [found] = store.labelling.agreement()
    assert found.share == 0.75 and found.kappa is not None and found.kappa > 0.85


def test_three_people_are_three_pairs(store: Store) -> None:
    [key] = fill(store, 1)
    for by in ("Nadia", "Awa", "Karim"):
        label(store, key, by)
    assert [(a.first, a.second) for a in store.labelling.agreement()] == [
        ("Awa", "Karim"),
        ("Awa", "Nadia"),
        ("Karim", "Nadia"),
    ]

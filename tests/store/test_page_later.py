"""What a page tells beside new mentions: edits, deletions, prices and gaps, in the same breath as everything else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.budget import Budget, Course, SpendKind
from domain.contracts import Gap, Page, Permission, Spend
from domain.mention import Author, Mention
from domain.rehydration import Schedule
from store import Store, schema
from store.queue import QueueFilter
from tests.builders import analysis, mention, page

WORDS = "Mon colis est perdu depuis deux semaines"
DAY = timedelta(days=1)


@pytest.fixture
def shop(store: Store, now: datetime) -> Store:
    """One complaint in a case."""
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(mention("1", WORDS, who="lea", created_at=now)), now)
    settle(store, now, "order_delivery_issue", "negative")
    return store


def settle(store: Store, now: datetime, intent: str, sentiment: str) -> None:
    with store.mentions.unanalyzed(10) as backlog:
        backlog.save([analysis(m.id, intent, sentiment) for m in backlog.mentions], now)
    store.cases.route(10, now, lambda _case, _item, _person: ())


def told(**values: object) -> Page:
    return replace(page(), **values)  # type: ignore[arg-type]


def kept(store: Store, number: str = "1") -> Mention:
    found = store.mentions.get(mention(number).id)
    assert found is not None
    return found


def step(store: Store, number: str = "1") -> str:
    m = schema.mentions
    with store.database.read() as connection:
        return str(connection.scalar(m.select().with_only_columns(m.c.step).where(m.c.id == mention(number).id)))


# -- edits -----------------------------------------------------------------------------------------------------------------


def test_other_words_take_the_place_of_the_old_ones_and_are_read_again(shop: Store, now: datetime) -> None:
    changed = mention("1", "Retrouvé, merci beaucoup !", who="lea", created_at=now)
    result = shop.mentions.add_page("s", told(changed=(changed,)), now)
    assert (result.stored, result.changed, shop.mention_count()) == (0, 1, 1)
    assert kept(shop).text == changed.text
    [waiting] = shop.mentions.edited(10)
    assert shop.mentions.save_again([waiting], [analysis(waiting.id, "praise_thanks", "positive")], now) == 1
    assert shop.mentions.edited(10) == []
    found = shop.mentions.analysis(waiting.id)
    assert found is not None and found.intent.value == "praise_thanks"
    [case_id] = shop.mentions.case_ids([waiting.id])
    assert [row.action for row in shop.audit.of_case(case_id)].count("mention_edited") == 1
    assert shop.rebuild_rollups(write=False) == []


def test_an_edit_before_the_analysis_is_just_read_once(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(mention("1", WORDS, created_at=now)), now)
    store.mentions.add_page("s", told(changed=(mention("1", "Tout va bien", created_at=now),)), now)
    assert step(store) == "collected" and kept(store).text == "Tout va bien"


def test_one_edited_again_in_the_meantime_keeps_waiting(shop: Store, now: datetime) -> None:
    shop.mentions.add_page("s", told(changed=(mention("1", "Un", created_at=now),)), now)
    read = shop.mentions.edited(10)
    shop.mentions.add_page("s", told(changed=(mention("1", "Deux", created_at=now),)), now)
    assert shop.mentions.save_again(read, [analysis(read[0].id, "praise_thanks", "positive")], now) == 0
    assert [one.text for one in shop.mentions.edited(10)] == ["Deux"]


def test_new_counts_alone_are_no_new_words(shop: Store, now: datetime) -> None:
    same = mention("1", WORDS, who="lea", created_at=now)
    loud = replace(same, engagement=replace(same.engagement, like_count=12))
    assert shop.mentions.add_page("s", told(changed=(loud,)), now).changed == 1
    assert kept(shop).engagement.like_count == 12 and step(shop) == "done"
    assert shop.mentions.add_page("s", told(changed=(loud,)), now).changed == 0


def test_a_changed_one_that_was_never_heard_is_heard_now(shop: Store, now: datetime) -> None:
    result = shop.mentions.add_page("s", told(changed=(mention("2", "Nouveau", who="bob", created_at=now),)), now)
    assert (result.stored, result.changed, shop.mention_count()) == (1, 0, 2)


# -- deletions -------------------------------------------------------------------------------------------------------------


def test_a_deleted_one_loses_its_words_everywhere_and_keeps_its_count(shop: Store, now: datetime) -> None:
    [case_id] = shop.mentions.case_ids([mention("1").id])
    shop.cases.add_note(case_id, f"Elle écrit : « {WORDS} ».", actor="ana", now=now)
    result = shop.mentions.add_page("s", told(deleted=(mention("1").id,)), now)
    assert result.deleted == 1 and shop.mention_count() == 1
    gone = kept(shop)
    assert (gone.text, gone.title, gone.url, gone.raw) == ("", "", "", {})
    assert gone.author is None or (gone.author.handle, gone.author.name) == ("", "")
    assert shop.queue.page(QueueFilter(text="colis"), me="", now=now) == []
    [note] = shop.cases.notes(case_id)
    assert WORDS not in note.text and note.text.startswith("Elle écrit")
    assert shop.rebuild_rollups(write=False) == []
    assert shop.mentions.add_page("s", told(deleted=(mention("1").id,)), now).deleted == 0


def test_told_before_it_was_heard_it_comes_without_words(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", told(deleted=(mention("1").id,)), now)
    store.mentions.add_page(
        "s", page(replace(mention("1", WORDS, created_at=now), author=Author("9", "lea", "Léa"))), now
    )
    found = kept(store)
    assert found.text == "" and store.mention_count() == 1
    assert found.author is not None and (found.author.handle, found.author.name) == ("", "")
    assert store.mentions.unanalyzed_count() == 0 and store.rebuild_rollups(write=False) == []


def test_what_is_deleted_is_not_edited_any_more(shop: Store, now: datetime) -> None:
    shop.mentions.add_page("s", told(deleted=(mention("1").id,)), now)
    assert shop.mentions.add_page("s", told(changed=(mention("1", "Encore", created_at=now),)), now).changed == 0
    assert kept(shop).text == ""


# -- prices, budgets, gaps -------------------------------------------------------------------------------------------------


def test_prices_are_booked_with_the_page_and_add_up(shop: Store, now: datetime) -> None:
    for _ in range(2):
        shop.mentions.add_page("s", told(spent=Spend(1, 10, 0.05, 3)), now)
    shop.mentions.add_page("s", told(spent=Spend(1, 4, 0.02)), now, kind=SpendKind.REHYDRATION)
    month = shop.ledger.month("s", now)
    assert month is not None
    assert month.by_kind[SpendKind.READING] == Spend(2, 20, pytest.approx(0.1), 6)
    assert month.spent.price == pytest.approx(0.12)
    assert (month.useful_count, month.price_per_useful) == (1, pytest.approx(0.12))


def test_a_page_that_is_refused_costs_nothing_twice(shop: Store, now: datetime) -> None:
    def full(_mention: Mention) -> Permission:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        shop.mentions.add_page("s", replace(page(mention("3")), spent=Spend(1, 1, 1.0)), now, full)
    month = shop.ledger.month("s", now)
    assert month is not None and month.spent == Spend()


def test_a_budget_says_stop_and_is_news_once(shop: Store, now: datetime) -> None:
    shop.sources.set_budget("s", Budget(price=1.0))
    assert shop.ledger.standing("s", now).verdict.course is Course.GO
    shop.mentions.add_page("s", told(spent=Spend(1, 100, 1.0)), now)
    verdict = shop.ledger.standing("s", now).verdict
    assert verdict.course is Course.STOP and verdict.until is not None
    assert shop.ledger.set_course("s", verdict.course, verdict.until)
    assert not shop.ledger.set_course("s", verdict.course, verdict.until)
    shop.sources.set_budget("s", Budget())
    assert shop.ledger.standing("s", now).verdict.course is Course.GO


def test_a_gap_is_written_down_once_and_may_grow(shop: Store, now: datetime) -> None:
    for until in (now, now, now + DAY):
        shop.mentions.add_page("s", told(gap=Gap(now - DAY, until, "The network goes back 7 days.")), now)
    [gap] = shop.gaps.of("s")
    assert (gap.since, gap.until) == (now - DAY, now + DAY)


# -- looking up again ------------------------------------------------------------------------------------------------------


def test_a_mention_is_due_again_after_its_networks_term(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    daily = Schedule(DAY, refreshes=False)
    store.mentions.add_page("s", page(mention("1", created_at=now)), now, schedule=daily)
    assert store.mentions.due_for_look_up("s", now, 10) == []
    [due] = store.mentions.due_for_look_up("s", now + DAY, 10)
    assert due.id == mention("1").id
    store.mentions.add_page("s", told(), now + DAY, schedule=daily, looked_up=[due])
    assert store.mentions.due_for_look_up("s", now + DAY, 10) == []
    assert len(store.mentions.due_for_look_up("s", now + 2 * DAY, 10)) == 1


def test_what_nobody_may_look_up_is_never_due(shop: Store, now: datetime) -> None:
    assert shop.mentions.due_for_look_up("s", now + 400 * DAY, 10) == []


# -- order -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["question", "answer"])
def test_whatever_comes_first_an_answer_stands_in_the_case_of_its_question(
    store: Store, now: datetime, first: str
) -> None:
    store.sources.ensure("s", "demo", "S", {})
    post = mention("0", "Nos pulls sont là", created_at=now - DAY, conversation_id="0", outbound=True, who=None)
    question = mention("1", WORDS, created_at=now - timedelta(hours=2), conversation_id="0")
    answer = mention(
        "2",
        "Nous cherchons",
        created_at=now - timedelta(hours=1),
        conversation_id="0",
        parent_id="1",
        outbound=True,
        who=None,
    )
    pages = [(post, answer), (question,)] if first == "answer" else [(post, question), (answer,)]
    for batch in pages:
        store.mentions.add_page("s", page(*batch), now)
        settle(store, now, "order_delivery_issue", "negative")
    [case_id] = store.mentions.case_ids([post.id, question.id, answer.id])
    assert store.mentions.case_ids([question.id]) == store.mentions.case_ids([answer.id]) == [case_id]
    assert store.mentions.case_ids([post.id]) == [], "what we said before is no answer"
    case = store.cases.get(case_id)
    assert case is not None and case.first_reply_at == answer.created_at
    assert store.rebuild_rollups(write=False) == []

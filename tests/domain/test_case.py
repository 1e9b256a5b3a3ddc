"""The rules of a case: what opens, joins, answers, closes and reopens it, and what makes no sense."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from domain import case as rules
from domain.analysis import Analysis, ModelRef, Scored, Sentiment
from domain.case import PersonId, Priority, RuleError, Status
from domain.clock import Calendar
from domain.departments import DEPARTMENT_BY_KEY, DEPARTMENTS
from domain.errors import InputError
from domain.mention import Author, MentionId
from domain.taxonomy import ASPECT_BY_KEY, INTENTS, department_of
from tests.builders import START, analysis, mention

CALENDAR = Calendar(ZoneInfo("Europe/Paris"))
LEA = PersonId("lea")


def opened(**fields: object) -> rules.Case:
    return replace(rules.open_case(mention(), analysis("x:1"), LEA, CALENDAR), **fields)  # type: ignore[arg-type]


def test_an_opened_case_has_a_department_an_owner_and_deadlines() -> None:
    case = opened()
    assert case.department == "logistics" and case.person_id == LEA and case.status is Status.OPEN
    assert case.first_reply_due_at == START + timedelta(hours=2)
    assert case.waiting_since == START and case.id == rules.case_id_for(MentionId("x:1"))


@pytest.mark.parametrize(
    ("urgency", "sentiment", "churn", "followers", "priority"),
    [
        (0, Sentiment.NEUTRAL, False, None, Priority.LOW),
        (0, Sentiment.NEGATIVE, False, None, Priority.NORMAL),
        (1, Sentiment.NEGATIVE, True, None, Priority.HIGH),
        (2, Sentiment.NEGATIVE, False, 50_000, Priority.URGENT),
        (3, Sentiment.NEGATIVE, True, 50_000, Priority.URGENT),
    ],
)
def test_priority(urgency: int, sentiment: Sentiment, churn: bool, followers: int | None, priority: Priority) -> None:
    assert rules.priority_of(urgency, sentiment, churn=churn, follower_count=followers) is priority


def test_our_own_words_and_chatter_need_no_case() -> None:
    assert not rules.needs_case(mention(outbound=True), analysis("x:1"))
    assert not rules.needs_case(mention(), analysis("x:1", "spam_promo"))
    assert not rules.needs_case(mention(), analysis("x:1", directed=False))
    assert rules.needs_case(mention(), analysis("x:1", "other", uncertain=True))
    assert rules.needs_case(mention(), analysis("x:1", directed=False, urgency=3))


def test_joining() -> None:
    case = opened()
    same = mention("2", after=1)
    assert rules.can_join(case, same, LEA, "finance", same_thread=True)
    assert not rules.can_join(case, same, PersonId("karim"), "logistics", same_thread=True)
    assert rules.can_join(case, same, LEA, "logistics", same_thread=False)
    assert not rules.can_join(case, same, LEA, "finance", same_thread=False)
    assert not rules.can_join(case, mention("2", after=24 * 8), LEA, "logistics", same_thread=False)
    resolved = rules.resolve(case, START + timedelta(hours=1))
    assert rules.can_join(resolved, mention("2", after=24), LEA, "logistics", same_thread=True)
    assert not rules.can_join(resolved, mention("2", after=24 * 9), LEA, "logistics", same_thread=True)
    assert not rules.can_join(replace(case, status=Status.MERGED), same, LEA, "logistics", same_thread=True)


def test_a_later_word_reopens_unless_it_only_says_thanks() -> None:
    closed = rules.resolve(rules.take_reply(opened(), START + timedelta(hours=1)), START + timedelta(hours=2))
    again = rules.join_case(closed, mention("2", after=3), analysis("x:2"))
    assert (
        again.status is Status.OPEN and again.reopened_count == 1 and again.waiting_since == START + timedelta(hours=3)
    )
    thanks = rules.join_case(closed, mention("2", "Merci !", after=3), analysis("x:2", "praise_thanks", "positive"))
    assert thanks.status is Status.RESOLVED and thanks.mention_count == 2


def test_replies_stop_the_clock_once() -> None:
    first = rules.take_reply(opened(), START + timedelta(hours=1))
    second = rules.take_reply(first, START + timedelta(hours=5))
    assert first.status is Status.PENDING and first.waiting_since is None
    assert second.first_reply_at == START + timedelta(hours=1) and second.last_reply_at == START + timedelta(hours=5)
    assert rules.take_reply(second, START + timedelta(hours=5)) == second


def test_a_word_collected_late_that_was_answered_already_waits_for_nothing() -> None:
    answered = rules.take_reply(opened(), START + timedelta(hours=5))
    assert rules.join_case(answered, mention("2", after=1), analysis("x:2")).waiting_since is None


def test_snooze_wake_transfer() -> None:
    case, now = opened(assignee="Awa"), START + timedelta(hours=1)
    asleep = rules.snooze(case, now + timedelta(hours=1), now)
    assert rules.wake(asleep, now) == asleep
    assert rules.wake(asleep, now + timedelta(hours=1)).status is Status.OPEN
    moved = rules.transfer(case, "finance", now, CALENDAR)
    assert (moved.department, moved.assignee) == (
        "finance",
        None,
    ) and moved.first_reply_due_at != case.first_reply_due_at


def test_acts_that_make_no_sense_say_what_to_do() -> None:
    case, now = opened(), START
    closed = rules.resolve(case, now)
    merged = replace(case, status=Status.MERGED, merged_into=closed.id)
    for call, words in (
        (lambda: rules.assign(closed, "Awa"), "Reopen it first"),
        (lambda: rules.resolve(closed, now), "Reopen it first"),
        (lambda: rules.snooze(case, now, now), "later one"),
        (lambda: rules.reopen(case), "Only a resolved case"),
        (lambda: rules.transfer(case, "marketting", now, CALENDAR), "Choose one of"),
        (lambda: rules.assign(merged, "Awa"), "undo the merge"),
        (lambda: rules.merge(case, case), "itself"),
        (lambda: rules.merge(merged, opened()), "itself|merged already"),
        (lambda: rules.merge(opened(), replace(closed, id=rules.CaseId("z"))), "Reopen it first"),
    ):
        with pytest.raises(RuleError, match=words):
            call()


def test_late_and_met() -> None:
    case = opened()
    assert case.first_reply_due_at is not None
    before, after = case.first_reply_due_at - timedelta(minutes=1), case.first_reply_due_at + timedelta(minutes=1)
    assert not rules.is_late(case, before) and rules.is_late(case, after)
    assert rules.met_first_reply_target(case, before) is None
    assert rules.met_first_reply_target(case, after) is False
    assert rules.met_first_reply_target(rules.take_reply(case, before), after) is True


def test_routing_table_is_whole() -> None:
    for intent in INTENTS:
        assert intent.department in DEPARTMENT_BY_KEY and 0 <= intent.urgency <= 3
    for department in DEPARTMENTS:
        assert department.indicators and len(set(department.indicators)) == len(department.indicators)
    assert department_of("complaint_service", ["store_staff"]) == "stores_sales"
    assert department_of("complaint_service", [], 3) == "management"
    assert department_of("product_defect", ["delivery"], 3) == "product_quality"
    reachable = {
        department_of(i.key, aspects, u)
        for i in INTENTS
        for aspects in [[], *([a] for a in ASPECT_BY_KEY)]
        for u in (0, 3)
    }
    assert reachable == set(DEPARTMENT_BY_KEY), "a department that no message can reach has an empty page"


def test_sentiment_is_neutral_on_a_tie() -> None:
    flat = Analysis(MentionId("x:1"), ModelRef("m", "1"), "fr", 0.4, 0.4, 0.2, Scored("other", 1.0))
    assert flat.sentiment.value is Sentiment.NEUTRAL


def test_a_mention_without_a_time_zone_is_refused() -> None:
    with pytest.raises(InputError, match="no time zone"):
        mention(created_at=START.replace(tzinfo=None))
    with pytest.raises(InputError, match="100,000"):
        mention(text="x" * 100_001)
    assert mention(author=Author("lea")).account_id == "x:lea" and mention().thread_id == "x:1"

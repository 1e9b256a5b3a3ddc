"""A case follows what persons answer about its messages, as routing would have had it, and goes back the same way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import case as rules
from domain.analysis import Sentiment
from domain.case import Case, Priority
from domain.clock import Calendar
from domain.departments import DEPARTMENT_BY_KEY
from domain.routing import RouteItem, plan, retag
from domain.taxonomy import ASPECTS, INTENTS, department_of
from tests.builders import START, analysis, mention

CALENDAR = Calendar(ZoneInfo("Europe/Paris"))

intents = st.sampled_from([intent.key for intent in INTENTS])
answers = st.builds(
    lambda intent, sentiment, urgency, aspects, churn, uncertain: {
        "intent": intent,
        "sentiment": sentiment,
        "urgency": urgency,
        "aspects": aspects,
        "churn": churn,
        "uncertain": uncertain,
    },
    intents,
    st.sampled_from([s.value for s in Sentiment]),
    st.integers(0, 3),
    st.lists(st.sampled_from([a.key for a in ASPECTS]), max_size=2, unique=True).map(tuple),
    st.booleans(),
    st.booleans(),
)


def said(number: int, **fields: Any) -> RouteItem:
    return RouteItem(
        mention(str(number), after=number, conversation_id="1"),
        analysis(f"x:{number}", **fields),
        rules.PersonId("lea"),
    )


def routed(items: list[RouteItem]) -> Case:
    [case] = plan(items, [], {}, {}, CALENDAR).after.values()
    return case


def told(items: list[RouteItem], at: int, **fields: Any) -> list[RouteItem]:
    new = replace(items[at], analysis=analysis(items[at].mention.id, **fields))
    return [*items[:at], new, *items[at + 1 :]]


def test_the_opening_message_carries_everything() -> None:
    was = [said(1)]
    case = routed(was)
    after = retag(case, was, told(was, 0, intent="billing_account_issue", sentiment="neutral", urgency=2), CALENDAR)
    finance = DEPARTMENT_BY_KEY["finance"]
    assert (after.intent, after.department, after.sentiment) == ("billing_account_issue", "finance", Sentiment.NEUTRAL)
    assert (after.urgency, after.priority) == (2, Priority.HIGH)
    assert after.first_reply_due_at == CALENDAR.due(START + timedelta(hours=1), finance.first_reply, finance.hours)


def test_a_person_who_has_looked_leaves_nothing_uncertain() -> None:
    was = [said(1, intent="question_info", uncertain=True)]
    case = routed(was)
    assert case.uncertain
    assert not retag(case, was, told(was, 0, intent="question_info", uncertain=False), CALENDAR).uncertain


def test_a_later_message_moves_the_mood_and_the_urgency_but_not_the_matter() -> None:
    was = [said(1), said(2, sentiment="negative", urgency=3)]
    case = routed(was)
    assert (case.urgency, case.priority) == (3, Priority.URGENT)
    after = retag(case, was, told(was, 1, intent="praise_thanks", sentiment="positive"), CALENDAR)
    assert (after.intent, after.department) == (case.intent, case.department)
    assert (after.urgency, after.priority, after.sentiment) == (1, Priority.NORMAL, Sentiment.POSITIVE)


def test_an_earlier_message_does_not_move_the_mood() -> None:
    was = [said(1), said(2, sentiment="positive"), said(3, sentiment="neutral")]
    after = retag(routed(was), was, told(was, 1, sentiment="negative"), CALENDAR)
    assert after.sentiment is Sentiment.NEUTRAL


def test_the_answer_given_keeps_the_deadlines_that_it_met() -> None:
    was = [said(1)]
    case = rules.take_reply(routed(was), START + timedelta(hours=2))
    after = retag(case, was, told(was, 0, intent="billing_account_issue"), CALENDAR)
    assert after.department == "finance"
    assert after.first_reply_due_at == case.first_reply_due_at


@pytest.mark.parametrize(
    "decided",
    [
        lambda case: replace(case, department="management"),
        lambda case: replace(case, urgency=3, priority=Priority.URGENT),
        lambda case: replace(case, sentiment=Sentiment.POSITIVE),
    ],
)
def test_what_something_else_decided_stays(decided: Callable[[Case], Case]) -> None:
    was = [said(1)]
    case = decided(routed(was))
    after = retag(case, was, told(was, 0, intent="billing_account_issue", sentiment="neutral"), CALENDAR)
    changed = {"department", "urgency", "priority", "sentiment"}
    for name in changed:
        if getattr(case, name) != getattr(routed(was), name):
            assert getattr(after, name) == getattr(case, name)
    assert after.intent == "billing_account_issue"


def test_a_department_that_a_person_chose_stays_even_where_the_tags_agree_with_it() -> None:
    was = [said(1)]
    case = routed(was)
    after = retag(case, was, told(was, 0, intent="billing_account_issue"), CALENDAR, department_chosen=True)
    assert (after.intent, after.department) == ("billing_account_issue", "logistics")


def test_a_case_without_the_message_that_opened_it_stays() -> None:
    was = [said(1), said(2)]
    case = routed(was)
    assert retag(case, was[1:], told(was[1:], 0, intent="other"), CALENDAR) == case


@given(first=st.lists(answers, min_size=1, max_size=4), second=st.lists(answers, min_size=4, max_size=4))
def test_it_is_what_routing_makes_and_can_be_taken_back(
    first: list[dict[str, Any]], second: list[dict[str, Any]]
) -> None:
    was = [said(n + 1, **{"directed": True, **fields}) for n, fields in enumerate(first)]
    opener = was[0].analysis
    assert opener is not None
    if not rules.needs_case(was[0].mention, opener):
        was[0] = replace(was[0], analysis=replace(opener, urgency=2))
    case = routed(was)
    corrected = [replace(i, analysis=analysis(i.mention.id, **f)) for i, f in zip(was, second, strict=False)]
    after = retag(case, was, corrected, CALENDAR)
    tags = corrected[0].analysis
    assert tags is not None
    assert (after.intent, after.uncertain) == (tags.intent.value, tags.uncertain)
    urgency = max(tags.urgency, rules.INTENT_BY_KEY[tags.intent.value].urgency)
    assert after.department == department_of(tags.intent.value, tags.aspects, urgency)
    assert after.urgency == max([urgency, *(i.analysis.urgency for i in corrected[1:] if i.analysis)])
    assert retag(after, corrected, was, CALENDAR) == case

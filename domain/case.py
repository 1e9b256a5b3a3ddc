"""What has to be answered: Case, and the rules that change it.

Every rule is a pure function `(case, ..., now) -> Case`; the store writes the result, its audit row and its counts in one
transaction. A rule that makes no sense in the present state raises `RuleError` with what to do instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import NewType

from domain.analysis import Analysis, Sentiment
from domain.clock import Calendar
from domain.departments import DEPARTMENT_BY_KEY
from domain.errors import ComptoirError
from domain.mention import Mention, MentionId
from domain.taxonomy import INTENT_BY_KEY, department_of

CaseId = NewType("CaseId", str)
PersonId = NewType("PersonId", str)

REOPEN_WINDOW = timedelta(days=7)  # a later word on the same thread is a new matter
JOIN_WINDOW = timedelta(days=7)  # how long an open case takes in the same person's words on the same matter


class RuleError(ComptoirError):
    """The act makes no sense in the case's present state; the message says what to do instead."""


class Status(StrEnum):
    """Where a case stands. OPEN waits for us, PENDING waits for the customer, SNOOZED waits for a date."""

    OPEN = "open"
    PENDING = "pending"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    MERGED = "merged"


class Priority(IntEnum):
    """What comes first in the queue; see `priority_of` for what makes it."""

    LOW = 0
    NORMAL = 1
    HIGH = 2
    URGENT = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One matter of one person, with one department, on one thread at first.

    Attributes:
        first_reply_due_at, resolution_due_at: deadlines in working time of the department, fixed at opening or transfer.
        waiting_since: the customer's oldest word that has no answer yet; None when it is their turn.
        version: grows by one at each change; a writer that read an older one is refused.
    """

    id: CaseId
    department: str
    intent: str
    network: str
    thread_id: str
    opened_at: datetime
    last_inbound_at: datetime
    status: Status = Status.OPEN
    priority: Priority = Priority.NORMAL
    urgency: int = 0
    sentiment: Sentiment = Sentiment.NEUTRAL
    uncertain: bool = False
    person_id: PersonId | None = None
    store: str | None = None
    product: str | None = None
    lang: str = "und"
    assignee: str | None = None
    first_reply_due_at: datetime | None = None
    resolution_due_at: datetime | None = None
    waiting_since: datetime | None = None
    first_reply_at: datetime | None = None
    last_reply_at: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    reopened_count: int = 0
    mention_count: int = 1
    merged_into: CaseId | None = None
    version: int = 1

    @property
    def active(self) -> bool:
        """True while somebody still has to do or to wait for something."""
        return self.status in {Status.OPEN, Status.PENDING, Status.SNOOZED}


def case_id_for(mention_id: MentionId) -> CaseId:
    """The id of the case that this mention opens. Derived, so that a step run twice opens one case, not two."""
    return CaseId("c" + blake2b(mention_id.encode(), digest_size=8).hexdigest())


def needs_case(mention: Mention, analysis: Analysis) -> bool:
    """True where a person should look: something to answer, or something that the analyzer could not tell."""
    if mention.outbound:
        return False
    if analysis.uncertain or analysis.urgency >= 2:
        return True
    return analysis.directed and INTENT_BY_KEY[analysis.intent.value].opens_case


def priority_of(
    urgency: int, sentiment: Sentiment, *, churn: bool = False, follower_count: int | None = None
) -> Priority:
    """Priority from what is at stake. Reach moves a case up by one step at most, and never above urgent."""
    level = {0: 0, 1: 1, 2: 2, 3: 3}[urgency]
    if sentiment is Sentiment.NEGATIVE:
        level = max(level, 1)
    if churn:
        level = max(level, 2)
    if follower_count is not None and follower_count >= 10_000:
        level += 1
    return Priority(min(level, 3))


def _with_deadlines(case: Case, start: datetime, calendar: Calendar) -> Case:
    department = DEPARTMENT_BY_KEY[case.department]
    return replace(
        case,
        first_reply_due_at=calendar.due(start, department.first_reply, department.hours),
        resolution_due_at=calendar.due(start, department.resolution, department.hours),
    )


def open_case(mention: Mention, analysis: Analysis, person_id: PersonId | None, calendar: Calendar) -> Case:
    """A new case for a mention; its clock starts when the customer spoke, not when we heard it."""
    intent = INTENT_BY_KEY[analysis.intent.value]
    urgency = max(analysis.urgency, intent.urgency)
    followers = mention.author.follower_count if mention.author else None
    case = Case(
        id=case_id_for(mention.id),
        department=department_of(intent.key, analysis.aspects, urgency),
        intent=intent.key,
        network=mention.network,
        thread_id=mention.thread_id,
        opened_at=mention.created_at,
        last_inbound_at=mention.created_at,
        waiting_since=mention.created_at,
        priority=priority_of(urgency, analysis.sentiment.value, churn=analysis.churn, follower_count=followers),
        urgency=urgency,
        sentiment=analysis.sentiment.value,
        uncertain=analysis.uncertain,
        person_id=person_id,
        store=mention.store,
        product=mention.product,
        lang=analysis.lang,
    )
    return _with_deadlines(case, mention.created_at, calendar)


def can_join(case: Case, mention: Mention, person_id: PersonId | None, department: str, *, same_thread: bool) -> bool:
    """True where a new word belongs to an existing case.

    Same thread and same speaker (or a thread whose speaker is unknown): always, within `REOPEN_WINDOW` once resolved.
    Another thread: only the same known person, the same department, and a case still active and recent.
    """
    if case.status is Status.MERGED:
        return False
    if case.resolved_at is not None and mention.created_at - case.resolved_at > REOPEN_WINDOW:
        return False
    if same_thread:
        return case.person_id == person_id or case.person_id is None or person_id is None
    return (
        person_id is not None
        and case.person_id == person_id
        and case.department == department
        and case.active
        and mention.created_at - case.last_inbound_at <= JOIN_WINDOW
    )


def join_case(case: Case, mention: Mention, analysis: Analysis) -> Case:
    """The case after one more word of the customer; reopens it where it was closed or put aside."""
    urgency = max(case.urgency, analysis.urgency)
    sentiment = analysis.sentiment.value if mention.created_at >= case.last_inbound_at else case.sentiment
    followers = mention.author.follower_count if mention.author else None
    joined = replace(
        case,
        last_inbound_at=max(case.last_inbound_at, mention.created_at),
        mention_count=case.mention_count + 1,
        urgency=urgency,
        sentiment=sentiment,
        priority=max(case.priority, priority_of(urgency, sentiment, churn=analysis.churn, follower_count=followers)),
        product=case.product or mention.product,
        store=case.store or mention.store,
    )
    answered_later = case.last_reply_at is not None and case.last_reply_at > mention.created_at
    if answered_later:
        return joined
    joined = replace(joined, waiting_since=case.waiting_since or mention.created_at)
    if case.status is Status.RESOLVED:
        if _only_thanks(analysis):
            return replace(joined, waiting_since=None)
        return replace(joined, status=Status.OPEN, resolved_at=None, reopened_count=case.reopened_count + 1)
    if case.status in {Status.PENDING, Status.SNOOZED}:
        return replace(joined, status=Status.OPEN, snoozed_until=None)
    return joined


def _only_thanks(analysis: Analysis) -> bool:
    # "Merci !" after the end is a good end, not a reason to open the matter again.
    return analysis.intent.value in {"praise_thanks", "other"} and analysis.sentiment.value is not Sentiment.NEGATIVE


def take_reply(case: Case, at: datetime) -> Case:
    """The case after a public answer of ours, sent at `at`; the customer's turn now."""
    answered = replace(
        case,
        first_reply_at=min(case.first_reply_at, at) if case.first_reply_at else at,
        last_reply_at=max(case.last_reply_at, at) if case.last_reply_at else at,
    )
    if case.waiting_since is None or at < case.last_inbound_at:
        return answered
    return replace(answered, waiting_since=None, status=Status.PENDING if case.status is Status.OPEN else case.status)


def assign(case: Case, assignee: str | None) -> Case:
    """Give the case to somebody, or back to the queue with None."""
    _must_be_active(case)
    return replace(case, assignee=assignee)


def transfer(case: Case, department: str, now: datetime, calendar: Calendar) -> Case:
    """Hand the case to another department; its clocks start again there, and nobody holds it yet."""
    _must_be_active(case)
    if department not in DEPARTMENT_BY_KEY:
        raise RuleError(f"There is no department “{department}”. Choose one of: {', '.join(DEPARTMENT_BY_KEY)}.")
    moved = replace(case, department=department, assignee=None)
    return moved if case.first_reply_at else _with_deadlines(moved, now, calendar)


def snooze(case: Case, until: datetime, now: datetime) -> Case:
    """Put the case aside until a date; it comes back by itself."""
    _must_be_active(case)
    if until <= now:
        raise RuleError("The date to come back at is in the past. Choose a later one.")
    return replace(case, status=Status.SNOOZED, snoozed_until=until)


def wake(case: Case, now: datetime) -> Case:
    """Bring a snoozed case back whose date has come; unchanged otherwise."""
    if case.status is Status.SNOOZED and case.snoozed_until is not None and case.snoozed_until <= now:
        return replace(case, status=Status.OPEN, snoozed_until=None)
    return case


def resolve(case: Case, now: datetime) -> Case:
    """Close the matter."""
    _must_be_active(case)
    return replace(case, status=Status.RESOLVED, resolved_at=now, snoozed_until=None, waiting_since=None)


def reopen(case: Case) -> Case:
    """Open a closed case again; its waiting starts from the customer's last word."""
    if case.status is not Status.RESOLVED:
        raise RuleError("Only a resolved case can be reopened.")
    return replace(
        case,
        status=Status.OPEN,
        resolved_at=None,
        reopened_count=case.reopened_count + 1,
        waiting_since=case.last_inbound_at,
    )


def merge(source: Case, target: Case) -> tuple[Case, Case]:
    """(source, target) after everything of `source` moved into `target`.

    The store moves the mentions and keeps which ones in the audit row, so that `unmerge` can give them back.
    """
    if source.id == target.id:
        raise RuleError("A case cannot be merged into itself.")
    if Status.MERGED in {source.status, target.status}:
        raise RuleError("One of the two cases was merged already. Open the case that it went into.")
    if not target.active:
        raise RuleError("The case to merge into is closed. Reopen it first.")
    waits = [moment for moment in (source.waiting_since, target.waiting_since) if moment]
    replies = [moment for moment in (source.first_reply_at, target.first_reply_at) if moment]
    last_replies = [moment for moment in (source.last_reply_at, target.last_reply_at) if moment]
    merged_target = replace(
        target,
        opened_at=min(source.opened_at, target.opened_at),
        last_inbound_at=max(source.last_inbound_at, target.last_inbound_at),
        waiting_since=min(waits) if waits else None,
        first_reply_at=min(replies) if replies else None,
        last_reply_at=max(last_replies) if last_replies else None,
        priority=max(source.priority, target.priority),
        urgency=max(source.urgency, target.urgency),
        mention_count=source.mention_count + target.mention_count,
    )
    merged_source = replace(
        source, status=Status.MERGED, merged_into=target.id, mention_count=0, snoozed_until=None, waiting_since=None
    )
    return merged_source, merged_target


def is_late(case: Case, now: datetime) -> bool:
    """True where the first answer, or the end, is overdue."""
    if case.status is not Status.OPEN:
        return False
    if case.first_reply_at is None and case.first_reply_due_at is not None and case.first_reply_due_at < now:
        return True
    return case.resolution_due_at is not None and case.resolution_due_at < now


def met_first_reply_target(case: Case, now: datetime) -> bool | None:
    """Was the first answer in time? None while it may still be."""
    if case.first_reply_due_at is None:
        return None
    if case.first_reply_at is not None:
        return case.first_reply_at <= case.first_reply_due_at
    return False if now > case.first_reply_due_at else None


def _must_be_active(case: Case) -> None:
    if case.status is Status.RESOLVED:
        raise RuleError("This case is resolved. Reopen it first.")
    if case.status is Status.MERGED:
        raise RuleError("This case was merged into another one. Open that one, or undo the merge.")

"""Routing: which case each new mention opens or joins, decided without looking anything up.

`plan` takes a batch in the order in which it was said, and the cases that may be concerned; it hands back what has to be
written. The store reads the candidates and writes the plan in one transaction. `retag` says what becomes of a case when a
person answers otherwise than the analyzer did.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.analysis import Analysis
from domain.case import (
    Case,
    CaseId,
    PersonId,
    can_join,
    case_id_for,
    join_case,
    needs_case,
    open_case,
    take_reply,
)
from domain.clock import Calendar
from domain.mention import Mention, MentionId
from domain.taxonomy import department_of


@dataclass(frozen=True, slots=True)
class RouteItem:
    """A mention that was analysed and has no place yet. `analysis` is None for our own words."""

    mention: Mention
    analysis: Analysis | None
    person_id: PersonId | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one mention goes: a case or none, and the department that it counts for."""

    mention_id: MentionId
    case_id: CaseId | None
    department: str
    act: str  # opened | joined | reopened | replied | none


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """What to write: a placement each, the cases as they will be, and as they were (None for new ones)."""

    placements: list[Placement]
    after: dict[CaseId, Case]
    before: dict[CaseId, Case | None]


class _Board:
    # The cases in play while a batch is planned: known ones and those that the batch itself opens.

    def __init__(
        self,
        cases: Iterable[Case],
        threads: Mapping[str, Sequence[CaseId]],
        parents: Mapping[str, CaseId],
    ) -> None:
        self.before: dict[CaseId, Case | None] = {}
        self.now: dict[CaseId, Case] = {case.id: case for case in cases}
        self.known = dict(self.now)
        self.threads: defaultdict[str, list[CaseId]] = defaultdict(list, {k: list(v) for k, v in threads.items()})
        self.parents = dict(parents)
        self.persons: defaultdict[PersonId, list[CaseId]] = defaultdict(list)
        for case in self.now.values():
            if case.person_id is not None:
                self.persons[case.person_id].append(case.id)

    def put(self, case: Case) -> None:
        self.before.setdefault(case.id, self.known.get(case.id))
        if case.id not in self.now and case.person_id is not None:
            self.persons[case.person_id].append(case.id)
        self.now[case.id] = case

    def place(self, mention: Mention, case: Case) -> None:
        self.parents[mention.id] = case.id
        if case.id not in self.threads[mention.thread_id]:
            self.threads[mention.thread_id].append(case.id)

    def of_thread(self, mention: Mention) -> list[Case]:
        return self._newest(self.threads.get(mention.thread_id, ()))

    def of_person(self, person_id: PersonId | None) -> list[Case]:
        return self._newest(self.persons.get(person_id, ())) if person_id else []

    def _newest(self, ids: Iterable[CaseId]) -> list[Case]:
        found = [self.now[case_id] for case_id in ids if case_id in self.now]
        return sorted(found, key=lambda case: (case.active, case.last_inbound_at, case.id), reverse=True)

    def answered_by(self, mention: Mention) -> Case | None:
        # Our own words answer the message that they hang under; else the newest case of the thread.
        parent = self.parents.get(f"{mention.network}:{mention.parent_id}") if mention.parent_id else None
        if parent in self.now:
            return self.now[parent]
        return next(iter(self.of_thread(mention)), None)


def plan(
    items: Sequence[RouteItem],
    cases: Iterable[Case],
    threads: Mapping[str, Sequence[CaseId]],
    parents: Mapping[str, CaseId],
    calendar: Calendar,
) -> RoutePlan:
    """Place every item.

    Args:
        items: in the order in which they were said.
        cases: all cases that share a thread or a person with an item.
        threads: thread id -> cases that hold one of its mentions.
        parents: mention id -> case, for the messages that items answer.
        calendar: working time.
    """
    board = _Board(cases, threads, parents)
    placements = [_place(board, item, calendar) for item in items]
    return RoutePlan(placements, {key: board.now[key] for key in board.before}, board.before)


def _place(board: _Board, item: RouteItem, calendar: Calendar) -> Placement:
    mention, analysis = item.mention, item.analysis
    if mention.outbound or analysis is None:
        return _place_own(board, mention)
    department = department_of(analysis.intent.value, analysis.aspects, analysis.urgency)
    for same_thread, candidates in ((True, board.of_thread(mention)), (False, board.of_person(item.person_id))):
        for case in candidates:
            if not same_thread and not needs_case(mention, analysis):
                continue  # chatter elsewhere is not a word on the open matter
            if can_join(case, mention, item.person_id, department, same_thread=same_thread):
                joined = join_case(case, mention, analysis)
                board.put(joined)
                board.place(mention, joined)
                act = "reopened" if joined.reopened_count > case.reopened_count else "joined"
                return Placement(mention.id, joined.id, joined.department, act)
    if not needs_case(mention, analysis):
        return Placement(mention.id, None, department, "none")
    case = open_case(mention, analysis, item.person_id, calendar)
    board.put(case)
    board.place(mention, case)
    return Placement(mention.id, case.id, case.department, "opened")


def _place_own(board: _Board, mention: Mention) -> Placement:
    case = board.answered_by(mention)
    if case is None:
        return Placement(mention.id, None, "", "none")
    answered = take_reply(case, mention.created_at)
    board.put(answered)
    board.place(mention, answered)
    return Placement(mention.id, answered.id, answered.department, "replied")


_FOLLOWING = ("intent", "urgency", "priority", "sentiment", "uncertain")


def retag(
    case: Case,
    was: Sequence[RouteItem],
    told: Sequence[RouteItem],
    calendar: Calendar,
    *,
    department_chosen: bool = False,
) -> Case:
    """The case after somebody corrected what its messages say: what routing would have made of the corrected ones.

    Only what came from the tags follows them. A value that the old tags do not account for (a merge, a late message) was
    decided by something else and stays; so do deadlines once there is an answer, as in a transfer. Undoing is the same
    rule with `was` and `told` changed over.

    Args:
        was: everything said in the case, with the analyses that counted until now.
        told: the same with those that count from now on.
        department_chosen: a person has put the case where it is; its department stays.
    """
    before, after = _as_routed(case, was, calendar), _as_routed(case, told, calendar)
    if before is None or after is None:
        return case
    follows = {name: getattr(after, name) for name in _FOLLOWING if getattr(case, name) == getattr(before, name)}
    retagged = replace(case, **follows)
    if department_chosen or case.department != before.department or after.department == before.department:
        return retagged
    retagged = replace(retagged, department=after.department)
    if case.first_reply_at is not None:
        return retagged
    return replace(retagged, first_reply_due_at=after.first_reply_due_at, resolution_due_at=after.resolution_due_at)


def _as_routed(case: Case, items: Sequence[RouteItem], calendar: Calendar) -> Case | None:
    # The case as these messages alone make it; None where the one that opened it is no longer among them.
    heard = sorted(
        (item for item in items if item.analysis is not None and not item.mention.outbound),
        key=lambda item: (item.mention.created_at, item.mention.id),
    )
    opener = next((item for item in heard if case_id_for(item.mention.id) == case.id), None)
    if opener is None or opener.analysis is None:
        return None
    routed = open_case(opener.mention, opener.analysis, opener.person_id, calendar)
    for item in heard:
        if item is not opener and item.analysis is not None:
            routed = join_case(routed, item.mention, item.analysis)
    return routed

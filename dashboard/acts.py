"""What a person may do to a case: each act checked against the viewer, done by the store, with a way back. No Streamlit.

Every act raises an error of `domain.errors` whose message is for the person; `seen` is the case as the viewer saw it. An act
that can be undone says how in `Done`: undoing writes the case as it was, and only if nobody has touched it since. To add an
act, write a function here, give it a button in `desk_acts.py` and its word in `views_audit.ACTION_WORDS`. Acts on the tags
of a message are in `acts_tags.py`, on the message itself in `acts_moderation.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dashboard.context import Context
from dashboard.i18n import clock, t
from dashboard.views import department_title
from dashboard.views_case import answered, may_answer
from domain.case import Case, CaseId, RuleError
from domain.errors import ComptoirError
from domain.mention import MentionId

MORNING = time(9)
NOTE_LIMIT = 5_000  # characters


class NotYoursError(ComptoirError):
    """The viewer may not act on this case."""


@dataclass(frozen=True, slots=True)
class Undo:
    """How to take an act back: the case as it was, and the version that must still stand.

    Attributes:
        labels: the labels that were given; they go whatever became of the case since, which then follows its tags again.
        key: the row of the outbox that asks for an act on a message.
    """

    kind: str
    case_id: CaseId
    before: Case
    version: int
    labels: tuple[int, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in words for the viewer."""

    text: str
    undo: Undo | None = None


def own_case(context: Context, case_id: CaseId) -> Case:
    """The case, if the viewer may see it. Raises NotYoursError; says the same of a case that does not exist."""
    case = context.store.cases.get(case_id)
    if case is None or not context.viewer.sees(case.department):
        raise NotYoursError(t("Cette conversation n'est pas dans votre service, ou n'existe plus."))
    return case


def _version(context: Context, seen: Case) -> int:
    # The version to insist on. What the worker wrote since (our own answer came back, say) is nothing that a person would
    # decide otherwise for; a new message, another holder or department is, and then the act is refused as stale.
    present = own_case(context, seen.id)
    return present.version if _what_matters(present) == _what_matters(seen) else seen.version


def _what_matters(case: Case) -> tuple[object, ...]:
    return case.active, case.assignee, case.department, case.last_inbound_at, case.merged_into


def _change(context: Context, case_id: CaseId, act: Callable[[], Case], text: str, kind: str = "act") -> Done:
    before = own_case(context, case_id)
    after = act()
    if after.version == before.version:
        return Done(text)
    return Done(text, Undo(kind, case_id, before, after.version))


def take(context: Context, seen: Case) -> Done:
    """The viewer takes charge."""
    me, cases = context.viewer.name, context.store.cases
    return _change(
        context,
        seen.id,
        lambda: cases.assign(seen.id, me, actor=me, now=context.now, seen_version=_version(context, seen)),
        t("C'est à vous."),
    )


def release(context: Context, seen: Case) -> Done:
    """Back to the queue."""
    cases = context.store.cases
    return _change(
        context,
        seen.id,
        lambda: cases.assign(
            seen.id, None, actor=context.viewer.name, now=context.now, seen_version=_version(context, seen)
        ),
        t("Rendue à la file."),
    )


def transfer(context: Context, case_id: CaseId, department: str) -> Done:
    """To another department; its clocks start there."""
    cases = context.store.cases
    return _change(
        context,
        case_id,
        lambda: cases.transfer(case_id, department, actor=context.viewer.name, now=context.now),
        t("Transférée : {department}.", department=department_title(department)),
        kind="transfer",
    )


def snooze(context: Context, seen: Case, until: datetime) -> Done:
    """Put aside until a moment."""
    cases = context.store.cases
    return _change(
        context,
        seen.id,
        lambda: cases.snooze(
            seen.id, until, actor=context.viewer.name, now=context.now, seen_version=_version(context, seen)
        ),
        t("En attente, revient {when}.", when=clock(until, context.now, context.zone)),
    )


def resolve(context: Context, seen: Case) -> Done:
    """Close."""
    cases = context.store.cases
    return _change(
        context,
        seen.id,
        lambda: cases.resolve(
            seen.id, actor=context.viewer.name, now=context.now, seen_version=_version(context, seen)
        ),
        t("Résolue."),
    )


def reopen(context: Context, case_id: CaseId) -> Done:
    """Open again."""
    cases = context.store.cases
    return _change(
        context, case_id, lambda: cases.reopen(case_id, actor=context.viewer.name, now=context.now), t("Rouverte.")
    )


def merge(context: Context, source_id: CaseId, target_id: CaseId) -> Done:
    """Move everything of one case into another; both must be the viewer's to see."""
    own_case(context, target_id)
    source = own_case(context, source_id)
    target = context.store.cases.merge(source_id, target_id, actor=context.viewer.name, now=context.now)
    return Done(t("Fusionnée."), Undo("merge", source_id, source, target.version))


def undo(context: Context, what: Undo) -> Done:
    """Take an act back. Raises StaleError where somebody has changed the case since."""
    actor, now, cases = context.viewer.name, context.now, context.store.cases
    if what.kind == "moderation":
        from dashboard.acts_moderation import take_back  # which builds on this module

        return take_back(context, what)
    if what.kind == "merge":
        cases.unmerge(what.case_id, actor=actor, now=now)
        return Done(t("Fusion annulée."))
    version = what.version
    if what.kind == "labels":
        if not context.viewer.sees(what.before.department):
            raise NotYoursError(t("Cette conversation n'est pas dans votre service, ou n'existe plus."))
        context.store.labels.retract(what.labels, by=actor, at=now)
        return Done(t("Annulé."))
    if what.kind == "transfer":
        # The messages were counted for the other department: they move back first, then the clocks.
        if not context.viewer.sees(what.before.department):
            raise NotYoursError(t("Cette conversation n'est pas dans votre service, ou n'existe plus."))
        present = cases.get(what.case_id)
        if present is None or present.version != version:
            raise RuleError("Somebody has worked on this case since. Transfer it again by hand.")
        version = cases.transfer(what.case_id, what.before.department, actor=actor, now=now).version
    else:
        own_case(context, what.case_id)
    before = what.before
    cases.act(
        what.case_id,
        lambda case: replace(before, version=case.version),
        "undo",
        actor=actor,
        now=now,
        seen_version=version,
    )
    return Done(t("Annulé."))


def reply(
    context: Context, case_id: CaseId, mention_id: MentionId, text: str, key: str, *, private: bool = False
) -> Done:
    """Ask the worker to send an answer; the same `key` asks once, however often it is clicked.

    The permission and the length are checked again here: the browser's own checks are a courtesy.

    Args:
        private: only the author of the message reads it.
    """
    own_case(context, case_id)
    text = text.strip()
    if not text:
        raise RuleError("The answer is empty. Nothing was sent.")
    if not key.startswith(f"reply:{case_id}:"):
        raise RuleError("This draft belongs to another conversation. Nothing was sent; write it again here.")
    conversation = context.store.queue.conversation(case_id)
    message = answered(conversation, context.now, mention_id) if conversation else None
    if message is None or message.mention.id != mention_id:
        raise RuleError("The message to answer is no longer part of this conversation. Nothing was sent.")
    permission = message.permission
    if private:
        permission = permission.private if permission is not None else None
    if permission is None or not may_answer(permission, context.now):
        raise RuleError("The network does not allow an answer to this message any more. Nothing was sent.")
    if permission.text_limit is not None and len(text) > permission.text_limit:
        raise RuleError(f"The answer is longer than {permission.text_limit} characters. Nothing was sent; shorten it.")
    context.store.cases.reply(
        case_id,
        mention_id,
        text,
        source_key=message.source_key,
        key=key,
        actor=context.viewer.name,
        now=context.now,
        private=private,
    )
    return Done(t("La réponse privée part dans un instant.") if private else t("La réponse part dans un instant."))


def send_again(context: Context, case_id: CaseId, key: str) -> Done:
    """A refused or doubtful answer leaves again, because the viewer says so."""
    own_case(context, case_id)
    if key not in {row.key for row in context.store.outbox.of_case(case_id)}:
        raise NotYoursError(t("Cette réponse n'appartient pas à cette conversation."))
    context.store.outbox.send_again(key, actor=context.viewer.name, now=context.now)
    return Done(t("La réponse repart dans un instant."))


def note(context: Context, case_id: CaseId, text: str) -> Done:
    """An internal note: never leaves."""
    own_case(context, case_id)
    text = text.strip()
    if not text:
        raise RuleError("The note is empty. Nothing was kept.")
    if len(text) > NOTE_LIMIT:
        raise RuleError(f"The note is longer than {NOTE_LIMIT} characters. Nothing was kept; shorten it.")
    context.store.cases.add_note(case_id, text, actor=context.viewer.name, now=context.now)
    return Done(t("Note gardée, visible de l'équipe seulement."))


def snooze_choices(now: datetime, zone: ZoneInfo) -> list[tuple[str, datetime]]:
    """The usual moments to come back at: tomorrow, in three days, next Monday, each at nine in the shop's zone."""
    today = now.astimezone(zone).date()
    to_monday = 7 - today.weekday()
    return [
        (word, datetime.combine(today + timedelta(days=days), MORNING, zone))
        for word, days in ((t("Demain 9:00"), 1), (t("Dans 3 jours"), 3), (t("Lundi 9:00"), to_monday))
    ]

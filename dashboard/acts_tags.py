"""What a person may do with the tags of a message: correct, confirm, ask why; each checked against the viewer. No Streamlit.

An answer is a label of the store and counts at once; the way back is in `acts.undo`. Nothing here knows a model: why a tag
was given is asked through `Context.explain`.
"""

from collections.abc import Mapping
from typing import Any

from dashboard.acts import Done, Undo, own_case
from dashboard.context import Context
from dashboard.i18n import t
from dashboard.views import department_title
from dashboard.views_tags import answer, explained
from domain.case import CaseId, RuleError
from domain.contracts import Attribution
from domain.label import Field, LabelValue, Origin, checked, tag_of
from domain.mention import MentionId
from store.queue import Message


def correct(context: Context, case_id: CaseId, mention_id: MentionId, raw: Any) -> Done:
    """Keep the viewer's answers about a message; those that equal the model's are confirmations.

    Args:
        raw: question -> answer, as the browser sent them.

    Raises:
        NotYoursError: the case is not the viewer's to see.
        RuleError: the message is not part of the case, or an answer does not fit its question.
    """
    before = own_case(context, case_id)
    message = _heard(context, case_id, mention_id)
    answers = _checked(raw)
    counted = message.analysis
    labels = context.store.labels.put(
        mention_id,
        answers,
        by=context.viewer.name,
        at=context.now,
        origin=Origin.DESK,
        keeps_case=not context.viewer.departments,  # a head of department would hold what they can no longer see
    )
    after = context.store.cases.get(case_id) or before
    changed = [f for f, value in answers.items() if counted is None or tag_of(counted, f) != value]
    text = _told(answers, changed)
    if after.department != before.department:
        moved = t("La conversation passe à : {department}.", department=department_title(after.department))
        text = f"{text} {moved}"
    return Done(text, Undo("labels", case_id, before, after.version, tuple(label.id for label in labels)))


def _heard(context: Context, case_id: CaseId, mention_id: MentionId) -> Message:
    conversation = context.store.queue.conversation(case_id)
    for message in conversation.messages if conversation else []:
        if message.mention.id == mention_id and not message.mention.outbound:
            return message
    raise RuleError("The message is no longer part of this conversation. Nothing was kept.")


def _checked(raw: Any) -> dict[Field, LabelValue]:
    if not isinstance(raw, Mapping) or not raw or not set(raw) <= set(Field):
        raise RuleError("The answer fits no question. Nothing was kept.")
    return {field: checked(field, raw[field.value]) for field in Field if field.value in raw}


def _told(answers: Mapping[Field, LabelValue], changed: list[Field]) -> str:
    if not changed:
        return t("Confirmé.")
    if len(answers) == 1 and changed[0] in {Field.SENTIMENT, Field.INTENT, Field.URGENCY}:
        return t("Corrigé : {what}.", what=answer(changed[0], answers[changed[0]]))
    return t("Corrigé.")


def why(context: Context, case_id: CaseId, mention_id: MentionId, field: Field, value: Any) -> tuple[Attribution, ...]:
    """Which words made the model give a tag.

    Args:
        value: one answer to the question, as the browser sent it.

    Raises:
        NotYoursError: the case is not the viewer's to see.
        RuleError: the message is not part of the case, the analyzer cannot say, or there is no such tag.
        ConfigurationError: the analyzer cannot be opened.
    """
    own_case(context, case_id)
    message = _heard(context, case_id, mention_id)
    asked = explained(field, value)
    if context.explain is None or asked is None:
        raise RuleError("The analyzer in use cannot say which words led to this tag.")
    text, turned = asked
    found = context.explain(message.mention, field, text)
    return tuple(Attribution(a.start, a.end, -a.weight) for a in found) if turned else found

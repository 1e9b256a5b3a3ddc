"""Acts on one message: hide it, show it again, delete our own. Checked against the viewer and the network's word. No Streamlit.

Hiding is undone by showing again. A deletion leaves after a moment in which it can be taken back; then the network does not
give the message back.
"""

from datetime import timedelta
from uuid import uuid4

from dashboard.acts import Done, Undo, own_case
from dashboard.context import Context
from dashboard.i18n import msg, t
from dashboard.views_answering import acts_of
from domain.case import CaseId, RuleError
from domain.contracts import Act
from domain.mention import MentionId
from store.outbox import OutboxState

DELETE_AFTER = timedelta(seconds=10)
_OPPOSITE = {Act.HIDE: Act.UNHIDE, Act.UNHIDE: Act.HIDE}
_DONE: dict[Act, str] = {
    Act.HIDE: msg("Le message sera masqué dans un instant."),
    Act.UNHIDE: msg("Le message sera montré de nouveau dans un instant."),
    Act.DELETE: msg("Notre message sera supprimé dans quelques secondes."),
}


def moderate(context: Context, case_id: CaseId, mention_id: MentionId, act: Act) -> Done:
    """Ask the worker for an act on a message; asked twice, it is done once."""
    case = own_case(context, case_id)
    conversation = context.store.queue.conversation(case_id)
    message = next((m for m in conversation.messages if m.mention.id == mention_id), None) if conversation else None
    if message is None:
        raise RuleError("The message is no longer part of this conversation. Nothing was done.")
    if act not in acts_of(message, context.store.outbox.of_case(case_id)):
        raise RuleError("The network does not allow this for this message, or it is being done. Nothing was done.")
    key = _ask(context, case_id, mention_id, message.source_key, act)
    return Done(t(_DONE[act]), Undo("moderation", case_id, case, case.version, key=key) if key else None)


def take_back(context: Context, what: Undo) -> Done:
    """Undo such an act: it does not leave, or its opposite is asked for. Raises RuleError where there is no way back."""
    own_case(context, what.case_id)
    row = next((r for r in context.store.outbox.of_case(what.case_id) if r.key == what.key), None)
    if row is None or row.mention_id is None or row.state in {OutboxState.REFUSED, OutboxState.WITHDRAWN}:
        return Done(t("Annulé."))  # it never happened
    if context.store.moderation.withdraw(row.key, actor=context.viewer.name, now=context.now):
        return Done(t("Annulé."))
    act = Act(row.payload["act"])
    if act not in _OPPOSITE:
        raise RuleError("It is deleted already, and the network does not give it back.")
    _ask(context, what.case_id, row.mention_id, row.target, _OPPOSITE[act])
    return Done(t("Annulé."))


def _ask(context: Context, case_id: CaseId, mention_id: MentionId, source_key: str, act: Act) -> str | None:
    return context.store.cases.moderate(
        case_id,
        mention_id,
        act,
        source_key=source_key,
        key=f"{act.value}:{case_id}:{uuid4().hex}",
        actor=context.viewer.name,
        now=context.now,
        due_at=context.now + DELETE_AFTER if act is Act.DELETE else None,
    )

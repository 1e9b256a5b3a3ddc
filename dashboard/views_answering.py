"""What may be done to one message, in words: answers only its author reads, acts on it, where an act stands. Pure.

Permissions were told by the network when the message was heard; the worker asks again before anything leaves.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import msg, t, told
from dashboard.views_case import may_answer, permission_line
from domain.contracts import Act, Permission
from store.outbox import OutboxKind, OutboxRow, OutboxState
from store.queue import Message

ACT_TITLES: dict[Act, str] = {
    Act.HIDE: msg("Masquer"),
    Act.UNHIDE: msg("Afficher de nouveau"),
    Act.DELETE: msg("Supprimer"),
}
_QUESTIONS: dict[Act, str] = {
    Act.HIDE: msg("Masquer ce message aux autres ?"),
    Act.UNHIDE: msg("Montrer ce message à tous ?"),
    Act.DELETE: msg("Supprimer notre message du réseau ? Le réseau ne le rend pas."),
}
_WAITING: dict[Act, str] = {
    Act.HIDE: msg("sera masqué dans un instant"),
    Act.UNHIDE: msg("sera montré dans un instant"),
    Act.DELETE: msg("sera supprimé dans un instant"),
}
_FAILED: dict[Act, str] = {
    Act.HIDE: msg("n'a pas été masqué"),
    Act.UNHIDE: msg("n'a pas été montré"),
    Act.DELETE: msg("n'a pas été supprimé"),
}


def private_way(message: Message, now: datetime, zone: ZoneInfo) -> dict[str, Any] | None:
    """The private answer beside the public one, as the box shows it; None where the network has none here."""
    private = private_of(message)
    if private is None:
        return None
    return {
        "allowed": may_answer(private, now),
        "permission": permission_line(message.mention, private, now, zone),
        "limit": private.text_limit,
    }


def private_of(message: Message) -> Permission | None:
    """May its author be answered privately? None where the network has no such thing here."""
    return message.permission.private if message.permission is not None else None


def acts_of(message: Message, rows: Sequence[OutboxRow]) -> tuple[Act, ...]:
    """What a person may do to it now; nothing while an act on it is under way.

    Args:
        rows: what was asked in its conversation, oldest first.
    """
    if message.permission is None or message.deleted_at is not None:
        return ()
    last = newest_act(message, rows)
    if last is not None and last.state in {OutboxState.PENDING, OutboxState.SENDING}:
        return ()
    offered = set(message.permission.acts)
    found = [Act.UNHIDE if is_hidden(message, rows) else Act.HIDE] if offered & {Act.HIDE, Act.UNHIDE} else []
    return (*found, *((Act.DELETE,) if Act.DELETE in offered else ()))


def is_hidden(message: Message, rows: Sequence[OutboxRow]) -> bool:
    """Whether others no longer see it: as the network tells, or, where it does not, as we last made it."""
    acts = set(message.permission.acts) if message.permission is not None else set()
    if not {Act.HIDE, Act.UNHIDE} <= acts:
        return Act.UNHIDE in acts
    done = [row for row in _about(message, rows) if row.state is OutboxState.SENT]
    return bool(done) and done[-1].payload["act"] == Act.HIDE


def newest_act(message: Message, rows: Sequence[OutboxRow]) -> OutboxRow | None:
    """The act on it that was asked for last."""
    found = [row for row in _about(message, rows) if row.state is not OutboxState.WITHDRAWN]
    return found[-1] if found else None


def _about(message: Message, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
    kind, key = OutboxKind.MODERATION, message.mention.id
    return [row for row in rows if row.kind == kind and row.mention_id == key]


def act_state(row: OutboxRow) -> dict[str, Any] | None:
    """Where an act stands, in words, with what a person may do; None where there is nothing to say."""
    act, reason = Act(row.payload["act"]), told(row.error or "")
    if row.state in {OutboxState.SENT, OutboxState.WITHDRAWN}:
        return None
    found = {"key": "pending", "text": t(_WAITING[act]), "reason": "", "again": "", "row": row.key}
    if row.state is OutboxState.REFUSED:
        return found | {"key": "refused", "text": t(_FAILED[act]), "reason": reason, "again": t("Réessayer")}
    if row.state is OutboxState.UNKNOWN:
        why = reason or t("Nous ne savons pas si c'est fait.")
        return found | {"key": "unknown", "text": t("à vérifier"), "reason": why, "again": t("Réessayer")}
    if row.error:
        return found | {"text": t("nouvel essai bientôt"), "reason": reason}
    return found


def standing(message: Message, rows: Sequence[OutboxRow]) -> dict[str, Any]:
    """What the bubble of a message says of all this: hidden, deleted, edited, private; its menu, and the act under way."""
    found: dict[str, Any] = {}
    mention, last = message.mention, newest_act(message, rows)
    if message.deleted_at is not None:
        found["gone"] = (
            t("Message que nous avons supprimé") if mention.outbound else t("Message supprimé par son auteur")
        )
    elif is_hidden(message, rows):
        found["hidden"] = t("masqué aux autres")
    if message.edited_at is not None and message.deleted_at is None:
        found["edited"] = t("modifié")
    menu = acts_of(message, rows)
    if menu:
        found["menu"] = [
            {"act": act.value, "title": t(ACT_TITLES[act]), "question": t(_QUESTIONS[act])} for act in menu
        ]
    state = act_state(last) if last is not None else None
    if state is not None and message.deleted_at is None:
        found["doing"] = state
    return found

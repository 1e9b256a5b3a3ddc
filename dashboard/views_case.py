"""One conversation as the desk shows it: bubbles, sending states, the right to answer. Pure; no Streamlit.

The tags under a message are in `views_tags.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, clock, exact, language, msg, n_t, number, t, told
from dashboard.views import (
    STATUS_WORDS,
    case_title,
    deadline,
    department_title,
    label,
    network_title,
)
from dashboard.views_media import media_of
from domain.case import Case, Status
from domain.contracts import Permission
from domain.mention import Mention, MentionKind
from store.cases import Note
from store.outbox import OutboxKind, OutboxRow, OutboxState
from store.queue import Conversation, Message

KIND_WORDS: dict[MentionKind, str] = {
    MentionKind.POST: msg("publication"),
    MentionKind.COMMENT: msg("commentaire"),
    MentionKind.REVIEW: msg("avis"),
    MentionKind.MESSAGE: msg("message"),
    MentionKind.ARTICLE: msg("article"),
}


def sending_state(row: OutboxRow) -> dict[str, Any]:
    """Where an answer of ours stands, in words; `again` where a person may send it again."""
    reason = told(row.error or "")
    if row.state is OutboxState.SENT:
        return {"key": "sent", "text": t("envoyé"), "reason": "", "again": ""}
    if row.state is OutboxState.REFUSED:
        return {"key": "refused", "text": t("refusé"), "reason": reason, "again": t("Renvoyer")}
    if row.state is OutboxState.UNKNOWN:
        why = reason or t("Nous ne savons pas si la réponse est arrivée.")
        return {"key": "unknown", "text": t("à vérifier"), "reason": why, "again": t("Renvoyer quand même")}
    if row.state is OutboxState.SENDING and not row.error:
        return {"key": "pending", "text": t("envoi en cours"), "reason": "", "again": ""}
    if row.error:
        return {"key": "pending", "text": t("nouvel essai bientôt"), "reason": reason, "again": ""}
    return {"key": "pending", "text": t("part dans un instant"), "reason": "", "again": ""}


def _pair(messages: Sequence[Message], rows: Sequence[OutboxRow]) -> dict[str, OutboxRow]:
    """Which of our words in the conversation is which sent row, so that an answer is never shown twice.

    The id that the network gave; else same parent and same text; else the oldest one under the same parent, for networks that
    touch the text up. Where an answer was replaced, the newest row speaks for it.
    """
    ours = [m.mention for m in messages if m.mention.outbound]
    paired: dict[str, OutboxRow] = {}
    for row in rows:
        for mention in ours:
            if row.state is OutboxState.SENT and row.remote_id == mention.native_id and _same_network(row, mention):
                paired[mention.id] = row
    for exactly in (True, False):
        for row in rows:
            if row.state is not OutboxState.SENT or row in paired.values():
                continue
            for mention in ours:
                under = f"{mention.network}:{mention.parent_id}" == row.mention_id
                same = mention.text == row.payload["text"] if exactly else mention.created_at >= row.created_at
                if mention.id not in paired and under and same:
                    paired[mention.id] = row
                    break
    return paired


def _same_network(row: OutboxRow, mention: Mention) -> bool:
    return (row.mention_id or "").startswith(f"{mention.network}:")


def _bubble(side: str, key: str, name: str, text: str, at: datetime, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "id": key,
        "side": side,
        "name": name,
        "text": text,
        "when": clock(at, now, zone),
        "at": f"{exact(at, zone)} ({ago(at, now)})",
        "order": at.timestamp(),
    }


def _said(
    message: Message, row: OutboxRow | None, brand: str, now: datetime, zone: ZoneInfo, target: str | None
) -> dict[str, Any]:
    mention = message.mention
    author = message.author.name or message.author.handle if message.author else t("Sans nom")
    side = "out" if mention.outbound else "in"
    bubble = _bubble(
        side, mention.id, brand if mention.outbound else author, mention.text, mention.created_at, now, zone
    )
    handle = message.author.handle if message.author and not mention.outbound else ""
    bubble |= {
        "title": mention.title,
        "url": safe_url(mention.url),
        "handle": f"@{handle}" if handle and mention.network in {"x", "instagram", "mastodon", "bluesky"} else "",
        "kind": t(KIND_WORDS[mention.kind]),
        "stars": stars(mention.rating),
        "starsWord": t("{n} sur 5", n=mention.rating) if mention.rating else "",
        "target": mention.id == target,
        "mayAnswer": not mention.outbound and message.deleted_at is None,
        "media": media_of(mention),
    }
    if row is not None:
        bubble |= {"by": row.created_by, "private": row.kind == OutboxKind.PRIVATE}
        if message.deleted_at is None:
            bubble["state"] = sending_state(row)
    return bubble


def stars(rating: int | None) -> str:
    """`★★★★☆`; nothing where there is no rating."""
    return "★" * rating + "☆" * (5 - rating) if rating else ""


def thread(
    conversation: Conversation,
    notes: Sequence[Note],
    rows: Sequence[OutboxRow],
    *,
    brand: str,
    now: datetime,
    zone: ZoneInfo,
    target: str | None,
    tags: Mapping[str, dict[str, Any]] | None = None,
    standing: Mapping[str, dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """All bubbles of a conversation in the order of time: said, sent, waiting to be sent, noted.

    Args:
        target: id of the message that an answer would go to.
        tags: message id -> what its tags are (see `views_tags`).
        standing: message id -> hidden, deleted, what may be done (see `views_answering`).
    """
    answers = [row for row in rows if row.kind in {OutboxKind.REPLY, OutboxKind.PRIVATE}]
    paired = _pair(conversation.messages, answers)
    found = []
    for m in conversation.messages:
        more = (tags or {}).get(m.mention.id, {}) | (standing or {}).get(m.mention.id, {})
        found.append(_said(m, paired.get(m.mention.id), brand, now, zone, target) | more)
    shown = {row.remote_id for row in paired.values() if row.remote_id}
    for row in answers:
        if row not in paired.values() and (row.state is not OutboxState.SENT or row.remote_id not in shown):
            bubble = _bubble("out", row.key, brand, row.payload["text"], row.created_at, now, zone)
            private = row.kind == OutboxKind.PRIVATE
            bubble |= {"state": sending_state(row), "by": row.created_by, "key": row.key, "private": private}
            found.append(bubble)
    for number_, note in enumerate(notes):
        found.append(_bubble("note", f"note-{number_}", note.author, note.text, note.at, now, zone))
    return sorted(found, key=lambda bubble: bubble["order"])


def root_of(conversation: Conversation, brand: str, now: datetime, zone: ZoneInfo) -> dict[str, Any] | None:
    """The post that the conversation hangs under, shown folded."""
    root = conversation.root
    if root is None:
        return None
    name = brand if root.outbound else (root.author.name or root.author.handle) if root.author else t("Sans nom")
    what = t(KIND_WORDS[root.kind])
    head = t("Sous notre {what}", what=what) if root.outbound else t("Sous {what} de {name}", what=what, name=name)
    return {
        "head": head,
        "text": root.text,
        "title": root.title,
        "url": safe_url(root.url),
        "when": clock(root.created_at, now, zone),
        "at": exact(root.created_at, zone),
    }


def safe_url(url: str) -> str:
    """The address if it is one of the web; nothing for `javascript:` and the like."""
    return url if url.startswith(("https://", "http://")) else ""


def answered(conversation: Conversation, now: datetime, wanted: str | None = None) -> Message | None:
    """The message that an answer goes to: the one wanted, else the newest that may be answered, else the newest."""
    heard = [m for m in conversation.messages if not m.mention.outbound]
    for message in heard:
        if message.mention.id == wanted:
            return message
    for message in reversed(heard):
        if may_answer(message.permission, now):
            return message
    return heard[-1] if heard else None


def may_answer(permission: Permission | None, now: datetime) -> bool:
    """True where the network lets us answer, now."""
    return permission is not None and permission.allowed and (permission.until is None or now < permission.until)


def permission_line(mention: Mention, permission: Permission | None, now: datetime, zone: ZoneInfo) -> str:
    """May we answer, at what price, who reads it, how long: the line above the box."""
    network = network_title(mention.network)
    if permission is None:
        return t("{network} : cette source ne sait pas envoyer de réponse.", network=network)
    if permission.allowed and permission.until is not None and permission.until <= now:
        return t(
            "{network} n'accepte plus de réponse depuis {when}.", network=network, when=exact(permission.until, zone)
        )
    if not permission.allowed:
        return told(permission.reason) or t("{network} ne permet pas de répondre ici.", network=network)
    reason = told(permission.reason).rstrip(".")
    parts = [
        t("{network} permet de répondre ({reason})", network=network, reason=_lower(reason))
        if reason
        else t("{network} permet de répondre", network=network)
    ]
    parts.append(t("public") if permission.public else t("privé"))
    if permission.price:
        parts.append(dollars(permission.price))
    if permission.text_limit:
        parts.append(n_t("{n} caractère", "{n} caractères", permission.text_limit))
    if permission.until is not None:
        parts.append(t("jusqu'à {when}", when=clock(permission.until, now, zone)))
    return " · ".join(parts)


def _lower(text: str) -> str:
    # "Il nous mentionne" inside our sentence; names of networks ("X lets …") keep their capital.
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def dollars(price: float) -> str:
    """A network's price, in US dollars."""
    return f"{number(price, 2)}\u202f$" if language() == "fr" else f"${number(price, 2)}"


def facts(case: Case, now: datetime, zone: ZoneInfo, me: str) -> list[dict[str, Any]]:
    """The line under the name: clock, matter, department, who has it, state."""
    due = deadline(case, now, zone)
    holder = t("à moi") if case.assignee == me else t("en charge : {name}", name=case.assignee or t("personne"))
    found = [
        (due.text, due.state, exact(due.at, zone) if due.at else ""),
        (case_title(case), "intent", t("Intention")),
        (department_title(case.department), "aspect", t("Service")),
        (holder, "aspect", t("En charge")),
    ]
    if case.status is Status.OPEN and case.first_reply_at is not None:
        found.append((t(STATUS_WORDS[case.status]), "aspect", t("État")))
    if case.store:
        found.append((label(case.store), "aspect", t("Boutique")))
    if case.product:
        found.append((label(case.product), "aspect", t("Produit")))
    return [{"text": text, "kind": kind, "dashed": False, "title": title} for text, kind, title in found]

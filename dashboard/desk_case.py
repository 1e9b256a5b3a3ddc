"""The desk's middle column: the acts on a case, what was said in it, the box to answer in."""

from typing import Any

import streamlit as st

from dashboard import acts, desk_tags, views, views_answering, views_case, views_person, views_tags
from dashboard import desk_state as state
from dashboard.acts import NotYoursError, own_case
from dashboard.acts_moderation import moderate
from dashboard.components import parts
from dashboard.context import Context
from dashboard.desk_acts import act_buttons
from dashboard.desk_state import CASE, QUEUE, SHELL, nothing, now_of, refresh
from dashboard.i18n import t
from dashboard.reply_templates import choices
from domain.case import CaseId
from domain.contracts import Act
from domain.mention import MentionId
from domain.person import EventKind
from store.queue import Conversation, Message


@st.fragment(key=CASE)
def conversation_pane(context: Context) -> None:
    """The open case; a courteous no where it is not the viewer's."""
    context = now_of(context)
    case_id = state.open_case()
    try:
        case = own_case(context, case_id) if case_id else None
    except NotYoursError as error:
        _closed_door(str(error))
        return
    conversation = context.store.queue.conversation(case.id) if case else None
    message = (
        views_case.answered(conversation, context.now, st.session_state.get("desk_target")) if conversation else None
    )
    with st.container(key="desk_acts", horizontal=True, vertical_alignment="center", gap="xsmall"):
        if case is not None:
            act_buttons(context, case)
    with st.container(key="desk_thread"):
        _thread(context, conversation, message)
    with st.container(key="desk_composer"):
        _composer(context, conversation, message)


def _closed_door(reason: str) -> None:
    with st.container(key="desk_thread"):
        words = {"emptyTitle": t("Cette conversation n'est pas pour vous"), "emptyText": reason}
        _no_thread(words)


def _no_thread(words: dict[str, str]) -> None:
    data = {"id": "", "bubbles": [], "words": words}
    parts.thread("desk_conversation", data, again=nothing, aim=nothing, tag=nothing, why=nothing, act=nothing)


def _thread(context: Context, conversation: Conversation | None, message: Message | None) -> None:
    now, zone = context.now, context.zone
    words = {
        "emptyTitle": t("Choisissez une conversation"),
        "emptyText": t("Dans la file à gauche, ou avec la touche n pour la suivante."),
    }
    if conversation is None:
        _no_thread(words)
        return
    case = conversation.case
    store = context.store
    rows = store.outbox.of_case(case.id)
    bubbles = views_case.thread(
        conversation,
        store.cases.notes(case.id),
        rows,
        brand=context.brand,
        now=now,
        zone=zone,
        target=message.mention.id if message else None,
        tags=desk_tags.tags_of(context, conversation),
        standing={m.mention.id: views_answering.standing(m, rows) for m in conversation.messages},
    )
    words |= desk_tags.words(context) | {
        "note": t("Note interne"),
        "source": t("Voir sur le réseau ↗"),
        "answer": t("Répondre à ce message"),
        "answering": t("la réponse ira ici"),
        "several": "1" if sum(1 for b in bubbles if b.get("mayAnswer")) > 1 else "",
        "more": t("Autres gestes"),
        "back": t("Non, laisser"),
        "private": t("privé"),
    }

    def again(key: str) -> None:
        state.do(lambda: acts.send_again(context.fresh(), case.id, key))
        refresh(CASE, SHELL)

    def aim(mention_id: str) -> None:
        st.session_state["desk_target"] = mention_id
        refresh(CASE)

    def act(value: Any) -> None:
        # The case is the one that the menu was opened in, even if another is on screen by now.
        if not isinstance(value, dict) or value.get("act") not in set(Act):
            return
        about, what = MentionId(str(value.get("id", ""))), Act(value["act"])
        state.do(lambda: moderate(context.fresh(), CaseId(str(value.get("case", ""))), about, what))
        refresh(CASE, SHELL)

    data = {
        "id": case.id,
        "network": case.network,
        "networkTitle": views.network_title(case.network),
        "name": _person_name(context, conversation),
        "facts": views_case.facts(case, now, zone, context.viewer.name),
        "why": views.why(case, now),
        "root": views_case.root_of(conversation, context.brand, now, zone),
        "bubbles": bubbles,
        "questions": views_tags.questions(),
        "words": words,
    }
    parts.thread(
        "desk_conversation",
        data,
        again=again,
        aim=aim,
        tag=desk_tags.tag(context),
        why=desk_tags.why(context, case.id),
        act=act,
    )


def _person_name(context: Context, conversation: Conversation) -> str:
    person_id = conversation.case.person_id
    person = context.store.people.get(person_id) if person_id else None
    return (person.name if person else "") or t("Sans nom")


def _composer(context: Context, conversation: Conversation | None, message: Message | None) -> None:
    data: dict[str, Any] = {"id": ""}
    if conversation is not None:
        data = _composer_data(context, conversation, message)

    def send(value: Any) -> None:
        # The case is the one that the words were written for, even if another is on screen by now.
        if not isinstance(value, dict):
            return
        case_id, text, fresh = CaseId(str(value.get("case", ""))), str(value.get("text", "")), context.fresh()
        if value.get("mode") == "note":
            done = state.do(lambda: acts.note(fresh, case_id, text))
        else:
            target, key = MentionId(str(value.get("target", ""))), str(value.get("draft", ""))
            private = value.get("mode") == "private"
            done = state.do(lambda: acts.reply(fresh, case_id, target, text, key, private=private))
        if done:
            state.next_draft(case_id)
        refresh(CASE, QUEUE, SHELL)

    parts.composer("desk_writer", data, send=send)


def _composer_data(context: Context, conversation: Conversation, message: Message | None) -> dict[str, Any]:
    case, now = conversation.case, context.now
    permission = message.permission if message else None
    toast = st.session_state.get("desk_toast") or {}
    orders = context.store.people.events(case.person_id, 20) if case.person_id else []
    said = [m.mention.order_ref for m in conversation.messages if m.mention.order_ref]
    private = views_answering.private_way(message, now, context.zone) if message else None
    order = said[-1] if said else next((e.ref for e in orders if e.kind is EventKind.ORDER), "")
    return {
        "id": case.id,
        "draft": state.draft_key(case.id),
        "target": message.mention.id if message else "",
        "allowed": views_case.may_answer(permission, now),
        "permission": views_case.permission_line(message.mention, permission, now, context.zone)
        if message
        else t("Il n'y a pas de message auquel répondre."),
        "source": views_case.safe_url(message.mention.url) if message else "",
        "limit": permission.text_limit if permission else None,
        "private": private,
        "noteLimit": acts.NOTE_LIMIT,
        "templates": choices(
            case, first_name=views_person.first_name(_person_name(context, conversation)), order=order
        ),
        "refusal": toast.get("id") if toast.get("bad") else "",
        "lang": context.lang,
        "words": {
            "reply": t("Public") if private else t("Répondre"),
            "private": t("Privé"),
            "note": t("Note interne"),
            "noteLine": t("Pour l'équipe seulement : rien ne part sur le réseau."),
            "placeholder": t("Votre réponse…"),
            "notePlaceholder": t("Votre note…"),
            "closed": t("Le réseau ne permet pas de répondre ici."),
            "templates": t("Modèles"),
            "send": t("Répondre en public") if private else t("Envoyer"),
            "sendPrivate": t("Répondre en privé"),
            "privatePlaceholder": t("Votre réponse, que seule cette personne lira…"),
            "keep": t("Garder la note"),
            "leaving": t("Un instant…"),
            "keys": t("Ctrl ⏎"),
            "source": t("Ouvrir la source ↗"),
        },
    }

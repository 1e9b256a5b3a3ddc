"""The tags in the desk's conversation: what the component is given, and what happens on a click. Acts are in `acts_tags.py`.

A click answers a question about a message, or asks why the model gave a tag; the explanation stays open, and is not asked
for again, until it is closed or another conversation is opened.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import acts_tags, views_tags
from dashboard import desk_state as state
from dashboard.acts import Done
from dashboard.context import Context
from dashboard.desk_state import CASE, SHELL, refresh
from dashboard.i18n import t, told
from domain.case import CaseId
from domain.errors import ComptoirError
from domain.label import Field, Label
from domain.mention import MentionId
from store.queue import Conversation

_WHY = "desk_why"


def tags_of(context: Context, conversation: Conversation) -> dict[str, dict[str, Any]]:
    """Message id -> its tags, their answers, and the explanation where one is open."""
    heard = {m.mention.id: m for m in conversation.messages if m.analysis is not None and not m.mention.outbound}
    spoken = context.store.labels.model_answers(list(heard))
    labels: defaultdict[MentionId, list[Label]] = defaultdict(list)
    for label in context.store.labels.of(list(heard)):
        labels[label.mention_id].append(label)
    found: dict[str, dict[str, Any]] = {}
    asked = st.session_state.get(_WHY) or {}
    for key, message in heard.items():
        if message.analysis is None:
            continue
        found[key] = views_tags.under(
            message.analysis, spoken.get(key), labels[key], now=context.now, zone=context.zone
        )
        if asked.get("id") == key:
            said = spoken.get(key) or message.analysis
            found[key]["why"] = views_tags.why(
                message.mention.text, asked["field"], asked["value"], asked["found"], said
            )
    return found


def words(context: Context) -> dict[str, str]:
    """What the component says around the tags; no word for "why" where the analyzer cannot say."""
    return {
        "tags": t("Étiquettes"),
        "correct": t("Corriger"),
        "correctHint": t("Cliquez pour corriger."),
        "right": t("C'est juste"),
        "rightHint": t("Confirmer toutes les étiquettes affichées"),
        "why": t("Pourquoi ?") if context.explain is not None else "",
        "model": t("modèle"),
        "modelHint": t("la réponse du modèle"),
        "signs": t("Signes"),
        "most": t("{n} au plus"),
        "close": t("Fermer"),
        "for": t("va dans ce sens"),
        "against": t("va contre"),
        "whyTags": t("Expliquer une autre étiquette"),
    }


def tag(context: Context) -> Callable[[Any], None]:
    """A click that answers questions about a message."""

    def call(value: Any) -> None:
        if not isinstance(value, dict):
            return
        # The case is the one that the tags were read in, even if another is on screen by now.
        case_id, mention_id = CaseId(str(value.get("case", ""))), MentionId(str(value.get("id", "")))

        def work() -> Done:
            return acts_tags.correct(context.fresh(), case_id, mention_id, value.get("answers"))

        state.do(work)
        refresh()

    return call


def why(context: Context, case_id: CaseId) -> Callable[[Any], None]:
    """A click that asks why the model gave a tag, or closes the explanation."""

    def call(value: Any) -> None:
        asked = value if isinstance(value, dict) else {}
        st.session_state[_WHY] = None
        if asked.get("field") not in set(Field):
            refresh(CASE)
        field, tag_ = Field(asked["field"]), asked.get("value")
        try:
            found = acts_tags.why(context.fresh(), case_id, MentionId(str(asked.get("id", ""))), field, tag_)
        except ComptoirError as error:
            state.say(told(str(error)), bad=True)
            refresh(CASE, SHELL)
        else:
            st.session_state[_WHY] = {"id": asked["id"], "field": field, "value": tag_, "found": found}
            refresh(CASE)

    return call

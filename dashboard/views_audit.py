"""The history in words: who did what to which case, when, and what it changed. Pure; no Streamlit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, clock, exact, msg, t
from dashboard.views import PRIORITY_WORDS, STATUS_WORDS, department_title
from dashboard.views_questions import FIELD_TITLES
from dashboard.views_tags import answer
from domain.case import CaseId, Priority, Status
from domain.departments import DEPARTMENT_BY_KEY
from domain.label import Field
from store.audit import AuditRow
from store.routing import ROUTER

ACTION_WORDS: dict[str, str] = {
    "opened": msg("a ouvert la conversation"),
    "joined": msg("a ajouté un message"),
    "reopened": msg("a rouvert : le client a écrit de nouveau"),
    "replied": msg("a vu notre réponse sur le réseau"),
    "wake": msg("a remis dans la file : la date est venue"),
    "assign": msg("a pris ou confié la conversation"),
    "release": msg("a rendu la conversation à la file"),
    "transfer": msg("a transféré"),
    "snooze": msg("a mis en attente"),
    "resolve": msg("a résolu"),
    "reopen": msg("a rouvert"),
    "merge": msg("a reçu une autre conversation"),
    "merged_into": msg("a fusionné dans une autre"),
    "unmerge": msg("a rendu une conversation fusionnée"),
    "unmerged_from": msg("a été séparée"),
    "undo": msg("a annulé le geste précédent"),
    "note": msg("a écrit une note interne"),
    "reply": msg("a demandé l'envoi d'une réponse"),
    "reply_private": msg("a demandé l'envoi d'une réponse privée"),
    "reply_failed": msg("n'a pas pu envoyer la réponse"),
    "hide": msg("a demandé de masquer un message"),
    "unhide": msg("a demandé de montrer un message de nouveau"),
    "delete": msg("a demandé de supprimer un message de nous"),
    "moderated": msg("l'a fait sur le réseau"),
    "moderation_failed": msg("n'a pas pu le faire sur le réseau"),
    "moderation_withdrawn": msg("a repris la demande avant qu'elle ne parte"),
    "mention_edited": msg("a relu un message modifié sur le réseau"),
    "mention_deleted": msg("a effacé les mots d'un message supprimé sur le réseau"),
    "send_again": msg("a demandé un nouvel envoi"),
    "person_linked": msg("a rattaché la conversation à la fiche client"),
    "label": msg("a confirmé ou corrigé des étiquettes"),
    "label_retracted": msg("a repris des étiquettes"),
    "model_used": msg("a mis un modèle en service"),
    "model_undone": msg("est revenu au modèle précédent"),
}
FIELD_WORDS: dict[str, str] = {
    "status": msg("état"),
    "department": msg("service"),
    "assignee": msg("en charge"),
    "priority": msg("priorité"),
    "snoozed_until": msg("revient le"),
    "resolved_at": msg("résolue le"),
    "mention_count": msg("messages"),
    "first_reply_due_at": msg("1re réponse due le"),
    "resolution_due_at": msg("solution due le"),
    "first_reply_at": msg("1re réponse le"),
}
STATE_WORDS: dict[str, str] = {"refused": msg("refusée par le réseau"), "unknown": msg("arrivée incertaine")}


def history(rows: list[AuditRow], names: Mapping[CaseId, str], now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """One line an act, in the order given.

    Args:
        names: case id -> the name to show for it; a case without one shows its id.
    """
    return [
        {
            "id": row.id,
            "actor": t("Comptoir") if row.actor == ROUTER else row.actor,
            "machine": row.actor == ROUTER,
            "action": t(ACTION_WORDS[row.action]) if row.action in ACTION_WORDS else row.action,
            "case": row.case_id or "",
            "name": names.get(row.case_id, row.case_id) if row.case_id else "",
            "changes": changes(row.data, now, zone),
            "when": clock(row.at, now, zone),
            "at": f"{exact(row.at, zone)} ({ago(row.at, now)})",
        }
        for row in rows
    ]


def changes(data: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> list[str]:
    """What an act changed, in words: `état : à nous de répondre → résolue`; before that, what was answered about tags."""
    given = {Field(name): value for name, value in data.get("answers", {}).items() if name in set(Field)}
    found = [
        t("{what} : {answer}", what=t(FIELD_TITLES[f]), answer=answer(f, tuple(v) if isinstance(v, list) else v))
        for f, v in given.items()
    ]
    for name, word in FIELD_WORDS.items():
        pair = data.get(name)
        if isinstance(pair, list) and len(pair) == 2:
            before, after = (_value(name, value, now, zone) for value in pair)
            found.append(t("{what} : {before} → {after}", what=t(word), before=before, after=after))
    if data.get("state") in STATE_WORDS:
        found.append(t(STATE_WORDS[data["state"]]))
    return found


def _value(name: str, value: Any, now: datetime, zone: ZoneInfo) -> str:
    if value is None:
        return "–"
    if name == "status":
        return t(STATUS_WORDS[Status(value)])
    if name == "department":
        return department_title(value) if value in DEPARTMENT_BY_KEY else str(value)
    if name == "priority":
        return t(PRIORITY_WORDS[Priority(value)])
    if name.endswith(("_at", "_until")):
        return clock(datetime.fromisoformat(value), now, zone)
    return str(value)

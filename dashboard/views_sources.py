"""Sources and sendings as the sources page shows them: state in words, what happened, what is kept, what to do. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.i18n import ago, msg, n_t, number, t, told
from dashboard.views_answering import ACT_TITLES
from domain.contracts import Act, RecordKind
from store.mentions import RejectRow
from store.outbox import OutboxRow, OutboxState
from store.sources import Source, SourceState

SILENT = timedelta(minutes=10)  # a worker that shows no sign for longer has probably stopped

RECORD_WORDS: dict[RecordKind, str] = {
    RecordKind.CONTACT: msg("Fiche contact"),
    RecordKind.FINDING: msg("Constat"),
    RecordKind.SEGMENT_MEMBERS: msg("Membres d'un segment"),
    RecordKind.FORGET: msg("Effacement"),
}


@dataclass(frozen=True, slots=True)
class Health:
    """How a source feels. `icon` is a Material Symbol, `color` one of Streamlit's, always with the word beside."""

    word: str
    icon: str
    color: str
    lines: tuple[tuple[str, str], ...]
    can_retry: bool


def health(source: Source, now: datetime) -> Health:
    """A source's state in words, and what there is to know and to do, most urgent first."""
    if not source.enabled:
        what = t(
            "En pause : rien n'est écouté. Ce qui a été entendu est gardé ; « Reprendre » repart où l'on s'est arrêté."
        )
        return Health(t("En pause"), "pause_circle", "gray", ((t("Ce qu'il faut faire"), what),), can_retry=False)
    if source.state is SourceState.BLOCKED:
        return Health(t("Bloquée"), "block", "red", _trouble(source, now), can_retry=True)
    if source.state is SourceState.WAITING:
        return Health(t("Nouvel essai bientôt"), "schedule", "orange", _trouble(source, now), can_retry=True)
    if source.state is SourceState.NEW:
        told_before = source.last_error is not None
        what = t("Essai au prochain tour du collecteur.") if told_before else t("Première écoute au prochain tour.")
        return Health(t("En attente d'écoute"), "hourglass_top", "gray", ((t("Ensuite"), what),), can_retry=False)
    word = t("À l'écoute") if source.polled else t("Importé")
    return Health(word, "check_circle", "green", (), can_retry=False)


def _trouble(source: Source, now: datetime) -> tuple[tuple[str, str], ...]:
    happened = told(source.last_error or "") or t("La source n'a pas dit pourquoi.")
    when = ago(source.last_error_at, now) if source.last_error_at else ""
    if source.mention_count:
        kept = n_t(
            "Le message déjà entendu est gardé, et l'endroit où reprendre aussi.",
            "Les {n} messages déjà entendus sont gardés, et l'endroit où reprendre aussi.",
            source.mention_count,
        )
    else:
        kept = t("Rien n'avait encore été entendu : rien n'est perdu.")
    again = t("nouvel essai au prochain tour")
    if source.retry_at is not None and source.retry_at > now:
        again = t("nouvel essai {when}", when=ago(source.retry_at, now))
    if source.state is SourceState.BLOCKED:
        todo = t("Corrigez ce que dit le message, puis « Réessayer maintenant ». Sinon, {again}.", again=again)
    else:
        tries = n_t("{n} essai manqué", "{n} essais manqués", source.failure_count)
        todo = t("Rien : {again} ({tries}).", again=again, tries=tries)
    return (
        (t("Ce qui s'est passé ({when})", when=when) if when else t("Ce qui s'est passé"), happened),
        (t("Ce qui est gardé"), kept),
        (t("Ce qu'il faut faire"), todo),
    )


def facts_line(source: Source, now: datetime) -> str:
    """The small print of a source: how much, last good run, next try."""
    parts = [n_t("{n} message entendu", "{n} messages entendus", source.mention_count)]
    if source.last_ok_at is not None:
        parts.append(t("dernière écoute réussie {when}", when=ago(source.last_ok_at, now)))
    elif source.polled:
        parts.append(t("jamais écoutée jusqu'au bout"))
    if source.enabled and source.retry_at is not None and source.retry_at > now:
        parts.append(t("prochain essai {when}", when=ago(source.retry_at, now)))
    if not source.polled:
        parts.append(t("fichier : lu une fois"))
    return " · ".join(parts)


def summary(sources: Sequence[Source]) -> str:
    """All sources in one sentence, the ones that need somebody first."""
    if not sources:
        return ""
    on = [source for source in sources if source.enabled]
    blocked = sum(s.state is SourceState.BLOCKED for s in on)
    waiting = sum(s.state is SourceState.WAITING for s in on)
    well = sum(s.state is SourceState.OK for s in on)
    fresh = sum(s.state is SourceState.NEW for s in on)
    paused = len(sources) - len(on)
    groups = (
        n_t("{n} bloquée", "{n} bloquées", blocked) if blocked else "",
        n_t("{n} réessaie d'elle-même", "{n} réessaient d'elles-mêmes", waiting) if waiting else "",
        n_t("{n} va bien", "{n} vont bien", well) if well else "",
        n_t("{n} attend son tour", "{n} attendent leur tour", fresh) if fresh else "",
        n_t("{n} en pause", "{n} en pause", paused) if paused else "",
    )
    head = n_t("{n} source", "{n} sources", len(sources))
    return t("{head} : {groups}.", head=head, groups=", ".join(group for group in groups if group))


def worker_sign(sources: Sequence[Source], now: datetime) -> tuple[str, bool]:
    """When the worker last showed itself by starting to listen somewhere, and whether it seems to have stopped."""
    listened = [s for s in sources if s.enabled and s.polled]
    signs = [s.last_started_at for s in listened if s.last_started_at is not None]
    if not listened:
        return t("Aucune source à écouter : le collecteur n'a rien à faire."), False
    if not signs:
        return t("Le collecteur n'a pas encore tourné. Démarrez-le avec « comptoir work »."), True
    last = max(signs)
    text = t("Dernier signe du collecteur {when}.", when=ago(last, now))
    due = [s.retry_at for s in listened if s.retry_at is not None]
    resting = len(due) == len(listened) and min(due) > now  # everything waits for its hour: silence is in order
    if now - last > SILENT and not resting:
        stopped = t(
            "Il semble arrêté : redémarrez-le avec « comptoir work ». Rien n'est perdu, il reprendra où il était."
        )
        return f"{text} {stopped}", True
    return text, False


def reject_line(reject: RejectRow, now: datetime) -> str:
    """Where and why an item was left aside."""
    return (
        t("{position} : {reason}", position=told(reject.position), reason=told(reject.reason))
        + f" ({ago(reject.at, now)})"
    )


# -- sendings --------------------------------------------------------------------------------------------------------------


def outbox_counts(counts: Mapping[str, int]) -> str:
    """What leaves and what became of it, in one sentence."""
    return t(
        "{sent} · {pending} · {refused} · {unknown}",
        sent=n_t("{n} envoi fait", "{n} envois faits", counts.get("sent", 0)),
        pending=t("{n} en route", n=number(counts.get("pending", 0))),
        refused=n_t("{n} refusé", "{n} refusés", counts.get("refused", 0)),
        unknown=t("{n} à vérifier", n=number(counts.get("unknown", 0))),
    )


def sending_title(row: OutboxRow) -> str:
    """What was to be sent, and where to."""
    if row.kind == "reply":
        return t("Réponse vers {target}", target=row.target)
    if row.kind == "private":
        return t("Réponse privée vers {target}", target=row.target)
    if row.kind == "moderation":
        return t("{act} sur {target}", act=t(ACT_TITLES[Act(row.payload["act"])]), target=row.target)
    kind = t(RECORD_WORDS[row.record.kind]) if row.payload.get("kind") in set(RecordKind) else t("Fiche")
    return t("{kind} vers {target}", kind=kind, target=row.target)


def sending_lines(row: OutboxRow, now: datetime) -> tuple[tuple[str, str], ...]:
    """Why a sending waits for a person, and what sending again means."""
    when = ago(row.created_at, now)
    reason = told(row.error or "") or t("L'autre côté n'a pas dit pourquoi.")
    if row.state is OutboxState.UNKNOWN:
        kept = t("Le texte est gardé. Nous ne savons pas s'il est arrivé.")
        todo = t("Regardez d'abord chez {target} : renvoyer peut faire un double.", target=row.target)
    else:
        kept = t("Le texte est gardé. Rien n'est parti.")
        todo = t("Corrigez la cause, puis renvoyez.")
    asked = t("Demandé par {who} {when}, {tries}", who=row.created_by, when=when, tries=_tries(row.attempt_count))
    return (
        (t("Ce qui s'est passé"), reason),
        (t("Ce qui est gardé"), kept),
        (t("Ce qu'il faut faire"), todo),
        (t("Origine"), asked),
    )


def _tries(count: int) -> str:
    return n_t("{n} essai", "{n} essais", count)


def state_word(row: OutboxRow) -> tuple[str, str, str]:
    """(word, icon, colour) of a sending that waits for a person."""
    if row.state is OutboxState.UNKNOWN:
        return t("À vérifier"), "help", "orange"
    return t("Refusé"), "block", "red"


def again_word(row: OutboxRow) -> str:
    """The button's word: sending what may have arrived is a decision."""
    return t("Renvoyer quand même") if row.state is OutboxState.UNKNOWN else t("Renvoyer")

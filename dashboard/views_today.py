"""The sentence of the day, for the morning meeting: what was heard, what waits, where it waits most. Pure; no Streamlit."""

from collections.abc import Sequence
from datetime import date, datetime

from dashboard.i18n import minutes, n_t, number, t, title_of
from dashboard.views_days import day_title
from dashboard.views_indicators import Piece
from dashboard.views_openings import QueueState
from dashboard.views_sentences import hole, sentence
from domain.departments import DEPARTMENT_BY_KEY
from store.indicators import Reading


def today_sentence(
    today: Reading,
    negative: Reading,
    usual: float | None,
    queues: Sequence[QueueState],
    last: date | None,
    now: datetime,
) -> list[Piece]:
    """What the morning meeting wants to know.

    Args:
        today: `mentions` of this day. negative: `negative_share` of this day.
        usual: messages of a whole ordinary day, None where the store is too young to tell.
        last: the last day on which anything was heard, for a day without messages.
    """
    late, untaken = sum(q.late for q in queues), sum(q.untaken for q in queues)
    clauses = [_heard(today, negative, usual, last)]
    if sum(q.open for q in queues):
        clauses.append(_waiting(late, untaken))
        oldest = min((q.oldest_at for q in queues if q.oldest_at), default=None)
        if oldest is not None:
            clauses.append(
                t("la plus ancienne attend depuis {span}", span=minutes((now - oldest).total_seconds() / 60))
            )
        busiest = max(queues, key=lambda q: (q.late, q.open))
        if len(queues) > 1 and busiest.late:
            name = hole(title_of(DEPARTMENT_BY_KEY[busiest.department]), f"page:{busiest.department}")
            clauses.append(t("c'est {name} qui a le plus de retard", name=name))
    elif today.value:
        clauses.append(t("personne n'attend de réponse"))
    return sentence(clauses)


def _heard(today: Reading, negative: Reading, usual: float | None, last: date | None) -> str:
    if not today.value:
        if last is None:
            return t("aucun message entendu pour l'instant : les sources disent pourquoi")
        return t("aucun message aujourd'hui, le dernier date du {day}", day=day_title(last, weekday=True))
    heard = n_t(
        "aujourd'hui {what} message jusqu'ici",
        "aujourd'hui {what} messages jusqu'ici",
        round(today.value),
        what=hole(number(today.value), "today"),
    )
    if usual:
        heard += t(" (un jour ordinaire : {usual})", usual=number(usual))
    bad = round((negative.value or 0) * negative.n)
    if bad:
        heard += n_t(", dont {what} négatif", ", dont {what} négatifs", bad, what=hole(number(bad), "today:negative"))
    return heard


def _waiting(late: int, untaken: int) -> str:
    taken = n_t(
        "{what} conversation que personne n'a prise",
        "{what} conversations que personne n'a prises",
        untaken,
        what=hole(number(untaken), "unassigned:"),
    )
    if not late:
        return t("aucune conversation en retard, {taken}", taken=taken)
    delayed = n_t(
        "{what} conversation en retard", "{what} conversations en retard", late, what=hole(number(late), "late:", "bad")
    )
    return t("{delayed} et {taken}", delayed=delayed, taken=taken) if untaken else delayed

"""Whether what comes in has changed, in words: the alert, one line a comparison, what was compared. Pure; no Streamlit."""

from collections.abc import Sequence
from datetime import date, timedelta

from dashboard.i18n import msg, n_t, number, share, t
from dashboard.views import language_title, network_title
from dashboard.views_days import day_title, days_title
from dashboard.views_indicators import Piece
from domain.drift import Shift, State, Window, changed

_MOST_PARTS = 3
_LEAST = 0.005  # a part that is nearer to nothing in both windows says nothing

# key -> (its name alone, its name inside a sentence)
TITLES: dict[str, tuple[str, str]] = {
    "lang": (msg("Langues"), msg("les langues")),
    "network": (msg("Réseaux"), msg("les réseaux")),
    "length": (msg("Longueur"), msg("la longueur des messages")),
    "unknown": (msg("Signes inconnus du modèle"), msg("les signes que le modèle ne connaît pas")),
    "content": (msg("Sens des messages"), msg("le sens des messages")),
}
VERDICTS: dict[State, str] = {
    State.STABLE: msg("stable"),
    State.CHANGED: msg("a changé"),
    State.TOO_FEW: msg("trop peu de données"),
}
_TONES = {State.STABLE: "", State.CHANGED: "bad", State.TOO_FEW: "quiet"}


def alert(shifts: Sequence[Shift], since: date) -> str:
    """What has changed and what to do; empty where nothing has."""
    found = changed(shifts)
    if not found:
        return ""
    what = ", ".join(t(TITLES[shift.key][1]) for shift in found)
    return t(
        "Ce qui arrive a changé depuis le {day} : {what}. Le modèle peut s'y tromper sans le savoir. "
        "Relisez 50 messages récents, puis lancez « comptoir learn ».",
        day=day_title(since),
        what=what,
    )


def drift_title(shifts: Sequence[Shift]) -> str:
    """The message of the table."""
    found = changed(shifts)
    if found:
        return n_t("{n} chose a changé dans ce qui arrive", "{n} choses ont changé dans ce qui arrive", len(found))
    if all(shift.state is State.TOO_FEW for shift in shifts):
        return t("Trop peu de messages pour savoir si ce qui arrive a changé")
    return t("Ce qui arrive ressemble à ce qui arrivait avant")


def windows_note(reference: Window, recent: Window) -> str:
    """What is compared with what, and how the sample is drawn."""
    day = timedelta(days=1)
    values = {
        "recent": days_title(recent.since, recent.until - day),
        "now": number(recent.count),
        "reference": days_title(reference.since, max(reference.since, reference.until - day)),
        "before": number(reference.count),
    }
    return t(
        "{recent} ({now} messages) contre {reference} ({before} messages). Longueur, signes et sens : sur 2 000 messages "
        "au plus par période, pris dans l'ordre d'un hachage, donc toujours les mêmes. Le seuil n'est jamais sous ce que "
        "le hasard donne 99 fois sur 100.",
        **values,
    )


def drift_rows(shifts: Sequence[Shift]) -> list[list[Piece]]:
    """One line a comparison: what, before and now, how far, the verdict."""
    return [
        [
            Piece(t(TITLES[shift.key][0])),
            Piece(_moved(shift), tone="" if shift.value is not None else "quiet"),
            Piece(_measure(shift), tone="" if shift.value is not None else "quiet"),
            Piece(t(VERDICTS[shift.state]), tone=_TONES[shift.state]),
        ]
        for shift in shifts
    ]


def _moved(shift: Shift) -> str:
    if shift.key == "content" and shift.value is not None:
        return t("écart des moyennes ÷ dispersion d'avant")
    if not shift.before:
        return "\u2013"
    if shift.key == "length":
        values = {"before": number(shift.before[""]), "now": number(shift.now[""])}
        return t("{before} → {now} morceaux de mots (médiane)", **values)
    if shift.key == "unknown":
        return t("{before} → {now} des messages", before=share(shift.before[""], 1), now=share(shift.now[""], 1))
    there = {part for parts in (shift.before, shift.now) for part, value in parts.items() if value >= _LEAST}
    gaps = {part: shift.now.get(part, 0.0) - shift.before.get(part, 0.0) for part in there}
    most = sorted(gaps, key=lambda part: (-abs(gaps[part]), part))[:_MOST_PARTS]
    name = language_title if shift.key == "lang" else network_title
    return ", ".join(
        t(
            "{name} {before} → {now}",
            name=name(part),
            before=share(shift.before.get(part, 0.0)),
            now=share(shift.now.get(part, 0.0)),
        )
        for part in most
    )


def _measure(shift: Shift) -> str:
    if shift.value is None:
        return n_t("{n} message", "{n} messages", min(shift.n_before, shift.n_now))
    return t("{value} (seuil {limit})", value=number(shift.value, 2), limit=number(max(shift.limit, shift.chance), 2))

"""How good the model is, in words: names of answers, the answer to "can we trust it?", cards. Pure; no Streamlit runs here.

Figures come from `domain.quality`, whether measured here or by the maker of the model, and are shown alike. A share of
fewer than `ENOUGH` messages is no share. Tables, confusions and what they open are in `views_quality_tables.py`, words on
what comes in in `views_drift.py`.
"""

from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from dashboard.i18n import language, msg, n_t, number, share, t, title_of
from dashboard.palette import SENTIMENT_WORDS
from dashboard.views import language_title, network_title
from dashboard.views_indicators import Card, Piece
from domain.analysis import Sentiment
from domain.label import Field
from domain.quality import ENOUGH, FLAGS, NO, SETS, YES, HeadFigures, PeopleFigures, Tags, wilson
from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY


@dataclass(frozen=True, slots=True)
class Question:
    """A question as people ask it: its name, and what it is to answer it rightly."""

    title: str
    right: str


QUESTIONS: dict[Field, Question] = {
    Field.INTENT: Question(msg("Sujet"), msg("a donné le bon sujet")),
    Field.SENTIMENT: Question(msg("Ton"), msg("a donné le bon ton")),
    Field.URGENCY: Question(msg("Urgence"), msg("a donné la bonne urgence")),
    Field.ASPECTS: Question(msg("Aspects"), msg("a trouvé exactement les bons aspects")),
    Field.SECONDARY: Question(msg("Autres sujets"), msg("a trouvé exactement les bons autres sujets")),
    Field.CHURN: Question(msg("Départ"), msg("a bien dit si un départ est annoncé")),
    Field.TOXIC: Question(msg("Insultes"), msg("a bien dit s'il y a des insultes")),
    Field.IRONY: Question(msg("Ironie"), msg("a bien dit s'il y a de l'ironie")),
    Field.DIRECTED: Question(msg("Pour nous"), msg("a bien dit si le message nous concerne")),
}
_NEAR = 0.35  # tenths; 83 of 100 are eight of ten, 55 are neither five nor six
_URGENCY_WORDS: dict[str, str] = {
    "0": msg("0 · rien ne presse"),
    "1": msg("1 · problème à résoudre"),
    "2": msg("2 · bloquant, argent ou date"),
    "3": msg("3 · sécurité, santé, droit ou crise"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures that a page speaks of.

    Attributes:
        here: measured on messages that our people reviewed, not by the model's maker.
        reviewed: messages reviewed here, whether enough or not.
        people: how far two people agree; empty where nobody knows.
    """

    field: Field
    figures: HeadFigures
    here: bool
    reviewed: int
    people: PeopleFigures

    @property
    def n(self) -> int:
        """Messages behind the figures."""
        return self.figures.get("n", 0)

    @property
    def has_confusion(self) -> bool:
        """True where the question takes one answer and there is a table of them."""
        return self.field not in SETS and bool(self.figures.get("confusion"))

    @property
    def enough(self) -> bool:
        """True where shares may be shown."""
        return self.n >= ENOUGH


# -- words -----------------------------------------------------------------------------------------------------------------


def tag_title(field: Field, tag: str) -> str:
    """One answer to a question, as people say it."""
    if field is Field.SENTIMENT and tag in set(Sentiment):
        return t(SENTIMENT_WORDS[Sentiment(tag)]).capitalize()
    if field in {Field.INTENT, Field.SECONDARY} and tag in INTENT_BY_KEY:
        return title_of(INTENT_BY_KEY[tag])
    if field is Field.ASPECTS and tag in ASPECT_BY_KEY:
        return title_of(ASPECT_BY_KEY[tag])
    if field is Field.URGENCY and tag in _URGENCY_WORDS:
        return t(_URGENCY_WORDS[tag])
    if field in FLAGS and tag in {YES, NO, field.value}:
        return t("Non") if tag == NO else t("Oui")
    return tag


def tags_title(field: Field, tags: Tags) -> str:
    """Several answers, or that there is none."""
    return ", ".join(tag_title(field, tag) for tag in tags) or t("aucun")


def month_title(month: str) -> str:
    """`2026-03` as `mars 2026`."""
    first = date.fromisoformat(f"{month}-01")
    return str(format_date(first, "MMMM y", locale="fr_FR" if language() == "fr" else "en_GB"))


def part_name(by: str, key: str) -> str:
    """One language, network or month."""
    if by == "lang":
        return language_title(key)
    return month_title(key) if by == "month" else network_title(key)


def times(value: float) -> str:
    """A share as people count: `8 fois sur 10` where that is near enough, else of a hundred."""
    tenths = round(value * 10)
    if abs(value * 10 - tenths) <= _NEAR and 0 < tenths < 10:
        return t("{n} fois sur 10", n=number(tenths))
    return _of_hundred(value)


def _of_hundred(value: float) -> str:
    return t("{n} fois sur 100", n=number(value * 100))


def between(low: float, high: float) -> str:
    """An interval of shares: `entre 77 et 88 %`."""
    return t("entre {low} et {high}", low=number(low * 100), high=share(high))


def score_text(value: float) -> str:
    """A score 0..1 as points of 100, so that nobody takes it for a share."""
    return t("{n} sur 100", n=number(value * 100))


# -- the sentence ----------------------------------------------------------------------------------------------------------


def sentence(seen: Measured) -> list[Piece]:
    """May we trust it? With how many messages that rests on, and how far two people would agree."""
    if not seen.n:
        return [
            Piece(
                t("Personne n'a encore relu de message, et ce modèle n'apporte pas de chiffres pour cette question. ")
            ),
            Piece(t("Relisez 50 messages pour savoir ce qu'il vaut.")),
        ]
    pieces = [] if seen.here else _not_here(seen)
    if not seen.enough:
        text = n_t("{n} message relu", "{n} messages relus", seen.n)
        return [*pieces, Piece(text, "reviewed" if seen.here else ""), Piece(t(" : trop peu pour conclure."))]
    if seen.here:
        pieces += [Piece(t("Sur les ")), Piece(n_t("{n} message relu", "{n} messages relus", seen.n), "reviewed")]
    else:
        pieces.append(Piece(t("À sa fabrication, sur {n} messages", n=number(seen.n))))
    accuracy, score = seen.figures.get("accuracy"), seen.figures.get("macro_f1")
    if accuracy is not None:
        counted, inside = times(accuracy), between(*wilson(accuracy, seen.n))
        if counted != _of_hundred(accuracy):
            inside = f"{share(accuracy)}, {inside}"
        right = t(QUESTIONS[seen.field].right)
        pieces.append(Piece(t(", le modèle {right} {times} ({between})", right=right, times=counted, between=inside)))
    elif score is not None:
        pieces.append(Piece(t(", le modèle obtient la note de {score}", score=score_text(score))))
    else:
        pieces.append(Piece(t(", on ne sait pas ce que vaut le modèle")))
    return [*pieces, Piece(_people(seen.people))]


def _not_here(seen: Measured) -> list[Piece]:
    if not seen.reviewed:
        return [Piece(t("Personne n'a encore relu de message ici. "))]
    few = n_t("{n} message relu ici, trop peu. ", "{n} messages relus ici, trop peu. ", seen.reviewed)
    return [Piece(few)] if seen.reviewed < ENOUGH else []


def _people(people: PeopleFigures) -> str:
    n, share_, kappa = people.get("n", 0), people.get("agreement"), people.get("kappa")
    if n < ENOUGH or (share_ is None and kappa is None):
        return t(" ; on ne sait pas encore combien de fois deux personnes sont d'accord entre elles.")
    if share_ is None:
        return t(
            " ; deux personnes s'accordent à {kappa} (kappa) sur {n} messages.",
            kappa=number(kappa or 0, 2),
            n=number(n),
        )
    values = {"times": times(share_), "n": number(n)}
    return t(" ; deux personnes sont d'accord entre elles {times} (sur {n} messages).", **values)


def flag_note(seen: Measured) -> str:
    """For a rare yes or no: how often "always no" would be right; empty elsewhere."""
    tags = seen.figures.get("tags", {})
    if seen.field not in FLAGS or not tags or not seen.enough:
        return ""
    tag, count = max(((tag, row[2]) for tag, row in tags.items()), key=lambda pair: pair[1])
    words = {"tag": tag_title(seen.field, tag).lower(), "share": share(count / seen.n)}
    return t("Répondre toujours « {tag} » aurait raison {share} du temps : regardez surtout l'équilibre.", **words)


# -- cards -----------------------------------------------------------------------------------------------------------------


def cards(seen: Measured, unsure: tuple[int, int]) -> list[Card]:
    """Right answers, balance between tags, people, and what the model leaves to people."""
    return [_accuracy_card(seen), _score_card(seen), _people_card(seen), _unsure_card(*unsure)]


def _on(seen: Measured) -> str:
    if seen.here:
        return t("sur {sample}", sample=messages_text(seen.n))
    return t("à la fabrication, sur {sample}", sample=messages_text(seen.n))


def _card(key: str, title: str, value: str | None, note: str, help_: tuple[tuple[str, str], ...], n: int) -> Card:
    if value is None:
        return Card(key, title, t("aucune donnée"), quiet=True, help=help_)
    if n < ENOUGH:
        few = n_t("{n} message", "{n} messages", n)
        return Card(key, title, few, quiet=True, note=t("trop peu pour conclure"), help=help_)
    return Card(key, title, value, note=note, help=help_)


def _accuracy_card(seen: Measured) -> Card:
    value = seen.figures.get("accuracy")
    note = " · ".join([between(*wilson(value or 0.0, seen.n)), _on(seen)])
    words = t("Part des messages où le modèle a dit la même chose que la personne ; pour plusieurs réponses, toutes.")
    help_ = ((t("Formule"), words), (t("Intervalle"), t("Wilson, 95 %")))
    return _card("accuracy", t("Bonnes réponses"), None if value is None else share(value), note, help_, seen.n)


def _score_card(seen: Measured) -> Card:
    value, interval = seen.figures.get("macro_f1"), seen.figures.get("interval")
    parts = (
        [t("entre {low} et {high}", low=number(100 * interval[0]), high=number(100 * interval[1]))] if interval else []
    )
    note = " · ".join([*parts, _on(seen)])
    words = t(
        "Macro-F1 : pour chaque étiquette, 2 × trouvées à raison ÷ (données + justes) ; moyenne des étiquettes, "
        "les rares comptant autant que les fréquentes."
    )
    help_ = ((t("Formule"), words), (t("Intervalle"), t("Rééchantillonnage, 95 %")))
    return _card("score", t("Équilibre (macro-F1)"), None if value is None else score_text(value), note, help_, seen.n)


def _people_card(seen: Measured) -> Card:
    people = seen.people
    value, kappa, n = people.get("agreement"), people.get("kappa"), people.get("n", 0)
    parts = [t("kappa {kappa}", kappa=number(kappa, 2))] if kappa is not None else []
    note = " · ".join([*parts, t("sur {sample}", sample=messages_text(n))])
    words = t("Deux personnes lisent le même message sans se voir. Un modèle ne peut guère faire mieux qu'elles.")
    kappa_words = t("Accord au-delà du hasard : 0 le hasard, 1 toujours d'accord ; Cohen, au carré pour l'urgence.")
    help_ = ((t("Formule"), words), ("Kappa", kappa_words))
    text = share(value) if value is not None else number(kappa, 2) if kappa is not None else None
    return _card("people", t("Deux personnes d'accord"), text, note, help_, n)


def _unsure_card(waiting: int, total: int) -> Card:
    title, note = t("Laissés à une personne"), t("sur {sample}, 28 derniers jours", sample=messages_text(total))
    words = t("Messages où le modèle se dit incertain et que personne n'a encore regardés.")
    if not total:
        return Card("unsure", title, t("aucune donnée"), quiet=True, help=((t("Formule"), words),))
    if total < ENOUGH:
        return Card("unsure", title, messages_text(total), quiet=True, note=t("trop peu pour conclure"))
    return Card("unsure", title, share(waiting / total), note=note, help=((t("Formule"), words),), opens="unsure")


def messages_text(n: int) -> str:
    """`212 messages`."""
    return n_t("{n} message", "{n} messages", n)

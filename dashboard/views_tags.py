"""Tags of a message as the desk shows and corrects them: the words, the choices, who corrected what, why. Pure; no Streamlit.

A tag is one answer to one question (`domain.label.Field`); those that say "nothing here" are not shown, but can be set. To
show another question, add it to `_shown` and to `questions`; its words are one line in `word_of`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import clock, msg, number, t, title_of
from dashboard.palette import SENTIMENT_SIGNS, SENTIMENT_WORDS
from dashboard.views import URGENCY_WORDS
from dashboard.views_questions import FIELD_TITLES
from domain.analysis import Analysis, Sentiment
from domain.contracts import Attribution
from domain.label import MAX_ASPECTS, MAX_SECONDARY, URGENCIES, Field, Label, LabelValue, tag_of
from domain.taxonomy import ASPECT_BY_KEY, ASPECTS, INTENT_BY_KEY, INTENTS

FLAGS = (Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED)
_FLAG_WORDS: dict[Field, str] = {
    Field.CHURN: msg("départ annoncé"),
    Field.TOXIC: msg("propos blessants"),
    Field.IRONY: msg("ironie"),
    Field.DIRECTED: msg("ne s'adresse pas à nous"),
}
_FAINTEST = 0.15  # of the strongest word: less is noise, and stays unshaded
_MOST_LINES = 8


def word_of(field: Field, value: LabelValue) -> str:
    """One answer in words; of a question with several answers, one of them."""
    if field is Field.SENTIMENT:
        sentiment = Sentiment(str(value))
        return f"{SENTIMENT_SIGNS[sentiment]} {t(SENTIMENT_WORDS[sentiment])}"
    if field in {Field.INTENT, Field.SECONDARY}:
        return title_of(INTENT_BY_KEY[str(value)])
    if field is Field.ASPECTS:
        return title_of(ASPECT_BY_KEY[str(value)])
    if field is Field.URGENCY:
        return t(URGENCY_WORDS[int(value)]) if value else t("rien à résoudre")  # type: ignore[arg-type]
    return t("oui") if value else t("non")


def answer(field: Field, value: LabelValue) -> str:
    """A whole answer in words, for the line after an act."""
    if isinstance(value, tuple):
        return ", ".join(word_of(field, part) for part in value) or t("aucun")
    return word_of(field, value).removeprefix("− ").removeprefix("= ").removeprefix("+ ")


# -- the tags under a message ----------------------------------------------------------------------------------------------


def _shown(analysis: Analysis) -> list[tuple[Field, LabelValue, str, str]]:
    # (question, answer, words, kind) of every tag that is worth a word.
    sentiment = analysis.sentiment.value
    found: list[tuple[Field, LabelValue, str, str]] = [
        (Field.SENTIMENT, sentiment.value, word_of(Field.SENTIMENT, sentiment.value), sentiment.value),
        (Field.INTENT, analysis.intent.value, word_of(Field.INTENT, analysis.intent.value), "intent"),
    ]
    found += [(Field.SECONDARY, key, word_of(Field.SECONDARY, key), "aspect") for key in analysis.secondary]
    found += [(Field.ASPECTS, key, word_of(Field.ASPECTS, key), "aspect") for key in analysis.aspects]
    if analysis.urgency:
        kind = "urgent" if analysis.urgency >= 2 else "aspect"
        found.append((Field.URGENCY, analysis.urgency, word_of(Field.URGENCY, analysis.urgency), kind))
    for field in FLAGS:
        said = tag_of(analysis, field)
        if said is not (field is Field.DIRECTED):
            found.append((field, said, t(_FLAG_WORDS[field]), "aspect"))
    return found


def tags(
    analysis: Analysis,
    spoken: Analysis | None = None,
    labels: Iterable[Label] = (),
    *,
    now: datetime | None = None,
    zone: ZoneInfo | None = None,
) -> list[dict[str, Any]]:
    """The tags of a message, dashed where the model is not sure, marked where a person has spoken.

    Args:
        analysis: what counts.
        spoken: what the model alone says; the same as `analysis` where nobody corrected it.
        labels: standing answers about this message, oldest first: the last one to a question counts.
        now, zone: for the moment of an answer; needed with labels.
    """
    said = spoken or analysis
    given = {label.field: label for label in labels}
    found = []
    for field, value, words, kind in _shown(analysis):
        tag = {"field": field.value, "value": value, "text": words, "kind": kind, "dashed": analysis.uncertain}
        label = given.get(field)
        if label is None:
            tag |= {"mark": "", "title": _by_model(field, value, words, said)}
        else:
            agrees = value == tag_of(said, field) or value in _parts(tag_of(said, field))
            tag |= {
                "mark": "✓" if agrees else t("corrigé"),
                "title": _by_person(words, label, said, agrees, now, zone),
            }
        found.append(tag)
    if analysis.uncertain:
        title = t("Le modèle n'est pas sûr : lisez, puis confirmez ou corrigez.")
        found.append(
            {
                "field": "",
                "text": t("incertain : à lire"),
                "kind": "uncertain",
                "dashed": True,
                "mark": "",
                "title": title,
            }
        )
    return found


def _parts(value: LabelValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _p(field: Field, value: LabelValue, analysis: Analysis) -> float | None:
    # How sure the model is of its answer, where it tells.
    if field is Field.SENTIMENT:
        return float(getattr(analysis, f"p_{value}"))
    return analysis.intent.p if field is Field.INTENT and value == analysis.intent.value else None


def _by_model(field: Field, value: LabelValue, words: str, said: Analysis) -> str:
    p = _p(field, value, said)
    what = f"{t(FIELD_TITLES[field])} : {words}" if field not in FLAGS else words
    if p is None:
        return t("{what}, selon le modèle {model}", what=what, model=said.model)
    return t("{what}, probabilité {p} selon le modèle {model}", what=what, p=number(p, 2), model=said.model)


def _by_person(
    words: str, label: Label, said: Analysis, agrees: bool, now: datetime | None, zone: ZoneInfo | None
) -> str:
    when = clock(label.at, now, zone) if now is not None and zone is not None else ""
    if agrees:
        return t("{what}, confirmé par {name} ({when})", what=words, name=label.by, when=when)
    value = tag_of(said, label.field)
    p = _p(label.field, value, said)
    told = answer(label.field, value) + (f" {number(p, 2)}" if p is not None else "")
    return t(
        "{what}, corrigé par {name} ({when}). Le modèle {model} disait : {told}.",
        what=words,
        name=label.by,
        when=when,
        model=said.model,
        told=told,
    )


def under(
    analysis: Analysis, spoken: Analysis | None, labels: Iterable[Label], *, now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """All about the tags of one message, for the component: the words, every answer that counts, every one of the model's."""
    return {
        "tags": tags(analysis, spoken, labels, now=now, zone=zone),
        "unsure": analysis.uncertain,
        "answers": _answers(analysis),
        "model": _answers(spoken or analysis),
    }


def _answers(analysis: Analysis) -> dict[str, Any]:
    return {field.value: _plain(tag_of(analysis, field)) for field in Field}


def _plain(value: LabelValue) -> Any:
    return list(value) if isinstance(value, tuple) else value


# -- the choices -----------------------------------------------------------------------------------------------------------


def questions() -> list[dict[str, Any]]:
    """The questions in the order of the panel, with their choices; `kind` is one, many or flag."""
    one = (
        (Field.SENTIMENT, [s.value for s in Sentiment]),
        (Field.INTENT, [intent.key for intent in INTENTS]),
        (Field.URGENCY, list(URGENCIES)),
    )
    many = (
        (Field.ASPECTS, [aspect.key for aspect in ASPECTS], MAX_ASPECTS),
        (Field.SECONDARY, [intent.key for intent in INTENTS], MAX_SECONDARY),
    )
    found = [_question(field, "one", values) for field, values in one]
    found += [_question(field, "many", values, most) for field, values, most in many]
    found += [_question(flag, "flag", [True, False]) | {"word": t(_FLAG_WORDS[flag])} for flag in FLAGS]
    return found


def _question(field: Field, kind: str, values: Sequence[LabelValue], most: int = 1) -> dict[str, Any]:
    options = [{"value": value, "text": word_of(field, value)} for value in values]
    return {"field": field.value, "kind": kind, "title": t(FIELD_TITLES[field]), "options": options, "most": most}


# -- why -------------------------------------------------------------------------------------------------------------------


def explained(field: Field, value: Any) -> tuple[str, bool] | None:
    """How an analyzer is asked about a tag, and whether its weights are turned round; None for what is no tag.

    Flags are explained as "yes": the weights of a "no" are the same ones, the other way round.
    """
    if field in FLAGS:
        return ("yes", not value) if isinstance(value, bool) else None
    return (str(value), False) if isinstance(value, (str, int)) else None


def pieces(text: str, found: Sequence[Attribution]) -> list[dict[str, Any]]:
    """The whole text in order, in pieces: `points` as attributed, in percentage points; `shade` -1..1 of the strongest.

    What carries nothing, or too little to see, has 0 in both.
    """
    strongest = max((abs(one.weight) for one in found), default=0.0)
    shown: list[dict[str, Any]] = []
    at = 0
    for one in sorted(found, key=lambda one: one.start):
        start, end = max(one.start, at), min(one.end, len(text))
        if start >= end or abs(one.weight) <= _FAINTEST * strongest:
            continue
        if start > at:
            shown.append({"text": text[at:start], "points": 0.0, "shade": 0.0})
        shade = round(one.weight / strongest, 3)
        shown.append({"text": text[start:end], "points": 100 * one.weight, "shade": shade})
        at = end
    return [*shown, {"text": text[at:], "points": 0.0, "shade": 0.0}] if at < len(text) else shown


def why(text: str, field: Field, value: LabelValue, found: Sequence[Attribution], spoken: Analysis) -> dict[str, Any]:
    """Which words carried a tag: the text in pieces, the same as a list for who sees no shades, the other tags to ask about."""
    shown = pieces(text, found)
    strong = sorted((one for one in shown if one["shade"]), key=lambda one: -abs(one["shade"]))[:_MOST_LINES]
    name = t(_FLAG_WORDS[field]) if field in FLAGS else answer(field, value)
    return {
        "field": field.value,
        "value": value,
        "pieces": shown,
        "head": t("Pourquoi « {tag} » ? Selon le modèle, avant correction.", tag=name),
        "lines": [_line(one) for one in strong],
        "none": "" if strong else t("Aucun mot ne porte cette étiquette à lui seul."),
        "tags": [
            {"field": f.value, "value": v, "text": words, "chosen": (f, v) == (field, value)}
            for f, v, words, _ in _shown(spoken)
        ],
    }


def _line(piece: Mapping[str, Any]) -> str:
    points = f"{'+' if piece['points'] > 0 else '−'}{number(abs(piece['points']))}"
    return t("« {words} » : {points} points", words=" ".join(str(piece["text"]).split()), points=points)

"""The labelling page in words: one message, how a reading compares with the model and with others. Pure; no Streamlit.

Values in, plain dictionaries and strings out, in the language of the run. The questions are in `views_questions.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, exact, n_t, number, share, t, title_of
from dashboard.palette import SENTIMENT_WORDS
from dashboard.views import label, language_title, network_title
from dashboard.views_questions import FIELD_TITLES
from domain.analysis import Sentiment
from domain.label import Field, Label, LabelValue
from domain.mention import Mention
from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY
from store.labelling import Agreement, Counts, Item

# -- a message -------------------------------------------------------------------------------------------------------------


def message(item: Item, brand: str, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The message to read and what stood before it. Who wrote it is left out: the words are what is judged."""
    mention = item.mention
    facts = [network_title(mention.network), *_facts(mention)]
    return {
        "id": mention.id,
        "network": mention.network,
        "networkTitle": network_title(mention.network),
        "facts": facts[1:],
        "title": mention.title,
        "text": mention.text,
        "stars": "★" * mention.rating + "☆" * (5 - mention.rating) if mention.rating else "",
        "starsWord": t("{n} sur 5", n=mention.rating) if mention.rating else "",
        "when": ago(mention.created_at, now),
        "at": exact(mention.created_at, zone),
        "previous": _previous(item.previous, mention, brand),
    }


def _facts(mention: Mention) -> list[str]:
    found = []
    if mention.product:
        found.append(t("Produit : {name}", name=label(mention.product)))
    if mention.store:
        found.append(t("Boutique : {name}", name=label(mention.store)))
    if mention.lang_hint:
        found.append(language_title(mention.lang_hint[:2]))
    return found


def _previous(previous: Mention | None, mention: Mention, brand: str) -> dict[str, str] | None:
    if previous is None:
        return None
    if previous.outbound:
        who = brand
    elif previous.account_id is not None and previous.account_id == mention.account_id:
        who = t("La même personne")
    else:
        who = t("Une autre personne")
    return {"who": who, "text": previous.text or previous.title}


# -- beside the model and beside others --------------------------------------------------------------------------------------


def word_of(field: Field, value: LabelValue) -> str:
    """An answer as people say it."""
    if field is Field.SENTIMENT:
        return t(SENTIMENT_WORDS[Sentiment(str(value))])
    if field is Field.INTENT:
        return title_of(INTENT_BY_KEY[str(value)])
    if isinstance(value, tuple):
        titles: Mapping[str, Any] = INTENT_BY_KEY if field is Field.SECONDARY else ASPECT_BY_KEY
        return ", ".join(title_of(titles[key]) for key in value) or t("rien")
    if isinstance(value, bool):
        return t("oui") if value else t("non")
    return str(value)


def differences(labels: Iterable[Label]) -> list[str]:
    """Where the model had answered otherwise than the person, one sentence a question."""
    return [
        t(
            "{title} : vous « {mine} », le modèle « {model} »",
            title=t(FIELD_TITLES[one.field]),
            mine=word_of(one.field, one.value),
            model=word_of(one.field, one.was),
        )
        for one in labels
        if one.was is not None and one.was != one.value
    ]


def after(labels: Sequence[Label]) -> dict[str, Any] | None:
    """What to say of the message before this one, once it has been answered."""
    known = [one for one in labels if one.was is not None]
    if not labels:
        return None
    if not known:
        return {"text": t("Message précédent gardé. Le modèle ne l'avait pas encore lu."), "lines": []}
    lines = differences(known)
    if not lines:
        return {"text": t("Message précédent gardé : le modèle disait la même chose."), "lines": []}
    return {"text": t("Message précédent gardé. Le modèle disait autre chose :"), "lines": lines}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a comparison: how often the same was answered, out of `n` messages."""

    title: str
    share: str
    kappa: str
    n: int


def beside_model(labels: Iterable[Label]) -> list[Line]:
    """How often the model had answered as the person did, a question a row."""
    rows: dict[Field, list[bool]] = {}
    for one in labels:
        if one.was is not None:
            rows.setdefault(one.field, []).append(one.was == one.value)
    return [
        _line(t(FIELD_TITLES[field]), sum(rows[field]) / len(rows[field]), None, len(rows[field]))
        for field in Field
        if field in rows
    ]


def beside_others(found: Iterable[Agreement], me: str) -> dict[str, list[Line]]:
    """Pair of people -> a question a row; the pairs of this person come first, under the other's name."""
    pairs: dict[tuple[bool, str], list[Line]] = {}
    for one in found:
        mine = me in {one.first, one.second}
        other = one.second if one.first == me else one.first
        name = t("Vous et {name}", name=other) if mine else t("{one} et {other}", one=one.first, other=one.second)
        line = _line(t(FIELD_TITLES[one.field]), one.share, one.kappa, one.n)
        pairs.setdefault((not mine, name), []).append(line)
    return {name: lines for (_, name), lines in sorted(pairs.items())}


def _line(title: str, part: float, kappa: float | None, n: int) -> Line:
    return Line(title, share(part), number(kappa, 2) if kappa is not None else "–", n)


def progress(place: int, total: int) -> str:
    """`12 sur 50`."""
    return t("{n} sur {total}", n=number(place), total=number(total))


def pile_line(counts: Counts) -> str:
    """What there is to read, in one sentence."""
    if not counts.total:
        return t("Aucun message analysé dans cette période.")
    parts = [
        n_t("{n} message dans la période", "{n} messages dans la période", counts.total),
        n_t("{n} lu par vous", "{n} lus par vous", counts.mine),
        n_t("{n} lu par une autre personne", "{n} lus par d'autres", counts.others),
        n_t("{n} en commun", "{n} en commun", counts.both),
    ]
    return " · ".join(parts)

"""The questions of the labelling page in words: answers with their keys, the guide, what is chosen beforehand. Pure.

The guide is docs/labels.md in short. A new question is a row of `questions`; a new intent or aspect of the taxonomy shows
by itself, with the next free key.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.i18n import msg, t, title_of
from dashboard.palette import SENTIMENT_SIGNS, SENTIMENT_WORDS
from dashboard.views import URGENCY_WORDS
from domain.analysis import Analysis, Sentiment
from domain.label import MAX_ASPECTS, MAX_SECONDARY, URGENCIES, Field, LabelValue, tag_of
from domain.taxonomy import ASPECTS, INTENTS
from store.labelling import Pile

# Where a question has its keys on a French or an English keyboard; the digits are found by their place, not their sign.
_SENTIMENT_KEYS, _URGENCY_KEYS, _FLAG_KEYS = "123", "4567", "890z"
_INTENT_KEYS, _ASPECT_KEYS = "abcdefghijklm", "nopqrstuvwxy"

FIELD_TITLES: dict[Field, str] = {
    Field.SENTIMENT: msg("Ressenti"),
    Field.INTENT: msg("Intention"),
    Field.SECONDARY: msg("Autres intentions"),
    Field.ASPECTS: msg("Aspects"),
    Field.URGENCY: msg("Urgence"),
    Field.CHURN: msg("Annonce un départ"),
    Field.TOXIC: msg("Injures ou menaces"),
    Field.IRONY: msg("Ironie"),
    Field.DIRECTED: msg("S'adresse à nous"),
}
FLAGS = (Field.DIRECTED, Field.CHURN, Field.TOXIC, Field.IRONY)
UNTOUCHED: Mapping[Field, LabelValue] = {
    Field.SECONDARY: (),
    Field.ASPECTS: (),
    Field.DIRECTED: True,
    Field.CHURN: False,
    Field.TOXIC: False,
    Field.IRONY: False,
}  # what stands until somebody says otherwise; the other questions must be answered

_INTENT_GUIDE: dict[str, str] = {
    "complaint_service": msg(
        "service, contact ou conduite en cause, silence, injustice ; si rien de plus précis ne convient"
    ),
    "order_delivery_issue": msg(
        "commande, livraison, pose ou rendez-vous en retard, perdu, faux, à changer ou recherché"
    ),
    "product_defect": msg("cassé, défectueux, pas comme annoncé, de mauvaise qualité ; panne ou bogue"),
    "refund_return": msg("remboursement, retour, échange, garantie, réparation"),
    "billing_account_issue": msg("débit à tort, paiement qui échoue, contrat, connexion, compte de fidélité"),
    "question_info": msg("demande une règle, un horaire, ou parle de ce qu'on a déjà acheté"),
    "purchase_intent": msg("veut acheter : disponibilité, prix ou taille avant l'achat"),
    "praise_thanks": msg("est content, recommande, remercie"),
    "suggestion_idea": msg("propose un changement ou un produit"),
    "churn_threat": msg(
        "part, et c'est l'essentiel ; avec une cause, l'intention est la cause et le départ se coche à part"
    ),
    "employment": msg("emploi, candidature, conditions de travail"),
    "spam_promo": msg("publicité, jeu-concours, hameçonnage"),
    "other": msg("bavardage, simple relance, nouvelles de tiers"),
}
_SENTIMENT_GUIDE = (
    msg("Ce que la personne pense de la marque ou de son expérience : ce qu'elle veut dire, pas ce qu'elle dit."),
    msg("Un problème signalé sans humeur est neutre ; « encore », « toujours pas », « ??? » le rendent négatif."),
    msg("Trois étoiles ne sont pas neutres d'office : lisez le texte."),
)
_URGENCY_GUIDE = (
    msg("0 : rien à résoudre. 1 : un problème qui dure. 2 : bloquant, répété, de l'argent ou une date en jeu."),
    msg("3 : sécurité, santé, droit ou crise publique."),
    msg("Un problème non résolu vaut 1 au moins."),
)
_ASPECT_GUIDE = (msg("De quoi parle le message ? Trois au plus ; aucun si rien ne convient."),)
_FLAG_GUIDE = (
    msg(
        "S'adresse à nous : à la marque, ou au sujet d'une expérience avec elle. Nouvelles et bavardages de tiers : non."
    ),
    msg("Annonce un départ : la personne part ou est partie. « À fuir », dit aux autres : non."),
    msg("Injures ou menaces envers des gens ou la marque ; un gros mot sur le service n'en est pas une."),
    msg("Ironie : dit le contraire de ce qui est pensé."),
)


def questions() -> list[dict[str, Any]]:
    """The questions in the order of reading; `kind` is one, intent (one, and others beside it), many or flags."""
    return [
        _question(Field.SENTIMENT, "one", _sentiments(), _SENTIMENT_GUIDE),
        _question(Field.INTENT, "intent", _intents(), _intent_guide(), most=MAX_SECONDARY),
        _question(Field.URGENCY, "one", _urgencies(), _URGENCY_GUIDE),
        _question(Field.ASPECTS, "many", _aspects(), _ASPECT_GUIDE, most=MAX_ASPECTS),
        _question(None, "flags", _flags(), _FLAG_GUIDE),
    ]


def _question(
    field: Field | None, kind: str, options: Sequence[dict[str, Any]], guide: Sequence[str], most: int = 1
) -> dict[str, Any]:
    return {
        "field": field.value if field else "flags",
        "kind": kind,
        "title": t(FIELD_TITLES[field]) if field else t("À cocher"),
        "options": options,
        "guide": [t(line) for line in guide],
        "most": most,
        "required": field is not None and field not in UNTOUCHED,
    }


def _intent_guide() -> list[str]:
    lead = (
        msg(
            "Ce que l'équipe doit traiter. Le plus précis l'emporte ; une seule intention, deux autres au plus à côté."
        ),
        msg("« Avez-vous ceci, à quel prix ? » : envie d'acheter. Une règle, un horaire : question."),
    )
    return [*lead, *(t("{title} : {text}", title=title_of(i), text=t(_INTENT_GUIDE[i.key])) for i in INTENTS)]


def _option(value: Any, title: str, key: str, **more: Any) -> dict[str, Any]:
    return {"value": value, "title": title, "key": key, **more}


def _key(keys: str, place: int) -> str:
    return keys[place] if place < len(keys) else ""


def _sentiments() -> list[dict[str, Any]]:
    return [
        _option(s.value, t(SENTIMENT_WORDS[s]), _key(_SENTIMENT_KEYS, place), sign=SENTIMENT_SIGNS[s], tone=s.value)
        for place, s in enumerate(Sentiment)
    ]


def _intents() -> list[dict[str, Any]]:
    return [
        _option(intent.key, title_of(intent), _key(_INTENT_KEYS, place), hint=t(_INTENT_GUIDE[intent.key]))
        for place, intent in enumerate(INTENTS)
    ]


def _urgencies() -> list[dict[str, Any]]:
    words = {0: t("rien à résoudre"), **{level: t(word) for level, word in URGENCY_WORDS.items()}}
    return [_option(u, words[u], _key(_URGENCY_KEYS, place), sign=str(u)) for place, u in enumerate(URGENCIES)]


def _aspects() -> list[dict[str, Any]]:
    return [_option(a.key, title_of(a), _key(_ASPECT_KEYS, place)) for place, a in enumerate(ASPECTS)]


def _flags() -> list[dict[str, Any]]:
    return [_option(flag.value, t(FIELD_TITLES[flag]), _key(_FLAG_KEYS, place)) for place, flag in enumerate(FLAGS)]


def chosen(analysis: Analysis | None, pile: Pile) -> dict[str, Any]:
    """What is chosen before the person says anything: the model's answer in the instructive pile, in the sample none.

    In the sample a person who had seen the model's answer would agree with it too often.
    """
    if pile is Pile.SAMPLE or analysis is None:
        return {field.value: _plain(value) for field, value in UNTOUCHED.items()}
    return {field.value: _plain(tag_of(analysis, field)) for field in Field}


def _plain(value: LabelValue) -> Any:
    return list(value) if isinstance(value, tuple) else value

"""The words that a zero-shot model is asked with: for each question and language, a sentence and the words for each answer.

A zero-shot model was trained to say whether one sentence follows from another; these are the other sentences. The settings
may replace each of them. To add a language, add its tables here.
"""

from collections.abc import Mapping

from domain.label import Field
from domain.taxonomy import ASPECTS, INTENTS

HYPOTHESES: Mapping[str, Mapping[Field, str]] = {
    "fr": {
        Field.SENTIMENT: "L'auteur de ce message exprime {}.",
        Field.INTENT: "Ce message est {}.",
        Field.SECONDARY: "Ce message est aussi {}.",
        Field.ASPECTS: "Ce message parle {}.",
    },
    "en": {
        Field.SENTIMENT: "The author of this message expresses {}.",
        Field.INTENT: "This message is {}.",
        Field.SECONDARY: "This message is also {}.",
        Field.ASPECTS: "This message is about {}.",
    },
}

_INTENTS_FR = (
    "une plainte sur le service",
    "un problème de commande ou de livraison",
    "le signalement d'un produit défectueux",
    "une demande de remboursement ou de retour",
    "un problème de facture, de paiement ou de compte",
    "une question",
    "une envie d'acheter",
    "un compliment ou un remerciement",
    "une suggestion ou une idée",
    "la menace d'un client qui veut partir",
    "une question d'emploi, de candidature ou de travail",
    "une publicité ou du spam",
    "autre chose, qui n'appelle aucune réponse",
)
_INTENTS_EN = (
    "a complaint about the service",
    "a problem with an order or a delivery",
    "a report of a defective product",
    "a request for a refund or a return",
    "a problem with a bill, a payment or an account",
    "a question",
    "a wish to buy something",
    "a compliment or thanks",
    "a suggestion or an idea",
    "a threat to leave for a competitor",
    "about a job, an application or working there",
    "an advertisement or spam",
    "something else that needs no answer",
)
_ASPECTS_FR = (
    "de la livraison",
    "de l'emballage",
    "de la qualité d'un produit",
    "du prix ou d'une promotion",
    "du service après-vente",
    "du contact avec le service client",
    "du site ou de l'application",
    "de la disponibilité d'un produit",
    "d'une facture ou d'un contrat",
    "de l'équipe d'un magasin",
    "de l'entreprise comme employeur",
    "d'éthique ou d'environnement",
)
_ASPECTS_EN = (
    "delivery",
    "packaging",
    "the quality of a product",
    "a price or a promotion",
    "after-sales service",
    "contact with customer service",
    "the website or the app",
    "whether a product is available",
    "a bill or a contract",
    "the staff of a shop",
    "the company as an employer",
    "ethics or the environment",
)


def _intents(words: tuple[str, ...]) -> Mapping[str, str]:
    return dict(zip((intent.key for intent in INTENTS), words, strict=True))


def _aspects(words: tuple[str, ...]) -> Mapping[str, str]:
    return dict(zip((aspect.key for aspect in ASPECTS), words, strict=True))


CANDIDATES: Mapping[str, Mapping[Field, Mapping[str, str]]] = {
    "fr": {
        Field.SENTIMENT: {
            "negative": "du mécontentement",
            "neutral": "ni satisfaction ni mécontentement",
            "positive": "de la satisfaction",
        },
        Field.INTENT: _intents(_INTENTS_FR),
        Field.SECONDARY: _intents(_INTENTS_FR),
        Field.ASPECTS: _aspects(_ASPECTS_FR),
    },
    "en": {
        Field.SENTIMENT: {
            "negative": "dissatisfaction",
            "neutral": "neither satisfaction nor dissatisfaction",
            "positive": "satisfaction",
        },
        Field.INTENT: _intents(_INTENTS_EN),
        Field.SECONDARY: _intents(_INTENTS_EN),
        Field.ASPECTS: _aspects(_ASPECTS_EN),
    },
}

"""A retailer that the shipped model has never heard: its own product names, its own carrier, its customers' own idioms.

`messages` writes labelled messages of it. The two seasons share the shop's words and no sentence: what is learnt from the
first must carry over to the second. Only for tests of what `comptoir learn` does.
"""

import random
from dataclasses import dataclass
from enum import Enum
from itertools import cycle

Kinds = dict[tuple[str, str], tuple[str, ...]]  # (intent, sentiment) -> sentences


class Season(Enum):
    """Which half of the shop's sentences."""

    CORRECTED = 1
    LATER = 2


@dataclass(frozen=True)
class Said:
    """One message and what a person says of it."""

    text: str
    intent: str
    sentiment: str


@dataclass(frozen=True)
class _Words:
    products: tuple[str, ...]
    boxes: tuple[str, ...]
    when: tuple[str, ...]
    openings: tuple[str, ...]
    asides: tuple[str, ...]  # say nothing of the matter
    kinds: Kinds


_WORDS = {
    Season.CORRECTED: _Words(
        products=(
            "le Lissior",
            "ma Brumelle",
            "le sérum Nuit d'Iris",
            "la Soyandre",
            "mon Pétaloir",
            "la crème Aubéphine",
        ),
        boxes=("ma box beauté", "la box de mars", "ma box Éclosion", "mon coffret Nuit d'Iris"),
        when=("depuis mardi", "depuis huit jours", "depuis le 3", "depuis hier", "cette semaine encore"),
        openings=("Bonjour, ", "Coucou, ", "Hello, ", "Re-bonjour, ", "Bon, ", "Dites, ", "Hum, "),
        asides=(
            "Je suis à Lyon.",
            "Commande de lundi.",
            "C'est pour l'anniversaire de ma sœur.",
            "J'ai regardé partout sur l'appli.",
            "Ma voisine a la même chose.",
            "Répondez-moi par ici.",
            "Je passe au comptoir samedi.",
            "Numéro 4471 si besoin.",
            "Première fois que j'écris.",
            "Voilà voilà.",
        ),
        kinds={
            ("order_delivery_issue", "negative"): (
                "le colisnéo est aux abonnés absents {when}",
                "{box} joue à cache-cache {when}, le casier colisnéo reste muet",
                "colisnéo a encore posé un lapin à {box}",
                "{box} hiberne au dépôt colisnéo {when}",
                "le casier colisnéo fait la sourde oreille {when}, où dort {box}",
                "colisnéo me mène en bateau {when}",
            ),
            ("order_delivery_issue", "neutral"): (
                "{box} est où sur la carte colisnéo",
                "le casier colisnéo n'affiche pas encore {box}",
                "on peut passer {box} sur un autre casier colisnéo",
                "à quelle heure le colisnéo dépose {box}",
            ),
            ("product_defect", "negative"): (
                "{product} fait grise mine {when}, rien ne sort du pschitt",
                "{product} a tourné de l'œil {when}",
                "{product} boude {when}, le bouchon pleure partout",
                "{product} fait un caprice {when}, la texture a viré",
                "ouverture de {product} et drame, le pschitt est muet",
            ),
            ("billing_account_issue", "negative"): (
                "mes pétales ont fondu {when}, la cagnotte est fanée",
                "on m'a cueilli deux fois les pétales de mars",
                "plus un pétale dans mon bouquet {when}",
                "mon bouquet de fidélité perd ses pétales {when}",
            ),
            ("billing_account_issue", "neutral"): (
                "mes pétales du mois ne sont pas arrosés",
                "comment rattacher mes pétales à mon nouveau bouquet",
                "les pétales de {box} arrivent quand dans le bouquet",
            ),
            ("refund_return", "neutral"): (
                "je mets {product} en reprise fleurie, ça marche comment",
                "ma reprise fleurie de {product}, elle en est où",
                "je voudrais une reprise fleurie pour {box}",
                "il faut l'étiquette de reprise fleurie pour {product}",
            ),
            ("purchase_intent", "positive"): (
                "{product} refleurit quand, je le veux",
                "gardez-moi {box}, je craque",
                "il vous reste {product} en boutique, j'en prends deux",
                "je me laisse tenter par {box}, vous l'avez encore",
            ),
            ("praise_thanks", "positive"): (
                "un pétale à Sonia pour ses conseils sur {product}",
                "gros bouquet à toute l'équipe pour {box}",
                "{product} me fait fleurir, un pétale pour vous",
                "dix pétales sur dix pour {product}",
            ),
            ("churn_threat", "negative"): (
                "je fane mon compte, terminé {box}",
                "je rends mes pétales et je file chez la concurrence",
                "dernier bouquet chez vous, j'arrache tout",
                "je déracine mon abonnement à {box}",
            ),
        },
    ),
    Season.LATER: _Words(
        products=("ma Velourine", "le baume Ondélys", "mon Éclorine", "la Soyandre", "le Lissior", "l'huile Ambrésine"),
        boxes=("ma box de printemps", "la box Ondélys", "ma box beauté d'avril", "le coffret Ambrésine"),
        when=("depuis jeudi", "depuis quinze jours", "depuis le 17", "depuis ce matin", "tout le week-end"),
        openings=("Bonsoir, ", "Bonjour à tous, ", "Salut, ", "Alors voilà, ", "Euh, ", "Bjr, ", "Cher comptoir, "),
        asides=(
            "Boutique de Nantes.",
            "Cliente depuis trois ans.",
            "J'avais commandé avec ma mère.",
            "Le chat en ligne est fermé.",
            "J'écris depuis le train.",
            "On peut m'appeler le soir.",
            "Dossier 2093.",
            "Je suis abonnée à vos pages.",
            "Rien trouvé dans l'aide.",
            "À bientôt.",
        ),
        kinds={
            ("order_delivery_issue", "negative"): (
                "toujours pas vu le bout du nez de {box}, merci colisnéo",
                "le colisnéo fait le mort {when}",
                "colisnéo promène {box} {when} sans jamais sonner",
                "casier colisnéo vide {when}, {box} s'est évaporée",
            ),
            ("order_delivery_issue", "neutral"): (
                "quel casier colisnéo pour {box}",
                "je peux décaler le colisnéo de {box}",
                "{box} a-t-elle quitté le casier colisnéo",
            ),
            ("product_defect", "negative"): (
                "{product} tire la tronche {when}, le pschitt crache",
                "{product} a rendu l'âme {when}",
                "le pschitt de {product} boude {when}",
            ),
            ("billing_account_issue", "negative"): (
                "ma cagnotte de pétales s'est envolée {when}",
                "vos pétales d'avril ont été comptés en double",
                "bouquet de fidélité fané {when}, pas un pétale",
            ),
            ("billing_account_issue", "neutral"): (
                "où sont passés mes pétales d'avril dans le bouquet",
                "mes pétales n'apparaissent pas sur la carte",
            ),
            ("refund_return", "neutral"): (
                "reprise fleurie demandée pour {product}, quel délai",
                "comment lancer la reprise fleurie de {box}",
                "{product} part en reprise fleurie, j'attends le bon",
            ),
            ("purchase_intent", "positive"): (
                "je veux {product}, ça refleurit bientôt chez vous",
                "mettez-moi {box} de côté, je passe samedi",
                "{product} en stock à Nantes, je cours l'acheter",
            ),
            ("praise_thanks", "positive"): (
                "mille pétales à l'équipe pour {product}",
                "un bouquet pour Karim, quel accueil",
                "{box} est une merveille, un pétale de plus",
            ),
            ("churn_threat", "negative"): (
                "mes pétales, je vous les rends, adieu",
                "je fane mon bouquet de fidélité et je pars ailleurs",
                "c'était ma dernière box, j'arrache mon compte",
            ),
        },
    ),
}


def messages(season: Season, count: int) -> list[Said]:
    """Different messages of one season, always the same ones, each kind in turn."""
    dice, words = random.Random(season.value), _WORDS[season]
    kinds = cycle(words.kinds.items())
    found: dict[str, Said] = {}
    while len(found) < count:
        (intent, sentiment), sentences = next(kinds)
        text = _written(dice, words, dice.choice(sentences))
        found.setdefault(text, Said(text, intent, sentiment))
    return list(found.values())


def _written(dice: random.Random, words: _Words, sentence: str) -> str:
    told = sentence.format(
        product=dice.choice(words.products), box=dice.choice(words.boxes), when=dice.choice(words.when)
    )
    told = told.replace("de le ", "du ")
    opening = dice.choice((*words.openings, "", ""))
    body = opening + (told if opening else told[0].upper() + told[1:]) + dice.choice((".", ".", ".", " !", "..."))
    parts = [body, dice.choice((*words.asides, "", "")), dice.choice((*words.asides, "", "", "", "", ""))]
    return " ".join(part for part in dict.fromkeys(parts) if part)

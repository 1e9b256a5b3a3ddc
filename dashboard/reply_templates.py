"""The house's reply templates, French and English, in the customer's language.

`{prénom}` and `{commande}` are filled in where they are known and left out with their blank where they are not, so that no
answer goes out with a hole in it. To add one, add a row: title, the intents that it suits (first in the list there), texts.
"""

import re
from dataclasses import dataclass

from dashboard.i18n import msg, t
from domain.case import Case


@dataclass(frozen=True, slots=True)
class ReplyTemplate:
    """One template; `intents` put it on top of the list for these matters."""

    title: str
    intents: tuple[str, ...]
    fr: str
    en: str


TEMPLATES: tuple[ReplyTemplate, ...] = (
    ReplyTemplate(
        msg("Colis en retard"),
        ("order_delivery_issue",),
        "Bonjour {prénom}, je suis désolée de ce retard. Je regarde où se trouve votre commande {commande} et je vous "
        "réponds aujourd'hui, ici même.",
        "Hello {prénom}, I am sorry about this delay. I am looking into where your order {commande} is and will answer "
        "you here today.",
    ),
    ReplyTemplate(
        msg("Demander la référence"),
        ("order_delivery_issue", "refund_return", "billing_account_issue"),
        "Bonjour {prénom}, je m'en occupe. Pouvez-vous m'envoyer votre numéro de commande en message privé ?",
        "Hello {prénom}, I will look after this. Could you send me your order number in a private message?",
    ),
    ReplyTemplate(
        msg("Produit défectueux"),
        ("product_defect",),
        "Bonjour {prénom}, ce n'est pas ce que nous voulons pour vous. Cessez de l'utiliser et gardez-le : je vous propose "
        "un échange ou un remboursement, comme vous préférez.",
        "Hello {prénom}, this is not what we want for you. Please stop using it and keep it: I can offer you an exchange "
        "or a refund, whichever you prefer.",
    ),
    ReplyTemplate(
        msg("Remboursement en route"),
        ("refund_return", "billing_account_issue"),
        "Bonjour {prénom}, le remboursement de votre commande {commande} est lancé ; il faut compter trois à cinq jours "
        "selon votre banque.",
        "Hello {prénom}, the refund of your order {commande} is on its way; please allow three to five days, depending on "
        "your bank.",
    ),
    ReplyTemplate(
        msg("Excuses et suite"),
        ("complaint_service", "churn_threat"),
        "Bonjour {prénom}, merci de nous le dire, même si c'est désagréable à lire. J'en parle à l'équipe et je reviens vers "
        "vous demain au plus tard.",
        "Hello {prénom}, thank you for telling us, even if it is not pleasant to read. I am taking it up with the team and "
        "will come back to you by tomorrow.",
    ),
    ReplyTemplate(
        msg("Merci"),
        ("praise_thanks", "suggestion_idea"),
        "Merci {prénom} ! Votre message fait plaisir à toute l'équipe, je le lui transmets.",
        "Thank you {prénom}! Your message makes the whole team happy; I am passing it on.",
    ),
    ReplyTemplate(
        msg("Bonne question"),
        ("question_info", "purchase_intent"),
        "Bonjour {prénom}, bonne question : je vérifie auprès de la boutique et je vous réponds ici dans la journée.",
        "Hello {prénom}, good question: I am checking with the shop and will answer you here today.",
    ),
)


def fill(text: str, *, first_name: str, order: str) -> str:
    """The text with what is known filled in; a variable that is not known goes with the blank before it."""
    for name, value in (("prénom", first_name), ("commande", order)):
        text = text.replace("{" + name + "}", value) if value else re.sub(r" ?\{" + name + r"\}", "", text)
    return text


def choices(case: Case, *, first_name: str, order: str) -> list[dict[str, str]]:
    """Templates for a case, the fitting ones first, filled in the customer's language (English for what is not French)."""
    ranked = sorted(TEMPLATES, key=lambda template: case.intent not in template.intents)
    french = case.lang in {"fr", "und"}
    return [
        {
            "title": t(template.title),
            "text": fill(template.fr if french else template.en, first_name=first_name, order=order),
        }
        for template in ranked
    ]

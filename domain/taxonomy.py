"""What messages are about: INTENTS, ASPECTS, and the department that answers for each.

One row per intent. Adding one here adds its label, colour, routing and CRM tag everywhere; the analyzers learn it from
labelled examples. The tie-breaks that decide between two intents are in docs/labels.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing that the brand's team may have to act on.

    Attributes:
        department: key of the department that owns it.
        urgency: 0 none .. 3 safety, the least that a message of this intent gets.
        opens_case: False where nobody has to answer (spam, chatter).
        crm_tag: the value that goes to the CRM; stable, never translated.
    """

    key: str
    title_fr: str
    title_en: str
    department: str
    urgency: int
    opens_case: bool
    crm_tag: str

    def title(self, lang: str) -> str:
        """Title in `fr` or `en`."""
        return self.title_fr if lang == "fr" else self.title_en


def _intent(key: str, fr: str, en: str, department: str, urgency: int = 0, *, opens_case: bool = True) -> Intent:
    return Intent(key, fr, en, department, urgency, opens_case, key.upper())


INTENTS: tuple[Intent, ...] = (
    _intent("complaint_service", "Plainte sur le service", "Service complaint", "customer_service", 1),
    _intent("order_delivery_issue", "Commande et livraison", "Order and delivery", "logistics", 1),
    _intent("product_defect", "Défaut de produit", "Product defect", "product_quality", 1),
    _intent("refund_return", "Remboursement et retour", "Refund and return", "customer_service", 1),
    _intent("billing_account_issue", "Facture et compte", "Billing and account", "finance", 1),
    _intent("question_info", "Question", "Question", "customer_service"),
    _intent("purchase_intent", "Envie d'acheter", "Purchase intent", "stores_sales"),
    _intent("praise_thanks", "Éloge et merci", "Praise and thanks", "marketing"),
    _intent("suggestion_idea", "Idée", "Idea", "product_quality"),
    _intent("churn_threat", "Départ annoncé", "Churn threat", "customer_service", 2),
    _intent("employment", "Emploi", "Employment", "human_resources"),
    _intent("spam_promo", "Spam et publicité", "Spam and promotion", "marketing", opens_case=False),
    _intent("other", "Autre", "Other", "marketing", opens_case=False),
)
INTENT_BY_KEY = {intent.key: intent for intent in INTENTS}


@dataclass(frozen=True, slots=True)
class Aspect:
    """One side of the trade that a message speaks of."""

    key: str
    title_fr: str
    title_en: str

    def title(self, lang: str) -> str:
        """Title in `fr` or `en`."""
        return self.title_fr if lang == "fr" else self.title_en


ASPECTS: tuple[Aspect, ...] = (
    Aspect("delivery", "Livraison", "Delivery"),
    Aspect("packaging", "Emballage", "Packaging"),
    Aspect("product_quality", "Qualité du produit", "Product quality"),
    Aspect("price_promo", "Prix et promotions", "Price and promotions"),
    Aspect("after_sales", "Après-vente", "After sales"),
    Aspect("customer_contact", "Relation client", "Customer contact"),
    Aspect("website_app", "Site et application", "Site and app"),
    Aspect("stock_availability", "Disponibilité", "Availability"),
    Aspect("billing_contract", "Facturation", "Billing"),
    Aspect("store_staff", "Équipe de boutique", "Store staff"),
    Aspect("employer", "Employeur", "Employer"),
    Aspect("ethics_environment", "Éthique et environnement", "Ethics and environment"),
)
ASPECT_BY_KEY = {aspect.key: aspect for aspect in ASPECTS}

# An aspect moves a message to another department than its intent's only where the work is really done there:
# (intents concerned, aspect) -> department. The first row that matches wins.
_ASPECT_ROUTES: tuple[tuple[frozenset[str], str, str], ...] = (
    (
        frozenset({"complaint_service", "question_info", "praise_thanks", "suggestion_idea"}),
        "employer",
        "human_resources",
    ),
    (frozenset({"complaint_service", "praise_thanks"}), "store_staff", "stores_sales"),
    (
        frozenset({"purchase_intent", "question_info", "complaint_service", "suggestion_idea"}),
        "website_app",
        "ecommerce",
    ),
    (frozenset({"billing_account_issue"}), "website_app", "ecommerce"),
    (frozenset({"complaint_service", "question_info"}), "delivery", "logistics"),
    (frozenset({"purchase_intent"}), "price_promo", "ecommerce"),
    (frozenset({"complaint_service", "other"}), "ethics_environment", "management"),
)


def department_of(intent: str, aspects: Iterable[str] = (), urgency: int = 0) -> str:
    """Key of the department that answers a message: f(intent, aspects), and management for what endangers people.

    A safety matter (urgency 3) stays with the department that can act on it, except for generic complaints: those are
    public crises, which management reads first.
    """
    present = frozenset(aspects)
    if urgency >= 3 and intent in {"complaint_service", "other"}:
        return "management"
    for intents, aspect, department in _ASPECT_ROUTES:
        if intent in intents and aspect in present:
            return department
    return INTENT_BY_KEY[intent].department

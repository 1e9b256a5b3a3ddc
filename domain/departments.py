"""Who answers: DEPARTMENTS, one row each, with reply targets and opening hours.

A row is all that a department needs: its page, its place in the navigation, its queue and its indicators follow.
"""

from dataclasses import dataclass
from datetime import time, timedelta


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours: ISO weekday (1 = Monday) -> (opens, closes), in the shop's time zone."""

    days: tuple[tuple[int, time, time], ...]
    closed_on_holidays: bool = True


OFFICE = Hours(tuple((day, time(9), time(18)) for day in range(1, 6)))
COUNTER = Hours(tuple((day, time(8, 30), time(20)) for day in range(1, 7)))
ALWAYS = Hours(tuple((day, time(0), time.max) for day in range(1, 8)), closed_on_holidays=False)


@dataclass(frozen=True, slots=True)
class Department:
    """One department of the retailer.

    Attributes:
        first_reply: target for the first public answer, in working time of `hours`.
        resolution: target for the end of the case, in working time of `hours`.
        indicators: keys of `store.indicators.INDICATORS` shown on its page, in order.
    """

    key: str
    title_fr: str
    title_en: str
    icon: str
    first_reply: timedelta
    resolution: timedelta
    hours: Hours
    indicators: tuple[str, ...]

    def title(self, lang: str) -> str:
        """Title in `fr` or `en`."""
        return self.title_fr if lang == "fr" else self.title_en


def _h(hours: float) -> timedelta:
    return timedelta(hours=hours)


_COMMON = ("mentions", "negative_share", "first_reply_median", "reply_rate")

DEPARTMENTS: tuple[Department, ...] = (
    Department(
        "customer_service",
        "Service client",
        "Customer service",
        "support_agent",
        _h(2),
        _h(24),
        COUNTER,
        ("open_cases", "late_cases", "first_reply_median", "sla_share", "reply_rate", "reopen_share"),
    ),
    Department(
        "marketing",
        "Marketing et communication",
        "Marketing and communication",
        "campaign",
        _h(4),
        _h(48),
        OFFICE,
        ("mentions", "net_sentiment", "praise_count", "reply_rate", "estimated_reach", "negative_share"),
    ),
    Department(
        "product_quality",
        "Produit et qualité",
        "Product and quality",
        "inventory_2",
        _h(4),
        _h(72),
        OFFICE,
        ("defect_rate", "idea_count", "safety_count", "average_rating", "negative_share", "first_reply_median"),
    ),
    Department(
        "logistics",
        "Logistique",
        "Logistics",
        "local_shipping",
        _h(2),
        _h(48),
        COUNTER,
        ("delivery_contact_rate", "late_order_share", "mentions", "first_reply_median", "open_cases", "negative_share"),
    ),
    Department(
        "stores_sales",
        "Boutiques et ventes",
        "Stores and sales",
        "storefront",
        _h(4),
        _h(48),
        COUNTER,
        (
            "average_rating",
            "review_reply_rate",
            "purchase_intent_count",
            "first_reply_median",
            "mentions",
            "negative_share",
        ),
    ),
    Department(
        "ecommerce",
        "Commerce en ligne",
        "E-commerce",
        "shopping_cart",
        _h(2),
        _h(24),
        OFFICE,
        ("cart_abandonment_share", "purchase_intent_count", *_COMMON),
    ),
    Department(
        "finance",
        "Finance",
        "Finance",
        "receipt_long",
        _h(4),
        _h(48),
        OFFICE,
        ("revenue_at_risk", "billing_count", "refund_count", "open_cases", "first_reply_median", "negative_share"),
    ),
    Department(
        "human_resources",
        "Ressources humaines",
        "Human resources",
        "groups",
        _h(8),
        _h(72),
        OFFICE,
        ("employment_count", *_COMMON),
    ),
    Department(
        "management",
        "Direction",
        "Management",
        "monitoring",
        _h(1),
        _h(24),
        ALWAYS,
        ("mentions", "net_sentiment", "sla_share", "safety_count", "revenue_at_risk", "reply_rate"),
    ),
)
DEPARTMENT_BY_KEY = {department.key: department for department in DEPARTMENTS}

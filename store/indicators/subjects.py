"""What people speak about: how many mentions, of which subject, and how far they are heard.

Counts of a subject hold for the whole house, whoever answers it: a refund is finance's number even where customer service
writes the answer. To add a subject, one row in `_SUBJECTS`.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from domain.taxonomy import INTENT_BY_KEY
from store import schema
from store.indicators.facts import (
    Condition,
    Expression,
    Facts,
    Frame,
    Measure,
    Row,
    mention_facts,
    rollup_facts,
)
from store.indicators.values import Indicator

Columns = Any  # the columns that `mentions` and `rollup_mentions` share
ONE = sa.literal(1.0)
SPAM = "spam_promo"


def said(
    where: Callable[[Columns], tuple[Condition, ...]],
    value: Callable[[Columns], Expression] | None = None,
    *,
    uneven: bool = False,
) -> Measure:
    """A measure of mentions that roll-ups and rows both answer, from one definition."""

    def worth(columns: Columns) -> Expression:
        return ONE if value is None else value(columns)

    def facts(frame: Frame) -> Facts:
        return mention_facts(frame, where(schema.mentions.c), worth(schema.mentions.c))

    def rollup(frame: Frame) -> Facts:
        return rollup_facts(frame, where(schema.rollup_mentions.c), worth(schema.rollup_mentions.c))

    return Measure(facts, rollup, uneven=uneven)


def _urgent(frame: Frame) -> Facts:
    # Written out as the partial index has it; a parameter would hide it from the planner.
    return mention_facts(frame, (schema.mentions.c.urgency >= sa.literal_column("3"),), ONE)


REACH_FEW, REACH_MANY = 100_000, 10_000_000
REACH_SHARE_FEW, REACH_SHARE_MANY = 0.15, 0.06


def _reach(frame: Frame) -> Facts:
    m, a = schema.mentions, schema.accounts
    followers = sa.cast(a.c.follower_count, sa.Float)
    slope = (REACH_SHARE_MANY - REACH_SHARE_FEW) / (REACH_MANY - REACH_FEW)
    share = sa.case(
        (followers <= REACH_FEW, REACH_SHARE_FEW),
        (followers >= REACH_MANY, REACH_SHARE_MANY),
        else_=REACH_SHARE_FEW + slope * (followers - REACH_FEW),
    )
    where = (a.c.follower_count.is_not(None), m.c.intent != SPAM)
    return mention_facts(frame, where, followers * share, m.join(a, a.c.id == m.c.account_id))


_MENTIONS = Indicator(
    key="mentions",
    title_fr="Mentions",
    title_en="Mentions",
    unit="count",
    how="sum",
    formula_fr="Nombre de messages entendus, toutes sources confondues.",
    formula_en="Number of messages heard, over all sources.",
    population_fr="Messages des autres, publicités comprises ; nos propres réponses exclues. Jour calendaire du message.",
    population_en="Messages of others, spam included; our own answers are left out. Calendar day of the message.",
    owner="marketing",
)

_SAFETY = Indicator(
    key="safety_count",
    title_fr="Alertes de sécurité",
    title_en="Safety alerts",
    unit="count",
    how="sum",
    formula_fr="Nombre de mentions d'urgence 3 : sécurité, santé, droit ou crise publique.",
    formula_en="Number of mentions of urgency 3: safety, health, law or a public crisis.",
    population_fr="Messages des autres, dans toute la maison. Jour calendaire du message.",
    population_en="Messages of others, over the whole house. Calendar day of the message.",
    owner="product_quality",
    better="down",
    whole_house=True,
)

_REACH = Indicator(
    key="estimated_reach",
    title_fr="Portée estimée",
    title_en="Estimated reach",
    unit="count",
    how="sum",
    formula_fr=(
        "Estimation : somme des abonnés de l'auteur × facteur. Facteur 0,15 jusqu'à 100 000 abonnés, puis en ligne droite "
        "jusqu'à 0,06 à 10 millions, 0,06 au-delà."
    ),
    formula_en=(
        "Estimate: sum of the author's followers × a factor. The factor is 0.15 up to 100,000 followers, then falls in a "
        "straight line to 0.06 at 10 million and stays there."
    ),
    population_fr=(
        "Messages des autres dont le réseau donne le nombre d'abonnés ; publicités exclues. Un auteur qui parle deux fois "
        "compte deux fois : ce sont des vues possibles, pas des personnes. Jour calendaire du message."
    ),
    population_en=(
        "Messages of others whose network tells the number of followers; spam is left out. An author who speaks twice "
        "counts twice: these are possible views, not people. Calendar day of the message."
    ),
    owner="marketing",
    source="Sprinklr help, Benchmarking and sources FAQs (earned impressions)",
)


def _subject(key: str, intent: str, owner: str, fr: str, en: str, *, better: Any = "", whole_house: bool = True) -> Row:
    where_fr = ", dans toute la maison" if whole_house else ""
    where_en = ", over the whole house" if whole_house else ""
    indicator = Indicator(
        key=key,
        title_fr=fr,
        title_en=en,
        unit="count",
        how="sum",
        formula_fr=f"Nombre de mentions dont l'intention principale est « {INTENT_BY_KEY[intent].title_fr} ».",
        formula_en=f"Number of mentions whose main intent is “{INTENT_BY_KEY[intent].title_en}”.",
        population_fr=f"Messages des autres{where_fr} ; analyses incertaines comprises. Jour calendaire du message.",
        population_en=f"Messages of others{where_en}; uncertain analyses included. Calendar day of the message.",
        owner=owner,
        better=better,
        whole_house=whole_house,
        dimensions=("network", "store", "product"),
    )
    return indicator, said(lambda t: (t.intent == intent,))


_SUBJECTS: tuple[Row, ...] = (
    _subject("praise_count", "praise_thanks", "marketing", "Éloges", "Praise", better="up"),
    _subject("idea_count", "suggestion_idea", "product_quality", "Idées", "Ideas"),
    # Two departments share this one, each for the part that reaches it.
    _subject(
        "purchase_intent_count",
        "purchase_intent",
        "stores_sales",
        "Envies d'achat",
        "Purchase intents",
        better="up",
        whole_house=False,
    ),
    _subject(
        "billing_count", "billing_account_issue", "finance", "Factures et comptes", "Billing matters", better="down"
    ),
    _subject(
        "refund_count", "refund_return", "finance", "Remboursements et retours", "Refunds and returns", better="down"
    ),
    _subject("employment_count", "employment", "human_resources", "Paroles sur l'emploi", "Words about jobs"),
)

ROWS: tuple[Row, ...] = (
    (_MENTIONS, said(lambda _t: ())),
    *_SUBJECTS,
    (_SAFETY, Measure(_urgent)),
    (_REACH, Measure(_reach, uneven=True)),
)

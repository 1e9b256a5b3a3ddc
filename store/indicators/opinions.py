"""What people think: sentiment of what they say, and the stars that they give.

Sentiment is the analyzer's; its macro-F1 by language is in docs/model-card.md, and no share here is surer than that.
"""

import sqlalchemy as sa

from store import schema
from store.indicators.facts import Facts, Frame, Measure, Row, mention_facts
from store.indicators.subjects import SPAM, said
from store.indicators.values import Indicator

_OPINION_FR = (
    "Messages des autres déjà analysés, les incertains compris ; publicités exclues. Jour calendaire du message."
)
_OPINION_EN = (
    "Messages of others that were analysed, uncertain ones included; spam is left out. Calendar day of the message."
)

_NEGATIVE_SHARE = Indicator(
    key="negative_share",
    title_fr="Part de négatif",
    title_en="Negative share",
    unit="share",
    how="mean",
    formula_fr="Mentions négatives ÷ mentions analysées.",
    formula_en="Negative mentions ÷ analysed mentions.",
    population_fr=_OPINION_FR,
    population_en=_OPINION_EN,
    owner="marketing",
    better="down",
)

_NET_SENTIMENT = Indicator(
    key="net_sentiment",
    title_fr="Sentiment net",
    title_en="Net sentiment",
    unit="score",
    how="mean",
    formula_fr="(P − N) ÷ (P + N), de −1 à +1 : variante sans les neutres (l'autre divise par toutes les mentions).",
    formula_en="(P − N) ÷ (P + N), from −1 to +1: the variant without neutrals (the other divides by all mentions).",
    population_fr=f"Mentions positives (+1) et négatives (−1). {_OPINION_FR}",
    population_en=f"Positive (+1) and negative (−1) mentions. {_OPINION_EN}",
    owner="marketing",
    better="up",
    source="Talkwalker developer guide, Histogram API: net sentiment",
)

_AVERAGE_RATING = Indicator(
    key="average_rating",
    title_fr="Note moyenne",
    title_en="Average rating",
    unit="rating",
    how="mean",
    formula_fr="Somme des étoiles ÷ nombre d'avis notés, de 1 à 5.",
    formula_en="Sum of the stars ÷ number of rated reviews, 1 to 5.",
    population_fr="Avis notés, dans toute la maison. Jour calendaire de l'avis.",
    population_en="Rated reviews, over the whole house. Calendar day of the review.",
    owner="stores_sales",
    better="up",
    whole_house=True,
)

_REVIEW_REPLY_RATE = Indicator(
    key="review_reply_rate",
    title_fr="Avis auxquels on a répondu",
    title_en="Reviews answered",
    unit="share",
    how="mean",
    formula_fr="Avis suivis d'une réponse publique de la marque ÷ avis reçus.",
    formula_en="Reviews followed by a public answer of the brand ÷ reviews received.",
    population_fr="Avis, notés ou non, dans toute la maison ; réponse à tout moment après l'avis. Jour calendaire de l'avis.",
    population_en="Reviews, rated or not, over the whole house; an answer at any time after it. Calendar day of the review.",
    owner="stores_sales",
    better="up",
    whole_house=True,
)


def _ratings(frame: Frame) -> Facts:
    rating = schema.mentions.c.rating
    return mention_facts(frame, (rating.is_not(None),), sa.cast(rating, sa.Float))


def _reviews(frame: Frame) -> Facts:
    m = schema.mentions
    ours = m.alias("ours")
    answered = sa.exists().where(
        ours.c.thread_id == m.c.thread_id, ours.c.outbound.is_(True), ours.c.created_at > m.c.created_at
    )
    # Written out as the partial index has it.
    is_review = m.c.kind == sa.literal_column("'review'")
    return mention_facts(frame, (is_review,), sa.case((answered, 1.0), else_=0.0))


ROWS: tuple[Row, ...] = (
    (
        _NEGATIVE_SHARE,
        said(
            lambda t: (t.sentiment != "", t.intent != SPAM),
            lambda t: sa.case((t.sentiment == "negative", 1.0), else_=0.0),
        ),
    ),
    (
        _NET_SENTIMENT,
        said(
            lambda t: (t.sentiment.in_(("positive", "negative")), t.intent != SPAM),
            lambda t: sa.case((t.sentiment == "positive", 1.0), else_=-1.0),
            uneven=True,
        ),
    ),
    (_AVERAGE_RATING, Measure(_ratings, uneven=True)),
    (_REVIEW_REPLY_RATE, Measure(_reviews)),
)

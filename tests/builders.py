"""Small values for tests: mentions, analyses, pages; every field can be named."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.analysis import Analysis, ModelRef, Scored
from domain.contracts import Cursor, Page
from domain.mention import Author, Mention, MentionId

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Paris
MODEL = ModelRef("test", "1")


def mention(
    native_id: str = "1", text: str = "Où est mon colis ?", *, who: str | None = "lea", after: float = 0, **fields: Any
) -> Mention:
    """A mention on X, `after` hours from START."""
    values: dict[str, Any] = {
        "network": "x",
        "native_id": native_id,
        "text": text,
        "created_at": START + timedelta(hours=after),
        "author": Author(who, who, who.title()) if who else None,
    }
    return Mention(**{**values, **fields})


def analysis(
    mention_id: str, intent: str = "order_delivery_issue", sentiment: str = "negative", **fields: Any
) -> Analysis:
    """An analysis that is sure of itself."""
    p = {name: 0.9 if name == sentiment else 0.05 for name in ("negative", "neutral", "positive")}
    values: dict[str, Any] = {
        "mention_id": MentionId(mention_id),
        "model": MODEL,
        "lang": "fr",
        "p_negative": p["negative"],
        "p_neutral": p["neutral"],
        "p_positive": p["positive"],
        "intent": Scored(intent, 0.9),
    }
    return Analysis(**{**values, **fields})


def page(*mentions: Mention, cursor: str | None = "1") -> Page:
    """A page of mentions."""
    return Page(mentions=mentions, cursor=Cursor(cursor) if cursor else None)

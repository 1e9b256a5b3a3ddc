"""Rows to values and back: the one place where a column meets a field of the domain."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from unicodedata import combining, normalize

from domain.analysis import Analysis, ModelRef, Scored, Sentiment, Signals
from domain.case import Case, Priority, Status
from domain.contracts import Act, Permission
from domain.mention import Author, Engagement, Mention, MentionId, MentionKind


def fold(text: str) -> str:
    """Without case, accents and ligatures: "Où est ma Cœur ?" -> "ou est ma coeur ?". What search compares."""
    flat = normalize("NFKD", text.casefold().replace("œ", "oe").replace("æ", "ae"))
    return flat if flat.isascii() else "".join(char for char in flat if not combining(char))


def storable(text: str) -> str:
    """Text that both backends accept: no NUL, no lone surrogate (half an emoji, as broken exports have)."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text


def _storable_json(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable_json(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None  # noqa: PLR0124
    return storable(str(value))


def permission_json(permission: Permission | None) -> dict[str, Any] | None:
    """As kept beside the mention."""
    if permission is None:
        return None
    values: dict[str, Any] = {
        "allowed": permission.allowed,
        "reason": permission.reason,
        "until": permission.until.isoformat() if permission.until else None,
        "price": permission.price,
        "public": permission.public,
        "text_limit": permission.text_limit,
    }
    if permission.private is not None:
        values["private"] = permission_json(permission.private)
    if permission.acts:
        values["acts"] = [act.value for act in permission.acts]
    return values


def permission_of(value: dict[str, Any] | None) -> Permission | None:
    """Back from `permission_json`."""
    if value is None:
        return None
    read = {
        "until": datetime.fromisoformat(value["until"]) if value["until"] else None,
        "private": permission_of(value.get("private")),
        "acts": tuple(Act(act) for act in value.get("acts", ())),
    }
    return Permission(**{**value, **read})


def mention_row(
    mention: Mention, source_key: str, collected_at: datetime, day: str, permission: Permission | None = None
) -> dict[str, Any]:
    """A new row of `mentions`, at the first step of the flow."""
    text, title, engagement = storable(mention.text), storable(mention.title), mention.engagement
    return {
        "id": storable(mention.id),
        "network": mention.network,
        "native_id": storable(mention.native_id),
        "source_key": source_key,
        "account_id": storable(mention.account_id) if mention.account_id and not mention.outbound else None,
        "kind": mention.kind.value,
        "text": text,
        "folded": fold(f"{title}\n{text}" if title else text),
        "title": title,
        "url": storable(mention.url),
        "created_at": mention.created_at,
        "collected_at": collected_at,
        "day": day,
        "thread_id": storable(mention.thread_id),
        "parent_id": f"{mention.network}:{storable(mention.parent_id)}" if mention.parent_id else None,
        "outbound": mention.outbound,
        "lang_hint": mention.lang_hint,
        "rating": mention.rating,
        "store": mention.store,
        "product": mention.product,
        "order_ref": mention.order_ref,
        "like_count": engagement.like_count,
        "share_count": engagement.share_count,
        "reply_count": engagement.reply_count,
        "view_count": engagement.view_count,
        "raw": _storable_json(mention.raw),
        "permission": permission_json(permission),
        "step": "analyzed" if mention.outbound else "collected",  # our own words need no analysis
        "case_id": None,
        "department": "",
        "intent": "",
        "sentiment": "",
        "lang": "",
        "urgency": 0,
        "uncertain": False,
        "model": "",
    }


def mention_of(row: Mapping[Any, Any], author: Author | None = None) -> Mention:
    """The mention of a row; `author` where the caller joined the accounts, and `raw` where it was selected."""
    network = row["network"]
    if author is None and row["account_id"]:
        author = Author(native_id=row["account_id"].removeprefix(f"{network}:"))
    parent = row["parent_id"]
    return Mention(
        network=network,
        native_id=row["native_id"],
        text=row["text"],
        created_at=row["created_at"],
        kind=MentionKind(row["kind"]),
        author=author,
        conversation_id=row["thread_id"].removeprefix(f"{network}:"),
        parent_id=parent.removeprefix(f"{network}:") if parent else None,
        outbound=row["outbound"],
        title=row["title"],
        url=row["url"],
        lang_hint=row["lang_hint"],
        rating=row["rating"],
        store=row["store"],
        product=row["product"],
        order_ref=row["order_ref"],
        engagement=Engagement(row["like_count"], row["share_count"], row["reply_count"], row["view_count"]),
        raw=row.get("raw") or {},
    )


def analysis_row(analysis: Analysis, at: datetime) -> dict[str, Any]:
    """A row of `analyses`."""
    return {
        "mention_id": analysis.mention_id,
        "model": str(analysis.model),
        "at": at,
        "lang": analysis.lang,
        "p_negative": analysis.p_negative,
        "p_neutral": analysis.p_neutral,
        "p_positive": analysis.p_positive,
        "intent": analysis.intent.value,
        "intent_p": analysis.intent.p,
        "secondary": list(analysis.secondary),
        "aspects": list(analysis.aspects),
        "urgency": analysis.urgency,
        "churn": analysis.churn,
        "toxic": analysis.toxic,
        "irony": analysis.irony,
        "directed": analysis.directed,
        "uncertain": analysis.uncertain,
        "token_count": analysis.signals.token_count if analysis.signals else None,
        "unknown_count": analysis.signals.unknown_count if analysis.signals else None,
        "sketch": analysis.signals.sketch if analysis.signals else None,
    }


def analysis_of(row: Mapping[Any, Any]) -> Analysis:
    """The analysis of a row of `analyses`."""
    name, _, version = row["model"].partition("@")
    return Analysis(
        mention_id=MentionId(row["mention_id"]),
        model=ModelRef(name, version),
        lang=row["lang"],
        p_negative=row["p_negative"],
        p_neutral=row["p_neutral"],
        p_positive=row["p_positive"],
        intent=Scored(row["intent"], row["intent_p"]),
        secondary=tuple(row["secondary"]),
        aspects=tuple(row["aspects"]),
        urgency=row["urgency"],
        churn=row["churn"],
        toxic=row["toxic"],
        irony=row["irony"],
        directed=row["directed"],
        uncertain=row["uncertain"],
        signals=Signals(row["token_count"], row["unknown_count"], row["sketch"]) if row["sketch"] else None,
    )


_CASE_FIELDS = tuple(f.name for f in fields(Case))


def case_row(case: Case) -> dict[str, Any]:
    """A row of `cases`."""
    row = {name: getattr(case, name) for name in _CASE_FIELDS}
    row["status"] = case.status.value
    row["sentiment"] = case.sentiment.value
    row["priority"] = int(case.priority)
    return row


def case_of(row: Mapping[Any, Any]) -> Case:
    """The case of a row of `cases`; columns that are not fields are left aside."""
    values = {name: row[name] for name in _CASE_FIELDS}
    values["status"] = Status(values["status"])
    values["sentiment"] = Sentiment(values["sentiment"])
    values["priority"] = Priority(values["priority"])
    return Case(**values)

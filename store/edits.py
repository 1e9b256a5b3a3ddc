"""Edits: what a network says a kept mention says now. Nothing doubles; other words are analysed again, other counts are not.

`change` is called inside the transaction that keeps the page. A mention with a case waits at step EDITED for its new analysis
and stays in its case, which follows the new tags as it follows a person's corrections (`store.relabel`); one without goes
through the flow again, and may open one. What was deleted stays without words. Deletions are in `store.deletions`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.errors import StaleError
from domain.mention import Mention, MentionId
from store import schema
from store.engine import Database, chunks
from store.relabel import Relabelling
from store.routing import ROUTER_LOCK

EDITED = "edited"  # step of a mention whose case waits for what its new words say
AUTHOR = "comptoir"  # in the audit
_WORDS = ("text", "title", "rating")  # what an analysis reads
_REPLACED = (*_WORDS, "folded")
_KEPT_WHERE_SILENT = (
    "url", "lang_hint", "store", "product", "order_ref", "like_count", "share_count", "reply_count", "view_count", "raw",
)  # fmt: skip


def hold(connection: sa.Connection) -> None:
    """Keep the router away until the transaction ends: it must not place a mention that is edited or deleted meanwhile.

    To be called before anything else of the transaction, as the router takes its lock first.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ROUTER_LOCK)))


def change(connection: sa.Connection, rows: Mapping[str, dict[str, Any]], now: datetime) -> set[str]:
    """Replace what is kept of these mentions, given their rows as they would be new; the ids of those that differed."""
    m = schema.mentions
    columns = [m.c[name] for name in ("id", "step", "case_id", "outbound", *_REPLACED, *_KEPT_WHERE_SILENT)]
    changed: set[str] = set()
    for part in chunks(sorted(rows)):
        query = sa.select(*columns).where(m.c.id.in_(part), m.c.deleted_at.is_(None)).order_by(m.c.id)
        if connection.dialect.name != "sqlite":
            query = query.with_for_update()
        for kept in connection.execute(query).mappings().all():
            values = _difference(kept, rows[kept["id"]])
            if not values:
                continue
            changed.add(kept["id"])
            if values.keys() & set(_WORDS):
                values |= {"edited_at": now, **_again(connection, kept)}
            if rows[kept["id"]]["permission"] is not None:
                values["permission"] = rows[kept["id"]]["permission"]
            connection.execute(sa.update(m).where(m.c.id == kept["id"]).values(**values))
    return changed


def _difference(kept: sa.RowMapping, new: Mapping[str, Any]) -> dict[str, Any]:
    replaced = {name: new[name] for name in _REPLACED if new[name] != kept[name]}
    if new["rating"] is None:  # a look-up that shows no stars takes none away
        replaced.pop("rating", None)
    told = {
        name: new[name] for name in _KEPT_WHERE_SILENT if new[name] not in (None, "", {}) and new[name] != kept[name]
    }
    return replaced | told


def _again(connection: sa.Connection, kept: sa.RowMapping) -> dict[str, Any]:
    # Back to the analyze step. In a case, the old analysis stays until the new one is there: the case is compared with it.
    if kept["outbound"] or kept["step"] in {"collected", "past"}:
        return {}
    if kept["case_id"] is not None:
        return {"step": EDITED}
    a = schema.analyses
    connection.execute(sa.delete(a).where(a.c.mention_id == kept["id"]))
    return {"step": "collected"}


def save_again(
    database: Database, read: Sequence[Mention], analyses: Mapping[MentionId, Analysis], now: datetime
) -> int:
    """Store what a model says of edited mentions, and let their cases follow; how many were not done or edited again."""
    words = {mention.id: (mention.text, mention.title, mention.rating) for mention in read}
    try:
        with database.write() as connection:
            held = Relabelling(database, connection, sorted(analyses))
            still = {
                row["id"]: analyses[row["id"]]
                for row in held.rows
                if row["step"] == EDITED and (row["text"], row["title"], row["rating"]) == words[row["id"]]
            }
            held.say_again(still, by=AUTHOR, at=now)
    except StaleError:  # one went to another case at this very moment: the next round finds it there
        return 0
    return len(still)

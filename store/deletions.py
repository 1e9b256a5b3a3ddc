"""Deletions: a mention that its network says is gone loses its words here too, everywhere, and keeps its place in the counts.

`delete` is called inside the transaction that keeps the page. Text, title, address and raw go; so do the author's name and
handle where nothing else of theirs is kept, and exact copies in answers and notes. The row, its tags, its case and all counts
stay. Where a deletion is told before the mention itself, the mention comes without words later.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.clock import Calendar
from domain.contracts import Permission
from domain.taxonomy import department_of
from store import audit, schema
from store.edits import AUTHOR
from store.engine import chunks, insert_ignoring
from store.rollups import Delta
from store.rows import permission_json, storable

ACTION = "mention_deleted"  # in the audit
BLANK = "[…]"  # where our own words quoted what is gone
_SHORTEST_QUOTE = 20  # characters; shorter ones are anybody's words
_EMPTY: dict[str, Any] = {"text": "", "folded": "", "title": "", "url": "", "raw": {}, "look_up_at": None}
_NO_ANSWER = Permission(False, "This message was deleted on its network: there is nothing left to answer.")
_KEYS = ("day", "network", "department", "intent", "sentiment", "lang", "outbound", "uncertain")


def emptied(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A new row of a mention that was deleted before it was heard: counted, never read."""
    step = row["step"] if row["outbound"] else "done"
    return {**row, **_EMPTY, "deleted_at": at, "step": step, "permission": permission_json(_NO_ANSWER)}


def told_before(connection: sa.Connection, ids: Iterable[str]) -> dict[str, datetime]:
    """Which of these mentions are known to be gone although we never had them."""
    d = schema.deletions
    found: dict[str, datetime] = {}
    for part in chunks(list(ids)):
        found.update(connection.execute(sa.select(d.c.mention_id, d.c.at).where(d.c.mention_id.in_(part))).all())
    return found


def delete(connection: sa.Connection, calendar: Calendar, mention_ids: Collection[str], now: datetime) -> int:
    """Empty these mentions; how many were not empty already."""
    m = schema.mentions
    ids = sorted({storable(key) for key in mention_ids})
    columns = [
        m.c[name] for name in ("id", "step", "case_id", "account_id", "text", "urgency", "model", "deleted_at", *_KEYS)
    ]
    rows: list[sa.RowMapping] = []
    for part in chunks(ids):
        query = sa.select(*columns).where(m.c.id.in_(part)).order_by(m.c.id)
        rows += connection.execute(query if connection.dialect.name == "sqlite" else query.with_for_update()).mappings()
    unheard = [{"mention_id": key, "at": now} for key in sorted(set(ids) - {row["id"] for row in rows})]
    if unheard:
        connection.execute(insert_ignoring(connection, schema.deletions), unheard)
    rows = [row for row in rows if row["deleted_at"] is None]
    if not rows:
        return 0
    _empty(connection, calendar, rows, now)
    for row in rows:
        if row["case_id"] is not None:
            _unquote(connection, row)
    _forget_authors(connection, {row["account_id"] for row in rows if row["account_id"]})
    noted = [
        {"at": now, "actor": AUTHOR, "action": ACTION, "case_id": row["case_id"], "data": {"mention_id": row["id"]}}
        for row in rows
        if row["case_id"] is not None
    ]
    audit.append(connection, noted)
    return len(rows)


def _empty(connection: sa.Connection, calendar: Calendar, rows: Sequence[sa.RowMapping], now: datetime) -> None:
    m, delta = schema.mentions, Delta(calendar)
    aspects = _aspects(connection, [row["id"] for row in rows if row["step"] == "analyzed" and not row["outbound"]])
    values = {**_EMPTY, "deleted_at": now, "permission": permission_json(_NO_ANSWER)}
    for row in rows:
        moved: dict[str, Any] = {}
        if not row["outbound"] and row["step"] != "done":  # what nobody has read opens no case any more
            moved["step"] = "done"
            if row["step"] == "analyzed":
                told = aspects.get((row["id"], row["model"]), ())
                moved["department"] = department_of(row["intent"], told, row["urgency"])
                delta.mention(row, {**row, **moved})
        connection.execute(sa.update(m).where(m.c.id == row["id"]).values(**values, **moved))
    delta.apply(connection)


def _aspects(connection: sa.Connection, ids: Sequence[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    a = schema.analyses
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for part in chunks(list(ids)):
        rows = connection.execute(sa.select(a.c.mention_id, a.c.model, a.c.aspects).where(a.c.mention_id.in_(part)))
        found.update({(row.mention_id, row.model): tuple(row.aspects) for row in rows})
    return found


def _unquote(connection: sa.Connection, gone: sa.RowMapping) -> None:
    # Exact copies in what was written about the case, and the address in findings that have not left yet.
    o, n, text = schema.outbox, schema.notes, gone["text"]
    query = sa.select(o.c.key, o.c.kind, o.c.state, o.c.payload).where(o.c.case_id == gone["case_id"])
    for row in connection.execute(query).mappings().all():
        payload = row["payload"]
        if row["kind"] in {"reply", "private"} and len(text) >= _SHORTEST_QUOTE:
            payload = {**payload, "text": payload["text"].replace(text, BLANK)}
        elif row["kind"] == "crm" and row["state"] != "sent" and payload["fields"].get("mention_id") == gone["id"]:
            payload = {**payload, "fields": {**payload["fields"], "url": ""}}
        if payload != row["payload"]:
            connection.execute(sa.update(o).where(o.c.key == row["key"]).values(payload=payload))
    if len(text) < _SHORTEST_QUOTE:
        return
    for note_id, note in connection.execute(sa.select(n.c.id, n.c.text).where(n.c.case_id == gone["case_id"])).all():
        if text in note:
            connection.execute(sa.update(n).where(n.c.id == note_id).values(text=note.replace(text, BLANK)))


def _forget_authors(connection: sa.Connection, account_ids: Collection[str]) -> None:
    # Whose last words are gone is nobody we may name, unless the shop knows them as a customer. Heard again, they are named
    # again (`people.see_authors`); the ids stay, so that persons are counted as before.
    a, m, p = schema.accounts, schema.mentions, schema.persons
    for part in chunks(sorted(account_ids)):
        others = sa.select(m.c.account_id).where(m.c.account_id.in_(part), m.c.deleted_at.is_(None))
        silent = sorted(set(part) - set(connection.scalars(others.distinct())))
        owners = sorted(set(connection.scalars(sa.select(a.c.person_id).where(a.c.id.in_(silent)))))
        unknown = (p.c.customer_ref.is_(None), p.c.email.is_(None), p.c.phone.is_(None))
        nobodies = set(connection.scalars(sa.select(p.c.id).where(p.c.id.in_(owners), *unknown)))
        mine = (a.c.id.in_(silent), a.c.person_id.in_(sorted(nobodies)))
        connection.execute(sa.update(a).where(*mine).values(handle="", name="", url=""))
        named = sa.select(a.c.person_id).where(a.c.person_id.in_(sorted(nobodies)), a.c.name != "")
        nameless = sorted(nobodies - set(connection.scalars(named)))
        connection.execute(sa.update(p).where(p.c.id.in_(nameless)).values(name=""))

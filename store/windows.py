"""Windows of what came in, for the question whether it changed (`domain/drift.py`). Reads only.

Mixes are counted from the roll-ups. What a model saw of messages is sampled, by the order of a hash, so that the same store
gives the same sample and a shop of any size the same wait.
"""

from datetime import date, timedelta
from struct import unpack

import sqlalchemy as sa

from domain.drift import ENOUGH, Seen, Vector, Window
from store import schema
from store.corrections import PERSON

RECENT_DAYS, REFERENCE_DAYS = 28, 90
SAMPLE = 2_000  # messages of a window whose signals are read
_HASHES = 2**31
_SPARE = 2  # times the sample that is looked at first, as some messages were told by other models


def both(connection: sa.Connection, today: date, model: str) -> tuple[Window, Window]:
    """(reference, recent): the 90 days before, and the last 28 days, today among them.

    Where too little came in during those 90 days, the reference is the oldest 90 days that there are before the recent
    ones.

    Args:
        model: whose signals are compared; those of its family count, as they see the same.
    """
    until = today + timedelta(days=1)
    since = until - timedelta(days=RECENT_DAYS)
    recent = _window(connection, since, until, model)
    first = connection.scalar(sa.select(sa.func.min(schema.rollup_mentions.c.day)).where(*_analysed()))
    start = min(date.fromisoformat(first), since) if first else since
    reference = _window(connection, max(start, since - timedelta(days=REFERENCE_DAYS)), since, model)
    if reference.count < ENOUGH:
        oldest = _window(connection, start, min(start + timedelta(days=REFERENCE_DAYS), since), model)
        reference = oldest if oldest.count > reference.count else reference
    return reference, recent


def unsure(connection: sa.Connection, since: date, until: date) -> tuple[int, int]:
    """(messages that the model asks a person to look at and nobody has, all messages) of these days."""
    r = schema.rollup_mentions.c
    waiting = sa.func.sum(sa.case((r.uncertain, r.count), else_=0))
    row = connection.execute(sa.select(waiting, sa.func.sum(r.count)).where(*_inside(since, until))).one()
    return int(row[0] or 0), int(row[1] or 0)


def family(model: str) -> str:
    """The model that was shipped, of one that learnt on top of it: they see the same."""
    name, at, version = model.partition("@")
    return f"{name}{at}{version.partition('+')[0]}"


def _analysed() -> list[sa.ColumnElement[bool]]:
    r = schema.rollup_mentions.c
    return [r.outbound.is_(False), r.lang != ""]


def _inside(since: date, until: date) -> list[sa.ColumnElement[bool]]:
    r = schema.rollup_mentions.c
    return [r.day >= since.isoformat(), r.day < until.isoformat(), *_analysed()]


def _window(connection: sa.Connection, since: date, until: date, model: str) -> Window:
    r, inside = schema.rollup_mentions.c, _inside(since, until)
    langs, networks = (
        {name: int(count) for name, count in connection.execute(query) if count}
        for query in (sa.select(c, sa.func.sum(r.count)).where(*inside).group_by(c) for c in (r.lang, r.network))
    )
    seen = _sample(connection, since, until, model, sum(networks.values()))
    return Window(since, until, langs, networks, seen)


def _place(connection: sa.Connection) -> sa.ColumnElement[int]:
    # A number 0..2^31 for each mention, spread evenly and told from the row alone.
    if connection.dialect.name == "sqlite":  # which has no hash; the golden ratio spreads row numbers evenly
        return sa.literal_column("(mentions.rowid * 2654435761) % 2147483648", sa.BigInteger)
    return sa.func.hashtext(schema.mentions.c.id).op("&")(_HASHES - 1)


def _sample(connection: sa.Connection, since: date, until: date, model: str, expected: int) -> list[Seen]:
    # The first by hash, looked for in a part of the window that grows until enough are found: most rows are never read.
    a, m, base = schema.analyses.c, schema.mentions.c, family(model)
    place = _place(connection)
    query = (
        sa.select(m.day, a.token_count, a.unknown_count, a.sketch)
        .join(schema.analyses, a.mention_id == m.id)
        .where(m.day >= since.isoformat(), m.day < until.isoformat(), m.outbound.is_(False))
        .where(m.model.in_([a.model, sa.literal(f"{PERSON}@") + a.model]))  # what it says now, corrected or not
        .where(a.sketch.is_not(None), sa.or_(a.model == base, a.model.startswith(f"{base}+", autoescape=True)))
        .order_by(place, m.id)
        .limit(SAMPLE)
    )
    part = min(1.0, _SPARE * SAMPLE / expected) if expected else 1.0
    while True:
        rows = connection.execute(query if part >= 1 else query.where(place < int(part * _HASHES))).all()
        if len(rows) == SAMPLE or part >= 1:
            return [Seen(date.fromisoformat(day), tokens, odd, _numbers(sketch)) for day, tokens, odd, sketch in rows]
        part = min(1.0, part * 4)


def _numbers(sketch: bytes) -> Vector:
    return unpack(f"<{len(sketch) // 2}e", sketch)

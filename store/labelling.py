"""What a person labels next, and how far two people who labelled the same messages agree. Reads only; labels.py writes.

Two piles. SAMPLE is drawn by the hash of the message's id: every message has the same chance, and everybody goes through
the same order, so that quality can be measured on it and two people meet on the same messages. INSTRUCTIVE holds what
the model is least sure of, one message from each cluster of similar ones: the most to learn from, nothing to measure by.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from heapq import nsmallest
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.label import Field, Origin
from domain.mention import Mention, MentionId
from domain.quality import Tags, agreement, tags_of
from store import corrections, diverse, schema
from store.engine import Database, chunks
from store.rows import mention_of

DOUBLE_SHARE = 0.3  # of a sample, what another person has read already: enough for kappa, and most of the work is new
_ORDER = b"comptoir sample 1"  # another key is another order: people who began on the first would meet no more
_POOL = 20  # candidates looked at for each message that is drawn from the instructive pile
_MOST_CANDIDATES = 2_000


class Pile(StrEnum):
    """Where the next messages come from."""

    SAMPLE = "sample"
    INSTRUCTIVE = "instructive"


@dataclass(frozen=True, slots=True)
class LabellingScope:
    """Which messages. Empty tuples and None mean all; `departments` is what the person may see."""

    departments: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How far the sample pile has been read.

    Attributes:
        mine: messages that the person has labelled.
        others: messages that somebody else has labelled.
        both: messages in both.
    """

    total: int
    mine: int
    others: int
    both: int


@dataclass(frozen=True, slots=True)
class Item:
    """One message to label, with what stands around it.

    Attributes:
        analysis: what the model alone says of it, whatever persons answered since.
        previous: what it answers, or what was said before it in its thread.
    """

    mention: Mention
    department: str
    analysis: Analysis | None
    previous: Mention | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two people answered one question about the same messages.

    Attributes:
        share: of the messages to which both gave the same answer, 0..1.
        kappa: the same beyond chance; None where chance alone would make them agree always.
    """

    first: str
    second: str
    field: Field
    n: int
    share: float
    kappa: float | None


class Labelling:
    """Drawing, and comparing two readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def draw(self, pile: Pile, annotator: str, count: int, scope: LabellingScope) -> list[MentionId]:
        """At most `count` messages that this person has not labelled; the same call on the same store draws the same."""
        with self._database.read() as connection:
            if pile is Pile.SAMPLE:
                return _sample(connection, annotator, count, scope)
            return _instructive(connection, count, scope)

    def counts(self, annotator: str, scope: LabellingScope) -> Counts:
        """How many messages there are to label, and how many were."""
        m = schema.mentions
        with self._database.read() as connection:
            total = connection.scalar(sa.select(sa.func.count()).select_from(m).where(*_conditions(scope))) or 0
            mine, others = _readers(connection, annotator, scope)
        return Counts(total, len(mine), len(others), len(mine & others))

    def item(self, mention_id: MentionId) -> Item | None:
        """One message with its surroundings; None where there is no such message."""
        m = schema.mentions
        columns = [column for column in m.c if column.name not in {"raw", "folded"}]
        with self._database.read() as connection:
            row = connection.execute(sa.select(*columns).where(m.c.id == mention_id)).mappings().one_or_none()
            if row is None:
                return None
            analysis = corrections.spoken(connection, {mention_id: row["model"]}).get(mention_id)
            parent = sa.select(*columns).where(m.c.id == row["parent_id"])
            before = (
                sa.select(*columns)
                .where(m.c.thread_id == row["thread_id"], m.c.created_at < row["created_at"], m.c.id != mention_id)
                .order_by(m.c.created_at.desc(), m.c.id)
                .limit(1)
            )
            above = connection.execute(parent).mappings().one_or_none() if row["parent_id"] else None
            above = above or connection.execute(before).mappings().one_or_none()
        return Item(mention_of(row), row["department"], analysis, mention_of(above) if above else None)

    def agreement(self) -> list[Agreement]:
        """Every two people, by name, and every question that both answered about the same messages of the sample pile."""
        given: dict[Field, dict[str, dict[str, Tags]]] = {field: defaultdict(dict) for field in Field}
        with self._database.read() as connection:
            for row in connection.execute(_given(LabellingScope())):
                field = Field(row.field)
                given[field][row.by][row.mention_id] = tags_of(field, row.value)
        people = sorted({person for answers in given.values() for person in answers})
        return [
            one
            for first, second in combinations(people, 2)
            for field, answers in given.items()
            if (one := _agreement(first, second, field, answers)) is not None
        ]


def _agreement(first: str, second: str, field: Field, answers: Mapping[str, Mapping[str, Tags]]) -> Agreement | None:
    one, other = answers.get(first, {}), answers.get(second, {})
    both = [(one[key], other[key]) for key in sorted(one.keys() & other.keys())]
    if not both:
        return None
    found = agreement(field, both)
    return Agreement(first, second, field, len(both), found["agreement"], found.get("kappa"))


def _conditions(scope: LabellingScope) -> list[sa.ColumnElement[bool]]:
    m = schema.mentions.c
    found = [m.outbound.is_(False), m.model != "", m.text != ""]
    if scope.departments:
        found.append(m.department.in_(scope.departments))
    if scope.langs:
        found.append(m.lang.in_(scope.langs))
    if scope.since is not None:
        found.append(m.created_at >= scope.since)
    if scope.until is not None:
        found.append(m.created_at < scope.until)
    return found


def _given(scope: LabellingScope) -> sa.Select[Any]:
    # Standing labels of the sample pile, the oldest first, so that a person's last answer is read last.
    x, m = schema.labels, schema.mentions
    standing = (x.c.retracted_at.is_(None), x.c.origin == Origin.LABELLING.value)
    return (
        sa.select(x.c.mention_id, x.c.field, x.c.value, x.c.by)
        .join(m, m.c.id == x.c.mention_id)
        .where(*standing, *_conditions(scope))
        .order_by(x.c.id)
    )


def _readers(connection: sa.Connection, annotator: str, scope: LabellingScope) -> tuple[set[str], set[str]]:
    # (what this person has read of the sample, what anybody else has). A correction at the desk is no reading: to leave out
    # what was corrected there would leave out the model's errors.
    mine: set[str] = set()
    others: set[str] = set()
    query = _given(scope).with_only_columns(schema.labels.c.mention_id, schema.labels.c.by).order_by(None).distinct()
    for mention_id, by in connection.execute(query):
        (mine if by == annotator else others).add(mention_id)
    return mine, others


# -- the sample ------------------------------------------------------------------------------------------------------------


def _rank(mention_id: str) -> bytes:
    return blake2b(mention_id.encode(), key=_ORDER, digest_size=8).digest()


def _shuffled(mention_id: str) -> bytes:
    # Another order for everybody: by rank, what others have read would come first, and show.
    return _rank(f"shuffled {mention_id}")


def _sample(connection: sa.Connection, annotator: str, count: int, scope: LabellingScope) -> list[MentionId]:
    mine, others = _readers(connection, annotator, scope)
    ids = connection.scalars(sa.select(schema.mentions.c.id).where(*_conditions(scope)))
    open_ids = [key for key in ids if key not in mine]
    fresh = nsmallest(count, (key for key in open_ids if key not in others), key=_rank)
    # Both parts are random, so their sum is too; where one is short, the other fills the pile.
    again = nsmallest(count, (key for key in open_ids if key in others), key=_rank)
    twice = max(round(count * DOUBLE_SHARE), count - len(fresh))
    again = again[:twice]
    return [MentionId(key) for key in sorted(again + fresh[: count - len(again)], key=_shuffled)]


# -- the instructive pile --------------------------------------------------------------------------------------------------


def _instructive(connection: sa.Connection, count: int, scope: LabellingScope) -> list[MentionId]:
    m, a, x = schema.mentions, schema.analyses, schema.labels
    labelled = sa.select(x.c.mention_id).where(x.c.retracted_at.is_(None))
    highest = sa.case(
        (sa.and_(a.c.p_negative >= a.c.p_neutral, a.c.p_negative >= a.c.p_positive), a.c.p_negative),
        (a.c.p_positive >= a.c.p_neutral, a.c.p_positive),
        else_=a.c.p_neutral,
    )
    query = (
        sa.select(m.c.id, a.c.sketch)
        .join(a, sa.and_(a.c.mention_id == m.c.id, a.c.model == m.c.model))
        .where(*_conditions(scope), m.c.id.not_in(labelled))
        .order_by(a.c.uncertain.desc(), a.c.intent_p * highest, m.c.id)
        .limit(min(_MOST_CANDIDATES, _POOL * count))
    )
    rows = connection.execute(query).all()
    if len(rows) <= count:
        return [MentionId(row.id) for row in rows]
    vectors = diverse.of_sketches([row.sketch for row in rows])
    if vectors is None:
        vectors = diverse.of_words(_words(connection, [row.id for row in rows]))
    return [MentionId(rows[place].id) for place in diverse.spread(vectors, count)]


def _words(connection: sa.Connection, ids: Sequence[str]) -> list[list[str]]:
    m = schema.mentions
    texts: dict[str, str] = {}
    for part in chunks(list(ids)):
        rows = connection.execute(sa.select(m.c.id, sa.func.substr(m.c.folded, 1, 500)).where(m.c.id.in_(part)))
        texts.update({row[0]: row[1] for row in rows})
    return [texts.get(key, "").split() for key in ids]

"""Models that have spoken here: shipped ones with their figures, learnt heads whole, and which one is in use.

At most one learnt row is in use; none means the heads that were shipped. `add` and `use` write the row and its audit line
together, so that a process killed in between leaves the model as it was. What a model may learn from is read here too
(`said`, `left_alone`); the labels themselves are in `store.labels`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from domain.case import RuleError
from domain.errors import ContractError
from domain.mention import Mention, MentionId
from store import audit, people, schema
from store.engine import Database, chunks
from store.rows import mention_of

USED, UNDONE = "model_used", "model_undone"  # in the audit
_LOCK = 730153  # PostgreSQL's advisory lock of whoever says which model is in use
_COLUMNS = [column for column in schema.mentions.c if column.name not in {"raw", "folded"}]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model.

    Attributes:
        model: `name@version`, as its analyses are signed.
        base: the shipped model that the heads were learnt on; None for a shipped one.
        heads: what was learnt; None for a shipped one.
        report: what was measured when it was made.
    """

    model: str
    base: str | None
    created_at: datetime
    created_by: str
    heads: bytes | None
    report: Mapping[str, Any]
    in_use: bool


class Models:
    """Writing and reading models."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, model: str, report: Mapping[str, Any], *, at: datetime) -> None:
        """Keep a shipped model and its figures. Known ones are written again only where their figures changed."""
        mo = schema.models
        known = self.get(model)
        if known is not None and known.report == dict(report):
            return
        with self._database.write() as connection:
            self._lock(connection)
            if self._row(connection, model) is None:
                connection.execute(sa.insert(mo), _values(model, None, None, report, at, "comptoir"))
            else:
                connection.execute(sa.update(mo).where(mo.c.model == model).values(report=dict(report)))

    def add(
        self,
        model: str,
        base: str,
        heads: bytes,
        report: Mapping[str, Any],
        *,
        by: str,
        at: datetime,
        use: bool = False,
    ) -> None:
        """Keep learnt heads, and with `use` put them in use in the same breath. The same heads again are kept once.

        Raises:
            ContractError: other heads are kept under this name.
        """
        with self._database.write() as connection:
            self._lock(connection)
            known = self._row(connection, model)
            if known is None:
                connection.execute(sa.insert(schema.models), _values(model, base, heads, report, at, by))
            elif known.heads != heads:
                raise ContractError(f"Other heads are kept as “{model}”. Nothing was written.")
            if use:
                self._use(connection, model, USED, by, at)

    def use(self, model: str | None, *, by: str, at: datetime) -> None:
        """Put learnt heads in use, or with None those that were shipped. The worker follows at its next pass.

        Raises:
            RuleError: no such heads are kept.
        """
        with self._database.write() as connection:
            self._lock(connection)
            self._use(connection, model, USED, by, at)

    def undo(self, *, by: str, at: datetime) -> ModelRow | None:
        """Go back to what was in use before; None where those are the shipped heads. Undone twice, it goes back two steps.

        Raises:
            RuleError: the shipped heads are in use and were from the start.
        """
        with self._database.write() as connection:
            self._lock(connection)
            before = _history(connection)
            if not before:
                raise RuleError(
                    "There is nothing to undo: the heads that were shipped are in use. Nothing was changed."
                )
            self._use(connection, before[-1], UNDONE, by, at)
            return self._row(connection, before[-1]) if before[-1] else None

    # -- reading -----------------------------------------------------------------------------------------------------------

    def get(self, model: str) -> ModelRow | None:
        """One model."""
        with self._database.read() as connection:
            return self._row(connection, model)

    def in_use(self) -> ModelRow | None:
        """The learnt heads in use; None where the shipped ones are."""
        with self._database.read() as connection:
            return _in_use(connection)

    def previous(self) -> list[str | None]:
        """What `undo` goes back to, step by step, the last one first; None stands for the shipped heads."""
        with self._database.read() as connection:
            return _history(connection)[::-1]

    def all(self) -> list[ModelRow]:
        """All models, oldest first."""
        mo = schema.models
        with self._database.read() as connection:
            rows = connection.execute(sa.select(mo).order_by(mo.c.created_at, mo.c.model)).mappings()
            return [ModelRow(**row) for row in rows]

    def said(self, mention_ids: Sequence[MentionId]) -> dict[MentionId, Mention]:
        """These mentions by id; those that are gone are left out."""
        found: list[Mention] = []
        with self._database.read() as connection:
            for part in chunks(list(dict.fromkeys(mention_ids))):
                found += _mentions(connection, part)
        return {mention.id: mention for mention in found}

    def left_alone(self, model: str, limit: int) -> list[Mention]:
        """Mentions that `model` read, that a person answered or closed, and of which nobody corrected or confirmed a tag.

        At most `limit`, drawn by their ids: always the same ones, spread over all that there are.
        """
        m, c = schema.mentions.c, schema.cases.c
        dealt_with = sa.or_(c.last_reply_at >= m.created_at, c.resolved_at >= m.created_at)
        query = (
            sa.select(m.id)
            .join(schema.cases, c.id == m.case_id)
            .where(m.model == model, m.outbound.is_(False), dealt_with)
        )
        with self._database.read() as connection:
            drawn = sorted(connection.scalars(query), key=_drawn)[:limit]
            found = [mention for part in chunks(drawn) for mention in _mentions(connection, part)]
        return sorted(found, key=lambda mention: mention.id)

    # -- writing -----------------------------------------------------------------------------------------------------------

    def _lock(self, connection: sa.Connection) -> None:
        if not self._database.is_sqlite:  # two who switch at once would each see the other's row as not in use
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    @staticmethod
    def _row(connection: sa.Connection, model: str) -> ModelRow | None:
        mo = schema.models
        row = connection.execute(sa.select(mo).where(mo.c.model == model)).mappings().one_or_none()
        return ModelRow(**row) if row else None

    def _use(self, connection: sa.Connection, model: str | None, action: str, by: str, at: datetime) -> None:
        mo, current = schema.models, _in_use(connection)
        wanted = self._row(connection, model) if model is not None else None
        if model is not None and (wanted is None or wanted.heads is None):
            raise RuleError(
                f"No learnt heads are kept as “{model}”. Nothing was changed; `comptoir models` lists them."
            )
        was = current.model if current else None
        if was == model:
            return
        connection.execute(sa.update(mo).where(mo.c.in_use).values(in_use=False))
        connection.execute(sa.update(mo).where(mo.c.model == model).values(in_use=True))
        said = {"from": was, "to": model}
        audit.append(connection, [{"at": at, "actor": by, "action": action, "case_id": None, "data": said}])


def _values(
    model: str, base: str | None, heads: bytes | None, report: Mapping[str, Any], at: datetime, by: str
) -> dict[str, Any]:
    values = {"model": model, "base": base, "heads": heads, "report": dict(report)}
    return {**values, "created_at": at, "created_by": by, "in_use": False}


def _in_use(connection: sa.Connection) -> ModelRow | None:
    mo = schema.models
    row = connection.execute(sa.select(mo).where(mo.c.in_use)).mappings().one_or_none()
    return ModelRow(**row) if row else None


def _history(connection: sa.Connection) -> list[str | None]:
    """What was in use before what is now, oldest first, without what was undone."""
    a = schema.audit.c
    before: list[str | None] = []
    query = sa.select(a.action, a.data).where(a.action.in_([USED, UNDONE])).order_by(a.id)
    for action, data in connection.execute(query):
        if action == USED:
            before.append(data["from"])
        else:
            before.pop()
    return before


def _mentions(connection: sa.Connection, ids: Sequence[str]) -> list[Mention]:
    rows = list(connection.execute(sa.select(*_COLUMNS).where(schema.mentions.c.id.in_(ids))).mappings())
    authors = people.authors_of(connection, [row["account_id"] for row in rows])
    return [mention_of(row, authors.get(row["account_id"])) for row in rows]


def _drawn(mention_id: str) -> bytes:
    return blake2b(mention_id.encode(), digest_size=8).digest()

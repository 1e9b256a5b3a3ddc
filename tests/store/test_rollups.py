"""The kept counts agree with their rows after any history, on both backends."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.case import RuleError
from domain.departments import DEPARTMENTS
from domain.mention import Mention
from domain.taxonomy import INTENTS
from store import Store, schema
from tests.builders import START, analysis, mention, page

ACTS = (
    "add",
    "analyze",
    "route",
    "assign",
    "transfer",
    "snooze",
    "resolve",
    "reopen",
    "merge",
    "unmerge",
    "reply",
    "answer",
    "wake",
)
steps = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 30), st.integers(0, 30)), min_size=4, max_size=40)


class History:
    """Plays random acts on a store, as collectors, workers and people would."""

    def __init__(self, store: Store) -> None:
        self.store, self.said, self.clock = store, [], START
        store.sources.ensure("s", "demo", "S", {})
        self.said: list[Mention] = []

    def play(self, act: str, a: int, b: int) -> None:
        self.clock += timedelta(hours=1 + a % 30)
        with suppress(RuleError):  # the act makes no sense in this state; nothing may have changed
            getattr(self, act)(a, b)

    def add(self, a: int, b: int) -> None:
        number = str(len(self.said) - b % 2)  # sometimes one that is there already
        parent = self.said[b % len(self.said)] if self.said and a % 3 == 0 else None
        thread: dict[str, Any] = (
            {"conversation_id": parent.conversation_id or parent.native_id, "parent_id": parent.native_id}
            if parent
            else {}
        )
        new = mention(
            number,
            who=f"p{a % 4}",
            after=(self.clock - START) / timedelta(hours=1),
            network=("x", "mail")[b % 2] if not parent else parent.network,
            outbound=parent is not None and b % 4 == 0,
            **thread,
        )
        self.said.append(new)
        self.store.mentions.add_page("s", page(new), self.clock)

    def analyze(self, a: int, b: int) -> None:
        with self.store.mentions.unanalyzed(1 + b % 5) as backlog:
            told = [
                analysis(
                    m.id,
                    INTENTS[(a + i) % len(INTENTS)].key,
                    ("negative", "neutral", "positive")[(b + i) % 3],
                    uncertain=a % 5 == 0,
                )
                for i, m in enumerate(backlog.mentions)
            ]
            backlog.save(told, self.clock)

    def route(self, a: int, _b: int) -> None:
        self.store.cases.route(1 + a % 6, self.clock, lambda _case, _item, _person: [])

    def _case(self, n: int) -> Any:
        with self.store.database.read() as connection:
            ids = list(connection.scalars(sa.select(schema.cases.c.id).order_by(schema.cases.c.id)))
        if not ids:
            raise RuleError("no case yet")
        return ids[n % len(ids)]

    def assign(self, a: int, b: int) -> None:
        self.store.cases.assign(self._case(a), f"agent{b % 2}", actor="t", now=self.clock)

    def transfer(self, a: int, b: int) -> None:
        self.store.cases.transfer(self._case(a), DEPARTMENTS[b % len(DEPARTMENTS)].key, actor="t", now=self.clock)

    def snooze(self, a: int, b: int) -> None:
        self.store.cases.snooze(self._case(a), self.clock + timedelta(hours=1 + b), actor="t", now=self.clock)

    def wake(self, _a: int, _b: int) -> None:
        self.store.cases.wake_due(self.clock)

    def resolve(self, a: int, _b: int) -> None:
        self.store.cases.resolve(self._case(a), actor="t", now=self.clock)

    def reopen(self, a: int, _b: int) -> None:
        self.store.cases.reopen(self._case(a), actor="t", now=self.clock)

    def merge(self, a: int, b: int) -> None:
        self.store.cases.merge(self._case(a), self._case(b), actor="t", now=self.clock)

    def unmerge(self, a: int, _b: int) -> None:
        self.store.cases.unmerge(self._case(a), actor="t", now=self.clock)

    def reply(self, a: int, b: int) -> None:
        case_id = self._case(a)
        with self.store.database.read() as connection:
            m = schema.mentions
            found = connection.scalars(sa.select(m.c.id).where(m.c.case_id == case_id).order_by(m.c.id)).all()
        if found:
            self.store.cases.reply(
                case_id, found[b % len(found)], "Bonjour", source_key="s", key=f"k{a}{b}", actor="t", now=self.clock
            )

    def answer(self, _a: int, b: int) -> None:
        for row in self.store.outbox.lease("reply", "s", 3, self.clock):
            asked = self.store.mentions.get(row.mention_id)  # type: ignore[arg-type]
            assert asked is not None
            if b % 3:
                self.store.outbox.reply_sent(row, asked, f"r{row.key}", self.clock)
            else:
                self.store.outbox.refused([row], "no", self.clock)


def _empty(store: Store) -> None:
    with store.database.engine.connect().execution_options(comptoir_write=True) as connection, connection.begin():
        for table in reversed(schema.metadata.sorted_tables):
            if table.name not in {"revision", "audit"}:
                connection.execute(sa.delete(table))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(history=steps)
def test_any_history_leaves_counts_that_agree(store: Store, history: list[tuple[str, int, int]]) -> None:
    _empty(store)
    player = History(store)
    for act, a, b in history:
        player.play(act, a, b)
    assert store.rebuild_rollups(write=False) == []


def test_rebuild_finds_and_mends_a_wrong_count(store: Store) -> None:
    player = History(store)
    for act in ("add", "analyze", "route"):
        player.play(act, 1, 1)
    with store.database.write() as connection:
        connection.execute(
            sa.update(schema.rollup_mentions).where(schema.rollup_mentions.c["count"] == 1).values(count=5)
        )
    [difference] = store.rebuild_rollups()
    assert (difference.stored, difference.counted) == (5, 1)
    assert store.rebuild_rollups() == []

"""Models in the store: at most one in use, whoever switches; every switch in the audit; undone step by step."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from domain.case import RuleError
from domain.errors import ContractError
from domain.label import Field, Origin
from domain.mention import Mention, MentionId
from store import Store, audit, schema
from store.models import UNDONE, USED
from tests.builders import MODEL, START, analysis, mention, page
from tests.conftest import NOW

BASE = "small@1"
ONE, TWO = "small@1+aaaaaaaa", "small@1+bbbbbbbb"


def learn(store: Store, model: str, *, use: bool = True, heads: bytes = b"\x00numbers\xff") -> None:
    store.models.add(model, BASE, heads, {"from": BASE}, by="Awa", at=NOW, use=use)


def in_use(store: Store) -> str | None:
    row = store.models.in_use()
    return row.model if row else None


def test_a_shipped_model_is_kept_once_with_its_newest_figures(store: Store, now: datetime) -> None:
    store.models.register(BASE, {"gold": {"fr/intent": {"n": 3}}}, at=now)
    before = store.revision()
    store.models.register(BASE, {"gold": {"fr/intent": {"n": 3}}}, at=now + timedelta(days=1))
    assert store.revision() == before, "an idle worker writes nothing"
    store.models.register(BASE, {"gold": {}}, at=now + timedelta(days=1))
    [row] = store.models.all()
    assert (row.model, row.base, row.heads, row.in_use) == (BASE, None, None, False)
    assert row.report == {"gold": {}} and row.created_at == now
    assert store.models.in_use() is None


def test_learnt_heads_come_back_as_they_were(store: Store, now: datetime) -> None:
    heads = bytes(range(256)) * 300
    learn(store, ONE, heads=heads)
    row = store.models.in_use()
    assert row is not None and row == store.models.get(ONE)
    assert (row.base, row.heads, row.created_by, row.created_at, row.report) == (
        BASE,
        heads,
        "Awa",
        now,
        {"from": BASE},
    )


def test_at_most_one_is_in_use_and_every_switch_is_told(store: Store, now: datetime) -> None:
    learn(store, ONE, use=False)
    assert in_use(store) is None
    learn(store, TWO)
    store.models.use(ONE, by="Inès", at=now)
    store.models.use(ONE, by="Inès", at=now)  # again: nothing happens
    assert [row.model for row in store.models.all() if row.in_use] == [ONE]
    store.models.use(None, by="Inès", at=now)
    assert in_use(store) is None
    told = [(row.actor, row.action, row.data["from"], row.data["to"]) for row in store.audit.latest()]
    assert told == [("Inès", USED, ONE, None), ("Inès", USED, TWO, ONE), ("Awa", USED, None, TWO)]


def test_undo_walks_back_through_what_was_in_use(store: Store, now: datetime) -> None:
    learn(store, ONE)
    learn(store, TWO)
    assert store.models.previous() == [ONE, None]
    row = store.models.undo(by="Awa", at=now)
    assert row is not None and row.model == ONE == in_use(store)
    store.models.use(TWO, by="Awa", at=now)
    assert store.models.previous() == [ONE, None]
    store.models.undo(by="Awa", at=now)
    assert store.models.undo(by="Awa", at=now) is None
    assert in_use(store) is None and store.models.previous() == []
    with pytest.raises(RuleError, match="nothing to undo"):
        store.models.undo(by="Awa", at=now)
    assert [row.action for row in store.audit.latest()].count(UNDONE) == 3
    assert {row.model for row in store.models.all()} == {ONE, TWO}, "what was undone is kept"


def test_what_cannot_be_used_changes_nothing(store: Store, now: datetime) -> None:
    store.models.register(BASE, {}, at=now)
    learn(store, ONE)
    for name in ("small@1+cccccccc", BASE):
        with pytest.raises(RuleError, match="No learnt heads"):
            store.models.use(name, by="Awa", at=now)
    with pytest.raises(ContractError, match="Other heads"):
        learn(store, ONE, heads=b"others")
    learn(store, ONE)  # the very same again
    assert in_use(store) == ONE and len(store.models.all()) == 2


def test_heads_and_their_use_are_one_breath(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_args: Any) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(audit, "append", power_cut)
    with pytest.raises(RuntimeError):
        learn(store, ONE)
    assert store.models.all() == []
    monkeypatch.undo()
    learn(store, ONE)
    assert in_use(store) == ONE


def test_two_who_switch_at_once_leave_one_in_use(
    store: Store, open_store: Callable[[str], Store], database_url: str, now: datetime
) -> None:
    names = [f"small@1+{number:08x}" for number in range(4)]
    for name in names:
        learn(store, name, use=False)
    together, stores = Barrier(4), [open_store(database_url) for _ in names]

    def switch(place: int) -> None:
        together.wait()
        stores[place].models.use(names[place], by="Awa", at=now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(switch, range(4)))
    assert sum(row.in_use for row in store.models.all()) == 1
    assert len(store.models.previous()) == 4


# -- what a model may learn from -------------------------------------------------------------------------------------------


def fill(store: Store, *said: Mention) -> None:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(*said), NOW)
    with store.mentions.unanalyzed(100) as backlog:
        backlog.save([analysis(m.id) for m in backlog.mentions], NOW)
    store.cases.route(100, NOW, lambda _case, _item, _person: ())


def close(store: Store, number: int) -> None:
    [case_id] = store.mentions.case_ids([MentionId(f"x:{number}")])
    store.cases.resolve(case_id, actor="Awa", now=NOW)


def test_mentions_are_read_by_their_ids(store: Store) -> None:
    fill(store, mention("1"), mention("2", text="Merci !", who="karim", title="Bravo"))
    found = store.models.said([MentionId("x:2"), MentionId("x:404"), MentionId("x:2")])
    assert list(found) == ["x:2"]
    told = found[MentionId("x:2")]
    assert (told.text, told.title, told.author and told.author.handle) == ("Merci !", "Bravo", "karim")


def test_left_alone_is_what_a_person_dealt_with_and_said_nothing_about(store: Store) -> None:
    ours = mention("50", who=None, outbound=True, parent_id="2", conversation_id="2", after=1)
    later = mention("6", who="p1", conversation_id="1", after=30 * 24)
    fill(store, *(mention(str(n), who=f"p{n}") for n in range(1, 6)), ours)
    close(store, 1)
    close(store, 4)
    close(store, 5)
    with store.database.write() as connection:  # another model read this one
        connection.execute(sa.update(schema.mentions).where(schema.mentions.c.id == "x:4").values(model="old@1"))
    store.labels.put(MentionId("x:5"), {Field.CHURN: False}, by="Awa", at=NOW, origin=Origin.DESK)
    fill(store, later)
    found = store.models.left_alone(str(MODEL), 10)
    assert [m.id for m in found] == ["x:1", "x:2"], "closed, and answered; not ours, and nothing that is still waiting"
    assert START < NOW


def test_left_alone_is_drawn_the_same_each_time(store: Store) -> None:
    fill(store, *(mention(str(n), who=f"p{n}") for n in range(30)))
    for number in range(30):
        close(store, number)
    few = [m.id for m in store.models.left_alone(str(MODEL), 8)]
    assert few == [m.id for m in store.models.left_alone(str(MODEL), 8)] and len(set(few)) == 8
    assert set(few) < {m.id for m in store.models.left_alone(str(MODEL), 20)}
    assert few != sorted(f"x:{n}" for n in range(30))[:8], "spread, not the first ones"

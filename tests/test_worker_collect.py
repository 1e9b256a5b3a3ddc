"""Reading sources side by side: a slow one holds up nobody, a budget ends a run, and kept mentions are looked up again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

import worker as steps
from domain.budget import Budget, SpendKind
from domain.contracts import CollectorSpec, Cursor, Page, Spend, Watch
from domain.errors import TransientError
from domain.mention import Mention
from store import Store
from store.sources import SourceState
from tests.builders import analysis, mention
from tests.conftest import NOW
from tests.test_worker import FlatAnalyzer
from worker_collect import Readers

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Shelf:
    """A network with `count` mentions, one a page, each at a price; it can look them up again."""

    def __init__(self, key: str = "shelf", count: int = 3, price: float = 0.0, *, resumes: bool = True) -> None:
        self.spec = CollectorSpec(key, key.title(), price_per_read=price, rehydrate_every=DAY)
        self.key, self.price, self.resumes = key, price, resumes
        self.said = {f"{key}{n}": mention(f"{key}{n}", f"Colis {n} perdu", created_at=NOW - DAY) for n in range(count)}
        self.asked: list[list[str]] = []
        self.read_count = 0

    def check(self) -> None: ...

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        for n, one in enumerate(list(self.said.values())):
            if since is not None and n <= int(since):
                continue
            self.read_count += 1
            cursor = Cursor(str(n)) if self.resumes else None
            yield Page((one,), cursor, spent=Spend(1, 1, self.price) if self.price else Spend())

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        self.asked.append([one.native_id for one in mentions])
        there = [self.said[one.native_id] for one in mentions if one.native_id in self.said]
        gone = tuple(one.id for one in mentions if one.native_id not in self.said)
        cost = Spend(1, len(mentions), self.price * len(mentions)) if self.price else Spend()
        return Page((), None, changed=tuple(there), deleted=gone, spent=cost)


class Rig:
    """A worker over some shelves, with a clock that the test turns."""

    def __init__(self, store: Store, *shelves: Any) -> None:
        self.store, self.now = store, NOW
        self.collectors = {one.key: one for one in shelves}
        for key in self.collectors:
            store.sources.ensure(key, "shelf", key.title(), {})
        self.worker = steps.Worker(
            store, FlatAnalyzer(), lambda s: self.collectors[s.key], {}, timedelta(0), now=lambda: self.now
        )

    def pass_(self, after: timedelta = timedelta(0)) -> steps.Report:
        self.now += after
        return steps.run_once(self.worker)


# -- side by side ----------------------------------------------------------------------------------------------------------


class Stuck(Shelf):
    """A network that says nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__("a_stuck")
        self.entered, self.let_go = Event(), Event()

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        self.entered.set()
        assert self.let_go.wait(20)
        yield from super().fetch(watch, since)


def test_a_silent_network_holds_up_neither_the_others_nor_the_flow(store: Store) -> None:
    stuck = Stuck()
    rig = Rig(store, stuck, Shelf("b_quick"))
    rig.worker = replace(rig.worker, readers=Readers(patience=0.01))
    try:
        for _ in range(3):  # it is read by one thread, however many passes go by
            rig.pass_()
            assert stuck.entered.wait(20)
        wait_for(lambda: rig.pass_() and store.mention_count() == 3)
        rig.pass_()
        assert store.cases.count() == 1, "what the others brought is in the desk"
    finally:
        stuck.let_go.set()
    wait_for(lambda: rig.pass_() and store.mention_count() == 6)
    rig.worker.readers.close()
    source = store.sources.get("a_stuck")
    assert source is not None and source.state is SourceState.OK and stuck.read_count == 3


def wait_for(done: Any) -> None:
    for _ in range(400):
        if done():
            return
    raise AssertionError("it never came")


def test_a_pass_that_waits_reads_all_of_them_and_counts_them(store: Store) -> None:
    rig = Rig(store, *(Shelf(f"s{n}", 2) for n in range(12)))
    report = rig.pass_()
    assert (report.collected, report.analyzed, store.mention_count()) == (24, 24, 24)


# -- budgets ---------------------------------------------------------------------------------------------------------------


def test_a_run_ends_with_the_budget_and_goes_on_with_a_larger_one(store: Store) -> None:
    shelf = Shelf(count=10, price=1.0)
    rig = Rig(store, shelf)
    store.sources.set_budget("shelf", Budget(price=3.0))
    rig.pass_()
    assert (shelf.read_count, store.mention_count()) == (3, 3)
    told = rig.pass_(HOUR).needs_person
    assert len(told) == 1 and "its budget is spent" in told[0]
    assert rig.pass_(HOUR).needs_person == [] and shelf.read_count == 3
    store.sources.set_budget("shelf", Budget(price=100.0))
    rig.pass_(HOUR)
    assert (shelf.read_count, store.mention_count()) == (10, 10), "nothing is paid for twice"


def test_where_a_run_cannot_be_resumed_it_may_pass_the_budget_a_little(store: Store) -> None:
    shelf = Shelf(count=20, price=1.0, resumes=False)
    rig = Rig(store, shelf)
    store.sources.set_budget("shelf", Budget(price=8.0))
    rig.pass_()
    assert shelf.read_count == 10  # 125 %


def test_a_days_quota_keeps_a_part_for_answers(store: Store) -> None:
    class Counted(Shelf):
        def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
            for page in super().fetch(watch, since):
                yield replace(page, spent=Spend(1, 1, 0.0, 10))

    shelf = Counted(count=20)
    shelf.spec = replace(shelf.spec, quota=100)
    rig = Rig(store, shelf)
    rig.pass_()
    assert shelf.read_count == 9
    rig.pass_(HOUR)
    assert shelf.read_count == 9
    rig.pass_(DAY)
    assert shelf.read_count == 18


# -- looking up again ------------------------------------------------------------------------------------------------------


def test_edits_and_deletions_travel(store: Store) -> None:
    shelf = Shelf()
    rig = Rig(store, shelf)
    rig.pass_()
    shelf.said["shelf0"] = mention("shelf0", "Colis retrouvé", created_at=NOW - DAY)
    del shelf.said["shelf1"]
    rig.pass_(DAY)
    texts = {key: found.text for key in ("x:shelf0", "x:shelf1", "x:shelf2") if (found := store.mentions.get(key))}  # type: ignore[arg-type]
    assert texts == {"x:shelf0": "Colis retrouvé", "x:shelf1": "", "x:shelf2": "Colis 2 perdu"}
    assert store.mentions.edited(10) == [] and store.mention_count() == 3
    assert store.rebuild_rollups(write=False) == []


def test_at_a_price_only_the_duty_is_paid_for(store: Store) -> None:
    free, dear = Shelf("free"), Shelf("dear", price=0.5)
    rig = Rig(store, free, dear)
    for _ in range(25):
        rig.pass_(HOUR)
    assert len(free.asked) >= 1 and len(dear.asked) == 1
    month = store.ledger.month("dear", rig.now)
    assert month is not None and month.by_kind[SpendKind.REHYDRATION].price == pytest.approx(1.5)


def test_trouble_while_looking_up_is_told_and_tried_again(store: Store) -> None:
    shelf = Shelf()
    rig = Rig(store, shelf)
    rig.pass_()
    whole = shelf.rehydrate

    def down(_mentions: Sequence[Mention]) -> Page:
        raise TransientError("The network rests.")

    shelf.rehydrate = down  # type: ignore[method-assign]
    assert rig.pass_(DAY).failed == 1
    source = store.sources.get("shelf")
    assert source is not None and source.last_error == "The network rests."
    shelf.rehydrate = whole  # type: ignore[method-assign]
    del shelf.said["shelf1"]
    rig.pass_(HOUR)
    assert store.mentions.get(analysis("x:shelf1").mention_id).text == ""  # type: ignore[union-attr]

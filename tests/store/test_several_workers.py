"""Several workers on one PostgreSQL: each mention is analysed once and routed once, each row leaves once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import worker as steps
from domain.contracts import CrmRecord, CrmSpec, Receipt, ReceiptState, RemoteId
from store import Store
from tests.builders import mention, page
from tests.test_worker import FlatAnalyzer

WORKERS = 4
MENTIONS = 600


class Counting:
    """A CRM that keeps every key that it was given."""

    spec = CrmSpec("crm", "CRM", batch_size=20)

    def __init__(self) -> None:
        self.keys: list[str] = []

    def check(self) -> None: ...

    def push(self, records: list[CrmRecord]) -> list[Receipt]:
        self.keys += [record.key for record in records]
        return [Receipt(record.key, ReceiptState.ACCEPTED, RemoteId("1")) for record in records]


def test_workers_share_the_backlog_and_double_nothing(
    postgres_database: str, open_store: Callable[[str], Store], now: datetime
) -> None:
    first = open_store(postgres_database)
    first.sources.ensure("s", "demo", "S", {}, polled=False)
    # Three words to a thread, so that routers must agree on its case.
    said = [
        mention(str(n), who=f"p{n // 3}", after=n / 10, conversation_id=str(n // 3 * 3), parent_id=None)
        for n in range(MENTIONS)
    ]
    first.mentions.add_page("s", page(*said), now)
    crm = Counting()

    def work(_number: int) -> steps.Report:
        store = open_store(postgres_database)
        return steps.run_once(
            steps.Worker(store, FlatAnalyzer(), lambda _s: None, {"crm": crm}, timedelta(0), now=lambda: now)  # type: ignore[arg-type,return-value]
        )

    with ThreadPoolExecutor(WORKERS) as pool:
        reports = list(pool.map(work, range(WORKERS)))
    last = work(0)
    assert sum(report.analyzed for report in [*reports, last]) == MENTIONS
    assert sum(report.routed for report in [*reports, last]) == MENTIONS
    assert first.cases.count() == MENTIONS // 3
    assert len(crm.keys) == len(set(crm.keys)) == MENTIONS // 3
    assert first.rebuild_rollups(write=False) == []

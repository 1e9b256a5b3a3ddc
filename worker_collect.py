"""The collect step: sources are read side by side within their budgets, webhooks unpacked, kept mentions looked up again.

Each source is read by a thread of its own (`Readers`), so that a slow network holds up neither the others nor the rest of
the flow. Around one source stands a broad `except`: what went wrong is written where the sources page shows it.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.budget import HARD_SHARE, Course, SpendKind, quota_zone
from domain.contracts import CanRehydrate, Collector, HearsWebhooks, KnowsCustomers, Page, Spend
from domain.errors import ComptoirError, ConfigurationError, ContractError, StorageError, TransientError
from domain.permission import rights_of
from domain.rehydration import schedule_of
from store.inbox import InboxRow
from store.ledger import Standing
from store.mentions import PageResult
from store.sources import Source, SourceState
from worker_past import answer_previews

if TYPE_CHECKING:
    from worker import Report, Worker

log = logging.getLogger("comptoir.worker")

SIDE_BY_SIDE = 8  # sources that are read at once; they wait for networks, not for the processor
GLANCE = 0.5  # seconds between two looks at people who wait for a preview
UNPACK_BATCH = 200
LOOK_UP_BATCH = 100
LOOK_UPS = 20  # batches of one source in one pass

AfterPage = Callable[[Page, PageResult], None]


@dataclass
class Readers:
    """The threads that read sources, and what they are reading.

    Attributes:
        patience: seconds that a pass waits for them; what takes longer goes on beside the next passes. None: until all are
            done.
    """

    patience: float | None = None
    running: dict[str, "Future[Report]"] = field(default_factory=dict)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(SIDE_BY_SIDE, "source"))

    def close(self) -> None:
        """Let those that run come to their end, and start no other."""
        self.pool.shutdown(cancel_futures=True)


def collect(worker: "Worker", report: "Report") -> None:
    """Read every source that is due and may be read; a page and its cursor are stored together, one page at a time."""
    readers = worker.readers
    answer_previews(worker.past)  # a person is waiting
    for source in _due(worker, report):
        if source.key not in readers.running:
            readers.running[source.key] = readers.pool.submit(_read, worker, source, type(report)())
    left = readers.patience
    while readers.running:
        done, _ = wait(readers.running.values(), timeout=GLANCE if left is None else min(GLANCE, left))
        for key in [key for key, future in readers.running.items() if future in done]:
            report.add(readers.running.pop(key).result())
        if left is not None:
            left -= GLANCE
            if left <= 0:
                return
        if readers.running:
            answer_previews(worker.past)


def _read(worker: "Worker", source: Source, report: "Report") -> "Report":
    with guarded_source(worker, source, report):
        collect_source(worker, source, report)
    return report


def collect_source(worker: "Worker", source: Source, report: "Report", after_page: AfterPage | None = None) -> None:
    """Read one source to its end, or to the end of its budget. Raises the errors of `domain.errors`."""
    store = worker.store
    store.sources.started(source.key, worker.now())
    collector = worker.collector_of(source)
    if source.state is not SourceState.OK:  # new, or after trouble: say in words what a person must do
        collector.check()
    store.ledger.set_quota(source.key, collector.spec.quota, quota_zone(source.collector), worker.now())
    if isinstance(collector, KnowsCustomers) and source.cursor is None:
        store.people.add_customers(collector.customers(), worker.now())
    rights, schedule = rights_of(collector), schedule_of(collector)
    for page in collector.fetch(store.watches.of_source(source.key, worker.watch), source.cursor):
        result = store.mentions.add_page(source.key, page, worker.now(), rights, schedule=schedule)
        report.collected += result.stored
        if after_page is not None:
            after_page(page, result)
        if _is_spent(worker, source, page):
            break
    else:
        _look_up(worker, source, collector, report)
    store.sources.succeeded(source.key, worker.now())


@contextmanager
def guarded_source(worker: "Worker", source: Source, report: "Report") -> Iterator[None]:
    """Whatever goes wrong inside is written beside the source, and the others go on."""
    sources, now = worker.store.sources, worker.now()
    try:
        yield
    except StorageError:
        raise  # the memory itself is in trouble: no source is to blame, and nothing could be written down
    except ConfigurationError as error:
        sources.blocked(source.key, str(error), now)
        report.needs_person.append(f"{source.title}: {error}")
        report.failed += 1
    except TransientError as error:
        sources.waiting(source.key, str(error), now, error.retry_after)
        report.failed += 1
    except ComptoirError as error:
        sources.waiting(source.key, str(error), now)
        report.failed += 1
    except Exception as error:
        log.exception("bug in source %s", source.key)
        sources.waiting(
            source.key, f"A fault of Comptoir's own ({type(error).__name__}: {error}). Please report it.", now
        )
        report.failed += 1


# -- what it may cost ------------------------------------------------------------------------------------------------------


def _due(worker: "Worker", report: "Report") -> list[Source]:
    now = worker.now()
    due = worker.store.sources.due(now, worker.interval)
    standings = worker.store.ledger.standings(now) if due else {}
    return [one for one in due if one.key not in standings or _affordable(worker, one, standings[one.key], report)]


def _affordable(worker: "Worker", source: Source, standing: Standing, report: "Report") -> bool:
    verdict, now = standing.verdict, worker.now()
    if worker.store.ledger.set_course(source.key, verdict.course, verdict.until) and verdict.course is not Course.GO:
        report.needs_person.append(
            f"{source.title}: {_told(verdict.course)} ({verdict.share:.0%} of the month's budget)."
        )
    if verdict.course is Course.STOP or (standing.quota is not None and standing.quota.is_used_up):
        return False
    if verdict.course is Course.SLOW and source.last_ok_at is not None:
        return source.last_ok_at + worker.interval * verdict.factor <= now
    return True


def _told(course: Course) -> str:
    return {
        Course.WARN: "spending would pass the budget before the month ends",
        Course.SLOW: "read less often, so that the budget lasts",
        Course.STOP: "no longer read this month: its budget is spent",
    }[course]


def _is_spent(worker: "Worker", source: Source, page: Page) -> bool:
    # A run ends where it can be resumed, or where it has gone well past the budget.
    if page.spent == Spend():
        return False
    standing = worker.store.ledger.standing(source.key, worker.now())
    stopped = standing.verdict.course is Course.STOP
    if stopped and standing.verdict.share >= HARD_SHARE:
        return True
    return page.cursor is not None and (stopped or (standing.quota is not None and standing.quota.is_used_up))


# -- looking kept mentions up again ----------------------------------------------------------------------------------------


def _look_up(worker: "Worker", source: Source, collector: Collector, report: "Report") -> None:
    if not isinstance(collector, CanRehydrate):
        return
    mentions, rights, schedule = worker.store.mentions, rights_of(collector), schedule_of(collector)
    for _ in range(LOOK_UPS):
        due = mentions.due_for_look_up(source.key, worker.now(), LOOK_UP_BATCH)
        if not due:
            return
        page = replace(collector.rehydrate(due), cursor=None)
        result = mentions.add_page(
            source.key, page, worker.now(), rights, kind=SpendKind.REHYDRATION, schedule=schedule, looked_up=due
        )
        report.collected += result.stored + result.changed + result.deleted
        if _is_spent(worker, source, replace(page, cursor=source.cursor)):
            return


# -- unpack ----------------------------------------------------------------------------------------------------------------


def unpack(worker: "Worker", report: "Report") -> None:
    """Read what webhooks brought; a delivery is done in the transaction that keeps its mentions."""
    store = worker.store
    for key in store.inbox.sources_due(worker.now()):
        source = store.sources.get(key)
        if source is None:
            continue
        with guarded_source(worker, source, report):
            collector = worker.collector_of(source)
            for _ in range(UNPACK_BATCH):  # then the others have their turn, and answers leave
                row = store.inbox.take(key, worker.now())
                if row is None:
                    break
                _unpack_one(worker, collector, row, report)
    store.inbox.tidy(worker.now())


def _unpack_one(worker: "Worker", collector: Collector, row: InboxRow, report: "Report") -> None:
    inbox, now = worker.store.inbox, worker.now()
    try:
        if not isinstance(collector, HearsWebhooks):
            raise ContractError(f"{collector.spec.title} hears no webhooks. Was the source's collector changed?")
        page, schedule = collector.unpack(row.delivery), schedule_of(collector)
        result = worker.store.mentions.add_page(
            row.source_key, page, now, rights_of(collector), delivery=row.key, schedule=schedule
        )
        report.collected += result.stored
    except StorageError:
        raise
    except ConfigurationError as error:  # mended by a person, then it is read by itself
        inbox.wait(row, str(error), now, timedelta(hours=1))
        raise
    except TransientError as error:  # the vendor is in trouble, not the delivery: the others would fare no better
        inbox.wait(row, str(error), now, error.retry_after)
        raise
    except Exception as error:  # this one delivery: it steps aside, the others go on
        reason = str(error)
        if not isinstance(error, ComptoirError):
            log.exception("bug while reading a delivery of %s", row.source_key)
            reason = f"A fault of Comptoir's own ({type(error).__name__}: {error}). Please report it."
        inbox.retry(row, reason, now)
        report.failed += 1

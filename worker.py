"""The door for the clock: collect, analyze, route, send; one function each, the whole flow on this page.

Every step reads its own backlog from the store, is safe to kill anywhere and to run again. Around one source, and around
one target of the outbox, stand the only broad `except`s of the product: they write what happened where the sources page
shows it, and the other sources go on.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from crm_sync.records import records_of_case
from domain.case import Case
from domain.clock import Now, utc_now
from domain.contracts import (
    Analyzer,
    CanFindRecord,
    CanReadBack,
    CanReply,
    Collector,
    CrmConnector,
    CrmRecord,
    HasFigures,
    KnowsCustomers,
    Page,
    Receipt,
    ReceiptState,
    Watch,
)
from domain.errors import (
    ComptoirError,
    ConfigurationError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
    StorageError,
    TransientError,
)
from domain.routing import RouteItem
from store import Store
from store.mentions import PageResult
from store.models import ModelRow
from store.outbox import OutboxRow
from store.routing import PersonInfo
from store.sources import Source, SourceState

log = logging.getLogger("comptoir.worker")

ANALYZE_BATCH = 256
ROUTE_BATCH = 512
SEND_BATCH = 100
MAX_ATTEMPTS = 8  # spread over a day by the back-off; then a person decides

AfterPage = Callable[[Page, PageResult], None]


@dataclass
class Report:
    """What one pass did; the keys of `comptoir work --json`."""

    collected: int = 0
    analyzed: int = 0
    routed: int = 0
    sent: int = 0
    failed: int = 0
    needs_person: list[str] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """True where there was nothing to do."""
        return not (self.collected or self.analyzed or self.routed or self.sent or self.failed)


@dataclass(frozen=True)
class Worker:
    """Everything a pass needs, as values.

    Attributes:
        learnt: the learnt heads that the analyzer was made for; None for those that were shipped.
        analyzer_of: makes the analyzer of other heads; None where the analyzer never changes.
    """

    store: Store
    analyzer: Analyzer
    collector_of: Callable[[Source], Collector]
    crms: Mapping[str, CrmConnector]
    interval: timedelta = timedelta(seconds=60)
    watch: Watch = field(default_factory=Watch)
    now: Now = utc_now
    learnt: str | None = None
    analyzer_of: Callable[[ModelRow | None], Analyzer] | None = None


def run_once(worker: Worker) -> Report:
    """One pass of the whole flow: what is due is collected, all backlogs are worked off, what is due is sent."""
    report = Report()
    collect(worker, report)
    analyze(worker, report)
    route(worker, report)
    worker.store.cases.wake_due(worker.now())
    send(worker, report)
    return report


def run(
    worker: Worker, *, pause: Callable[[float], None] = time.sleep, until: Callable[[], bool] = lambda: False
) -> None:
    """Pass after pass until told to stop; short rests while idle, so that a reply leaves within two seconds."""
    while not until():
        try:
            worker = with_heads_in_use(worker)
            report = run_once(worker)
        except StorageError as error:  # a full disk or a lost server: nothing was lost, wait for a person
            log.error("%s", error)
            pause(15)
            continue
        for line in report.needs_person:
            log.warning("%s", line)
        if report.idle:
            pause(2)


# -- the model in use ------------------------------------------------------------------------------------------------------


def with_heads_in_use(worker: Worker) -> Worker:
    """The worker with the analyzer of the heads that are in use now; itself where they are those that it has."""
    row = worker.store.models.in_use()
    wanted = row.model if row else None
    if worker.analyzer_of is None or wanted == worker.learnt:
        return worker
    try:
        return introduced(replace(worker, analyzer=worker.analyzer_of(row), learnt=wanted))
    except ConfigurationError as error:  # the one that is here goes on speaking, and signs with its own name
        log.error("%s", error)
        return replace(worker, learnt=wanted)


def introduced(worker: Worker) -> Worker:
    """The worker, its model known to the store with the figures that were shipped with it."""
    analyzer = worker.analyzer
    if isinstance(analyzer, HasFigures) and str(analyzer.model) != worker.learnt:
        worker.store.models.register(str(analyzer.model), analyzer.figures(), at=worker.now())
    return worker


# -- collect ---------------------------------------------------------------------------------------------------------------


def collect(worker: Worker, report: Report, after_page: AfterPage | None = None) -> None:
    """Read every source that is due; a page and its cursor are stored together, one page at a time."""
    for source in worker.store.sources.due(worker.now(), worker.interval):
        with _guarded_source(worker, source, report):
            collect_source(worker, source, report, after_page)


def collect_source(worker: Worker, source: Source, report: Report, after_page: AfterPage | None = None) -> None:
    """Read one source to its end. Raises the errors of `domain.errors`."""
    store = worker.store
    store.sources.started(source.key, worker.now())
    collector = worker.collector_of(source)
    if source.state is not SourceState.OK:  # new, or after trouble: say in words what a person must do
        collector.check()
    if isinstance(collector, KnowsCustomers) and source.cursor is None:
        store.people.add_customers(collector.customers(), worker.now())
    may_reply = collector.may_reply if isinstance(collector, CanReply) else None
    for page in collector.fetch(worker.watch, source.cursor):
        result = store.mentions.add_page(source.key, page, worker.now(), may_reply)
        report.collected += result.stored
        if after_page is not None:
            after_page(page, result)
    store.sources.succeeded(source.key, worker.now())


@contextmanager
def _guarded_source(worker: Worker, source: Source, report: Report) -> Iterator[None]:
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


# -- analyze ---------------------------------------------------------------------------------------------------------------


def analyze(worker: Worker, report: Report) -> None:
    """Let the analyzer read everything that it has not read yet."""
    while True:
        with worker.store.mentions.unanalyzed(ANALYZE_BATCH) as backlog:
            if not backlog.mentions:
                return
            report.analyzed += backlog.save(worker.analyzer.analyze(backlog.mentions), worker.now())


# -- route -----------------------------------------------------------------------------------------------------------------


def route(worker: Worker, report: Report) -> None:
    """Open or join a case for everything that was analysed; what the CRMs should know leaves in the same transaction."""
    targets = tuple(worker.crms)

    def records_for(case: Case, opener: RouteItem, person: PersonInfo | None) -> Sequence[tuple[str, CrmRecord]]:
        mention = opener.mention
        records = records_of_case(case, person, analysis=opener.analysis, url=mention.url, mention_id=mention.id)
        return [(target, record) for target in targets for record in records]

    while True:
        result = worker.store.cases.route(ROUTE_BATCH, worker.now(), records_for)
        if not result.routed:
            return
        report.routed += result.routed


# -- send ------------------------------------------------------------------------------------------------------------------


def send(worker: Worker, report: Report) -> None:
    """Carry what waits in the outbox: answers to the networks, records to the CRMs."""
    for source in worker.store.sources.all():
        send_replies(worker, source, report)
    for key, crm in worker.crms.items():
        send_records(worker, key, crm, report)


def send_replies(worker: Worker, source: Source, report: Report) -> None:
    """Send the answers that wait for one source, one at a time: each has its own fate."""
    outbox = worker.store.outbox
    for row in outbox.lease("reply", source.key, SEND_BATCH, worker.now()):
        try:
            collector = worker.collector_of(source)
            _send_reply(worker, collector, row, report)
        except OutcomeUnknownError as error:
            settle = outbox.unknown if row.attempt_count >= MAX_ATTEMPTS else outbox.doubt
            settle([row], str(error), worker.now())
            report.failed += 1
        except TransientError as error:
            if row.attempt_count >= MAX_ATTEMPTS:
                outbox.refused([row], f"Given up after {MAX_ATTEMPTS} tries. {error}", worker.now())
            else:
                outbox.retry([row], str(error), worker.now(), error.retry_after)
            report.failed += 1
        except ConfigurationError as error:  # mended by a person, then it leaves by itself
            outbox.retry([row], str(error), worker.now(), timedelta(hours=1))
            report.needs_person.append(f"{source.title}: {error}")
            report.failed += 1
        except RefusedError as error:
            outbox.refused([row], str(error), worker.now())
            report.needs_person.append(f"{source.title}: {error}")
            report.failed += 1
        except StorageError:
            raise
        except Exception as error:
            if not isinstance(error, ContractError):
                log.exception("bug while answering through %s", source.key)
            # The answer to our request could not be read: it may have been carried out.
            outbox.unknown([row], f"{error} Look on the network before sending again.", worker.now())
            report.failed += 1


def _send_reply(worker: Worker, collector: Collector, row: OutboxRow, report: Report) -> None:
    outbox, now = worker.store.outbox, worker.now()
    mention = worker.store.mentions.get(row.mention_id) if row.mention_id else None
    if mention is None:
        raise RefusedError("The message to answer is no longer there.")
    if not isinstance(collector, CanReply):
        raise RefusedError(f"{collector.spec.title} takes no answers. Open the message on its own page.")
    text: str = row.payload["text"]
    if row.interrupted:  # an earlier attempt may have arrived: look before sending again
        if not isinstance(collector, CanReadBack):
            outbox.unknown([row], "An earlier attempt may have arrived, and this network cannot be asked.", now)
            report.failed += 1
            return
        try:
            found = collector.find_reply(mention, text, row.key)
        except TransientError as error:  # the doubt stays: nothing is sent before somebody has looked
            raise OutcomeUnknownError(f"It cannot be checked whether the answer arrived: {error}") from error
        if found is not None:
            outbox.reply_sent(row, mention, found, now)
            report.sent += 1
            return
    remote_id = collector.reply(mention, text, row.key)
    outbox.reply_sent(row, mention, remote_id, worker.now())
    report.sent += 1


def send_records(worker: Worker, key: str, crm: CrmConnector, report: Report) -> None:
    """Push what waits for one CRM, batch by batch."""
    while True:
        rows = worker.store.outbox.lease("crm", key, min(crm.spec.batch_size, SEND_BATCH * 5), worker.now())
        if not rows or not _push(worker, crm, rows, report):
            return


def _push(worker: Worker, crm: CrmConnector, rows: list[OutboxRow], report: Report) -> bool:
    # False where the CRM is in trouble: the rest of its backlog waits too.
    outbox, now = worker.store.outbox, worker.now()
    if not crm.spec.idempotent:
        rows = _without_arrived(worker, crm, rows, report)
        if not rows:
            return True
    try:
        receipts = crm.push([row.record for row in rows])
        if len(receipts) != len(rows):
            raise ContractError(f"{len(rows)} records were pushed, {len(receipts)} receipts came back.")
    except StorageError:
        raise
    except ConfigurationError as error:
        outbox.retry(rows, str(error), now, timedelta(hours=1))
        report.needs_person.append(f"{crm.spec.title}: {error}")
    except OutcomeUnknownError as error:
        (outbox.retry if crm.spec.idempotent else outbox.doubt)(rows, str(error), now, error.retry_after)
    except TransientError as error:
        outbox.retry(rows, str(error), now, error.retry_after)
    except Exception as error:
        if not isinstance(error, ComptoirError):
            log.exception("bug while pushing to %s", crm.spec.key)
        # Pushing again is safe only where a record pushed twice makes no second one.
        (outbox.retry if crm.spec.idempotent else outbox.unknown)(rows, str(error), now)
    else:
        _settle(worker, rows, receipts, report)
        return True
    report.failed += len(rows)
    return False


def _without_arrived(worker: Worker, crm: CrmConnector, rows: list[OutboxRow], report: Report) -> list[OutboxRow]:
    # Rows of a dead or unanswered attempt may be there already: nothing is pushed again before somebody has looked.
    outbox, waiting = worker.store.outbox, []
    for row in rows:
        if not row.interrupted:
            waiting.append(row)
        elif not isinstance(crm, CanFindRecord):
            outbox.unknown([row], "An earlier attempt may have arrived, and this CRM cannot be asked.", worker.now())
            report.failed += 1
        else:
            try:
                found = crm.find(row.record)
            except TransientError as error:  # the doubt stays
                outbox.doubt([row], f"It cannot be checked whether the record arrived: {error}", worker.now())
                report.failed += 1
                continue
            if found is None:
                waiting.append(row)
            else:
                outbox.sent([(row, found)], worker.now())
                report.sent += 1
    return waiting


def _settle(worker: Worker, rows: list[OutboxRow], receipts: list[Receipt], report: Report) -> None:
    outbox, now = worker.store.outbox, worker.now()
    accepted = [
        (row, receipt.remote_id or "")
        for row, receipt in zip(rows, receipts, strict=True)
        if receipt.state is ReceiptState.ACCEPTED
    ]
    outbox.sent(accepted, now)
    report.sent += len(accepted)
    for row, receipt in zip(rows, receipts, strict=True):
        if receipt.state is ReceiptState.REFUSED:
            outbox.refused([row], receipt.reason, now)
        elif receipt.state is ReceiptState.UNKNOWN:
            outbox.unknown([row], receipt.reason, now)
    report.failed += len(rows) - len(accepted)

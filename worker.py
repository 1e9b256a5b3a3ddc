"""The door for the clock: collect, analyze, route, send; one function each, the whole flow on this page.

Every step reads its own backlog from the store, is safe to kill anywhere and to run again. Around one source, and around
one target of the outbox, stand the only broad `except`s of the product: they write what happened where the sources page
shows it, and the other sources go on.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from crm_sync.records import records_of_case
from domain.case import Case
from domain.clock import Now, utc_now
from domain.contracts import (
    Analyzer,
    Collector,
    CrmConnector,
    CrmRecord,
    HasFigures,
    Watch,
)
from domain.errors import (
    ConfigurationError,
    StorageError,
)
from domain.routing import RouteItem
from store import Store
from store.models import ModelRow
from store.routing import PersonInfo
from store.sources import Source
from worker_collect import Readers, collect, unpack
from worker_past import Past, Readings, analyze_past, announce_prices, answer_previews, read_on
from worker_send import send

log = logging.getLogger("comptoir.worker")

PATIENCE = 2.0  # seconds that a pass waits for slow networks before it goes on without them
ANALYZE_BATCH = 256
ROUTE_BATCH = 512


@dataclass
class Report:
    """What one pass did; the keys of `comptoir work --json`."""

    collected: int = 0
    analyzed: int = 0
    routed: int = 0
    sent: int = 0
    failed: int = 0
    needs_person: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Count in what somebody else did."""
        self.collected += other.collected
        self.analyzed += other.analyzed
        self.routed += other.routed
        self.sent += other.sent
        self.failed += other.failed
        self.needs_person += other.needs_person

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
        readings: back-fills that stay open between passes.
        readers: the threads that read sources.
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
    readings: Readings = field(default_factory=Readings)
    readers: Readers = field(default_factory=Readers)

    @property
    def past(self) -> Past:
        """What looking back needs of all this."""
        return Past(self.store, self.collector_of, self.watch, self.now, self.readings)


def run_once(worker: Worker) -> Report:
    """One pass of the whole flow: what is due is collected, all backlogs are worked off, what is due is sent."""
    report = Report()
    answer_previews(worker.past)
    unpack(worker, report)
    collect(worker, report)
    analyze(worker, report)
    analyze_edited(worker, report)
    route(worker, report)
    worker.store.cases.wake_due(worker.now())
    send(worker, report)
    look_back(worker, report)
    return report


def run(
    worker: Worker, *, pause: Callable[[float], None] = time.sleep, until: Callable[[], bool] = lambda: False
) -> None:
    """Pass after pass until told to stop; short rests while idle, so that a reply leaves within two seconds."""
    worker = replace(worker, readers=Readers(PATIENCE))
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
    worker.readers.close()
    worker.store.backfills.release(worker.readings.reader)  # the next reader need not wait for our leases


def look_back(worker: Worker, report: Report) -> None:
    """A slice of each back-fill, and a batch of what they brought: after everything that is new."""
    announce_prices(worker.past)
    report.collected += read_on(worker.past)
    report.analyzed += analyze_past(worker.past, worker.analyzer)


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


# -- analyze ---------------------------------------------------------------------------------------------------------------


def analyze(worker: Worker, report: Report) -> None:
    """Let the analyzer read everything that it has not read yet."""
    while True:
        with worker.store.mentions.unanalyzed(ANALYZE_BATCH) as backlog:
            if not backlog.mentions:
                return
            report.analyzed += backlog.save(worker.analyzer.analyze(backlog.mentions), worker.now())
        answer_previews(worker.past)


def analyze_edited(worker: Worker, report: Report) -> None:
    """Let the analyzer read again what was edited on its network; cases follow."""
    mentions = worker.store.mentions
    while edited := mentions.edited(ANALYZE_BATCH):
        done = mentions.save_again(edited, worker.analyzer.analyze(edited), worker.now())
        if not done:
            return
        report.analyzed += done


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

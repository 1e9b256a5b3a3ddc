"""The worker's look at the past: what a watch would have found, what a back-fill costs, and reading it beside listening.

Previews are answered at once. A back-fill is read a few pages a pass, a day's window after the other, the oldest first; the
reading stays open between passes, so that no page is asked (and paid) for twice, and goes on from its cursor after a kill.
Whatever goes wrong stands beside the wish, in words; listening is not touched by it.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

from domain.budget import Course, SpendKind
from domain.clock import Now, utc_now
from domain.contracts import Analyzer, CanBackfill, CanEstimate, CanSearch, Collector, Estimate, Watch
from domain.errors import ComptoirError, ConfigurationError, StaleError, StorageError, TransientError
from domain.permission import rights_of
from domain.rehydration import schedule_of
from store import Store
from store.backfill_rows import Backfill, BackfillState
from store.ledger import Ledger
from store.mentions import PageResult
from store.previews import Preview
from store.sources import Source, SourceState

log = logging.getLogger("comptoir.worker")

WINDOW = timedelta(days=1)
SLICE_PAGES = 10  # of one back-fill in one pass
SLICE = timedelta(seconds=10)
PREVIEWS = 20  # answered in one go
ANALYZE_BATCH = 256  # a pass; what is new comes first


@dataclass
class Readings:
    """The back-fills that this process has open. `reader` names the process in the store."""

    reader: str = field(default_factory=lambda: uuid4().hex)
    open: dict[int, Iterator[PageResult]] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """What looking back needs, as values. `watch`: what the settings say, beside the watches of the store."""

    store: Store
    collector_of: Callable[[Source], Collector]
    watch: Watch = field(default_factory=Watch)
    now: Now = utc_now
    readings: Readings = field(default_factory=Readings)


# -- what a watch would have found -----------------------------------------------------------------------------------------


def answer_previews(past: Past, most: int = PREVIEWS) -> int:
    """Answer what people asked, source by source; how many."""
    previews = past.store.previews
    previews.forget(past.now())
    for count in range(most):
        preview = previews.lease(past.now())
        if preview is None:
            return count
        try:
            _answer(past, preview)
        except StorageError:
            raise
        except ComptoirError as error:
            previews.fail(preview, str(error), past.now())
        except Exception as error:
            log.exception("bug while asking %s what a watch would find", preview.source_key)
            previews.fail(preview, _our_fault(error), past.now())
    return most


def _answer(past: Past, preview: Preview) -> None:
    store = past.store
    source = store.sources.get(preview.source_key)
    if source is None:
        raise ConfigurationError("This source is no longer there.")
    collector = past.collector_of(source) if source.polled else None
    search = collector.search_of(Watch(query=preview.query)) if isinstance(collector, CanSearch) else None
    if isinstance(collector, CanEstimate):
        found = collector.estimate(Watch(query=preview.query), preview.since, preview.until)
        _paid(past, source, found)
        store.previews.answer(preview, found, past.now(), search=search)
    else:
        found, looked = store.previews.kept(preview.query, source.key, preview.since, preview.until)
        store.previews.answer(preview, found, past.now(), looked_count=looked, search=search)


def _paid(past: Past, source: Source, found: Estimate) -> None:
    Ledger(past.store.database).record(source.key, SpendKind.ESTIMATE, found.spent, past.now())


# -- what a back-fill costs ------------------------------------------------------------------------------------------------


def estimate(past: Past, source: Source, backfill: Backfill) -> tuple[int | None, float | None, str]:
    """(messages, US dollars, what the figures leave out); None where nobody can tell.

    Raises:
        ConfigurationError: this source's past cannot be read.
    """
    collector = past.collector_of(source)
    if not isinstance(collector, CanBackfill):
        raise ConfigurationError(
            f"{collector.spec.title} gives no way to read its past. Import an export of it instead: comptoir import FILE."
        )
    free = not collector.spec.price_per_read
    if not isinstance(collector, CanEstimate):
        return None, 0.0 if free else None, ""
    found = collector.estimate(backfill.watch, backfill.since, backfill.until)
    _paid(past, source, found)
    known = found.count is not None or free
    return found.count, found.price if known else None, found.note


def announce_prices(past: Past) -> int:
    """Say what the back-fills that were asked for would cost; how many were told."""
    backfills, told = past.store.backfills, 0
    for backfill in backfills.asked(past.now()):
        try:
            source = _source_of(past, backfill)
            count, price, note = estimate(past, source, backfill)
            backfills.announce(backfill.id, count, price, note)
            told += 1
        except StorageError:
            raise
        except StaleError:
            continue  # given up in the meantime
        except ConfigurationError as error:
            backfills.refuse(backfill.id, str(error), past.now())
        except TransientError as error:
            backfills.price_later(backfill.id, str(error), past.now(), error.retry_after)
        except ComptoirError as error:
            backfills.price_later(backfill.id, str(error), past.now())
        except Exception as error:
            log.exception("bug while asking %s for a price", backfill.source_key)
            backfills.price_later(backfill.id, _our_fault(error), past.now())
    return told


def _source_of(past: Past, backfill: Backfill) -> Source:
    source = past.store.sources.get(backfill.source_key)
    if source is None:
        raise ConfigurationError(f"The source “{backfill.source_key}” is no longer there.")
    return source


# -- reading it ------------------------------------------------------------------------------------------------------------


def read_on(past: Past, only: int | None = None) -> int:
    """Read a slice of every back-fill that may be read now; how many messages were new."""
    stored = 0
    for backfill in past.store.backfills.lease(past.readings.reader, past.now(), only):
        with _guarded(past, backfill):
            source = _source_of(past, backfill)
            if not _resting(past, source) and not _over_budget(past, backfill):
                stored += _slice(past, source, backfill)
    return stored


def read_whole(
    past: Past, backfill_id: int, told: Callable[[Backfill], None], pause: Callable[[float], None] = time.sleep
) -> Backfill:
    """Read one back-fill to its end, here or by the worker that has it; returns once it is over, or waits for a person."""
    while True:
        read_on(past, backfill_id)
        backfill = past.store.backfills.get(backfill_id)
        if backfill is None:
            raise ConfigurationError(f"There is no back-fill {backfill_id}.")
        told(backfill)
        if backfill.state is not BackfillState.RUNNING:
            return backfill
        if backfill_id not in past.readings.open:
            pause(1.0)


def _resting(past: Past, source: Source) -> bool:
    # Where listening itself is in trouble or switched off, the past can wait.
    if not source.enabled or source.state is SourceState.BLOCKED:
        return True
    return source.state is SourceState.WAITING and source.retry_at is not None and source.retry_at > past.now()


def _over_budget(past: Past, backfill: Backfill) -> bool:
    """Whether the source's month or day has nothing left to spend; then it rests until there is, and says so."""
    now = past.now()
    standing = Ledger(past.store.database).standing(backfill.source_key, now)
    if standing.verdict.course is Course.STOP and standing.verdict.until is not None:
        until, what = standing.verdict.until, "The month's budget of this source is spent."
    elif standing.quota is not None and standing.quota.is_used_up:
        until, what = standing.quota.resets_at, "The day's quota of this source is used up."
    else:
        return False
    day = f"{until.astimezone(past.store.calendar.zone):%Y-%m-%d}"
    past.store.backfills.rest(backfill.id, f"{what} Reading goes on by itself on {day}.", until)
    return True


def _slice(past: Past, source: Source, backfill: Backfill) -> int:
    readings = past.readings
    reading = readings.open.get(backfill.id)
    if reading is None or backfill.reader != readings.reader:  # another process has read on in between
        past.store.backfills.begin_again(backfill.id, readings.reader)
        reading = readings.open[backfill.id] = _reading(past, source, backfill)
    begun, stored = past.now(), 0
    for _ in range(SLICE_PAGES):
        result = next(reading, None)
        if result is None:
            del readings.open[backfill.id]
            break
        stored += result.stored
        if past.now() - begun >= SLICE or _over_budget(past, backfill):
            break
    return stored


def _reading(past: Past, source: Source, backfill: Backfill) -> Iterator[PageResult]:
    collector, backfills, reader = past.collector_of(source), past.store.backfills, past.readings.reader
    if not isinstance(collector, CanBackfill):
        raise ConfigurationError(f"{collector.spec.title} gives no way to read its past.")
    may_reply, schedule = rights_of(collector), schedule_of(collector)
    at: Backfill | None = backfill
    while at is not None and at.reached_at < at.until:
        # The span grows by a window at a time: what lies before the cursor is not read again.
        end = min(at.reached_at + WINDOW, at.until)
        for page in collector.backfill(at.watch, at.since, end, at.cursor):
            yield backfills.add_page(at, reader, page, past.now(), may_reply, schedule)
            standing = backfills.get(at.id)
            if standing is None or standing.state is not BackfillState.RUNNING:
                return  # before another page is paid for
        at = backfills.reach(at, reader, end, past.now())


@contextmanager
def _guarded(past: Past, backfill: Backfill) -> Iterator[None]:
    backfills = past.store.backfills
    try:
        yield
        return
    except StaleError:
        pass  # paused, given up, or read by somebody else: nothing to tell
    except StorageError:
        past.readings.open.pop(backfill.id, None)
        raise
    except ConfigurationError as error:
        backfills.stop(backfill, str(error))
    except TransientError as error:
        backfills.wait(backfill, str(error), past.now(), error.retry_after)
    except ComptoirError as error:
        backfills.wait(backfill, str(error), past.now())
    except Exception as error:
        log.exception("bug in the back-fill of %s", backfill.source_key)
        backfills.wait(backfill, _our_fault(error), past.now())
    past.readings.open.pop(backfill.id, None)


def _our_fault(error: Exception) -> str:
    return f"A fault of Comptoir's own ({type(error).__name__}: {error}). Please report it."


# -- what it says ----------------------------------------------------------------------------------------------------------


def analyze_past(past: Past, analyzer: Analyzer) -> int:
    """Let the analyzer read a batch of what back-fills brought; how many."""
    with past.store.past.unanalyzed(ANALYZE_BATCH) as backlog:
        if not backlog.mentions:
            return 0
        return backlog.save(analyzer.analyze(backlog.mentions), past.now())

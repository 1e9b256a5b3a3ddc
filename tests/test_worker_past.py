"""Looking back beside listening: previews, prices, back-fills in slices, what goes wrong in them, and kills anywhere."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

import worker as steps
import worker_past
from collectors import bluesky, x
from collectors.bluesky_service import forget_sessions
from domain.budget import SpendKind
from domain.contracts import CollectorSpec, Cursor, Estimate, Page, Permission, Spend, Watch
from domain.errors import ConfigurationError, ContractError, StaleError, StorageError, TransientError
from domain.mention import Mention, MentionId
from domain.watch import watch_matches
from store import Store, schema
from store.backfill_rows import Backfill, BackfillState
from store.backfills import LEASE
from store.ledger import Ledger
from store.previews import PreviewState
from store.queue import QueueFilter
from tests.builders import mention, page
from tests.conftest import NOW
from tests.fakes import x as fake_x
from tests.fakes.bluesky import HANDLE, PASSWORD, FakeBluesky
from tests.fakes.http_server import serve
from tests.test_worker import FlatAnalyzer
from worker_past import Past, Readings, answer_previews, read_on

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SINCE, UNTIL = NOW - 10 * DAY, NOW - 4 * DAY
ME = {"by": "Awa", "at": NOW}


class Killed(BaseException):
    """The process ends here."""


class Archive:
    """A network that reads back a day at a time, two pages a day, each for a cent; can fail or be killed at any call."""

    spec = CollectorSpec("archive", "Archive", price_per_read=0.005)

    def __init__(self, said: list[Mention]) -> None:
        self.said, self.calls = said, 0
        self.trouble: Callable[[int], None] = lambda _call: None
        self.asked: list[tuple[datetime, datetime]] = []

    def check(self) -> None: ...

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        yield Page((mention("live", "en direct", created_at=NOW - HOUR),), Cursor("live"))

    def may_reply(self, mention: Mention) -> Permission:
        return Permission(True)

    def reply(self, *_args: Any) -> Any:
        raise NotImplementedError

    def estimate(self, watch: Watch, since: datetime, until: datetime) -> Estimate:
        self._call()
        found = [one for one in self.said if since <= one.created_at < until and watch_matches(watch, one)]
        return Estimate(len(found), len(found) * 0.005, tuple(found), "", Spend(1, 1, 0.05))

    def backfill(self, watch: Watch, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:
        start = max(since, datetime.fromisoformat(json.loads(cursor)["until"]) if cursor else since)
        self.asked.append((start, until))
        while start < until:
            end = min(start + DAY, until)
            found = [one for one in self.said if start <= one.created_at < end and watch_matches(watch, one)]
            self._call()
            yield Page(tuple(found[:2]), None, spent=Spend(1, len(found[:2]), 0.01))
            self._call()
            yield Page(tuple(found[2:]), Cursor(json.dumps({"until": end.isoformat()})), spent=Spend(1, 1, 0.01))
            start = end

    def _call(self) -> None:
        self.calls += 1
        self.trouble(self.calls)


class Deaf:
    """A network that knows nothing of its past."""

    spec = CollectorSpec("deaf", "Deaf")

    def check(self) -> None: ...

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        return iter(())


SAID = [mention(str(n), f"un colis {n}", who=f"p{n % 5}", created_at=NOW - 12 * DAY + n * 5 * HOUR) for n in range(50)]
WANTED = {one.id for one in SAID if SINCE <= one.created_at < UNTIL}


class Rig:
    """One source with an archive, and a worker whose clock the test turns."""

    def __init__(self, store: Store, archive: Any = None) -> None:
        self.store, self.now, self.archive = store, NOW, archive or Archive(SAID)
        self.collectors: dict[str, Any] = {"s": self.archive}
        store.sources.ensure("s", "archive", "Archive", {})
        self.worker = steps.Worker(
            store,
            FlatAnalyzer(),
            lambda source: self.collectors[source.key],
            {},
            timedelta(0),
            now=lambda: self.now,
        )

    @property
    def past(self) -> Past:
        return self.worker.past

    def begin(self, since: datetime = SINCE, until: datetime = UNTIL, query: str = "colis", **fields: Any) -> int:
        asked = self.store.backfills.ask("s", since, until, Watch(query=query), **ME, **fields)
        worker_past.announce_prices(self.past)
        return self.store.backfills.confirm(asked.id, **ME, price_limit=99.0).id

    def standing(self, key: int) -> Backfill:
        found = self.store.backfills.get(key)
        assert found is not None
        return found

    def restarted(self) -> None:
        self.worker = replace(self.worker, readings=Readings())

    def heard(self) -> set[MentionId]:
        return {one.id for one in SAID if self.store.mentions.get(one.id) is not None}


@pytest.fixture
def rig(tmp_path: Any, open_store: Callable[[str], Store]) -> Rig:
    return Rig(open_store(f"sqlite:///{tmp_path / 'past.sqlite'}"))


@pytest.fixture
def both(store: Store) -> Rig:
    """On both backends: for what hangs on locks and leases."""
    return Rig(store)


def preview(rig: Rig, query: str = "colis", keys: tuple[str, ...] = ("s",)) -> Any:
    wish = rig.store.previews.ask(query, keys, NOW - 7 * DAY, NOW, **ME)
    answer_previews(rig.past)
    found = rig.store.previews.of(wish)
    return found[0] if len(keys) == 1 else found


# -- previews --------------------------------------------------------------------------------------------------------------


def test_a_preview_is_answered_by_the_network_and_what_asking_cost_is_booked(rig: Rig) -> None:
    found = preview(rig)
    wanted = sum(NOW - 7 * DAY <= one.created_at < NOW for one in SAID)
    assert (found.state, found.found_count, found.among_kept) == (PreviewState.DONE, wanted, False)
    assert found.price == pytest.approx(wanted * 0.005) and len(found.samples) == 6
    [row] = Ledger(rig.store.database).days(NOW.date(), NOW.date() + DAY)
    assert (row.kind, row.spent.price) == (SpendKind.ESTIMATE, 0.05)


def test_a_network_that_cannot_be_asked_is_answered_from_what_is_kept(rig: Rig) -> None:
    rig.collectors["s"] = Deaf()
    rig.store.mentions.add_page("s", page(mention("1", "un colis", created_at=NOW - DAY), mention("2", "rien")), NOW)
    found = preview(rig)
    assert (found.state, found.among_kept, found.found_count, found.looked_count) == (PreviewState.DONE, True, 1, 1)
    assert found.price == 0 and found.samples[0].text == "un colis"


def test_what_was_imported_is_looked_through_without_opening_the_file_again(rig: Rig) -> None:
    rig.store.sources.ensure("file", "files", "Avis", {}, polled=False)
    rig.store.mentions.add_page("file", page(mention("1", "un colis", created_at=NOW - DAY)), NOW)
    assert preview(rig, keys=("file",)).found_count == 1


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConfigurationError("The setting token is missing."), "The setting token is missing."),
        (TransientError("The network did not answer in time."), "did not answer in time"),
        (ContractError("An unknown shape."), "An unknown shape."),
        (KeyError("data"), "A fault of Comptoir's own (KeyError"),
    ],
)
def test_what_goes_wrong_stands_beside_the_question_and_the_others_are_answered(
    rig: Rig, error: Exception, says: str
) -> None:
    def fails(_call: int) -> None:
        raise error

    rig.archive.trouble = fails
    rig.collectors["d"] = Deaf()
    rig.store.sources.ensure("d", "deaf", "Deaf", {})
    first, second, gone = preview(rig, keys=("s", "d", "gone"))
    assert first.state is PreviewState.FAILED and says in first.error
    assert second.state is PreviewState.DONE
    assert gone.state is PreviewState.FAILED and "no longer there" in gone.error
    source = rig.store.sources.get("s")
    assert source is not None and source.last_error is None, "listening is not touched"


def test_a_full_disk_is_nobodys_fault(rig: Rig) -> None:
    def full(_call: int) -> None:
        raise StorageError("The disk is full.")

    rig.archive.trouble = full
    with pytest.raises(StorageError):
        preview(rig)


def test_previews_are_answered_while_a_source_is_read(rig: Rig) -> None:
    answered = False

    class Slow(Deaf):
        def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
            nonlocal answered
            wish = rig.store.previews.ask("colis", ["s"], NOW - DAY, NOW, **ME)
            for _ in range(200):
                if answered := rig.store.previews.of(wish)[0].settled:
                    break
                time.sleep(0.02)
            return iter(())

    rig.collectors["b"] = Slow()
    rig.store.sources.ensure("b", "deaf", "B", {})
    assert steps.run_once(rig.worker).failed == 0 and answered


# -- what sources are asked for --------------------------------------------------------------------------------------------


def test_each_source_is_asked_for_its_watches(rig: Rig) -> None:
    asked: dict[str, Watch] = {}

    class Asked(Deaf):
        def __init__(self, key: str) -> None:
            self.key = key

        def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
            asked[self.key] = watch
            return iter(())

    rig.collectors = {"s": Asked("s"), "t": Asked("t")}
    rig.store.sources.ensure("t", "deaf", "T", {})
    rig.store.watches.add("a", "colis OU paquet", **ME)
    rig.store.watches.add("b", "belle aube", sources=["t"], **ME)
    steps.run_once(replace(rig.worker, watch=Watch(terms=("ormelune",))))
    assert asked == {
        "s": Watch(("ormelune",), (), "colis OU paquet"),
        "t": Watch(("ormelune",), (), "colis OU paquet OR belle aube"),
    }


# -- prices ----------------------------------------------------------------------------------------------------------------


def test_a_price_is_announced_and_nothing_read_before_a_yes(rig: Rig) -> None:
    asked = rig.store.backfills.ask("s", SINCE, UNTIL, Watch(query="colis"), **ME)
    steps.run_once(rig.worker)
    told = rig.standing(asked.id)
    assert (told.state, told.count_estimated) == (BackfillState.ANNOUNCED, len(WANTED))
    assert told.price_estimated == pytest.approx(len(WANTED) * 0.005)
    steps.run_once(rig.worker)
    assert rig.archive.asked == [] and rig.heard() == set()


def test_a_source_without_a_past_says_so(rig: Rig) -> None:
    rig.collectors["s"] = Deaf()
    asked = rig.store.backfills.ask("s", SINCE, UNTIL, Watch(), **ME)
    steps.run_once(rig.worker)
    told = rig.standing(asked.id)
    assert told.state is BackfillState.REFUSED and "comptoir import" in told.error


def test_a_network_that_cannot_tell_a_price_now_is_asked_again(rig: Rig) -> None:
    def busy(call: int) -> None:
        if call == 1:
            raise TransientError("Too many requests.", retry_after=timedelta(minutes=5))

    rig.archive.trouble = busy
    asked = rig.store.backfills.ask("s", SINCE, UNTIL, Watch(), **ME)
    steps.run_once(rig.worker)
    steps.run_once(rig.worker)
    assert (rig.standing(asked.id).state, rig.standing(asked.id).error) == (BackfillState.ASKED, "Too many requests.")
    rig.now += timedelta(minutes=5)
    steps.run_once(rig.worker)
    assert rig.standing(asked.id).state is BackfillState.ANNOUNCED


# -- reading ---------------------------------------------------------------------------------------------------------------


def test_a_span_is_read_in_slices_beside_listening_the_oldest_first(both: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_past, "SLICE_PAGES", 5)
    key = both.begin()
    reached = []
    for _ in range(4):
        steps.run_once(both.worker)
        reached.append(both.standing(key).done_share)
    assert reached == sorted(reached) and 0 < reached[0] < reached[1] < 1.0 == reached[3]
    done = both.standing(key)
    assert (done.state, done.found_count, done.stored_count) == (BackfillState.DONE, len(WANTED), len(WANTED))
    assert both.heard() == WANTED
    assert done.price_spent == pytest.approx(12 * 0.01), "two pages a day, none asked for twice"
    assert both.store.mentions.get(MentionId("x:live")) is not None
    source = both.store.sources.get("s")
    assert source is not None and source.cursor == "live"
    starts = [start for start, _ in both.archive.asked]
    assert starts == sorted(starts) and starts[0] == SINCE


def test_what_it_brings_is_counted_and_opens_no_case(both: Rig) -> None:
    key = both.begin()
    while both.standing(key).state is BackfillState.RUNNING:
        steps.run_once(both.worker)
    steps.run_once(both.worker)
    assert both.store.past.unanalyzed_count() == 0 and both.store.analysis_count() == len(WANTED) + 1
    [only] = both.store.queue.page(QueueFilter(), me="", now=NOW)
    assert only.case.thread_id == "x:live"
    assert both.store.rebuild_rollups(write=False) == []


def test_it_is_booked_as_reading_with_the_pages(both: Rig) -> None:
    both.begin()
    steps.run_once(both.worker)
    booked = {row.kind: row.spent.price for row in Ledger(both.store.database).days(NOW.date(), NOW.date() + DAY)}
    assert booked[SpendKind.READING] == pytest.approx(worker_past.SLICE_PAGES * 0.01)


@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (TransientError("Too many requests.", retry_after=HOUR), BackfillState.RUNNING, "Too many"),
        (ContractError("An unknown shape."), BackfillState.RUNNING, "unknown shape"),
        (ConfigurationError("The token has expired."), BackfillState.PAUSED, "expired"),
        (KeyError("data"), BackfillState.RUNNING, "A fault of Comptoir's own"),
    ],
)
def test_what_goes_wrong_stands_beside_it_and_it_goes_on_later(
    rig: Rig, error: Exception, state: BackfillState, says: str
) -> None:
    key = rig.begin()
    begun = rig.archive.calls

    def once(call: int) -> None:
        if call == begun + 4:
            raise error

    rig.archive.trouble = once
    read_on(rig.past)
    troubled = rig.standing(key)
    assert troubled.state is state and says in troubled.error
    assert read_on(rig.past) == 0, "it is left alone for a while"
    source = rig.store.sources.get("s")
    assert source is not None and source.last_error is None
    if state is BackfillState.PAUSED:
        rig.store.backfills.resume(key, **ME)
    rig.now += HOUR
    while rig.standing(key).state is BackfillState.RUNNING:
        read_on(rig.past)
    done = rig.standing(key)
    assert (done.state, done.error, done.found_count, done.stored_count) == (
        BackfillState.DONE,
        "",
        len(WANTED),
        len(WANTED),
    )
    assert rig.heard() == WANTED


def test_paused_between_two_pages_nothing_more_is_asked(rig: Rig) -> None:
    key = rig.begin()
    begun = rig.archive.calls

    def pause(call: int) -> None:
        if call == begun + 3:
            rig.store.backfills.pause(key, **ME)

    rig.archive.trouble = pause
    read_on(rig.past)
    assert rig.archive.calls == begun + 3
    read_on(rig.past)
    assert rig.archive.calls == begun + 3 and rig.standing(key).state is BackfillState.PAUSED
    rig.store.backfills.resume(key, **ME)
    while rig.standing(key).state is BackfillState.RUNNING:
        read_on(rig.past)
    assert rig.heard() == WANTED and rig.standing(key).found_count == len(WANTED)


def test_it_stops_at_the_price_that_was_agreed_before_another_page_is_paid(rig: Rig) -> None:
    asked = rig.store.backfills.ask("s", SINCE, UNTIL, Watch(query="colis"), **ME)
    worker_past.announce_prices(rig.past)
    rig.store.backfills.confirm(asked.id, **ME, price_limit=0.03)
    begun = rig.archive.calls
    read_on(rig.past)
    assert rig.standing(asked.id).state is BackfillState.PAUSED and rig.archive.calls == begun + 3
    assert "as much as was agreed" in rig.standing(asked.id).error


def test_a_spent_budget_lets_it_rest_until_the_next_month(rig: Rig) -> None:
    key = rig.begin()
    limit = {"source_key": "s", "price": 0.08, "course": "go"}  # the estimate took five cents of it
    with rig.store.database.write() as connection:
        connection.execute(sa.insert(schema.budgets).values(**limit))
    read_on(rig.past)
    read_on(rig.past)
    resting = rig.standing(key)
    assert resting.state is BackfillState.RUNNING and "budget" in resting.error and "2026-04-01" in resting.error
    assert resting.price_spent == pytest.approx(0.03)
    rig.now = NOW + 23 * DAY
    read_on(rig.past)
    assert rig.standing(key).price_spent > 0.03


@pytest.mark.parametrize("trouble", ["disabled", "waiting", "blocked"])
def test_while_listening_is_in_trouble_the_past_rests(rig: Rig, trouble: str) -> None:
    key = rig.begin()
    sources = rig.store.sources
    {
        "disabled": lambda: sources.set_enabled("s", False),
        "waiting": lambda: sources.waiting("s", "busy", NOW),
        "blocked": lambda: sources.blocked("s", "token", NOW),
    }[trouble]()
    assert read_on(rig.past) == 0 and rig.standing(key).state is BackfillState.RUNNING


def test_another_process_goes_on_where_the_first_one_stood(both: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_past, "SLICE_PAGES", 3)
    key = both.begin()
    read_on(both.past)
    other = replace(both.past, readings=Readings())
    assert read_on(other) == 0, "held by the first"
    both.now += LEASE
    assert read_on(other) > 0
    calls = both.archive.calls
    assert read_on(both.past) == 0 and both.archive.calls == calls, "the first finds it taken"
    while both.standing(key).state is BackfillState.RUNNING:
        read_on(other)
    assert both.heard() == WANTED and both.standing(key).found_count == len(WANTED)


def test_read_to_its_end_at_once_with_its_progress(rig: Rig) -> None:
    key = rig.begin()
    shares: list[float] = []
    done = worker_past.read_whole(rig.past, key, lambda one: shares.append(one.done_share))
    assert done.state is BackfillState.DONE and shares == sorted(shares) and shares[-1] == 1.0


def test_waiting_for_whoever_has_it_shows_the_progress_too(rig: Rig) -> None:
    key = rig.begin()
    monitored = replace(rig.past, readings=Readings())
    read_on(rig.past)
    pauses: list[float] = []

    def meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        read_on(rig.past)

    assert worker_past.read_whole(monitored, key, lambda _one: None, meanwhile).state is BackfillState.DONE
    assert pauses


# -- killed anywhere -------------------------------------------------------------------------------------------------------


class Power:
    """Ends the process at the Nth boundary: before and after each commit, and at each call to the network."""

    def __init__(self, kill_at: int | None) -> None:
        self.count, self.kill_at = 0, kill_at

    def tick(self) -> None:
        self.count += 1
        if self.count == self.kill_at:
            raise Killed


def play(store: Store, kill_at: int | None, monkeypatch: pytest.MonkeyPatch) -> tuple[Rig, int]:
    """A back-fill read by a worker that may be killed once, and by the next one to the end."""
    rig, power = Rig(store), Power(kill_at)
    key = rig.begin(since=NOW - 8 * DAY, until=NOW - 4 * DAY)
    rig.archive.trouble = lambda _call: power.tick()
    dialect = store.database.engine.dialect
    commit = dialect.do_commit

    def watched(connection: Any) -> None:
        power.tick()
        commit(connection)
        power.tick()

    monkeypatch.setattr(dialect, "do_commit", watched)
    for _ in range(12):
        try:
            steps.run_once(rig.worker)
        except Killed:
            rig.restarted()
        rig.now += LEASE
    monkeypatch.undo()
    assert rig.standing(key).state is BackfillState.DONE
    return rig, power.count


def end_of(rig: Rig) -> tuple[Any, ...]:
    [done] = rig.store.backfills.all()
    told = [(one.id, rig.store.mentions.analysis(one.id) is not None) for one in SAID if rig.store.mentions.get(one.id)]
    assert rig.store.rebuild_rollups(write=False) == []
    return (
        done.found_count,
        done.stored_count,
        done.done_share,
        told,
        rig.store.cases.count(),
        rig.store.mention_count(),
    )


@pytest.mark.parametrize("kills", [6, pytest.param(None, marks=pytest.mark.slow)])
def test_killed_at_any_point_nothing_is_lost_doubled_or_counted_twice(
    tmp_path: Any, open_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch, kills: int | None
) -> None:
    """Kills spread over all boundaries; at each one where `kills` is None."""
    monkeypatch.setattr(worker_past, "SLICE_PAGES", 3)

    def played(name: str, kill_at: int | None) -> tuple[Rig, int]:
        with monkeypatch.context() as patch:
            return play(open_store(f"sqlite:///{tmp_path / name}.sqlite"), kill_at, patch)

    whole, count = played("whole", None)
    expected = end_of(whole)
    assert expected[0] == expected[1] == len([o for o in SAID if NOW - 8 * DAY <= o.created_at < NOW - 4 * DAY])
    assert count > 60
    for kill_at in range(1, count + 1, count // kills if kills else 1):
        broken, _ = played(f"k{kill_at}", kill_at)
        assert end_of(broken) == expected, f"killed at boundary {kill_at}"


def test_killed_at_any_point_on_both_backends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_past, "SLICE_PAGES", 3)
    with monkeypatch.context() as patch:
        rig, _ = play(store, 23, patch)
    done = end_of(rig)
    assert done[0] == done[1] == len([o for o in SAID if NOW - 8 * DAY <= o.created_at < NOW - 4 * DAY])


# -- on networks as they are -----------------------------------------------------------------------------------------------


def test_on_x_a_week_is_announced_and_read_and_what_is_too_old_is_told(store: Store) -> None:
    with fake_x.serve(fake_x.FakeX(fake_x.OLD)) as fake:
        people = [fake.world.user(f"p{number}") for number in range(3)]
        for number in range(60):
            fake.world.say(people[number % 3], f"un pull {number}", fake_x.NOW - 6 * DAY + number * 2.4 * HOUR)
        rig = Rig(store, x.connect({**fake_x.SETTINGS, "fields": "tweet"}, now=fake.now, base=fake.base))
        rig.now = fake_x.NOW
        found = rig.store.previews.ask("pull", ["s"], rig.now - 7 * DAY, rig.now, by="Awa", at=rig.now)
        answer_previews(rig.past)
        [told] = rig.store.previews.of(found)
        assert told.found_count == 60 and told.price > 0 and len(told.samples) == 6
        key = rig.begin(since=rig.now - 9 * DAY, until=rig.now - 2 * DAY, query="pull")
        assert (rig.standing(key).count_estimated or 0) > 0
        done = worker_past.read_whole(rig.past, key, lambda _one: None, pause=lambda _s: pytest.fail("no wait"))
    assert done.state is BackfillState.DONE and done.stored_count == store.mention_count() == 40
    assert any("last seven days" in note for note in done.notes)
    assert done.price_spent > 0


def test_on_bluesky_days_are_read_one_by_one(store: Store) -> None:
    forget_sessions()
    with serve(FakeBluesky()) as service:
        begun = service.clock
        for number in range(12):
            service.say(f"client{number}.example", f"un pull {number}", after=600)
        settings = {"handle": HANDLE, "app_password": PASSWORD, "service": service.base, "allow_private": "yes"}
        rig = Rig(store)
        rig.now = service.clock + HOUR
        rig.collectors["s"] = bluesky.connect(settings, now=lambda: rig.now, timeout=5.0)
        asked = store.backfills.ask("s", begun, rig.now, Watch(query="pull"), by="Awa", at=rig.now)
        worker_past.announce_prices(rig.past)
        told = store.backfills.confirm(asked.id, by="Awa", at=rig.now)
        assert (told.price_estimated, told.price_limit) == (0.0, None)
        done = worker_past.read_whole(rig.past, asked.id, lambda _one: None, pause=lambda _s: pytest.fail("no wait"))
    assert done.state is BackfillState.DONE and done.stored_count == 12 and done.found_count == 12


def test_a_page_after_a_pause_is_not_kept(rig: Rig) -> None:
    key = rig.begin()
    [held] = rig.store.backfills.lease("me", NOW)
    rig.store.backfills.pause(key, **ME)
    with pytest.raises(StaleError):
        rig.store.backfills.add_page(held, "me", page(mention("1", created_at=SINCE)), NOW)

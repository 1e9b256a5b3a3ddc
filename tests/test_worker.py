"""The flow when the world misbehaves: networks and CRMs that fail, each in its own way, and what the worker makes of it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import worker as steps
import worker_send
from collectors.demo import DemoCollector
from collectors.demo_network import DemoNetwork
from collectors.demo_story import Story, lay_out
from domain.analysis import Analysis
from domain.contracts import (
    CollectorSpec,
    CrmRecord,
    CrmSpec,
    IdempotencyKey,
    Page,
    Permission,
    Receipt,
    ReceiptState,
    RemoteId,
)
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, StorageError, TransientError
from domain.mention import Mention, MentionId
from store import Store
from store.outbox import OutboxState
from store.sources import SourceState
from tests.builders import MODEL, analysis

ANCHOR = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)
STORY = lay_out(ANCHOR)
SHORT = Story(STORY.items[:60], [], STORY.customers[:5])


class FlatAnalyzer:
    """Says the same of everything: a delivery matter."""

    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(m.id) for m in mentions]


class ShortDemo(DemoCollector):
    story = SHORT  # type: ignore[assignment]


class Rig:
    """A worker over a short demo story, with a clock that the test turns."""

    def __init__(self, store: Store, folder: Path, crms: dict[str, Any] | None = None) -> None:
        self.now = ANCHOR + timedelta(minutes=1)
        self.network = DemoNetwork(folder)
        self.collectors: dict[str, Any] = {"demo": ShortDemo(ANCHOR, self.network, lambda: self.now)}
        self.store = store
        store.sources.ensure("demo", "demo", "Demo", {})
        self.worker = steps.Worker(
            store, FlatAnalyzer(), lambda s: self.collectors[s.key], crms or {}, timedelta(0), now=lambda: self.now
        )

    def pass_(self, after: timedelta = timedelta(0)) -> steps.Report:
        self.now += after
        return steps.run_once(self.worker)

    def add(self, key: str, collector: Any) -> None:
        self.collectors[key] = collector
        self.store.sources.ensure(key, "other", key.title(), {})

    def ask(self, network: str = "mail", text: str = "Bonjour, on regarde.", key: str = "k1") -> MentionId:
        """A person answers the first message of a network."""
        item = next(i for i in SHORT.items if i["network"] == network and not i["from_brand"] and i["author"])
        mention_id = MentionId(f"{network}:{item['id']}")
        [case_id] = self.store.mentions.case_ids([mention_id])
        self.store.cases.reply(case_id, mention_id, text, source_key="demo", key=key, actor="Awa", now=self.now)
        self.case_id = case_id
        return mention_id

    def state(self) -> OutboxState:
        [row] = self.store.outbox.of_case(self.case_id)
        return row.state


@pytest.fixture
def rig(store: Store, tmp_path: Path) -> Rig:
    return Rig(store, tmp_path / "network")


def test_a_pass_takes_everything_and_the_next_one_nothing(rig: Rig) -> None:
    first = rig.pass_()
    assert first.collected == 60 and first.analyzed + sum(i["from_brand"] for i in SHORT.items) == first.routed == 60
    assert rig.pass_().idle
    assert rig.store.people.count() >= 5


@pytest.mark.parametrize("fault", ["429", "5xx", "malformed_page"])
def test_a_network_in_trouble_loses_nothing(rig: Rig, fault: str) -> None:
    rig.network.fail(fault, times=2)
    assert rig.pass_().failed == 1
    source = rig.store.sources.get("demo")
    assert source is not None and source.state is SourceState.WAITING and source.last_error
    assert rig.pass_().idle, "it is left alone during its back-off"
    assert rig.pass_(timedelta(minutes=2)).failed == 1
    assert rig.pass_(timedelta(minutes=10)).collected == 60
    source = rig.store.sources.get("demo")
    assert (
        source is not None
        and source.state is SourceState.OK
        and source.failure_count == 0
        and source.last_error is None
    )


def test_the_network_says_when_to_come_back(rig: Rig) -> None:
    rig.network.fail("429", retry_after=1800)
    rig.pass_()
    source = rig.store.sources.get("demo")
    assert source is not None and source.retry_at == rig.now + timedelta(minutes=30)


def test_an_answer_is_sent_once_and_comes_back_as_one_message(rig: Rig) -> None:
    rig.pass_()
    asked = rig.ask()
    assert rig.pass_().sent == 1
    rig.pass_(timedelta(minutes=1))
    assert [r["parent"] for r in rig.network.replies()] == [asked.removeprefix("mail:")]
    conversation = rig.store.queue.conversation(rig.case_id)
    assert conversation is not None
    assert [m.mention.text for m in conversation.messages].count("Bonjour, on regarde.") == 1
    assert conversation.case.first_reply_at is not None


def test_a_time_out_after_sending_is_read_back_not_sent_again(rig: Rig) -> None:
    rig.pass_()
    rig.ask()
    rig.network.fail("timeout_after_send")
    assert rig.pass_().failed == 1 and rig.state() is OutboxState.SENDING
    rig.pass_(timedelta(seconds=10))
    assert rig.state() is OutboxState.SENDING, "it is not looked for before a while"
    rig.pass_(timedelta(minutes=10))
    assert rig.state() is OutboxState.SENT and len(rig.network.replies()) == 1


def test_trouble_while_reading_back_sends_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.pass_()
    rig.ask()
    rig.network.fail("timeout_after_send")
    rig.pass_()

    def down(*_args: object) -> None:
        raise TransientError("503")

    with monkeypatch.context() as patch:
        patch.setattr(ShortDemo, "find_reply", down)
        rig.pass_(timedelta(minutes=10))
        assert rig.state() is OutboxState.SENDING
    rig.pass_(timedelta(hours=1))
    assert rig.state() is OutboxState.SENT and len(rig.network.replies()) == 1


def test_an_answer_waits_while_the_network_is_down_and_is_given_up_after_a_day(rig: Rig) -> None:
    rig.pass_()
    rig.ask()
    rig.network.fail("5xx", times=1000)
    for _ in range(worker_send.MAX_ATTEMPTS + 2):
        rig.pass_(timedelta(hours=7))
    assert rig.state() is OutboxState.REFUSED and rig.network.replies() == []
    [row] = rig.store.outbox.stuck()
    assert "Given up" in (row.error or "")


def test_a_refused_answer_says_why_and_can_be_sent_again(rig: Rig) -> None:
    rig.pass_()
    rig.ask("x", "x" * 281)
    report = rig.pass_()
    assert rig.state() is OutboxState.REFUSED and any("Shorten" in line for line in report.needs_person)
    rig.store.outbox.send_again("k1", actor="Awa", now=rig.now)
    assert rig.state() is OutboxState.PENDING
    assert "send_again" in [row.action for row in rig.store.audit.of_case(rig.case_id)]


class Mute:
    """A network that takes answers, cannot be asked about them, and dies in the middle of one."""

    spec = CollectorSpec("mute", "Mute", can_reply=True)

    def check(self) -> None: ...

    def fetch(self, watch: object, since: object) -> Iterator[Page]:
        return iter(())

    def may_reply(self, mention: Mention) -> Permission:
        return Permission(True)

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        raise self.error

    error: Exception = ContractError("<html>")


def test_where_the_network_cannot_be_asked_a_person_decides(rig: Rig) -> None:
    rig.pass_()
    rig.ask()
    rig.collectors["demo"] = Mute()
    [row] = rig.store.outbox.lease("reply", "demo", 1, rig.now)  # a worker took it, and died
    rig.pass_(timedelta(minutes=10))
    assert rig.state() is OutboxState.UNKNOWN and row.key == "k1"


def test_an_answer_that_cannot_be_read_is_not_sent_again(rig: Rig) -> None:
    rig.pass_()
    rig.ask()
    rig.collectors["demo"] = Mute()
    rig.pass_(timedelta(seconds=1))
    assert rig.state() is OutboxState.UNKNOWN


class Broken:
    """A source that raises what it was given."""

    spec = CollectorSpec("broken", "Broken")

    def __init__(self, error: Exception) -> None:
        self.error = error

    def check(self) -> None:
        raise self.error

    def fetch(self, watch: object, since: object) -> Iterator[Page]:
        return iter(())


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        (ConfigurationError("The token ended. Make a new one."), SourceState.BLOCKED, "Make a new one"),
        (TransientError("down"), SourceState.WAITING, "down"),
        (ZeroDivisionError("oops"), SourceState.WAITING, "Please report it"),
    ],
)
def test_one_broken_source_does_not_silence_the_others(
    rig: Rig, error: Exception, state: SourceState, words: str
) -> None:
    rig.add("a_broken", Broken(error))
    report = rig.pass_()
    assert report.collected == 60 and report.failed == 1
    source = rig.store.sources.get("a_broken")
    assert source is not None and source.state is state and words in (source.last_error or "")
    assert bool(report.needs_person) is (state is SourceState.BLOCKED)


def test_trouble_of_the_memory_is_nobodys_fault_and_travels_up(rig: Rig) -> None:
    rig.add("a_broken", Broken(StorageError("full")))
    with pytest.raises(StorageError):
        rig.pass_()
    source = rig.store.sources.get("a_broken")
    assert source is not None and source.failure_count == 0


class Crm:
    """A CRM in memory that answers as it is told."""

    def __init__(self, answer: Callable[[Sequence[CrmRecord]], list[Receipt]], *, idempotent: bool = True) -> None:
        self.spec = CrmSpec("crm", "CRM", batch_size=7, idempotent=idempotent)
        self.answer, self.pushed = answer, [0]
        self.known: set[str] = set()

    def check(self) -> None: ...

    def push(self, records: Sequence[CrmRecord]) -> list[Receipt]:
        self.pushed.append(len(records))
        return self.answer(records)


def accept(records: Sequence[CrmRecord]) -> list[Receipt]:
    return [Receipt(r.key, ReceiptState.ACCEPTED, RemoteId(r.key)) for r in records]


def down(_records: Sequence[CrmRecord]) -> list[Receipt]:
    raise TransientError("503")


def silent(_records: Sequence[CrmRecord]) -> list[Receipt]:
    return []


def refuse(records: Sequence[CrmRecord]) -> list[Receipt]:
    return [Receipt(r.key, ReceiptState.REFUSED, reason="no such field") for r in records]


@pytest.mark.parametrize(
    ("answer", "idempotent", "state"),
    [
        (accept, True, "sent"),
        (down, True, "pending"),
        (refuse, True, "refused"),
        (silent, True, "pending"),
        (silent, False, "unknown"),
    ],
)
def test_a_crm_gets_batches_and_each_record_its_fate(
    store: Store, tmp_path: Path, answer: Callable[..., list[Receipt]], idempotent: bool, state: str
) -> None:
    crm = Crm(answer, idempotent=idempotent)
    rig = Rig(store, tmp_path / "network", {"crm": crm})
    rig.pass_()
    assert max(crm.pushed) <= 7 and len(crm.pushed) > 1
    counts = store.outbox.counts()
    assert counts[state] > 0
    if answer in {accept, refuse}:
        assert counts["pending"] == 0


def unanswered(_records: Sequence[CrmRecord]) -> list[Receipt]:
    raise OutcomeUnknownError("no answer")


class FindingCrm(Crm):
    """It can be asked; it holds what `known` says, or is down."""

    asked_while_down = False

    def find(self, record: CrmRecord) -> RemoteId | None:
        if self.asked_while_down:
            raise TransientError("503")
        return RemoteId("1") if record.key in self.known else None


def _after_no_answer(store: Store, folder: Path, crm: Crm) -> Rig:
    rig = Rig(store, folder, {"crm": crm})
    rig.pass_()
    crm.pushed = [0]
    rig.now += timedelta(hours=1)
    return rig


def test_a_crm_without_keys_that_cannot_be_asked_gets_nothing_twice(store: Store, tmp_path: Path) -> None:
    crm = Crm(unanswered, idempotent=False)
    rig = _after_no_answer(store, tmp_path / "network", crm)
    crm.answer = accept
    rig.pass_()
    counts = store.outbox.counts()
    assert counts["unknown"] == 7 and counts["pending"] == 0, "one batch is in doubt; the others were never pushed"


def test_a_crm_without_keys_is_asked_before_a_second_push(store: Store, tmp_path: Path) -> None:
    crm = FindingCrm(unanswered, idempotent=False)
    rig = _after_no_answer(store, tmp_path / "network", crm)
    crm.asked_while_down, crm.answer = True, accept
    rig.pass_()
    assert store.outbox.counts()["pending"] == 7, "the doubt stays while it cannot be asked"
    pushed = sum(crm.pushed)
    crm.asked_while_down = False
    crm.known = {row.record.key for row in store.outbox.lease("crm", "crm", 100, rig.now + timedelta(days=2))}
    rig.now += timedelta(days=4)
    rig.pass_()
    assert store.outbox.counts()["pending"] == 0 and sum(crm.pushed) == pushed, "found there, not pushed again"


def test_an_idle_pass_writes_nothing(rig: Rig) -> None:
    rig.pass_()
    rig.store.sources.set_enabled("demo", False)
    before = rig.store.revision()
    assert rig.pass_().idle
    assert rig.store.revision() == before


def test_run_rests_when_idle_and_stops_when_told(rig: Rig) -> None:
    rests: list[float] = []
    steps.run(rig.worker, pause=rests.append, until=lambda: len(rests) >= 3)
    assert rests == [2, 2, 2]


def test_run_waits_for_a_person_when_the_memory_is_in_trouble(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []

    def full(_worker: object) -> steps.Report:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(steps, "run_once", full)
    steps.run(rig.worker, pause=rests.append, until=lambda: bool(rests))
    assert rests == [15]

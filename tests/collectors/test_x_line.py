"""X through the whole line: heard, threaded in one case, answered from the desk, seen by X exactly once."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

import worker as steps
from collectors import x
from domain.analysis import Analysis
from domain.mention import Mention, MentionId
from store import Store
from store.outbox import OutboxState
from tests.builders import MODEL, analysis
from tests.fakes.x import NOW, SETTINGS, FakeX, serve

ANSWER = "Bonjour Léa, votre colis part ce soir. Awa"


class FlatAnalyzer:
    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(one.id) for one in mentions]


class Rig:
    """One X account, one store, and a clock that the test turns."""

    def __init__(self, store: Store, fake: FakeX) -> None:
        self.now = NOW
        self.store, self.fake = store, fake
        fake.now = lambda: self.now
        store.sources.ensure("x", "x", "X", {})
        self.worker = steps.Worker(store, FlatAnalyzer(), self._collector, {}, timedelta(0), now=lambda: self.now)

    def _collector(self, _source: Any) -> Any:
        return x.connect(SETTINGS, now=lambda: self.now, base=self.fake.base, timeout=1.0)

    def pass_(self, after: timedelta = timedelta(minutes=1)) -> steps.Report:
        self.now += after
        return steps.run_once(self.worker)

    def ask(self, mention_id: str) -> None:
        [self.case_id] = self.store.mentions.case_ids([MentionId(mention_id)])
        self.store.cases.reply(
            self.case_id, MentionId(mention_id), ANSWER, source_key="x", key="k1", actor="Awa", now=self.now
        )

    def state(self) -> OutboxState:
        [row] = self.store.outbox.of_case(self.case_id)
        return row.state


@pytest.fixture
def rig(store: Store) -> Iterator[Rig]:
    with serve(FakeX()) as fake:
        yield Rig(store, fake)


def conversation(rig: Rig) -> list[str]:
    world, lea = rig.fake.world, rig.fake.world.user("lea_m")
    turns = [world.say(lea, "@ormelune où est mon colis ?", NOW - timedelta(hours=3))]
    for number, author in enumerate([rig.fake.owner, lea], start=1):
        turns.append(world.say(author, f"tour {number}", NOW - timedelta(hours=3 - number), parent=turns[-1].id))
    rig.pass_()
    turns.append(world.say(lea, "toujours rien", rig.now, parent=turns[-1].id))
    rig.pass_()
    return [f"x:{turn.id}" for turn in turns]


def test_a_conversation_is_one_case_and_is_answered_once(rig: Rig) -> None:
    turns = conversation(rig)
    cases = {tuple(rig.store.mentions.case_ids([MentionId(one)])) for one in turns}
    assert len(cases) == 1
    rig.ask(turns[-1])
    assert rig.pass_().sent == 1
    rig.pass_()
    shown = rig.store.queue.conversation(rig.case_id)
    assert shown is not None
    texts = [message.mention.text for message in shown.messages]
    assert len(texts) == 5 and texts[-1].endswith(ANSWER) and sum(ANSWER in text for text in texts) == 1
    assert [text for _, text, _ in rig.fake.accepted] == [ANSWER]


@pytest.mark.parametrize("effect", ["cut", "html", "truncated"])
def test_an_answer_without_a_receipt_is_looked_up_not_repeated(rig: Rig, effect: str) -> None:
    turns = conversation(rig)
    rig.ask(turns[-1])
    rig.fake.fail(effect, method="POST", path="/2/tweets", after=True, status=200)
    assert rig.pass_().failed == 1 and rig.state() is OutboxState.SENDING
    for _ in range(6):
        if rig.state() is OutboxState.SENT:
            break
        rig.pass_(timedelta(minutes=5))
    assert rig.state() is OutboxState.SENT
    assert [text for _, text, _ in rig.fake.accepted] == [ANSWER]


def test_a_limit_on_answers_only_delays(rig: Rig) -> None:
    turns = conversation(rig)
    rig.ask(turns[-1])
    rig.fake.fail("status", method="POST", status=429)
    rig.pass_()
    assert rig.fake.accepted == []
    rig.pass_(timedelta(minutes=20))
    assert rig.state() is OutboxState.SENT and len(rig.fake.accepted) == 1


def test_trouble_while_reading_loses_and_doubles_nothing(rig: Rig) -> None:
    lea = rig.fake.world.user("lea_m")
    for number in range(230):
        rig.fake.world.say(lea, f"@ormelune {number}", NOW - timedelta(hours=1) + timedelta(seconds=number))
    collected = 0
    for effect in ("status", "truncated", "html", "cut", ""):
        if effect:
            rig.fake.fail(effect, path="/2/users/1111111111/mentions", times=1)
        collected += rig.pass_(timedelta(hours=2)).collected
    assert collected == 230 == rig.store.sources.get("x").mention_count  # type: ignore[union-attr]

"""Facebook and Instagram through the whole flow: collected, one case a conversation, answered, and sent exactly once."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import worker as steps
from collectors import facebook, instagram
from domain.analysis import Analysis
from domain.case import CaseId
from domain.mention import Mention, MentionId
from store import Store
from store.outbox import OutboxState
from store.sources import SourceState
from tests.builders import MODEL, analysis
from tests.fakes.meta import SETTINGS, FakeMeta, serve
from tests.fakes.meta_world import Thing

MODULES = {"facebook": facebook, "instagram": instagram}
TEXT = "Il arrive demain, promis."


class FlatAnalyzer:
    """Says the same of everything: a delivery matter."""

    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(m.id) for m in mentions]


class Shop:
    """A worker over one source, whose clock is the vendor's."""

    def __init__(self, store: Store, fake: FakeMeta, network: str) -> None:
        self.store, self.fake, self.network = store, fake, network
        store.sources.ensure("meta", network, "Meta", {})
        connect: Any = MODULES[network].connect
        self.worker = steps.Worker(
            store,
            FlatAnalyzer(),
            lambda _: connect(SETTINGS, now=lambda: fake.world.clock, base=fake.base, timeout=10.0),
            {},
            timedelta(0),
            now=lambda: fake.world.clock,
        )

    def pass_(self, minutes: float = 1) -> steps.Report:
        self.fake.world.wait(minutes=minutes)
        return steps.run_once(self.worker)

    def case_of(self, thing: Thing) -> CaseId:
        (case_id,) = self.store.mentions.case_ids([self.id_of(thing)])
        return case_id

    def id_of(self, thing: Thing) -> MentionId:
        return MentionId(f"{self.network}:{thing.id}")

    def answer(self, thing: Thing) -> CaseId:
        case_id, now = self.case_of(thing), self.fake.world.clock
        self.store.cases.reply(case_id, self.id_of(thing), TEXT, source_key="meta", key="k1", actor="Awa", now=now)
        return case_id

    def state(self, case_id: CaseId) -> OutboxState:
        (row,) = self.store.outbox.of_case(case_id)
        return row.state


@pytest.fixture(params=["facebook", "instagram"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, open_store: Callable[[str], Store]) -> Iterator[Shop]:
    with serve(FakeMeta()) as fake:
        yield Shop(open_store(f"sqlite:///{tmp_path / 'shop.sqlite'}"), fake, request.param)


def conversation(shop: Shop) -> list[Thing]:
    """Four turns below a post of ours."""
    world = shop.fake.world
    if shop.network == "facebook":
        post, say = world.post("Soldes"), world.comment
    else:
        post, say = world.media("Soldes"), world.reply
    first = say(post, "Où est mon colis ?", "lea")
    second = say(post, "Quel numéro ?", "Ormelune" if shop.network == "facebook" else "ormelune", parent=first)
    third = say(post, "4711", "lea", parent=second)
    fourth = say(post, "Toujours rien ?", "lea", parent=third)
    say(post, "Très joli", "luc")
    return [first, second, third, fourth]


def texts(shop: Shop, case_id: CaseId) -> list[str]:
    found = shop.store.queue.conversation(case_id)
    assert found is not None
    return [one.mention.text for one in found.messages]


def test_a_conversation_is_one_case_and_its_answer_leaves_once(shop: Shop) -> None:
    turns = conversation(shop)
    shop.pass_()
    case_id = shop.answer(turns[3])
    assert {shop.case_of(one) for one in turns if one.author != turns[1].author} == {case_id}
    assert shop.pass_().sent == 1
    for _ in range(3):
        shop.pass_(90)
    assert len(shop.fake.accepted) == 1 and shop.state(case_id) is OutboxState.SENT
    said = texts(shop, case_id)
    assert [one for one in said if TEXT in one] == [TEXT] and TEXT in shop.fake.accepted[0].text
    assert len(said) == 5 and "Très joli" not in said


@pytest.mark.parametrize("effect", ["cut", "html", "truncated"])
def test_an_answer_without_a_confirmation_is_read_back_and_not_sent_again(shop: Shop, effect: str) -> None:
    turns = conversation(shop)
    shop.pass_()
    case_id = shop.answer(turns[3])
    shop.fake.fail(effect, method="POST", after=True, status=502 if effect == "html" else 200)
    assert shop.pass_().failed == 1
    assert shop.state(case_id) is OutboxState.SENDING, "in doubt"
    for _ in range(4):
        shop.pass_(20)
    assert shop.state(case_id) is OutboxState.SENT
    assert len(shop.fake.accepted) == 1
    assert len([one for one in texts(shop, case_id) if TEXT in one]) == 1


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_source_in_trouble_says_so_and_loses_nothing(shop: Shop, status: int) -> None:
    conversation(shop)
    shop.fake.fail("status", status=status)
    assert shop.pass_().failed == 1
    source = shop.store.sources.get("meta")
    assert source is not None and source.last_error
    assert source.state is (SourceState.BLOCKED if status in {401, 403} else SourceState.WAITING)
    shop.fake.faults.clear()
    assert shop.pass_(120).collected == 6


def test_a_late_comment_joins_the_case(shop: Shop) -> None:
    turns = conversation(shop)
    shop.pass_()
    world = shop.fake.world
    say = world.comment if shop.network == "facebook" else world.reply
    late = say(world.things[turns[0].on], "Et maintenant ?", "lea", parent=turns[3], after=300)
    shop.pass_()
    assert shop.case_of(late) == shop.case_of(turns[0])

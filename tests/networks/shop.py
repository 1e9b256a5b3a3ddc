"""A shop that listens to one stage: the real collector, store, routing and desk; only the model is a stub that is fast.

Its clock is the network's. Whatever a test does here, the dashboard and the worker do by the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import worker as steps
from dashboard import acts, acts_sources
from dashboard.context import ADMIN, Context, Viewer
from domain.analysis import Analysis
from domain.case import CaseId
from domain.mention import Mention
from store import Store
from store.outbox import OutboxRow
from store.queue import Message
from store.sources import Source
from tests.builders import MODEL, analysis
from tests.networks.stage import US, Stage

SOURCE = "shop"
ANSWER = "Il part demain, promis. Awa"


class FlatAnalyzer:
    """Says the same of everything: a delivery matter."""

    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(mention.id) for mention in mentions]


@dataclass(frozen=True)
class Shop:
    """One store, one source, one person at the desk."""

    store: Store
    stage: Stage

    def __post_init__(self) -> None:
        self.store.sources.ensure(SOURCE, self.stage.key, self.stage.title, self.stage.settings)

    @property
    def worker(self) -> steps.Worker:
        """As the command makes it."""
        return self.worker_of(10.0)

    def worker_of(self, timeout: float) -> steps.Worker:
        """With a collector that waits only so long for an answer, in seconds."""
        return steps.Worker(
            store=self.store,
            analyzer=FlatAnalyzer(),
            collector_of=lambda _source: self.stage.connect(timeout),
            crms={},
            interval=timedelta(0),
            now=lambda: self.stage.now,
        )

    def pass_(self, minutes: float = 1, *, timeout: float = 10.0) -> steps.Report:
        """One pass of the worker, so many minutes later."""
        self.stage.wait(minutes)
        return steps.run_once(self.worker_of(timeout))

    @property
    def desk(self) -> Context:
        """What the dashboard hands to an act."""
        zone = self.store.calendar.zone
        return Context(self.store, Viewer("Awa", ADMIN), "fr", self.stage.now, zone, clock=lambda: self.stage.now)

    @property
    def source(self) -> Source:
        """How the source feels."""
        found = self.store.sources.get(SOURCE)
        assert found is not None
        return found

    # -- what the desk shows -----------------------------------------------------------------------------------------------

    def case_of(self, native_id: str) -> CaseId:
        """The one case of a message."""
        (case_id,) = self.store.mentions.case_ids([self.stage.id_of(native_id)])
        return case_id

    def messages(self, case_id: CaseId) -> list[Message]:
        """A conversation, oldest first."""
        found = self.store.queue.conversation(case_id)
        assert found is not None
        return list(found.messages)

    def texts(self, case_id: CaseId) -> list[str]:
        """What was said in it."""
        return [one.mention.text for one in self.messages(case_id)]

    def sending(self, case_id: CaseId) -> OutboxRow:
        """The one answer that was asked for."""
        (row,) = self.store.outbox.of_case(case_id)
        return row

    # -- what a person does there ------------------------------------------------------------------------------------------

    def answer(self, native_id: str, text: str = ANSWER) -> CaseId:
        """Answer a message, clicked twice as people do."""
        case_id = self.case_of(native_id)
        for _ in range(2):
            acts.reply(self.desk, case_id, self.stage.id_of(native_id), text, f"reply:{case_id}:1")
        return case_id

    def try_again(self) -> None:
        """“Réessayer maintenant” on the sources page, and “Renvoyer” where something was refused."""
        acts_sources.retry(self.desk, SOURCE)
        for row in acts_sources.stuck(self.desk):
            acts_sources.send_again(self.desk, row.key)


def four_turns(stage: Stage) -> list[str]:
    """A conversation of four turns, ours the second, and a stranger beside it; ids of the turns."""
    later = partial(stage.wait, 3)
    stage.say(US, "Nos pulls marins sont de retour")
    later()
    first = stage.say("lea", "Où est mon colis ?")
    later()
    second = stage.say(US, "Bonjour Léa, quel est son numéro ?", first)
    later()
    third = stage.say("lea", "C'est le 4711", second)
    later()
    stage.say("luc", "Très joli magasin")
    later()
    fourth = stage.say("lea", "Toujours rien ce soir ?", third)
    return [first, second, third, fourth]

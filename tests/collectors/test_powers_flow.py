"""Private answers, hiding and taking back through the whole flow: from the desk's own functions to the vendor, once each."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard import acts
from dashboard.acts_moderation import DELETE_AFTER, moderate
from dashboard.context import ADMIN, Context, Viewer
from dashboard.views_answering import acts_of, is_hidden, private_of
from domain.case import CaseId
from domain.contracts import Act
from store import Store
from store.outbox import OutboxRow, OutboxState
from store.queue import Message
from tests.collectors.test_facebook_flow import Shop
from tests.fakes.meta import FakeMeta, serve
from tests.fakes.meta_world import Thing

TEXT = "Quel est votre numéro de commande ? Awa"


class Desk(Shop):
    """A comment below a post of ours, on Facebook or Instagram, and a person at the desk."""

    def __init__(self, store: Store, fake: FakeMeta, network: str) -> None:
        super().__init__(store, fake, network)
        world = fake.world
        post, say = (
            (world.post("Soldes"), world.comment) if network == "facebook" else (world.media("Soldes"), world.reply)
        )
        self.comment: Thing = say(post, "Remboursez-moi, escrocs", "lea")
        self.pass_()
        self.case_id: CaseId = self.case_of(self.comment)

    @property
    def context(self) -> Context:
        now = self.fake.world.clock
        return Context(self.store, Viewer("Awa", ADMIN), "fr", now, self.store.calendar.zone, clock=lambda: now)

    def message(self, mention_id: str) -> Message:
        conversation = self.store.queue.conversation(self.case_id)
        assert conversation is not None
        return next(m for m in conversation.messages if m.mention.id == mention_id)

    @property
    def said(self) -> Message:
        return self.message(self.id_of(self.comment))

    def rows(self) -> list[OutboxRow]:
        return self.store.outbox.of_case(self.case_id)

    def whisper(self) -> None:
        for _ in range(2):  # clicked twice
            key = f"reply:{self.case_id}:1"
            acts.reply(self.context, self.case_id, self.id_of(self.comment), TEXT, key, private=True)


@pytest.fixture(params=["facebook", "instagram"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, open_store: Callable[[str], Store]) -> Iterator[Desk]:
    with serve(FakeMeta()) as fake:
        yield Desk(open_store(f"sqlite:///{tmp_path / 'shop.sqlite'}"), fake, request.param)


def test_a_private_answer_reaches_its_author_alone_and_once(desk: Desk) -> None:
    private = private_of(desk.said)
    assert private is not None and private.until == desk.comment.at + timedelta(days=7)
    desk.whisper()
    assert desk.pass_().sent == 1
    for _ in range(3):
        desk.pass_(90)
    assert [thing.text for thing in desk.fake.accepted] == [TEXT] and desk.comment.answered_privately
    [row] = desk.rows()
    assert (row.kind, row.state) == ("private", OutboxState.SENT)
    assert desk.message(f"{desk.network}:{row.remote_id}").mention.text == TEXT


@pytest.mark.parametrize("effect", ["cut", "html", "truncated"])
def test_a_private_answer_without_a_confirmation_is_not_sent_again(desk: Desk, effect: str) -> None:
    desk.whisper()
    desk.fake.fail(effect, method="POST", after=True, status=502 if effect == "html" else 200)
    assert desk.pass_().failed == 1
    for _ in range(4):
        desk.pass_(20)
    assert len(desk.fake.accepted) == 1
    [row] = desk.rows()
    assert row.state is OutboxState.SENT, row.error


def test_hiding_is_seen_by_the_vendor_and_undone_there(desk: Desk) -> None:
    done = moderate(desk.context, desk.case_id, desk.id_of(desk.comment), Act.HIDE)
    desk.fake.fail("cut", method="POST", after=True)  # nobody knows whether it is hidden: it is done again
    assert desk.pass_().failed == 1
    desk.pass_(20)
    assert desk.comment.hidden and is_hidden(desk.said, desk.rows())
    assert acts_of(desk.said, desk.rows()) == (Act.UNHIDE,) and done.undo is not None
    acts.undo(desk.context, done.undo)
    desk.pass_()
    assert not desk.comment.hidden and not is_hidden(desk.said, desk.rows())


def test_our_answer_is_taken_back_and_loses_its_words(desk: Desk) -> None:
    acts.reply(desk.context, desk.case_id, desk.id_of(desk.comment), TEXT, f"reply:{desk.case_id}:1")
    desk.pass_()
    desk.pass_()
    [ours] = desk.fake.accepted
    mention_id = desk.id_of(ours)
    assert acts_of(desk.message(mention_id), desk.rows()) == (Act.DELETE,)
    moderate(desk.context, desk.case_id, mention_id, Act.DELETE)
    desk.pass_(DELETE_AFTER / timedelta(minutes=1))
    assert ours.id not in desk.fake.world.things
    gone = desk.message(mention_id)
    assert gone.mention.text == "" and gone.deleted_at is not None


def test_what_the_vendor_refuses_is_told_with_what_to_do(desk: Desk) -> None:
    moderate(desk.context, desk.case_id, desk.id_of(desk.comment), Act.HIDE)
    desk.fake.fail("status", method="POST", status=403)
    report = desk.pass_()
    [row] = desk.rows()
    assert row.error and report.needs_person and not desk.comment.hidden
    assert row.state in {OutboxState.REFUSED, OutboxState.PENDING}  # a right that is missing is mended, then it leaves

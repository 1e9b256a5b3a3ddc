"""From a wish at the desk to the network: private answers and acts on messages, each once, each failure in words."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from collectors import demo
from collectors.demo import DemoCollector
from domain.case import CaseId
from domain.contracts import Act, CollectorSpec, IdempotencyKey, Page, Permission, RemoteId
from domain.errors import TransientError
from domain.mention import MentionId, MentionKind
from store import Store, schema
from store.outbox import OutboxRow, OutboxState
from store.queue import Message
from tests.test_worker import SHORT, Rig

WORDS = "Pouvez-vous nous envoyer votre numéro de commande ?"


class Desk(Rig):
    """The rig, and a person who asks for what networks other than answering take."""

    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(store, folder)
        self.pass_()
        item = next(i for i in SHORT.items if i["network"] == "facebook" and not i["from_brand"] and i["author"])
        self.mention_id = MentionId(f"facebook:{item['id']}")
        [self.case_id] = store.mentions.case_ids([self.mention_id])

    def whisper(self, text: str = WORDS, key: str = "p1") -> None:
        self.store.cases.reply(
            self.case_id, self.mention_id, text, source_key="demo", key=key, actor="Awa", now=self.now, private=True
        )

    def moderate(self, act: Act, key: str, about: MentionId | None = None) -> None:
        self.store.cases.moderate(
            self.case_id, about or self.mention_id, act, source_key="demo", key=key, actor="Awa", now=self.now
        )

    def row(self, key: str) -> OutboxRow:
        return next(row for row in self.store.outbox.of_case(self.case_id) if row.key == key)

    def message(self, mention_id: str) -> Message:
        conversation = self.store.queue.conversation(self.case_id)
        assert conversation is not None
        return next(m for m in conversation.messages if m.mention.id == mention_id)

    def done(self) -> list[tuple[str, str]]:
        return [(act["id"], act["act"]) for act in self.network.acts()]


class HidesAll(DemoCollector):
    """Lets everything be hidden, as pages of ours would."""

    story = SHORT  # type: ignore[assignment]

    def may_moderate(self, mention: object) -> tuple[Act, ...]:
        return (Act.DELETE,) if mention.outbound else (Act.HIDE,)  # type: ignore[attr-defined]


@pytest.fixture
def desk(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(demo, "_PRIVATE_WINDOW", timedelta(days=365))  # the short story is an old one
    desk = Desk(store, tmp_path / "network")
    desk.collectors["demo"] = HidesAll(desk.collectors["demo"]._anchor, desk.network, lambda: desk.now)
    return desk


def test_what_was_heard_says_what_may_be_done(desk: Desk) -> None:
    permission = desk.message(desk.mention_id).permission
    assert permission is not None and permission.allowed and permission.public
    assert permission.private is not None and permission.private.until is not None and not permission.private.public


def test_a_private_answer_leaves_once_and_stays_one_message(desk: Desk) -> None:
    desk.whisper()
    assert desk.pass_().sent == 1
    desk.pass_(timedelta(minutes=1))  # the network brings it back
    [reply] = desk.network.replies()
    assert reply["private"] and reply["text"] == WORDS
    said = desk.message(f"facebook:{reply['id']}").mention
    assert said.kind is MentionKind.MESSAGE and said.outbound
    case = desk.store.cases.get(desk.case_id)
    assert case is not None and case.first_reply_at is not None


def test_a_time_out_after_a_private_answer_is_read_back_not_sent_again(desk: Desk) -> None:
    desk.whisper()
    desk.network.fail("timeout_after_send")
    assert desk.pass_().failed == 1 and desk.row("p1").state is OutboxState.SENDING
    desk.pass_(timedelta(minutes=10))
    assert desk.row("p1").state is OutboxState.SENT and len(desk.network.replies()) == 1


def test_the_same_words_said_publicly_do_not_count_as_the_private_answer(desk: Desk) -> None:
    desk.store.cases.reply(desk.case_id, desk.mention_id, WORDS, source_key="demo", key="k1", actor="Awa", now=desk.now)
    assert desk.pass_().sent == 1
    desk.whisper()
    desk.network.fail("timeout_after_send")
    desk.pass_()
    desk.pass_(timedelta(minutes=10))
    row = desk.row("p1")
    assert row.state is OutboxState.UNKNOWN and "same words" in (row.error or ""), "a person looks; nothing is doubled"
    assert len(desk.network.replies()) == 2


def test_a_private_answer_after_its_window_is_refused_in_words(desk: Desk) -> None:
    desk.now += timedelta(days=400)
    desk.whisper()
    report = desk.pass_()
    assert desk.row("p1").state is OutboxState.REFUSED and "seven days" in (desk.row("p1").error or "")
    assert report.needs_person and not desk.network.replies()


class OnlyReads:
    """A network that takes nothing from us."""

    spec = CollectorSpec("mute", "Mute")

    def check(self) -> None: ...

    def fetch(self, watch: object, since: object) -> Iterator[Page]:
        return iter(())


class OnlyWhispers(OnlyReads):
    """It takes private answers, cannot be asked about them, and the last one got lost."""

    def may_reply_privately(self, mention: object) -> Permission:
        return Permission(True, public=False)

    def reply_privately(self, mention: object, text: str, key: IdempotencyKey) -> RemoteId:
        raise AssertionError("sent without looking")


def test_a_network_without_the_power_says_so(desk: Desk) -> None:
    desk.collectors["demo"] = OnlyReads()
    desk.whisper()
    desk.moderate(Act.HIDE, "h1")
    report = desk.pass_()
    assert {desk.row(key).state for key in ("p1", "h1")} == {OutboxState.REFUSED}
    assert "private answers" in (desk.row("p1").error or "") and "hidden" in (desk.row("h1").error or "")
    assert len(report.needs_person) == 2
    journal = [row.action for row in desk.store.audit.of_case(desk.case_id)]
    assert "reply_failed" in journal and "moderation_failed" in journal


def test_a_private_answer_that_cannot_be_looked_for_waits_for_a_person(desk: Desk) -> None:
    desk.whisper()
    desk.collectors["demo"] = OnlyWhispers()
    desk.store.outbox.lease("private", "demo", 1, desk.now)  # a worker took it, and died
    desk.pass_(timedelta(minutes=10))
    assert desk.row("p1").state is OutboxState.UNKNOWN


def test_hiding_and_showing_again_reach_the_network_once_each(desk: Desk) -> None:
    native = desk.mention_id.removeprefix("facebook:")
    desk.moderate(Act.HIDE, "h1")
    desk.network.fail("timeout_after_send")
    assert desk.pass_().failed == 1, "nobody knows whether it is hidden: it is done again, since twice is once"
    desk.pass_(timedelta(minutes=10))
    assert desk.row("h1").state is OutboxState.SENT and desk.done() == [(native, "hide")]
    desk.moderate(Act.UNHIDE, "u1")
    desk.pass_()
    assert desk.done() == [(native, "hide"), (native, "unhide")]


def test_an_act_taken_back_before_it_left_never_leaves(desk: Desk) -> None:
    desk.network.fail("5xx", times=1)
    desk.moderate(Act.HIDE, "h1")
    desk.pass_()
    assert desk.row("h1").state is OutboxState.PENDING
    desk.now += timedelta(seconds=1)
    desk.moderate(Act.UNHIDE, "u1")
    desk.pass_(timedelta(hours=1))
    assert desk.row("h1").state is OutboxState.WITHDRAWN and desk.row("u1").state is OutboxState.SENT
    assert desk.done() == []  # it was never hidden


def test_our_own_answer_is_taken_back(desk: Desk) -> None:
    desk.whisper("Bonjour, nous regardons tout de suite. Awa")
    desk.pass_()
    desk.pass_()  # it takes its place in the conversation
    [reply] = desk.network.replies()
    ours = MentionId(f"facebook:{reply['id']}")
    permission = desk.message(ours).permission
    assert permission is not None and permission.acts == (Act.DELETE,)
    desk.moderate(Act.DELETE, "d1", ours)
    assert desk.pass_().sent == 1
    assert desk.network.is_deleted("facebook", reply["id"])
    gone = desk.message(ours)
    assert gone.mention.text == "" and gone.deleted_at == desk.now
    desk.pass_(timedelta(minutes=1))
    assert desk.message(ours).mention.text == "", "the network's list does not bring it back"


def test_what_the_network_does_not_allow_is_refused(desk: Desk) -> None:
    desk.moderate(Act.DELETE, "d1")
    desk.pass_()
    assert desk.row("d1").state is OutboxState.REFUSED and desk.done() == []
    assert "does not allow" in (desk.row("d1").error or "")


def test_a_network_that_is_down_is_asked_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_args: object) -> None:
        raise TransientError("503")

    desk.moderate(Act.HIDE, "h1")
    with monkeypatch.context() as patch:
        patch.setattr(HidesAll, "moderate", down)
        desk.pass_()
        assert desk.row("h1").state is OutboxState.PENDING
    desk.pass_(timedelta(hours=1))
    assert desk.row("h1").state is OutboxState.SENT


def test_an_unknown_message_is_told(desk: Desk) -> None:
    desk.store.cases.moderate(
        CaseId(desk.case_id),
        MentionId("facebook:none"),
        Act.HIDE,
        source_key="demo",
        key="h1",
        actor="Awa",
        now=desk.now,
    )
    desk.pass_()
    assert desk.row("h1").state is OutboxState.REFUSED and "no longer there" in (desk.row("h1").error or "")


@pytest.mark.parametrize("lost", [False, True])
def test_what_an_answer_cost_is_in_the_ledger_once(store: Store, tmp_path: Path, lost: bool) -> None:
    rig = Rig(store, tmp_path / "network")
    rig.pass_()
    item = next(i for i in SHORT.items if i["network"] == "x" and "@ormelune" in i["text"].lower() and i["author"])
    [case_id] = store.mentions.case_ids([MentionId(f"x:{item['id']}")])
    store.cases.reply(
        case_id, MentionId(f"x:{item['id']}"), "Bonjour", source_key="demo", key="k1", actor="Awa", now=rig.now
    )
    if lost:
        rig.network.fail("timeout_after_send")
    for _ in range(3):
        rig.pass_(timedelta(minutes=10))
    with store.database.read() as connection:
        rows = (
            connection.execute(sa.select(schema.spending).where(schema.spending.c.kind == "writing")).mappings().all()
        )
    assert [(row["source_key"], row["item_count"], row["price"]) for row in rows] == [("demo", 1, 0.01)]

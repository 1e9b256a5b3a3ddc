"""Private answers, acts on messages and replaced answers in the store: asked once, in order, taken back in time."""

from datetime import datetime, timedelta

import pytest

from domain.case import CaseId, Status
from domain.contracts import Act, Permission
from domain.mention import HIDDEN_HERE, Mention, MentionId, MentionKind
from store import Store
from store.moderation import Turn
from store.outbox import ASKED, OutboxRow, OutboxState
from store.queue import Message
from tests.builders import analysis, mention, page

ACTS = Permission(True, "", private=Permission(True, "Once.", public=False, text_limit=1000), acts=(Act.HIDE,))


def rights(said: Mention) -> Permission:
    return Permission(False, "Ours.", acts=(Act.DELETE,)) if said.outbound else ACTS


def no_records(_case: object, _item: object, _person: object) -> list[object]:
    return []


def fill(store: Store, now: datetime, *said: Mention) -> CaseId:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(*(said or (mention("1"),))), now, rights)
    settle(store, now)
    [case_id] = store.mentions.case_ids([MentionId("x:1")])
    return case_id


def settle(store: Store, now: datetime) -> None:
    with store.mentions.unanalyzed(100) as backlog:
        backlog.save([analysis(m.id) for m in backlog.mentions], now)
    store.cases.route(100, now, no_records)  # type: ignore[arg-type]


def message(store: Store, case_id: CaseId, mention_id: str) -> Message:
    conversation = store.queue.conversation(case_id)
    assert conversation is not None
    return next(m for m in conversation.messages if m.mention.id == mention_id)


def ask(store: Store, case_id: CaseId, act: Act, key: str, now: datetime, about: str = "x:1") -> str | None:
    return store.cases.moderate(
        case_id, MentionId(about), act, source_key="s", key=key, actor="Awa", now=now, due_at=now
    )


def leased(store: Store, now: datetime) -> list[OutboxRow]:
    return store.outbox.lease(ASKED, "s", 10, now)


def answer(store: Store, case_id: CaseId, text: str, now: datetime, *, key: str = "k1", private: bool = False) -> None:
    store.cases.reply(case_id, MentionId("x:1"), text, source_key="s", key=key, actor="Awa", now=now, private=private)


def states(store: Store, case_id: CaseId) -> dict[str, OutboxState]:
    return {str(row.key): row.state for row in store.outbox.of_case(case_id)}


def actions(store: Store, case_id: CaseId) -> list[str]:
    return [row.action for row in store.audit.of_case(case_id)]


def test_what_may_be_done_comes_back_as_it_was_told(store: Store, now: datetime) -> None:
    case_id = fill(
        store, now, mention("1"), mention("o1", "Bonjour", who=None, parent_id="1", conversation_id="1", outbound=True)
    )
    assert message(store, case_id, "x:1").permission == ACTS
    assert message(store, case_id, "x:o1").permission == Permission(False, "Ours.", acts=(Act.DELETE,))


def test_a_private_answer_is_asked_once_and_becomes_a_message_of_the_conversation(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    for _ in range(2):
        answer(store, case_id, "Votre adresse ?", now, private=True)
    [row] = leased(store, now)
    assert (row.kind, row.payload) == ("private", {"text": "Votre adresse ?"}) and leased(store, now) == []
    store.outbox.reply_sent(row, mention("1"), "dm1", now, rights)
    settle(store, now)
    said = message(store, case_id, "x:dm1")
    assert said.mention.kind is MentionKind.MESSAGE and said.mention.outbound and said.permission is not None
    assert said.permission.acts == (Act.DELETE,)
    case = store.cases.get(case_id)
    assert case is not None and case.first_reply_at == now and case.status is Status.PENDING
    assert actions(store, case_id).count("reply_private") == 1
    assert store.rebuild_rollups(write=False) == []


def test_an_answer_with_the_same_words_is_not_taken_for_another(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    answer(store, case_id, "Bonjour", now)
    [public] = leased(store, now)
    store.outbox.reply_sent(public, mention("1"), "r1", now)
    answer(store, case_id, "Bonjour", now, key="k2", private=True)
    [private] = leased(store, now)
    assert store.outbox.is_taken(private, "r1") and not store.outbox.is_taken(private, "dm1")
    assert not store.outbox.is_taken(public, "r1")


def test_hiding_changes_what_may_be_done_next(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    assert ask(store, case_id, Act.HIDE, "h1", now) == "h1"
    assert ask(store, case_id, Act.HIDE, "h2", now) is None, "it waits already"
    [row] = leased(store, now)
    assert store.moderation.turn(row) is Turn.NOW
    store.moderation.done(row, now)
    permission = message(store, case_id, "x:1").permission
    assert permission is not None and permission.acts == (Act.UNHIDE,) and permission.private == ACTS.private
    assert message(store, case_id, "x:1").mention.raw[HIDDEN_HERE] is True, "a network may no longer show it to us"
    assert states(store, case_id) == {"h1": OutboxState.SENT}
    assert {"hide", "moderated"} <= set(actions(store, case_id))
    ask(store, case_id, Act.UNHIDE, "u1", now + timedelta(minutes=1))
    [row] = leased(store, now + timedelta(minutes=1))
    store.moderation.done(row, now)
    permission = message(store, case_id, "x:1").permission
    assert permission is not None and permission.acts == (Act.HIDE,)
    assert message(store, case_id, "x:1").mention.raw[HIDDEN_HERE] is False


def test_an_older_act_never_leaves_after_a_newer_one(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    ask(store, case_id, Act.HIDE, "h1", now)
    [hide] = leased(store, now)
    store.outbox.doubt([hide], "no answer", now)
    ask(store, case_id, Act.UNHIDE, "u1", now + timedelta(seconds=1))
    [unhide] = leased(store, now + timedelta(seconds=2))
    assert store.moderation.turn(unhide) is Turn.NOW, "what is in doubt is not under way"
    store.moderation.done(unhide, now)
    [again] = leased(store, now + timedelta(hours=1))
    assert again.key == "h1" and store.moderation.turn(again) is Turn.OVERTAKEN
    store.moderation.overtaken(again, now)
    assert states(store, case_id) == {"h1": OutboxState.WITHDRAWN, "u1": OutboxState.SENT}


def test_an_act_waits_while_another_on_the_same_message_is_under_way(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    ask(store, case_id, Act.HIDE, "h1", now)
    [hide] = leased(store, now)
    ask(store, case_id, Act.UNHIDE, "u1", now + timedelta(seconds=1))
    [unhide] = leased(store, now + timedelta(seconds=2))
    assert store.moderation.turn(unhide) is Turn.WAIT
    store.moderation.done(hide, now)
    assert store.moderation.turn(unhide) is Turn.NOW


def test_a_deletion_waits_a_moment_in_which_it_can_be_taken_back(store: Store, now: datetime) -> None:
    ours = mention("o1", "Bonjour", who=None, parent_id="1", conversation_id="1", outbound=True)
    case_id = fill(store, now, mention("1"), ours)
    later = now + timedelta(seconds=10)
    store.cases.moderate(case_id, ours.id, Act.DELETE, source_key="s", key="d1", actor="Awa", now=now, due_at=later)
    assert leased(store, now) == []
    assert store.moderation.withdraw("d1", actor="Awa", now=now)
    assert leased(store, later) == [] and states(store, case_id) == {"d1": OutboxState.WITHDRAWN}
    assert actions(store, case_id)[-1] == "moderation_withdrawn"
    ask(store, case_id, Act.DELETE, "d2", later, ours.id)
    [row] = leased(store, later)
    assert not store.moderation.withdraw("d2", actor="Awa", now=later), "it is under way"
    assert row.key == "d2"


def test_what_we_deleted_loses_its_words_and_stays_counted(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    answer(store, case_id, "Bonjour, nous regardons tout de suite.", now)
    [row] = leased(store, now)
    store.outbox.reply_sent(row, mention("1"), "o1", now, rights)
    settle(store, now)
    ask(store, case_id, Act.DELETE, "d1", now, "x:o1")
    [row] = leased(store, now)
    store.moderation.done(row, now)
    gone = message(store, case_id, "x:o1")
    assert gone.mention.text == "" and gone.deleted_at == now and gone.mention.outbound
    assert gone.permission is not None and gone.permission.acts == ()
    assert "nous regardons" not in str([row.payload for row in store.outbox.of_case(case_id)])
    assert store.rebuild_rollups(write=False) == []


def test_a_failed_act_says_so_in_the_journal_and_can_be_asked_again(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    ask(store, case_id, Act.HIDE, "h1", now)
    store.outbox.refused(leased(store, now), "Not ours to hide.", now)
    assert actions(store, case_id)[-1] == "moderation_failed"
    store.outbox.send_again("h1", actor="Awa", now=now)
    [row] = leased(store, now)
    assert row.key == "h1"


@pytest.mark.parametrize("routed", [True, False])
def test_an_answer_that_replaces_another_shows_its_new_words(store: Store, now: datetime, routed: bool) -> None:
    case_id = fill(store, now)
    answer(store, case_id, "Bonjour", now)
    [first] = leased(store, now)
    store.outbox.reply_sent(first, mention("1"), "o1", now)
    if routed:
        settle(store, now)
    later = now + timedelta(hours=1)
    answer(store, case_id, "Bonjour, c'est réglé", later, key="k2")
    [second] = leased(store, later)
    store.outbox.reply_sent(second, mention("1"), "o1", later)
    settle(store, later)
    said = message(store, case_id, "x:o1")
    assert (said.mention.text, said.edited_at) == ("Bonjour, c'est réglé", later)
    case = store.cases.get(case_id)
    assert case is not None and case.first_reply_at == now
    if routed:
        assert case.last_reply_at == later
    assert store.rebuild_rollups(write=False) == []


def test_an_answer_that_the_network_brought_first_keeps_the_networks_words(store: Store, now: datetime) -> None:
    case_id = fill(store, now)
    answer(store, case_id, "Bonjour https://long.example", now)
    [row] = leased(store, now)
    back = mention("o1", "Bonjour https://t.co/1", who=None, parent_id="1", conversation_id="1", outbound=True)
    store.mentions.add_page("s", page(back, cursor="2"), now + timedelta(seconds=1), rights)
    store.outbox.reply_sent(row, mention("1"), "o1", now + timedelta(seconds=2))
    settle(store, now)
    assert message(store, case_id, "x:o1").mention.text == "Bonjour https://t.co/1"

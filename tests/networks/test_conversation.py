"""On each network: a conversation becomes one case, and an answer from the desk is seen by the network exactly once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from store.outbox import OutboxState
from store.sources import SourceState
from tests.networks.shop import ANSWER, Shop, four_turns
from tests.networks.stage import Stage

ACCEPTED = (  # what may go wrong once the network has taken the answer
    ("cut", {}),
    ("html", {"status": 502}),
    ("html", {"status": 200}),
    ("truncated", {}),
    ("status", {"status": 500}),
)
UNTAKEN = (  # what may go wrong before
    ("cut", {}),
    ("html", {"status": 502}),
    ("html", {"status": 200}),
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("status", {"status": 429}),
    ("html", {"status": 503}),
)


def answers(shop: Shop) -> list[str]:
    """How the network shows our answer, each time that it is there."""
    return [text for text in shop.stage.taken() if ANSWER in text]


def in_desk(shop: Shop, turn: str) -> int:
    """How often our answer stands in the conversation."""
    return sum(ANSWER in text for text in shop.texts(shop.case_of(turn)))


def settled(shop: Shop, turn: str) -> None:
    """After all that is waited for, and once more; then the answer is there once, here and there."""
    for minutes in (35, 361, 61):
        shop.pass_(minutes)
    assert answers(shop) == shop.stage.taken() and len(answers(shop)) == 1
    assert shop.sending(shop.case_of(turn)).state is OutboxState.SENT
    assert in_desk(shop, turn) == 1


def test_four_turns_are_one_case_and_its_answer_leaves_once(shop: Shop) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    assert shop.source.state is SourceState.OK, shop.source.last_error
    case_id = shop.answer(turns[3])
    heard = [one.mention for one in shop.messages(case_id)]
    assert [one.id for one in heard] == [shop.stage.id_of(turn) for turn in turns]
    assert [one.outbound for one in heard] == [False, True, False, False]
    assert shop.pass_().sent == 1
    assert [row.state for row in shop.store.outbox.of_case(case_id)] == [OutboxState.SENT]
    settled(shop, turns[3])


@pytest.mark.parametrize(("effect", "fields"), ACCEPTED)
def test_taken_without_a_word_it_is_read_back(shop: Shop, effect: str, fields: dict[str, int]) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    case_id = shop.answer(turns[3])
    method, path = shop.stage.answering
    shop.stage.vendor.fail(effect, path=path, method=method, after=True, **fields)
    assert shop.pass_().failed == 1
    row = shop.sending(case_id)
    assert row.state is OutboxState.SENDING and row.error, "in doubt, and the desk says so"
    assert len(answers(shop)) == 1
    settled(shop, turns[3])


def test_taken_and_silent_it_is_read_back(shop: Shop) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    case_id = shop.answer(turns[3])
    method, path = shop.stage.answering
    shop.stage.vendor.fail("hang", path=path, method=method, after=True)
    assert shop.pass_(timeout=0.25).failed == 1
    assert shop.sending(case_id).state is OutboxState.SENDING
    settled(shop, turns[3])


def test_while_nobody_can_look_nothing_is_sent_again(shop: Shop) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    case_id = shop.answer(turns[3])
    method, path = shop.stage.answering
    shop.stage.vendor.fail("cut", path=path, method=method, after=True)
    shop.pass_()
    shop.stage.vendor.fail("html", status=502, times=10**9)
    for minutes in (5, 35):
        shop.pass_(minutes)
        assert shop.sending(case_id).state is OutboxState.SENDING
    shop.stage.vendor.faults.clear()
    settled(shop, turns[3])


@pytest.mark.parametrize(("effect", "fields"), UNTAKEN)
def test_not_taken_it_leaves_later(shop: Shop, effect: str, fields: dict[str, int]) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    shop.answer(turns[3])
    method, path = shop.stage.answering
    shop.stage.vendor.fail(effect, path=path, method=method, **fields)
    assert shop.pass_().failed == 1
    assert answers(shop) == []
    settled(shop, turns[3])


def test_asked_to_wait_it_waits_as_long(shop: Shop) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    case_id = shop.answer(turns[3])
    method, path = shop.stage.answering
    shop.stage.limit(timedelta(minutes=45), path=path, method=method)
    shop.pass_()
    assert shop.sending(case_id).state is OutboxState.PENDING
    shop.pass_(42)
    assert answers(shop) == []
    shop.pass_(4)
    assert len(answers(shop)) == 1
    settled(shop, turns[3])


@pytest.mark.parametrize("trouble", [Stage.expire, Stage.revoke], ids=lambda trouble: trouble.__name__)
def test_without_a_token_or_a_right_it_is_kept_and_leaves_after_mending(
    shop: Shop, trouble: Callable[[Stage], None]
) -> None:
    turns = four_turns(shop.stage)
    shop.pass_()
    case_id = shop.answer(turns[3])
    getattr(shop.stage, trouble.__name__)()
    for minutes in (5, 120):  # X is asked for private messages every three minutes only
        report = shop.pass_(minutes)
        row = shop.sending(case_id)
        assert row.payload["text"] == ANSWER and row.error and len(row.error) > 40, row
        assert any(row.error in line for line in report.needs_person)
        assert shop.source.state is SourceState.BLOCKED and shop.source.last_error
    assert shop.stage.taken() == []
    shop.stage.mend()
    shop.try_again()
    shop.pass_(61)
    assert shop.source.state is SourceState.OK
    settled(shop, turns[3])

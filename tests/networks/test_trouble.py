"""On each network: what goes wrong while reading is told in plain words, waits for the clock or a person, and loses nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from store.sources import BACK_OFF, SourceState
from tests.networks.shop import Shop, four_turns
from tests.networks.stage import Stage

PASSING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 429}),
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("html", {"status": 502}),
    ("html", {"status": 200}),
    ("truncated", {}),
    ("cut", {}),
)


def heard_as_one(shop: Shop, turns: list[str]) -> None:
    """All four turns are there, once, in one case."""
    case_id = shop.case_of(turns[0])
    assert [one.mention.id for one in shop.messages(case_id)] == [shop.stage.id_of(turn) for turn in turns]


def in_words(shop: Shop) -> None:
    """The sources page says what happened, and no secret."""
    told = shop.source.last_error
    assert told and len(told) > 40 and told.rstrip().endswith((".", "?", "!")), told
    for secret in ("token", "secret", "password"):
        for key, value in shop.stage.settings.items():
            assert secret not in key or value not in told, f"{key} is in: {told}"
    assert "Traceback" not in told and "Comptoir's own" not in told, told


@pytest.mark.parametrize(("effect", "fields"), PASSING)
def test_what_passes_waits_and_is_tried_again(shop: Shop, effect: str, fields: dict[str, Any]) -> None:
    shop.pass_()  # from here on, an odd answer is the network's trouble and not a wrong address in the settings
    turns = four_turns(shop.stage)
    shop.stage.vendor.fail(effect, **fields)
    shop.pass_()
    assert shop.source.state is SourceState.WAITING
    assert shop.source.retry_at is not None and shop.source.retry_at >= shop.stage.now + BACK_OFF[0]
    in_words(shop)
    shop.pass_(35)
    assert shop.source.state is SourceState.OK
    heard_as_one(shop, turns)


@pytest.mark.parametrize(("effect", "fields"), PASSING)
def test_what_happens_halfway_leaves_what_was_read(shop: Shop, effect: str, fields: dict[str, Any]) -> None:
    shop.stage.in_pages_of(2)
    turns = four_turns(shop.stage)
    questions = len(shop.stage.vendor.requests)
    list(shop.stage.connect().fetch(shop.worker.watch, None))
    questions = len(shop.stage.vendor.requests) - questions
    shop.stage.vendor.fail(effect, skip=questions // 2, **fields)
    shop.pass_()
    if (
        effect != "cut" or shop.source.state is not SourceState.OK
    ):  # a line that was hung up may be dialled again at once
        assert shop.source.state is SourceState.WAITING
        in_words(shop)
    shop.pass_(35)
    assert shop.source.state is SourceState.OK
    heard_as_one(shop, turns)


def test_asked_to_wait_it_waits_as_long(shop: Shop) -> None:
    turns = four_turns(shop.stage)
    shop.stage.limit(timedelta(minutes=45))
    shop.pass_()
    assert shop.source.state is SourceState.WAITING
    assert shop.source.retry_at is not None
    assert abs(shop.source.retry_at - shop.stage.now - timedelta(minutes=45)) <= timedelta(minutes=1)
    asked = len(shop.stage.vendor.requests)
    shop.pass_(42)
    assert len(shop.stage.vendor.requests) == asked
    shop.pass_(4)
    heard_as_one(shop, turns)


@pytest.mark.parametrize("trouble", [Stage.expire, Stage.revoke], ids=lambda trouble: trouble.__name__)
def test_what_a_person_must_mend_blocks_the_source(shop: Shop, trouble: Callable[[Stage], None]) -> None:
    turns = four_turns(shop.stage)
    getattr(shop.stage, trouble.__name__)()
    report = shop.pass_()
    assert shop.source.state is SourceState.BLOCKED
    in_words(shop)
    assert report.needs_person == [f"{shop.stage.title}: {shop.source.last_error}"]
    shop.stage.mend()
    assert shop.pass_().collected == 0, "it waits for a person, or an hour"
    shop.try_again()
    shop.pass_()
    assert shop.source.state is SourceState.OK
    heard_as_one(shop, turns)

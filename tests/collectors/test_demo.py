"""The demo story is whole, deterministic and true to its own facts; its network behaves like a vendor's."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.demo import connect
from collectors.demo_network import DemoNetwork
from collectors.demo_story import CHAPTERS, LIVE_AT_LEAST, Story, lay_out
from domain.contracts import CanReadBack, CanReply, Collector, Cursor, IdempotencyKey, KnowsCustomers, Watch
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention
from domain.person import EventKind

EVENING = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)
KEY = IdempotencyKey("k")
FOLDER = Path(__file__).parents[2] / "collectors" / "story"


@pytest.fixture(scope="module")
def story() -> Story:
    return lay_out(EVENING)


def source(tmp_path: Path, now: datetime = EVENING) -> Any:
    return connect({"anchor": EVENING.isoformat(), "folder": str(tmp_path)}, lambda: now)


def all_of(collector: Collector, since: Cursor | None = None) -> list[Mention]:
    return [mention for page in collector.fetch(Watch(), since) for mention in page.mentions]


def test_the_story_is_as_large_as_promised(story: Story) -> None:
    said = [item for item in story.items if not item["from_brand"]]
    assert len(said) >= 1500
    assert {item["network"] for item in said} == {"x", "facebook", "instagram", "reviews", "blog", "mail"}
    assert sum(item["lang"] == "en" for item in said) >= 150
    days = {item["time"].date() for item in said}
    assert (max(days) - min(days)).days >= 38
    assert len({item["author"]["name"] for item in said}) >= 380
    talks = Counter(item["conversation"] for item in story.items)
    assert sum(count >= 3 for count in talks.values()) >= 300


def test_people_have_orders_carts_deliveries_returns_and_visits(story: Story) -> None:
    kinds = Counter(event.kind for customer in story.customers for event in customer.events)
    assert set(kinds) == set(EventKind) and min(kinds.values()) >= 20
    assert len({event.ref for c in story.customers for event in c.events}) == sum(kinds.values()), (
        "references are unique"
    )


def test_no_text_is_repeated() -> None:
    texts: Counter[str] = Counter()
    for chapter in CHAPTERS:
        for line in (FOLDER / f"{chapter}.threads.jsonl").read_text("utf-8").splitlines():
            texts.update(turn["text"].strip().lower() for turn in json.loads(line)["turns"])
    # A "merci !" may be said twice; sentences may not.
    assert [text for text, count in texts.items() if count > 1 and len(text) > 40] == []


def test_texts_agree_with_the_facts(story: Story) -> None:
    refs = {event.ref for c in story.customers for event in c.events}
    about = [item["about"]["order"] for item in story.items if item["about"].get("order")]
    assert len(about) > 300 and set(about) <= refs


def test_the_same_anchor_gives_the_same_story_and_another_day_shifts_it(story: Story) -> None:
    again = lay_out(EVENING)
    assert again.items == story.items and again.acts == story.acts and again.customers == story.customers
    later = lay_out(EVENING + timedelta(days=3))
    assert [item["id"] for item in later.items if item["time"] < EVENING] != []
    shift = {b["time"] - a["time"] for a, b in zip(story.items[:50], later.items[:50], strict=True)}
    assert shift == {timedelta(days=3)}


@pytest.mark.parametrize("hour", [0, 7, 12, 15, 22])
def test_at_any_hour_history_is_past_and_something_is_still_to_come(hour: int) -> None:
    anchor = datetime(2026, 3, 10, hour, 20, tzinfo=UTC)
    told = lay_out(anchor)
    live = [item for item in told.items if item["time"] > anchor]
    assert len(live) >= LIVE_AT_LEAST and not any(item["from_brand"] for item in live)
    assert max(item["time"] for item in live) < anchor + timedelta(hours=4)
    assert all(act.at <= anchor for act in told.acts)
    last = max(item["time"] for item in told.items if item["time"] <= anchor)
    assert anchor - last < timedelta(hours=24), "the counter is awake"


def test_reading_is_by_time_and_resumes_anywhere(tmp_path: Path) -> None:
    collector = source(tmp_path)
    everything = all_of(collector)
    assert [m.created_at for m in everything] == sorted(m.created_at for m in everything)
    for number, page in enumerate(collector.fetch(Watch(), None), start=1):
        if number in {1, 7, 20}:
            rest = [m.id for m in all_of(collector, page.cursor)]
            assert rest == [m.id for m in everything[number * 100 :]]


def test_the_rest_arrives_as_time_goes_by(tmp_path: Path) -> None:
    first = list(source(tmp_path).fetch(Watch(), None))[-1]
    later = source(tmp_path, EVENING + timedelta(minutes=5))
    arrived = all_of(later, first.cursor)
    assert 1 <= len(arrived) <= 7 and all(EVENING < m.created_at <= EVENING + timedelta(minutes=5) for m in arrived)


def one(tmp_path: Path, network: str) -> tuple[Any, Mention]:
    collector = source(tmp_path)
    return collector, next(m for m in all_of(collector) if m.network == network and not m.outbound)


def test_it_has_the_powers_of_a_network_that_can_answer(tmp_path: Path) -> None:
    collector = source(tmp_path)
    assert (
        isinstance(collector, CanReply) and isinstance(collector, CanReadBack) and isinstance(collector, KnowsCustomers)
    )
    assert collector.spec.can_reply


def test_permissions_follow_the_networks_rules(tmp_path: Path) -> None:
    collector, post = one(tmp_path, "x")
    summoned = Mention("x", "1", "@ormelune bonjour", EVENING)
    alone = Mention("x", "2", "j'ai acheté une bouilloire", EVENING)
    assert collector.may_reply(summoned).allowed and collector.may_reply(summoned).price == 0.01
    assert not collector.may_reply(alone).allowed and "mention" in collector.may_reply(alone).reason
    assert not collector.may_reply(Mention("blog", "3", "article", EVENING)).allowed
    assert collector.may_reply(Mention("mail", "4", "mail", EVENING)).public is False
    assert collector.may_reply(post) == collector.may_reply(post)


def test_an_answer_is_there_for_everybody_and_comes_back(tmp_path: Path) -> None:
    collector, asked = one(tmp_path, "facebook")
    cursor = list(collector.fetch(Watch(), None))[-1].cursor
    remote = collector.reply(asked, "Bonjour !", KEY)
    assert source(tmp_path).find_reply(asked, "Bonjour !", KEY) == remote
    assert collector.find_reply(asked, "Autre chose", KEY) is None
    [back] = all_of(collector, cursor)
    assert back.outbound and back.native_id == remote and back.parent_id == asked.native_id and back.author is None


def test_the_network_has_no_idempotency_key(tmp_path: Path) -> None:
    collector, asked = one(tmp_path, "facebook")
    assert collector.reply(asked, "Bonjour !", KEY) != collector.reply(asked, "Bonjour !", KEY)
    assert len(DemoNetwork(tmp_path).replies()) == 2


def test_a_text_that_is_too_long_is_refused_before_it_leaves(tmp_path: Path) -> None:
    collector = source(tmp_path)
    with pytest.raises(RefusedError, match="Shorten"):
        collector.reply(Mention("x", "1", "@ormelune ?", EVENING), "x" * 281, KEY)
    assert DemoNetwork(tmp_path).replies() == []


@pytest.mark.parametrize(
    ("fault", "error"), [("429", TransientError), ("5xx", TransientError), ("malformed_page", ContractError)]
)
def test_it_fails_as_told_and_then_works(tmp_path: Path, fault: str, error: type[Exception]) -> None:
    network = DemoNetwork(tmp_path)
    network.fail(fault, times=1, retry_after=30)
    collector = source(tmp_path)
    with pytest.raises(error) as caught:
        all_of(collector)
    if isinstance(caught.value, TransientError):
        assert caught.value.retry_after == timedelta(seconds=30)
    assert len(all_of(collector)) > 1000


def test_a_time_out_after_sending_leaves_the_answer_there(tmp_path: Path) -> None:
    collector, asked = one(tmp_path, "mail")
    DemoNetwork(tmp_path).fail("timeout_after_send")
    with pytest.raises(OutcomeUnknownError):
        collector.reply(asked, "Bonjour", KEY)
    assert collector.find_reply(asked, "Bonjour", KEY) is not None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "comptoir demo"),
        ({"anchor": "hier", "folder": "x"}, "not a date"),
        ({"anchor": "2026-03-10T10:00:00", "folder": "x"}, "no time zone"),
    ],
)
def test_settings_that_cannot_work_say_so(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        connect(settings)


@pytest.mark.parametrize("cursor", ["", "{}", "[1]", '{"item": "x"}'])
def test_a_foreign_cursor_is_refused(tmp_path: Path, cursor: str) -> None:
    with pytest.raises(ContractError, match="no cursor"):
        all_of(source(tmp_path), Cursor(cursor))


def test_unknown_faults_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="429"):
        DemoNetwork(tmp_path).fail("earthquake")

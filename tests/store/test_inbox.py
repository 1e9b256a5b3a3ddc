"""What webhooks brought: kept once, taken one by one, done with its mentions or not at all, listed where it fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from domain.contracts import Delivery
from store import Store, inbox, schema
from store.inbox import DeliveryState, InboxRow
from tests.builders import mention, page
from tests.conftest import NOW


def delivery(body: bytes = b"{}", *, after: float = 0, **headers: str) -> Delivery:
    """One, so many minutes after NOW."""
    return Delivery("POST", {"token": "x"}, headers, body, NOW + timedelta(minutes=after))


@pytest.fixture
def shop(store: Store) -> Store:
    """A store with two sources."""
    for key in ("a", "b"):
        store.sources.ensure(key, "webhook", key.upper(), {})
    return store


def take(store: Store, at: datetime = NOW, source: str = "a") -> InboxRow:
    row = store.inbox.take(source, at)
    assert row is not None
    return row


def test_a_delivery_comes_back_as_it_came_without_what_reading_does_not_need(shop: Store) -> None:
    body = bytes(range(256)) * 4
    headers = {"content-type": "application/json", "authorization": "secret", "x-signature": "secret"}
    assert shop.inbox.keep("a", "k", delivery(body, **headers))
    row = take(shop)
    assert row.delivery == Delivery("POST", {}, {"content-type": "application/json"}, body, NOW)
    assert row.attempt_count == 1 and row.state is DeliveryState.WAITING


def test_a_repeated_delivery_is_kept_once_and_writes_nothing(shop: Store) -> None:
    assert shop.inbox.keep("a", "k", delivery(b"first"))
    before = shop.revision()
    assert not shop.inbox.keep("a", "k", delivery(b"again", after=5))
    assert shop.revision() == before
    assert shop.inbox.keep("b", "k", delivery(b"first")), "keys are a source's own"
    assert take(shop).body == b"first" and shop.inbox.take("a", NOW) is None


def test_a_long_key_is_still_one_key(shop: Store) -> None:
    assert shop.inbox.keep("a", "k" * 300, delivery())
    assert not shop.inbox.keep("a", "k" * 300, delivery())
    assert shop.inbox.keep("a", "k" * 301, delivery())


def test_two_that_bring_the_same_at_once_are_one(
    shop: Store, open_store: Callable[[str], Store], database_url: str
) -> None:
    other, start = open_store(database_url), Barrier(2)

    def keep(store: Store) -> bool:
        start.wait()
        return store.inbox.keep("a", "k", delivery())

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(keep, (shop, other))) == [False, True]


def test_they_are_taken_in_the_order_in_which_they_came(shop: Store) -> None:
    for key, after in (("z", 0), ("a", 1), ("m", 2)):
        shop.inbox.keep("a", key, delivery(after=after))
    later = NOW + timedelta(minutes=3)
    assert [take(shop, later).key for _ in range(3)] == ["z", "a", "m"]
    assert shop.inbox.take("a", later) is None


def test_an_idle_worker_only_reads(shop: Store) -> None:
    before = shop.revision()
    assert shop.inbox.sources_due(NOW) == [] and shop.inbox.take("a", NOW) is None
    shop.inbox.tidy(NOW)
    assert shop.revision() == before


def test_a_paused_source_keeps_and_does_not_read(shop: Store) -> None:
    shop.sources.set_enabled("a", False)
    assert shop.inbox.keep("a", "k", delivery())
    assert shop.inbox.sources_due(NOW) == []
    shop.sources.set_enabled("a", True)
    assert shop.inbox.sources_due(NOW) == ["a"]


def test_a_delivery_is_done_with_its_mentions_or_not_at_all(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.inbox.keep("a", "k", delivery())
    row = take(shop)
    two = page(mention("1"), mention("2"), cursor=None)
    with monkeypatch.context() as patch:

        def dies(*_args: object) -> None:
            raise KeyboardInterrupt

        patch.setattr("store.mentions.Mentions._advance", dies)
        with pytest.raises(KeyboardInterrupt):
            shop.mentions.add_page("a", two, NOW, delivery=row.key)
    assert shop.mention_count() == 0 and shop.inbox.take("a", NOW) is None, "still leased by the one that died"
    again = take(shop, NOW + inbox.LEASE)
    assert shop.mentions.add_page("a", two, NOW, delivery=again.key).stored == 2
    kept = shop.inbox.get("a", "k")
    assert kept is not None and kept.state is DeliveryState.DONE and kept.settled_at == NOW
    assert shop.inbox.take("a", NOW + timedelta(days=2)) is None


def test_a_delivery_read_twice_adds_nothing_the_second_time(shop: Store) -> None:
    shop.inbox.keep("a", "k", delivery())
    take(shop)
    slow = take(shop, NOW + inbox.LEASE)  # the first one only seemed dead
    assert shop.mentions.add_page("a", page(mention("1"), cursor=None), NOW, delivery=slow.key).stored == 1
    late = page(mention("1"), mention("2"), cursor="far")
    result = shop.mentions.add_page("a", late, NOW, delivery="k")
    assert (result.stored, result.duplicates) == (0, 2) and shop.mention_count() == 1
    source = shop.sources.get("a")
    assert source is not None and source.cursor is None


def test_a_page_of_a_delivery_leaves_the_cursor_alone(shop: Store) -> None:
    shop.mentions.add_page("a", page(mention("1"), cursor="here"), NOW)
    shop.inbox.keep("a", "k", delivery())
    shop.mentions.add_page("a", page(mention("2"), cursor=None), NOW, delivery=take(shop).key)
    source = shop.sources.get("a")
    assert source is not None and source.cursor == "here" and source.mention_count == 2


def test_what_cannot_be_read_is_tried_again_ever_later_then_kept_for_a_person(shop: Store) -> None:
    shop.inbox.keep("a", "k", delivery(b"odd"))
    now, waits = NOW, []
    for _ in range(inbox.MAX_ATTEMPTS - 1):
        shop.inbox.retry(take(shop, now), "no idea", now)
        [seen] = shop.inbox.troubled("a")
        assert seen.error == "no idea" and seen.state is DeliveryState.WAITING
        waits.append(seen.due_at - now)
        assert shop.inbox.take("a", seen.due_at - timedelta(seconds=1)) is None
        now = seen.due_at
    assert waits == [*inbox.BACK_OFF, inbox.BACK_OFF[-1], inbox.BACK_OFF[-1]]
    shop.inbox.retry(take(shop, now), "no idea", now)
    [seen] = shop.inbox.troubled()
    assert (seen.state, seen.body, seen.error) == (DeliveryState.FAILED, b"odd", "no idea")
    assert shop.inbox.take("a", now + timedelta(days=365)) is None
    shop.inbox.tidy(now + timedelta(days=365))
    assert shop.inbox.troubled()[0].body == b"odd", "what nobody has looked at is never dropped"


def test_a_vendor_in_trouble_is_waited_for_a_week(shop: Store) -> None:
    shop.inbox.keep("a", "k", delivery())
    now = NOW
    for turn in range(60):  # noqa: B007 - looked at below
        if now - NOW >= inbox.PATIENCE:
            break
        shop.inbox.wait(take(shop, now), "no answer", now, timedelta(hours=3))
        now += timedelta(hours=3)
    assert turn == 56 and shop.inbox.health("a", now).waiting_count == 1
    shop.inbox.wait(take(shop, now), "no answer", now)
    assert shop.inbox.health("a", now).failed_count == 1


def test_one_that_kills_its_reader_steps_aside(shop: Store) -> None:
    shop.inbox.keep("a", "k", delivery(b"bomb"))
    now = NOW
    for _ in range(inbox.MAX_ATTEMPTS):
        take(shop, now)
        now += inbox.LEASE
    shop.inbox.keep("a", "next", delivery(after=60 * 24))
    now += timedelta(days=1)
    assert take(shop, now).key == "next"
    [bomb] = shop.inbox.troubled("a")
    assert bomb.state is DeliveryState.FAILED and bomb.body == b"bomb" and "8 times" in str(bomb.error)


def test_a_person_lets_it_be_read_again_or_discards_it(shop: Store) -> None:
    for key in ("k", "l"):
        shop.inbox.keep("a", key, delivery())
        shop.inbox.failed(take(shop), "odd", NOW)
    shop.inbox.again("a", "k", actor="Awa", now=NOW)
    shop.inbox.discard("a", "l", actor="Awa", now=NOW)
    shop.inbox.discard("a", "k", actor="Awa", now=NOW)  # no longer failed: nothing happens
    assert take(shop).key == "k" and shop.inbox.take("a", NOW) is None
    gone = shop.inbox.get("a", "l")
    assert gone is not None and (gone.state, gone.body) == (DeliveryState.DISCARDED, None)
    assert not shop.inbox.keep("a", "l", delivery()), "it stays known"
    with shop.database.read() as connection:
        told = connection.execute(sa.select(schema.audit.c.actor, schema.audit.c.action, schema.audit.c.data)).all()
    assert [(one.actor, one.action, one.data["key"]) for one in told] == [
        ("Awa", "read_delivery_again", "k"),
        ("Awa", "discard_delivery", "l"),
    ]


def test_what_was_read_loses_its_body_after_a_day_and_its_key_after_a_season(shop: Store) -> None:
    shop.inbox.keep("a", "k", delivery(b"words"))
    shop.mentions.add_page("a", page(mention("1"), cursor=None), NOW, delivery=take(shop).key)
    shop.inbox.keep("a", "w", delivery(b"waiting"))

    def body_at(at: datetime) -> bytes | None:
        shop.inbox.tidy(at)
        row = shop.inbox.get("a", "k")
        return row.body if row else b"gone"

    assert body_at(NOW + inbox.BODY_KEPT - timedelta(seconds=1)) == b"words"
    assert body_at(NOW + inbox.BODY_KEPT) is None
    assert not shop.inbox.keep("a", "k", delivery())
    assert body_at(NOW + inbox.KEY_KEPT) == b"gone"
    waiting = shop.inbox.get("a", "w")
    assert waiting is not None and waiting.body == b"waiting"


def test_refusals_are_counted_by_reason(shop: Store) -> None:
    for _ in range(12):
        shop.inbox.refuse("a", "the signature does not fit", NOW)
    shop.inbox.refuse("a", "too old", NOW + timedelta(days=1), count=3)
    shop.inbox.refuse("a", "too old", NOW - timedelta(days=30))
    shop.inbox.refuse("b", "too old", NOW)
    shop.inbox.keep("a", "k", delivery(after=2))
    health = shop.inbox.health("a", NOW + timedelta(days=1))
    assert [(one.reason, one.count) for one in health.refusals] == [("the signature does not fit", 12), ("too old", 3)]
    assert health.refusals[1].last_at == NOW + timedelta(days=1)
    assert (health.waiting_count, health.failed_count, health.troubled_count) == (1, 0, 0)
    assert health.last_received_at == NOW + timedelta(minutes=2)
    shop.inbox.tidy(NOW + timedelta(days=200))
    assert shop.inbox.health("a", NOW, since=timedelta(days=60)).refusals == ()

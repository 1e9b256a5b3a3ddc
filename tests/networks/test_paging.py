"""On each network: the same story told in other pages, or in another order, makes the same store."""

from collections.abc import Callable

import pytest

import collectors
from store import Store, schema
from tests.fakes.http_server import serve
from tests.networks.shop import Shop, four_turns
from tests.networks.stage import Stage
from tests.networks.table import STAGES

OpenShop = Callable[[Stage], Shop]


def content(store: Store) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What is kept: messages with their places, and cases with their clocks."""
    m, c = schema.mentions.c, schema.cases.c
    with store.database.read() as connection:
        said = connection.execute(
            schema.mentions.select()
            .with_only_columns(
                m.text, m.created_at, m.thread_id, m.parent_id, m.outbound, m.account_id, m.case_id, m.step
            )
            .order_by(m.created_at, m.id)
        )
        cases = connection.execute(
            schema.cases.select()
            .with_only_columns(c.id, c.status, c.department, c.first_reply_at, c.last_inbound_at)
            .order_by(c.id)
        )
        return [tuple(row) for row in said], [tuple(row) for row in cases]


def told(made: Callable[[], Stage], open_shop: OpenShop, change: Callable[[Stage], None]) -> object:
    stage = made()
    with serve(stage.vendor):
        change(stage)
        shop = open_shop(stage)
        four_turns(stage)
        shop.pass_()
        stage.say("zoe", "Moi aussi, depuis lundi")
        shop.pass_(35)
        assert shop.source.last_error is None
        assert shop.store.rebuild_rollups(write=False) == []
        return content(shop.store)


@pytest.mark.parametrize("made", STAGES, ids=lambda made: made.key)
def test_two_orders_of_paging_tell_the_same_story(made: Callable[[], Stage], open_shop: OpenShop) -> None:
    whole = told(made, open_shop, lambda _stage: None)
    assert told(made, open_shop, lambda stage: stage.in_pages_of(1)) == whole
    assert told(made, open_shop, lambda stage: stage.the_other_way_round()) == whole


# Networks that answer, and are not told as conversations here: their own tests and the contract suite prove them.
NO_CONVERSATION = {
    "demo": "is the pretend network of the demo shop",
    "google_business": "one review, one answer",
    "trustpilot": "one review, one answer",
    "app_store": "one review, one answer",
    "google_play": "one review, one answer",
    "mail": "has a server of its own kind: tests/collectors/test_mail.py drives the same four turns",
    "webhook": "is told, not asked: tests/collectors/test_webhook.py",
}


def test_every_network_that_answers_is_on_a_stage_or_says_why_not() -> None:
    answering = {row.key for row in collectors.COLLECTORS if collectors.spec(row.key).can_reply}
    assert answering == {made.key for made in STAGES} | NO_CONVERSATION.keys()  # type: ignore[attr-defined]

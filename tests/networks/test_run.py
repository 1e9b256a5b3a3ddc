"""`make run-networks`, without its last step (a browser): all networks at once in one shop, answers reach each of them."""

from pathlib import Path

from dashboard.context import ADMIN, Context, Viewer
from domain.clock import utc_now
from store.queue import QueueFilter
from store.sources import SourceState
from tests.networks.__main__ import world
from tests.networks.table import STAGES


def test_one_shop_hears_all_networks_and_answers_each(tmp_path: Path) -> None:
    from dashboard import acts

    with world(tmp_path) as shop:
        store = shop.worker.store
        assert shop.pass_() == []
        assert {source.key: source.state for source in store.sources.all()} == dict.fromkeys(
            shop.stages, SourceState.OK
        )
        asked = {}
        for row in store.queue.page(QueueFilter(text="colis"), me="", now=utc_now()):
            conversation = store.queue.conversation(row.case.id)
            assert conversation is not None
            heard = [one.mention for one in conversation.messages if not one.mention.outbound]
            context = Context(store, Viewer("Awa", ADMIN), "fr", utc_now(), store.calendar.zone, clock=utc_now)
            acts.reply(
                context, row.case.id, heard[-1].id, f"Bien reçu sur {heard[-1].network}.", f"reply:{row.case.id}:1"
            )
            asked[heard[-1].network] = row.case.id
        assert asked.keys() == shop.stages.keys(), "each network's parcel is a case of its own"
        arrived = shop.pass_()
        assert len(arrived) == len(STAGES)
        assert all(any(f"sur {key}." in text for _, text in arrived) for key in shop.stages)
        assert shop.pass_() == [], "once"

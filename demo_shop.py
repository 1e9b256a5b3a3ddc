"""Opens the demo shop: the written story runs through the worker's own steps, page by page, as if its 40 days went by.

Between two pages the agents of the story take and close the cases that they took and closed, at the story's own hours, so
that delays, queues and indicators are those of a shop at work. Safe to stop and start again: it goes on where it was.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from collectors.demo import SPEC
from collectors.demo_story import Act, lay_out
from domain.case import RuleError
from domain.contracts import Page
from store import Store
from store.mentions import PageResult
from store.sources import Source
from store.watches import WatchKind
from worker import Report, Worker, analyze, route
from worker_collect import collect_source
from worker_send import send

SOURCE_KEY = "demo"
WATCHES = (
    ("Livraisons", 'colis OU livr* OU "point relais"'),
    ("Prix et promotions", 'prix OU cher* OU promo* OU "bon de réduction" OU solde*'),
    ("Sécurité des produits", "(cocotte OU poignée OU lampe) (brûl* OU danger* OU casse*)"),
)


def ensure_source(store: Store, folder: Path, now: datetime) -> Source:
    """The demo source; its anchor is set once, so that a second start keeps the data."""
    known = store.sources.get(SOURCE_KEY)
    anchor = known.settings["anchor"] if known else now.replace(microsecond=0).isoformat()
    settings = {"anchor": anchor, "folder": str(folder)}
    return store.sources.ensure(SOURCE_KEY, SPEC.key, "Boutique de démonstration", settings)


def load(worker: Worker, source: Source, progress: Callable[[int, int], None] = lambda _done, _total: None) -> Report:
    """Run the story's past through collect, analyze, route, with the agents' acts in between; then send.

    Args:
        progress: told (messages done, messages in all) after each page.
    """
    report = Report()
    anchor = datetime.fromisoformat(source.settings["anchor"])
    story = lay_out(anchor)
    total = sum(1 for item in story.items if item["time"] <= anchor)
    acts = list(reversed(story.acts))
    done = 0

    def act_until(moment: datetime) -> None:
        then = replace(worker, now=lambda: moment)  # cases are opened at the story's hours, too
        analyze(then, report)
        route(then, report)
        while acts and acts[-1].at <= moment:
            _play(worker.store, acts.pop())

    def after_page(page: Page, result: PageResult) -> None:
        nonlocal done
        done += result.read
        if page.mentions:
            act_until(max(mention.created_at for mention in page.mentions))
        progress(min(done, total), total)

    collect_source(worker, source, report, after_page)
    act_until(anchor)
    send(worker, report)
    set_watches(worker.store, anchor)
    progress(total, total)
    return report


def set_watches(store: Store, at: datetime) -> None:
    """What the shop of the story follows; whoever has watches already keeps them as they are."""
    if not store.watches.all():
        for name, query in WATCHES:
            store.watches.add(name, query, kind=WatchKind.TOPIC, by="Awa", at=at)


def _play(store: Store, act: Act) -> None:
    # Who acts twice in the story (a restart) finds the case as it is already: that is no error.
    for case_id in store.mentions.case_ids(act.mention_ids):
        try:
            if act.kind == "assign":
                store.cases.assign(case_id, act.agent, actor=act.agent, now=act.at)
            else:
                store.cases.resolve(case_id, actor=act.agent, now=act.at)
        except RuleError:
            continue

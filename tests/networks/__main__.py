"""`make run-networks`: the whole product, desk and worker, against the fake networks on this machine.

Each network tells a conversation of four turns; an answer written at the desk reaches the fake, which prints it. Everything
is in a folder of its own and forgotten at the end; no account is needed and nothing leaves the machine.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import cli
import worker as steps
from domain.clock import utc_now
from settings import load_settings
from tests.browser.serving import served
from tests.fakes.http_server import serve
from tests.networks.shop import four_turns
from tests.networks.stage import Stage
from tests.networks.table import STAGES

STORY = timedelta(minutes=20)  # ago


@dataclass
class World:
    """All stages, and the worker that listens to them; `seen` counts what each has taken so far."""

    stages: dict[str, Stage]
    worker: steps.Worker
    seen: dict[str, int]

    def pass_(self) -> list[tuple[str, str]]:
        """One pass of the worker, now; the answers that reached a network, with its title."""
        for stage in self.stages.values():
            stage.set_now(utc_now())
        steps.run_once(self.worker)
        arrived = []
        for key, stage in self.stages.items():
            taken = stage.taken()
            arrived += [(stage.title, text) for text in taken[self.seen[key] :]]
            self.seen[key] = len(taken)
        return arrived


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """All networks at work, and a shop in this folder that listens to them."""
    settings = load_settings(data_dir=folder, sources=[])
    with ExitStack() as open_:
        stages = {}
        for made in STAGES:
            stage = made()
            open_.enter_context(serve(stage.vendor))
            stage.set_now(utc_now() - STORY)
            four_turns(stage)
            stages[stage.key] = stage
        store = cli._open(settings)
        open_.callback(store.close)
        for stage in stages.values():
            store.sources.ensure(stage.key, stage.key, stage.title, {"address": stage.vendor.base})
        built = cli.build_worker(settings, store)
        worker = replace(built, collector_of=lambda source: stages[source.key].connect(), interval=timedelta(0))
        yield World(stages, worker, dict.fromkeys(stages, 0))


def main(say: Callable[[str], None] = print) -> None:
    """Run until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="comptoir-networks-") as name, world(Path(name)) as shop:
        for stage in shop.stages.values():
            say(f"{stage.title}: {stage.vendor.base}")
        shop.pass_()
        with served(Path(name)) as url:
            say(f"\nThe desk: {url}   (Ctrl-C ends it)")
            try:
                while True:
                    for title, text in shop.pass_():
                        say(f"{title} has taken an answer: {text}")
                    time.sleep(2)
            except KeyboardInterrupt:
                say("Done.")


if __name__ == "__main__":
    main()

"""docs/watches.md tells the truth: its examples can be read, and its tables say what the collectors do.

`python -m tests.docs.test_watches` writes the table of networks anew.
"""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import collectors
from collectors import COLLECTORS
from dashboard.views_watches import EXAMPLES
from domain.contracts import CanBackfill, CanSearch, Watch
from domain.watch_lists import check
from tests.fakes import reddit as fake_reddit
from tests.fakes import x as fake_x
from tests.fakes import youtube as fake_youtube
from tests.fakes.bluesky import HANDLE, PASSWORD

PAGE = Path(__file__).parents[2] / "docs" / "watches.md"
EXAMPLE = 'ormelune ("bon de réduction" OR "pull marin"~4) -concours lang:fr'
SETTINGS: dict[str, Any] = {
    "x": fake_x.SETTINGS,
    "mastodon": {"server": "mastodon.example", "access_token": "t"},
    "bluesky": {"handle": HANDLE, "app_password": PASSWORD},
    "reddit": fake_reddit.SETTINGS,
    "youtube": {**fake_youtube.SETTINGS, "search": "yes"},
}
_TABLE = re.compile(r"(For the watch `).*?(<!-- end -->)", re.DOTALL)


def _powers(key: str, power: str) -> bool:
    # Of the module's collector class, without connecting.
    module = import_module(next(row.module for row in COLLECTORS if row.key == key))
    classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
    return any(hasattr(one, "fetch") and hasattr(one, power) for one in classes)


def written() -> str:
    """The example and its table, as the collectors have them."""
    lines = [f"For the watch `{EXAMPLE}`:", "", "| network | is asked | filtered here |", "|---|---|---|"]
    for key, settings in SETTINGS.items():
        collector = collectors.build(key, settings)
        assert isinstance(collector, CanSearch)
        found = collector.search_of(Watch(query=EXAMPLE))
        asked = ", ".join(f"`{query}`" for query in found.queries)
        left = ", ".join(f"`{piece}`" for piece in found.left)
        lines.append(f"| {collector.spec.title} | {asked} | {left or ('nothing' if found.exact else 'all of it')} |")
    return "\n".join([*lines, "<!-- end -->"])


def test_the_table_of_networks_is_what_they_do() -> None:
    assert {row.key for row in COLLECTORS if _powers(row.key, "search_of")} == set(SETTINGS)
    found = _TABLE.search(PAGE.read_text("utf-8"))
    assert found is not None and found[0] == written(), "run python -m tests.docs.test_watches"


def test_the_examples_can_be_read() -> None:
    table = PAGE.read_text("utf-8").split("## The language, by example")[1].split("\n- ")[0]
    examples = [one for row in re.findall(r"^\| (`.*?) \|", table, re.M) for one in re.findall(r"`([^`]+)`", row)]
    assert len(examples) > 12
    for query in (*examples, *(query for query, _ in EXAMPLES)):
        narrow = query if not query.startswith("-") else f"ormelune {query}"
        check(narrow, ["Concurrents"])


def test_those_that_can_be_read_back_are_named() -> None:
    text = PAGE.read_text("utf-8").split("| can be read back |")[1]
    named = set(re.findall(r"^\| (\w+|support mail) \|", text, re.M))
    names = {"mail": "support mail", "x": "X"}
    able = {row.key for row in COLLECTORS if _powers(row.key, "backfill")}
    assert named == {names.get(key, collectors.spec(key).title) for key in able}
    assert isinstance(collectors.build("bluesky", SETTINGS["bluesky"]), CanBackfill)


if __name__ == "__main__":
    PAGE.write_text(_TABLE.sub(lambda _match: written(), PAGE.read_text("utf-8")), "utf-8")

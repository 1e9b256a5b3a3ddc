"""`python -m tests.browser.screenshots FOLDER`: the pictures of the README, taken from the demo shop in a real Chromium."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from domain.clock import utc_now
from store import Store
from store.queue import QueueFilter, View
from tests.browser.serving import ARGUMENTS, chromium, load, served


def _talk(store: Store) -> str:
    """A conversation that shows much: several turns, a known customer with an order, French, waiting for us."""
    now = utc_now()
    for row in store.queue.page(QueueFilter(view=View.OPEN, departments=("logistics",)), me="", now=now):
        person = row.case.person_id
        if row.case.mention_count >= 2 and row.case.lang == "fr" and person and store.people.events(person):
            return row.case.id
    return store.queue.page(QueueFilter(), me="", now=now)[0].case.id


def _take(page: Page, url: str, path: Path, sign: str) -> None:
    page.goto(url)
    page.get_by_text(sign).first.wait_for()
    page.wait_for_function("document.fonts.status === 'loaded'")
    page.wait_for_timeout(4000)  # charts and fragments settle; nothing else tells when
    page.screenshot(path=str(path))
    print(path)


def main() -> None:
    """Load the demo, serve it, take the pictures."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        store, _ = load(Path(name))
        case = _talk(store)
        with served(Path(name)) as url:
            _pictures(url, case, target)
        store.close()


def _pictures(url: str, case: str, target: Path) -> None:
    shots = (
        ("desk", f"/?case={case}", 1440, 900, "light", "Mettre en attente"),
        ("desk-dark", f"/?case={case}", 1440, 900, "dark", "Mettre en attente"),
        ("desk-phone", "/", 390, 844, "light", "Réseau"),
        ("overview", "/overview", 1280, 1000, "light", "Sentiment net"),
        ("department", "/logistics", 1280, 1000, "light", "Commandes en retard"),
        ("sources", "/sources", 1280, 800, "light", "Mettre en pause"),
        ("quality", "/quality", 1280, 1000, "light", "Qualité"),
        ("labelling", "/labelling", 1280, 800, "light", "Échantillon"),
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS.split())
        for name, path, width, height, scheme, sign in shots:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="fr-FR",
                timezone_id="Europe/Paris",
            )
            page = context.new_page()
            page.set_default_timeout(60_000)
            _take(page, url + path, target / f"{name}.png", sign)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()

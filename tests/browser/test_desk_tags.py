"""Tags in a real Chromium: one click opens the choices, a second one answers; by keyboard too; and why the model said so."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from domain.case import Status
from domain.clock import utc_now
from domain.label import Field, Label
from store.queue import Message, QueueFilter, View
from tests.browser.conftest import HOSTILE, OpenPage, Shop
from tests.browser.serving import served

pytestmark = pytest.mark.browser

THREAD = ".st-key-desk_conversation"
TOAST = ".st-key-desk_frame .toast"


@pytest.fixture(scope="module", autouse=True)
def _patience() -> Iterator[None]:
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)


def a_message(shop: Shop, view: View = View.OPEN) -> tuple[str, Message]:
    """(case, its newest inbound message) of an open case of two messages at most, corrected by nobody."""
    for number in range(4):
        for row in shop.store.queue.page(QueueFilter(view=view), me="", now=utc_now(), page=number):
            conversation = shop.store.queue.conversation(row.case.id)
            heard = [m for m in conversation.messages if m.analysis] if conversation else []
            if not 0 < len(heard) <= 2 or shop.store.labels.of([m.mention.id for m in heard]):
                continue
            last = heard[-1]
            if last.analysis and not last.analysis.aspects and not last.analysis.churn and last.mention.text.strip():
                return row.case.id, last
    raise LookupError("no such message in the demo")


def bubble_of(page: Page, message: Message) -> Locator:
    found = page.locator(f"{THREAD} .bubble.in").filter(has_text=" ".join(message.mention.text.split())[:30]).last
    expect(found.locator(".tags .chip").first).to_be_visible()
    return found


def open_at(open_page: OpenPage, case: str, **size: int) -> Page:
    page = open_page(f"/?case={case}", **size)
    expect(page.locator(".st-key-desk_frame .panes button")).to_have_count(3)
    expect(page.locator(f"{THREAD} .bubble").first).to_be_visible()
    expect(page.locator("html[data-desk-busy]")).to_have_count(0)
    return page


def labels(shop: Shop, message: Message) -> list[Label]:
    return shop.store.labels.of([message.mention.id])


def test_one_click_on_a_tag_and_one_on_the_answer(open_page: OpenPage, shop: Shop) -> None:
    case, message = a_message(shop)
    page = open_at(open_page, case)
    bubble = bubble_of(page, message)
    sentiment = bubble.locator(".chip.tag[data-field='sentiment']")
    assert message.analysis is not None
    said = message.analysis.sentiment.value.value
    other = "positive" if said != "positive" else "neutral"
    assert "probabilité" in (sentiment.get_attribute("title") or "")
    assert "probabilité" in (sentiment.get_attribute("aria-label") or "")

    sentiment.click()
    choices = bubble.locator(".choices")
    expect(choices.locator(".opt")).to_have_count(3)
    expect(choices.locator(".opt[aria-pressed='true']")).to_contain_text("modèle")
    choices.locator(f".opt[data-value='{other}']").click()
    expect(choices).to_be_hidden()
    expect(sentiment).to_contain_text("corrigé")
    expect(page.locator(TOAST)).to_contain_text("Corrigé :")
    [label] = labels(shop, message)
    assert (label.field, label.value, label.was, label.by) == (Field.SENTIMENT, other, said, "Awa")

    page.locator(TOAST).get_by_text("Annuler").click()
    expect(page.locator(TOAST)).to_contain_text("Annulé.")
    expect(sentiment).not_to_contain_text("corrigé")
    assert labels(shop, message) == []
    assert shop.store.rebuild_rollups(write=False) == []


def test_by_keyboard_alone_and_letters_in_a_menu_are_no_shortcuts(open_page: OpenPage, shop: Shop) -> None:
    case, message = a_message(shop)
    page = open_at(open_page, case)
    bubble = bubble_of(page, message)
    intent = bubble.locator(".chip.tag[data-field='intent']")
    intent.focus()
    page.keyboard.press("Enter")
    chosen = bubble.locator(".choices .opt[aria-pressed='true']")
    expect(chosen).to_be_focused()
    page.keyboard.press("e")
    page.keyboard.press("t")
    found = shop.store.cases.get(message_case(shop, message))
    assert found is not None and found.status is Status.OPEN
    page.keyboard.press("Escape")
    expect(bubble.locator(".choices")).to_be_hidden()
    expect(intent).to_be_focused()

    page.keyboard.press("Enter")
    expect(chosen).to_be_focused()
    last = chosen.evaluate("option => !option.nextElementSibling")
    page.keyboard.press("ArrowLeft" if last else "ArrowRight")
    page.keyboard.press("Enter")
    expect(intent).to_contain_text("corrigé")
    expect(intent).to_be_focused()  # the page was drawn anew, the keyboard is where it was
    [label] = labels(shop, message)
    assert label.field is Field.INTENT and label.value != label.was
    shop.store.labels.retract([label.id], by="Awa", at=utc_now())


def message_case(shop: Shop, message: Message) -> str:
    [case_id] = shop.store.mentions.case_ids([message.mention.id])
    return case_id


def test_what_is_not_shown_can_be_set_and_the_panel_stays_for_the_next(open_page: OpenPage, shop: Shop) -> None:
    case, message = a_message(shop)
    page = open_at(open_page, case)
    bubble = bubble_of(page, message)
    bubble.get_by_text("Corriger", exact=True).click()
    panel = bubble.locator(".choices")
    for key in ("packaging", "employer", "delivery"):
        panel.locator(f".opt[data-field='aspects'][data-value='{key}']").click()
        expect(panel.locator(f".opt[data-value='{key}'][data-field='aspects']")).to_have_attribute(
            "aria-pressed", "true"
        )
    expect(panel.locator(".opt[data-field='aspects']:disabled")).to_have_count(9)  # three at most
    expect(bubble.locator(".tags .chip[data-field='aspects']")).to_have_count(3)
    panel.locator(".opt[data-field='churn']").click()
    expect(bubble.locator(".tags .chip[data-field='churn']")).to_contain_text("départ annoncé")
    by_field = {label.field: label.value for label in labels(shop, message)}
    assert by_field == {Field.ASPECTS: ("delivery", "packaging", "employer"), Field.CHURN: True}
    panel.get_by_text("Fermer").click()
    expect(panel).to_be_hidden()
    shop.store.labels.retract([label.id for label in shop.store.labels.all()], by="Awa", at=utc_now())


def test_an_uncertain_message_is_confirmed_in_one_click(open_page: OpenPage, shop: Shop) -> None:
    case, message = a_message(shop, View.UNCERTAIN)
    page = open_at(open_page, case)
    bubble = bubble_of(page, message)
    expect(bubble.locator(".chip.uncertain")).to_have_text("incertain : à lire")
    border = bubble.locator(".chip.uncertain").evaluate("(node) => getComputedStyle(node).borderStyle")
    assert border == "dashed"
    bubble.get_by_text("C'est juste", exact=True).click()
    expect(bubble.locator(".chip.uncertain")).to_have_count(0)
    expect(page.locator(TOAST)).to_contain_text("Confirmé.")
    kept = labels(shop, message)
    assert {Field.SENTIMENT, Field.INTENT} <= {label.field for label in kept}
    assert all(label.value == label.was for label in kept)
    counts = shop.store.queue.counts(QueueFilter(), me="", now=utc_now())
    expect(page.locator(".st-key-desk_views [data-view='uncertain'] .n")).to_have_text(str(counts[View.UNCERTAIN]))


@pytest.fixture
def explained(browser: Browser, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """The desk, served by a process whose analyzer can say why."""
    monkeypatch.setenv("COMPTOIR_ANALYZER", "embedded")
    with served(shop.replies.parents[1]) as url:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        yield page
        context.close()


def test_the_words_that_carried_a_tag_are_shaded_and_listed(explained: Page, shop: Shop) -> None:
    page = explained
    url = page.url.split("?")[0]
    case, message = a_message(shop)
    page.goto(f"{url}?case={case}")
    bubble = bubble_of(page, message)
    bubble.get_by_text("Pourquoi ?", exact=True).click()
    box = bubble.locator(".why-box")
    expect(box).to_contain_text("Selon le modèle, avant correction.")
    expect(bubble.locator(".says")).to_contain_text(" ".join(message.mention.text.split())[:30])
    marks = bubble.locator(".says mark")
    shades = marks.evaluate_all("(nodes) => nodes.map((n) => [n.className, getComputedStyle(n).textDecorationStyle])")
    assert shades and all(line == ("solid" if cls == "for" else "dashed") for cls, line in shades)
    lines = box.locator(".for-readers li")
    expect(lines.first).to_contain_text("points")
    box.locator(".opt").first.click()  # another tag
    expect(box.locator(".opt").first).to_have_attribute("aria-pressed", "true")
    box.get_by_text("Fermer").click()
    expect(bubble.locator(".why-box")).to_have_count(0)
    expect(bubble.locator(".says mark")).to_have_count(0)

    # A stranger's words stay words, shaded or not.
    page.goto(f"{url}?case={hostile_case(shop)}")
    says = page.locator(f"{THREAD} .bubble .says")
    expect(says).to_have_text(HOSTILE)
    page.locator(f"{THREAD} .bubble").get_by_text("Pourquoi ?", exact=True).click()
    expect(page.locator(f"{THREAD} .why-box")).to_be_visible()
    expect(says).to_have_text(HOSTILE)
    assert page.evaluate("() => window.hacked") is None


def hostile_case(shop: Shop) -> str:
    [row] = shop.store.queue.page(QueueFilter(text="onerror"), me="", now=utc_now())
    return row.case.id


def test_on_a_phone_tags_are_large_enough_for_a_thumb(open_page: OpenPage, shop: Shop) -> None:
    case, message = a_message(shop)
    page = open_at(open_page, case, width=390, height=844)
    bubble = bubble_of(page, message)
    bubble.locator(".chip.tag[data-field='intent']").click()
    expect(bubble.locator(".choices .opt")).to_have_count(13)
    sizes = bubble.locator("button.chip, .choices .opt").evaluate_all("(nodes) => nodes.map((n) => n.offsetHeight)")
    assert min(sizes) >= 36
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390

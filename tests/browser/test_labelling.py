"""The labelling page in a real Chromium: by the keyboard, by touch, and what a stranger wrote stays words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from domain.analysis import Scored
from domain.clock import utc_now
from domain.label import Field, Label, Origin
from domain.mention import MentionId
from tests.browser.conftest import HOSTILE, OpenPage, Shop
from tests.builders import analysis, mention
from tests.builders import page as page_of

pytestmark = pytest.mark.browser

CARD = ".st-key-labelling_card .root"
OPTION = f"{CARD} .opt"


def begin(open_page: OpenPage, pile: str = "sample", path: str = "/labelling", **size: int) -> Page:
    page = open_page(path, **size)
    page.locator(f".st-key-labelling_begin_{pile} button").click()
    expect(page.locator(f"{CARD}[data-ready]")).to_be_visible()
    return page


def on_screen(page: Page) -> MentionId:
    return MentionId(page.locator(CARD).get_attribute("data-ready") or "")


def labels(shop: Shop, mention_id: MentionId) -> dict[Field, Label]:
    return {label.field: label for label in shop.store.labels.of([mention_id]) if label.by == "Awa"}


def moved_on(page: Page, before: MentionId) -> MentionId:
    expect(page.locator(CARD)).not_to_have_attribute("data-ready", before)
    return on_screen(page)


def pressed(page: Page) -> list[str]:
    return page.locator(f"{OPTION}[aria-pressed='true']").evaluate_all(
        "nodes => nodes.map((node) => node.dataset.value)"
    )


def test_a_message_is_read_passed_and_taken_back_by_the_keyboard_alone(open_page: OpenPage, shop: Shop) -> None:
    page = begin(open_page)
    progress = page.locator(f"{CARD} .progress")
    expect(progress).to_have_text("1 sur 50")
    first = on_screen(page)
    assert pressed(page) == ["directed"]  # nothing of the model is chosen before the person has spoken

    # Not without an answer to what must be answered.
    page.keyboard.press("Enter")
    expect(page.locator(f"{CARD} .foot .missing")).to_have_text("Il manque : Ressenti, Intention, Urgence")
    assert labels(shop, first) == {}

    page.keyboard.press("1")
    page.keyboard.press("b")
    page.keyboard.press("Shift+D")
    page.keyboard.press("6")
    page.keyboard.press("n")
    assert pressed(page) == ["negative", "order_delivery_issue", "2", "delivery", "directed"]
    page.keyboard.press("Enter")
    second = moved_on(page, first)
    expect(progress).to_have_text("2 sur 50")
    expect(page.locator(f"{CARD} .after")).to_contain_text("Message précédent gardé")
    kept = labels(shop, first)
    assert {label.origin for label in kept.values()} == {Origin.LABELLING}
    assert (kept[Field.INTENT].value, kept[Field.SECONDARY].value) == ("order_delivery_issue", ("refund_return",))
    assert (kept[Field.URGENCY].value, kept[Field.ASPECTS].value, kept[Field.CHURN].value) == (2, ("delivery",), False)

    page.keyboard.press("ArrowRight")
    third = moved_on(page, second)
    assert labels(shop, second) == {}
    page.keyboard.press("Backspace")
    assert moved_on(page, third) == second
    page.keyboard.press("Backspace")
    assert moved_on(page, second) == first
    assert labels(shop, first) == {}
    assert pressed(page) == ["negative", "order_delivery_issue", "2", "delivery", "directed"]


def test_the_guide_of_a_question_is_one_click_away(open_page: OpenPage) -> None:
    page = begin(open_page)
    expect(page.locator(f"{CARD} .guide")).to_have_count(0)
    page.locator(f"{CARD} fieldset[data-field='urgency'] .help").click()
    expect(page.locator(f"{CARD} .guide")).to_contain_text("sécurité, santé, droit")


def test_keys_stay_with_what_holds_the_focus(open_page: OpenPage) -> None:
    page = begin(open_page)
    first = on_screen(page)
    page.locator(".st-key-me button").first.focus()
    page.keyboard.press("Enter")  # opens the menu: not ours
    expect(page.get_by_test_id("stPopoverBody")).to_be_visible()
    assert on_screen(page) == first
    expect(page.locator(f"{CARD} .foot .missing")).to_have_text("La réponse du modèle viendra après la vôtre.")


def test_the_end_says_what_comes_next(open_page: OpenPage, shop: Shop) -> None:
    page = begin(open_page, "instructive")
    first = on_screen(page)
    assert len(pressed(page)) >= 3  # the model's answer is proposed
    page.locator(f"{CARD} .send").click()
    second = moved_on(page, first)
    assert {label.origin for label in labels(shop, first).values()} == {Origin.DESK}
    page.keyboard.press("Backspace")
    assert moved_on(page, second) == first
    page.locator(f"{CARD} .stop").click()
    expect(page.get_by_text("0 message lu.")).to_be_visible()
    expect(page.get_by_text("comptoir learn")).to_be_visible()
    page.locator(".st-key-labelling_again button").click()
    expect(page.locator(".st-key-labelling_begin_sample button")).to_be_visible()


def test_on_a_phone_everything_is_within_reach(open_page: OpenPage, shop: Shop) -> None:
    page = begin(open_page, width=390, height=844)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    expect(page.locator(f"{CARD} .send")).to_be_in_viewport()
    first = on_screen(page)
    for field, value in (("sentiment", "neutral"), ("intent", "question_info"), ("urgency", "0")):
        page.locator(f"{CARD} fieldset[data-field='{field}'] .opt[data-value='{value}']").click()
    page.locator(f"{CARD} .send").click()
    second = moved_on(page, first)
    expect(page.locator(f"{CARD} .said .text")).to_be_in_viewport()
    page.locator(f"{CARD} .back").click()
    assert moved_on(page, second) == first


def test_words_of_a_stranger_are_only_words(open_page: OpenPage, shop: Shop) -> None:
    now = utc_now()
    bad = mention("unsure", HOSTILE, who="mallory", network="facebook", created_at=now - timedelta(hours=2))
    shop.store.mentions.add_page("demo", page_of(bad), now)
    unsure = replace(analysis(bad.id), intent=Scored("other", 0.01), uncertain=True)  # so that it is drawn first
    with shop.store.mentions.unanalyzed(10) as backlog:
        backlog.save([unsure], now)
    shop.store.cases.route(10, now, lambda _case, _item, _person: ())
    page = begin(open_page, "instructive")
    assert on_screen(page) == bad.id
    expect(page.locator(f"{CARD} .said .text")).to_have_text(HOSTILE)
    assert page.evaluate("() => window.hacked") is None

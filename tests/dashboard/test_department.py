"""Every department's page opens empty and filled, answers its question from the store, and is closed to others."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components import charts
from dashboard.context import COMMUNITY_MANAGER, DEPARTMENT_HEAD, Context, Viewer
from domain.clock import Calendar
from domain.departments import DEPARTMENT_BY_KEY, DEPARTMENTS
from store import Store
from store.indicators import INDICATOR_BY_KEY
from store.queue import QueueFilter, View
from tests.dashboard import house

AWA = Viewer("Awa", COMMUNITY_MANAGER)
KEYS = [department.key for department in DEPARTMENTS]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, calendar: Calendar) -> Iterator[Store]:
    """The shop of `house`; these tests only read it."""
    store = house.open_filled(tmp_path_factory.mktemp("house"), calendar)
    yield store
    store.close()


def page(context: "Context", key: str) -> None:
    from dashboard.i18n import set_language
    from dashboard.pages import department

    set_language(context.lang)
    department.render(context, key)


def opened(context: Context, key: str, token: str = "") -> AppTest:
    at = AppTest.from_function(page, kwargs={"context": context, "key": key}, default_timeout=30)
    if token:
        at.session_state[charts.OPEN_KEY] = token
    return at.run()


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_store_has_no_numbers(empty: Store, key: str) -> None:
    at = opened(house.context_of(empty, AWA), key)
    text = house.shown(at)
    assert at.title[0].value == DEPARTMENT_BY_KEY[key].title_fr
    for card in house.component(at, "department_cards")["cards"]:
        assert card["value"] == "aucune donnée" or INDICATOR_BY_KEY[card["key"]].unit in {"count", "euros"}
        assert "%" not in card["value"]
    assert "Aucun message analysé dans cette période." in text
    assert not any(piece["opens"] for piece in house.component(at, "department_sentence")["pieces"])


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_page_opens_filled(shop: Store, key: str, lang: str) -> None:
    at = opened(house.context_of(shop, AWA, lang), key)
    text = house.shown(at)
    assert at.title[0].value == DEPARTMENT_BY_KEY[key].title(lang)
    cards = house.component(at, "department_cards")["cards"]
    assert [card["key"] for card in cards] == list(DEPARTMENT_BY_KEY[key].indicators)
    assert all(len(card["help"]) == 5 for card in cards)
    assert 4 <= len(cards) <= 6
    assert "{" not in plain(house.words_of(house.component(at, "department_sentence")["pieces"]))
    if lang == "en":
        for french in ("aucune donnée", "jours d'avant", "En retard", "contre "):
            assert french not in text


def test_the_sentence_holds_the_readings_with_links(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "logistics")
    pieces = house.component(at, "department_sentence")["pieces"]
    cards = {card["key"]: card for card in house.component(at, "department_cards")["cards"]}
    linked = {piece["opens"]: piece["text"] for piece in pieces if piece["opens"]}
    assert linked["delivery_contact_rate"] == cards["delivery_contact_rate"]["value"]
    assert linked["late_order_share"] == cards["late_order_share"]["value"]
    assert "plaintes de livraison pour 1 000 commandes" in plain(house.words_of(pieces))


def test_the_crisis_names_its_product(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "product_quality")
    sentence = plain(house.words_of(house.component(at, "department_sentence")["pieces"]))
    assert "surtout : Vesuve" in sentence
    assert any("surtout Vesuve" in m.value for m in at.markdown)
    alts = [chart.proto.alt for chart in at.get("plotly_chart")]
    assert len(alts) == 2 and all(alts)


def test_where_can_be_cut_otherwise(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "stores_sales")
    at.segmented_control(key="where_stores_sales").set_value("product").run()
    assert not at.exception
    assert any("Note moyenne, par produit" in m.value for m in at.markdown)


def test_the_target_is_on_the_card_of_first_replies(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "customer_service")
    cards = {card["key"]: card for card in house.component(at, "department_cards")["cards"]}
    assert cards["first_reply_median"]["target"] == 120
    assert cards["sla_share"]["target"] is None
    spark = next(chart for chart in at.get("plotly_chart") if "Première réponse" in chart.proto.alt)
    assert '"dash":"dash"' in spark.proto.spec


def test_five_verbatims_that_open(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "logistics")
    quotes = house.component(at, "department_words")
    assert quotes["quotes"] and len(quotes["rows"]) == 5
    assert any(row["href"] for row in quotes["rows"])
    all_words = house.component(at, "department_all_words")["pieces"]
    assert all_words[-1]["opens"] == "mentions"


def test_the_queue_is_the_desks(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "finance")
    cards = {card["key"]: card for card in house.component(at, "department_queue")["cards"]}
    counts = shop.queue.counts(QueueFilter(departments=("finance",)), me="", now=house.NOW)
    assert int(cards["open"]["value"]) == counts[View.OPEN] > 0
    assert int(cards["late"]["value"]) == counts[View.LATE]
    assert int(cards["unassigned"]["value"]) == counts[View.UNASSIGNED]
    assert cards["late"]["opens"] == "late:finance"


@pytest.mark.parametrize("token", ["delivery_contact_rate", "part:lille", "day:2026-02-20", "mentions"])
def test_numbers_open_rows_of_the_department(shop: Store, token: str) -> None:
    key = "stores_sales" if token == "part:lille" else "logistics"
    at = opened(house.context_of(shop, AWA), key, token)
    assert not at.exception
    assert at.get("dialog") and house.component(at, "rows_list")["rows"]


def test_rows_of_a_department_are_its_own(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "finance", "mentions")
    texts = {row["text"] for row in house.component(at, "rows_list")["rows"]}
    assert texts and all("Facture" in text for text in texts)


def test_another_departments_page_is_closed(shop: Store) -> None:
    nadia = Viewer("Nadia", DEPARTMENT_HEAD, ("finance",))
    at = opened(house.context_of(shop, nadia), "logistics")
    assert "n'est pas dans vos services" in at.error[0].value
    assert not at.get("bidi_component") and not at.get("plotly_chart")


def test_management_of_one_department_does_not_see_the_house(shop: Store) -> None:
    whole = opened(house.context_of(shop, AWA), "management")
    narrow = opened(house.context_of(shop, Viewer("X", DEPARTMENT_HEAD, ("management", "finance"))), "management")
    values = [int(house.component(at, "department_cards")["cards"][0]["value"]) for at in (whole, narrow)]
    assert 0 < values[1] < values[0]


def test_strangers_words_are_data_never_markup(empty: Store) -> None:
    from domain.contracts import Cursor, Page
    from tests.builders import analysis, mention

    hostile = '<img src=x onerror="alert(1)"> **gras** [clic](javascript:alert(1)) :red[rouge]'
    empty.sources.ensure("s", "demo", "S", {})
    said = [mention(str(i), f"{hostile} {i}", who=f"w{i}", after=180 + i / 10) for i in range(9)]
    empty.mentions.add_page("s", Page(tuple(said), Cursor("1")), house.NOW)
    with empty.mentions.unanalyzed(99) as backlog:
        backlog.save([analysis(m.id) for m in backlog.mentions], house.NOW)
    empty.cases.route(99, house.NOW, lambda _case, _item, _person: [])
    at = opened(house.context_of(empty, AWA), "logistics", "mentions")
    for key in ("department_words", "rows_list"):
        assert all(hostile in row["text"] for row in house.component(at, key)["rows"])
    markup = "\n".join(str(e.value) for kind in (at.markdown, at.caption, at.title, at.html) for e in kind)
    assert "onerror" not in markup and "javascript:" not in markup

"""The overview opens empty, filled and in English; its numbers are the store's, and each opens its rows."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.components import charts
from dashboard.context import COMMUNITY_MANAGER, DEPARTMENT_HEAD, Context, Viewer
from dashboard.views_days import counts_by_day
from domain.clock import Calendar
from store import Store
from store.indicators import Indicators, Scope
from store.queue import QueueFilter, View
from tests.dashboard import house

AWA = Viewer("Awa", COMMUNITY_MANAGER)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, calendar: Calendar) -> Iterator[Store]:
    """The shop of `house`; these tests only read it."""
    store = house.open_filled(tmp_path_factory.mktemp("house"), calendar)
    yield store
    store.close()


def page(context: "Context") -> None:
    from dashboard.i18n import set_language
    from dashboard.pages import overview

    set_language(context.lang)
    overview.render(context)


def opened(context: Context, token: str = "") -> AppTest:
    at = AppTest.from_function(page, kwargs={"context": context}, default_timeout=30)
    if token:
        at.session_state[charts.OPEN_KEY] = token
    return at.run()


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_an_empty_store_says_so_and_shows_no_number(empty: Store) -> None:
    at = opened(house.context_of(empty, AWA))
    text = house.shown(at)
    assert "Aucun message entendu pour l'instant" in text
    assert text.count("Aucune donnée dans cette période.") == 4
    assert {card["value"] for card in house.component(at, "overview_cards")["cards"]} == {"aucune donnée"}
    assert not at.get("plotly_chart")


def test_today_is_written_from_the_store(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    assert not at.exception
    today = plain(house.words_of(house.component(at, "overview_today")["pieces"]))
    day = house.NOW.date()
    said = Indicators(shop.database).read("mentions", Scope(day, day.replace(day=day.day + 1)), house.NOW)
    counts = shop.queue.counts(QueueFilter(), me="", now=house.NOW)
    assert said.value and f"Aujourd'hui {said.value:.0f} messages jusqu'ici" in today
    assert f"{counts[View.LATE]} conversations en retard" in today
    assert f"{counts[View.UNASSIGNED]} conversations que personne n'a prises" in today


def test_charts_are_drawn_with_our_own_look_and_a_name(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    drawn = at.get("plotly_chart")
    assert len(drawn) == 4
    for chart in drawn:
        assert chart.proto.theme == "" and '"displayModeBar": false' in chart.proto.config
        assert (chart.proto.alt and "%" in chart.proto.alt) or "messages" in chart.proto.alt


def test_the_loud_days_are_marked_with_their_rule(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    marked = plain(house.words_of(house.component(at, "overview_episodes")["pieces"]))
    assert "① 20–22 févr. : tous réseaux" in marked or "① 20–21 févr. : tous réseaux" in marked
    assert "écarts types" in marked


def test_the_period_and_the_networks_narrow_every_number(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    month = house.component(at, "overview_cards")["cards"][0]["value"]
    at.segmented_control(key="period").set_value("7").run()
    week = house.component(at, "overview_cards")["cards"][0]["value"]
    at.multiselect(key="period_networks").set_value(["mail"]).run()
    by_mail = house.component(at, "overview_cards")["cards"][0]["value"]
    assert int(month) > int(week) > int(by_mail) > 0
    at.segmented_control(key="period").set_value("custom").run()
    assert not at.exception and at.date_input(key="period_days").value


@pytest.mark.parametrize(
    ("token", "title", "indicator"),
    [
        ("mentions", "Mentions", "mentions"),
        ("sla_share", "Réponses dans les délais", "sla_share"),
        ("today", "Aujourd'hui", "mentions"),
        ("network:mail", "Courriel", "mentions"),
        ("day:2026-02-20", "vendredi 20 février", "mentions"),
    ],
)
def test_a_number_opens_its_rows(shop: Store, token: str, title: str, indicator: str) -> None:
    at = opened(house.context_of(shop, AWA), token)
    [drawer] = at.get("dialog")
    assert drawer.proto.dialog.title == title
    rows = house.component(at, "rows_list")["rows"]
    assert 0 < len(rows) <= 20
    for row in rows:
        assert row["text"] and row["when"] and row["who"]
        assert row["href"] == (f"/?case={row['case_id']}" if row["case_id"] else "")
    if indicator == "sla_share":
        assert {row["worth"] for row in rows} <= {"dans les délais", "hors délai"}


def test_the_drawer_turns_pages(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "mentions")
    first = house.component(at, "rows_list")["rows"]
    at.session_state[charts.OPEN_KEY] = "mentions"
    assert at.get("pagination"), "more than one page"
    total = int(plain(next(m.value for m in at.markdown if "lignes" in m.value)).split()[0])
    assert total > 20 and len(first) == 20


def test_an_unknown_token_opens_nothing(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "mentions'; drop table cases")
    assert not at.exception and not at.get("dialog")


def test_departments_with_most_late_cases_come_first(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    rows = house.component(at, "overview_queues")["rows"]
    late = [int(row[2]["text"]) for row in rows]
    assert len(rows) == 9 and late == sorted(late, reverse=True) and late[0] > 0


def test_a_head_of_department_sees_own_numbers_only(shop: Store) -> None:
    everybody = opened(house.context_of(shop, AWA))
    head = opened(house.context_of(shop, Viewer("Nadia", DEPARTMENT_HEAD, ("finance",))))
    assert not head.exception
    assert [row[0]["text"] for row in house.component(head, "overview_queues")["rows"]] == ["Finance"]
    mine = int(house.component(head, "overview_cards")["cards"][0]["value"])
    assert 0 < mine < int(house.component(everybody, "overview_cards")["cards"][0]["value"])


def test_in_english(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA, "en"))
    text = house.shown(at)
    assert at.title[0].value == "Overview" and "messages in 30 days" in text and "late conversations" in text
    for french in ("Aucun", "jours", "en retard", "conversation que", "d'abord"):
        assert french not in text


def test_figures_are_valid_plotly(shop: Store) -> None:
    import plotly.graph_objects as go

    scope = Scope(house.day_start(0).date(), house.NOW.date())
    days, counts = counts_by_day(Indicators(shop.database).volume(scope, "day", "sentiment"), scope, house.NOW.date())
    marks = [charts.Mark(days[3], days[5], "①")]
    drawn = (
        charts.volume(days, counts, marks, text_of=str),
        charts.columns(days, counts["negative"], marks, text_of=str),
        charts.trend(days, [None, *counts["negative"][1:]], marks, text_of=str, target=4, target_text="cible <b>"),
        charts.bars([charts.Bar("a <script>", 3, "3", "x"), charts.Bar("b", 0, "0")], top=5),
    )
    for figure in drawn:
        go.Figure(figure.to_dict())  # raises on a wrong property
        assert figure.layout.yaxis.range[0] == 0 or figure.layout.xaxis.range[0] == 0
        assert not figure.layout.showlegend and "<script" not in figure.to_json()


@pytest.mark.parametrize(
    ("top", "minutes", "ticks"),
    [
        (0, False, [0, 1]),
        (9, False, [0, 5, 10]),
        (22, False, [0, 10, 20, 30]),
        (0.4, False, [0, 0.2, 0.4]),
        (1700, False, [0, 1000, 2000]),
        (130, True, [0, 60, 120, 180]),
        (4000, True, [0, 1440, 2880, 4320]),
    ],
)
def test_ticks_are_round(top: float, minutes: bool, ticks: list[float]) -> None:
    assert charts.nice_ticks(top, minutes=minutes) == pytest.approx(ticks)


def test_a_second_click_on_a_bar_means_the_same_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Event:
        def __init__(self, points: list[dict[str, int]]) -> None:
            self.selection = type("S", (), {"points": points})()

    state: dict[str, object] = {"chart": Event([{"point_index": 1}])}
    monkeypatch.setattr("dashboard.components.charts.st.session_state", state)
    charts._clicked("chart", ["network:x", "network:mail"])
    assert state.pop(charts.OPEN_KEY) == "network:mail"
    state["chart"] = Event([])
    charts._clicked("chart", ["network:x", "network:mail"])
    assert state.pop(charts.OPEN_KEY) == "network:mail"
    state["chart"] = Event([{"point_index": 7}])
    charts._clicked("chart", ["network:x", "network:mail"])
    assert charts.OPEN_KEY not in state


def test_pages_read_no_more_than_once_a_minute(shop: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    read = Indicators.read

    def counted(self: Indicators, key: str, *args: object) -> object:
        asked.append(key)
        return read(self, key, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Indicators, "read", counted)
    context = house.context_of(shop, AWA)
    at = opened(context)
    first = len(asked)
    at.run()
    assert first > 0 and len(asked) == first
    shop.sources.ensure("later", "demo", "Plus tard", {})  # any write
    opened(replace(context))
    assert len(asked) > first

"""Every indicator against a second opinion in plain Python, against the rows that it shows, and against its roll-up."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
import sqlalchemy as sa

from domain.clock import Calendar
from domain.departments import DEPARTMENT_BY_KEY, DEPARTMENTS
from domain.mention import Author
from domain.person import CustomerEvent, CustomerRecord, EventKind
from store import Store
from store.indicators import (
    INDICATOR_BY_KEY,
    INDICATORS,
    DrillRow,
    Indicator,
    Reading,
    Scope,
    chance,
    opinions,
    reading,
    subjects,
)
from store.indicators.facts import Frame, Row
from store.indicators.glossary import PAGE, render_catalogue
from tests.builders import analysis, mention
from tests.store.second_opinion import TODAY, Opinion
from tests.store.shop import NOW, fill, tell

WEEK = Scope(date(2026, 3, 4), date(2026, 3, 11))
SCOPES = (
    WEEK,
    Scope(date(2026, 2, 24), date(2026, 3, 5)),
    replace(WEEK, departments=("logistics", "customer_service")),
    replace(WEEK, networks=("x", "reviews")),
    replace(WEEK, stores=("lille",)),
    replace(WEEK, products=("vesuve", "galet"), departments=("product_quality",)),
)


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_indicator_of_a_department_exists() -> None:
    shown = {key for department in DEPARTMENTS for key in department.indicators}
    assert shown <= INDICATOR_BY_KEY.keys()
    assert len(INDICATOR_BY_KEY) == len(INDICATORS)


@pytest.mark.parametrize("indicator", INDICATORS, ids=lambda i: i.key)
def test_every_indicator_says_what_it_is_in_both_languages(indicator: Indicator) -> None:
    assert indicator.owner in DEPARTMENT_BY_KEY
    for text in (indicator.title, indicator.formula, indicator.population):
        assert text("fr") and text("en") and (text("fr") != text("en") or indicator.key == "mentions")
    assert any(word in indicator.population_en for word in ("Calendar", "working time", "now", "Now"))


def test_the_page_in_docs_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == render_catalogue()


def test_a_scope_knows_its_days_and_the_ones_before() -> None:
    assert WEEK.previous() == replace(WEEK, since=date(2026, 2, 25), until=date(2026, 3, 4))
    assert list(WEEK.days()) == [date(2026, 3, day) for day in range(4, 11)]


def test_every_number_has_a_second_opinion(store: Store) -> None:
    fill(store)
    opinion = Opinion(store)
    told: set[str] = set()
    for indicator, scope in product(INDICATORS, SCOPES):
        value = store.indicators.read(indicator.key, scope, NOW).value
        expected = opinion.value(indicator.key, scope)
        assert value == pytest.approx(expected, abs=1e-9), (indicator.key, scope)
        if value:
            told.add(indicator.key)
    assert told == INDICATOR_BY_KEY.keys(), "the story must give each of them something to count"


def test_previous_is_the_same_number_a_period_earlier(store: Store) -> None:
    fill(store)
    for indicator in INDICATORS:
        answer = store.indicators.read(indicator.key, WEEK, NOW)
        before = store.indicators.read(indicator.key, WEEK.previous(), NOW)
        if indicator.key == "late_cases":
            assert answer.previous is None
            continue
        assert (answer.previous, answer.previous_n) == (pytest.approx(before.value), before.n), indicator.key


def test_the_days_of_a_series_add_up(store: Store) -> None:
    fill(store)
    for indicator in INDICATORS:
        answer = store.indicators.read(indicator.key, WEEK, NOW)
        if indicator.key in {"late_cases", "revenue_at_risk"}:
            assert answer.series == ()
            continue
        assert [day for day, _, _ in answer.series] == list(WEEK.days())
        if indicator.how == "stock":
            assert answer.series[-1][1:] == (answer.value, answer.n)
            for day, level, _ in answer.series[:-1]:
                then = store.indicators.read(indicator.key, replace(WEEK, until=day + timedelta(days=1)), NOW)
                assert level == then.value
        else:
            assert sum(n for _, _, n in answer.series) == answer.n
            one_day = store.indicators.read(indicator.key, Scope(TODAY - timedelta(days=1), TODAY), NOW)
            assert answer.series[-2][1] == pytest.approx(one_day.value), indicator.key


# -- the rows behind a number -----------------------------------------------------------------------------------------


def all_rows(store: Store, key: str, scope: Scope) -> list[DrillRow]:
    """Every row, page after page."""
    found: list[DrillRow] = []
    while part := store.indicators.rows(key, scope, NOW, limit=20, offset=len(found)):
        found += part
    return found


def made(indicator: Indicator, rows: list[DrillRow], n: int) -> float | None:
    """The value that rows make, by the indicator's own word for it."""
    values = [row.value for row in rows]
    if indicator.how in {"sum", "stock"}:
        return sum(values)
    if indicator.how == "per_1000":
        return sum(values) / n * 1000 if n else None
    if not values:
        return None
    return median(values) if indicator.how == "median" else fmean(values)


def test_the_rows_make_the_value(store: Store) -> None:
    fill(store)
    for indicator, scope in product(INDICATORS, SCOPES):
        answer = store.indicators.read(indicator.key, scope, NOW)
        rows = all_rows(store, indicator.key, scope)
        assert made(indicator, rows, answer.n) == pytest.approx(answer.value), (indicator.key, scope)
        assert len(rows) == len({row.id for row in rows}) == store.indicators.row_count(indicator.key, scope, NOW)
        if indicator.how != "per_1000":
            assert len(rows) == answer.n
        assert all(row.text and row.kind in {"case", "mention", "event"} for row in rows)


def test_bad_news_comes_first_and_has_a_name(store: Store) -> None:
    fill(store)
    unanswered = store.indicators.rows("reply_rate", WEEK, NOW)
    assert unanswered[0].value == 0.0 and unanswered[-1].value == 1.0
    slowest = store.indicators.rows("first_reply_median", WEEK, NOW)
    assert [row.value for row in slowest] == sorted((row.value for row in slowest), reverse=True)
    assert all(row.person_name.startswith(("P", "Client")) for row in unanswered)
    late = store.indicators.rows("late_order_share", SCOPES[1], NOW)
    assert late[0].value == 1.0 and " → " in late[0].text and late[0].person_name.startswith("Client")


@pytest.mark.parametrize(
    "row", [row for row in (*subjects.ROWS, *opinions.ROWS) if row[1].rollup], ids=lambda r: r[0].key
)
def test_rollups_and_rows_agree(row: Row, store: Store) -> None:
    fill(store)
    indicator, measure = row
    by_rows = (indicator, replace(measure, rollup=None))
    for scope in SCOPES[:4]:
        frame = Frame(scope, NOW, store.calendar, store.database.is_sqlite)
        with store.database.read() as connection:
            assert reading.read(connection, row, frame) == reading.read(connection, by_rows, frame)
            for by in indicator.dimensions:
                parts = reading.breakdown(connection, row, frame, by)
                assert parts == reading.breakdown(connection, by_rows, frame, by)


# -- no data, borders, filters ----------------------------------------------------------------------------------------


def test_no_data_is_not_zero(store: Store) -> None:
    for indicator in INDICATORS:
        assert store.indicators.read(indicator.key, WEEK, NOW) == Reading(indicator.key, None, 0, None, 0, False, ())
        assert store.indicators.rows(indicator.key, WEEK, NOW) == []
    assert store.indicators.volume(WEEK, "day") == []
    assert store.indicators.verbatims(WEEK) == []
    assert store.indicators.spikes(WEEK) == []


def test_a_share_of_nothing_is_none_and_a_count_of_nothing_is_zero(store: Store) -> None:
    only = mention("1", created_at=NOW - timedelta(days=1))
    tell(store, [(only, analysis(only.id, "spam_promo", "negative"))])
    assert store.indicators.read("negative_share", WEEK, NOW).value is None
    assert store.indicators.read("praise_count", WEEK, NOW).value == 0
    assert store.indicators.read("defect_rate", WEEK, NOW).value is None  # no orders known: no rate, not "no defects"


def test_half_a_period_is_no_comparison_for_a_count(store: Store) -> None:
    said = [mention(str(day), created_at=NOW - timedelta(days=day)) for day in range(9)]
    tell(store, [(m, analysis(m.id)) for m in said])
    answer = store.indicators.read("mentions", WEEK, NOW)
    assert (answer.value, answer.previous) == (7, None)
    share = store.indicators.read("negative_share", WEEK, NOW)
    assert (share.previous, share.previous_n) == (1.0, 2)
    longer = store.indicators.read("mentions", replace(WEEK, since=date(2026, 2, 1)), NOW)
    assert longer.series[0][0] == date(2026, 3, 2)


def test_days_end_when_they_end_in_the_shop(store: Store, calendar: Calendar) -> None:
    # Paris goes to summer time on 29 March 2026: midnight is 23:00 UTC before, 22:00 UTC after.
    moments = [
        datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
    ]
    said = [mention(str(i), created_at=at, who=f"w{i}") for i, at in enumerate(moments)]
    later = datetime(2026, 4, 2, 10, 0, tzinfo=UTC)
    tell(store, [(m, analysis(m.id)) for m in said], later)
    scope = Scope(date(2026, 3, 27), date(2026, 4, 2))
    expected = {date(2026, 3, 28): 1, date(2026, 3, 29): 2, date(2026, 3, 30): 1}
    for key in ("mentions", "reply_rate"):  # counted by the day that was written, and by the moment
        series = store.indicators.read(key, scope, later).series
        assert {day: n for day, _, n in series if n} == expected
    for day, n in expected.items():
        assert store.indicators.row_count("reply_rate", Scope(day, day + timedelta(days=1)), later) == n
    assert {calendar.local_day(m) for m in moments} == expected.keys()


def test_the_department_filter_spares_what_concerns_the_whole_house(store: Store) -> None:
    fill(store)
    finance = replace(WEEK, departments=("finance",))
    assert store.indicators.read("refund_count", finance, NOW) == store.indicators.read("refund_count", WEEK, NOW)
    assert store.indicators.read("mentions", finance, NOW).n < store.indicators.read("mentions", WEEK, NOW).n


def test_carriers_are_told_apart_by_the_order_that_the_message_names(store: Store) -> None:
    day = NOW - timedelta(days=3)
    events = []
    for ref, carrier in (("O1", "transvia"), ("O2", "transvia"), ("O3", "colivert")):
        data: dict[str, Any] = {"products": ["dune"], "channel": "web", "status": "shipped"}
        events.append(CustomerEvent(EventKind.ORDER, ref, day, 10.0, data))
        parcel = {"order": ref, "carrier": carrier, "promised_on": "2026-03-08", "delivered_on": None, "status": "late"}
        events.append(CustomerEvent(EventKind.DELIVERY, f"D{ref}", day, None, parcel))
    store.people.add_customers([CustomerRecord("C1", "Ada", "ada@example.org", events=tuple(events))], NOW)
    said = [
        mention("1", created_at=day, order_ref="O1", who="a"),
        mention("2", created_at=day, order_ref="O1", who="a", conversation_id="1"),  # the same matter again
        mention("3", created_at=day, order_ref=None, who="b"),
    ]
    tell(store, [(m, analysis(m.id)) for m in said])
    parts = store.indicators.breakdown("delivery_contact_rate", WEEK, "carrier", NOW)
    assert [tuple(part) for part in parts] == [("transvia", 500.0, 2), ("colivert", 0.0, 1)]
    late = store.indicators.breakdown("late_order_share", WEEK, "carrier", NOW)
    assert [tuple(part) for part in late] == [("transvia", 1.0, 2), ("colivert", 1.0, 1)]
    with pytest.raises(ValueError, match="no breakdown by carrier"):
        store.indicators.breakdown("mentions", WEEK, "carrier", NOW)


def test_a_breakdown_says_the_same_as_a_filter(store: Store) -> None:
    fill(store)
    for indicator in INDICATORS:
        for by, name in (("store", "stores"), ("product", "products")):
            if by not in indicator.dimensions or indicator.key == "revenue_at_risk":
                continue  # that one shows each person under her newest complaint only
            for part in store.indicators.breakdown(indicator.key, WEEK, by, NOW):  # type: ignore[arg-type]
                alone = store.indicators.read(indicator.key, replace(WEEK, **{name: (part.label,)}), NOW)
                assert (part.value, part.n) == (pytest.approx(alone.value), alone.n), (indicator.key, part)


def test_an_order_that_names_no_product_sells_no_unit(store: Store) -> None:
    day = NOW - timedelta(days=2)
    datas: tuple[dict[str, Any], ...] = ({}, {"products": None}, {"products": []}, {"products": ["dune", "dune"]})
    events = tuple(CustomerEvent(EventKind.ORDER, f"O{i}", day, None, data) for i, data in enumerate(datas))
    store.people.add_customers([CustomerRecord("C1", "Ada", events=events)], NOW)
    broken = mention("1", created_at=day, product="dune")
    tell(store, [(broken, analysis(broken.id, "product_defect"))])
    rate = store.indicators.read("defect_rate", WEEK, NOW)
    assert (rate.value, rate.n) == (500.0, 2)
    assert [tuple(part) for part in store.indicators.breakdown("defect_rate", WEEK, "product", NOW)] == [
        ("dune", 500.0, 2)
    ]
    assert store.indicators.read("delivery_contact_rate", WEEK, NOW).n == 4
    assert store.indicators.read("delivery_contact_rate", replace(WEEK, products=("dune",)), NOW).n == 1


# -- volumes, spikes, verbatims ---------------------------------------------------------------------------------------


def test_volumes_count_every_mention_once(store: Store) -> None:
    fill(store)
    total = store.indicators.read("mentions", WEEK, NOW).n
    days = store.indicators.volume(WEEK, "day")
    assert [row.label for row in days] == [day.isoformat() for day in WEEK.days()]
    for by, split in product(("day", "network", "sentiment", "intent", "department", "lang"), (None, "sentiment")):
        assert sum(row.count for row in store.indicators.volume(WEEK, by, split)) == total  # type: ignore[arg-type]
    networks = store.indicators.volume(WEEK, "network")
    assert [row.count for row in networks] == sorted((row.count for row in networks), reverse=True)
    in_lille = store.indicators.volume(replace(WEEK, stores=("lille",)), "intent")
    assert 0 < sum(row.count for row in in_lille) < total


def test_a_quiet_day_between_two_loud_ones_is_there(store: Store) -> None:
    said = [mention(str(day), created_at=NOW - timedelta(days=day)) for day in (1, 3)]
    tell(store, [(m, analysis(m.id)) for m in said])
    assert [(row.label, row.count) for row in store.indicators.volume(WEEK, "day")] == [
        ("2026-03-07", 1),
        ("2026-03-08", 0),
        ("2026-03-09", 1),
    ]


def test_a_loud_day_is_found_and_a_usual_one_is_not(store: Store) -> None:
    counts = {9: 2, 8: 3, 7: 2, 6: 3, 5: 2, 4: 3, 3: 2, 2: 11, 1: 3}
    said = [
        mention(f"{back}-{i}", created_at=NOW - timedelta(days=back), who=f"w{i}", network="x" if i % 2 else "facebook")
        for back, count in counts.items()
        for i in range(count)
    ]
    tell(store, [(m, analysis(m.id)) for m in said])
    found = store.indicators.spikes(WEEK)
    loudest = found[0]
    week = [3, 2, 3, 2, 3, 2, 2]  # the seven days before
    mean = fmean(week)
    assert (loudest.day, loudest.network, loudest.intent, loudest.value) == (date(2026, 3, 8), "", "", 11)
    assert loudest.expected == pytest.approx(mean)
    spread = (sum((n - mean) ** 2 for n in week) / 6) ** 0.5
    assert loudest.threshold == pytest.approx(mean + 2 * spread)
    assert {spike.day for spike in found} == {date(2026, 3, 8)}
    assert {(s.network, s.intent) for s in found} == {
        ("", ""), ("", "order_delivery_issue"), ("x", ""), ("facebook", ""),
    }  # fmt: skip


def test_a_first_week_has_no_spikes(store: Store) -> None:
    said = [mention(str(i), created_at=NOW - timedelta(days=1, minutes=i), who=f"w{i}") for i in range(30)]
    tell(store, [(m, analysis(m.id)) for m in said])
    assert store.indicators.spikes(WEEK) == []


def test_verbatims_represent_and_do_not_shock(store: Store) -> None:
    said = []
    for i in range(20):
        kind = ("order_delivery_issue", "negative") if i < 12 else ("praise_thanks", "positive")
        text = f"Message numéro {i}, " + "de longueur ordinaire " * (2 if i % 4 else 12)
        one = mention(str(i), text, created_at=NOW - timedelta(hours=i), who=f"w{i}")
        said.append((one, analysis(one.id, *kind, toxic=i in {1, 2})))
    tell(store, said)
    found = store.indicators.verbatims(WEEK, 5)
    assert Counter(v.sentiment for v in found) == {"negative": 3, "positive": 2}
    assert not {v.mention_id for v in found} & {"x:1", "x:2"}
    assert all(len(v.text) < 120 for v in found)
    assert len({v.person_name for v in found}) == 5
    assert found == store.indicators.verbatims(WEEK, 5)


# -- chance -----------------------------------------------------------------------------------------------------------


def test_shares_may_differ_by_chance() -> None:
    assert not chance.shares(45, 100, 30, 100)  # z = 2.19
    assert chance.shares(40, 100, 30, 100)  # z = 1.48
    assert not chance.shares(1, 12, 11, 14)  # few: Fisher's p = 0.0014
    assert chance.shares(1, 12, 5, 14)  # few: p = 0.17
    assert chance.shares(3, 3, 2, 2) and chance.shares(0, 0, 5, 9)


def test_counts_may_differ_by_chance() -> None:
    assert chance.counts(5, 0)  # p = 1/16
    assert not chance.counts(6, 0)  # p = 1/32
    assert chance.counts(20, 10, 2, 1) and not chance.counts(20, 10, 0.5, 1)
    assert not chance.counts(1100, 1000) and chance.counts(1060, 1000)  # z = 2.18, 1.32


def test_means_medians_and_sums_may_differ_by_chance() -> None:
    assert not chance.means(90, 410, 20, 60, 200, 20)  # 4.5 against 3.0, both with a spread of about one
    assert chance.means(62, 220, 20, 60, 200, 20)
    assert chance.means(5, 25, 1, 60, 200, 20)
    assert not chance.medians([10, 11, 12, 13, 14], [1, 2, 3, 4, 5])  # z = 2.61
    assert chance.medians([1, 5, 9, 13], [2, 6, 10, 12])
    assert chance.medians([7] * 9, [7] * 9)
    assert not chance.sums(900, 9_000, 300, 3_000)
    assert chance.sums(900, 500_000, 300, 3_000)  # one huge author is no trend


def test_a_reading_says_whether_its_change_may_be_chance(store: Store) -> None:
    said = []
    for back in range(14):
        for i in range(12 if back < 7 else 2):
            one = mention(f"{back}-{i}", created_at=NOW - timedelta(days=back), who=f"w{back}-{i}")
            sentiment = "negative" if i % 2 else "positive"
            said.append((one, analysis(one.id, "praise_thanks" if back % 7 == 0 else "question_info", sentiment)))
    tell(store, said)
    loud = store.indicators.read("mentions", WEEK, NOW)
    assert (loud.value, loud.previous, loud.by_chance) == (84, 14, False)
    same = store.indicators.read("negative_share", WEEK, NOW)
    assert (same.value, same.previous, same.by_chance) == (0.5, 0.5, True)


# -- speed: no read walks through a whole table -------------------------------------------------------------------------


def test_reads_use_indexes(open_store: Callable[[str], Store], tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'comptoir.sqlite'}")  # PostgreSQL rightly scans tables as small as these
    fill(store)
    statements: list[tuple[str, Any]] = []

    def keep(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        statements.append((statement, parameters))

    sa.event.listen(store.database.engine, "before_cursor_execute", keep)
    for indicator, scope in product(INDICATORS, SCOPES[:3]):
        store.indicators.read(indicator.key, scope, NOW)
        store.indicators.rows(indicator.key, scope, NOW)
        for by in indicator.dimensions:
            store.indicators.breakdown(indicator.key, scope, by, NOW)
    store.indicators.verbatims(WEEK)
    store.indicators.spikes(WEEK)
    store.indicators.volume(WEEK, "day", "intent")
    sa.event.remove(store.database.engine, "before_cursor_execute", keep)
    walks: set[str] = set()
    whole_tables = {
        f"SCAN {name}" for name in ("mentions", "cases", "events", "accounts", "persons", "rollup_mentions")
    }
    with store.database.read() as connection:
        for statement, parameters in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            walks |= {f"{row[3]}: {statement}" for row in plan if row[3] in whole_tables}
    assert not walks, "\n".join(sorted(walks))


def test_authors_with_many_followers_are_counted_less(store: Store) -> None:
    heard = ((1_000, 150.0), (100_000, 15_000.0), (5_050_000, 5_050_000 * 0.105), (20_000_000, 1_200_000.0))
    said = []
    for i, (followers, _) in enumerate(heard):
        one = mention(str(i), created_at=NOW - timedelta(hours=1 + i), author=Author(f"w{i}", follower_count=followers))
        said.append((one, analysis(one.id, "question_info", "neutral")))
    tell(store, said)
    rows = store.indicators.rows("estimated_reach", WEEK, NOW)
    assert sorted(row.value for row in rows) == pytest.approx(sorted(reach for _, reach in heard))
    assert store.indicators.read("estimated_reach", WEEK, NOW).value == pytest.approx(sum(r for _, r in heard))

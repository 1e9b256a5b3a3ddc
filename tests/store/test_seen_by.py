"""A count over the whole house is for everybody; the rows behind it are shown to those whose department has them."""

from dataclasses import replace
from datetime import date, datetime

from domain.analysis import Scored
from store import Store
from store.indicators import INDICATOR_BY_KEY, Scope
from tests.builders import analysis, mention, page

SCOPE = Scope(date(2026, 3, 1), date(2026, 3, 11))


def test_rows_of_the_whole_house_are_cut_to_the_viewers_departments(store: Store, now: datetime) -> None:
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(mention("1"), mention("2", who="karim")), now)
    danger = {"x:1": "product_defect", "x:2": "order_delivery_issue"}
    with store.mentions.unanalyzed(10) as backlog:
        told = [replace(analysis(m.id, urgency=3), intent=Scored(danger[m.id], 0.9)) for m in backlog.mentions]
        backlog.save(told, now)
    store.cases.route(10, now, lambda _case, _item, _person: [])
    assert INDICATOR_BY_KEY["safety_count"].whole_house
    mine = replace(SCOPE, departments=("logistics",))
    assert store.indicators.read("safety_count", mine, now).value == 2
    assert store.indicators.row_count("safety_count", mine, now) == 2
    assert store.indicators.row_count("safety_count", mine, now, ("logistics",)) == 1
    [row] = store.indicators.rows("safety_count", mine, now, seen_by=("logistics",))
    assert row.person_name == "Karim"

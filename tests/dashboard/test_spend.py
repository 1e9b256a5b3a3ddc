"""What sources cost, may cost and could not hear, on the sources page; and the section that connects another one."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import collectors
from dashboard import acts_sources as acts
from dashboard.acts import NotYoursError
from dashboard.acts_connect import connect_source
from dashboard.components.connect import use_catalogue
from dashboard.context import COMMUNITY_MANAGER, MANAGEMENT, Viewer
from dashboard.i18n import set_language
from dashboard.views_connect import snippet
from domain.budget import Budget, SpendKind
from domain.case import RuleError
from domain.contracts import Delivery, Gap, Page, Spend
from settings import Settings
from store import Store
from store.sources import SourceState
from tests.builders import analysis, mention
from tests.dashboard import house
from tests.dashboard.test_sources import opened, plain

AWA = Viewer("Awa", COMMUNITY_MANAGER)
NOW = house.NOW


@pytest.fixture
def paid(empty: Store) -> Store:
    """A source that cost 2.50 dollars, for one message that opened a case and one that did not."""
    empty.sources.ensure("x", "x", "X", {})
    empty.sources.started("x", NOW)
    empty.sources.succeeded("x", NOW)
    said = (mention("1", created_at=NOW), mention("2", "Bonjour", who="luc", created_at=NOW))
    empty.mentions.add_page("x", Page(said, None, spent=Spend(1, 2, 2.0)), NOW)
    empty.mentions.add_page("x", Page((), None, spent=Spend(1, 1, 0.5)), NOW, kind=SpendKind.REHYDRATION)
    with empty.mentions.unanalyzed(9) as backlog:
        intents = {"x:1": "order_delivery_issue", "x:2": "other"}
        backlog.save([analysis(m.id, intents[m.id], "neutral") for m in backlog.mentions], NOW)
    empty.cases.route(9, NOW, lambda _case, _item, _person: ())
    return empty


def test_a_month_is_told_with_what_each_useful_message_cost(paid: Store) -> None:
    text = plain(house.shown(opened(paid)))
    assert "Ce mois-ci : 2,50 $ jusqu'ici" in text
    assert "2,50 $ pour le message qui a servi." in text
    assert "lecture 2,00 $ · relecture 0,50 $" in text


def test_what_is_free_says_nothing_of_money(empty: Store) -> None:
    empty.sources.ensure("feed", "feed", "Blogs", {})
    text = plain(house.shown(opened(empty)))
    assert "$" not in text and "Budget du mois" not in text


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (2.0, "Plus rien n'est lu avant le"),
        (1000.0, "Dans le budget."),
    ],
)
def test_a_budget_says_what_happens_next(paid: Store, limit: float, words: str) -> None:
    paid.sources.set_budget("x", Budget(price=limit))
    assert words in plain(house.shown(opened(paid)))


def test_a_budget_is_set_and_taken_away_in_place(paid: Store) -> None:
    at = opened(paid)
    at.number_input(key="budget_price_x").set_value(50.0).run()
    at.button(key="budget_set_x").click().run()
    assert not at.exception
    assert paid.ledger.standing("x", NOW).budget == Budget(price=50.0)
    assert any("peut coûter 50,00" in plain(toast.value) for toast in at.toast)
    at.number_input(key="budget_price_x").set_value(0.0).run()
    at.button(key="budget_set_x").click().run()
    assert not paid.ledger.standing("x", NOW).budget.is_set


def test_only_who_looks_after_sources_sets_budgets_and_within_reason(paid: Store) -> None:
    with pytest.raises(NotYoursError):
        acts.set_budget(house.context_of(paid, Viewer("Max", MANAGEMENT)), "x", 5.0)
    with pytest.raises(RuleError, match="between 0 and"):
        acts.set_budget(house.context_of(paid, AWA), "x", -1.0)
    assert not paid.ledger.standing("x", NOW).budget.is_set


def test_a_unit_budget_survives_one_in_dollars(paid: Store) -> None:
    paid.sources.set_budget("x", Budget(unit_count=500))
    acts.set_budget(house.context_of(paid, AWA), "x", 5.0)
    assert paid.ledger.standing("x", NOW).budget == Budget(5.0, 500)


def test_a_gap_is_never_silent(paid: Store) -> None:
    gap = Gap(NOW - timedelta(days=2), NOW - timedelta(days=1), "The network goes back 7 days only.")
    paid.mentions.add_page("x", Page((), None, gap=gap), NOW)
    text = plain(house.shown(opened(paid)))
    assert "Rien n'a pu être lu du" in text and "7 days only" in text


def test_deliveries_and_refusals_are_told(paid: Store) -> None:
    paid.inbox.keep("x", "k1", Delivery("POST", {}, {}, b"{}", NOW))
    paid.inbox.refuse("x", "the signature does not fit", NOW, 3)
    text = plain(house.shown(opened(paid)))
    assert "Livraisons à l'adresse /hooks/x." in text and "1 livraison attend d'être lue." in text
    assert "3 refusées en sept jours : the signature does not fit" in text


# -- connecting another one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [row.key for row in collectors.COLLECTORS if row.key != "demo"])
def test_the_lines_for_the_settings_can_be_read_and_hold_no_secret(key: str) -> None:
    set_language("fr")
    spec = collectors.spec(key)
    told = tomllib.loads(snippet(spec))
    [source] = Settings.model_validate({"sources": told["sources"]}).sources
    assert (source.key, source.collector) == (key, key)
    secrets = {one.key for one in spec.settings if one.secret}
    assert all(value.startswith("env:") for name, value in source.settings.items() if name in secrets)
    assert {one.key for one in spec.settings if one.required} == set(source.settings)


def section(store: Store, kept: dict[str, str]) -> AppTest:
    use_catalogue(lambda: [replace(collectors.spec("x"), title="X (Twitter)"), collectors.spec("feed")], kept.update)
    at = opened(store)
    at.session_state["connect"] = True
    return at.run()


def test_the_section_tells_what_a_network_needs(empty: Store) -> None:
    at = section(empty, {})
    text = plain(house.shown(at))
    assert "Ce qui est lu" in text and "Avant que cela marche" in text
    assert 'collector = "x"' in at.code[0].value and "env:X_CONSUMER_SECRET" in at.code[0].value
    at.selectbox(key="connect_network").set_value("feed").run()
    assert 'collector = "feed"' in at.code[0].value


def test_what_is_pasted_becomes_a_source_and_secrets_go_elsewhere(empty: Store, tmp_path: Path) -> None:
    kept: dict[str, str] = {}
    at = section(empty, kept)
    given = {"account": "ormelune", "consumer_key": "ck", "consumer_secret": "s3cret-one", "access_token": "1-at"}
    for name, value in {**given, "access_token_secret": "s3cret-two"}.items():
        at.text_input(key=f"connect_x_{name}").set_value(value)
    at.text_input(key="connect_key_x").set_value("x-france")
    next(button for button in at.button if "vérifier" in button.label).click().run()
    assert not at.exception, at.exception
    source = empty.sources.get("x-france")
    assert source is not None and source.state is SourceState.NEW and source.collector == "x"
    assert source.settings["consumer_secret"] == "env:X_FRANCE_CONSUMER_SECRET"
    assert kept["X_FRANCE_CONSUMER_SECRET"] == "s3cret-one"
    whole = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"s3cret" not in whole, "no secret is in the database"
    assert "s3cret" not in house.shown(at)


@pytest.mark.parametrize(
    ("names", "values", "words"),
    [
        (("X!", "X"), {}, "a-z"),
        (("here", "X"), {}, "already"),
        (("x", "X"), {"account": "ormelune"}, "consumer_key"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_kept(
    empty: Store, names: tuple[str, str], values: dict[str, str], words: str
) -> None:
    empty.sources.ensure("here", "feed", "Here", {})
    kept: dict[str, str] = {}
    with pytest.raises(RuleError, match=words):
        connect_source(house.context_of(empty, AWA), collectors.spec("x"), names, values, kept.update)
    assert not kept and len(empty.sources.all()) == 1
    with pytest.raises(NotYoursError):
        connect_source(
            house.context_of(empty, Viewer("Max", MANAGEMENT)), collectors.spec("x"), ("y", "Y"), {}, kept.update
        )


def test_no_secret_of_another_source_or_of_the_server_can_be_reached(empty: Store) -> None:
    kept: dict[str, str] = {}
    spec, context = collectors.spec("x"), house.context_of(empty, AWA)
    given = {one.key: f"value-{one.key}" for one in spec.settings if one.required}
    connect_source(context, spec, ("x-france", "X"), given, kept.update)
    before = dict(kept)
    with pytest.raises(RuleError, match="same name"):
        connect_source(context, spec, ("x_france", "X"), dict.fromkeys(given, "other"), kept.update)
    with pytest.raises(RuleError, match="for comptoir"):
        connect_source(context, spec, ("y", "Y"), {**given, "account": "env:COMPTOIR_DATABASE_URL"}, kept.update)
    assert kept == before and [source.key for source in empty.sources.all()] == ["x-france"]

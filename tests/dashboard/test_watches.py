"""The watches page: what is listened to, an editor that says what is wrong and where, previews, back-fills; by role."""

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import acts_watches as acts
from dashboard import views_watches as views
from dashboard.acts import NotYoursError
from dashboard.context import COMMUNITY_MANAGER, DEPARTMENT_HEAD, MANAGEMENT, Context, Viewer
from dashboard.views_backfills import remaining
from domain.contracts import Estimate, Search, Spend, Watch
from domain.errors import InputError
from store import Store
from store.backfill_rows import Backfill, BackfillState, too_dear
from store.watches import WatchKind
from tests.builders import mention
from tests.builders import page as page_of
from tests.dashboard import house

AWA = Viewer("Awa", COMMUNITY_MANAGER)
NOW, DAY = house.NOW, timedelta(days=1)
ME: dict[str, Any] = {"by": "Awa", "at": NOW}


@pytest.fixture
def listening(empty: Store) -> Store:
    """Two sources, a week of messages, a watch of the brand and one of a competitor for one source."""
    empty.sources.ensure("x", "x", "X (@ormelune)", {})
    empty.sources.ensure("blog", "feed", "Blogs cuisine", {})
    said = [mention(str(n), f"mon colis {n}", created_at=NOW - timedelta(hours=5 * n + 1)) for n in range(30)]
    blog = [mention(f"b{n}", "La cocotte Belle Aube", network="blog", created_at=NOW - n * DAY) for n in range(1, 4)]
    empty.mentions.add_page("x", page_of(*said), NOW)
    empty.mentions.add_page("blog", page_of(*blog), NOW)
    empty.watches.add("Livraisons", "colis OU paquet", **ME, kind=WatchKind.TOPIC)
    empty.watches.add("Belle Aube", '"belle aube"', **ME, kind=WatchKind.COMPETITOR, sources=["blog"])
    return empty


def page(context: "Context") -> None:
    from dashboard.i18n import set_language
    from dashboard.pages import watches

    set_language(context.lang)
    watches.render(context)


def opened(store: Store, viewer: Viewer = AWA, lang: str = "fr") -> AppTest:
    context = house.context_of(store, viewer, lang)
    return AppTest.from_function(page, kwargs={"context": context}, default_timeout=30).run()


def text_of(at: AppTest) -> str:
    return house.shown(at).replace("\u202f", " ").replace("\u00a0", " ").replace("\\", "")


def id_of(store: Store, name: str) -> int:
    row = store.watches.named(name)
    assert row is not None
    return row.id


# -- the list --------------------------------------------------------------------------------------------------------------


def test_an_empty_store_says_how_to_begin(empty: Store) -> None:
    text = text_of(opened(empty))
    assert "Aucune veille" in text and "comptoir demo" in text and "Aucune source à relire" in text


def test_each_watch_tells_what_it_listens_for_where_and_what_it_found(listening: Store) -> None:
    text = text_of(opened(listening))
    assert "2 veilles, comparées à 33 messages gardés sur 7 jours." in text
    assert "colis OU paquet" in text and "Toutes les sources · 30 messages en 7 jours : X 30" in text
    assert '"belle aube"' in text and "Blogs cuisine · 3 messages en 7 jours" in text
    for word in ("Sujet suivi", "Concurrent"):
        assert word in text


def test_paused_resumed_removed_and_taken_back(listening: Store) -> None:
    at = opened(listening)
    key = id_of(listening, "Livraisons")
    at.button(key=f"watch_switch_{key}").click().run()
    paused = listening.watches.get(key)
    assert not at.exception and paused is not None and not paused.enabled and "1 en pause" in text_of(at)
    at.button(key=f"watch_switch_{key}").click().run()
    at.button(key=f"watch_remove_{key}").click().run()
    assert listening.watches.named("Livraisons") is None and "« Livraisons » est supprimée." in text_of(at)
    at.button(key="watch_undo").click().run()
    back = listening.watches.named("Livraisons")
    assert back is not None and (back.query, back.kind, back.enabled) == ("colis OU paquet", WatchKind.TOPIC, True)
    assert "est supprimée" not in text_of(at)


# -- the editor ------------------------------------------------------------------------------------------------------------


def test_a_new_watch_is_written_and_kept(listening: Store) -> None:
    at = opened(listening)
    at.button(key="watch_new").click().run()
    at.button(key="watch_save").click().run()
    assert "Il faut un nom à la veille." in text_of(at)
    at.text_input(key="watch_name").set_value("Marque")
    at.text_area(key="watch_query").set_value("ormelune SAUF concours")
    at.multiselect(key="watch_sources").set_value(["x"]).run()
    at.button(key="watch_save").click().run()
    kept = listening.watches.named("Marque")
    assert kept is not None and (kept.query, kept.sources, kept.kind) == (
        "ormelune SAUF concours",
        ("x",),
        WatchKind.BRAND,
    )
    assert not at.text_area and any("est gardée" in toast.value for toast in at.toast)


def test_a_watch_is_changed_where_it_stands(listening: Store) -> None:
    at = opened(listening)
    key = id_of(listening, "Belle Aube")
    at.button(key=f"watch_edit_{key}").click().run()
    assert at.text_area(key="watch_query").value == '"belle aube"'
    assert at.multiselect(key="watch_sources").value == ["blog"]
    at.text_area(key="watch_query").set_value('"belle aube" -concours').run()
    at.button(key="watch_save").click().run()
    changed = listening.watches.get(key)
    assert changed is not None and changed.query == '"belle aube" -concours' and changed.sources == ("blog",)


def test_what_is_wrong_is_said_in_words_and_shown_at_its_place(listening: Store) -> None:
    at = opened(listening)
    at.button(key="watch_new").click().run()
    at.text_area(key="watch_query").set_value("colis (perdu OU volé").run()
    text = text_of(at)
    assert "La parenthèse au caractère 7 n'est jamais fermée." in text
    assert "colis (perdu OU volé\n      ▲" in [code.value for code in at.code]
    at.text_input(key="watch_name").set_value("Perdus")
    for button in ("watch_save", "watch_try"):
        at.button(key=button).click().run()
        assert any("jamais fermée" in warning.value for warning in at.warning), "beside the button too"
    assert len(listening.watches.all()) == 2 and listening.previews.lease(NOW) is None
    at.text_area(key="watch_query").set_value("colis").run()
    assert "jamais fermée" not in text_of(at)


def test_what_the_store_refuses_is_said_beside_the_button(listening: Store) -> None:
    at = opened(listening)
    at.button(key="watch_new").click().run()
    at.text_input(key="watch_name").set_value("livraisons")
    at.text_area(key="watch_query").set_value("colis").run()
    at.button(key="watch_save").click().run()
    assert "Il y a déjà une veille « livraisons »." in text_of(at) and at.text_area
    assert len(listening.watches.all()) == 2


@pytest.mark.parametrize(
    ("query", "place"),
    [('a "b', 2), ("a )", 2), ("a AND", 5), ("a foo:b", 2), ("a   OR  OR b", 5), ("-a", None), ("x" * 90 + " (a", 91)],
)
def test_the_sign_stands_under_the_character(query: str, place: int | None) -> None:
    found = views.problem(query)
    assert found is not None and found.place == place
    if place is not None:
        shown, sign = found.pointer.split("\n")
        clean = " ".join(query.split())
        assert len(sign) - 1 == len(shown) if place >= len(clean) else shown[len(sign) - 1] == clean[place]


def test_every_example_of_the_language_can_be_read() -> None:
    assert [query for query, _ in views.EXAMPLES if views.problem(query, ["Concurrents"])] == []
    assert views.problem("  ") is None


# -- previews --------------------------------------------------------------------------------------------------------------


def tried(store: Store, query: str = "colis langue:fr") -> AppTest:
    at = opened(store)
    at.button(key="watch_new").click().run()
    at.text_area(key="watch_query").set_value(query).run()
    at.button(key="watch_try").click().run()
    return at


def answer(store: Store) -> None:
    """As the worker does: X has counts and a search, the blog was looked through here."""
    first, second = store.previews.lease(NOW), store.previews.lease(NOW)
    assert first is not None and second is not None
    by_key = {one.source_key: one for one in (first, second)}
    samples = tuple(mention(str(n), f"Mon colis {n} <b>!</b>") for n in range(6))
    found = Estimate(
        312, 1.56, samples, "X reaches back seven days only: what is older is not counted.", Spend(1, 10, 0.05)
    )
    search = Search(("(colis) lang:fr -from:us",), False, ("note:<=2",), "")
    store.previews.answer(by_key["x"], found, NOW, search=search)
    store.previews.fail(by_key["blog"], "Too many requests. It is tried again later.", NOW)


def test_a_preview_tells_found_samples_cost_and_what_is_filtered_here(listening: Store) -> None:
    at = tried(listening)
    [bar] = at.get("progress")
    assert bar.proto.text == "Le collecteur interroge les sources : 0 sur 2."
    answer(listening)
    at.run()
    text = text_of(at)
    assert "Sur les 7 derniers jours : 312 messages trouvés, 6 exemples, lecture ≈ 1,56 $." in text
    assert "312 trouvés · lecture ≈ 1,56 $ · cet essai : 0,05 $" in text
    assert "(colis) lang:fr -from:us" in text and "Filtré ici : note:<=2." in text
    assert "X ne remonte qu'à sept jours" in text and "Mon colis 0 <b>!</b>" in text
    assert any("Blogs cuisine" in warning.value for warning in at.warning)
    at.text_area(key="watch_query").set_value("paquet").run()
    assert "L'expression a changé" in text_of(at) and "312" not in text_of(at)
    assert listening.watches.named("") is None and len(listening.watches.all()) == 2


def test_a_worker_that_does_not_answer_is_named(listening: Store) -> None:
    at = tried(listening)
    later = Context(
        store=listening,
        viewer=AWA,
        lang="fr",
        now=NOW + DAY / 99,
        zone=listening.calendar.zone,
        clock=lambda: NOW + DAY / 99,
    )
    slow = AppTest.from_function(page, kwargs={"context": later}, default_timeout=30)
    for key in ("watch_open", "watch_tried", "watch_query", "watch_sources", "watch_kind", "watch_name"):
        slow.session_state[key] = at.session_state[key]
    assert "comptoir work" in text_of(slow.run())


def test_a_preview_without_sources_says_so(empty: Store) -> None:
    with pytest.raises(InputError, match="Aucune source"):
        acts.try_out(house.context_of(empty, AWA), "colis", ())


# -- back-fills ------------------------------------------------------------------------------------------------------------


def backfill(store: Store, state: BackfillState) -> Backfill:
    """One that stands there; 60 of 240 hours are read where it runs."""
    store.watches.add("Tout", "colis", **ME)
    one = store.backfills.ask("x", NOW - 10 * DAY, NOW, Watch(query="colis"), by="Awa", at=NOW)
    if state is BackfillState.REFUSED:
        return store.backfills.refuse(one.id, "X gives no way to read its past.", NOW)
    if state is BackfillState.ASKED:
        return one
    store.backfills.announce(one.id, 1200, 6.0, "")
    if state is BackfillState.ANNOUNCED:
        return one
    store.backfills.confirm(one.id, by="Awa", at=NOW - timedelta(minutes=10))
    [held] = store.backfills.lease("me", NOW)
    store.backfills.add_page(held, "me", page_of(*(mention(f"p{n}") for n in range(7))), NOW)
    store.backfills.reach(held, "me", NOW - 7.5 * DAY, NOW)
    if state is BackfillState.PAUSED:
        store.backfills.stop(held, too_dear(7.21))
    return one


def test_a_span_is_asked_for_priced_and_agreed_to(listening: Store) -> None:
    at = opened(listening)
    at.selectbox(key="backfill_source").set_value("x")
    at.date_input(key="backfill_first").set_value(date(2026, 3, 1))
    at.date_input(key="backfill_last").set_value(date(2026, 3, 5)).run()
    at.button(key="backfill_ask").click().run()
    [one] = listening.backfills.all()
    zone = listening.calendar.zone
    assert (f"{one.since.astimezone(zone):%m-%d %H:%M}", f"{one.until.astimezone(zone):%m-%d %H:%M}") == (
        "03-01 00:00",
        "03-06 00:00",
    )
    assert one.watch.query == "colis OU paquet" and not one.opens_cases
    assert "Le collecteur demande le prix" in text_of(at) and "X (@ormelune), du 1 mars 2026 au 5 mars 2026" in text_of(
        at
    )
    listening.backfills.announce(one.id, 1200, 6.0, "")
    at = opened(listening)
    assert "Annoncé : environ 1 200 messages, pour environ 6,00 $. À 7,21 $, la lecture s'arrête" in text_of(at)
    at.button(key=f"backfill_yes_{one.id}").click().run()
    agreed = listening.backfills.get(one.id)
    assert agreed is not None and (agreed.state, agreed.confirmed_by) == (BackfillState.RUNNING, "Awa")


def test_how_far_it_is_and_how_long_it_takes(listening: Store) -> None:
    one = backfill(listening, BackfillState.RUNNING)
    at = opened(listening)
    [bar] = at.get("progress")
    said = bar.proto.text.replace("\u202f", " ").replace("\u00a0", " ").replace("\\", "")
    assert "25 %" in said and "7 messages trouvés, dont 7 nouveaux" in said and "encore environ 30 min" in said
    assert bar.proto.value == 25
    at.button(key=f"backfill_pause_{one.id}").click().run()
    paused = listening.backfills.get(one.id)
    assert paused is not None and paused.state is BackfillState.PAUSED and remaining(paused, NOW) is not None


def test_a_paused_one_says_why_and_goes_on_or_is_given_up(listening: Store) -> None:
    one = backfill(listening, BackfillState.PAUSED)
    at = opened(listening)
    assert "Il a coûté 7.21 $, autant que convenu." in text_of(at)
    at.button(key=f"backfill_resume_{one.id}").click().run()
    assert [row.state for row in listening.backfills.all()] == [BackfillState.RUNNING]
    at.button(key=f"backfill_cancel_{one.id}").click().run()
    assert [row.state for row in listening.backfills.all()] == [BackfillState.CANCELLED]
    assert "Abandonnée" in text_of(at) and not [b for b in at.button if b.key and b.key.startswith("backfill_cancel")]


def test_a_source_that_cannot_be_read_back_says_what_to_do(listening: Store) -> None:
    backfill(listening, BackfillState.REFUSED)
    text = text_of(opened(listening))
    assert "X ne permet pas de relire son passé." in text and "Impossible" in text


def test_an_empty_span_and_a_click_that_comes_too_late_are_said(listening: Store) -> None:
    context = house.context_of(listening, AWA)
    with pytest.raises(InputError, match="empty"):
        acts.ask_backfill(context, "x", date(2026, 3, 5), date(2026, 3, 1), opens_cases=False)
    with pytest.raises(NotYoursError, match="n'existe plus"):
        acts.ask_backfill(context, "nowhere", date(2026, 3, 1), date(2026, 3, 5), opens_cases=False)
    one = backfill(listening, BackfillState.ANNOUNCED)
    at = opened(listening)
    listening.backfills.cancel(one.id, by="Inès", at=NOW)
    at.button(key=f"backfill_yes_{one.id}").click().run()
    assert any("a avancé depuis" in toast.value for toast in at.toast)


# -- who -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [DEPARTMENT_HEAD, MANAGEMENT])
def test_others_neither_see_nor_act(listening: Store, role: str) -> None:
    other = Viewer("Karim", role, ("logistics",) if role == DEPARTMENT_HEAD else ())
    at = opened(listening, other)
    assert at.error and not at.button
    context, key = house.context_of(listening, other), id_of(listening, "Livraisons")
    for act in (
        acts.pause,
        acts.resume,
        acts.remove,
        acts.confirm,
        acts.pause_backfill,
        acts.resume_backfill,
        acts.cancel_backfill,
    ):
        with pytest.raises(NotYoursError):
            act(context, key)
    for call in (
        lambda: acts.save(context, acts.Draft(None, "A", "b", WatchKind.BRAND)),
        lambda: acts.try_out(context, "colis", ()),
        lambda: acts.ask_backfill(context, "x", date(2026, 3, 1), date(2026, 3, 5), opens_cases=False),
    ):
        with pytest.raises(NotYoursError):
            call()
    assert len(listening.watches.all()) == 2 and listening.backfills.all() == []


def test_with_every_source_in_trouble_the_page_stands(empty: Store) -> None:
    house.spoil_sources(empty)
    empty.watches.add("Perdue", "colis", **ME, sources=["gone"])
    at = opened(empty)
    text = text_of(at)
    assert "gone (source disparue)" in text and "Aucun message gardé sur 7 jours" in text
    at.button(key=f"watch_edit_{id_of(empty, 'Perdue')}").click().run()
    assert not at.exception and at.multiselect(key="watch_sources").value == ["gone"]


def test_in_english(listening: Store) -> None:
    backfill(listening, BackfillState.RUNNING)
    at = opened(listening, lang="en")
    text = text_of(at)
    assert "3 watches, compared with" in text and "Read the past" in text and "Under way" in text
    for french in ("veille", "Toutes", "Demandé", "trouvés", "Annoncé"):
        assert french not in text

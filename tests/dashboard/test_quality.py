"""The quality page: empty, with its maker's figures, with reviews; its numbers are the store's, and each opens its messages."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from struct import pack
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from dashboard.components import charts
from dashboard.context import ADMIN, COMMUNITY_MANAGER, DEPARTMENT_HEAD, MANAGEMENT, Context, Viewer
from dashboard.i18n import set_language
from dashboard.reads_quality import report_of
from dashboard.views_drift import alert, drift_rows
from dashboard.views_quality import times
from dashboard.views_quality_tables import dot_tokens, pairs_behind, parts_rows, tag_rows
from domain.analysis import ModelRef, Signals
from domain.clock import Calendar
from domain.contracts import Cursor, Page
from domain.drift import Shift
from domain.label import Field, Origin
from domain.quality import Pair, measure
from store import Store, schema
from store.quality import Spoken
from tests.builders import analysis, mention
from tests.dashboard import counter, house

AWA = Viewer("Awa", COMMUNITY_MANAGER)
NADIA = Viewer("Nadia", DEPARTMENT_HEAD, ("finance",))
GOLD = {
    "gold": {
        "all/intent": {
            "n": 851,
            "macro_f1": 0.71,
            "interval": [0.66, 0.75],
            "accuracy": 0.8,
            "calibration_error": 0.031,
            "bins": [[0.45, 0.5, 100], [0.95, 0.93, 751]],
            "abstention": {"share": 0.15, "accuracy": 0.8, "accuracy_kept": 0.87},
            "labels": ["praise_thanks", "other"],
            "confusion": [[500, 51], [100, 200]],
        },
        "fr/intent": {"n": 610, "macro_f1": 0.72, "interval": [0.68, 0.77], "accuracy": 0.81},
        "all/aspects": {
            "n": 851,
            "macro_f1": 0.53,
            "labels": ["delivery", "packaging"],
            "f1": [0.8, 0.26],
            "support": [90, 12],
        },
    },
    "people": {"intent": {"n": 240, "agreement": 0.875, "kappa": 0.835}},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, calendar: Calendar) -> Iterator[Store]:
    """The shop of `house`, most of whose newest messages were reviewed; these tests only read it."""
    store = house.open_filled(tmp_path_factory.mktemp("quality"), calendar)
    register(store, "test@1", GOLD)
    review(store)
    yield store
    store.close()


def register(store: Store, model: str, report: Any) -> None:
    row = {"model": model, "base": None, "created_at": house.NOW, "created_by": "x", "heads": None, "in_use": False}
    with store.database.write() as connection:
        connection.execute(sa.insert(schema.models), [{**row, "report": report}])


def label(row: Any, field: Field, was: Any, value: Any, **fields: Any) -> dict[str, Any]:
    values = {
        "mention_id": row.id,
        "field": field.value,
        "value": value,
        "was": was,
        "model": row.model,
        "by": "Awa",
        "origin": Origin.LABELLING.value,
        "at": house.NOW - timedelta(hours=2),
        "retracted_at": None,
    }
    return {**values, **fields}


def review(store: Store, count: int = 200) -> None:
    """Every fifth subject is wrong (a question, it was), every fourth message is read twice, some are corrected at the desk."""
    m = schema.mentions.c
    query = sa.select(m.id, m.model, m.intent, m.sentiment).where(m.outbound.is_(False)).order_by(m.id).limit(count)
    found: list[dict[str, Any]] = []
    with store.database.write() as connection:
        for number, row in enumerate(connection.execute(query)):
            value = "question_info" if number % 5 == 0 else row.intent
            found.append(label(row, Field.INTENT, row.intent, value))
            found.append(label(row, Field.SENTIMENT, row.sentiment, row.sentiment))
            found.append(label(row, Field.TOXIC, False, number % 50 == 0))
            found.append(label(row, Field.ASPECTS, ["delivery"], ["delivery"] if number % 3 else []))
            if number % 4 == 0:
                other = "other" if number % 40 == 0 else value
                found.append(label(row, Field.INTENT, row.intent, other, by="Inès", at=house.NOW - timedelta(hours=1)))
            if number % 20 == 0:
                desk = Origin.DESK.value
                found.append(label(row, Field.SENTIMENT, row.sentiment, "neutral", origin=desk, by="Karim"))
        connection.execute(sa.insert(schema.labels), found)


def page(context: "Context") -> None:
    from dashboard.i18n import set_language
    from dashboard.pages import quality

    set_language(context.lang)
    quality.render(context)


def opened(context: Context, token: str = "", **state: Any) -> AppTest:
    at = AppTest.from_function(page, kwargs={"context": context}, default_timeout=60)
    for name, value in state.items():
        at.session_state[name] = value
    if token:
        at.session_state[charts.OPEN_KEY] = token
    at.run()
    assert not at.exception, at.exception
    return at


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def told(at: AppTest) -> str:
    return plain(house.words_of(house.component(at, "quality_sentence")["pieces"]))


def card(at: AppTest, key: str) -> dict[str, Any]:
    [found] = [card for card in house.component(at, "quality_cards")["cards"] if card["key"] == key]
    return {name: plain(value) if isinstance(value, str) else value for name, value in found.items()}


def table(at: AppTest, key: str) -> list[list[str]]:
    return [[plain(piece["text"]) for piece in row] for row in house.component(at, key)["rows"]]


# -- empty, and what the maker says ------------------------------------------------------------------------------------------


def test_an_empty_store_says_so_and_what_to_do(empty: Store) -> None:
    at = opened(house.context_of(empty, AWA))
    assert told(at).startswith("Personne n'a encore relu de message, et ce modèle n'apporte pas de chiffres")
    assert {card["value"] for card in house.component(at, "quality_cards")["cards"]} == {"aucune donnée"}
    text = house.shown(at)
    assert "Relisez des messages tirés au sort" in text
    assert "Trop peu de messages pour savoir si ce qui arrive a changé" in text
    assert "Aucune correction depuis 90 jours." in text
    assert not at.get("plotly_chart") and not at.warning


def test_before_any_review_the_makers_figures_are_shown_as_such(empty: Store) -> None:
    house.fill(empty, days=10)
    register(empty, "test@1", GOLD)
    at = opened(house.context_of(empty, AWA))
    assert told(at) == (
        "Personne n'a encore relu de message ici. À sa fabrication, sur 851 messages, le modèle a donné le bon sujet "
        "8 fois sur 10 (80 %, entre 77 et 83 %) ; deux personnes sont d'accord entre elles 9 fois sur 10 (sur 240 messages)."
    )
    assert card(at, "score")["note"] == "entre 66 et 75 · à la fabrication, sur 851 messages"
    assert card(at, "people")["note"] == "kappa 0,84 · sur 240 messages"
    heat = house.component(at, "quality_heat")
    assert [[cell["text"] for cell in row["cells"]] for row in heat["rows"]] == [["500", "51"], ["100", "200"]]
    assert not any(cell["opens"] for row in heat["rows"] for cell in row["cells"])
    assert table(at, "quality_made_table")[-1] == ["ensemble", "80 % (77–83)", "71 (66–75)", "851"]
    assert "En laissant 15 % des messages à une personne, le reste est juste à 87 % au lieu de 80 %" in plain(
        house.shown(at)
    )
    at.pills(key="quality_question").set_value(Field.ASPECTS).run()
    assert "le modèle obtient la note de 53 sur 100 ; on ne sait pas encore" in told(at)
    assert table(at, "quality_tags_table") == [["Livraison", "80", "–", "90"], ["Emballage", "26", "–", "12"]]


def test_few_reviews_are_no_figure(empty: Store) -> None:
    house.fill(empty, days=10)
    review(empty, 12)
    at = opened(house.context_of(empty, AWA))
    assert told(at) == "12 messages relus : trop peu pour conclure."
    assert card(at, "accuracy")["value"] == "12 messages" and card(at, "accuracy")["note"] == "trop peu pour conclure"
    assert "Trop peu de messages pour tracer une courbe." in house.shown(at)
    register(empty, "test@1", GOLD)
    at = opened(house.context_of(empty, AWA))
    assert told(at).startswith("12 messages relus ici, trop peu. À sa fabrication, sur 851 messages")


# -- reviewed ----------------------------------------------------------------------------------------------------------------


def test_the_sentence_and_the_cards_are_the_measures_of_the_reviews(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    reviews = shop.quality.reviews(Field.INTENT)
    figures = measure(reviews.pairs, Field.INTENT)
    assert figures["n"] == 200 and len(reviews.doubles) == 50
    right = round(figures["accuracy"] * 100)
    assert (
        f"Sur les 200 messages relus, le modèle a donné le bon sujet {plain(times(figures['accuracy']))} ({right} %"
        in told(at)
    )
    assert told(at).endswith("deux personnes sont d'accord entre elles 9 fois sur 10 (sur 50 messages).")
    assert card(at, "accuracy")["value"] == f"{right} %"
    low, high = (round(100 * edge) for edge in figures["interval"])
    assert card(at, "score")["value"] == f"{100 * figures['macro_f1']:.0f} sur 100"
    assert card(at, "score")["note"] == f"entre {low} et {high} · sur 200 messages"
    shown = house.component(at, "quality_heat")
    counts = [[int(cell["text"] or 0) for cell in row["cells"]] for row in shown["rows"]]
    assert counts == figures["confusion"] and sum(map(sum, counts)) == 200
    assert "Que faire" not in house.shown(at)


def test_the_curve_says_how_far_probabilities_are(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    [curve] = [chart for chart in at.get("plotly_chart") if "Les probabilités sont justes" in chart.proto.alt]
    assert curve.proto.selection_mode  # its dots open their messages
    error = measure(shop.quality.reviews(Field.INTENT).pairs, Field.INTENT)["calibration_error"]
    assert f"à {100 * error:.0f} points près (le hasard seul en donnerait" in curve.proto.alt
    at.pills(key="quality_question").set_value(Field.TOXIC).run()
    assert not [chart for chart in at.get("plotly_chart") if "probabilités" in chart.proto.alt]
    assert "n'est gardée que pour le sujet et le ton" in house.shown(at)


def test_a_part_narrows_every_figure(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    at.segmented_control(key="quality_by").set_value("network").run()
    networks = table(at, "quality_parts_table")
    assert sum(int(row[-1]) for row in networks) == 200
    assert {row[1] for row in networks if int(row[-1]) < 30} <= {"trop peu"}
    at.selectbox(key="quality_network").set_value("mail").run()
    inside = sum(pair.network == "mail" for pair in shop.quality.reviews(Field.INTENT).pairs)
    assert f"Sur les {inside} messages relus" in told(at)
    assert [row[0] for row in table(at, "quality_parts_table")] == ["Courriel"]


def test_a_rare_flag_says_what_no_would_get(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), quality_question=Field.TOXIC)
    assert "Répondre toujours « non » aurait raison 98 % du temps" in plain(house.shown(at)).replace("\\", "")
    assert card(at, "score")["value"] == "0 sur 100"
    rows = {row[0]: row for row in table(at, "quality_tags_table")}
    assert rows["Oui"] == ["Oui", "0", "0 sur 4", "–"]


def test_desk_corrections_stand_apart(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA))
    text = plain(house.shown(at)).replace("\\", "")
    corrections = shop.quality.corrections(house.NOW - timedelta(days=90))
    wrong = sum(row.count for row in corrections if row.was != row.value)
    assert f"{wrong} corrections et {10 - wrong} confirmation" in text
    assert "pas combien de fois" in text
    assert measure(shop.quality.reviews(Field.SENTIMENT).pairs, Field.SENTIMENT)["accuracy"] == 1.0
    assert table(at, "quality_corrections_table")[0][0].startswith("Ton : ")


@pytest.mark.parametrize("token", ["reviewed", "missed:question_info", "extra:praise_thanks", "bin:9", "fix:0"])
def test_a_number_opens_the_messages_that_it_counts(shop: Store, token: str) -> None:
    at = opened(house.context_of(shop, AWA), token)
    [drawer] = at.get("dialog")
    rows = house.component(at, "quality_rows")["rows"]
    assert 0 < len(rows) <= 20 and drawer.proto.dialog.title
    for row in rows:
        assert row["text"] and row["who"] and ("juste : " in row["worth"])
        assert row["href"] == (f"/?case={row['case_id']}" if row["case_id"] else "")
    figures = measure(shop.quality.reviews(Field.INTENT).pairs, Field.INTENT)
    hits, _, right = figures["tags"]["question_info"]
    praised, said, _ = figures["tags"]["praise_thanks"]
    counts = {
        "reviewed": 200,
        "missed:question_info": right - hits,
        "extra:praise_thanks": said - praised,
        "bin:9": 200,
    }
    if token in counts:
        assert f"{counts[token]} message" in house.shown(at)


def test_a_cell_opens_its_own_mistake_and_unknown_tokens_nothing(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA), "cell:question_info:praise_thanks")
    rows = house.component(at, "quality_rows")["rows"]
    assert {row["worth"] for row in rows} == {"dit : Éloge et merci, juste : Question"}
    for token in ("fix:99", "fix:x", "mentions", "cell:", "bin:x"):
        at = opened(house.context_of(shop, AWA), token)
        assert not at.get("dialog") or "Aucun message à montrer." in house.shown(at)


def test_a_head_sees_the_figures_of_the_house_and_the_messages_of_the_department(shop: Store) -> None:
    at = opened(house.context_of(shop, NADIA), "reviewed")
    assert "Sur les 200 messages relus" in told(at)
    assert "seuls les messages de vos services sont montrés" in house.shown(at)
    with shop.database.read() as connection:
        m = schema.mentions.c
        own = set(connection.scalars(sa.select(m.text).where(m.department == "finance")))
    rows = house.component(at, "quality_rows")["rows"]
    assert rows and {row["text"] for row in rows} <= own


def test_who_has_no_business_here_sees_no_figure(shop: Store) -> None:
    at = opened(house.context_of(shop, Viewer("Claire", MANAGEMENT)))
    assert at.error[0].value.startswith("Cette page est pour les community managers")
    assert not at.get("bidi_component") and not at.get("plotly_chart")
    assert not opened(house.context_of(shop, Viewer("Admin", ADMIN))).error


def test_the_page_in_english(shop: Store) -> None:
    at = opened(house.context_of(shop, AWA, "en"))
    assert told(at).startswith("Of the 200 reviewed messages, the model got the topic right")
    text = house.shown(at)
    assert "What is corrected most" in text and "Réponse" not in text


# -- what comes in -----------------------------------------------------------------------------------------------------------


def stream(store: Store, count: int, before: int, lang: str, sketch: tuple[float, float] | None, first: int) -> None:
    """Messages over the days that begin `before` days ago, in one language and one place of meanings."""
    said, analyses = [], []
    for number in range(first, first + count):
        at = house.NOW - timedelta(days=before - number % 27, hours=number % 5)
        said.append(mention(f"d{number}", "Message", created_at=at))
        signals = None
        if sketch is not None:
            signals = Signals(20 + number % 9, 0, pack("<2e", sketch[0] + number % 7, sketch[1] + number % 5))
        analyses.append(analysis(f"x:d{number}", model=ModelRef("small", "1"), lang=lang, signals=signals))
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", Page(tuple(said), Cursor("1")), house.NOW)
    with store.mentions.unanalyzed(10_000) as backlog:
        by_id = {a.mention_id: a for a in analyses}
        backlog.save([by_id[m.id] for m in backlog.mentions], house.NOW)


def test_what_changed_is_said_on_top_with_what_to_do(empty: Store) -> None:
    stream(empty, 200, 60, "fr", (0, 0), 0)
    stream(empty, 200, 27, "en", (4, 4), 1000)
    at = opened(house.context_of(empty, AWA))
    [banner] = at.warning
    assert "les langues, le sens des messages" in banner.value
    assert "Relisez 50 messages récents, puis lancez « comptoir learn »" in banner.value.replace("\\", "")
    verdicts = {row[0]: row[-1] for row in table(at, "quality_drift_table")}
    assert verdicts == {
        "Langues": "a changé",
        "Réseaux": "stable",
        "Longueur": "stable",
        "Signes inconnus du modèle": "stable",
        "Sens des messages": "a changé",
    }
    assert table(at, "quality_drift_table")[0][1] == "anglais 0 % → 100 %, français 100 % → 0 %"


def test_where_nothing_changed_there_is_no_alert(empty: Store) -> None:
    stream(empty, 200, 60, "fr", (0, 0), 0)
    stream(empty, 200, 27, "fr", (0, 0), 1000)
    at = opened(house.context_of(empty, AWA))
    assert not at.warning
    assert {row[-1] for row in table(at, "quality_drift_table")} == {"stable"}
    assert "Ce qui arrive ressemble à ce qui arrivait avant" in house.shown(at)
    assert table(at, "quality_models_table") == [["small@1 · en service", "400"]]


def test_a_model_that_tells_nothing_of_what_it_sees_gets_no_verdict_on_it(empty: Store) -> None:
    stream(empty, 200, 60, "fr", None, 0)
    stream(empty, 200, 27, "fr", None, 1000)
    at = opened(house.context_of(empty, AWA))
    verdicts = {row[0]: row[-1] for row in table(at, "quality_drift_table")}
    assert verdicts["Sens des messages"] == verdicts["Longueur"] == "trop peu de données"
    assert verdicts["Réseaux"] == verdicts["Langues"] == "stable"


def test_a_learnt_model_keeps_what_is_known_of_the_one_that_it_learnt_on() -> None:
    own = {"gold": {"all/intent": {"n": 900, "macro_f1": 0.75}}}
    spoken = [Spoken("small@1+00ff", 0, "small@1", report=own, in_use=True), Spoken("small@1", 5, report=GOLD)]
    report = report_of(spoken, "small@1+00ff")
    assert report["gold"]["all/intent"]["macro_f1"] == 0.75 and report["people"]["intent"]["n"] == 240
    assert report_of(spoken, "small@1")["gold"]["all/intent"]["macro_f1"] == 0.71
    assert report_of([], "small@1") == {}


# -- words -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.8, "8 fois sur 10"),
        (0.83, "8 fois sur 10"),
        (0.55, "55 fois sur 100"),
        (0.99, "99 fois sur 100"),
        (0.0, "0 fois sur 100"),
    ],
)
def test_shares_are_told_as_people_count(value: float, words: str) -> None:
    assert plain(times(value)) == words


def test_small_parts_have_no_share_and_missing_figures_no_zero() -> None:
    small, bare = {"n": 29, "accuracy": 1.0, "macro_f1": 1.0}, {"n": 30}
    rows = parts_rows([("a", small), ("b", bare)])  # type: ignore[list-item]
    assert [[piece.text for piece in row] for row in rows] == [
        ["a", "trop peu", "trop peu", "29"],
        ["b", "–", "–", "30"],
    ]


def test_every_dot_opens_the_messages_that_it_stands_for() -> None:
    pairs = [Pair(str(n), ("other",), ("other",), n % 10 / 10 + 0.1) for n in range(200)]
    figures = measure(pairs, Field.INTENT)
    counts = [len(pairs_behind(token, pairs) or []) for token in dot_tokens(figures)]
    assert counts == [n for _, _, n in figures["bins"]]


def test_tags_open_what_is_missing_only() -> None:
    told_ = measure([Pair("1", ("other",), ("other",)), Pair("2", ("other",), ("employment",))], Field.INTENT)
    rows = {row[0].text: [piece.opens for piece in row[2:]] for row in tag_rows(Field.INTENT, told_, opens=True)}
    assert rows == {"Autre": ["", "extra:other"], "Emploi": ["missed:employment", ""]}
    assert not any(piece.opens for row in tag_rows(Field.INTENT, told_, opens=False) for piece in row)


def test_an_alert_names_what_changed_and_nothing_else() -> None:
    loud, calm = (
        Shift("unknown", 0.2, 500, 500, 0.4, 0.1, {"": 0.01}, {"": 0.12}),
        Shift("length", 0.3, 500, 500, 0.1, 0.1),
    )
    text = alert((loud, calm), house.NOW.date())
    assert "les signes que le modèle ne connaît pas" in text and "longueur" not in text
    assert alert((calm, replace(loud, value=None)), house.NOW.date()) == ""
    [row] = drift_rows((replace(loud, value=0.15, chance=0.25),))
    assert plain(row[2].text) == "0,15 (seuil 0,25)" and row[3].text == "stable"
    set_language("en")
    assert "signs that the model does not know" in alert((loud,), house.NOW.date())


def test_hostile_words_stay_words_in_the_drawer(filled: Store) -> None:
    m = schema.mentions.c
    with filled.database.write() as connection:
        row = connection.execute(sa.select(m.id, m.model, m.intent).where(m.id == "x:5")).one()
        connection.execute(sa.insert(schema.labels), [label(row, Field.INTENT, row.intent, "other")])
    at = opened(counter.context_of(filled, AWA), "reviewed")
    [shown] = house.component(at, "quality_rows")["rows"]
    assert shown["text"] == counter.HOSTILE
    assert all("<script>" not in str(element.value) for element in (*at.markdown, *at.caption))

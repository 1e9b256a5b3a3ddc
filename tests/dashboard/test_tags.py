"""Tags at the desk: their words and choices, corrections with a way back, who may give them, and why the model said so."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from dashboard import acts, acts_tags, views_audit, views_tags
from dashboard.acts import NotYoursError
from dashboard.context import Context
from dashboard.i18n import set_language, told
from dashboard.main import use_explainer
from domain.case import CaseId, RuleError
from domain.contracts import Attribution
from domain.errors import ConfigurationError
from domain.label import Field, Label, LabelValue, Origin, checked, tag_of
from domain.mention import Mention, MentionId
from store import Store
from store.queue import QueueFilter, View
from tests.builders import analysis, mention
from tests.conftest import NOW
from tests.dashboard.counter import AWA, HOSTILE, KARIM, NADIA, case_of, context_of

COLIS = MentionId("x:1")


def text_of(tags: list[dict[str, Any]]) -> list[str]:
    return [f"{tag['text']} {tag['mark']}".strip() for tag in tags]


def label(field: Field, value: LabelValue, was: LabelValue | None = None, by: str = "Awa", number: int = 1) -> Label:
    return Label(number, COLIS, field, value, was, "test@1", by, Origin.DESK, NOW - timedelta(hours=1))


def zone(store: Store) -> Any:
    return store.calendar.zone


# -- words -----------------------------------------------------------------------------------------------------------------


def test_only_what_says_something_is_a_tag() -> None:
    assert text_of(views_tags.tags(analysis("x:1"))) == ["− négatif", "Commande et livraison"]
    much = analysis(
        "x:1",
        "question_info",
        "positive",
        secondary=("praise_thanks",),
        aspects=("delivery", "price_promo"),
        urgency=2,
        churn=True,
        toxic=True,
        irony=True,
        directed=False,
    )
    assert text_of(views_tags.tags(much)) == [
        "+ positif",
        "Question",
        "Éloge et merci",
        "Livraison",
        "Prix et promotions",
        "bloquant, argent ou date",
        "départ annoncé",
        "propos blessants",
        "ironie",
        "ne s'adresse pas à nous",
    ]


def test_the_probability_is_in_the_words_beside_and_a_doubt_is_dashed() -> None:
    sure, unsure = views_tags.tags(analysis("x:1")), views_tags.tags(analysis("x:1", uncertain=True))
    assert sure[0]["title"] == "Ressenti : − négatif, probabilité 0,90 selon le modèle test@1"
    assert sure[1]["title"] == "Intention : Commande et livraison, probabilité 0,90 selon le modèle test@1"
    assert not any(tag["dashed"] for tag in sure) and all(tag["dashed"] for tag in unsure)
    assert (unsure[-1]["text"], unsure[-1]["field"]) == ("incertain : à lire", "")


def test_what_a_person_answered_is_marked_with_who_and_what_the_model_had_said(filled: Store) -> None:
    spoken = analysis("x:1", aspects=("delivery", "packaging"))
    counts = analysis("x:1", "refund_return", aspects=("delivery", "store_staff"))
    given_ = [
        label(Field.INTENT, "refund_return"),
        label(Field.ASPECTS, ("delivery", "store_staff"), number=2),
        label(Field.SENTIMENT, "negative", by="Inès", number=3),
    ]
    tags = views_tags.tags(counts, spoken, given_, now=NOW, zone=zone(filled))
    assert text_of(tags) == [
        "− négatif ✓",
        "Remboursement et retour corrigé",
        "Livraison ✓",
        "Équipe de boutique corrigé",
    ]
    assert tags[0]["title"] == "− négatif, confirmé par Inès (10:00)"
    assert tags[1]["title"] == (
        "Remboursement et retour, corrigé par Awa (10:00). Le modèle test@1 disait : Commande et livraison 0,90."
    )


def test_of_two_answers_the_later_one_is_named(filled: Store) -> None:
    given_ = [label(Field.INTENT, "other", by="Inès"), label(Field.INTENT, "refund_return", by="Awa", number=2)]
    tags = views_tags.tags(analysis("x:1", "refund_return"), analysis("x:1"), given_, now=NOW, zone=zone(filled))
    assert "par Awa" in tags[1]["title"]


def test_every_choice_is_an_answer_and_no_answer_is_missing() -> None:
    asked = {question["field"]: question for question in views_tags.questions()}
    assert set(asked) == {field.value for field in Field}
    for field in Field:
        question = asked[field.value]
        values = [option["value"] for option in question["options"]]
        for value in values:
            checked(field, [value] if question["kind"] == "many" else value)
        assert all(option["text"] for option in question["options"])
    assert len(asked["intent"]["options"]) == 13 and len(asked["aspects"]["options"]) == 12
    assert [option["value"] for option in asked["urgency"]["options"]] == [0, 1, 2, 3]
    json.dumps(list(asked.values()))  # as the browser gets it


def test_the_choices_are_in_the_viewers_language() -> None:
    set_language("en")
    words = {option["value"]: option["text"] for option in views_tags.questions()[0]["options"]}
    assert words["negative"] == "− negative"
    assert views_tags.tags(analysis("x:1"))[1]["text"] == "Order and delivery"


# -- why -------------------------------------------------------------------------------------------------------------------

spans = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60), st.floats(-1, 1, allow_nan=False)), max_size=12)


@given(text=st.text(max_size=50), found=spans)
def test_no_word_is_lost_or_doubled_by_shading(text: str, found: list[tuple[int, int, float]]) -> None:
    shown = views_tags.pieces(text, [Attribution(*one) for one in found])
    assert "".join(piece["text"] for piece in shown) == text
    assert all(-1 <= piece["shade"] <= 1 for piece in shown)


def test_the_strongest_word_is_the_darkest_and_faint_ones_are_left_alone() -> None:
    text = "Toujours pas de colis, merci"
    found = [Attribution(0, 8, 0.2), Attribution(9, 12, 0.01), Attribution(16, 22, 0.4), Attribution(23, 28, -0.1)]
    shown = views_tags.pieces(text, found)
    assert [(p["text"], p["shade"]) for p in shown] == [
        ("Toujours", 0.5),
        (" pas de ", 0.0),
        ("colis,", 1.0),
        (" ", 0.0),
        ("merci", -0.25),
    ]
    why = views_tags.why(text, Field.INTENT, "order_delivery_issue", found, analysis("x:1"))
    assert why["head"] == "Pourquoi « Commande et livraison » ? Selon le modèle, avant correction."
    assert why["lines"] == ["« colis, » : +40 points", "« Toujours » : +20 points", "« merci » : −10 points"]
    assert [(tag["text"], tag["chosen"]) for tag in why["tags"]] == [
        ("− négatif", False),
        ("Commande et livraison", True),
    ]
    assert not why["none"]


def test_a_tag_that_no_word_carries_says_so() -> None:
    why = views_tags.why("Bonjour", Field.SENTIMENT, "neutral", (), analysis("x:1"))
    assert why["none"] and why["lines"] == []
    assert "".join(piece["text"] for piece in why["pieces"]) == "Bonjour"


class Explainer:
    """Says that the first word carries half of any tag, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def __call__(self, said: Mention, field: Field, value: str) -> tuple[Attribution, ...]:
        self.asked.append((field.value, value))
        return (Attribution(0, len(said.text.split()[0]), 0.5),)


@pytest.mark.parametrize(
    ("field", "value", "asked", "weight"),
    [
        (Field.INTENT, "order_delivery_issue", "order_delivery_issue", 0.5),
        (Field.URGENCY, 2, "2", 0.5),
        (Field.CHURN, True, "yes", 0.5),
        (Field.DIRECTED, False, "yes", -0.5),  # what speaks for "to us" speaks against "not to us"
    ],
)
def test_the_analyzer_is_asked_in_its_own_words(
    filled: Store, field: Field, value: LabelValue, asked: str, weight: float
) -> None:
    explain = Explainer()
    context = context_of(filled, explain=explain)
    [found] = acts_tags.why(context, case_of(filled, COLIS).id, COLIS, field, value)
    assert explain.asked == [(field.value, asked)] and found.weight == weight


def test_why_is_for_those_who_see_the_case_and_where_the_analyzer_can_say(filled: Store) -> None:
    case = case_of(filled, COLIS)
    with pytest.raises(NotYoursError):
        acts_tags.why(context_of(filled, NADIA, explain=Explainer()), case.id, COLIS, Field.INTENT, "other")
    with pytest.raises(RuleError) as refused:
        acts_tags.why(context_of(filled), case.id, COLIS, Field.INTENT, "other")
    assert told(str(refused.value)).startswith("L'analyseur en usage ne sait pas dire")
    for value in (None, ["delivery"], {"a": 1}):
        with pytest.raises(RuleError):
            acts_tags.why(context_of(filled, explain=Explainer()), case.id, COLIS, Field.ASPECTS, value)


# -- corrections -----------------------------------------------------------------------------------------------------------


def correct(store: Store, mention_id: str = COLIS, viewer: Any = AWA, **answers: Any) -> acts.Done:
    case = case_of(store, mention_id)
    return acts_tags.correct(context_of(store, viewer), case.id, MentionId(mention_id), answers)


def test_a_correction_counts_at_once_and_can_be_taken_back(filled: Store) -> None:
    before = case_of(filled, COLIS)
    done = correct(filled, intent="refund_return")
    assert done.text == "Corrigé : Remboursement et retour. La conversation passe à : Service client."
    told_ = filled.mentions.analysis(COLIS)
    assert told_ is not None and told_.intent.value == "refund_return"
    [kept] = filled.labels.of([COLIS])
    assert (kept.by, kept.origin, kept.was) == ("Awa", Origin.DESK, "order_delivery_issue")
    assert done.undo is not None
    assert acts.undo(context_of(filled), done.undo).text == "Annulé."
    after = case_of(filled, COLIS)
    assert (after.intent, after.department, after.assignee) == (before.intent, before.department, before.assignee)
    assert filled.labels.of([COLIS]) == [] and not filled.rebuild_rollups(write=False)


def test_a_confirmation_is_kept_and_said(filled: Store) -> None:
    done = correct(filled, "x:5", intent="question_info", sentiment="neutral")
    assert done.text == "Confirmé."
    assert {x.field for x in filled.labels.of([MentionId("x:5")])} == {Field.INTENT, Field.SENTIMENT}
    assert filled.queue.counts(QueueFilter(), me="", now=NOW)[View.UNCERTAIN] == 0


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"sentiment": "positive"}, "Corrigé : positif."),
        ({"urgency": 0}, "Confirmé."),
        ({"urgency": 2}, "Corrigé : bloquant, argent ou date."),
        ({"churn": True}, "Corrigé."),
        ({"aspects": ["delivery"]}, "Corrigé."),
        ({"sentiment": "negative", "urgency": 1}, "Corrigé."),
    ],
)
def test_what_was_done_is_said_in_few_words(filled: Store, answers: dict[str, Any], said: str) -> None:
    assert correct(filled, **answers).text == said


def test_undo_works_where_the_case_has_moved_on_since(filled: Store) -> None:
    done = correct(filled, sentiment="positive")
    filled.cases.assign(case_of(filled, COLIS).id, "Inès", actor="Inès", now=NOW)
    assert done.undo is not None
    acts.undo(context_of(filled), done.undo)
    case = case_of(filled, COLIS)
    assert (case.sentiment, case.assignee) == ("negative", "Inès")


def test_a_head_of_department_lets_go_of_what_they_no_longer_see_and_may_take_it_back(filled: Store) -> None:
    filled.cases.assign(case_of(filled, COLIS).id, "Karim", actor="Karim", now=NOW)
    done = correct(filled, viewer=KARIM, intent="billing_account_issue")
    case = case_of(filled, COLIS)
    assert (case.department, case.assignee) == ("finance", None)
    assert done.undo is not None
    with pytest.raises(NotYoursError):
        acts.undo(context_of(filled, NADIA), done.undo)
    acts.undo(context_of(filled, KARIM), done.undo)
    case = case_of(filled, COLIS)
    assert (case.department, case.assignee) == ("logistics", "Karim")


@pytest.mark.parametrize(
    ("mention_id", "raw"),
    [
        ("x:1", None),
        ("x:1", {}),
        ("x:1", {"mood": "bad"}),
        ("x:1", {"intent": "no_such"}),
        ("x:1", {"urgency": True}),
        ("x:1", {"aspects": ["delivery"] * 4}),
        ("x:1", ["intent"]),
        ("mail:3", {"intent": "other"}),
        ("nowhere", {"intent": "other"}),
    ],
)
def test_what_no_panel_would_send_is_refused_in_words(filled: Store, mention_id: str, raw: Any) -> None:
    case = case_of(filled, COLIS)
    with pytest.raises(RuleError) as refused:
        acts_tags.correct(context_of(filled), case.id, MentionId(mention_id), raw)
    assert told(str(refused.value)) != str(refused.value)  # in French
    assert filled.labels.counts() == {}


def test_nobody_corrects_in_another_department(filled: Store) -> None:
    with pytest.raises(NotYoursError):
        correct(filled, viewer=NADIA, intent="other")
    with pytest.raises(NotYoursError):
        acts_tags.correct(context_of(filled), CaseId("cnone"), COLIS, {"intent": "other"})
    assert filled.labels.counts() == {}


def test_our_own_words_have_no_tags(filled: Store) -> None:
    ours = mention("9", "Bonjour", who=None, after=193, parent_id="1", conversation_id="1", outbound=True)
    from tests.builders import page

    filled.mentions.add_page("s", page(ours), NOW)
    filled.cases.route(10, NOW, lambda _case, _item, _person: ())
    assert case_of(filled, "x:9").id == case_of(filled, COLIS).id
    with pytest.raises(RuleError):
        correct(filled, "x:9", sentiment="positive")


def test_the_journal_tells_of_answers_in_words(filled: Store) -> None:
    done = correct(filled, intent="refund_return", aspects=["delivery"])
    rows = filled.audit.of_case(case_of(filled, COLIS).id)
    lines = views_audit.history(rows, {}, NOW, zone(filled))
    assert lines[-1]["action"] == "a confirmé ou corrigé des étiquettes"
    assert lines[-1]["changes"][:2] == ["Intention : Remboursement et retour", "Aspects : Livraison"]
    assert "service : Logistique → Service client" in lines[-1]["changes"]
    assert done.undo is not None
    acts.undo(context_of(filled), done.undo)
    rows = filled.audit.of_case(case_of(filled, COLIS).id)
    assert views_audit.history(rows, {}, NOW, zone(filled))[-1]["action"] == "a repris des étiquettes"


# -- the page --------------------------------------------------------------------------------------------------------------


def _desk(context):  # type: ignore[no-untyped-def]  # copied by AppTest into a module that knows no names
    from dashboard.pages import desk

    desk.render(context)


def open_desk(context: Context, mention_id: str = COLIS, **state: Any) -> AppTest:
    at = AppTest.from_function(_desk, kwargs={"context": context}, default_timeout=30)
    at.session_state["desk_case"] = case_of(context.store, mention_id).id
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def thread(at: AppTest) -> dict[str, Any]:
    """What the conversation was given."""
    for element in at.get("bidi_component"):
        if element.proto.component_name == "comptoir_thread":
            loaded: dict[str, Any] = json.loads(element.proto.json)
            return loaded
    raise LookupError


def test_every_inbound_message_has_its_tags_and_all_answers(filled: Store) -> None:
    shown = thread(open_desk(context_of(filled)))
    [bubble] = shown["bubbles"]
    assert text_of(bubble["tags"]) == ["− négatif", "Commande et livraison"]
    told_ = filled.mentions.analysis(COLIS)
    assert told_ is not None
    for field in Field:
        value = tag_of(told_, field)
        assert bubble["answers"][field.value] == (list(value) if isinstance(value, tuple) else value)
    assert bubble["model"] == bubble["answers"]
    assert [question["field"] for question in shown["questions"]][:2] == ["sentiment", "intent"]


def test_a_corrected_tag_says_so_and_the_models_answer_stays_marked(filled: Store) -> None:
    correct(filled, intent="refund_return")
    [bubble] = thread(open_desk(context_of(filled)))["bubbles"]
    assert text_of(bubble["tags"])[1] == "Remboursement et retour corrigé"
    assert (bubble["answers"]["intent"], bubble["model"]["intent"]) == ("refund_return", "order_delivery_issue")


def test_an_uncertain_message_asks_to_be_confirmed_until_somebody_did(filled: Store) -> None:
    context = context_of(filled)
    assert thread(open_desk(context, "x:5"))["bubbles"][0]["unsure"] is True
    correct(filled, "x:5", sentiment="neutral")
    bubble = thread(open_desk(context, "x:5"))["bubbles"][0]
    assert bubble["unsure"] is False and "incertain : à lire" not in text_of(bubble["tags"])


def test_without_an_analyzer_that_can_say_nobody_is_asked_why(filled: Store) -> None:
    assert thread(open_desk(context_of(filled)))["words"]["why"] == ""
    assert thread(open_desk(context_of(filled, explain=Explainer())))["words"]["why"] == "Pourquoi ?"


def test_an_explanation_stays_open_and_is_asked_for_once(filled: Store) -> None:
    explain = Explainer()
    found = (Attribution(0, 2, 0.3), Attribution(7, 9, -0.2))
    asked = {"id": "x:5", "field": Field.INTENT, "value": "question_info", "found": found}
    at = open_desk(context_of(filled, explain=explain), "x:5", desk_why=asked)
    why = thread(at)["bubbles"][0]["why"]
    assert "".join(piece["text"] for piece in why["pieces"]) == HOSTILE
    at.run()
    assert thread(at)["bubbles"][0]["why"] == why and explain.asked == []


def test_the_desk_of_another_department_shows_no_tag(filled: Store) -> None:
    shown = thread(open_desk(context_of(filled, NADIA, explain=Explainer())))
    assert shown["bubbles"] == [] and "questions" not in shown


def test_the_uncertain_ones_have_a_view_with_its_count(filled: Store) -> None:
    at = open_desk(context_of(filled), desk_view="uncertain")
    tabs = next(json.loads(e.proto.json) for e in at.get("bidi_component") if e.proto.component_name == "comptoir_tabs")
    assert [(tab["title"], tab["count"]) for tab in tabs["tabs"] if tab["chosen"]] == [("Incertaines", 1)]
    correct(filled, "x:5", intent="question_info")
    at.run()
    tabs = next(json.loads(e.proto.json) for e in at.get("bidi_component") if e.proto.component_name == "comptoir_tabs")
    assert [tab["count"] for tab in tabs["tabs"] if tab["chosen"]] == [0]


# -- the door --------------------------------------------------------------------------------------------------------------


def _app() -> None:
    from dashboard.main import render

    render()


def test_the_door_brings_the_explainer_and_a_door_without_one_may(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("COMPTOIR_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("dashboard.main._BROUGHT", {})
    seen: list[Any] = []
    monkeypatch.setattr("dashboard.navigation.build", lambda context: seen.append(context) or _Page())
    AppTest.from_function(_app, default_timeout=30).run()
    use_explainer(lambda settings, _store: Explainer() if settings.analyzer else None)
    AppTest.from_function(_app, default_timeout=30).run()
    assert [context.explain is not None for context in seen] == [False, True]


class _Page:
    def run(self) -> None: ...


def test_the_real_door_asks_the_analyzer_of_the_settings_and_opens_it_late(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    import streamlit_app
    from settings import load_settings

    opened: list[tuple[str, bytes | None]] = []

    class Model:
        def explain(self, said: Mention, field: Field, value: str) -> tuple[Attribution, ...]:
            return (Attribution(0, 2, 0.5),)

    def build(name: str, *, heads: bytes | None) -> Any:
        opened.append((name, heads))
        return Model()

    monkeypatch.setattr(streamlit_app, "_opened", build)
    monkeypatch.setattr(streamlit_app, "heads_of", lambda _settings, row: row.heads if row else None)
    assert streamlit_app.explainer(load_settings(analyzer="lexicon"), filled) is None
    explain = streamlit_app.explainer(load_settings(analyzer="embedded"), filled)
    assert explain is not None and opened == []
    assert explain(mention(), Field.INTENT, "other") == (Attribution(0, 2, 0.5),)
    filled.models.add("m@1+1", "m@1", b"learnt", {}, by="Awa", at=NOW, use=True)  # the next one is asked with it
    explain(mention(), Field.INTENT, "other")
    assert opened == [("embedded", None), ("embedded", b"learnt")]
    hub = load_settings(analyzer="embedded", analyzer_hub={"sentiment": {"model": "a/b"}})
    foreign = streamlit_app.explainer(hub, filled)
    assert foreign is not None
    with pytest.raises(RuleError) as refused:
        foreign(mention(), Field.SENTIMENT, "negative")
    assert told(str(refused.value)).startswith("Le modèle qui répond à cette question")


def test_an_analyzer_that_cannot_be_opened_is_said_in_words(filled: Store) -> None:
    def broken(_said: Mention, _field: Field, _value: str) -> tuple[Attribution, ...]:
        raise ConfigurationError("The shipped model is not there. Install Comptoir again.")

    with pytest.raises(ConfigurationError):
        acts_tags.why(context_of(filled, explain=broken), case_of(filled, COLIS).id, COLIS, Field.INTENT, "other")

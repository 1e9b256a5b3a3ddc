"""The labelling page: what is asked, what is kept, what is shown when; a sample that shows no answer before the person's."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from dashboard import acts_labelling as acts
from dashboard import views_labelling as views
from dashboard.acts import NotYoursError
from dashboard.acts_labelling import Sitting
from dashboard.context import Context, Viewer
from dashboard.i18n import set_language
from dashboard.views_questions import FIELD_TITLES, UNTOUCHED, chosen, questions
from domain.case import RuleError
from domain.label import Field, Label, Origin
from domain.mention import MentionId
from domain.taxonomy import ASPECTS, INTENTS
from store import Store, schema
from store.labelling import Agreement, Pile
from tests.conftest import NOW
from tests.dashboard import house
from tests.dashboard.counter import AWA, HOSTILE, KARIM, SAID, context_of

READ: dict[str, Any] = {
    "sentiment": "negative",
    "intent": "refund_return",
    "secondary": ["complaint_service"],
    "aspects": ["delivery"],
    "urgency": 2,
    "churn": False,
    "toxic": False,
    "irony": True,
    "directed": True,
}
INES = Viewer("Inès", AWA.role)


def begin(store: Store, pile: Pile = Pile.SAMPLE, viewer: Viewer = AWA) -> tuple[Context, Sitting]:
    context = context_of(store, viewer)
    return context, acts.begin(context, pile, 20, 0)


def standing(store: Store, mention_id: str) -> list[Label]:
    return store.labels.of([MentionId(mention_id)])


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("\\", "")


# -- questions -------------------------------------------------------------------------------------------------------------


def test_every_answer_of_every_question_is_offered_with_a_key_of_its_own() -> None:
    asked = questions()
    options = {question["field"]: [option["value"] for option in question["options"]] for question in asked}
    assert options["intent"] == [intent.key for intent in INTENTS]
    assert options["aspects"] == [aspect.key for aspect in ASPECTS]
    assert options["sentiment"] == ["negative", "neutral", "positive"] and options["urgency"] == [0, 1, 2, 3]
    assert {*options, *options.pop("flags")} - {"flags"} | {"secondary"} == {field.value for field in Field}
    keys = [option["key"] for question in asked for option in question["options"]]
    assert all(keys) and len(set(keys)) == len(keys)
    assert not set(keys) - set("0123456789abcdefghijklmnopqrstuvwxyz")


def test_every_question_has_its_guide_and_every_intent_its_line() -> None:
    by_field = {question["field"]: question for question in questions()}
    assert all(question["guide"] and question["title"] for question in by_field.values())
    for intent in INTENTS:
        assert any(line.startswith(intent.title_fr) for line in by_field["intent"]["guide"])
    assert {field for field in Field if field not in UNTOUCHED} == {Field.SENTIMENT, Field.INTENT, Field.URGENCY}
    assert set(FIELD_TITLES) == set(Field)


def test_the_model_is_silent_in_the_sample_and_proposes_in_the_other_pile(filled: Store) -> None:
    item = filled.labelling.item(MentionId("x:1"))
    assert item is not None and item.analysis is not None
    assert chosen(item.analysis, Pile.SAMPLE) == {
        "secondary": [],
        "aspects": [],
        "directed": True,
        "churn": False,
        "toxic": False,
        "irony": False,
    }
    proposed = chosen(item.analysis, Pile.INSTRUCTIVE)
    assert (proposed["intent"], proposed["sentiment"], proposed["urgency"]) == ("order_delivery_issue", "negative", 0)
    assert set(proposed) == {field.value for field in Field}
    assert chosen(None, Pile.INSTRUCTIVE) == chosen(None, Pile.SAMPLE)


# -- acts ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pile", "origin"), [(Pile.SAMPLE, Origin.LABELLING), (Pile.INSTRUCTIVE, Origin.DESK)])
def test_an_answer_is_kept_whole_and_the_next_message_comes(filled: Store, pile: Pile, origin: Origin) -> None:
    context, sitting = begin(filled, pile)
    first = sitting.ids[0]
    assert acts.give(context, sitting, first, READ)
    kept = {label.field: label for label in standing(filled, first)}
    assert set(kept) == set(Field)
    assert {(label.by, label.origin, label.at) for label in kept.values()} == {("Awa", origin, NOW)}
    assert (kept[Field.URGENCY].value, kept[Field.ASPECTS].value, kept[Field.IRONY].value) == (2, ("delivery",), True)
    assert sitting.current == sitting.ids[1] and len(sitting.labels) == len(Field)


def test_a_second_click_on_the_same_button_does_nothing(filled: Store) -> None:
    context, sitting = begin(filled)
    first, second = sitting.ids[:2]
    assert acts.give(context, sitting, first, READ)
    assert not acts.give(context, sitting, first, {**READ, "intent": "other"})
    assert not acts.skip(context, sitting, first) and not acts.back(context, sitting, first)
    assert sitting.current == second
    assert [label.value for label in standing(filled, first) if label.field is Field.INTENT] == ["refund_return"]
    assert standing(filled, second) == []


def test_passing_keeps_nothing_and_the_message_comes_back_in_the_next_pile(filled: Store) -> None:
    context, sitting = begin(filled)
    first = sitting.ids[0]
    assert acts.skip(context, sitting, first)
    assert standing(filled, first) == [] and sitting.place == 1
    assert first in acts.begin(context, Pile.SAMPLE, 20, 0).ids


def test_going_back_takes_the_answers_back_and_shows_them_again(filled: Store) -> None:
    context, sitting = begin(filled)
    first, second = sitting.ids[:2]
    assert not acts.back(context, sitting, first)  # nothing lies behind
    was = filled.labelling.item(first)
    acts.give(context, sitting, first, READ)
    assert acts.back(context, sitting, second)
    assert sitting.current == first and sitting.labels == [] and standing(filled, first) == []
    assert sitting.answers[first] == READ
    item = filled.labelling.item(first)
    assert item == was
    acts.skip(context, sitting, first)
    acts.skip(context, sitting, second)
    assert acts.back(context, sitting, sitting.ids[2]) and sitting.current == second


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {key: value for key, value in READ.items() if key != "urgency"},
        {**READ, "intent": "nonsense"},
        {**READ, "urgency": 7},
        {**READ, "churn": "yes"},
        {**READ, "aspects": ["delivery", "packaging", "employer", "store_staff"]},
        {**READ, "secondary": ["refund_return"]},
    ],
)
def test_what_the_browser_should_have_stopped_is_stopped_again(filled: Store, raw: Any) -> None:
    context, sitting = begin(filled)
    with pytest.raises(RuleError):
        acts.give(context, sitting, sitting.ids[0], raw)
    assert standing(filled, sitting.ids[0]) == [] and sitting.place == 0


def test_a_head_reads_the_own_departments_messages_only(filled: Store) -> None:
    context, sitting = begin(filled, viewer=KARIM)
    assert sitting.ids == ["x:1"]
    foreign = Sitting("Karim", Pile.SAMPLE, [MentionId("mail:3"), MentionId("x:none"), MentionId("x:1")])
    with pytest.raises(NotYoursError):
        acts.give(context, foreign, "mail:3", READ)
    assert standing(filled, "mail:3") == []
    item = acts.on_screen(context, foreign)  # messages of others, or gone, are passed
    assert item is not None and item.mention.id == "x:1"


def test_nobody_goes_on_in_the_pile_of_another(filled: Store) -> None:
    context, sitting = begin(filled)
    other = context_of(filled, INES)
    with pytest.raises(NotYoursError):
        acts.give(other, sitting, sitting.ids[0], READ)
    acts.give(context, sitting, sitting.ids[0], READ)
    assert not acts.back(other, sitting, sitting.ids[1])
    assert standing(filled, sitting.ids[0])


# -- words -----------------------------------------------------------------------------------------------------------------


def test_after_an_answer_the_model_says_what_it_had_thought(filled: Store) -> None:
    context, sitting = begin(filled)
    sitting.ids = [MentionId("x:1"), MentionId("mail:3")]
    acts.give(context, sitting, "x:1", READ)
    said = views.after(sitting.given[MentionId("x:1")])
    assert said is not None and said["text"] == "Message précédent gardé. Le modèle disait autre chose :"
    assert "Intention : vous « Remboursement et retour », le modèle « Commande et livraison »" in said["lines"]
    assert "Aspects : vous « Livraison », le modèle « rien »" in said["lines"]
    assert not any(line.startswith("Ressenti") for line in said["lines"])
    same = chosen(filled.labelling.item(MentionId("mail:3")).analysis, Pile.INSTRUCTIVE)  # type: ignore[union-attr]
    acts.give(context, sitting, "mail:3", same)
    agreed = views.after(sitting.given[MentionId("mail:3")])
    assert agreed == {"text": "Message précédent gardé : le modèle disait la même chose.", "lines": []}
    assert views.after([]) is None
    lines = {line.title: line for line in views.beside_model(sitting.labels)}
    assert (plain(lines["Ressenti"].share), lines["Ressenti"].n) == ("100 %", 2)
    assert plain(lines["Intention"].share) == "50 %"


def test_agreement_names_the_other_and_puts_ones_own_first() -> None:
    found = [
        Agreement("Awa", "Karim", Field.INTENT, 40, 0.8, 0.714),
        Agreement("Inès", "Karim", Field.URGENCY, 4, 1.0, None),
        Agreement("Awa", "Inès", Field.INTENT, 31, 0.5, 0.2),
    ]
    said = views.beside_others(found, "Inès")
    assert list(said) == ["Vous et Awa", "Vous et Karim", "Awa et Karim"]
    assert [(line.title, plain(line.share), line.kappa, line.n) for line in said["Awa et Karim"]] == [
        ("Intention", "80 %", "0,71", 40)
    ]
    assert said["Vous et Karim"][0].kappa == "–"


def test_a_message_comes_with_its_surroundings_and_without_a_name(filled: Store) -> None:
    item = filled.labelling.item(MentionId("reviews:2"))
    assert item is not None
    said = views.message(item, "Ormelune", NOW, filled.calendar.zone)
    assert (said["networkTitle"], said["stars"], said["facts"]) == ("Avis", "★★★★★", ["Boutique : Lille"])
    assert "noe" not in json.dumps(said).lower()


# -- the page --------------------------------------------------------------------------------------------------------------


def _page(context):  # type: ignore[no-untyped-def]  # copied by AppTest into a module that knows no names
    from dashboard.i18n import set_language
    from dashboard.pages import labelling

    set_language(context.lang)
    labelling.render(context)


def opened(context: Context, **state: Any) -> AppTest:
    at = AppTest.from_function(_page, kwargs={"context": context}, default_timeout=30)
    for key, value in state.items():
        at.session_state[key] = value
    at.run()
    assert not at.exception
    return at


def card(at: AppTest) -> Any:
    return house.component(at, "labelling_card")


def test_an_empty_store_has_nothing_to_begin(empty: Store) -> None:
    at = opened(context_of(empty))
    assert "Aucun message analysé dans cette période." in plain(house.shown(at))
    assert [button.disabled for button in at.button] == [True, True]


def test_from_the_beginning_to_the_end_of_a_sample(filled: Store) -> None:
    context = context_of(filled)
    at = opened(context)
    assert "6 messages dans la période · 0 lu par vous" in plain(house.shown(at))
    at.button(key="labelling_begin_sample").click().run()
    data = card(at)
    assert data["progress"] == "1 sur 6" and data["after"] is None and not data["canBack"]
    assert not {"sentiment", "intent", "urgency"} & set(data["chosen"]) and not data["suggested"]
    sitting: Sitting = at.session_state["labelling_sitting"]
    assert data["id"] == sitting.current
    acts.give(context, sitting, data["id"], READ)
    at.run()
    data = card(at)
    assert data["progress"] == "2 sur 6" and data["canBack"]
    assert data["after"]["text"].startswith("Message précédent gardé")
    for mention_id in sitting.ids[1:]:
        acts.give(context, sitting, mention_id, READ)
    at.run()
    text = plain(house.shown(at))
    assert "6 messages lus." in text and "Vous et le modèle" in text and "comptoir learn" in text
    assert "Moins de 30 messages : trop peu pour conclure." in text
    at.button(key="labelling_back").click().run()
    assert card(at)["progress"] == "6 sur 6" and card(at)["chosen"] == READ
    assert standing(filled, sitting.ids[-1]) == []


def test_nothing_of_the_model_reaches_the_browser_before_the_person_has_answered(filled: Store) -> None:
    # Whatever the model had said, the card of the sample is the same: so nothing of it can be in there.
    def sent(pile: Pile) -> str:
        at = opened(context_of(filled), labelling_sitting=Sitting("Awa", pile, [MentionId("x:1")]))
        return json.dumps(card(at))

    sample, instructive = sent(Pile.SAMPLE), sent(Pile.INSTRUCTIVE)
    changed = {"intent": "employment", "urgency": 3, "p_negative": 0.01, "p_positive": 0.98}
    with filled.database.write() as connection:
        connection.execute(sa.update(schema.analyses).values(**changed))
    assert sent(Pile.SAMPLE) == sample
    assert sent(Pile.INSTRUCTIVE) != instructive


def test_the_instructive_pile_starts_from_the_models_answer(filled: Store) -> None:
    at = opened(context_of(filled))
    at.button(key="labelling_begin_instructive").click().run()
    data = card(at)
    item = filled.labelling.item(data["id"])
    assert item is not None and item.analysis is not None
    assert data["suggested"] and data["chosen"]["intent"] == item.analysis.intent.value


def test_two_people_see_how_far_they_agree(filled: Store) -> None:
    for viewer in (AWA, INES):
        context, sitting = begin(filled, viewer=viewer)
        for mention_id in sitting.ids:
            acts.give(context, sitting, mention_id, READ)
    text = plain(house.shown(opened(context_of(filled, INES))))
    assert "6 lus par vous · 6 lus par d'autres · 6 en commun" in text
    assert "Deux personnes lisent-elles pareil ?" in text and "Vous et Awa" in text


def test_a_pile_that_is_read_says_so(filled: Store) -> None:
    at = opened(context_of(filled))
    context, sitting = begin(filled, Pile.INSTRUCTIVE)
    for mention_id in sitting.ids:
        acts.give(context, sitting, mention_id, READ)
    at.button(key="labelling_begin_instructive").click().run()
    assert "Vous avez lu tout ce que cette pile contient." in plain(house.shown(at))


def test_another_person_in_the_same_browser_begins_anew(filled: Store) -> None:
    _, sitting = begin(filled)
    at = opened(context_of(filled, INES), labelling_sitting=sitting)
    assert [button.key for button in at.button][:1] == ["labelling_begin_sample"]


def test_words_of_a_stranger_reach_the_component_only(filled: Store) -> None:
    at = opened(context_of(filled), labelling_sitting=Sitting("Awa", Pile.SAMPLE, [MentionId("x:5")]))
    assert card(at)["message"]["text"] == HOSTILE
    assert not any(HOSTILE in str(element.value) for element in (*at.markdown, *at.caption))


def test_in_english(filled: Store) -> None:
    set_language("en")
    context = context_of(filled, lang="en")
    at = opened(context)
    text = plain(house.shown(at))
    assert "Labelling" in text and "6 messages in the period · 0 read by you" in text
    at.button(key="labelling_begin_sample").click().run()
    words = json.dumps(card(at), ensure_ascii=False)
    for text_ in (row[3] for row in SAID):
        words = words.replace(json.dumps(text_, ensure_ascii=False)[1:-1], "")
    for french in ("é", "è", "à", "ê", "Passer", " le ", " vous", "ç"):
        assert french not in words, french

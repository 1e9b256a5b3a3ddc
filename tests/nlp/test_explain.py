"""Which words carried a tag: pieces of the text as written, found within a budget, and faithful to the model."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlp
from domain.analysis import Sentiment
from domain.contracts import Attribution, CanExplain
from domain.errors import InputError
from domain.label import Field
from domain.mention import Mention
from nlp.embedded import EmbeddedAnalyzer
from nlp.explain import MOST, TOKEN_BUDGET, Reading, attributions, place_of
from tests.builders import mention


class Words:
    """A model that adds up what it thinks of each word, and keeps what it was asked to read."""

    def __init__(self, weights: dict[str, float], limit: int = 96) -> None:
        self.weights, self.limit = weights, limit
        self.read: list[str] = []

    def p(self, text: str) -> float:
        ids = text.split()
        if len(ids) > self.limit - 2:  # the head and the tail, as the real one cuts
            tail = self.limit // 3 - 1
            ids = ids[: self.limit - 2 - tail] + ids[-tail:]
        return 1 / (1 + math.exp(-sum(self.weights.get(word, 0.0) for word in ids)))

    def reading(self) -> Reading:
        def probabilities(texts: Sequence[str]) -> list[float]:
            self.read += texts
            return [self.p(text) for text in texts]

        return Reading(probabilities, lambda words: [1] * len(words), self.limit)


def top(found: Sequence[Attribution], text: str) -> str:
    best = max(found, key=lambda piece: piece.weight)
    return text[best.start : best.end]


# -- pieces ----------------------------------------------------------------------------------------------------------------


def test_in_a_short_text_every_word_has_its_weight_in_order() -> None:
    text = "  Colis jamais\treçu,\n merci  "
    model = Words({"jamais": 2.0, "merci": -1.0})
    found = attributions(text, model.reading())
    assert [text[piece.start : piece.end] for piece in found] == ["Colis", "jamais", "reçu,", "merci"]
    whole = model.p(text)
    assert [piece.weight for piece in found] == pytest.approx(
        [0, whole - model.p("merci"), 0, whole - model.p("jamais")]
    )
    assert found[1].weight > 0 > found[3].weight


@given(place=st.integers(0, 59), length=st.integers(30, 60))
def test_in_a_long_text_the_word_is_found_wherever_it_stands(place: int, length: int) -> None:
    words = [f"mot{number}" for number in range(length)]
    words[place % length] = "honteux"
    text = " ".join(words)
    model = Words({"honteux": 3.0})
    found = attributions(text, model.reading())
    assert top(found, text) == "honteux"
    assert len(model.read) <= MOST
    assert sum(len(read.split()) + 2 for read in model.read) <= TOKEN_BUDGET + length
    assert [piece.start for piece in found] == sorted(piece.start for piece in found)
    assert all(one.end < other.start for one, other in pairwise(found))
    assert (found[0].start, found[-1].end) == (0, len(text))


def test_of_a_text_that_is_too_long_only_what_is_read_is_weighed() -> None:
    words = [f"mot{number}" for number in range(2_000)]
    words[3], words[1_000], words[-5] = "honteux", "jamais", "nul"
    text = " ".join(words)
    found = attributions(text, Words({"honteux": 1.0, "jamais": 5.0, "nul": 0.9}, limit=48).reading())
    pieces = [text[piece.start : piece.end] for piece in found]
    assert top(found, text) == "honteux" and not any("jamais" in piece for piece in pieces)
    seen = " ".join(pieces).split()
    assert seen == words[:31] + words[-15:]


def test_leaving_a_word_out_brings_no_other_into_view() -> None:
    # The word right behind the head would come in, and its weight would be laid on whatever was left out.
    words = [f"mot{number}" for number in range(200)]
    words[31] = "honteux"
    text = " ".join(words)
    model = Words({"honteux": 5.0}, limit=48)
    assert all(piece.weight == 0 for piece in attributions(text, model.reading()))
    careless = model.p(" ".join(words[1:]))
    assert careless > model.p(text)


@pytest.mark.parametrize("text", ["", " \n\t ", "\u200b", "\u200b \ufeff\u2060 \u200d"])
def test_where_there_is_nothing_to_read_there_is_nothing_to_explain(text: str) -> None:
    model = Words({})
    assert attributions(text, model.reading()) == ()
    assert model.read == []


def test_what_nobody_can_see_is_no_piece_and_breaks_no_span() -> None:
    text = "\ufeffcol\u200bis \u200b jam\u200dais"
    found = attributions(text, Words({"jam\u200dais": 2.0}).reading())
    assert [text[piece.start : piece.end] for piece in found] == ["\ufeffcol\u200bis", "jam\u200dais"]
    assert top(found, text) == "jam\u200dais"


@given(st.text(max_size=400))
def test_any_text_gives_spans_of_itself(text: str) -> None:
    found = attributions(text, Words({}, limit=24).reading())
    assert all(0 <= piece.start < piece.end <= len(text) and piece.weight == 0 for piece in found)
    assert all(text[piece.start : piece.end].strip() == text[piece.start : piece.end] for piece in found)


LABELS = {"intent": ("other", "employment"), "urgency": ("0", "1", "2", "3"), "churn": ("churn",)}


def test_tags_are_named_as_the_contract_says() -> None:
    assert place_of(LABELS, Field.INTENT, "employment") == ("intent", 1)
    assert place_of(LABELS, Field.URGENCY, "2") == ("urgency", 2)
    assert place_of(LABELS, Field.CHURN, "yes") == ("churn", 0)
    for field, value in (
        (Field.CHURN, "churn"),
        (Field.CHURN, "no"),
        (Field.URGENCY, "4"),
        (Field.ASPECTS, "delivery"),
    ):
        with pytest.raises(InputError, match=value):
            place_of(LABELS, field, value)


# -- the shipped model -----------------------------------------------------------------------------------------------------

SAID = (
    "Bonjour, j'attends ma commande depuis trois semaines et personne ne répond, c'est honteux",
    "Merci à toute l'équipe de la boutique de Lille, accueil adorable et conseils parfaits",
    "La bouilloire a lâché au bout de deux jours, quelle déception pour ce prix",
    "Livraison rapide, emballage soigné, je recommande vraiment cette maison à tous mes amis",
    "Toujours pas remboursée malgré quatre appels, vous vous moquez des gens",
    "Le site plante à chaque paiement, impossible de commander, c'est pénible à la longue",
    "My parcel arrived crushed and your support just ignores me, truly awful service",
    "Lovely blanket, soft and warm, exactly what I hoped for, thank you so much",
    "I have been waiting for a refund since March and I am sick of your excuses",
    "Super cocotte, elle cuit à merveille et le vendeur était vraiment gentil avec nous",
    "Encore un colis perdu, j'en ai marre de ce transporteur, plus jamais chez vous",
    "Great staff in the Nantes shop, they found the right lamp in a minute, brilliant",
)

Explain = Callable[[Mention], Sequence[Attribution]]


@pytest.fixture(scope="module")
def model() -> Iterator[EmbeddedAnalyzer]:
    yield cast(EmbeddedAnalyzer, nlp.build("embedded"))


def mood(model: EmbeddedAnalyzer, said: Mention) -> Sentiment:
    return model.analyze([said])[0].sentiment.value


def p_of(model: EmbeddedAnalyzer, text: str, sentiment: Sentiment) -> float:
    return float(getattr(model.analyze([mention(text=text)])[0], f"p_{sentiment.value}"))


def check_faithful(model: EmbeddedAnalyzer, explain: Explain) -> None:
    """On average, the text without its strongest piece loses more of its tag than without another piece of the same
    explanation; the model itself reads both texts anew."""
    dice, strongest, others = Random(3), [], []
    for text in SAID:
        sentiment = mood(model, mention(text=text))
        found = explain(mention(text=text))
        best = max(found, key=lambda piece: piece.weight)
        any_other = dice.choice([piece for piece in found if piece is not best])
        whole = p_of(model, text, sentiment)
        without = [f"{text[: piece.start]} {text[piece.end :]}" for piece in (best, any_other)]
        strongest.append(whole - p_of(model, without[0], sentiment))
        others.append(whole - p_of(model, without[1], sentiment))
    assert sum(strongest) / len(SAID) > sum(others) / len(SAID) + 0.02, (strongest, others)


def test_the_strongest_piece_matters_more_than_another(model: EmbeddedAnalyzer) -> None:
    check_faithful(model, lambda said: model.explain(said, Field.SENTIMENT, mood(model, said)))


def test_an_explanation_by_chance_or_upside_down_is_not_faithful(model: EmbeddedAnalyzer) -> None:
    def upside_down(said: Mention) -> list[Attribution]:
        found = model.explain(said, Field.SENTIMENT, mood(model, said))
        return [Attribution(piece.start, piece.end, -piece.weight) for piece in found]

    dice = Random(1)

    def by_chance(said: Mention) -> list[Attribution]:
        found = model.explain(said, Field.SENTIMENT, mood(model, said))
        return [Attribution(piece.start, piece.end, dice.random()) for piece in found]

    for broken in (upside_down, by_chance):
        with pytest.raises(AssertionError):
            check_faithful(model, broken)


def test_the_model_keeps_the_contract(model: EmbeddedAnalyzer) -> None:
    assert isinstance(model, CanExplain)
    said = mention(text=SAID[0], title="Un titre que la personne a écrit")
    asked = [(Field.SENTIMENT, "negative"), (Field.INTENT, "order_delivery_issue"), (Field.SECONDARY, "refund_return")]
    asked += [(Field.ASPECTS, "delivery"), (Field.URGENCY, "2")]
    asked += [(flag, "yes") for flag in (Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED)]
    for field, value in asked:
        found = model.explain(said, field, value)
        assert " ".join(said.text[piece.start : piece.end] for piece in found) == said.text, field
        assert all(-1 <= piece.weight <= 1 for piece in found) and any(piece.weight for piece in found)
        assert model.explain(said, field, value) == found
    with pytest.raises(InputError):
        model.explain(said, Field.INTENT, "nonsense")


def test_a_tag_is_carried_by_the_words_that_a_reader_would_name(model: EmbeddedAnalyzer) -> None:
    parcel = "Bonjour, où est mon colis s'il vous plaît"
    assert top(model.explain(mention(text=parcel), Field.ASPECTS, "delivery"), parcel) == "colis"
    sad = "Je suis passée hier au magasin de Tours et franchement quelle déception"
    assert top(model.explain(mention(text=sad), Field.SENTIMENT, "negative"), sad) in {"franchement", "déception"}


@pytest.mark.parametrize("text", ["", "   ", "?!?!", "@boutique https://example.com", "\u200b\u2060"])
def test_a_text_that_says_nothing_has_no_pieces(model: EmbeddedAnalyzer, text: str) -> None:
    assert model.explain(mention(text=text), Field.INTENT, "other") == ()


def test_disguised_words_are_explained_where_they_stand(model: EmbeddedAnalyzer) -> None:
    text = "Où est mon co\u200bl\u2060is, \u200b s'il vous plaît"
    assert top(model.explain(mention(text=text), Field.ASPECTS, "delivery"), text) == "co\u200bl\u2060is,"


def test_twenty_thousand_characters_cost_no_more_than_what_is_read(model: EmbeddedAnalyzer) -> None:
    long = "Bonjour, " + "la vie est faite de petits riens. " * 600 + "Où est mon colis ?"
    found = model.explain(mention(text=long), Field.ASPECTS, "delivery")
    assert 2 <= len(found) <= MOST
    assert found[-1].end == len(long) and found[0].start == 0
    assert "colis" in top(found, long)

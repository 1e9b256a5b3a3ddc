"""LexiconAnalyzer: what it says of what people write."""

from datetime import UTC, datetime

import pytest

from domain.analysis import Analysis
from domain.mention import Mention, MentionKind
from nlp import build
from nlp.lexicon import LexiconAnalyzer

SAID_AT = datetime(2026, 3, 2, tzinfo=UTC)
ANALYZER = build("lexicon")


def read(text: str, **fields: object) -> Analysis:
    """The analysis of one post that says `text`."""
    said = Mention(network="x", native_id="1", text=text, created_at=SAID_AT, **fields)  # type: ignore[arg-type]
    return ANALYZER.analyze([said])[0]


@pytest.mark.parametrize(
    "text",
    [
        "pas mal", "pas mal du tout", "C'est pas mal du tout !", "not bad at all", "rien à redire", "RAS", "trop bien",
        "J'ADORE", "je recommande", "pas de problème, tout est parfait", "aucun souci", "jamais déçue",
        "can't recommend it enough", "je suis tres satisfaite", "😍😍", "Merci beaucoup à toute l'équipe !",
        "pas cher et de bonne qualité", "livraison rapide et soignée", "C'est suuuuper", "top 👍",
    ],
)  # fmt: skip
def test_praise(text: str) -> None:
    assert read(text).sentiment.value.value == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "pas terrible", "pas du tout content", "Je ne suis pas du tout content de mon achat", "plus jamais", "trop nul",
        "c nul", "NUL NUL NUL", "nuuuuul", "tres decu", "jpp de vos retards", "tjrs pas de rep svp",
        "Je ne recommande pas du tout", "I don't recommend this", "la vendeuse n'est pas aimable", "never again",
        "Ma commande n'est toujours pas arrivée, ça fait 3 semaines !!", "worst service ever", "😡", "not happy at all",
        "c'est une ar\u200bnaque", "quelle аrnаquе", "bande de voleurs", "Le produit est bien mais la livraison est nulle",
    ],
)  # fmt: skip
def test_blame(text: str) -> None:
    assert read(text).sentiment.value.value == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Le magasin de Lyon est situé rue de la République.", "J'ai reçu le colis ce matin.", "bonjour", "ok",
        "The shop is located on Main Street.", "Quels sont vos horaires le dimanche ?", "Je passerai demain.",
        "The store opens at nine and closes at six on weekdays.", "Do you have this in size 10?", "", "12 34",
    ],
)  # fmt: skip
def test_flat_texts_stay_flat_and_call_nobody(text: str) -> None:
    answer = read(text)
    assert answer.p_neutral > max(answer.p_negative, answer.p_positive)
    assert (answer.uncertain, answer.urgency, answer.churn, answer.toxic, answer.irony) == (
        False,
        0,
        False,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("mon colis n'est pas arrivé", "order_delivery_issue"),
        ("Where is my parcel? It was due on Monday", "order_delivery_issue"),
        ("la bouilloire ne fonctionne plus au bout de 2 jours", "product_defect"),
        ("the zip broke after one week", "product_defect"),
        ("je veux être remboursé", "refund_return"),
        ("How do I return these shoes?", "refund_return"),
        ("j'ai été débité deux fois", "billing_account_issue"),
        ("You charged me twice this month", "billing_account_issue"),
        ("Quels sont vos horaires le dimanche ?", "question_info"),
        ("What time do you open tomorrow?", "question_info"),
        ("Vous avez cette robe en 42 ?", "purchase_intent"),
        ("How much is the blue one? I want to buy two", "purchase_intent"),
        ("Merci à Julie pour ses conseils, super accueil", "praise_thanks"),
        ("Ce serait bien d'avoir un filtre par taille sur le site", "suggestion_idea"),
        ("It would be great if you could add a wish list", "suggestion_idea"),
        ("Je pars à la concurrence, plus jamais chez vous", "churn_threat"),
        ("Bonjour, vous recrutez pour l'été ? Voici mon CV", "employment"),
        ("Are you hiring at the Leeds store?", "employment"),
        ("Je participe ! Je tente ma chance @ana @leo", "spam_promo"),
        ("service client injoignable, impossible de parler à un humain", "complaint_service"),
        ("ok merci", "other"),
    ],
)
def test_intent(text: str, intent: str) -> None:
    assert read(text).intent.value == intent


def test_secondary_intents_are_what_else_is_there() -> None:
    answer = read("Mon aspirateur est en panne, je demande le remboursement")
    assert {answer.intent.value, *answer.secondary} >= {"product_defect", "refund_return"}


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Merci pour tout", 0),
        ("mon colis n'est pas arrivé", 1),
        ("Mon colis n'est toujours pas arrivé depuis 3 semaines", 2),
        ("J'ai été débité deux fois de 129 €, je suis à découvert", 2),
        ("Panne de connexion ce matin, c'est réglé, merci", 0),
        ("Panne de connexion ce matin, le problème n'est pas résolu", 1),
        ("La multiprise a pris feu cette nuit", 3),
        ("the charger gave my son an electric shock", 3),
    ],
)
def test_urgency(text: str, urgency: int) -> None:
    assert read(text).urgency == urgency


def test_churn_toxicity_and_irony() -> None:
    assert read("Je résilie, je vais à la concurrence").churn
    assert not read("Je suis cliente depuis dix ans et ravie").churn
    assert read("bande de voleurs, allez vous faire voir").toxic
    assert not read("votre service est vraiment nul").toxic
    ironic = read("Bravo, encore 3 semaines de retard 👏🙄")
    assert ironic.irony
    assert ironic.sentiment.value.value == "negative"
    assert not read("Bravo à toute l'équipe 👏").irony


def test_aspects() -> None:
    assert "delivery" in read("Livraison en retard").aspects
    assert "price_promo" in read("Your prices are too expensive").aspects
    assert "store_staff" in read("la vendeuse était charmante").aspects
    assert "employer" in read("vous recrutez ?").aspects


def test_articles_and_news_are_not_directed() -> None:
    assert not read("Mon colis est en retard", kind=MentionKind.ARTICLE).directed
    assert not read("Le groupe annonce le rachat d'une enseigne concurrente pour deux milliards").directed
    assert read("Vous ne répondez jamais").directed


def test_abstains_where_it_cannot_read_or_evidence_is_torn() -> None:
    assert read("Hola, mi pedido todavía no ha llegado y nadie responde").uncertain
    assert read("заказ не пришёл, верните деньги").uncertain
    assert read("Great product but terrible delivery").uncertain
    assert not read("Merci, livraison rapide").uncertain


def test_the_title_is_read_once() -> None:
    assert read("Voir titre", title="Service catastrophique, à fuir").sentiment.value.value == "negative"
    once = read("Service nul")
    twice = read("Service nul", title="service NUL")
    assert once == twice


def test_head_and_tail_of_a_very_long_text_are_read() -> None:
    filler = "Le rayon se trouve au fond. " * 3_000
    assert read(filler + "Service catastrophique, honteux, à fuir").sentiment.value.value == "negative"


def test_stars_are_kept_beside_and_not_read() -> None:
    assert read("Reçu lundi.", rating=1).sentiment == read("Reçu lundi.", rating=5).sentiment


def test_negation_reaches_only_its_clause() -> None:
    assert read("Pas de retard. Excellent service").sentiment.value.value == "positive"
    assert read("not late, great service").sentiment.value.value == "positive"
    assert read("pas reçu, excellent service pourtant").p_positive < read("excellent service").p_positive


def test_emphasis_and_but_weigh() -> None:
    assert read("très déçu").p_negative >= read("un peu déçu").p_negative
    assert read("bon produit mais vendeur odieux").p_negative > read("vendeur odieux mais bon produit").p_negative


def test_the_version_follows_the_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    before = LexiconAnalyzer().model
    assert before == LexiconAnalyzer().model
    monkeypatch.setattr("nlp.lexicon.read_lexicon_files", lambda *names: [_weights() if len(names) == 1 else "edited"])
    assert LexiconAnalyzer().model != before


def _weights() -> str:
    header = "count\tnegative\tneutral\tpositive"
    return f"[sentiment]\n{header}\nbias\t0\t0\t0\n\n[intent]\ncount\tother\nbias\t0\n"


def test_an_intent_without_a_column_gets_no_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlp.lexicon.read_lexicon_files", lambda *names: [_weights() if len(names) == 1 else ""])
    said = Mention(network="x", native_id="1", text="mon colis n'est pas arrivé", created_at=SAID_AT)
    answer = LexiconAnalyzer().analyze([said])[0]
    assert (answer.intent.value, answer.intent.p) == ("other", 1.0)

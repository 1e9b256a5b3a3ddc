"""Hub models: their labels become our tags, one question at a time; what is wrong with a model is said in words.

Tests marked `models` open real (tiny, random) models with torch: `make test-models`. The others run without it.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nlp
from domain.analysis import Analysis, ModelRef, Scored, Sentiment, Signals
from domain.contracts import Analyzer
from domain.errors import ConfigurationError
from domain.label import Field
from domain.mention import Mention
from domain.taxonomy import INTENTS
from nlp import zero_shot
from nlp.hub import ANSWERS, HubAnalyzer, load
from nlp.hub_model import HubHead, OpenModel, open_model
from settings import load_settings
from tests.contracts import analyzer_suite as suite
from tests.nlp import tiny_hub

ROOT = Path(__file__).parents[2]
MAP = {"LABEL_0": "negative", "LABEL_1": "neutral", "LABEL_2": "positive"}
NLI = ("contradiction", "neutral", "entailment")
ZERO_SHOT = "zero-shot-classification"
with_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="opens real models: wants torch, see `make test-models`"
)


class Base:
    """An analyzer that says the same of everything but an empty text, signals included."""

    model = ModelRef("base", "7")

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [
            Analysis(
                mention_id=mention.id,
                model=self.model,
                lang="fr" if "é" in mention.text else "en",
                p_negative=0.1,
                p_neutral=0.8,
                p_positive=0.1,
                intent=Scored("refund_return", 0.6) if mention.text.strip() else Scored("other", 0.6),
                secondary=("praise_thanks", "churn_threat"),
                aspects=("delivery",),
                irony=True,
                signals=Signals(3, 1, b"\x00\x3c"),
            )
            for mention in mentions
        ]


@dataclass
class Double:
    """An open model that answers as told, and remembers what it was asked."""

    labels: tuple[str, ...] = tuple(MAP)
    scores: Mapping[str, float] | None = None
    independent: bool = False
    fingerprint: str = "double@1"

    def __post_init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def classify(self, texts: Sequence[str], batch: int) -> list[dict[str, float]]:
        self.asked.append((list(texts), batch))
        return [dict(self.scores or {}) for _ in texts]

    def entails(
        self, texts: Sequence[str], words: Sequence[str], sentence: str, batch: int, *, several: bool
    ) -> list[dict[str, float]]:
        self.asked.append((list(texts), list(words), sentence, several))
        return [{word: (self.scores or {}).get(word, 0.0) + 0.01 for word in words} for _ in texts]

    def open(self, head: HubHead, where: str) -> OpenModel:
        return self  # type: ignore[return-value]


def loaded(base: Analyzer, heads: Mapping[str, HubHead], opener: Callable[..., OpenModel] = open_model) -> HubAnalyzer:
    return load(base, {key: asdict(head) for key, head in heads.items()}, opener)


def hub(double: Double, **heads: HubHead) -> HubAnalyzer:
    return loaded(Base(), heads, double.open)


def one(analyzer: Analyzer, text: str = "Colis arrivé cassé") -> Analysis:
    return analyzer.analyze(suite.mentions([text]))[0]


# what labels become


def test_sentiment_alone_is_swapped_and_all_else_is_the_word_of_the_base() -> None:
    double = Double(scores={"LABEL_0": 0.7, "LABEL_1": 0.2, "LABEL_2": 0.1})
    analyzer = hub(double, sentiment=HubHead("m", labels=MAP))
    answer, base = one(analyzer), one(Base())
    assert (answer.p_negative, answer.p_neutral, answer.p_positive) == pytest.approx((0.7, 0.2, 0.1))
    assert answer.model == analyzer.model != base.model
    same = replace(
        answer, model=base.model, p_negative=base.p_negative, p_neutral=base.p_neutral, p_positive=base.p_positive
    )
    assert same == base
    assert answer.signals == base.signals == Signals(3, 1, b"\x00\x3c")


def test_labels_of_one_answer_are_added_up() -> None:
    stars = {
        "1 star": "negative",
        "2 stars": "negative",
        "3 stars": "neutral",
        "4 stars": "positive",
        "5 stars": "positive",
    }
    scores = dict(zip(stars, (0.3, 0.25, 0.2, 0.15, 0.1), strict=True))
    answer = one(hub(Double(tuple(stars), scores), sentiment=HubHead("m", labels=stars)))
    assert (answer.p_negative, answer.p_neutral, answer.p_positive) == pytest.approx((0.55, 0.2, 0.25))


def test_labels_that_have_our_names_need_no_map() -> None:
    double = Double(("Negative", "POSITIVE", "neutral"), {"Negative": 0.1, "POSITIVE": 0.7, "neutral": 0.2})
    assert one(hub(double, sentiment=HubHead("m"))).sentiment == Scored(Sentiment.POSITIVE, pytest.approx(0.7))


def test_a_model_without_a_neutral_label_never_says_neutral() -> None:
    double = Double(("POSITIVE", "NEGATIVE"), {"POSITIVE": 0.4, "NEGATIVE": 0.6})
    answer = one(hub(double, sentiment=HubHead("m")))
    assert (answer.p_negative, answer.p_neutral, answer.p_positive) == pytest.approx((0.6, 0, 0.4))


def test_an_intent_of_the_model_is_not_repeated_among_the_secondary_ones() -> None:
    double = Double(("praise_thanks", "other"), {"praise_thanks": 0.8, "other": 0.2})
    answer = one(hub(double, intent=HubHead("m")))
    assert answer.intent == Scored("praise_thanks", pytest.approx(0.8))
    assert answer.secondary == ("churn_threat",)


def test_urgency_and_flags() -> None:
    levels = Double(("0", "1", "2", "3"), {"0": 0.1, "1": 0.2, "2": 0.6, "3": 0.1})
    assert one(hub(levels, urgency=HubHead("m"))).urgency == 2
    toxic = Double(("toxic", "fine"), {"toxic": 0.4, "fine": 0.6})
    answers = {"toxic": "yes", "fine": "no"}
    assert not one(hub(toxic, toxic=HubHead("m", labels=answers))).toxic
    assert one(hub(toxic, toxic=HubHead("m", labels=answers, threshold=0.4))).toxic


def test_a_flag_of_independent_labels_is_as_likely_as_the_likeliest_of_them() -> None:
    double = Double(("insult", "threat"), {"insult": 0.4, "threat": 0.3}, independent=True)
    labels = {"insult": "yes", "threat": "yes"}
    assert one(hub(double, toxic=HubHead("m", labels=labels, threshold=0.4))).toxic
    assert not one(hub(double, toxic=HubHead("m", labels=labels, threshold=0.41))).toxic


def test_aspects_are_those_above_the_threshold_at_most_three_in_the_order_of_the_taxonomy() -> None:
    scores = {
        "billing_contract": 0.9,
        "delivery": 0.6,
        "packaging": 0.7,
        "price_promo": 0.8,
        "food": 0.95,
        "employer": 0.2,
    }
    double = Double(tuple(scores), scores, independent=True)
    head = HubHead("m", labels={"food": ""})
    assert one(hub(double, aspects=head)).aspects == ("packaging", "price_promo", "billing_contract")
    assert one(hub(double, aspects=replace(head, threshold=0.85))).aspects == ("billing_contract",)


def test_secondary_intents_follow_the_intent_of_the_same_analyzer() -> None:
    scores = {"employment": 0.9, "refund_return": 0.8, "question_info": 0.7, "other": 0.85}
    double = Double(tuple(scores), scores, independent=True)
    answer = one(hub(double, secondary=HubHead("m"), intent=HubHead("m")))
    assert answer.intent.value == "employment"
    assert answer.secondary == ("refund_return", "question_info")


def test_a_doubtful_answer_asks_for_a_person() -> None:
    double = Double(scores={"LABEL_0": 0.5, "LABEL_1": 0.3, "LABEL_2": 0.2})
    assert not one(hub(double, sentiment=HubHead("m", labels=MAP, uncertain_below=0.5))).uncertain
    assert one(hub(double, sentiment=HubHead("m", labels=MAP, uncertain_below=0.51))).uncertain


def test_texts_are_prepared_as_for_our_own_model_and_titles_are_read_too() -> None:
    double = Double(scores=dict.fromkeys(MAP, 1 / 3))
    said = suite.mention("Co\u200blis perdu @shop voir https://t.example/x  non !!!!!!")
    hub(double, sentiment=HubHead("m", labels=MAP, batch=5)).analyze(
        [replace(said, title="Déçu"), suite.mention(" \n")]
    )
    assert double.asked == [(["Déçu\nColis perdu @user voir http non !!!"], 5)]


def test_a_text_without_anything_in_it_is_left_to_the_base() -> None:
    double = Double(scores={"LABEL_0": 1.0, "LABEL_1": 0.0, "LABEL_2": 0.0})
    analyzer = hub(double, sentiment=HubHead("m", labels=MAP))
    for text in ("", " \u200b\n"):
        assert one(analyzer, text) == replace(one(Base(), text), model=analyzer.model)
    assert double.asked == []


def test_a_model_that_answers_several_questions_is_opened_once() -> None:
    opened = []

    def opener(head: HubHead, where: str) -> OpenModel:
        opened.append(head.model)
        return Double(NLI).open(head, where)

    zero = HubHead("nli", task=ZERO_SHOT)
    loaded(
        Base(), {"intent": zero, "aspects": replace(zero, threshold=0.7), "sentiment": replace(zero, model="b")}, opener
    )
    assert sorted(opened) == ["b", "nli"]


def test_a_doubt_of_the_embedded_analyzer_goes_with_the_question_that_it_is_about() -> None:
    embedded = nlp.build("embedded")
    limits = embedded.artefact.abstain_below  # type: ignore[attr-defined]
    said = suite.mentions([*suite.ORDINARY, "Bof", "Euh…", "Hmm ok then", "Je ne sais pas trop", "Ah.", "Colis"])
    sure = {"LABEL_0": 0.98, "LABEL_1": 0.01, "LABEL_2": 0.01}
    answers = loaded(embedded, {"sentiment": HubHead("m", labels=MAP)}, Double(scores=sure).open).analyze(said)
    before = embedded.analyze(said)
    assert [answer.uncertain for answer in answers] == [answer.intent.p < limits["intent"] for answer in before]
    assert [answer.uncertain for answer in answers] != [answer.uncertain for answer in before], (
        "no doubt about sentiment"
    )
    assert [answer.signals for answer in answers] == [answer.signals for answer in before]
    assert [
        replace(a, p_negative=0, p_neutral=0, p_positive=0, uncertain=False, model=embedded.model) for a in answers
    ] == [replace(b, p_negative=0, p_neutral=0, p_positive=0, uncertain=False) for b in before]


# zero-shot


def test_zero_shot_asks_each_message_in_its_language() -> None:
    double = Double(NLI, {"a question": 0.9, "une plainte sur le service": 0.8})
    analyzer = hub(double, intent=HubHead("m", task=ZERO_SHOT))
    english, french, again = analyzer.analyze(suite.mentions(["Do you open?", "Très déçu", "How much?"]))
    assert [answer.intent.value for answer in (english, french, again)] == [
        "question_info",
        "complaint_service",
        "question_info",
    ]
    assert [(texts, sentence, several) for texts, _, sentence, several in double.asked] == [
        (["Do you open?", "How much?"], "This message is {}.", False),
        (["Très déçu"], "Ce message est {}.", False),
    ]
    assert english.intent.p == pytest.approx(0.91 / (0.9 + 0.01 * len(INTENTS)))


def test_the_settings_replace_single_words_and_the_sentence() -> None:
    double = Double(NLI, {"une colère noire": 0.9})
    head = HubHead(
        "m", task=ZERO_SHOT, candidates={"fr": {"negative": "une colère noire"}}, hypothesis={"fr": "On y lit {}."}
    )
    assert one(hub(double, sentiment=head)).sentiment.value is Sentiment.NEGATIVE
    ((_, words, sentence, _),) = double.asked
    assert sentence == "On y lit {}."
    assert words == ["une colère noire", "ni satisfaction ni mécontentement", "de la satisfaction"]


def test_a_question_without_words_of_ours_is_asked_with_those_of_the_settings() -> None:
    double = Double(NLI, {"de l'ironie": 0.9})
    words = {"fr": {"yes": "de l'ironie", "no": "du premier degré"}}
    head = HubHead("m", task=ZERO_SHOT, candidates=words, hypothesis={"fr": "C'est {}."})
    assert one(hub(double, irony=head)).irony
    assert one(hub(double, churn=replace(head, threshold=0.95))).churn is False


@pytest.mark.parametrize("lang", zero_shot.CANDIDATES)
def test_the_shipped_words_cover_every_answer_and_tell_them_apart(lang: str) -> None:
    for field, words in zero_shot.CANDIDATES[lang].items():
        assert set(words) == set(ANSWERS[field])
        assert len(set(words.values())) == len(words)
        assert zero_shot.HYPOTHESES[lang][field].count("{}") == 1


# what is wrong is said


def test_without_torch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigurationError, match=r"\[analyzer_hub\.sentiment\].*pip install \"comptoir\[hub\]\""):
        loaded(Base(), {"sentiment": HubHead("m")})


_MAPPED = HubHead("m", labels=MAP)
_ASKED = HubHead("m", task=ZERO_SHOT)


@pytest.mark.parametrize(
    ("field", "head", "message"),
    [
        ("mood", _MAPPED, "no question “mood”.*sentiment"),
        ("sentiment", replace(_MAPPED, task="fill-mask"), "no task “fill-mask”.*text-classification"),
        ("sentiment", replace(_MAPPED, task=ZERO_SHOT), "the task here is zero-shot"),
        ("sentiment", replace(_MAPPED, hypothesis={"fr": "Voici {}."}), "the task here is text-classification"),
        ("sentiment", HubHead("m"), "leaves out labels of it: LABEL_0, LABEL_1, LABEL_2"),
        ("sentiment", HubHead("m", labels={"LABEL_0": "negative"}), "leaves out labels of it: LABEL_1, LABEL_2"),
        ("sentiment", HubHead("m", labels={**MAP, "LABEL_9": "neutral"}), "does not have: LABEL_9"),
        ("sentiment", HubHead("m", labels={**MAP, "LABEL_1": "angry"}), "“angry” is no answer to “sentiment”"),
        ("sentiment", HubHead("m", labels={**MAP, "LABEL_1": ""}), "“” is no answer"),
        ("sentiment", HubHead("m", labels=dict.fromkeys(MAP, "neutral")), "always be the same \\(neutral\\)"),
        ("irony", HubHead("m", labels=dict.fromkeys(MAP, "yes")), "always be the same"),
        ("irony", HubHead("m", labels=dict.fromkeys(MAP, "no")), "always be the same"),
        ("aspects", HubHead("m", labels=dict.fromkeys(MAP, "")), "always be the same"),
        ("churn", _ASKED, "no words to ask “churn” with"),
        ("churn", replace(_ASKED, candidates={"fr": {"yes": "un départ"}}), "candidates.fr. has no words for no"),
        ("intent", replace(_ASKED, candidates={"fr": {"anger": "x"}}), "“anger” is no answer to “intent”"),
        ("intent", replace(_ASKED, candidates={"de": {"other": "etwas"}}), "candidates.de. has no words for complaint_service"),
        ("intent", replace(_ASKED, hypothesis={"fr": "Rien."}), "hypothesis.fr. must be a sentence with one {}"),
        ("intent", replace(_ASKED, hypothesis={"fr": "{} {x}"}), "hypothesis.fr. must be a sentence with one {}"),
        ("intent", replace(_ASKED, candidates={"en": {"other": "a question"}}), "the same words"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_the_table_and_the_way_out(field: str, head: HubHead, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        loaded(Base(), {field: head}, Double(NLI if head.task == ZERO_SHOT else tuple(MAP)).open)
    assert f"[analyzer_hub.{field}]" in str(caught.value)


# which model spoke


def test_the_version_changes_with_all_that_changes_answers_and_with_nothing_else() -> None:
    def version(double: Double, **heads: HubHead) -> str:
        return hub(double, **heads).model.version

    double = Double()
    first = version(double, sentiment=_MAPPED)
    others = [
        version(Double(fingerprint="double@2"), sentiment=_MAPPED),
        version(double, sentiment=replace(_MAPPED, labels={**MAP, "LABEL_0": "positive"})),
        version(double, sentiment=replace(_MAPPED, uncertain_below=0.4)),
        version(double, intent=_ASKED),
        version(double, intent=_ASKED, sentiment=_ASKED),
        version(double, intent=replace(_ASKED, hypothesis={"fr": "Voici {}."})),
        version(double, intent=replace(_ASKED, candidates={"fr": {"other": "rien"}})),
        version(double, aspects=_ASKED),
        version(double, aspects=replace(_ASKED, threshold=0.6)),
    ]
    assert len({first, *others}) == 1 + len(others)
    assert version(double, sentiment=replace(_MAPPED, batch=3, device="cpu", download=True)) == first
    assert version(double, intent=_ASKED, sentiment=_ASKED) == version(double, sentiment=_ASKED, intent=_ASKED)
    assert first.startswith("7+")


def test_parts_name_their_models_in_full() -> None:
    analyzer = hub(
        Double(fingerprint="owner/name@0123"),
        sentiment=_MAPPED,
        irony=HubHead("m", labels={**dict.fromkeys(MAP, "no"), "LABEL_0": "yes"}),
    )
    assert analyzer.parts == {"sentiment": "owner/name@0123", "irony": "owner/name@0123"}
    assert len(str(analyzer.model)) <= 80


# real models


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    home = tmp_path_factory.mktemp("models")
    return {
        "sentiment": tiny_hub.write_bert(home / "sentiment", tuple(MAP)),
        "nli": tiny_hub.write_bert(home / "nli", NLI, seed=1),
        "many": tiny_hub.write_bert(
            home / "many", ("delivery", "packaging", "food"), seed=2, problem_type="multi_label_classification"
        ),
        "decoder": tiny_hub.write_decoder(home / "decoder", ("negative", "neutral", "positive")),
        "one number": tiny_hub.write_bert(home / "one", ("score",)),
        "short": tiny_hub.write_bert(home / "short", tuple(MAP), max_position_embeddings=12),
        "small vocabulary": tiny_hub.write_bert(home / "small", tuple(MAP), vocab_size=50),
    }


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Where torch is there: one thread, for two of them on a busy machine wait for each other."""
    if importlib.util.find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _heads(folders: Mapping[str, Path], name: str) -> dict[str, HubHead]:
    sentiment = HubHead(str(folders["sentiment"]), labels=MAP, batch=4)
    zero = HubHead(str(folders["nli"]), task=ZERO_SHOT, batch=8)
    return {
        "sentiment": {"sentiment": sentiment},
        "decoder": {"sentiment": HubHead(str(folders["decoder"]))},
        "zero-shot": {"intent": zero},
        "several": {
            "sentiment": replace(zero, uncertain_below=0.4),
            "aspects": HubHead(str(folders["many"]), labels={"food": ""}),
            "secondary": zero,
        },
    }[name]


@pytest.fixture(scope="module", params=["sentiment", "decoder", "zero-shot", "several"])
def analyzer(request: pytest.FixtureRequest, folders: Mapping[str, Path]) -> HubAnalyzer:
    return loaded(nlp.build("lexicon"), _heads(folders, request.param))


@with_torch
@pytest.mark.models
@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda check: check.__name__)
def test_hub_analyzers_keep_the_contract(analyzer: HubAnalyzer, check: Callable[[Analyzer], None]) -> None:
    check(analyzer)


@with_torch
@pytest.mark.models
def test_a_model_answers_as_it_does_by_hand(folders: Mapping[str, Path]) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    pieces = AutoTokenizer.from_pretrained(folders["sentiment"])
    model = AutoModelForSequenceClassification.from_pretrained(folders["sentiment"])
    answers = loaded(Base(), _heads(folders, "sentiment")).analyze(suite.mentions(suite.ORDINARY))
    told = [(answer.p_negative, answer.p_neutral, answer.p_positive) for answer in answers]
    for text, three in zip(suite.ORDINARY, told, strict=True):
        with torch.no_grad():
            by_hand = model(**pieces(text, return_tensors="pt")).logits.softmax(-1)[0]
        assert three == pytest.approx(by_hand.tolist(), abs=1e-5)
    assert len({tuple(round(p, 3) for p in three) for three in told}) > len(told) // 2, "the texts should differ"


@with_torch
@pytest.mark.models
def test_zero_shot_answers_as_it_does_by_hand(folders: Mapping[str, Path]) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    pieces = AutoTokenizer.from_pretrained(folders["nli"])
    model = AutoModelForSequenceClassification.from_pretrained(folders["nli"])
    text, words = "I want my money back", zero_shot.CANDIDATES["en"][Field.INTENT]
    answer = one(loaded(Base(), _heads(folders, "zero-shot")), text)
    pairs = [pieces(text, f"This message is {word}.", return_tensors="pt") for word in words.values()]
    with torch.no_grad():
        entailed = np.array([model(**pair).logits[0, 2].item() for pair in pairs])
    shares = np.exp(entailed) / np.exp(entailed).sum()
    assert answer.intent == Scored(list(words)[int(shares.argmax())], pytest.approx(shares.max(), abs=1e-5))


@with_torch
@pytest.mark.models
def test_a_long_text_keeps_both_its_ends(folders: Mapping[str, Path]) -> None:
    analyzer = loaded(Base(), _heads(folders, "sentiment"))
    filler = "Le magasin se trouve rue de la Gare. " * 60

    def told(head: str, middle: str, tail: str) -> float:
        return one(analyzer, f"{head} {filler} {middle} {filler} {tail}").p_negative

    plain = told("Merci", "ok", "Merci")
    assert told("Merci", "service impeccable", "Merci") == pytest.approx(plain, abs=1e-6)
    assert abs(told("Colis jamais reçu", "ok", "Merci") - plain) > 1e-4
    assert abs(told("Merci", "ok", "Colis jamais reçu") - plain) > 1e-4


@with_torch
@pytest.mark.models
def test_the_version_follows_the_files_of_the_folder(folders: Mapping[str, Path], tmp_path: Path) -> None:
    def model(folder: Path) -> ModelRef:
        return loaded(Base(), {"sentiment": HubHead(str(folder), labels=MAP)}).model

    again = Path(shutil.copytree(folders["sentiment"], tmp_path / "sentiment"))
    other = tiny_hub.write_bert(tmp_path / "other" / "sentiment", tuple(MAP), seed=5)
    assert model(again) == model(folders["sentiment"]) != model(other)
    (again / "README.md").write_text("Read me.", "utf-8")
    assert model(again) == model(folders["sentiment"])


@with_torch
@pytest.mark.models
def test_an_id_is_taken_from_the_cache_with_the_network_closed(
    folders: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    newer = "f" * 40
    tiny_hub.put_in_cache(tmp_path, folders["decoder"], "acme/moods")
    tiny_hub.put_in_cache(tmp_path, tiny_hub.write_bert(tmp_path / "v2", NLI), "acme/moods", newer, "v2")
    analyzer = loaded(Base(), {"sentiment": HubHead("acme/moods")})
    assert analyzer.parts == {"sentiment": f"acme/moods@{tiny_hub.COMMIT}"}
    by_folder = loaded(Base(), {"sentiment": HubHead(str(folders["decoder"]))})
    assert one(analyzer).p_negative == one(by_folder).p_negative
    tagged = loaded(Base(), {"intent": HubHead("acme/moods", revision="v2", task=ZERO_SHOT)})
    assert tagged.parts == {"intent": f"acme/moods@{newer}"}
    with pytest.raises(ConfigurationError, match=r"acme/moods, revision v3, is not on this machine.*download = true"):
        loaded(Base(), {"sentiment": HubHead("acme/moods", revision="v3")})
    with pytest.raises(ConfigurationError, match=r"acme/other is not on this machine.*Nothing was downloaded"):
        loaded(Base(), {"sentiment": HubHead("acme/other")})


@with_torch
@pytest.mark.models
def test_older_models_hold_their_weights_in_a_bin_file(
    folders: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from huggingface_hub import constants
    from safetensors.torch import load_file

    older = Path(shutil.copytree(folders["sentiment"], tmp_path / "older"))
    torch.save(load_file(older / "model.safetensors"), older / "pytorch_model.bin")
    (older / "model.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    tiny_hub.put_in_cache(tmp_path, older, "acme/older")
    same = loaded(Base(), {"sentiment": HubHead(str(folders["sentiment"]), labels=MAP)})
    for where in ("acme/older", str(older)):
        assert one(loaded(Base(), {"sentiment": HubHead(where, labels=MAP)})).sentiment == one(same).sentiment


_DOWNLOAD = """
    import json
    import sys
    import nlp
    from domain.errors import ConfigurationError
    from tests.contracts import analyzer_suite as suite

    def told(model, download):
        try:
            analyzer = nlp.build("lexicon", hub={"sentiment": {"model": model, "download": download}})
        except ConfigurationError as error:
            return str(error)
        analyzer.analyze(suite.mentions(["SECRETWORD"]))
        return analyzer.parts["sentiment"]

    print(json.dumps([told(*asked) for asked in json.loads(sys.argv[1])]))
"""


def _in_a_new_process(address: str, cache: Path, *asked: tuple[str, bool]) -> list[str]:
    # The hub's client reads its address and its cache once, when it is imported.
    environment = {**os.environ, "HF_ENDPOINT": address, "HF_HUB_CACHE": str(cache), "HF_HOME": str(cache)}
    environment.pop("HF_HUB_OFFLINE", None)
    words = [sys.executable, "-c", textwrap.dedent(_DOWNLOAD), json.dumps(asked)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    told: list[str] = json.loads(done.stdout)
    return told


@with_torch
@pytest.mark.models
def test_only_a_request_for_files_leaves_and_only_where_the_settings_allow_it(
    folders: Mapping[str, Path], tmp_path: Path
) -> None:
    name, found = "acme/moods", f"acme/moods@{tiny_hub.COMMIT}"
    with tiny_hub.hub(folders["decoder"], name) as (address, asked):
        (refused,) = _in_a_new_process(address, tmp_path, (name, False))
        assert "Nothing was downloaded" in refused
        assert asked == []
        assert _in_a_new_process(address, tmp_path, (name, True)) == [found]
        assert any("model.safetensors" in line for line in asked)
        assert all(line.startswith(("GET ", "HEAD ")) and "SECRETWORD" not in line for line in asked), asked
    # Once it is there, it is used without asking; that the hub is away now changes nothing.
    kept, missing = _in_a_new_process(address, tmp_path, (name, False), ("acme/other", True))
    assert kept == found
    assert "acme/other is not on this machine. Look at the id, the revision and the connection" in missing


def _emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _cut_short(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def _garbage(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 400)


def _config_garbage(folder: Path) -> None:
    (folder / "config.json").write_text("{", "utf-8")


def _without_tokenizer(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()


def _own_code(folder: Path) -> None:
    (folder / "config.json").write_text(
        '{"model_type": "homemade", "auto_map": {"AutoConfig": "x.C", "AutoModelForSequenceClassification": "x.M"}}',
        "utf-8",
    )
    (folder / "x.py").write_text("raise SystemExit('this code ran')", "utf-8")


@with_torch
@pytest.mark.models
@pytest.mark.parametrize(
    "harm",
    [_emptied, _without_weights, _cut_short, _garbage, _config_garbage, _without_tokenizer, _own_code],
    ids=lambda harm: harm.__name__.strip("_"),
)
def test_a_folder_that_cannot_be_read_is_told_in_words(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    folder = tiny_hub.write_bert(tmp_path / "model", tuple(MAP))
    harm(folder)
    with pytest.raises(
        ConfigurationError, match=r"\[analyzer_hub.sentiment\].*(cannot be read as a sequence|knows no word)"
    ):
        loaded(Base(), {"sentiment": HubHead(str(folder), labels=MAP)})


@with_torch
@pytest.mark.models
def test_a_base_model_is_refused_instead_of_answering_at_random(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    pieces = tiny_hub.tokenizer()
    shape = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64
    )
    BertModel(shape).save_pretrained(tmp_path)
    pieces.save_pretrained(tmp_path)
    with pytest.raises(ConfigurationError, match=r"holds no trained classifier.*classifier.*would be random"):
        loaded(Base(), {"sentiment": HubHead(str(tmp_path), labels=MAP)})


@with_torch
@pytest.mark.models
@pytest.mark.parametrize(
    ("which", "changes", "message"),
    [
        ("sentiment", {"task": ZERO_SHOT, "labels": {}}, "no label “entailment”.*LABEL_0"),
        ("sentiment", {"device": "cuda:99"}, "“cuda:99” is not there"),
        ("sentiment", {"device": "abacus"}, "no device “abacus”"),
        ("sentiment", {"model": "./nowhere"}, "no folder “./nowhere”"),
        ("one number", {}, "gives one number"),
        ("short", {}, "reads 10 tokens at most"),
        ("small vocabulary", {}, "knows more pieces than its model"),
    ],
)
def test_a_model_that_cannot_do_it_is_told_in_words(
    folders: Mapping[str, Path], which: str, changes: dict[str, Any], message: str
) -> None:
    head = replace(HubHead(str(folders[which]), labels=MAP), **changes)
    with pytest.raises(ConfigurationError, match=message):
        loaded(Base(), {"sentiment": head})


# the settings


def test_the_settings_say_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "comptoir.toml").write_text(
        textwrap.dedent("""
            [analyzer_hub.sentiment]
            model = "models/moods"
            labels = { LABEL_0 = "negative", LABEL_1 = "neutral", LABEL_2 = "positive" }
            batch = 4

            [analyzer_hub.intent]
            model = "acme/nli"
            revision = "v2"
            task = "zero-shot-classification"
            hypothesis = { fr = "Voici {}." }
            [analyzer_hub.intent.candidates.fr]
            other = "rien"
        """),
        "utf-8",
    )
    heads = load_settings().hub_heads
    assert {key: HubHead(**table) for key, table in heads.items()} == {
        "sentiment": HubHead("models/moods", labels=MAP, batch=4),
        "intent": HubHead(
            "acme/nli",
            revision="v2",
            task=ZERO_SHOT,
            hypothesis={"fr": "Voici {}."},
            candidates={"fr": {"other": "rien"}},
        ),
    }


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("batch = 0", "analyzer_hub.sentiment.batch"),
        ("threshold = 1.5", "analyzer_hub.sentiment.threshold"),
        ("devise = 'cpu'", "analyzer_hub.sentiment.devise"),
        ("model = 3", "analyzer_hub.sentiment.model"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, named: str) -> None:
    monkeypatch.chdir(tmp_path)
    model = "" if line.startswith("model") else "model = 'm'\n"
    (tmp_path / "comptoir.toml").write_text(f"[analyzer_hub.sentiment]\n{model}{line}\n", "utf-8")
    with pytest.raises(ConfigurationError, match=named.replace(".", r"\.")):
        load_settings()

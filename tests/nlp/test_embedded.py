"""nlp.embedded: the shipped model's answers, what cannot change them, and heads that were learnt."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.analysis import Analysis
from domain.contracts import HasFigures
from domain.errors import ConfigurationError
from domain.mention import Mention
from nlp import artefact, build, golden
from nlp.artefact import Heads
from nlp.embedded import EmbeddedAnalyzer, load, open_folder, prepare, says_something
from nlp.network import cut
from nlp.train.calibrate import Calibration, softmax
from tests.builders import mention

MESSAGES = Path(__file__).with_name("golden.jsonl")
ANSWERS = Path(__file__).with_name("golden_answers.json")
PROCESSOR = Path("/proc/cpuinfo")


@pytest.fixture(scope="module")
def analyzer() -> EmbeddedAnalyzer:
    return load()


@pytest.fixture(scope="module")
def said() -> Mapping[str, Mention]:
    return golden.messages(MESSAGES)


def one(analyzer: EmbeddedAnalyzer, text: str, **fields: Any) -> Analysis:
    return analyzer.analyze([mention(text=text, **fields)])[0]


# The golden file


def test_golden_answers_are_those_that_were_stored(analyzer: EmbeddedAnalyzer, said: Mapping[str, Mention]) -> None:
    if PROCESSOR.exists() and "avx2" not in PROCESSOR.read_text():
        pytest.skip("processors without AVX2 round differently")
    stored = json.loads(ANSWERS.read_text("utf-8"))
    assert stored["model"] == str(analyzer.model), "other weights: run `python -m nlp.golden` and look at what changed"
    found = golden.answers(analyzer, said)
    assert set(stored["answers"]) == set(said)
    sure = {key: {**answer, "uncertain": found[key]["uncertain"]} for key, answer in stored["answers"].items()}
    # A limit may lie between what two processors say.
    assert golden.differences(sure, found, golden.ACROSS_PROCESSORS) == []
    moved = {line.split(",")[0] for line in golden.differences(stored["answers"], found)}
    assert len(moved) <= len(said) / 6, "other answers than another processor explains"


def test_golden_answers_do_not_depend_on_batch_or_order(
    analyzer: EmbeddedAnalyzer, said: Mapping[str, Mention]
) -> None:
    together = golden.answers(analyzer, said)
    backwards = dict(reversed(said.items()))
    alone: dict[str, Any] = {}
    for key, message in backwards.items():
        alone |= golden.answers(analyzer, {key: message})
    assert (
        golden.differences(together, alone) == golden.differences(together, golden.answers(analyzer, backwards)) == []
    )


def test_golden_messages_are_many_and_of_all_kinds(said: Mapping[str, Mention]) -> None:
    kinds = {key.split("-")[0] for key in said}
    assert kinds == {"plain", "negation", "irony", "emoji", "sms", "mixed", "handle", "long", "empty", "odd", "title"}
    assert len(said) >= 120


def test_differences_are_told() -> None:
    stored = {"a": {"p_neutral": 0.5, "intent": "other", "secondary": []}}
    assert golden.differences(stored, {"a": {"p_neutral": 0.5001, "intent": "other", "secondary": []}}) == []
    assert golden.differences(stored, {"a": {"p_neutral": 0.501, "intent": "other", "secondary": []}}) == [
        "a, p_neutral: 0.5 was stored, 0.501 was said"
    ]
    assert len(golden.differences(stored, {"b": {}})) == 4


# What any weights have to know


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Je suis très satisfaite de cet achat.", "Je ne suis pas satisfaite du tout de cet achat."),
        ("I am very happy with this service.", "I am not happy with this service."),
        ("Je recommande cette boutique.", "Je ne recommande pas cette boutique."),
        ("Colis reçu 😍", "Colis reçu 😡"),
        ("Sehr zufrieden, gerne wieder!", "Gar nicht zufrieden, nie wieder!"),
        ("Heel tevreden, snelle levering!", "Heel ontevreden, nooit meer!"),
    ],
)
def test_one_word_turns_the_feeling(analyzer: EmbeddedAnalyzer, better: str, worse: str) -> None:
    good, bad = analyzer.analyze([mention(text=better), mention(text=worse)])
    assert good.p_positive > bad.p_positive + 0.3
    assert bad.p_negative > good.p_negative + 0.3


def test_plain_messages_get_their_intent(analyzer: EmbeddedAnalyzer) -> None:
    asked = {
        "Ma commande n'est toujours pas arrivée, ça fait trois semaines": "order_delivery_issue",
        "Merci à toute l'équipe, service parfait": "praise_thanks",
        "À quelle heure ouvrez-vous le dimanche ?": "question_info",
        "Je demande le remboursement de ma commande renvoyée": "refund_return",
    }
    found = analyzer.analyze([mention(text=text) for text in asked])
    assert [answer.intent.value for answer in found] == list(asked.values())


# What has no say


def test_what_nobody_sees_changes_nothing(analyzer: EmbeddedAnalyzer) -> None:
    plain = "colis jamais reçu, c'est une honte"
    disguises = (
        "co\u200blis ja\u200dmais \ufeffre\u2060çu, c'est une hon\u00adte",
        "сolis jаmais rеçu, c’est une hоnte",
        "c\u0336o\u0336lis jamais rec\u0327u, c'est une honte",
        "  colis   jamais\treçu, c'est une honte \u202e",
    )
    answers = analyzer.analyze([mention(text=text) for text in (plain, *disguises)])
    assert all(answer == answers[0] for answer in answers[1:])
    assert answers[0].sentiment.value == "negative"


def test_the_middle_of_a_long_text_is_not_read_and_its_ends_are(analyzer: EmbeddedAnalyzer) -> None:
    start, end = "Bonjour, voici mon histoire. " * 60, "Et je suis resté sans réponse. " * 60
    middle = "La pluie tombait sur la ville. "
    whole, other, shouted, praised = analyzer.analyze(
        [
            mention(text=start + middle * 20 + end),
            mention(text=start + middle * 40 + end),
            mention(text="Une honte, service catastrophique ! " + start + middle * 20 + end),
            mention(text=start + middle * 20 + "Merci, vous êtes formidables, tout est parfait ! " * 8),
        ]
    )
    assert whole == other
    assert shouted.p_negative > whole.p_negative
    assert praised.p_positive > whole.p_positive + 0.3


def test_cut_keeps_two_thirds_of_the_head_and_one_of_the_tail() -> None:
    assert cut(range(9), 9) == list(range(9))
    assert cut(range(100), 9) == [0, 1, 2, 3, 4, 5, 97, 98, 99]


@pytest.mark.parametrize(
    "text", ["", " \n", "?!?!", "12345", "@user", "http", "@mail @user http", "-- * --", "10/10 %"]
)
def test_a_text_without_words_is_flat_and_not_asked_about(
    analyzer: EmbeddedAnalyzer, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    assert not says_something(prepare(text))
    asked = _spy(analyzer, monkeypatch)
    answer = one(analyzer, text, lang_hint="fr")
    assert asked == [[]]
    assert (answer.sentiment.value, answer.intent.value, answer.lang) == ("neutral", "other", "und")
    assert not answer.uncertain and answer.signals is None
    assert answer.p_negative + answer.p_neutral + answer.p_positive == pytest.approx(1)


@pytest.mark.parametrize("text", ["ok", "😡", "👍🏽", ":)", ":-(", "<3", "^^", "@user oui", "http ?! à voir", "好"])
def test_a_word_an_emoji_or_a_face_says_something(text: str) -> None:
    assert says_something(prepare(text))


def test_equal_texts_are_read_once(analyzer: EmbeddedAnalyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _spy(analyzer, monkeypatch)
    texts = ["Merci !", "RT @a: top", "Merci !", "RT @b: top", "Mer\u200bci !"]
    answers = analyzer.analyze([mention(str(place), text) for place, text in enumerate(texts)])
    assert asked == [["Merci !", "RT @user: top"]]
    assert [answer.mention_id for answer in answers] == [f"x:{place}" for place in range(5)]
    assert len({answer.p_positive for answer in answers}) == 2


def test_a_title_is_read_before_the_text_unless_it_repeats_it(analyzer: EmbeddedAnalyzer) -> None:
    assert one(analyzer, "Reçu hier.", title="Une honte") == one(analyzer, "Une honte\nReçu hier.")
    assert one(analyzer, "Parfait, rien à dire.", title="Parfait…") == one(analyzer, "Parfait, rien à dire.")


def test_half_an_emoji_is_no_reason_to_fail(analyzer: EmbeddedAnalyzer) -> None:
    assert one(analyzer, "merci \ud83d").sentiment.value == "positive"
    assert one(analyzer, "merci \ud83d\ude0d").p_positive == one(analyzer, "merci 😍").p_positive


# Answers


def test_probabilities_are_calibrated_as_in_training(analyzer: EmbeddedAnalyzer) -> None:
    config = json.loads((artefact.FOLDER / "config.json").read_text("utf-8"))
    reference = Calibration(config["temperatures"], config["offsets"], config["thresholds"])
    logits = np.random.default_rng(1).normal(0, 3, (6, analyzer.artefact.logit_count)).astype(np.float32)
    langs = ["fr", "en", "fr", "de", "xx", "und"]
    found = analyzer.artefact.probabilities(logits, langs)
    wanted = reference.apply(langs, logits)
    for key, question in analyzer.artefact.questions.items():
        part = wanted[:, question.columns]
        expected = softmax(part) if question.kind is artefact.Kind.ONE else 1 / (1 + np.exp(-part))
        np.testing.assert_allclose(found[key], expected, atol=1e-5)


def test_probabilities_of_the_answer_are_those_of_the_text(analyzer: EmbeddedAnalyzer) -> None:
    text = "Toujours pas de nouvelles de mon colis"
    answer, shares = one(analyzer, text), analyzer.probabilities([text], ["fr"])
    assert answer.p_negative == pytest.approx(shares["sentiment"][0][0], abs=1e-6)
    assert answer.intent.p == pytest.approx(shares["intent"][0].max(), abs=1e-6)
    assert sum(shares["urgency"][0]) == pytest.approx(1)


def test_features_are_in_order_and_alone_what_they_are_together(analyzer: EmbeddedAnalyzer) -> None:
    texts = ["Merci", "", "Où est mon colis ?", "Merci", "long " * 300]
    together = analyzer.features(texts)
    assert together.shape == (5, analyzer.heads.weight.shape[1]) and together.dtype == np.float32
    for place, text in enumerate(texts):
        np.testing.assert_allclose(analyzer.features([text])[0], together[place], atol=1e-4)
    assert not np.allclose(together[0], together[2], atol=1e-2)
    assert analyzer.features([]).shape == (0, together.shape[1])


def test_signals_tell_of_the_whole_text(analyzer: EmbeddedAnalyzer) -> None:
    short, long, odd = (
        one(analyzer, text).signals for text in ("mon colis", "mon colis " * 2_000, "colis \U00013080\U00013081")
    )
    assert short and long and odd
    assert (short.token_count, short.unknown_count) == (analyzer.token_counts(["mon colis"])[0], 0)
    assert long.token_count > 2_000 > analyzer.artefact.max_tokens
    assert odd.unknown_count > 0
    sketch = np.frombuffer(short.sketch, "<f2").astype(np.float32)
    projection = artefact.read_heads()[1]
    np.testing.assert_allclose(sketch, analyzer.features(["mon colis"])[0] @ projection.T, atol=2e-2, rtol=2e-3)
    assert len(short.sketch) == len(long.sketch) == 2 * len(projection)


def test_figures_of_the_making_are_told(analyzer: EmbeddedAnalyzer) -> None:
    assert isinstance(analyzer, HasFigures)
    assert analyzer.figures()["val"]


# Heads that were learnt


def heads_that_say(analyzer: EmbeddedAnalyzer, **strengths: Mapping[str, float]) -> bytes:
    """Heads that give these labels a logit of that size, all others -30, whatever is said."""
    bias = np.full(analyzer.artefact.logit_count, -30, np.float32)
    for key, labels in strengths.items():
        question = analyzer.artefact.questions[key]
        for label, strength in labels.items():
            bias[question.start + question.labels.index(label)] = strength
    return Heads(np.zeros_like(analyzer.heads.weight), bias).to_bytes()


def test_most_likely_tags_are_kept_and_the_primary_is_not_repeated(analyzer: EmbeddedAnalyzer) -> None:
    heads = heads_that_say(
        analyzer,
        sentiment={"neutral": 9},
        intent={"refund_return": 9},
        secondary={"refund_return": 30, "other": 29, "churn_threat": 28, "complaint_service": 27, "product_defect": 26},
        aspects={"employer": 30, "delivery": 29, "packaging": 28, "after_sales": 27},
        urgency={"2": 9},
        churn={"churn": 9},
        toxic={"toxic": 9},
        directed={"directed": -9},
    )
    answer = one(load(heads=heads), "Bonjour")
    assert (answer.intent.value, answer.secondary) == ("refund_return", ("complaint_service", "churn_threat"))
    assert answer.aspects == ("delivery", "packaging", "employer")
    assert (answer.urgency, answer.churn, answer.toxic, answer.irony, answer.directed) == (2, True, True, False, False)
    assert not answer.uncertain and answer.sentiment.p > 0.99


@pytest.mark.parametrize("doubtful", ["sentiment", "intent"])
def test_doubt_about_feeling_or_intent_asks_for_a_person(analyzer: EmbeddedAnalyzer, doubtful: str) -> None:
    said = {"sentiment": {"positive": 9.0}, "intent": {"praise_thanks": 9.0}}
    assert not one(load(heads=heads_that_say(analyzer, **said)), "Merci").uncertain
    said[doubtful] = dict.fromkeys(analyzer.artefact.questions[doubtful].labels, 0.0)
    assert one(load(heads=heads_that_say(analyzer, **said)), "Merci").uncertain


def test_learnt_heads_change_the_version_and_undoing_them_changes_all_back(analyzer: EmbeddedAnalyzer) -> None:
    before = one(analyzer, "Où est mon colis ?")
    moved = Heads(analyzer.heads.weight, analyzer.heads.bias + 1e-3)
    learnt = build("embedded", heads=moved.to_bytes())
    shipped = analyzer.model.version
    assert learnt.model.name == analyzer.model.name
    assert learnt.model.version == f"{shipped}+{moved.digest}" and len(moved.digest) == 8
    assert moved.digest != analyzer.heads.digest
    assert one(load(), "Où est mon colis ?") == before


def test_heads_survive_their_file(analyzer: EmbeddedAnalyzer) -> None:
    again = Heads.from_bytes(analyzer.heads.to_bytes())
    assert again.digest == analyzer.heads.digest
    np.testing.assert_array_equal(again.weight, analyzer.heads.weight)
    assert again.to_bytes() == analyzer.heads.to_bytes()


@pytest.mark.parametrize(
    "make",
    [
        lambda heads: b"",
        lambda heads: b"PK\x03\x04 nothing",
        lambda heads: heads.to_bytes()[:-200],
        lambda heads: Heads(heads.weight[:, :-1], heads.bias).to_bytes(),
        lambda heads: Heads(heads.weight[:-1], heads.bias[:-1]).to_bytes(),
        lambda heads: Heads(heads.weight, heads.bias[:-1]).to_bytes(),
        lambda heads: Heads(heads.weight * np.nan, heads.bias).to_bytes(),
    ],
)
def test_heads_that_cannot_be_used_say_to_undo_them(analyzer: EmbeddedAnalyzer, make: Callable[[Heads], bytes]) -> None:
    with pytest.raises(ConfigurationError, match=r"[Uu]ndo"):
        load(heads=make(analyzer.heads))


def test_an_analyzer_that_does_not_learn_refuses_heads(analyzer: EmbeddedAnalyzer) -> None:
    with pytest.raises(ConfigurationError, match="lexicon"):
        build("lexicon", heads=analyzer.heads.to_bytes())


# The folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A copy of the shipped folder whose files may be replaced; the network is linked, for it is large."""
    for file in artefact.FOLDER.iterdir():
        if file.name == "model.onnx":
            (tmp_path / file.name).symlink_to(file)
        else:
            shutil.copy(file, tmp_path / file.name)
    yield tmp_path


@pytest.mark.parametrize("name", ["config.json", "heads.npz", "model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", [None, b"", b"version https://git-lfs.github.com/spec/v1\n"])
def test_a_missing_or_damaged_file_is_named(folder: Path, name: str, damage: bytes | None) -> None:
    (folder / name).unlink()
    if damage is not None:
        (folder / name).write_bytes(damage)
    with pytest.raises(ConfigurationError, match=name):
        open_folder(folder)


def _without_intent(config: dict[str, Any]) -> None:
    config["heads"] = [head for head in config["heads"] if head["key"] != "intent"]


def _with_a_new_label(config: dict[str, Any]) -> None:
    config["heads"][1]["labels"][0] = "astrology"


def _without_thresholds(config: dict[str, Any]) -> None:
    config["thresholds"]["aspects"] = [0.5]


def _without_version(config: dict[str, Any]) -> None:
    del config["version"]


def _with_fewer_labels(config: dict[str, Any]) -> None:
    config["heads"][4]["labels"] = ["0", "1", "2"]


@pytest.mark.parametrize(
    "change", [_without_intent, _with_a_new_label, _without_thresholds, _without_version, _with_fewer_labels]
)
def test_settings_that_do_not_fit_are_told(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    change(config)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ConfigurationError, match=r"config\.json|heads\.npz"):
        open_folder(folder)


def test_figures_may_be_absent(folder: Path) -> None:
    (folder / "figures.json").unlink()
    assert open_folder(folder).figures() == {}


def test_loading_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from nlp import build; build('embedded');"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'transformers', 'pandas', 'sqlalchemy', 'sklearn'}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def _spy(analyzer: EmbeddedAnalyzer, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    # What the network is asked, call by call.
    asked: list[list[str]] = []
    read = analyzer._network.read

    def spied(texts: Sequence[str]) -> Any:
        asked.append(list(texts))
        return read(texts)

    monkeypatch.setattr(analyzer._network, "read", spied)
    return asked

"""EmbeddedAnalyzer: one small multilingual transformer on this machine's processor, a pass a message, every tag with its p.

The folder is read in nlp/artefact.py, its network is run in nlp/network.py, what the word lists add is in nlp/word_cues.py;
here texts are prepared and vectors become answers. Nothing leaves the machine. A new tag is a new question of the folder and
a line in `_analysis`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.analysis import Analysis, ModelRef, Scored, Signals
from domain.contracts import Attribution
from domain.label import MAX_ASPECTS, MAX_SECONDARY, Field
from domain.mention import Mention
from nlp import artefact, languages, word_cues
from nlp.artefact import Artefact, Floats, Heads
from nlp.explain import Reading, attributions, place_of
from nlp.network import Network, open_network
from nlp.rating import with_ratings
from nlp.text import SCAN_HEAD, SCAN_TAIL, clip, mask, normalise

_SURROGATE = re.compile("[\ud800-\udfff]")
_MASKED = re.compile(r"@user\b|@mail\b|\bhttp\b")
_SAID = re.compile(
    r"[^\W\d_]|[:;=]'?-?[)(DPp/|*]|<3|\^\^"
    "|[\u203c\u2049\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]"
)
_FLAT_P = 0.94  # that a text which says nothing is neutral, and about nothing

Row = Mapping[str, NDArray[np.float64]]


def whole_text(title: str, text: str) -> str:
    """The text, after its title where the title says something else: what the model learnt to read."""
    title = title.strip()
    start = title.rstrip("….").lower()[:40]
    return f"{title}\n{text}" if start and not text.lower().startswith(start) else text


def prepare(text: str) -> str:
    """A raw text as the model sees it: whole characters, clipped, normalised, without handles, links and addresses."""
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return mask(normalise(clip(text)))


class EmbeddedAnalyzer:
    """Runs the shipped network under the shipped heads, or under heads that were learnt here.

    A text that is longer than the model reads keeps its first two thirds of tokens and the last third: complaints state
    the matter first and the wish last. Texts of over 8,000 characters keep 6,000 and 2,000 of them before that. A text
    without a letter, an emoji or a face is neutral, about nothing, and not asked about; texts that are equal once
    prepared are read once a call.
    """

    def __init__(self, folder: Artefact, network: Network, shipped: tuple[Heads, Floats], learnt: Heads | None) -> None:
        self.artefact = folder
        self.heads = learnt or shipped[0]
        self._network = network
        self._sketch = shipped[1].T
        version = f"{folder.version}+{learnt.digest}" if learnt else folder.version
        if folder.cues and folder.cues != word_cues.version():  # other lists, other answers
            version += f"~{word_cues.version().rpartition('.')[2]}"
        self._model = ModelRef(folder.name, version)

    @property
    def model(self) -> ModelRef:
        """The folder's name and version; where heads were learnt here, their digest too."""
        return self._model

    def figures(self) -> Mapping[str, Any]:
        """What was measured when the weights were made; see docs/training.md."""
        return artefact.read_figures(self.artefact.folder)

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        """One analysis a mention, in order; title and text are read together, stars only where there are no words."""
        raw = [whole_text(mention.title, mention.text) for mention in mentions]
        texts = [prepare(text) for text in raw]
        langs = [languages.identify(text, mention.lang_hint) for text, mention in zip(texts, mentions, strict=True)]
        asked = list(dict.fromkeys(text for text in texts if says_something(text)))
        tokens, features = self._read(asked)
        places = {text: place for place, text in enumerate(asked)}
        known = [place for place, text in enumerate(texts) if text in places]
        rows = self._rows([places[texts[place]] for place in known], [langs[place] for place in known], features)
        sketches = (features @ self._sketch).astype("<f2")
        answers = [self._flat(mention) for mention in mentions]
        for place, row in zip(known, rows, strict=True):
            at = places[texts[place]]
            count, unknown = tokens[at]
            if len(raw[place]) > SCAN_HEAD + SCAN_TAIL:
                count, unknown = self._network.count(mask(normalise(raw[place])))
            signals = Signals(count, unknown, sketches[at].tobytes())
            answers[place] = self._analysis(mentions[place], langs[place], row, signals)
        return with_ratings(mentions, answers)

    def features(self, texts: Sequence[str]) -> Floats:
        """The vector of each raw text, n x hidden, in their order, whatever they are; what heads are learnt on."""
        prepared = [prepare(text) for text in texts]
        asked = {text: place for place, text in enumerate(dict.fromkeys(prepared))}
        return self._read(list(asked))[1][[asked[text] for text in prepared]]

    def probabilities(self, texts: Sequence[str], langs: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Question -> n x labels for raw texts, calibrated as for these languages."""
        return self.artefact.probabilities(self.heads.logits(self.features(texts)), langs)

    def token_counts(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each raw text takes, its two marks left out."""
        return [self._network.count(prepare(text))[0] for text in texts]

    def explain(self, mention: Mention, field: Field, value: str) -> tuple[Attribution, ...]:
        """Which words of the text carried a tag (nlp/explain.py); () where the text says nothing: then no word did."""
        question, place = place_of({key: asked.labels for key, asked in self.artefact.questions.items()}, field, value)
        whole = whole_text(mention.title, mention.text)
        prepared = prepare(whole)
        if not says_something(prepared):
            return ()
        lang = languages.identify(prepared, mention.lang_hint)
        lead = whole.removesuffix(mention.text)

        def probabilities(texts: Sequence[str]) -> list[float]:
            found = self.probabilities([lead + text for text in texts], [lang] * len(texts))
            return [float(p) for p in found[question][:, place]]

        limit = self.artefact.max_tokens - self.token_counts([lead])[0]
        return attributions(mention.text, Reading(probabilities, self.token_counts, limit))

    def _read(self, texts: Sequence[str]) -> tuple[list[tuple[int, int]], Floats]:
        """Tokens and unknown tokens of prepared texts, and their vectors with what the word lists say beside them."""
        if not self.artefact.cues:
            return self._network.read(texts)
        with ThreadPoolExecutor(1) as aside:  # the network leaves Python to others while it thinks
            told = aside.submit(word_cues.cues, texts, self.artefact.questions)
            counts, vectors = self._network.read(texts)
            return counts, np.hstack([vectors, told.result()])

    def _rows(self, places: Sequence[int], langs: Sequence[str], features: Floats) -> Iterator[Row]:
        found = self.artefact.probabilities(self.heads.logits(features)[list(places)], langs)
        for number in range(len(places)):
            yield {key: table[number] for key, table in found.items()}

    def _analysis(self, mention: Mention, lang: str, row: Row, signals: Signals) -> Analysis:
        questions, low = self.artefact.questions, self.artefact.abstain_below
        mood = dict(zip(questions["sentiment"].labels, row["sentiment"].tolist(), strict=True))
        intent_place = int(row["intent"].argmax())
        intent = Scored(questions["intent"].labels[intent_place], float(row["intent"][intent_place]))
        unsure = max(mood.values()) < low.get("sentiment", 0) or intent.p < low.get("intent", 0)
        return Analysis(
            mention_id=mention.id,
            model=self._model,
            lang=lang,
            p_negative=mood["negative"],
            p_neutral=mood["neutral"],
            p_positive=mood["positive"],
            intent=intent,
            secondary=self._present(row, "secondary", MAX_SECONDARY, frozenset({intent.value, "other"})),
            aspects=self._present(row, "aspects", MAX_ASPECTS),
            urgency=int(questions["urgency"].labels[int(row["urgency"].argmax())]),
            churn=self._says_yes(row, "churn"),
            toxic=self._says_yes(row, "toxic"),
            irony=self._says_yes(row, "irony"),
            directed=self._says_yes(row, "directed"),
            uncertain=unsure,
            signals=signals,
        )

    def _present(self, row: Row, key: str, most: int, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Labels above their thresholds, the likeliest ones, in the order of the taxonomy."""
        labels, limits = self.artefact.questions[key].labels, self.artefact.thresholds[key]
        found = [
            (p, label)
            for label, p, limit in zip(labels, row[key].tolist(), limits, strict=True)
            if p >= limit and label not in without
        ]
        kept = {label for _, label in sorted(found, reverse=True)[:most]}
        return tuple(label for label in labels if label in kept)

    def _says_yes(self, row: Row, key: str) -> bool:
        return bool(row[key][0] >= self.artefact.thresholds[key][0])

    def _flat(self, mention: Mention) -> Analysis:
        return Analysis(
            mention_id=mention.id,
            model=self._model,
            lang=languages.UNKNOWN,
            p_negative=(1 - _FLAT_P) / 2,
            p_neutral=_FLAT_P,
            p_positive=(1 - _FLAT_P) / 2,
            intent=Scored("other", _FLAT_P),
        )


def says_something(text: str) -> bool:
    """Whether a prepared text holds a letter, an emoji or a face beside what was masked."""
    return bool(_SAID.search(_MASKED.sub(" ", text) if "@" in text or "http" in text else text))


def load(*, heads: bytes | None = None) -> EmbeddedAnalyzer:
    """The shipped analyzer, its network in memory.

    Args:
        heads: what was learnt here, as `Heads.to_bytes` wrote it; None: the heads that were shipped.

    Raises:
        ConfigurationError: a file of the model is missing or damaged, or the heads belong to another model.
    """
    return open_folder(artefact.FOLDER, heads=heads)


def open_folder(folder: Path, *, heads: bytes | None = None) -> EmbeddedAnalyzer:
    """The analyzer of any folder that holds a model of our kind; see `load`."""
    settings = artefact.read(folder)
    shipped, sketch = artefact.read_heads(folder)
    with ThreadPoolExecutor(1) as threads:  # what loads a model waits for the disk and lets others run
        warmed = threads.submit(languages.warm)
        network = open_network(folder, settings.max_tokens)
        warmed.result()
    width = network.width + (settings.logit_count if settings.cues else 0)
    if shipped.weight.shape != (settings.logit_count, width):
        raise artefact.damaged(folder / "heads.npz", f"{shipped.weight.shape} numbers do not fit the network")
    learnt = None if heads is None else Heads.from_bytes(heads)
    if learnt is not None:
        learnt.check_fit(shipped)
    return EmbeddedAnalyzer(settings, network, (shipped, sketch), learnt)

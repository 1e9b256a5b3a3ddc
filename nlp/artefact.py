"""The embedded model's folder as values: Artefact, its questions, its calibration, and Heads, the layer that answers.

Reads and checks `config.json`, `heads.npz` and `figures.json`; the network itself is run in nlp/network.py, and how the
folder is made is told in docs/training.md. A question (`Question`) is a row of config.json: to add one, train it there.
"""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.analysis import Sentiment
from domain.errors import ConfigurationError
from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY

Floats = NDArray[np.float32]

FOLDER = Path(__file__).with_name("weights")
ALL = "*"  # the row of a calibration table that serves all other languages
_TABLES = ("temperatures", "offsets", "thresholds", "abstain_below")
_MOST: Mapping[str, frozenset[str]] = {
    "sentiment": frozenset(sentiment.value for sentiment in Sentiment),
    "intent": frozenset(INTENT_BY_KEY),
    "secondary": frozenset(INTENT_BY_KEY),
    "aspects": frozenset(ASPECT_BY_KEY),
    "urgency": frozenset("0123"),
    **{flag: frozenset({flag}) for flag in ("churn", "toxic", "irony", "directed")},
}


class Kind(StrEnum):
    """How numbers become answers: one label of several, or each label for itself."""

    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that the model is asked.

    Attributes:
        start: where its logits begin among all.
    """

    key: str
    kind: Kind
    labels: tuple[str, ...]
    start: int

    @property
    def columns(self) -> slice:
        """Where its logits lie."""
        return slice(self.start, self.start + len(self.labels))


@dataclass(frozen=True, slots=True)
class Artefact:
    """What config.json says.

    Attributes:
        questions: question -> its row, in the order of the logits.
        temperatures: question -> language (or ``*``) -> divisor of its logits.
        offsets: question -> language (or ``*``) -> what is added to each logit, before the division.
        thresholds: question -> least probability of each label; questions of several answers.
        abstain_below: question -> probability under which a person should look.
        cues: which word lists speak beside the network (nlp/word_cues.py); empty where none do.
    """

    folder: Path
    name: str
    version: str
    max_tokens: int
    questions: Mapping[str, Question]
    temperatures: Mapping[str, Mapping[str, float]]
    offsets: Mapping[str, Mapping[str, Sequence[float]]]
    thresholds: Mapping[str, tuple[float, ...]]
    abstain_below: Mapping[str, float]
    cues: str = ""

    @property
    def logit_count(self) -> int:
        """Labels of all questions together."""
        return sum(len(question.labels) for question in self.questions.values())

    def probabilities(self, logits: Floats, langs: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Question -> n x labels, calibrated: shares that sum to 1, or for several answers each for itself."""
        return {key: self._calibrated(question, logits, langs) for key, question in self.questions.items()}

    def _calibrated(self, question: Question, logits: Floats, langs: Sequence[str]) -> NDArray[np.float64]:
        part = logits[:, question.columns].astype(np.float64)
        heat, shift = self.temperatures.get(question.key, {}), self.offsets.get(question.key, {})
        nothing = [0.0] * len(question.labels)
        divisors = np.asarray([heat.get(lang, heat.get(ALL, 1.0)) for lang in langs]).reshape(-1, 1)
        added = np.asarray([shift.get(lang, shift.get(ALL, nothing)) for lang in langs]).reshape(part.shape)
        part = (part + added) / divisors
        if question.kind is Kind.MANY:
            flags: NDArray[np.float64] = 1 / (1 + np.exp(-part))
            return flags
        raised = np.exp(part - part.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """The last layer: logits = features x weight, transposed, + bias. Replaced by what a retailer's own labels teach.

    Attributes:
        weight: logits x hidden.
        bias: logits.
    """

    weight: Floats
    bias: Floats

    def logits(self, features: Floats) -> Floats:
        """n x hidden -> n x logits."""
        found: Floats = features @ self.weight.T + self.bias
        return found

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that tell two layers apart; the same numbers give the same digits."""
        numbers = self.weight.astype("<f4").tobytes() + self.bias.astype("<f4").tobytes()
        return blake2b(numbers, digest_size=4).hexdigest()

    def to_bytes(self) -> bytes:
        """As a file of numpy's own kind (npz)."""
        out = io.BytesIO()
        np.savez(out, weight=self.weight, bias=self.bias)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Heads":
        """What `to_bytes` wrote.

        Raises:
            ConfigurationError: it is something else, or damaged.
        """
        arrays = _arrays(data, ("weight", "bias"), "The learnt heads")
        weight, bias = arrays["weight"].astype(np.float32), arrays["bias"].astype(np.float32)
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or not np.isfinite(weight).all():
            raise ConfigurationError("The learnt heads do not fit together. Undo them, or learn again.")
        return cls(weight, bias)

    def check_fit(self, other: "Heads") -> None:
        """Raises ConfigurationError where these heads were learnt for another network than that of `other`."""
        if self.weight.shape != other.weight.shape:
            raise ConfigurationError(
                f"The learnt heads have {self.weight.shape} numbers where the model needs {other.weight.shape}: "
                "they were learnt on another model. Undo them, or learn again."
            )


def read(folder: Path = FOLDER) -> Artefact:
    """The settings of a model's folder.

    Raises:
        ConfigurationError: a file is missing or damaged, or speaks of labels that we do not have.
    """
    config = _json(folder / "config.json")
    try:
        questions, start = {}, 0
        for row in config["heads"]:
            question = Question(row["key"], Kind(row["kind"]), tuple(row["labels"]), start)
            questions[question.key], start = question, start + len(question.labels)
        found = Artefact(
            folder=folder,
            name=str(config["name"]),
            version=str(config["version"]),
            max_tokens=int(config["max_tokens"]),
            cues=str(config.get("cues", "")),
            questions=questions,
            thresholds={key: tuple(limits) for key, limits in config["thresholds"].items()},
            **{name: config[name] for name in _TABLES if name != "thresholds"},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(folder / "config.json", f"{type(error).__name__}: {error}") from error
    _check_labels(found)
    return found


def read_heads(folder: Path = FOLDER) -> tuple[Heads, Floats]:
    """The heads that were shipped, and the projection (numbers x hidden) that makes a sketch.

    Raises:
        ConfigurationError: the file is missing or damaged.
    """
    path = folder / "heads.npz"
    arrays = _arrays(_bytes(path), ("weight", "bias", "sketch"), str(path))
    heads = Heads(arrays["weight"].astype(np.float32), arrays["bias"].astype(np.float32))
    return heads, arrays["sketch"].astype(np.float32)


def read_figures(folder: Path = FOLDER) -> dict[str, Any]:
    """What was measured when the model was made; {} where nothing was written down."""
    path = folder / "figures.json"
    return _json(path) if path.exists() else {}


def _check_labels(artefact: Artefact) -> None:
    path = artefact.folder / "config.json"
    for key, known in _MOST.items():
        question = artefact.questions.get(key)
        if question is None or not set(question.labels) <= known:
            raise damaged(path, f"the question “{key}” is missing or has labels that Comptoir does not know")
        if question.kind is Kind.MANY and len(artefact.thresholds.get(key, ())) != len(question.labels):
            raise damaged(path, f"“{key}” needs a threshold a label")


def damaged(path: Path, reason: str) -> ConfigurationError:
    """What to raise where a file of the folder cannot be used."""
    return ConfigurationError(
        f"The model's file {path} cannot be used ({reason}). Nothing was analysed: install Comptoir again, "
        "or set COMPTOIR_ANALYZER=lexicon meanwhile."
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise damaged(path, error.strerror or "unreadable") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(path))
    except ValueError as error:
        raise damaged(path, "not JSON") from error
    if not isinstance(found, dict):
        raise damaged(path, "not a JSON object")
    return found


def _arrays(data: bytes, names: Sequence[str], what: str) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (ValueError, OSError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"{what} cannot be read ({type(error).__name__}). Install Comptoir again, or undo what was learnt."
        ) from error

"""The gold set: vectors of labelled messages that the shipped model never learnt from, with the right answers.

It travels with the weights (`gold.npz`), as vectors and numbers: no text is in it. What is learnt from a retailer's labels
replays it, and must not do worse on it; see nlp/learn.py. A question that is added to the model adds its columns here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.label import LabelValue
from nlp.artefact import FOLDER, Floats, Kind, Question, damaged

Numbers = NDArray[np.int64]
UNKNOWN = -1
FILE = "gold.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Gold:
    """Labelled messages as the network sees them.

    Attributes:
        features: n x hidden.
        answers: question -> n x 1 class numbers, or n x labels of 0 and 1; -1 where nobody said.
        langs: language of each message.
    """

    features: Floats
    answers: Mapping[str, Numbers]
    langs: NDArray[np.str_]

    def languages(self) -> Iterator[str]:
        """Each language once, in alphabetical order."""
        yield from sorted(set(self.langs.tolist()))


def width(question: Question) -> int:
    """Columns that the answer to a question takes."""
    return 1 if question.kind is Kind.ONE else len(question.labels)


def encode(question: Question, value: LabelValue) -> list[int] | None:
    """An answer as the columns of its question; None where the model does not know the label."""
    if question.kind is Kind.ONE:
        return [question.labels.index(str(value))] if str(value) in question.labels else None
    if isinstance(value, tuple):
        return [int(label in value) for label in question.labels] if set(value) <= set(question.labels) else None
    return [int(value)] if isinstance(value, bool) else None


def read(questions: Mapping[str, Question], folder: Path = FOLDER) -> Gold:
    """The gold set of a model's folder.

    Args:
        questions: of the same folder, in the order of the logits, which is that of the columns too.

    Raises:
        ConfigurationError: the file is missing, damaged, or made for other questions.
    """
    path = folder / FILE
    try:
        with np.load(path, allow_pickle=False) as stored:
            features, targets, langs = stored["features"], stored["targets"], stored["langs"]
    except OSError as error:
        raise damaged(path, error.strerror or "unreadable") from error
    except (ValueError, KeyError, EOFError) as error:
        raise damaged(path, "not a gold set") from error
    columns = sum(width(question) for question in questions.values())
    if targets.shape != (len(features), columns) or langs.shape != (len(features),):
        raise damaged(path, f"{targets.shape} answers do not fit the model's {columns} columns")
    answers, start = {}, 0
    for key, question in questions.items():
        answers[key] = targets[:, start : start + width(question)].astype(np.int64)
        start += width(question)
    return Gold(features.astype(np.float32), answers, langs)

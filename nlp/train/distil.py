"""A smaller student that listens to a larger teacher: layers taken from the teacher, its answers and its vector as targets.

Besides its own labels each row asks the student for what the teacher says of the same tokens: softened answers of every
head, and the direction of the vector. Rows without any label (`unlabelled`) teach in this way alone. Sources: Hinton et
al. 2015, "Distilling the Knowledge in a Neural Network"; Sanh et al. 2019, "DistilBERT" (layers taken over).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from nlp.embedded import prepare
from nlp.folds import text_key
from nlp.train.data import Part, Row, read_lines
from nlp.train.heads import HEADS, Kind, slices
from nlp.train.model import Network

UNLABELLED = "unlabelled"
ALL = frozenset(head.key for head in HEADS)
_SOFTNESS = 2.0  # temperature at which answers are compared
_VECTOR = 1.0  # weight of the direction of the vector
_STREAMS = ("twacs_unlabelled.jsonl.gz", "trustpilot_fr_services.jsonl.gz", "trustpilot_fr_ecommerce.jsonl.gz")


@dataclass(frozen=True, slots=True)
class Teacher:
    """A fine-tuned network that is asked, not taught.

    Attributes:
        share: weight of its word against the labels.
        heads: questions that it is asked; with all of them, the direction of its vector counts too.
        partly: it speaks only of rows that lack some answer: what is labelled throughout, a person knows better.
    """

    network: Network
    share: float = 1.0
    heads: frozenset[str] = ALL
    partly: bool = False

    def asked(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and vectors of a batch."""
        with torch.no_grad():
            features = self.network.features(ids, lengths)
            return self.network.answers(features).float(), features.float()


def student_of(teacher: Network, layers: Sequence[int]) -> Network:
    """A network with some of the teacher's layers, and its answers."""
    student = Network(replace(teacher.sizes, layers=len(layers)))
    state = student.state_dict()
    for name, values in teacher.state_dict().items():
        if not name.startswith("layers."):
            state[name] = values
    for place, number in enumerate(layers):
        prefix = f"layers.{number}."
        for name, values in teacher.layers.state_dict(prefix="layers.").items():
            if name.startswith(prefix):
                state[f"layers.{place}." + name.removeprefix(prefix)] = values
    student.load_state_dict({name: values.clone() for name, values in state.items()})
    return student


def disagreement(logits: Tensor, features: Tensor, told: tuple[Tensor, Tensor], heads: frozenset[str] = ALL) -> Tensor:
    """How far the student is from the teacher, summed over rows; 0 where they agree.

    Args:
        logits: n x logits of all heads.
        features: n x hidden.
        told: the teacher's logits and vectors for the same rows.
        heads: questions that count; with all of them, the direction of the vector counts too.
    """
    wanted, direction = told
    total = logits.new_zeros(())
    if heads == ALL:
        total = total + _VECTOR * (1 - functional.cosine_similarity(features.float(), direction)).sum()
    for head, part in zip(HEADS, slices().values(), strict=True):
        if head.key not in heads:
            continue
        mine, theirs = logits[:, part] / _SOFTNESS, wanted[:, part] / _SOFTNESS
        if head.kind is Kind.ONE:
            gap = functional.kl_div(mine.log_softmax(-1), theirs.log_softmax(-1), log_target=True, reduction="sum")
        else:
            shares = theirs.sigmoid()
            floor = functional.binary_cross_entropy_with_logits(theirs, shares, reduction="sum")
            gap = functional.binary_cross_entropy_with_logits(mine, shares, reduction="sum") - floor
        total = total + head.weight * _SOFTNESS**2 * gap / (1 if head.kind is Kind.ONE else 4)
    return total


def unlabelled(folder: Path, rows: Iterable[Row]) -> list[Row]:
    """Texts of the unlabelled streams that stand nowhere among `rows`, each once."""
    seen = {text_key(row.text) for row in rows}
    found = []
    for name in _STREAMS:
        for line in read_lines(folder / name):
            text = prepare(str(line["text"]))
            key = text_key(text)
            if text and key not in seen:
                seen.add(key)
                found.append(Row(text, line["lang"], Part.TRAIN, UNLABELLED))
    return found

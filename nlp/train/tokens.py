"""Texts -> padded rows of token numbers: cut with both ends kept, sorted by length, in batches.

Cut as at run time, by `nlp.network.cut`.
"""

import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nlp.network import cut

MAX_TOKENS = 96  # in training; the exported model takes as many as it has positions


def load_tokenizer(folder: Path) -> Any:
    """The `tokenizers.Tokenizer` of a folder."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token rows -> n x longest, and the length of each."""
    lengths = torch.tensor([len(row) for row in rows])
    ids = torch.ones(len(rows), int(lengths.max()), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
    return ids, lengths


@dataclass(frozen=True, slots=True)
class Batch:
    """Places of the texts in what was given, and their tokens."""

    places: list[int]
    ids: Tensor
    lengths: Tensor


def batches(tokenizer: Any, texts: Sequence[str], size: int = 64, limit: int = MAX_TOKENS) -> Iterator[Batch]:
    """All texts, the shortest first."""
    rows = [cut(encoding.ids, limit) for encoding in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    for start in range(0, len(order), size):
        places = order[start : start + size]
        yield Batch(places, *pad([rows[place] for place in places]))


_MARKS = re.compile("[\u0300-\u036f]")


def vary(text: str, source: str, dice: random.Random) -> str:
    """Sometimes the text as a hurried hand would type it: lower case, no accents, no marks at the end.

    Written messages are varied more often: they are tidier than real ones.
    """
    rate = 0.35 if source == "written" else 0.08
    if dice.random() < rate:
        text = text.lower()
    if dice.random() < rate:
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    if dice.random() < rate:
        text = text.rstrip(" .!")
    return text


def thin(ids: list[int], share: float, dice: random.Random) -> list[int]:
    """The tokens without a random share of them, so that no single word decides; the two marks stay."""
    if len(ids) < 6:
        return ids
    return [ids[0], *(token for token in ids[1:-1] if dice.random() >= share), ids[-1]]

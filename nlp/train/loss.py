"""The multi-task loss: each row trains the heads that it has an answer for, in proportion to the trust in it.

Targets travel as one tensor with a column a label (`MANY`) or a class number (`ONE`), -1 where nothing is known.
"""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from nlp.train.data import Row
from nlp.train.heads import HEADS, Kind, slices

_MANY_SCALE = 0.5  # a sum over labels is larger than one cross-entropy
_RARE_POWER = 0.3
TARGET_COLUMNS = sum(1 if head.kind is Kind.ONE else len(head.labels) for head in HEADS)


def targets(rows: Sequence[Row]) -> Tensor:
    """Rows -> n x `TARGET_COLUMNS`."""
    table = torch.full((len(rows), TARGET_COLUMNS), -1, dtype=torch.long)
    for place, row in enumerate(rows):
        column = 0
        for head in HEADS:
            width = 1 if head.kind is Kind.ONE else len(head.labels)
            if head.key in row.targets:
                table[place, column : column + width] = torch.tensor(row.targets[head.key])
            column += width
    return table


def rare_weights(rows: Sequence[Row]) -> Tensor:
    """Weight of each intent: rare ones in our own labels count a little more, within 0.6..2.5."""
    head = next(head for head in HEADS if head.key == "intent")
    own = (row for row in rows if row.source.startswith("ours") or row.source == "written")
    counts = Counter(row.targets["intent"] for row in own if "intent" in row.targets)
    total = sum(counts.values()) or 1
    shares = [max(1, counts[number]) / total for number in range(len(head.labels))]
    even = 1 / len(head.labels)
    return torch.tensor([min(2.5, max(0.6, (even / share) ** _RARE_POWER)) for share in shares])


def multitask(logits: Tensor, wanted: Tensor, trust: Tensor, intent_weights: Tensor) -> Tensor:
    """Sum over rows and heads; divide by the size of the batch.

    Args:
        logits: n x logits of all heads.
        wanted: n x `TARGET_COLUMNS`, as `targets` gives it.
        trust: n weights, 0..1.
    """
    total = logits.new_zeros(())
    column = 0
    for head, part in zip(HEADS, slices().values(), strict=True):
        if head.kind is Kind.ONE:
            gold = wanted[:, column]
            column += 1
            known = gold >= 0
            if known.any():
                weights = intent_weights if head.key == "intent" else None
                losses = functional.cross_entropy(
                    logits[known, part], gold[known], weight=weights, reduction="none", label_smoothing=head.smoothing
                )
                total = total + head.weight * (losses * trust[known]).sum()
        else:
            flags = wanted[:, column : column + len(head.labels)]
            column += len(head.labels)
            known = flags >= 0
            if known.any():
                losses = functional.binary_cross_entropy_with_logits(
                    logits[:, part], flags.clamp(min=0).to(logits.dtype), reduction="none"
                )
                total = total + _MANY_SCALE * head.weight * (losses * known * trust[:, None]).sum()
    return total

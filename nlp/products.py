"""Products of matrices in pieces so small that no library starts threads for them.

A fit makes thousands of small products. Threads gain nothing on them, and where other programs keep the processor busy they
wait for each other ten times longer than they work; nor do results depend on the number of cores here.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_MOST = 200_000  # multiplications of one piece; OpenBLAS starts threads from 262,144 on


def product(left: Array, right: Array) -> Array:
    """left @ right."""
    piece = max(1, _MOST // max(1, right.size))
    whole = len(left) // piece * piece
    body = (left[:whole].reshape(-1, piece, left.shape[1]) @ right).reshape(whole, right.shape[1])
    return body if whole == len(left) else np.concatenate([body, left[whole:] @ right])


def crossed(left: Array, right: Array) -> Array:
    """left, transposed, @ right."""
    wide, deep = left.shape[1], right.shape[1]
    piece = max(1, _MOST // max(1, wide * deep))
    whole = len(left) // piece * piece
    pieces = left[:whole].reshape(-1, piece, wide).transpose(0, 2, 1) @ right[:whole].reshape(-1, piece, deep)
    found: Array = pieces.sum(axis=0) + left[whole:].T @ right[whole:]
    return found

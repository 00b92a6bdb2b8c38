"""What the labels of a picture's neighbours say."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray

_BLOCK_ELEMENTS = 4_000_000


def voters(neighbours: IntArray, codes: IntArray, groups: IntArray) -> BoolArray:
    """Which of the `neighbours` i64 [N, k] have a vote, bool [N, k]: those with a label that are another picture.

    A copy of a picture, which has the same group, is as wrong as the picture itself.
    """
    votes: BoolArray = (codes[neighbours] >= 0) & (groups[neighbours] != groups[:, None])
    return votes


def shares(rows: IntArray, neighbours: IntArray, votes: BoolArray, codes: IntArray, n_classes: int) -> FloatArray:
    """The part of the votes that each class gets, f32 [n, K]; all 0 where nobody votes. Every vote counts alike."""
    found = np.zeros((len(rows), n_classes), np.float32)
    cast = votes[rows]
    place, which = np.nonzero(cast)
    np.add.at(found, (place, codes[neighbours[rows]][place, which]), 1.0)
    found /= np.maximum(cast.sum(1, keepdims=True), 1)
    return found


def ambiguity(neighbours: IntArray, votes: BoolArray, codes: IntArray, n_classes: int) -> FloatArray:
    """How mixed the labels of each picture's neighbours are, f32 [N] 0…1; NaN where none of them has a label.

    The entropy of the labels among its m labelled neighbours, divided by the largest that m labels of K kinds can have,
    log min(m, K). 0: all have one label, whether it is the picture's own or not.
    """
    n, k = neighbours.shape
    counts = votes.sum(1)
    entropy = np.zeros(n)
    block = max(1, _BLOCK_ELEMENTS // max(k * k, 1))
    for start in range(0, n, block):
        part = slice(start, start + block)
        own, cast = codes[neighbours[part]], votes[part]
        # −Σ p log p over kinds is −1/m Σ log p over votes, p being the part of the votes that are like this one.
        alike = ((own[:, :, None] == own[:, None, :]) & cast[:, None, :]).sum(2)
        logs = np.log(np.maximum(alike, 1) / np.maximum(counts[part, None], 1))
        entropy[part] = -(logs * cast).sum(1) / np.maximum(counts[part], 1)
    largest = np.log(np.maximum(np.minimum(counts, n_classes), 2))
    found = np.clip(entropy / largest, 0.0, 1.0)
    return np.where(counts > 0, found, np.nan).astype(np.float32)

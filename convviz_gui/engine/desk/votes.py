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


def ambiguity(neighbours: IntArray, votes: BoolArray, codes: IntArray) -> FloatArray:
    """How mixed the labels of each picture's neighbours are, f32 [N] 0…1; NaN where fewer than two have a vote.

    The chance that two of its neighbours, drawn at random, have different labels (Gini and Simpson's index, unbiased):
    0 where all have one label, be it the picture's own or not, half where two labels share them, 1 where all differ.
    """
    n, k = neighbours.shape
    counts = votes.sum(1)
    alike = np.zeros(n, np.int64)
    block = max(1, _BLOCK_ELEMENTS // max(k * k, 1))
    for start in range(0, n, block):
        part = slice(start, start + block)
        own, cast = codes[neighbours[part]], votes[part]
        pairs = (own[:, :, None] == own[:, None, :]) & cast[:, :, None] & cast[:, None, :]
        alike[part] = pairs.sum((1, 2))
    # Of the m² pairs of votes m are of one with itself.
    drawn = np.maximum(counts * (counts - 1), 1)
    return np.where(counts > 1, 1 - (alike - counts) / drawn, np.nan).astype(np.float32)

"""The nearest neighbours of one picture among millions on disk: exact, in one pass over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from convviz_gui.engine.embedded.opened import Opened
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray

_ELEMENTS = 24_000
"""Numbers at once: so few that torch works on them in the thread that has read them, and they stay in its cache."""

Found = tuple[IntArray, NDArray[np.float64]]
"""Rows i64 and squared distances f64."""


def nearest_on_disk(opened: Opened, query: FloatArray, k: int, leave_out: int = -1) -> Steps[Found]:
    """Row numbers i64 [k] and Euclidean distances f64 [k] of the k nearest rows to `query` f32 [D], nearest first.

    Of equally distant rows the one with the lower number comes first; row `leave_out` is none of them. Differences are
    taken in float32, where nothing cancels, and what may be among the nearest is measured again in float64. Memory is
    that of three row groups. Yields after each.
    """
    # One more than asked for, since the row itself may be among them.
    best = _Best(np.array(query, np.float32), k + 1)
    rows, squares = np.zeros(0, np.int64), np.zeros(0)
    for start, (found, measured) in opened.each(best.of):
        kept = found + start != leave_out
        rows = np.concatenate([rows, found[kept] + start])
        squares = np.concatenate([squares, measured[kept]])
        order = np.lexsort((rows, squares))[:k]
        rows, squares = rows[order], squares[order]
        yield Update(min(start + opened.groups[0].rows, len(opened)), len(opened), "finding neighbours")
    return rows, np.sqrt(squares)


class _Best:
    """Finds the k rows nearest to a point in a block, and those that are as near."""

    def __init__(self, query: FloatArray, k: int) -> None:
        self._query, self._k = query, k
        # A sum of D squares of differences, each rounded: so far the smaller of two may be the larger.
        self._doubt = 1.0 + (2 * len(query) + 16) * 2.0**-23

    def of(self, values: NDArray[Any]) -> Found:
        """Rows of `values` [n, D] in ascending order, at least k of them if there are as many."""
        rough = self._rough(values)
        kth = np.partition(rough, self._k - 1)[self._k - 1] if len(rough) > self._k else np.inf
        rows = np.flatnonzero(rough <= np.float64(kth) * self._doubt)
        differences = values[rows].astype(np.float64) - self._query.astype(np.float64)
        return rows, np.square(differences).sum(axis=1)

    def _rough(self, values: NDArray[Any]) -> NDArray[np.float32]:
        point = torch.from_numpy(self._query)
        step = max(1, _ELEMENTS // len(point))
        room = torch.empty((step, len(point)))
        squares = torch.empty(len(values))
        for start in range(0, len(values), step):
            # What Arrow has read may not be written to, and torch warns of it.
            block = torch.from_numpy(values[start : start + step].copy())
            differences = room[: len(block)].copy_(block).sub_(point).square_()
            torch.sum(differences, 1, out=squares[start : start + len(block)])
        found: NDArray[np.float32] = squares.numpy()
        return found

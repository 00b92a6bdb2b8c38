"""The lowest numbers of each row of a matrix that is seen one tile at a time."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from convviz_gui.engine.payloads import FloatArray, IntArray

_MANY = 24
"""Hits in a row of a tile, on average, from which on sorting the whole tile is cheaper."""


class Lowest:
    """The `width` lowest of each of `n` rows so far: `values` f32 [n, width] in no order, and their `columns` i64.

    Whatever was offered and is not among them is at least as large as their largest.
    """

    def __init__(self, n: int, width: int) -> None:
        self.values = np.full((n, width), np.inf, np.float32)
        self.columns = np.zeros((n, width), np.int64)
        self._worst = np.full(n, np.inf, np.float32)

    def offer(self, rows: slice, columns: slice, tile: Tensor, *, turned: bool = False) -> None:
        """See a tile f32 [rows, columns]; or, `turned`, [columns, rows]."""
        worst = self._worst[rows]
        hits = np.flatnonzero(tile.numpy() < (worst[None, :] if turned else worst[:, None]))
        if len(hits) > _MANY * len(worst):
            sheet = tile.T.contiguous() if turned else tile
            best = sheet.topk(min(self.values.shape[1], sheet.shape[1]), dim=1, largest=False, sorted=False)
            every = np.arange(rows.start, rows.stop)
            self._merge(every, best.values.numpy(), best.indices.numpy() + columns.start)
        elif len(hits):
            first, second = np.divmod(hits, tile.shape[1])
            values = tile.numpy().ravel()[hits]
            if turned:
                order = np.argsort(second, kind="stable")
                first, second, values = second[order], first[order], values[order]
            self._merge(*_padded(first + rows.start, values, second + columns.start))

    def _merge(self, rows: IntArray, values: FloatArray, columns: IntArray) -> None:
        width = self.values.shape[1]
        values = np.concatenate([self.values[rows], values], axis=1)
        columns = np.concatenate([self.columns[rows], columns], axis=1)
        best = np.argpartition(values, width - 1, axis=1)[:, :width]
        self.values[rows] = values = np.take_along_axis(values, best, 1)
        self.columns[rows] = np.take_along_axis(columns, best, 1)
        self._worst[rows] = values.max(axis=1)


def _padded(rows: IntArray, values: FloatArray, columns: IntArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Hits in ascending rows as rectangles [rows that have any, most of one row], filled up with infinity."""
    found, starts, counts = np.unique(rows, return_index=True, return_counts=True)
    line = np.repeat(np.arange(len(found)), counts)
    slot = np.arange(len(rows)) - np.repeat(starts, counts)
    wide = np.full((len(found), int(counts.max())), np.inf, np.float32)
    places = np.zeros(wide.shape, np.int64)
    wide[line, slot] = values
    places[line, slot] = columns
    return found, wide, places

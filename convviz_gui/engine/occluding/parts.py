"""Parts of maps: cut out of the map as it was, with what a window has changed put over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.occluding.extents import Region
from convviz_gui.engine.payloads import IntArray

Dims = tuple[int, int] | None


def to_rows(x: Tensor, dims: Dims) -> Tensor:
    """A value with rows and columns in the axes `dims`, [n, ..., h, w, ...], as a matrix [n·h·w, R] of positions."""
    if dims is None:
        return x
    rest = [axis for axis in range(1, x.ndim) if axis not in dims]
    return x.permute(0, *dims, *rest).reshape(x.shape[0] * x.shape[dims[0]] * x.shape[dims[1]], -1)


def from_rows(rows: Tensor, dims: Dims, n: int, height: int, width: int, rest: Sequence[int]) -> Tensor:
    """The inverse of `to_rows`; `rest` are the sizes of the axes that hold neither pictures, rows nor columns."""
    if dims is None:
        return rows
    spread = rows.reshape(n, height, width, *rest)
    others = list(range(3, spread.ndim))
    order = [0, *others[: dims[0] - 1], 1, 2, *others[dims[0] - 1 :]]
    return spread.permute(order)


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """A value as it is without any window: `rows` [H·W + 1, R], the last one what lies beyond the map."""

    rows: Tensor
    height: int
    width: int


def map_of(value: Tensor, dims: Dims, size: tuple[int, int], beyond: float) -> Map:
    """The map of a value for a single picture."""
    rows = to_rows(value, dims)
    return Map(torch.cat([rows, rows.new_full((1, rows.shape[1]), beyond)]), *size)


def cut(whole: Map, part: Region, rows: IntArray, cols: IntArray) -> Tensor:
    """The parts of the map [n·h·w, R] that belong to n windows; `rows` and `cols` i64 [n] tell which."""
    down = _inside(part.top[rows], part.height, whole.height)
    along = _inside(part.left[cols], part.width, whole.width)
    index = down[:, :, None] * whole.width + along[:, None, :]
    beyond = (down < 0)[:, :, None] | (along < 0)[:, None, :]
    index[beyond] = whole.height * whole.width
    return whole.rows.index_select(0, _on(index, whole.rows))


def put_over(base: Tensor, part: Region, patch: Tensor, place: Region, rows: IntArray, cols: IntArray) -> None:
    """Write a patch [n·h·w, R] that lies at `place` over parts [n·h·w, R] cut out at `part`, where these hold it."""
    down = place.top[rows, None] + np.arange(place.height) - part.top[rows, None]
    along = place.left[cols, None] + np.arange(place.width) - part.left[cols, None]
    inside = ((down >= 0) & (down < part.height))[:, :, None] & ((along >= 0) & (along < part.width))[:, None, :]
    n = np.arange(len(rows))[:, None, None]
    index = (n * part.height + down[:, :, None]) * part.width + along[:, None, :]
    if inside.all():
        if (down == down[0]).all() and (along == along[0]).all():
            # Everywhere the same: a rectangle can be copied as one.
            shape = len(rows), part.height, part.width, -1
            top, left = int(down[0, 0]), int(along[0, 0])
            target = base.view(shape)[:, top : top + place.height, left : left + place.width]
            target.copy_(patch.view(len(rows), place.height, place.width, -1))
        else:
            base.index_copy_(0, _on(index, base), patch)
        return
    kept = np.flatnonzero(inside)
    base.index_copy_(0, _on(index[inside], base), patch.index_select(0, _on(kept, patch)))


def _inside(start: IntArray, length: int, size: int) -> IntArray:
    """Positions i64 [n, length] from `start` on; −1 where they are outside 0…size − 1."""
    at: IntArray = start[:, None] + np.arange(length, dtype=np.int64)
    at[(at < 0) | (at >= size)] = -1
    return at


def _on(index: IntArray, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(index).reshape(-1)).to(like.device)

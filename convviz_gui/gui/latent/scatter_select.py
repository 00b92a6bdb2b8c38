"""Which points a frame drawn around them holds, and how frames are put together. No Qt here."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import BoolArray, IntArray
from convviz_gui.gui.latent.scatter_places import Bounds, Places

_CELLS = 512
_CHUNK = 2_000_000


class Combine(StrEnum):
    """What becomes of the selection there was."""

    REPLACE = "replace"
    ADD = "add"
    SUBTRACT = "subtract"


def in_rectangle(places: Places, box: Bounds, dimmed: BoolArray) -> IntArray:
    """Rows i64, ascending, of the points in a rectangle, its edges included, that are not `dimmed` [N]."""
    return places.within(box, dimmed)


def in_polygon(places: Places, corners: NDArray[np.float64], dimmed: BoolArray) -> IntArray:
    """Rows i64, ascending, of the points inside a polygon f64 [K, 2], closed by itself, that are not `dimmed` [N].

    Where the line crosses itself, inside is what is surrounded an odd number of times.
    """
    if len(corners) < 3:
        return np.zeros(0, np.int64)
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    if not (x1 > x0 and y1 > y0):
        return np.zeros(0, np.int64)
    rows = places.within(Bounds(x0, y0, x1, y1), dimmed)
    x, y = places.x[rows].astype(np.float64), places.y[rows].astype(np.float64)
    held: IntArray = rows[_surrounded(x, y, corners) if len(rows) * len(corners) > _CHUNK else inside(x, y, corners)]
    return held


def _surrounded(x: NDArray[np.float64], y: NDArray[np.float64], corners: NDArray[np.float64]) -> BoolArray:
    """What `inside` tells, of many points in the polygon's rectangle."""
    (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    # Most points lie in cells that the line does not touch, which are inside or outside as a whole.
    size = np.array([x1 - x0, y1 - y0]) / _CELLS
    scaled = (corners - [x0, y0]) / size
    filled, touched = _filled(scaled), _touched(scaled)
    column = ((x - x0) / size[0]).astype(np.int64).clip(0, _CELLS - 1)
    cell = ((y - y0) / size[1]).astype(np.int64).clip(0, _CELLS - 1) * _CELLS + column
    taken: BoolArray = filled.ravel()[cell]
    near = np.flatnonzero(touched.ravel()[cell])
    taken[near] = inside(x[near], y[near], corners)
    return taken


def inside(x: NDArray[np.float64], y: NDArray[np.float64], corners: NDArray[np.float64]) -> BoolArray:
    """Which points f64 [N] a polygon f64 [K, 2] surrounds an odd number of times."""
    odd = np.zeros(len(x), np.bool_)
    step = max(_CHUNK // len(corners), 1)
    ax, ay = corners.T
    bx, by = np.roll(corners, -1, axis=0).T
    level = ay == by
    slope = np.where(level, 0.0, (bx - ax) / np.where(level, 1.0, by - ay))
    for first in range(0, len(x), step):
        px, py = x[first : first + step, None], y[first : first + step, None]
        crossed = ((ay > py) != (by > py)) & (px < ax + (py - ay) * slope)
        odd[first : first + step] = np.count_nonzero(crossed, axis=1) % 2 == 1
    return odd


def _filled(corners: NDArray[np.float64]) -> BoolArray:
    """Cells bool [_CELLS, _CELLS], y first, whose middle is inside; `corners` in cells."""
    middle = np.arange(_CELLS) + 0.5
    ax, ay = corners.T[:, :, None]
    bx, by = np.roll(corners, -1, axis=0).T[:, :, None]
    edge, line = np.nonzero((ay > middle) != (by > middle))
    ax, ay, bx, by = ax[edge, 0], ay[edge, 0], bx[edge, 0], by[edge, 0]
    crossing = ax + (middle[line] - ay) * (bx - ax) / (by - ay)
    # A crossing turns over every cell to its left; the first column to the right of it does not change.
    until = np.ceil(crossing - 0.5).astype(np.int64).clip(0, _CELLS)
    turns = np.bincount(line * (_CELLS + 1) + until, minlength=_CELLS * (_CELLS + 1)).reshape(_CELLS, _CELLS + 1)
    filled: BoolArray = np.cumsum(turns[:, ::-1], axis=1)[:, ::-1][:, 1:] % 2 == 1
    return filled


def _touched(corners: NDArray[np.float64]) -> BoolArray:
    """Cells bool [_CELLS, _CELLS], y first, that the line may pass through, and those beside them."""
    ahead = np.roll(corners, -1, axis=0) - corners
    steps = np.maximum(np.ceil(np.abs(ahead).max(axis=1) * 2), 1).astype(np.int64)
    edge = np.repeat(np.arange(len(corners)), steps)
    along = (np.arange(len(edge)) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[edge]
    on = (corners[edge] + ahead[edge] * along[:, None]).astype(np.int64).clip(0, _CELLS - 1)
    marked = np.zeros((_CELLS + 2, _CELLS + 2), np.bool_)
    for dx in range(3):
        for dy in range(3):
            marked[on[:, 1] + dy, on[:, 0] + dx] = True
    return marked[1:-1, 1:-1]


def combined(selected: BoolArray, framed: IntArray, *, extend: bool) -> tuple[IntArray, Combine]:
    """The selection that a frame makes of another one, bool [N]: rows, ascending, and how.

    Alone, a frame selects what it holds. To `extend`, it adds; if all it holds is already selected, it takes it away.
    """
    if not extend:
        return framed, Combine.REPLACE
    result = selected.copy()
    subtract = bool(len(framed)) and bool(selected[framed].all())
    result[framed] = not subtract
    return np.flatnonzero(result), Combine.SUBTRACT if subtract else Combine.ADD

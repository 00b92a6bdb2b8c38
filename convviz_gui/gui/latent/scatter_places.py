"""Where points are: their bounds, how crowded they are, and which of them are near a place. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.ma  # numpy.unique imports it else, while the window waits
from numpy.typing import NDArray

from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray
from convviz_gui.gui.latent.scatter_index import GridIndex

_GREATEST = float(np.finfo(np.float32).max)
_CROWD_SAMPLE, _CROWD_CELLS, _CROWD_POWER = 20_000, 48, 0.9


class Bounds(NamedTuple):
    """A rectangle in the plane, y up."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def span(self) -> float:
        """The longer side."""
        return max(self.x1 - self.x0, self.y1 - self.y0)


NOWHERE = Bounds(-1.0, -1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Places:
    """N points in the plane: `x`, `y` f32 [N], each contiguous, NaN where a point has no place.

    `finite` says which have one, None for all. `crowd` is how many points there would be if they stood everywhere as
    close as they stand where they are. `index` finds points quickly; None until it is built.
    """

    x: FloatArray
    y: FloatArray
    finite: BoolArray | None
    bounds: Bounds
    crowd: float
    index: GridIndex | None = None

    def __len__(self) -> int:
        return len(self.x)

    def known(self, row: int) -> bool:
        """True if there is such a point, and it has a place."""
        return 0 <= row < len(self.x) and (self.finite is None or bool(self.finite[row]))

    def indexed(self) -> Places:
        """The same places with an index; takes a tenth of a second for a million points."""
        return replace(self, index=GridIndex(self.x, self.y, self.finite))

    def within(self, box: Bounds, dimmed: BoolArray) -> IntArray:
        """Rows i64, ascending, of the points in a rectangle, its edges included, that are not `dimmed` [N]."""
        rows = self.index.candidates(*box) if self.index is not None else None
        if rows is not None:
            return rows[_inside(self.x[rows], self.y[rows], box) & ~dimmed[rows]]
        return np.flatnonzero(_inside(self.x, self.y, box) & ~dimmed)

    def nearest(self, x: float, y: float, reach: tuple[float, float], dimmed: BoolArray) -> int:
        """Row of the point nearest to a place that is not `dimmed` [N], or -1.

        `reach` is a distance in x and the same distance in y: the axes of an ellipse within which points count and in
        whose measure they are near. Of several at one place the first.
        """
        # A dense map has thousands of points within reach: the nearest are looked for first.
        for part in (0.2, 1.0):
            rx, ry = reach[0] * part, reach[1] * part
            rows = self.within(Bounds(x - rx, y - ry, x + rx, y + ry), dimmed)
            # In float64: a deep zoom would lose its digits otherwise.
            east, north = self.x[rows].astype(np.float64) - x, self.y[rows].astype(np.float64) - y
            gap = (east / reach[0]) ** 2 + (north / reach[1]) ** 2
            if len(rows) and (least := gap.min()) <= part**2:
                return int(rows[gap == least].min())
        return -1

    def closest(self, x: float, y: float, reach: float, dimmed: BoolArray) -> int:
        """Row of the point nearest to a place, however far, that is not `dimmed` [N]; -1 if there is none.

        `reach` is where to begin looking.
        """
        middle_x, middle_y = (self.bounds.x0 + self.bounds.x1) / 2, (self.bounds.y0 + self.bounds.y1) / 2
        farthest = 2 * self.bounds.span + abs(x - middle_x) + abs(y - middle_y)
        while True:
            row = self.nearest(x, y, (reach, reach), dimmed)
            if row >= 0 or reach > farthest:
                return row
            reach *= 3

    def towards(self, row: int, direction: tuple[float, float], dimmed: BoolArray, step: float) -> int:
        """Row of the next point from point `row` in a direction (dx, dy), y up, that is not `dimmed` [N], or -1.

        The way along the direction counts once and the way off it twice. `step` is where to begin looking, in x.
        """
        x, y = float(self.x[row]), float(self.y[row])
        dx, dy = direction
        while True:
            rows = self.within(Bounds(x - step, y - step, x + step, y + step), dimmed)
            # In float64: float32 overflows where coordinates are huge.
            east, north = self.x[rows].astype(np.float64) - x, self.y[rows].astype(np.float64) - y
            along, across = east * dx + north * dy, np.abs(east * dy - north * dx)
            usable = (along > 0) & (across <= along)
            far = np.where(usable, along + 2 * across, np.inf)
            everything = 2 * self.bounds.span
            if len(rows) and far.min() <= step:
                return int(rows[far == far.min()].min())
            if step > everything:
                return int(rows[np.argmin(far)]) if usable.any() else -1
            step *= 3


def _inside(x: FloatArray, y: FloatArray, box: Bounds) -> BoolArray:
    """Which points are in a rectangle; NaN is in none."""
    x0, y0, x1, y1 = np.clip(box, -_GREATEST, _GREATEST).astype(np.float32)
    inside: BoolArray = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    return inside


def places_of(xy: FloatArray) -> Places:
    """Places of points f32 [N, 2]."""
    x, y = np.ascontiguousarray(xy[:, 0], np.float32), np.ascontiguousarray(xy[:, 1], np.float32)
    return columns(x, y)


def columns(x: FloatArray, y: FloatArray, bounds: Bounds | None = None, crowd: float | None = None) -> Places:
    """Places from two columns f32 [N]; their bounds and crowd are worked out unless they are given."""
    # The least and the greatest of each column are quick, and no number if any is none.
    ends = [end for column in (x, y) if len(x) for end in (column.min(), column.max())]
    finite = None if np.isfinite(ends).all() else np.isfinite(x) & np.isfinite(y)
    if finite is not None:
        # Half a place is none.
        x, y = np.where(finite, x, np.float32(np.nan)), np.where(finite, y, np.float32(np.nan))
        ends = [end for column in (x, y) if finite.any() for end in (np.nanmin(column), np.nanmax(column))]
    if bounds is None:
        bounds = _bounds(*(float(end) for end in ends)) if ends else NOWHERE
    return Places(x, y, finite, bounds, crowding(x, y, finite, bounds) if crowd is None else crowd)


def _bounds(x0: float, x1: float, y0: float, y1: float) -> Bounds:
    """Smallest rectangle; never without an area."""
    span = max(x1 - x0, y1 - y0)
    # float32 has 24 bits: a smaller spread cannot be told from none.
    if span <= max(abs(x0), abs(x1), abs(y0), abs(y1)) * 1e-6:
        span = max(abs(x0), abs(y0)) * 1e-3 or 1.0
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    width, height = max(x1 - x0, span * 1e-3), max(y1 - y0, span * 1e-3)
    return Bounds(middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)


def crowding(x: FloatArray, y: FloatArray, finite: BoolArray | None, bounds: Bounds) -> float:
    """How many points there would be if they stood everywhere as close as they stand where they are."""
    count = len(x) if finite is None else int(np.count_nonzero(finite))
    if not count:
        return 0.0
    step = max(len(x) // _CROWD_SAMPLE, 1)
    some: NDArray[np.float64] = np.stack([x[::step], y[::step]], axis=1).astype(np.float64)
    some = some[np.isfinite(some).all(axis=1)]
    if not len(some):
        return float(count)
    cell = ((some - [bounds.x0, bounds.y0]) / bounds.span * _CROWD_CELLS).astype(np.int64).clip(0, _CROWD_CELLS - 1)
    occupied = len(np.unique(cell @ [1, _CROWD_CELLS])) / min(_CROWD_CELLS**2, len(some))
    # Not the full correction: discs should shrink in tight groups, but lonely points must still be seen.
    return float(count / occupied**_CROWD_POWER)

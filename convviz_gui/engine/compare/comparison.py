"""Two sides, and everything that is said of them together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from convviz_gui.engine.compare.facts import Fact, compared
from convviz_gui.engine.compare.grid import Grid, caveats, comparable, on_one_grid, same_units
from convviz_gui.engine.compare.numbers import Likeness, likeness
from convviz_gui.engine.compare.shown import Shown
from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.payloads import FloatArray, frozen

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comes of comparing A with B.

    Args:
        reason: "" or why places do not correspond, and so `grid`, `difference` and `likeness` are None.
        caveats: what to keep in mind, in sentences.
        locked: one scale for both; else each side is divided by its own largest absolute value.
        ranges: the raw values of the first and the last colour of either side; equal if `locked`.
        difference: f32 [H, W], A − B: in their unit if `locked`, else of the two divided by their largest.
        facts: the facts that matter, and all that differ.
    """

    a: Side
    b: Side
    reason: str
    caveats: tuple[str, ...]
    same_units: bool
    locked: bool
    ranges: tuple[Range, Range]
    grid: Grid | None
    difference: FloatArray | None = field(repr=False, compare=False)
    likeness: Likeness | None
    facts: tuple[Fact, ...] = field(repr=False)

    @property
    def unit(self) -> str:
        """What the difference is measured in."""
        return self.a.shown.unit if self.locked else "parts of each one's maximum"


def compare(a: Side, b: Side, locked: bool | None = None) -> Comparison:
    """Compare two sides; `locked` None locks the scale where the units are the same."""
    reason, same = comparable(a, b), same_units(a, b)
    locked = same if locked is None else locked
    grid = None if reason else on_one_grid(a, b)
    one, other = (None, None) if grid is None else _scaled(grid, a.shown, b.shown, locked=locked)
    return Comparison(
        a,
        b,
        reason,
        caveats(a, b),
        same,
        locked,
        ranges(a.shown, b.shown, locked=locked),
        grid,
        None if one is None or other is None else frozen(one - other),
        None if one is None or other is None else likeness(one, other),
        compared(a.facts, b.facts),
    )


def ranges(a: Shown, b: Shown, *, locked: bool) -> tuple[Range, Range]:
    """The raw values that get the first and the last colour; signed maps have 0 in the middle."""
    if not locked:
        return _range([a], signed=a.signed), _range([b], signed=b.signed)
    both = _range([a, b], signed=a.signed or b.signed)
    return both, both


def _scaled(grid: Grid, a: Shown, b: Shown, *, locked: bool) -> tuple[FloatArray, FloatArray]:
    if locked:
        return grid.a, grid.b
    return grid.a / np.float32(largest(a.values)), grid.b / np.float32(largest(b.values))


def largest(values: FloatArray) -> float:
    """The largest finite absolute value, or 1 where all are 0."""
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max(initial=0)) or 1.0


def _range(shown: list[Shown], *, signed: bool) -> Range:
    lo, hi = math.inf, -math.inf
    for one in shown:
        finite = one.values[np.isfinite(one.values)]
        if finite.size:
            lo, hi = min(lo, float(finite.min())), max(hi, float(finite.max()))
    if lo > hi:
        return 0.0, 0.0
    if signed:
        hi = max(abs(lo), abs(hi))
        return -hi, hi
    return lo, hi

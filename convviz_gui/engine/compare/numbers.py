"""How alike two maps are, in numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads import FloatArray

TOP = 0.1
"""The part of all places that counts as the top."""
MOST_PLACES = 2**18
"""Beyond this, every n-th row and column is left out: the numbers stay, sorting millions would take seconds."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Likeness:
    """Numbers of two maps at the same places; NaN where one is constant or nothing is finite in both.

    All but `largest` and `mean` are the same whatever the maps are multiplied by.

    Args:
        pearson: −1…1, whether values rise and fall together in proportion.
        spearman: −1…1, the same of their ranks, ties averaged.
        overlap: 0…1, intersection over union of the highest tenth of both.
        largest, mean: of the absolute differences.
        places: how many values of each were compared.
    """

    pearson: float
    spearman: float
    overlap: float
    largest: float
    mean: float
    places: int


def likeness(a: FloatArray, b: FloatArray) -> Likeness:
    """Compare two maps f32 [H, W] of one shape; places where either is not finite are left out."""
    step = max(1, math.ceil(math.sqrt(a.size / MOST_PLACES)))
    one, other = (values[::step, ::step].ravel().astype(np.float64) for values in (a, b))
    finite = np.isfinite(one) & np.isfinite(other)
    one, other = one[finite], other[finite]
    if not one.size:
        return Likeness(math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    apart = np.abs(one - other)
    return Likeness(
        correlation(one, other),
        correlation(ranks(one), ranks(other)),
        top_overlap(one, other),
        float(apart.max()),
        float(apart.mean()),
        one.size,
    )


def correlation(one: Numbers, other: Numbers) -> float:
    """Pearson's r of two vectors [n]; NaN if one is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return math.nan
    x, y = one - one.mean(), other - other.mean()
    # Divided by their largest first, so that squares neither vanish nor overflow.
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    return float(np.clip(x @ y / math.sqrt(float(x @ x) * float(y @ y)), -1, 1))


def ranks(values: Numbers) -> Numbers:
    """Ranks [n] from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Numbers = (last - (counts - 1) / 2)[inverse]
    return found


def top_overlap(one: Numbers, other: Numbers) -> float:
    """Intersection over union of the highest `TOP` of two vectors [n]; NaN where one has no such part."""
    first, second = _top(one), _top(other)
    if not first.any() or not second.any():
        return math.nan
    return float((first & second).sum() / (first | second).sum())


def _top(values: Numbers) -> NDArray[np.bool_]:
    count = max(1, round(TOP * values.size))
    threshold = np.partition(values, values.size - count)[values.size - count]
    top: NDArray[np.bool_] = values >= threshold
    # Where many places share the threshold (a map that is 0 almost everywhere), which of them would be chance.
    return top if top.sum() <= 2 * count else values > threshold

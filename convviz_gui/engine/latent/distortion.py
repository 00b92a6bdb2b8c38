"""How far a projection is to be believed: whether neighbours on the plot are neighbours in the full space."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.latent.neighbours import Neighbours
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray, frozen

_BLOCK_ELEMENTS = 2_000_000
ALL_ROWS = 20_000
"""Up to so many points every one is measured; of more a sample of `SAMPLE`: the time goes with the square."""
SAMPLE = 4_000
_ROUNDING = 1e-12
_NOTE = "measuring distortion"

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distortion:
    """What a plot of N points does to their k nearest neighbours.

    `trustworthiness`, `continuity` in 0…1, NaN where undefined; `preservation` f32 [N], the part 0…1 of a point's k
    neighbours on the plot that are no farther in the full space than its k-th neighbour there; empty where undefined.
    `measured` is the number of points that the first two are of.
    """

    trustworthiness: float
    continuity: float
    preservation: FloatArray = field(repr=False, compare=False)
    measured: int


_UNDEFINED = Distortion(math.nan, math.nan, frozen(np.zeros(0, np.float32)), 0)


def measure_distortion(features: FloatArray, xy: FloatArray, neighbours: Neighbours, k: int) -> Steps[Distortion]:
    """Compare the neighbourhoods of `xy` [N, 2] with those of `features` [N, D] (Venna & Kaski 2001, 2006).

    Trustworthiness is 1 − 2/(N k (2N − 3k − 1)) · ΣΣ (r − k) over each point's k nearest on the plot that are not among
    its k nearest in the full space, r being their Euclidean rank there; continuity is the same the other way round:
    over its k nearest in the full space, r their rank on the plot. Equally distant points share the better rank. Of
    more than `ALL_ROWS` points both are estimated from a random `SAMPLE` of rows, always the same. Undefined where
    k < 1, k ≥ N/2, or all rows are the same.

    Needs memory for `features` once more in float64 and for a few blocks of rows × N, not for N × N. Yields after each
    block, counting rows.

    Args:
        neighbours: at least k true ones, Euclidean.
    """
    n = len(features)
    if k < 1 or 2 * k >= n or not np.ptp(features, axis=0).any():
        return _UNDEFINED
    plane = np.asarray(xy, np.float64)
    plane = plane - plane.mean(0)
    full = torch.from_numpy(features.astype(np.float64))
    full -= full.mean(0)
    near = _nearest_on_plane(plane, k)
    true = neighbours.first(k)
    preservation = np.empty(n, np.float32)
    rows = np.arange(n) if n <= ALL_ROWS else np.sort(np.random.default_rng(0).choice(n, SAMPLE, replace=False))
    block = max(1, _BLOCK_ELEMENTS // n)
    untrue = torn = 0
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        untrue += _penalty(*_distances(full, part), near[part], k)
        torn += _penalty(*_distances(torch.from_numpy(plane), part), true.indices[part], k)
        yield Update(start + len(part), len(rows), _NOTE)
    step = max(1, _BLOCK_ELEMENTS // (k * features.shape[1]))
    for start in range(0, n, step):
        part = np.arange(start, min(start + step, n))
        preservation[part] = _kept(features, part, near[part], true).mean(1)
        yield Update(len(rows), len(rows), _NOTE)
    unit = 2.0 / (len(rows) * k * (2.0 * n - 3.0 * k - 1.0))
    return Distortion(1.0 - untrue * unit, 1.0 - torn * unit, frozen(preservation), len(rows))


def _nearest_on_plane(plane: Doubles, k: int) -> IntArray:
    """The k nearest other points [N, k]; which of equally distant ones is left open."""
    from scipy.spatial import cKDTree

    found = np.asarray(cKDTree(plane).query(plane, k + 1, workers=-1)[1], np.int64)
    itself = found == np.arange(len(plane))[:, None]
    # Where many points share a place a point may not be among the first k + 1 of them.
    itself[~itself.any(1), -1] = True
    others: IntArray = found[~itself].reshape(len(plane), k)
    return others


def _distances(points: Tensor, rows: IntArray) -> tuple[Doubles, Doubles]:
    """Squared distances from some rows to all, f64 [rows, N], infinite from a row to itself; and how exact they are."""
    here = torch.from_numpy(rows)
    squares = points.square().sum(1)
    found = torch.addmm(squares[None, :], points[here], points.T, alpha=-2.0)
    found += squares[here, None]
    found[torch.arange(len(rows)), here] = math.inf
    # Points on one place must be found as far away as each other.
    return found.numpy(), (_ROUNDING * squares[here, None]).numpy()


def _penalty(distances: Doubles, rounding: Doubles, others: IntArray, k: int) -> int:
    """Σ (rank − k) over those of each row's `others` [rows, k] whose rank by `distances` [rows, N] is beyond k."""
    reach = np.partition(distances, k - 1, axis=1)[:, k - 1] + rounding[:, 0]
    theirs = np.take_along_axis(distances, others, 1)
    total = 0
    for column in theirs.T:
        far = np.flatnonzero(column > reach)
        if len(far):
            nearer = np.count_nonzero(distances[far] < column[far, None] - rounding[far], axis=1)
            total += int((nearer + 1 - k).sum())
    return total


def _kept(features: FloatArray, rows: IntArray, near: IntArray, true: Neighbours) -> BoolArray:
    """Which of the `near` [rows, k] on the plot are within reach of the true neighbours in the full space."""
    gaps = features[near].astype(np.float64) - features[rows, None].astype(np.float64)
    reach = true.distances[rows, -1:]
    within: BoolArray = np.sqrt(np.square(gaps).sum(2)) <= reach * (1 + 1e-9)
    return within

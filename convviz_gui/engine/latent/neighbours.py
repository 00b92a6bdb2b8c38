"""Exact nearest neighbours in the full feature space: fast in float32, settled in float64.

Blocked float32 matrix products bound every squared distance from below; the rows with the lowest bounds are measured
again in float64. Where the bounds do not prove that nothing was missed the search goes on, so the answer is always
that of brute force.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray, frozen

METRICS = ("euclidean", "cosine")
_MARGIN = 16
"""Candidates beyond k, so that rounding rarely leaves a row unsettled."""
_BLOCK_ELEMENTS = 4_000_000
"""Numbers in the largest array of one block: some 100 ms of work, so that a job can be stopped."""
_ROWS = 4096
_NOTE = "finding neighbours"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`indices` i64 [N, k] row numbers, nearest first, never the row itself; `distances` f64 [N, k].

    Of equally distant rows the one with the lower number comes first.
    """

    indices: IntArray = field(repr=False)
    distances: NDArray[np.float64] = field(repr=False)

    def first(self, k: int) -> Neighbours:
        """The k nearest only."""
        return Neighbours(frozen(self.indices[:, :k]), frozen(self.distances[:, :k]))


def nearest(features: FloatArray, k: int, metric: str = "euclidean") -> Steps[Neighbours]:
    """Find the k nearest other rows of every row of `features` f32 [N, D], all finite.

    With fewer than k other rows there are N − 1 columns. "cosine" is 1 − cos of the angle, 0…2; a row of zeros has no
    angle: it is at distance 1 from all other rows and at 0 from other rows of zeros.

    Yields after every block, counting rows. Raises `ValueError` for an unknown metric.
    """
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
    search = _Cosine(features) if metric == "cosine" else _Euclidean(features)
    n = len(features)
    k = min(k, n - 1)
    indices = np.empty((n, k), np.int64)
    distances = np.empty((n, k), np.float64)
    block = search.rows_per_block(k)
    for start in range(0, n if k > 0 else 0, block):
        rows = torch.arange(start, min(start + block, n))
        bounds = search.lower_bounds(rows)
        found, measured, unsettled = search.settle(rows, bounds, k)
        for i in unsettled:
            found[i], measured[i] = search.settle_row(start + i, bounds[i], measured[i, -1], k)
            yield Update(start, n, _NOTE)
        indices[start : start + len(rows)] = found.numpy()
        distances[start : start + len(rows)] = search.distances(measured).numpy()
        yield Update(start + len(rows), n, _NOTE)
    return Neighbours(frozen(indices), frozen(distances))


def outlier_scores(neighbours: Neighbours) -> FloatArray:
    """Mean distance to the neighbours, f32 [N]; 0 for a row without any."""
    distances = neighbours.distances
    means = distances.mean(axis=1) if distances.shape[1] else np.zeros(len(distances))
    return frozen(means.astype(np.float32))


class _Search:
    """N points: a rough float32 copy for the bounds, and the points themselves in float64, block by block."""

    def __init__(self, rough: Tensor, unit: float) -> None:
        self._rough = rough
        self._unit = unit
        self._squares = rough.square().sum(1)
        # |fl(a·b) − a·b| ≤ D u |a||b| ≤ D u (|a|² + |b|²)/2; the rest covers the norms and the rounding of `rough`.
        self._kept = 1.0 - (2 * rough.shape[1] + 32) * 2.0**-24

    def exact(self, rows: Tensor) -> Tensor:
        """Points in float64, [..., D]."""
        raise NotImplementedError

    def distances(self, measured: Tensor) -> Tensor:
        """From Euclidean distances of `exact` points to the metric's own."""
        raise NotImplementedError

    def rows_per_block(self, k: int) -> int:
        n, width = self._rough.shape
        return max(1, min(n, _BLOCK_ELEMENTS // max(n, 1), _BLOCK_ELEMENTS // ((k + _MARGIN) * width)))

    def lower_bounds(self, rows: Tensor) -> Tensor:
        """What each (distance / `_unit`)² is at least, f32 [rows, N]; infinite from a row to itself."""
        part = self._rough[rows]
        bounds = torch.addmm(self._squares[None, :] * self._kept, part, self._rough.T, alpha=-2.0)
        bounds += self._squares[rows, None] * self._kept
        bounds[torch.arange(len(rows)), rows] = math.inf
        return bounds

    def settle(self, rows: Tensor, bounds: Tensor, k: int) -> tuple[Tensor, Tensor, list[int]]:
        """The k best of k + margin candidates, their distances, and the places where that proves nothing."""
        others = bounds.shape[1] - 1
        lowest = bounds.topk(min(k + _MARGIN, others), dim=1, largest=False)
        candidates = lowest.indices.sort(dim=1).values
        order = _measure(self.exact(rows)[:, None, :], self.exact(candidates))[:, 0].sort(dim=1, stable=True)
        found = candidates.gather(1, order.indices[:, :k])
        measured = order.values[:, :k]
        proven = self._bound(measured[:, -1]) < lowest.values.double().amax(1)
        unsettled = [] if lowest.values.shape[1] == others else (~proven).nonzero()[:, 0].tolist()
        return found, measured, unsettled

    def settle_row(self, row: int, bounds: Tensor, reach: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """Search everything that may be within the distance `reach`."""
        candidates = (bounds.double() <= self._bound(reach)).nonzero()[:, 0]
        here = self.exact(torch.tensor([row]))
        parts = [_measure(here, self.exact(part))[0] for part in torch.split(candidates, _ROWS)]
        order = torch.cat(parts).sort(stable=True)
        return candidates[order.indices[:k]], order.values[:k]

    def _bound(self, distance: Tensor) -> Tensor:
        # A little more, so that rounding it loses nothing.
        return (distance / self._unit).square() * (1 + 1e-12)


class _Euclidean(_Search):
    def __init__(self, features: FloatArray) -> None:
        self._points = torch.tensor(np.asarray(features, np.float32))
        # Centred points have smaller norms, and so tighter bounds.
        centred = self._points - self._points.double().mean(0).float()
        unit = _power_of_two(centred)
        super().__init__(centred / unit, unit)

    def exact(self, rows: Tensor) -> Tensor:
        return self._points[rows].double()

    def distances(self, measured: Tensor) -> Tensor:
        return measured


class _Cosine(_Search):
    def __init__(self, features: FloatArray) -> None:
        points = torch.tensor(np.asarray(features, np.float32))
        # A row of zeros gets a direction of its own.
        zero = (points == 0).all(1, keepdim=True)
        self._points = torch.cat([points, zero.float()], 1)
        self._norms = torch.linalg.vector_norm(self._points, dim=1, dtype=torch.float64)
        rough = torch.cat([(part.double() / norm[:, None]).float() for part, norm in self._parts()])
        super().__init__(rough, 1.0)

    def _parts(self) -> list[tuple[Tensor, Tensor]]:
        return list(zip(torch.split(self._points, _ROWS), torch.split(self._norms, _ROWS), strict=True))

    def exact(self, rows: Tensor) -> Tensor:
        points: Tensor = self._points[rows].double() / self._norms[rows][..., None]
        return points

    def distances(self, measured: Tensor) -> Tensor:
        # |a − b|² = 2 − 2 cos for vectors of length 1.
        return 0.5 * measured.square()


def _measure(here: Tensor, there: Tensor) -> Tensor:
    """Euclidean distances by differences, f64: a matrix product would lose the small ones."""
    return torch.cdist(here, there, compute_mode="donot_use_mm_for_euclid_dist")


def _power_of_two(points: Tensor) -> float:
    """A scale that brings `points` near 1 without rounding, so that no square overflows or vanishes."""
    largest = float(points.abs().max()) if points.numel() else 0.0
    return 2.0 ** math.floor(math.log2(largest)) if largest > 0 else 1.0

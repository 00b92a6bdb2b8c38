"""Exact nearest neighbours in the full feature space: fast in float32, settled in float64.

Tiles of float32 matrix products, each pair of rows once, bound every squared distance from below; the rows with the
lowest bounds are measured again in float64. Where the bounds do not prove that nothing was missed the search goes on,
so the answer is always that of brute force.

Memory: the points once more in float32, three tiles of 16 MB, and 12 (k + 8) bytes a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from convviz_gui.engine.latent.lowest import Lowest
from convviz_gui.engine.latent.spaces import METRICS, Space, spaces
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray, frozen

__all__ = ["METRICS", "Neighbours", "nearest", "nearest_to", "outlier_scores"]

_MARGIN = 8
"""Candidates beyond k, so that rounding rarely leaves a row unsettled."""
_BLOCK_ELEMENTS = 4_000_000
"""Numbers in a tile, where points have up to `_USUAL_WIDTH`: some 100 ms of work, so that a job can be stopped."""
_USUAL_WIDTH = 1024
_MEASURED = 500_000
"""Numbers that are measured in float64 at once: what stays in a processor's cache."""
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
    (space,) = spaces(features, metric=metric)
    n = len(features)
    k = min(k, n - 1)
    if k <= 0:
        return Neighbours(frozen(np.empty((n, 0), np.int64)), frozen(np.empty((n, 0))))
    lowest = Lowest(n, min(k + _MARGIN, n - 1))
    blocks = _blocks(n, space.width)
    pairs, done = len(blocks) * (len(blocks) + 1) // 2, 0
    for i, rows in enumerate(blocks):
        for columns in blocks[i:]:
            tile = space.bounds(space, rows, columns)
            if rows == columns:
                tile.fill_diagonal_(math.inf)
            else:
                lowest.offer(columns, rows, tile, turned=True)
            lowest.offer(rows, columns, tile)
            done += 1
            # The last row is done when it is settled.
            yield Update((n - 1) * done // pairs, n, _NOTE)
    same = _in_crowds(space, k)
    return (yield from _settled(space, space, lowest, k, same, n - 1))


def nearest_to(queries: FloatArray, features: FloatArray, k: int, metric: str = "euclidean") -> Steps[Neighbours]:
    """Find the k nearest rows of `features` f32 [N, D] to each of `queries` f32 [M, D], all finite.

    As `nearest`, but a query that is itself a row of `features` finds that row, too, at distance 0. With fewer than k
    rows there are N columns. Yields after every block, counting queries. Raises `ValueError` for an unknown metric.
    """
    if not len(features):
        return Neighbours(frozen(np.empty((len(queries), 0), np.int64)), frozen(np.empty((len(queries), 0))))
    base, asking = spaces(features, queries, metric=metric)
    n, m = len(features), len(queries)
    k = min(k, n)
    lowest = Lowest(m, min(k + _MARGIN, n))
    for rows in _blocks(m, base.width):
        for columns in _blocks(n, base.width):
            lowest.offer(rows, columns, asking.bounds(base, rows, columns))
            yield Update(rows.start, m, _NOTE)
    return (yield from _settled(asking, base, lowest, k, {}, max(m - 1, 0)))


def outlier_scores(neighbours: Neighbours) -> FloatArray:
    """Mean distance to the neighbours, f32 [N]; 0 for a row without any."""
    distances = neighbours.distances
    means = distances.mean(axis=1) if distances.shape[1] else np.zeros(len(distances))
    return frozen(means.astype(np.float32))


def _blocks(n: int, width: int) -> list[slice]:
    side = max(1, math.isqrt(_BLOCK_ELEMENTS * _USUAL_WIDTH // max(width, _USUAL_WIDTH)))
    return [slice(start, min(start + side, n)) for start in range(0, n, side)]


def _in_crowds(space: Space, k: int) -> dict[int, IntArray]:
    """The neighbours of each row that has more than k others exactly like itself: the first of those."""
    _, inverse, counts = np.unique(space.hashes(), return_inverse=True, return_counts=True)
    groups = np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])
    found: dict[int, IntArray] = {}
    for group in np.flatnonzero(counts > k + 1):
        rows = groups[group]
        first = space.exact(rows[:1])
        alike = [(space.exact(part) == first).all(-1) for part in _parts(rows, _ROWS)]
        rows = rows[np.concatenate(alike)]
        if len(rows) > k + 1:
            head = rows[: k + 1]
            found |= {int(row): head[head != row][:k] for row in rows}
    return found


def _settled(
    here: Space, there: Space, lowest: Lowest, k: int, known: dict[int, IntArray], done: int
) -> Steps[Neighbours]:
    """Measure the candidates in float64, and search on where they prove nothing."""
    n, others = len(here), len(there) - (here is there)
    indices = np.empty((n, k), np.int64)
    distances = np.empty((n, k), np.float64)
    for number, rows in known.items():
        indices[number], distances[number] = rows, 0.0
    unknown = np.setdiff1d(np.arange(n), np.fromiter(known, np.int64, len(known)), assume_unique=True)
    for rows in _parts(unknown, max(1, _MEASURED // (lowest.values.shape[1] * there.width))):
        candidates = np.sort(lowest.columns[rows], axis=1)
        measured = _measure(here.exact(rows), there.exact(candidates))
        order = np.argsort(measured, axis=1, kind="stable")[:, :k]
        indices[rows] = np.take_along_axis(candidates, order, 1)
        distances[rows] = found = np.take_along_axis(measured, order, 1)
        if candidates.shape[1] < others:
            reach = there.bound(found[:, -1])
            for i in np.flatnonzero(reach >= lowest.values[rows].max(axis=1)):
                indices[rows[i]], distances[rows[i]] = _searched(here, there, rows[i : i + 1], reach[i], k)
                yield Update(done, n, _NOTE)
        yield Update(done, n, _NOTE)
    yield Update(n, n, _NOTE)
    return Neighbours(frozen(indices), frozen(there.distances(distances)))


def _searched(here: Space, there: Space, row: IntArray, reach: float, k: int) -> tuple[IntArray, NDArray[np.float64]]:
    """The k nearest to one row [1] among everything whose bound is within `reach`."""
    bounds = here.bounds(there, torch.from_numpy(row), slice(None))[0].numpy()
    if here is there:
        bounds[row] = np.inf
    candidates = np.flatnonzero(bounds <= reach)
    point = here.exact(row)
    measured = np.concatenate([_measure(point, there.exact(part)[None])[0] for part in _parts(candidates, _ROWS)])
    order = np.argsort(measured, kind="stable")[:k]
    return candidates[order], measured[order]


def _parts(rows: IntArray, size: int) -> Iterator[IntArray]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _measure(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distances [R, C] of [R, D] to [R, C, D] by differences: a product would lose the small ones."""
    # By numpy: torch would share out such small pieces, and waiting for its threads takes longer than the work.
    there -= here[:, None]
    distances: NDArray[np.float64] = np.sqrt(np.einsum("rcd,rcd->rc", there, there))
    return distances

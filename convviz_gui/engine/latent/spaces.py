"""Points as a search for neighbours sees them: roughly in float32 for lower bounds, exactly in float64."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.payloads import FloatArray, IntArray

METRICS = ("euclidean", "cosine")
_ROWS = 4096


class Space:
    """N points of which distances are wanted, and how distances are measured.

    `rough` f32 [N, D] are the points divided by `unit`, and moved alike: no number in them is larger than a few units.
    """

    def __init__(self, features: FloatArray, rough: Tensor, unit: float) -> None:
        self._features = features
        self._unit = unit
        width = rough.shape[1]
        # |fl(a·b) − a·b| ≤ (D + 2) u |a||b| for the sum that `bounds` takes, and |a||b| ≤ (|a|² + |b|²)/2; the rest
        # covers the norms and the rounding of `rough`. What is taken off covers numbers too small for float32.
        kept, least = 1.0 - (2 * width + 36) * 2.0**-24, (width + 8) * 2.0**-124
        squares = torch.cat([part.double().square().sum(1) for part in torch.split(rough, _ROWS)])
        ends = torch.stack([squares * kept - least, torch.ones(len(rough), dtype=torch.float64)], 1).float()
        # A row is (a, |a|², 1): its product with (−2b, 1, |b|²) is the squared distance.
        self._rows = torch.cat([rough, ends], 1)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def width(self) -> int:
        """Dimensions that are searched."""
        return int(self._rows.shape[1]) - 2

    def bounds(self, other: Space, here: slice | Tensor, there: slice) -> Tensor:
        """What each (distance / `unit`)² from these points to some of another space is at least, f32 [here, there]."""
        mine = self._rows[here]
        turned = torch.cat([-2.0 * mine[:, :-2], mine[:, -1:], mine[:, -2:-1]], 1)
        return turned @ other._rows[there].T

    def bound(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """A distance between `exact` points as `bounds` has it, f64; a little more, so that rounding loses nothing."""
        return np.square(distance / self._unit) * (1 + 1e-12)

    def exact(self, rows: IntArray) -> NDArray[np.float64]:
        """Points in float64, [..., D], new ones: of their Euclidean distances `distances` makes the metric's own."""
        return self._features.take(rows, axis=0).astype(np.float64)

    def distances(self, measured: NDArray[np.float64]) -> NDArray[np.float64]:
        """From Euclidean distances of `exact` points to the metric's own."""
        return measured

    def hashes(self) -> NDArray[np.uint64]:
        """A number for each point, u64 [N]: the same for points that are `exact`ly the same, rarely for others."""
        weights = np.random.default_rng(0).integers(1, 2**63, self._exact_width(), np.uint64) * np.uint64(
            2
        ) + np.uint64(1)
        made = np.empty(len(self), np.uint64)
        for start in range(0, len(self), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(self)))
            # Adding 0 turns −0 into 0.
            made[rows] = ((self.exact(rows) + 0.0).view(np.uint64) * weights).sum(1, dtype=np.uint64)
        return made

    def _exact_width(self) -> int:
        return int(self._features.shape[1])


class _Cosine(Space):
    def __init__(self, features: FloatArray) -> None:
        blocks = [slice(start, start + _ROWS) for start in range(0, len(features), _ROWS)]
        self._zero = np.logical_not(features.any(axis=1))
        norms = [np.sqrt(np.square(features[block], dtype=np.float64).sum(axis=1)) for block in blocks]
        self._norms = np.where(self._zero, 1.0, np.concatenate([np.zeros(0), *norms]))
        self._features = features
        rough = [self.exact(np.arange(len(features))[block]).astype(np.float32) for block in blocks]
        super().__init__(
            features, torch.from_numpy(np.concatenate([np.zeros((0, self._exact_width()), np.float32), *rough])), 1.0
        )

    def exact(self, rows: IntArray) -> NDArray[np.float64]:
        points = np.empty((*rows.shape, self._exact_width()))
        np.divide(self._features.take(rows, axis=0), self._norms[rows][..., None], out=points[..., :-1])
        # A row of zeros gets a direction of its own.
        points[..., -1] = self._zero[rows]
        return points

    def distances(self, measured: NDArray[np.float64]) -> NDArray[np.float64]:
        # |a − b|² = 2 − 2 cos for vectors of length 1.
        return 0.5 * np.square(measured)

    def _exact_width(self) -> int:
        return super()._exact_width() + 1


def spaces(features: FloatArray, *others: FloatArray, metric: str = "euclidean") -> list[Space]:
    """Spaces that can be measured against each other, of `features` f32 [N, D] and of others f32 [M, D], N ≥ 1.

    Raises `ValueError` for an unknown metric.
    """
    if metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}; known: {', '.join(METRICS)}")
    every = [np.ascontiguousarray(rows, np.float32) for rows in (features, *others)]
    if metric == "cosine":
        return [_Cosine(rows) for rows in every]
    # Centred points have smaller norms, and so tighter bounds.
    centre = every[0].mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = [rows - centre for rows in every]
    unit = _power_of_two(max(float(np.abs(rows).max(initial=0.0)) for rows in centred))
    return [Space(rows, torch.from_numpy(moved).div_(unit), unit) for rows, moved in zip(every, centred, strict=True)]


def _power_of_two(largest: float) -> float:
    """A scale that brings numbers near 1 without rounding, so that no square overflows or vanishes."""
    return 2.0 ** math.floor(math.log2(largest)) if largest > 0 else 1.0

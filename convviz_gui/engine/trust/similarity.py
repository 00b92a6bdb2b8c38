"""How alike two maps are: SSIM and Spearman's rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.compare.numbers import correlation, ranks
from convviz_gui.engine.payloads import FloatArray

_SIGMA = 1.5
_RADIUS = 5
_C1, _C2 = 0.01**2, 0.03**2

_Doubles = NDArray[np.float64]


def ssim(first: FloatArray, second: FloatArray) -> float:
    """Structural similarity, −1…1, of two maps [H, W] of at least 11×11, each divided by its largest absolute value.

    Mean over all places where the window fits: Gaussian, 11×11, σ 1.5, as in Wang et al. 2004; the range of values is
    taken for 1. Smaller maps are compared by one window over all of them. NaN if a map is the same everywhere.
    """
    if _constant(first) or _constant(second):
        return float("nan")
    x, y = _normalised(first), _normalised(second)
    mean_x, mean_y = _smoothed(x), _smoothed(y)
    var_x = _smoothed(x * x) - mean_x**2
    var_y = _smoothed(y * y) - mean_y**2
    covariance = _smoothed(x * y) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    return float((likeness / ((mean_x**2 + mean_y**2 + _C1) * (var_x + var_y + _C2))).mean())


def spearman(first: FloatArray, second: FloatArray) -> float:
    """Rank correlation, −1…1, of two arrays of one shape; equal values share a mean rank. NaN if one is constant."""
    if _constant(first) or _constant(second):
        return float("nan")
    return correlation(ranks(first.ravel().astype(np.float64)), ranks(second.ravel().astype(np.float64)))


def _constant(values: FloatArray) -> bool:
    return bool(values.min() == values.max())


def _normalised(values: FloatArray) -> _Doubles:
    return values.astype(np.float64) / float(np.abs(values).max())


def _smoothed(values: _Doubles) -> _Doubles:
    """Weighted means of all windows that fit."""
    for axis in (0, 1):
        radius = min(_RADIUS, (values.shape[axis] - 1) // 2)
        steps = np.arange(-radius, radius + 1)
        weights = np.exp(-(steps**2) / (2 * _SIGMA**2))
        windows = np.lib.stride_tricks.sliding_window_view(values, len(steps), axis)
        values = windows @ (weights / weights.sum())
    return values

"""How far a projection is to be believed: whether neighbours on the plot are neighbours in the full space."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray

_BLOCK_ELEMENTS = 2_000_000


def trustworthiness(features: FloatArray, xy: FloatArray, k: int) -> Steps[float]:
    """Trustworthiness of `xy` [N, 2] as a picture of `features` [N, D], 0…1 (Venna & Kaski 2001).

    1 − 2/(N k (2N − 3k − 1)) · ΣΣ (r − k) over each row's k nearest on the plot that are not among its k nearest in
    the full space, r being their Euclidean rank there; equally distant rows share the better rank. NaN where it is
    undefined: k < 1, k ≥ N/2, or all rows the same.

    Needs memory for a few blocks of rows × N, not for N × N. Yields after each block, counting rows.
    """
    n = len(features)
    full = torch.tensor(np.asarray(features, np.float64))
    full -= full.mean(0)
    if k < 1 or 2 * k >= n or not float(full.abs().max()) > 0:
        return math.nan
    plane = torch.tensor(np.asarray(xy, np.float64))
    plane -= plane.mean(0)
    block = max(1, _BLOCK_ELEMENTS // n)
    penalty = 0
    for start in range(0, n, block):
        rows = torch.arange(start, min(start + block, n))
        near = _squared_distances(plane, rows).topk(k, dim=1, largest=False).indices
        penalty += _penalty(_squared_distances(full, rows), near, k)
        yield Update(start + len(rows), n, "measuring distortion")
    return 1.0 - penalty * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0))


def _squared_distances(points: Tensor, rows: Tensor) -> Tensor:
    """From some rows to all, f64 [rows, N]; infinite from a row to itself."""
    squares = points.square().sum(1)
    distances = torch.addmm(squares[None, :], points[rows], points.T, alpha=-2.0)
    distances += squares[rows, None]
    distances[torch.arange(len(rows)), rows] = math.inf
    return distances


def _penalty(distances: Tensor, near: Tensor, k: int) -> int:
    total = 0
    for column in near.T:
        here = distances.gather(1, column[:, None])
        ranks = (distances < here).sum(1) + 1
        total += int((ranks - k).clamp_(min=0).sum())
    return total

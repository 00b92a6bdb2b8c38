"""What the linear probe minimises, and what it begins from."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, IntArray

_BLOCK_ELEMENTS = 4_000_000
_KEPT_ELEMENTS = 50_000_000
"""So many standardised numbers (200 MB) are kept; of larger problems they are made anew in each pass."""
_COUNTED, _PER_FEATURE = 20_000, 8
"""So many rows, or so many for each feature, tell how features vary together as well as all of them."""
NOTE = "fitting a linear probe"


class Problem:
    """Mean cross-entropy + strength/2 · |W|² over n rows, W acting on features standardised over these rows.

    Rows are read in blocks: memory is that of a block and of a few arrays [D, D] and [D, K]. What is the same in all
    rows counts for nothing, and classes without a row among them cannot win.

    Args:
        features: f32 [N, D], finite.
        rows: i64 [n], n ≥ 1: which of them.
        codes: i64 [N] 0…K − 1, the class of each.
    """

    def __init__(self, features: FloatArray, rows: IntArray, codes: IntArray, n_classes: int) -> None:
        self.n, self.width = len(rows), features.shape[1]
        block = max(1, _BLOCK_ELEMENTS // max(self.width, n_classes))
        self._features = features
        self._parts = [rows[start : start + block] for start in range(0, self.n, block)]
        self._codes = [torch.from_numpy(codes[part]) for part in self._parts]
        self._kept: list[Tensor] | None = None
        self.counts = torch.from_numpy(np.bincount(codes[rows], minlength=n_classes))
        self.known = self.counts > 0
        self.priors = (self.counts / self.n).float()
        self.mean = torch.zeros(self.width)
        self.scale = torch.ones(self.width)
        self.within = torch.zeros((self.width, self.width))
        self.centres = torch.zeros((n_classes, self.width))

    def measure(self) -> Steps[None]:
        """Find means, deviations, class means and how features vary around them; yields after each block."""
        total = torch.zeros(self.width, dtype=torch.float64)
        squares = torch.zeros(self.width, dtype=torch.float64)
        for part in self._parts:
            total += rows_of(self._features, part).double().sum(0)
        mean = total / self.n
        for part in self._parts:
            squares += (rows_of(self._features, part).double() - mean).square_().sum(0)
        deviation = (squares / self.n).sqrt()
        told = deviation > 1e-5 * mean.abs()
        self.mean = mean.float()
        self.scale = torch.where(told, 1 / deviation.clamp(min=1e-30), torch.zeros_like(deviation)).float()
        if self.n * self.width <= _KEPT_ELEMENTS:
            self._kept = [self._standardised(part) for part in self._parts]
        for number, codes in enumerate(self._codes):
            self.centres.index_add_(0, codes, self._block(number))
            yield Update(number, 2 * len(self._parts), NOTE)
        self.centres /= self.counts.clamp(min=1)[:, None]
        stride = max(1, self.n // max(_COUNTED, _PER_FEATURE * self.width))
        counted = 0
        for number, codes in enumerate(self._codes):
            x = self._block(number)[::stride] - self.centres[codes[::stride]]
            self.within.addmm_(x.T, x)
            counted += len(x)
            yield Update(len(self._parts) + number, 2 * len(self._parts), NOTE)
        self.within /= counted

    def _standardised(self, part: IntArray) -> Tensor:
        return rows_of(self._features, part).sub_(self.mean).mul_(self.scale)

    def _block(self, number: int) -> Tensor:
        return self._kept[number] if self._kept is not None else self._standardised(self._parts[number])

    def covariance(self) -> Tensor:
        """Of the standardised features, f32 [D, D]."""
        centred = self.centres * self.priors.sqrt()[:, None]
        return torch.addmm(self.within, centred.T, centred)

    def closed_form(self, strength: float) -> tuple[Tensor, Tensor]:
        """Linear discriminant analysis: Gaussian classes that share one covariance, `strength` · I added to it."""
        weight = torch.cholesky_solve(self.centres.T, factor(self.within, 1.0, strength))
        return weight, self.priors.clamp(min=1e-30).log() - 0.5 * (self.centres.T * weight).sum(0)

    def curvature(self, weight: Tensor, bias: Tensor) -> float:
        """About how strongly the loss is curved along a standardised feature there: the mean of p (1 − p)."""
        said = self._logs(0, weight, bias).exp_()
        return max(float((said * (1 - said)).sum(1).mean()) / int(self.known.sum()), 1e-4)

    def _logs(self, number: int, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.addmm(bias.masked_fill(~self.known, -math.inf), self._block(number), weight).log_softmax(1)

    def loss(self, weight: Tensor, bias: Tensor) -> Steps[tuple[float, Tensor, Tensor]]:
        """Mean cross-entropy, and its slopes along `weight` f32 [D, K] and `bias` f32 [K]; yields after each block."""
        total, by_weight, by_bias = 0.0, torch.zeros_like(weight), torch.zeros_like(bias)
        for number, codes in enumerate(self._codes):
            x, own = self._block(number), codes[:, None]
            logs = self._logs(number, weight, bias)
            total -= float(logs.gather(1, own).double().sum())
            slopes = logs.exp_()
            slopes.scatter_add_(1, own, torch.full(own.shape, -1.0))
            by_weight.addmm_(x.T, slopes, alpha=1 / self.n)
            by_bias += slopes.sum(0) / self.n
            yield Update(number, len(self._parts), NOTE)
        return total / self.n, by_weight, by_bias

    def unstandardised(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """The same scores from features as they are: `weight` [D, K] and `bias` [K], −inf for classes without rows."""
        raw = weight.double() * self.scale.double()[:, None]
        shift = bias.double() - self.mean.double() @ raw
        return raw.float(), shift.masked_fill(~self.known, -math.inf).float()


def rows_of(features: FloatArray, rows: IntArray) -> Tensor:
    """A copy of some rows of `features` f32 [N, D], as a tensor."""
    return torch.from_numpy(np.ascontiguousarray(features[rows], np.float32))


def factor(matrix: Tensor, by: float, added: float) -> Tensor:
    """The lower Cholesky factor f32 of by · `matrix` + added · I; more is added where rounding makes that necessary."""
    wide = by * matrix.double()
    eye = torch.eye(len(wide), dtype=torch.float64)
    while True:
        lower, failed = torch.linalg.cholesky_ex(wide + added * eye)
        if not int(failed):
            return torch.as_tensor(lower, dtype=torch.float32)
        added *= 10

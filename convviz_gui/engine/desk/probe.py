"""The linear probe: multinomial logistic regression on standardised features."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from convviz_gui.engine.desk.lbfgs import minimise
from convviz_gui.engine.desk.probe_problem import Problem, factor, rows_of
from convviz_gui.engine.method import Steps
from convviz_gui.engine.payloads import FloatArray, IntArray

STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001, 0.0001)
"""Weights of the penalty that are tried, strongest first."""
WORK = 1e11
"""Multiplications that one fit may take, some 3 seconds on two cores; beyond it the closed form is the answer."""
_EXPONENTIALS = 64
"""What a class's probability costs beside its score, in multiplications."""
_FEWEST, _MOST = 15, 120
_TOLERANCE = 1e-8
_BLOCK_ELEMENTS = 4_000_000


@dataclass(frozen=True, slots=True)
class Probe:
    """A fitted probe: class scores of features x are x · `weight` [D, K] + `bias` [K], float32.

    `strength` is the weight of the penalty; `exact` is False for the closed form.
    """

    weight: Tensor = field(repr=False)
    bias: Tensor = field(repr=False)
    strength: float
    exact: bool = True

    def probabilities(self, features: FloatArray, rows: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
        """What it says of some rows of `features` [N, D], in parts: row numbers, and probabilities f32 [n, K].

        A class that no picture was learned of has 0.
        """
        block = max(1, _BLOCK_ELEMENTS // max(self.weight.shape))
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            yield part, torch.addmm(self.bias, rows_of(features, part), self.weight).softmax(1).numpy()


def fit(
    features: FloatArray, rows: IntArray, codes: IntArray, n_classes: int, strength: float, work: float = WORK
) -> Steps[Probe]:
    """Fit on some rows; arguments as of `Problem`.

    Minimises the mean cross-entropy + strength/2 · |W|², features standardised over the rows and the bias free: what
    scikit-learn's LogisticRegression does with C = 1 / (strength · n). L-BFGS in coordinates in which the loss is
    curved alike in all directions, so that tens of passes are enough. If fewer than 15 fit into `work` multiplications,
    linear discriminant analysis with `strength` · I added to the covariance takes its place.
    """
    return (yield from fit_path(features, rows, codes, n_classes, (strength,), work=work))


def fit_path(
    features: FloatArray,
    rows: IntArray,
    codes: IntArray,
    n_classes: int,
    strengths: Sequence[float],
    surprise: Callable[[Probe], float] = lambda _probe: 0.0,
    work: float = WORK,
) -> Steps[Probe]:
    """The first of several strengths whose `surprise` the next one does not lessen.

    Each search begins where the last one ended.
    """
    problem = Problem(features, rows, codes, n_classes)
    yield from problem.measure()
    each = 4 * n_classes * (problem.n * (problem.width + _EXPONENTIALS) + problem.width**2)
    passes = int(work / each)
    exact = passes >= _FEWEST
    weight, bias = torch.zeros((problem.width, n_classes)), torch.zeros(n_classes)
    best, least = None, math.inf
    for strength in strengths:
        if exact:
            weight, bias = yield from _searched(problem, weight, bias, strength, min(passes, _MOST))
        else:
            weight, bias = problem.closed_form(strength)
        probe = Probe(*problem.unstandardised(weight, bias), strength, exact)
        surprised = surprise(probe)
        if best is not None and not surprised < least:
            break
        best, least = probe, surprised
    assert best is not None
    return best


def _searched(
    problem: Problem, weight: Tensor, bias: Tensor, strength: float, most: int
) -> Steps[tuple[Tensor, Tensor]]:
    curvature = problem.curvature(weight, bias)
    lower = factor(problem.covariance(), curvature, strength)
    stretch = curvature**0.5
    shape = weight.shape

    def parts(place: Tensor) -> tuple[Tensor, Tensor]:
        turned = place[: shape.numel()].view(shape)
        return torch.linalg.solve_triangular(lower.T, turned, upper=True), place[shape.numel() :] / stretch

    def loss(place: Tensor) -> Steps[tuple[float, Tensor]]:
        weight, bias = parts(place)
        value, by_weight, by_bias = yield from problem.loss(weight, bias)
        by_weight += strength * weight
        slope = torch.cat([torch.linalg.solve_triangular(lower, by_weight, upper=False).flatten(), by_bias / stretch])
        return value + 0.5 * strength * float(weight.double().square().sum()), slope

    start = torch.cat([(lower.T @ weight).flatten(), bias * stretch])
    found = yield from minimise(loss, start, _TOLERANCE, most)
    return parts(found)

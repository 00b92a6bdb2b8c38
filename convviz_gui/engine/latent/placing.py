"""A new point on a map whose other points stay where they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.latent.neighbours import nearest_to
from convviz_gui.engine.method import Steps, Update
from convviz_gui.engine.payloads import FloatArray, Points, frozen
from convviz_gui.engine.projections.pca import principal_axes
from convviz_gui.engine.projections.plan import Plan

_STEPS = 200
_NEGATIVES = 5
"""UMAP's negative samples for each attraction."""

Doubles = NDArray[np.float64]
Loss = Callable[[Tensor, Tensor], Tensor]
"""Of the weights [N] and the squared distances [N] from the new point to all others."""


def place(features: FloatArray, points: Points, plan: Plan) -> Steps[FloatArray]:
    """The place f32 [2] of a row f32 [D] on the map that `plan` made of `points`.

    PCA: its scores. t-SNE: least KL(p || q) over q's normalised to the new point, p being Gaussian affinities of
    `plan`'s perplexity to its neighbours (Poličar et al., Embedding to reference t-SNE space, 2021). UMAP: least fuzzy
    cross-entropy, repulsion weighted as by its negative samples. Both start at the affinities' mean place and go down
    the gradient, always the same way.
    """
    if plan.projection == "pca" or not np.ptp(points.xy, axis=0).any():
        scores: FloatArray = principal_axes(points.features).scores(features[None])[0]
        return scores
    n = len(points.features)
    if plan.projection == "tsne":
        perplexity = plan.perplexity or min(30.0, (n - 1) / 3)
        found = yield from nearest_to(features[None], points.features, min(n, int(3 * perplexity)))
        affinities = gaussian_affinities(found.distances[0], min(perplexity, len(found.distances[0])))
        loss: Loss = _tsne_loss
    else:
        found = yield from nearest_to(features[None], points.features, plan.n_neighbors - 1, "cosine")
        affinities = memberships(found.distances[0])
        loss = _umap_loss(plan.min_dist)
    known = np.isfinite(points.xy).all(1)
    others = torch.from_numpy(points.xy[known].astype(np.float64))
    weights = np.zeros(n)
    weights[found.indices[0]] = affinities
    return (yield from _descended(torch.from_numpy(weights[known]), others, loss))


def gaussian_affinities(distances: Doubles, perplexity: float) -> Doubles:
    """p_j ∝ exp(−β d²), f64 [k], with β such that exp(entropy) is `perplexity` (van der Maaten & Hinton 2008)."""
    squares = np.square(distances.astype(np.float64))
    squares = squares - squares.min(initial=math.inf)
    scale = float(squares.mean()) or 1.0
    low, high = -30.0, 30.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        p = np.exp(-squares / scale * 2.0**middle)
        p /= p.sum()
        entropy = float(-(p * np.log(np.maximum(p, 1e-300))).sum())
        low, high = (middle, high) if entropy > math.log(perplexity) else (low, middle)
    found: Doubles = p
    return found


def memberships(distances: Doubles) -> Doubles:
    """UMAP's fuzzy memberships f64 [k], 0…1: exp(−(d − ρ)/σ), ρ the smallest distance, their sum log2 (k + 1).

    umap-learn counts the point itself among its neighbours, k + 1 of them, and leaves it out of the sum.
    """
    gaps = distances.astype(np.float64)
    gaps = gaps - gaps.min(initial=math.inf)
    goal, low, high = math.log2(len(gaps) + 1), -60.0, 60.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        high, low = (middle, low) if np.exp(-gaps / 2.0**middle).sum() > goal else (high, middle)
    found: Doubles = np.exp(-gaps / 2.0**high)
    return found


def _tsne_loss(weights: Tensor, squares: Tensor) -> Tensor:
    kernel = -torch.log1p(squares)
    return -(weights * (kernel - torch.logsumexp(kernel, 0))).sum()


def _umap_loss(min_dist: float) -> Loss:
    a, b = curve_of(min_dist)

    def loss(weights: Tensor, squares: Tensor) -> Tensor:
        powers = a * squares.clamp_min(1e-12).pow(b)
        repulsion = _NEGATIVES * weights.sum() / len(weights)
        return (weights * torch.log1p(powers)).sum() + repulsion * torch.log1p(1.0 / (powers + 1e-3)).sum()

    return loss


def curve_of(min_dist: float) -> tuple[float, float]:
    """UMAP's a and b: 1 / (1 + a d^2b) fitted to 1 up to `min_dist` and to exp(min_dist − d) from there, spread 1.

    As umap-learn has it, whose import takes seconds.
    """
    from scipy.optimize import curve_fit

    distances = np.linspace(0.0, 3.0, 300)
    wanted = np.where(distances < min_dist, 1.0, np.exp(min_dist - distances))
    (a, b), _ = curve_fit(lambda d, a, b: 1.0 / (1.0 + a * d ** (2 * b)), distances, wanted)
    return float(a), float(b)


def _descended(weights: Tensor, others: Tensor, loss: Loss) -> Steps[FloatArray]:
    start = (weights[:, None] * others).sum(0) / weights.sum()
    # The mean of two groups may lie in neither: the best of it and the neighbours' own places.
    nearest = others[weights.topk(min(10, len(weights))).indices]
    places = torch.cat([start[None], nearest + 1e-3 * (start - nearest)])
    losses = [float(loss(weights, (others - one).square().sum(1))) for one in places]
    y = places[int(np.argmin(losses))].clone().requires_grad_()
    span = float((others.amax(0) - others.amin(0)).max())
    rate = 0.01 * span
    best, at = math.inf, y.detach().clone()
    moments, squares = torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    for step in range(1, _STEPS + 1):
        value = loss(weights, (others - y).square().sum(1))
        (slope,) = torch.autograd.grad(value, y)
        if float(value.detach()) < best:
            best, at = float(value.detach()), y.detach().clone()
        moments = 0.9 * moments + 0.1 * slope
        squares = 0.999 * squares + 0.001 * slope.square()
        move = moments / (1 - 0.9**step) / ((squares / (1 - 0.999**step)).sqrt() + 1e-12)
        with torch.no_grad():
            y -= rate * (1 - step / (_STEPS + 1)) * move
        yield Update(step, _STEPS, "placing")
    return frozen(at.numpy().astype(np.float32))

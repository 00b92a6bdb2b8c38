"""Integrated Gradients: the score's rise from a baseline, divided among the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.attribution.baselines import Baseline, baseline
from convviz_gui.engine.attribution.many_gradients import summed_gradients
from convviz_gui.engine.attribution.pixel_maps import CLASSES, no_gradient, pixel_map, pixel_scores
from convviz_gui.engine.attribution.source import traced_class
from convviz_gui.engine.method import Category, Method, Steps, Update, register
from convviz_gui.engine.network.hooks import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@dataclass(frozen=True)
class IntegratedGradientsParams(Params):
    """From where, and in how many steps."""

    steps: int = param(
        50,
        "Steps",
        "Points between baseline and photo at which the gradient is taken. More take longer and leave a smaller gap.",
        lo=1,
        hi=1000,
        log=True,
    )
    baseline: str = param(
        Baseline.MEAN.value,
        "Baseline",
        "The picture that shows nothing, which the photo is measured against: the mean colour, black, or the photo "
        "blurred. Pixels that are the same in both get nothing.",
        choices=tuple(kind.value for kind in Baseline),
    )


@register
class IntegratedGradients(Method[IntegratedGradientsParams]):
    """How much each pixel adds to the class's score on the way from an empty picture to the photo."""

    name = "integrated-gradients"
    title = "Integrated Gradients"
    category = Category.PIXEL_MAPS
    needs = CLASSES
    params = IntegratedGradientsParams
    payload = PixelMap
    when_to_use = (
        "Take it where the parts have to add up: what it gives to all pixels together is the score's rise from the "
        "baseline, and the gap says how nearly. Try two baselines before you believe what it says of one colour."
    )
    how_to_read = (
        "The gradient is averaged along the straight line from the baseline to the photo (Gauss–Legendre points) and "
        "multiplied by the way each pixel goes. Red pixels raised the score, blue ones lowered it, summed over the "
        "colours. The completeness gap is how far the parts miss the whole: near 0 %, or take more steps."
    )
    how_it_misleads = (
        "Pixels that look like the baseline get nothing, however much they matter: with the mean as a baseline that is "
        "grey, with black it is every dark object. The pictures on the way are no photos, and the network may do odd "
        "things there. Like all products with the picture, the map has the picture's edges in it."
    )
    reference = "Sundararajan, Taly, Yan, Axiomatic Attribution for Deep Networks, ICML 2017"
    check_settings = (("steps", 12),)
    check_stages = 5

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs class scores that depend differentiably on the picture."""
        return no_gradient(info)

    def run(self, session: Session, request: Run, params: IntegratedGradientsParams) -> Steps[PixelMap]:
        """One gradient for each point on the way, taken in an order that makes pictures under way worth seeing."""
        yield Update(0, params.steps, "forward pass")
        assert request.image is not None  # the session does not run it without
        x, box = session.input(request.image)
        empty = baseline(x, Baseline(params.baseline), session.info.preprocess)
        with torch.no_grad():
            found, score = traced_class(session.model, x, request.target)
            rise = float(found.value) - float(score.of(logits_of(forward(session.model, empty)))[0])
        # The device may be another one at every step, or gone.
        found, empty, way = found.detached(), empty.cpu(), (x - empty).cpu()
        points, weights = _gauss_legendre(params.steps)

        def between(index: int) -> Tensor:
            return empty + points[index] * way

        def picture(total: Tensor, weight: float) -> PixelMap:
            return pixel_map(way * total / weight, box, found, signed=True)

        total = yield from summed_gradients(session, score, between, weights, _spread(params.steps), picture)
        parts = way * total
        gap = (float(parts.sum()) - rise) / abs(rise) if rise else math.nan
        return pixel_map(parts, box, found, signed=True, completeness_gap=gap)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """The score explained, and how nearly the parts add up to it."""
        return pixel_scores(payload)


def _gauss_legendre(n: int) -> tuple[list[float], list[float]]:
    """Points in 0…1 and their weights, which sum to 1."""
    points, weights = np.polynomial.legendre.leggauss(n)
    return ((points + 1) / 2).tolist(), (weights / 2).tolist()


def _spread(n: int) -> list[int]:
    """0…n − 1 in an order of which every beginning is spread over the whole (van der Corput)."""
    return sorted(range(n), key=lambda index: f"{index:032b}"[::-1])

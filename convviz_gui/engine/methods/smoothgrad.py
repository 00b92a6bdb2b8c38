"""SmoothGrad: the gradient averaged over noisy copies of the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.attribution.many_gradients import summed_gradients
from convviz_gui.engine.attribution.pixel_maps import CLASSES, no_gradient, pixel_map, pixel_scores
from convviz_gui.engine.attribution.source import traced_class
from convviz_gui.engine.method import Category, Method, Steps, Update, register
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Run, Score


@dataclass(frozen=True)
class SmoothGradParams(Params):
    """How many copies, and how noisy."""

    samples: int = param(
        25,
        "Samples",
        "Noisy copies of the photo whose gradients are averaged. More take longer and leave less grain.",
        lo=1,
        hi=1000,
        log=True,
    )
    sigma: float = param(
        0.15,
        "Noise",
        "Standard deviation of the noise as a part of the input's range, from its least to its largest value. "
        "Less keeps the grain, more wipes out what matters; 0.1 to 0.2 is usual.",
        lo=0.0,
        hi=1.0,
    )


@register
class SmoothGrad(Method[SmoothGradParams]):
    """Which pixels the class's score is sensitive to around this photo, not only at it."""

    name = "smoothgrad"
    title = "SmoothGrad"
    category = Category.PIXEL_MAPS
    needs = CLASSES
    by_chance = True
    params = SmoothGradParams
    payload = PixelMap
    when_to_use = (
        "Take it where the saliency map is too grainy to read, if you can wait for the passes. "
        "For what made the score rather than what would change it, take Integrated Gradients or occlusion."
    )
    how_to_read = (
        "Noise is added to the photo, the gradient of the score taken, and this repeated and averaged. What stays is "
        "the gradient that the photo's surroundings share. Drawn is the largest absolute value over the colours."
    )
    how_it_misleads = (
        "A smoother picture is not a truer one: it answers for noisy photos, which the network was not trained on and "
        "may take for something else. Another amount of noise gives another map, and there is no right amount."
    )
    reference = "Smilkov et al., SmoothGrad: removing noise by adding noise, 2017"
    check_settings = (("samples", 8),)
    check_stages = 5

    @classmethod
    def applies(cls, info: ModelInfo) -> str:
        """It needs class scores that depend differentiably on the picture."""
        return no_gradient(info)

    def run(self, session: Session, request: Run, params: SmoothGradParams) -> Steps[PixelMap]:
        """One gradient for each noisy copy; the noise of a copy depends on seed and number alone."""
        yield Update(0, params.samples, "forward pass")
        assert request.image is not None  # the session does not run it without
        x, box = session.input(request.image)
        with torch.no_grad():
            found, score = traced_class(session.model, x, request.target)
        # The device may be another one at every step, or gone.
        found, x = found.detached(), x.cpu()
        spread = params.sigma * float(x.max() - x.min())

        def noisy(index: int) -> Tensor:
            return x + spread * torch.from_numpy(sample_noise(request.seed, index, tuple(x.shape)))

        def picture(total: Tensor, weight: float) -> PixelMap:
            return pixel_map(total / weight, box, found, signed=False)

        weights = [1.0] * params.samples
        total = yield from summed_gradients(session, score, noisy, weights, range(params.samples), picture)
        return picture(total, params.samples)

    def scores(self, payload: PixelMap) -> tuple[Score, ...]:
        """The score explained."""
        return pixel_scores(payload)


def sample_noise(seed: int, index: int, shape: tuple[int, ...]) -> np.ndarray:
    """The noise f32 N(0, 1) of one copy, which no other copy's depends on."""
    return np.random.default_rng((seed, index)).standard_normal(shape, dtype=np.float32)

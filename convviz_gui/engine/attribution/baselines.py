"""What stands for "nothing to see" in an input: the mean, black, or the picture without its detail."""

from __future__ import annotations

import math
from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.types import Preprocess


class Baseline(StrEnum):
    """MEAN: 0 after normalisation. BLACK: what a black photo becomes. BLUR: the input, blurred."""

    MEAN = "mean"
    BLACK = "black"
    BLUR = "blur"


BLUR_PART = 1 / 16
"""The blur's standard deviation as a part of the input's shorter side: 14 pixels of 224."""


def baseline(x: Tensor, kind: Baseline, preprocess: Preprocess) -> Tensor:
    """The baseline f32 [1, C, H, W] of an input x [1, C, H, W]."""
    match kind:
        case Baseline.MEAN:
            return torch.zeros_like(x)
        case Baseline.BLACK:
            return torch.zeros_like(x) + level(preprocess, 0.0).to(x)
        case Baseline.BLUR:
            return blurred(x, BLUR_PART * min(x.shape[2:]))


def level(preprocess: Preprocess, value: float) -> Tensor:
    """What a photo of one grey (0 black, 1 white) becomes, [1, C, 1, 1]; channels beyond the third keep their 0."""
    n = preprocess.channels
    values = [
        (value - mean) / std if index < 3 else 0.0
        for index, (mean, std) in enumerate(zip(preprocess.mean, preprocess.std, strict=True))
    ]
    return torch.tensor(values).view(1, n, 1, 1)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """x [B, C, H, W] under a Gaussian of `sigma` pixels, cut off at 3 sigma; beyond its edges x goes on unchanged."""
    for axis in (2, 3):
        # No wider than the side: a blur of more sees nothing new.
        radius = min(math.ceil(3 * sigma), x.shape[axis] - 1)
        if radius < 1:
            continue
        at = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
        weights = torch.exp(-0.5 * (at / sigma) ** 2)
        weights = weights / weights.sum()
        shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
        kernel = weights.view(shape).repeat(x.shape[1], 1, 1, 1)
        margin = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        x = F.conv2d(F.pad(x, margin, mode="replicate"), kernel, groups=x.shape[1])
    return x

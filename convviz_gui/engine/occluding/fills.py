"""What windows show instead of the picture."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.types import Preprocess

FILLS = ("mean", "grey", "black", "blur")


def filling(kind: str, x: Tensor, preprocess: Preprocess, patch: int) -> Tensor:
    """What a window shows wherever it stands, [1, C, H, W] as the network takes it.

    `mean` is 0 after normalising; `grey` and `black` are 0.5 and 0 before it, in the picture's channels and 0 in
    further ones; `blur` is the crop itself, blurred by a Gaussian with a standard deviation of half a patch and of a
    pixel at least, the crop's edge continued.
    """
    if kind == "mean":
        return torch.zeros_like(x)
    if kind == "blur":
        return _blurred(x, max(1.0, patch / 2))
    level = {"grey": 0.5, "black": 0.0}[kind]
    n = min(x.shape[1], len(preprocess.mean))
    fill = torch.zeros_like(x)
    for channel in range(n):
        fill[:, channel] = (level - preprocess.mean[channel]) / preprocess.std[channel]
    return fill


def _blurred(x: Tensor, sigma: float) -> Tensor:
    reach = math.ceil(3 * sigma)
    at = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    weights = torch.exp(-0.5 * (at / sigma) ** 2)
    weights = weights / weights.sum()
    channels = x.shape[1]
    for shape, margins in (((-1, 1), (0, 0, reach, reach)), ((1, -1), (reach, reach, 0, 0))):
        kernel: Any = weights.reshape(1, 1, *shape).repeat(channels, 1, 1, 1)
        x = F.conv2d(F.pad(x, margins, mode="replicate"), kernel, groups=channels)
    return x.contiguous(memory_format=torch.channels_last)

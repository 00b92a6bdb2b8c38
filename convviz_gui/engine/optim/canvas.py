"""Canvases: what is varied by an ascent, how it becomes the network's input, and how it is shown."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.payloads import ByteArray, FloatArray
from convviz_gui.engine.types import Preprocess

MID_GREY = 128
"""Grey level of a picture in which there is nothing to see."""

_SPREADS = (0.1, 0.25, 0.5, 0.5)
_GRAINS = (1, 1, 1, 8)
N_STARTS = len(_SPREADS)
"""How many different starts `noise` offers."""


def noise(seed: int, channel: int, start: int, n_colours: int, size: int) -> FloatArray:
    """Start picture f32 [n_colours, size, size] around 0.5, the same whichever other channels are asked for.

    Start 0 is the chapter's, uniform in 0.4…0.6. Starts 1 and 2 are uniform in 0.25…0.75 and 0…1; start 3 is uniform in
    0…1 in blocks of 8×8 pixels, which wakes filters that look for something larger than a pixel.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed % 2**64, channel, start]))
    grain, spread = _GRAINS[start], np.float32(_SPREADS[start])
    side = -(-size // grain)
    values = rng.random((n_colours, side, side), dtype=np.float32).repeat(grain, 1).repeat(grain, 2)
    return np.float32(0.5) + spread * (2 * values[:, :size, :size] - 1)


class PixelCanvas:
    """B pictures whose pixels themselves are varied. Values start in 0…1 and are never clamped.

    Attributes:
        leaf: the pictures f32 [B, C, H, W].
    """

    def __init__(self, pixels: Tensor, preprocess: Preprocess) -> None:
        self.leaf = pixels
        self._mean = torch.tensor(preprocess.mean, device=pixels.device).view(1, -1, 1, 1)
        self._std = torch.tensor(preprocess.std, device=pixels.device).view(1, -1, 1, 1)

    def model_input(self, leaf: Tensor) -> Tensor:
        """The network's input f32 [B, C, H, W] for pictures f32 [B, C, H, W]: the model's own mean and std."""
        # Convolutions on a CPU are fastest in this layout.
        return ((leaf - self._mean) / self._std).contiguous(memory_format=torch.channels_last)

    def pictures(self, crop: int) -> ByteArray:
        """The pictures u8 [B, H − 2·crop, W − 2·crop, 3] as `deprocess` makes them."""
        return deprocess(self.leaf, crop)


def deprocess(pixels: Tensor, crop: int) -> ByteArray:
    """The chapter's picture: subtract the mean, divide by the standard deviation, ×64 + 128, clip, crop.

    Mean and deviation (of the population) are the whole picture's, all colours together and before the crop; grey
    levels are truncated to whole numbers. A picture without contrast becomes mid-grey. One colour becomes three equal.

    Args:
        pixels: f32 [B, C, H, W], C 1 or 3.
        crop: pixels cut off each side.

    Returns:
        u8 [B, H − 2·crop, W − 2·crop, 3].
    """
    height, width = pixels.shape[2:]
    std, mean = torch.std_mean(pixels, dim=(1, 2, 3), keepdim=True, correction=0)
    inside = pixels[:, :, crop : height - crop, crop : width - crop]
    shown = (inside - mean) / torch.where(std > 0, std, 1.0) * 64 + MID_GREY
    colours = shown.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return colours.expand(-1, -1, -1, 3).contiguous().cpu().numpy()

"""Canvases: what is varied by an ascent, how it becomes the network's input, and how it is shown."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from convviz_gui.engine.payloads import ByteArray, FloatArray
from convviz_gui.engine.preprocess import colour_order
from convviz_gui.engine.types import Preprocess

MID_GREY = 128
"""Grey level of a picture in which there is nothing to see."""

_STARTS = ((0.1, 1), (0.5, 1), (0.15, 8), (0.15, 32))
N_STARTS = len(_STARTS)
"""How many kinds of start picture `noise` offers."""


def noise(seed: int, channel: int, start: int, n_colours: int, size: int) -> FloatArray:
    """Start picture f32 [n_colours, size, size] around 0.5, the same whichever other channels are asked for.

    Start 0 is the chapter's, uniform in 0.4…0.6; start 1 is uniform in 0…1. Starts 2 and 3 have values in 0.35…0.65,
    drawn every 8 and 32 pixels with straight lines in between: they wake filters that look for something larger than
    a pixel (of the channels of SqueezeNet's Fire modules the first two leave 6 to 38 % silent, all four 0 to 15 %).
    """
    spread, grain = _STARTS[start]
    rng = np.random.default_rng(np.random.SeedSequence([seed % 2**64, channel, start]))
    side = -(-size // grain) + 1
    values = rng.random((n_colours, side, side), dtype=np.float32)
    values = _interpolated(_interpolated(values, size, grain).swapaxes(1, 2), size, grain).swapaxes(1, 2)
    return np.float32(0.5) + np.float32(spread) * (2 * values - 1)


def _interpolated(values: FloatArray, size: int, grain: int) -> FloatArray:
    """Linear interpolation of the last axis to `size` places, `grain` of them between two values."""
    place = np.arange(size)
    left, part = place // grain, (place % grain / grain).astype(np.float32)
    return values[..., left] * (1 - part) + values[..., left + 1] * part


class Entrance:
    """How pictures f32 [B, 1…3, H, W], values in 0…1, red first, enter the network: as `preprocess` makes it of photos.

    Attributes:
        n_colours: how many colours a picture has; 1 is grey.
    """

    def __init__(self, preprocess: Preprocess, device: torch.device) -> None:
        self.n_colours = n = len(colour_order(preprocess))
        self._blue_first = preprocess.channel_order == "bgr" and n > 1
        self._n_others = preprocess.channels - n
        values = (preprocess.mean[:n], preprocess.std[:n])
        self._mean, self._std = (torch.tensor(value, device=device).view(1, -1, 1, 1) for value in values)

    def __call__(self, pixels: Tensor) -> Tensor:
        """The network's input f32 [B, C, H, W]: its own mean, std and order of colours; further channels are 0."""
        x = ((pixels.flip(1) if self._blue_first else pixels) - self._mean) / self._std
        if self._n_others:
            x = torch.cat([x, x.new_zeros(len(x), self._n_others, *x.shape[2:])], dim=1)
        # Convolutions on a CPU are fastest in this layout.
        return x.contiguous(memory_format=torch.channels_last)


class PixelCanvas:
    """B pictures whose pixels themselves are varied. Values start in 0…1 and are never clamped.

    Attributes:
        leaf: the pictures f32 [B, 1 or 3, H, W], red first.
    """

    def __init__(self, pixels: Tensor, preprocess: Preprocess) -> None:
        self.leaf = pixels
        self._enter = Entrance(preprocess, pixels.device)

    def model_input(self, leaf: Tensor) -> Tensor:
        """The network's input f32 [B, C, H, W] for pictures f32 [B, 1 or 3, H, W]: see `Entrance`."""
        return self._enter(leaf)

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

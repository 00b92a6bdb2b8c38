"""Filters as pictures, in numpy, for window and files alike: 0 is mid-grey, wherever the values lie."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from convviz_gui.engine.payloads import ByteArray, FloatArray, Kernels

GREY = 128
"""The byte that 0 is drawn as; ±1 of the scale are 255 and 1."""
GAP = 1
_MOST_PIXELS = 2048
MARGIN_GREY = 96


class KernelScale(StrEnum):
    """What the brightest and the darkest shade stand for."""

    PER_FILTER = "per filter"
    COMMON = "common"

    @property
    def help(self) -> str:
        """What it does and when to choose it, in one sentence."""
        return {
            KernelScale.PER_FILTER: "Each filter from minus to plus its own largest weight: most contrast.",
            KernelScale.COMMON: "All from minus to plus the layer's largest weight: comparable with each other.",
        }[self]


def limits(kernels: Kernels, scale: KernelScale) -> FloatArray:
    """The weight drawn lightest, f32 [N]; minus it is drawn darkest."""
    own = np.abs(kernels.weights).reshape(len(kernels.weights), -1).max(axis=1)
    return own if scale is KernelScale.PER_FILTER else np.full_like(own, own.max())


def shades(values: FloatArray, limit: float) -> ByteArray:
    """Weights of any shape as greys: 128 + 127 · value / limit."""
    if not limit > 0:
        return np.full(values.shape, GREY, np.uint8)
    scaled = values * np.float32(127 / limit) + np.float32(GREY + 0.5)
    greys: ByteArray = np.clip(scaled, 1, 255).astype(np.uint8)
    return greys


def colour_tile(kernels: Kernels, item: int, limit: float) -> ByteArray:
    """A filter that sees the picture, u8 [kh, kw, 3]; a colour it has no weights for is mid-grey."""
    weights = kernels.weights[item]
    tile = np.full((*weights.shape[1:], 3), GREY, np.uint8)
    for colour, channel in enumerate(kernels.colours):
        if channel >= 0:
            tile[..., colour] = shades(weights[channel], limit)
    return tile


def slices(kernels: Kernels, item: int, limit: float) -> ByteArray:
    """All of a filter's slices, u8 [h, w], a square of them row by row with a pixel between."""
    weights = kernels.weights[item]
    count, height, width = weights.shape
    columns = math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    gap = 0 if (height, width) == (1, 1) else GAP
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), MARGIN_GREY, np.uint8)
    greys = shades(weights, limit)
    for i in range(count):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = greys[i]
    return sheet


def matrix(kernels: Kernels) -> tuple[FloatArray, tuple[int, int]]:
    """The weights as a matrix f32 [rows, columns], filters by inputs, and how many weights (down, across) one cell is.

    Kernels stand row by row in their input's place. Where there are more than 2,048 a side, a cell holds the largest
    of several by magnitude.
    """
    whole = kernels.weights.reshape(len(kernels.weights), -1)
    down, across = (math.ceil(side / _MOST_PIXELS) for side in whole.shape)
    if (down, across) == (1, 1):
        return whole, (1, 1)
    rows, columns = (math.ceil(side / step) for side, step in zip(whole.shape, (down, across), strict=True))
    padded = np.zeros((rows * down, columns * across), np.float32)
    padded[: whole.shape[0], : whole.shape[1]] = whole
    blocks = padded.reshape(rows, down, columns, across)
    high, low = blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3))
    return np.where(high >= -low, high, low), (down, across)

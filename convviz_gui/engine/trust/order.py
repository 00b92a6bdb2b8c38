"""In which order a map names the places of the picture, and the orders it is held against."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from convviz_gui.engine.payloads import AttributionMap, FloatArray, Heat, IntArray, Occlusion

CENTRE_SIGMA = 0.25
"""Of the centred blob's Gaussian, as a part of the picture's height and width."""

CELLS = 28
"""Along the shorter side of a pixel map. Single pixels that are taken away look like noise, which upsets a network
whatever it was looking at; and the sum over a cell is what the pixels of it do together."""


def grain_of(found: AttributionMap) -> tuple[int, int]:
    """Rows and columns of the cells that a map can tell apart: its layer's, the windows', or `CELLS`."""
    match found:
        case Heat():
            rows, columns = found.raw.shape
        case Occlusion():
            rows, columns = found.drop.shape
        case _:
            height, width = found.heat.shape
            scale = min(1.0, CELLS / min(height, width))
            rows, columns = round(height * scale), round(width * scale)
    return rows, columns


def values_of(found: AttributionMap) -> FloatArray:
    """What the places are ordered by, f32 [H, W], the most telling one the highest.

    Class maps: as drawn; where nothing is drawn, by how little the enlarged raw map speaks against. Pixel maps: the
    mean of a cell, signed where the map is. Occlusion: the mean drop.
    """
    size = (found.heat.shape[0], found.heat.shape[1])
    match found:
        case Heat():
            below = np.minimum(enlarged(found.raw, size), 0)
            # Below what is drawn, however faint it is there.
            return np.where(found.heat > 0, found.heat, below / max(float(-below.min()), 1e-30)).astype(np.float32)
        case Occlusion():
            return found.heat
        case _:
            cells = F.adaptive_avg_pool2d(torch.from_numpy(found.heat.copy())[None, None], grain_of(found))
            spread: FloatArray = F.interpolate(cells, size, mode="nearest")[0, 0].numpy()
            return spread


def enlarged(raw: FloatArray, size: tuple[int, int]) -> FloatArray:
    """A map [h, w] at the picture's size, bilinear as class maps are drawn."""
    made: FloatArray = F.interpolate(
        torch.from_numpy(raw.copy())[None, None], size, mode="bilinear", align_corners=False
    )[0, 0].numpy()
    return made


def random_values(found: AttributionMap, draw: np.random.Generator) -> FloatArray:
    """A map [H, W] that knows nothing: random numbers on the cells of `found`, enlarged as it is.

    A finer one would be no fair opponent: it breaks the picture up everywhere at once.
    """
    size = (found.heat.shape[0], found.heat.shape[1])
    cells = draw.standard_normal(grain_of(found), np.float32)
    if isinstance(found, (Heat, Occlusion)):
        return enlarged(cells, size)
    spread: FloatArray = F.interpolate(torch.from_numpy(cells)[None, None], size, mode="nearest")[0, 0].numpy()
    return spread


def centred_values(size: tuple[int, int]) -> FloatArray:
    """A Gaussian [H, W] in the middle of the picture, σ `CENTRE_SIGMA` of either side."""
    ways: list[NDArray[np.float64]] = []
    for side in size:
        steps = (np.arange(side) + 0.5) / side - 0.5
        ways.append(np.exp(-(steps**2) / (2 * CENTRE_SIGMA**2)))
    return np.outer(*ways).astype(np.float32)


def ranks(values: FloatArray) -> IntArray:
    """The place of each pixel in the order, i64 [H, W] from 0, the highest value first.

    Equal values come in the order of their position, row by row: the same picture always gives the same order.
    """
    order = np.argsort(-values.ravel(), kind="stable")
    placed = np.empty(len(order), np.int64)
    placed[order] = np.arange(len(order))
    return placed.reshape(values.shape)

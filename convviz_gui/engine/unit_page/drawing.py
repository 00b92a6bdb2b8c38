"""The arrays of a channel's page as pictures, in numpy, for window and files alike: 0 is mid-grey."""

from __future__ import annotations

import math

import numpy as np

from convviz_gui.engine.payloads import ByteArray, FloatArray
from convviz_gui.engine.payloads.unit_page import Strongest, Weights

GREY = 128
_GAP_GREY = 96
MOST_SLICES = 256
"""Slices of a filter that are drawn; the rest would be too small to see."""


def shades(values: FloatArray, limit: float | None = None) -> ByteArray:
    """Signed values of any shape as greys: 128 + 127 · value / limit, by default of the largest; 0 is mid-grey."""
    top = float(np.abs(values).max(initial=0.0)) if limit is None else limit
    if not top > 0:
        return np.full(values.shape, GREY, np.uint8)
    greys: ByteArray = np.clip(np.rint(GREY + values * np.float32(127 / top)), 1, 255).astype(np.uint8)
    return greys


def weights_picture(weights: Weights) -> ByteArray | None:
    """A filter u8 [h, w, 3]: in colour where it sees the picture, else its slices side by side, row by row."""
    values = weights.values
    if not values.size:
        return None
    if weights.colours:
        greys = shades(values)
        return np.stack([greys[channel] for channel in weights.colours], axis=-1)
    count, height, width = min(len(values), MOST_SLICES), *values.shape[1:]
    greys, gap = shades(values), 0 if values.shape[1:] == (1, 1) else 1
    columns = math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), _GAP_GREY, np.uint8)
    for i in range(count):
        y, x = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[y : y + height, x : x + width] = greys[i]
    return np.stack([sheet] * 3, axis=-1)


def projected_picture(strongest: Strongest, row: int) -> ByteArray | None:
    """What was traced back of a picture, cut where its patch is: u8 [h, w, 3], each by its own largest value."""
    if row >= len(strongest.projected):
        return None
    x, y, width, height = (float(number) for number in strongest.inputs[row])
    rows = slice(int(y), max(math.ceil(y + height), int(y) + 1))
    columns = slice(int(x), max(math.ceil(x + width), int(x) + 1))
    part = strongest.projected[row][:, rows, columns]
    if not part.size:
        return None
    colours = [np.zeros(part.shape[1:], np.float32)] * 3
    for channel, colour in enumerate(strongest.order):
        colours[colour] = part[channel]
    if len(strongest.order) == 1:
        colours = [part[0]] * 3
    return shades(np.stack(colours, axis=-1))


def squared(picture: ByteArray, side: int) -> ByteArray:
    """A picture u8 [h, w, 3] enlarged, each pixel a square, in the middle of a grey one u8 [side, side, 3]."""
    factor = max(side // max(picture.shape[:2]), 1)
    large = picture.repeat(factor, axis=0).repeat(factor, axis=1)[:side, :side]
    made = np.full((side, side, 3), GREY, np.uint8)
    y, x = (side - large.shape[0]) // 2, (side - large.shape[1]) // 2
    made[y : y + large.shape[0], x : x + large.shape[1]] = large
    return made

"""A scatter plot as a picture, for where there is no window to draw it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from convviz_gui.engine.datasets import natural
from convviz_gui.engine.palette import categorical
from convviz_gui.engine.payloads import ByteArray, FloatArray

SIZE = 900
MARGIN = 40
LEGEND = 220
RADIUS = 4
_SUPERSAMPLE = 2
_MOST_ENTRIES = 36


def scatter(xy: FloatArray, labels: Sequence[str]) -> ByteArray:
    """Draw points `xy` f32 [N, 2], coloured by label, with a legend; u8 [H, W, 3]. Both axes have the same scale."""
    names = sorted(set(labels), key=natural)
    colours = categorical(max(len(names), 1), dark=False)
    number = {name: i for i, name in enumerate(names)}
    scale = _SUPERSAMPLE
    canvas = Image.new("RGB", ((SIZE + LEGEND) * scale, SIZE * scale), "white")
    pen = ImageDraw.Draw(canvas)
    for (x, y), label in zip(_positions(xy) * scale, labels, strict=True):
        r = RADIUS * scale
        colour = _rgb(colours[number[label]])
        pen.ellipse((x - r, y - r, x + r, y + r), fill=colour, outline="white", width=scale)
    font = ImageFont.load_default(15 * scale)
    for i, name in enumerate(names[:_MOST_ENTRIES]):
        x, y = SIZE * scale, (MARGIN + 22 * i) * scale
        pen.ellipse((x, y, x + 12 * scale, y + 12 * scale), fill=_rgb(colours[i]))
        pen.text((x + 20 * scale, y - 3 * scale), name[:24] or "no label", fill="black", font=font)
    if len(names) > _MOST_ENTRIES:
        rest = f"and {len(names) - _MOST_ENTRIES} more"
        pen.text((SIZE * scale, (MARGIN + 22 * _MOST_ENTRIES) * scale), rest, fill="black", font=font)
    return np.asarray(canvas.reduce(scale))


def _positions(xy: FloatArray) -> FloatArray:
    low, high = xy.min(axis=0), xy.max(axis=0)
    span = float((high - low).max()) or 1.0
    unit = (xy - (low + high) / 2) / span + 0.5
    # Pictures count rows downwards, plots upwards.
    unit[:, 1] = 1 - unit[:, 1]
    placed: FloatArray = MARGIN + unit * (SIZE - 2 * MARGIN)
    return placed


def _rgb(colour: ByteArray) -> tuple[int, int, int]:
    red, green, blue = colour.tolist()
    return red, green, blue

"""Parts of photos as small squares of one size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from convviz_gui.engine.payloads import ByteArray, FloatArray

GROUND = 128
"""Grey of a square where there is no photo."""
_MOST = 16


def cut(photo: Image.Image, boxes: Sequence[FloatArray], side: int) -> list[ByteArray]:
    """Squares u8 [side, side, 3], each with a part of an RGB photo in its middle, in shape.

    Args:
        boxes: x, y, width, height of the parts in the photo's pixels, fractions included; nothing is cut of a part
            without width or height.
    """
    made: dict[tuple[float, ...], ByteArray] = {}
    smaller: dict[int, Image.Image] = {}
    for box in boxes:
        key = tuple(float(number) for number in box)
        if key not in made:
            made[key] = _square(photo, key, side, smaller)
    return [made[tuple(float(number) for number in box)] for box in boxes]


def placed(box: FloatArray, side: int) -> tuple[int, int, int, int]:
    """Where a part stands in its square: left, top, width, height in pixels; 0 for a part without extent."""
    width, height = float(box[2]), float(box[3])
    if not (width > 0 and height > 0):
        return 0, 0, 0, 0
    scale = side / max(width, height)
    across, down = max(round(width * scale), 1), max(round(height * scale), 1)
    return (side - across) // 2, (side - down) // 2, across, down


def _square(photo: Image.Image, box: tuple[float, ...], side: int, smaller: dict[int, Image.Image]) -> ByteArray:
    square = np.full((side, side, 3), GROUND, np.uint8)
    left, top, across, down = placed(np.array(box, np.float32), side)
    if not across:
        return square
    x, y, width, height = box
    # A photo shrunk once serves all of its parts; what is left to shrink is at least twofold.
    step = _step(max(width, height) / side)
    if step not in smaller:
        smaller[step] = photo if step == 1 else photo.reduce(step)
    small = smaller[step]
    edges = (
        x / step,
        y / step,
        min((x + width) / step, small.width),
        min((y + height) / step, small.height),
    )
    # Enlarged pixels of a few of the photo's stay squares: that is all the unit sees.
    coarse = max(width, height) < side / 4
    method = Image.Resampling.NEAREST if coarse else Image.Resampling.BILINEAR
    square[top : top + down, left : left + across] = np.asarray(small.resize((across, down), method, edges))
    return square


def _step(shrinking: float) -> int:
    """The power of two by which a photo may be shrunk beforehand."""
    return int(min(2 ** math.floor(math.log2(max(shrinking / 2, 1))), _MOST))

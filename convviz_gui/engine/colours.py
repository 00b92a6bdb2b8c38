"""Any Pillow mode to RGB bytes: nothing clipped, transparency over a background, and what was decided in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colour = tuple[int, int, int]
"""Red, green and blue in 0…255."""

_WHITES = (255, 1023, 4095, 16383, 65535)
"""What white is in 8, 10, 12, 14 and 16 bits: files of 16 bits rarely say how many of them they use."""

Converted = tuple[Image.Image, tuple[str, ...]]


def to_rgb(image: Image.Image, background: Colour) -> Converted:
    """A loaded image in RGB (a copy, or a new image) and notes on what had to be decided.

    Integers beyond 8 bits are scaled from 0 to the least white of 8, 10, 12, 14 or 16 bits that holds them all, floats
    in 0…1 from there, and whatever is negative or larger from its own range.

    Raises:
        ValueError: a float picture holds NaN or infinity, or Pillow cannot convert the mode.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled(np.asarray(image))
    if image.has_transparency_data:
        return _flattened(image.convert("RGBA"), background)
    notes = ("CMYK shown without its colour profile",) if image.mode == "CMYK" else ()
    # Conversion to the same mode is a copy that the caller's closing of the file cannot touch.
    return image.convert("RGB"), notes


def _scaled(values: NDArray[np.generic]) -> Converted:
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError("it holds values that are not numbers: NaN or infinity")
    low, high = _range(float(numbers.min()), float(numbers.max()), np.issubdtype(values.dtype, np.integer))
    numbers -= low
    numbers *= 255 / (high - low)
    grey = Image.fromarray(np.rint(numbers).astype(np.uint8))
    note = "" if (low, high) == (0, 255) else f"{values.dtype.itemsize * 8}-bit scaled from {low:g}…{high:g}"
    return grey.convert("RGB"), (note,) if note else ()


def _range(low: float, high: float, whole: bool) -> tuple[float, float]:
    for white in _WHITES if whole else (1,):
        if low >= 0 and high <= white:
            return 0, white
    if low == high:  # one flat colour has no range of its own
        return min(low, 0), max(high, 0)
    return low, high


def _flattened(image: Image.Image, background: Colour) -> Converted:
    lowest, _ = image.getchannel("A").getextrema()
    if lowest == 255:
        return image.convert("RGB"), ()
    below = Image.new("RGBA", image.size, (*background, 255))
    flat = Image.alpha_composite(below, image).convert("RGB")
    name = "white" if background == (255, 255, 255) else f"RGB {', '.join(map(str, background))}"
    return flat, (f"transparent parts shown over {name}",)

"""What mattered of a synthetic picture, over a ground: transparency as the paper draws it."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import ByteArray, FloatArray

PERCENTILE = 80
"""Of the transparency's values, from which on a pixel is opaque (Fel et al. 2023)."""
GROUND = 255
"""Grey level of the ground in files."""


def opacity(transparency: FloatArray) -> FloatArray:
    """From how much each pixel mattered, f32 [H, W], to opacities f32 [H, W] in 0…1: over its 80th percentile, clipped.

    Where nothing mattered anywhere, all is 0.
    """
    top = float(np.percentile(transparency, PERCENTILE))
    if top <= 0:
        top = float(transparency.max())
    return np.clip(transparency / top, 0, 1) if top > 0 else np.zeros_like(transparency)


def masked(picture: ByteArray, transparency: FloatArray, ground: int = GROUND) -> ByteArray:
    """The picture u8 [H, W, 3] over a ground of that grey, as opaque as `opacity` says."""
    part = opacity(transparency)[..., None]
    laid: ByteArray = np.rint(picture * part + ground * (1 - part)).astype(np.uint8)
    return laid

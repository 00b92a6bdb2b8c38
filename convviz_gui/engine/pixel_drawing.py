"""What is drawn of a pixel map, and on what scale: in numpy, for the window and for files alike."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from convviz_gui.engine.payloads import ByteArray, FloatArray, PixelMap
from convviz_gui.engine.render import to_bytes

CLIPPED_AT = 99.5
"""Percentile of the absolute values at which colours end unless the user says otherwise: a few pixels have gradients so
large that nothing else would be seen."""


class Drawn(StrEnum):
    """What of the attribution becomes the picture."""

    HEAT = "heat"
    POSITIVE = "positive"
    ABSOLUTE = "absolute"
    COLOURS = "colours"


def in_words(what: Drawn, *, signed: bool) -> str:
    """What a picture shows, in words, for a map whose heat is signed or not."""
    match what:
        case Drawn.HEAT if signed:
            return "sum over the colours: for (red) and against (blue)"
        case Drawn.POSITIVE:
            return "positive part of the sum over the colours"
        case Drawn.COLOURS:
            return "the attribution as colours, grey is 0"
        case _:
            return "largest absolute value over the colours"


def drawn_values(found: PixelMap, what: Drawn) -> FloatArray:
    """The values f32 [H, W] that are drawn, in the map's own units; of `Drawn.COLOURS` the heat."""
    values = found.heat
    if what is Drawn.POSITIVE:
        values = np.maximum(found.attribution.sum(axis=0), 0)
    elif what is Drawn.ABSOLUTE:
        values = np.abs(found.attribution).max(axis=0)
    return values


def end_of_scale(values: FloatArray, percentile: float = CLIPPED_AT) -> float:
    """The absolute value that gets the last colour: a percentile (0…100) of those that are not 0; 0 if all are.

    Zeros are left out, since the map of a single unit is 0 but for what the unit sees.
    """
    sizes = np.abs(values[values != 0])
    return float(np.percentile(sizes, percentile)) if sizes.size else 0.0


def coloured(attribution: FloatArray, end: float, *, blue_first: bool = False) -> ByteArray:
    """An attribution f32 [3, H, W] as colours u8 [H, W, 3]: grey is 0, ±`end` the least and the most of a colour."""
    shown = attribution[::-1] if blue_first else attribution
    scale = 127.5 / end if end > 0 else 0.0
    return to_bytes((shown.transpose(1, 2, 0) * np.float32(scale) + np.float32(128)).astype(np.float32))

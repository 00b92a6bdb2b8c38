"""A class map as an image to lay over a photo."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtGui import QImage

from convviz_gui.engine.logits import class_scores, probabilities
from convviz_gui.engine.payloads import ByteArray, FloatArray, Heat, Occlusion, PixelMap
from convviz_gui.engine.render import colour_index, resize_map
from convviz_gui.gui.pictures.qimage import coloured_qimage

_FINE = 512


class HeatOverlay:
    """Keeps the map finely interpolated, so that other colours cost no more than looking them up.

    The values are interpolated here, before they are coloured, to a grid on which neighbours differ by two or three
    steps of the colour table; what Qt interpolates beyond that, between neighbouring colours, cannot be told apart.
    """

    def __init__(self, heat: FloatArray) -> None:
        factor = max(1, math.ceil(_FINE / max(heat.shape)))
        self._index = colour_index(resize_map(heat, (heat.shape[0] * factor, heat.shape[1] * factor)), 0.0, 1.0)

    def image(self, table: ByteArray) -> QImage:
        """The map in the colours of `table` u8 [256, 3]."""
        return coloured_qimage(self._index, table)


def raw_maximum(heat: Heat) -> float:
    """The raw value that is drawn as 1: the largest of the map's positive part, interpolated to the model's input."""
    return float(resize_map(np.maximum(heat.raw, 0), heat.heat.shape).max())


def score_and_probability(found: Heat | PixelMap | Occlusion) -> tuple[float, float]:
    """Logit and probability (0…1) of the class explained; a single logit z is class 1 = +z, class 0 = −z."""
    assert found.class_index is not None
    logits = found.logits[None]
    return float(class_scores(logits)[0, found.class_index]), float(probabilities(logits)[0, found.class_index])

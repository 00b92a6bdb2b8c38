"""Class maps in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.render import colourise, overlay
from convviz_gui.engine.sheets import word_tile
from convviz_gui.engine.types import Result

OPACITY = 0.4
"""Of the class map on the photo, as in the chapter."""


def _arrays(heat: Heat) -> Arrays:
    against = {} if heat.against is None else {"against": np.array(heat.against, np.int64)}
    return {
        "raw": heat.raw,
        "heat": heat.heat,
        "box": heat.box,
        "logits": heat.logits,
        "class_index": np.array(heat.class_index, np.int64),
        "positive": np.array(heat.positive, np.bool_),
        **against,
    }


def _pictures(heat: Heat, result: Result) -> Pictures:
    jet, image = COLORMAPS["jet"], result.run.image
    if heat.positive:
        shown, opacity = colourise(heat.heat, 0, 1, jet), OPACITY
    else:
        shown, opacity = word_tile("no positive evidence", *heat.heat.shape), 0.0
    laid = {"overlay": overlay(image.pixels, heat.heat, heat.box, jet, opacity)} if image else {}
    return {"heat": shown} | laid


HEAT = Depiction(_arrays, _pictures)

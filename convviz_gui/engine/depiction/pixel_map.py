"""Pixel maps and occlusion in files."""

from __future__ import annotations

import math

import numpy as np

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures
from convviz_gui.engine.payloads import FloatArray, Occlusion, PixelMap
from convviz_gui.engine.pixel_drawing import coloured, end_of_scale
from convviz_gui.engine.render import colourise, overlay
from convviz_gui.engine.types import Result

OPACITY = 0.5


def _class_arrays(found: PixelMap | Occlusion) -> Arrays:
    """Who the score belongs to, as far as it is a class's."""
    names = {"class_index": found.class_index, "against": found.against}
    return {name: np.array(index, np.int64) for name, index in names.items() if index is not None}


def _pixel_arrays(found: PixelMap) -> Arrays:
    gap = found.completeness_gap
    return {
        "attribution": found.attribution,
        "heat": found.heat,
        "box": found.box,
        "logits": found.logits,
        "score": np.array(found.score, np.float32),
        **_class_arrays(found),
        **({} if math.isnan(gap) else {"completeness_gap": np.array(gap, np.float64)}),
    }


def _pixel_pictures(found: PixelMap, result: Result) -> Pictures:
    made = _drawn(found.heat, found.box, result, end_of_scale(found.heat), signed=found.signed)
    if len(found.attribution) != 3:
        return made
    blue_first = result.model.preprocess.channel_order == "bgr"
    end = end_of_scale(found.attribution)
    return made | {"colours": coloured(found.attribution, end, blue_first=blue_first)}


def _occlusion_arrays(found: Occlusion) -> Arrays:
    return {
        "score": np.array(found.score, np.float32),
        "drop": found.drop,
        "heat": found.heat,
        "done": found.done,
        "box": found.box,
        "logits": found.logits,
        **_class_arrays(found),
    }


def _occlusion_pictures(found: Occlusion, result: Result) -> Pictures:
    return _drawn(found.heat, found.box, result, float(np.abs(found.heat).max()), signed=True)


def _drawn(heat: FloatArray, box: FloatArray, result: Result, end: float, *, signed: bool) -> Pictures:
    """The map by itself and on the photo, colours ending at `end`; signed ones in two colours around 0."""
    table, image = COLORMAPS[DIVERGING if signed else "inferno"], result.run.image
    shown = colourise(heat, -end if signed else 0.0, end or 1.0, table)
    if image is None or end == 0:
        return {"heat": shown}
    scaled = ((heat / end + 1) / 2 if signed else heat / end).astype(np.float32)
    return {"heat": shown, "overlay": overlay(image.pixels, scaled, box, table, OPACITY)}


PIXEL_MAP = Depiction(_pixel_arrays, _pixel_pictures)
OCCLUSION = Depiction(_occlusion_arrays, _occlusion_pictures)

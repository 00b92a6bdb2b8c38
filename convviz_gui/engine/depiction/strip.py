"""Film strips in files."""

from __future__ import annotations

import numpy as np
from PIL import Image

from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.payloads import ByteArray, Strip
from convviz_gui.engine.render import colourise, mosaic, overlay
from convviz_gui.engine.sheets import named, word_tile
from convviz_gui.engine.types import Result

OPACITY = 0.4
"""Of the class maps on the photo, as in the chapter."""
_PAPER = 255
_LARGEST_SIDE = 640
"""Pixels of a photo on the sheet: a strip of full-size photos would be enormous."""


def _arrays(strip: Strip) -> Arrays:
    against = {} if strip.against is None else {"against": np.array(strip.against, np.int64)}
    return {
        "layers": np.array(strip.layers),
        "heat": strip.heat,
        **{f"raw_{index}": raw for index, raw in enumerate(strip.raw)},
        "positive": strip.positive,
        "receptive_field": strip.fields,
        "box": strip.box,
        "logits": strip.logits,
        "class_index": np.array(strip.class_index, np.int64),
        **against,
    }


def _pictures(strip: Strip, result: Result) -> Pictures:
    """One sheet: all stages side by side, each with its layer's name and the size of its map."""
    tiles = [
        named(_stage(strip, index, result), f"{layer} · {raw.shape[0]}x{raw.shape[1]}")
        for index, (layer, raw) in enumerate(zip(strip.layers, strip.raw, strict=True))
    ]
    return {"strip": mosaic(np.stack(tiles), min(len(tiles), 6), background=_PAPER)}


def _stage(strip: Strip, index: int, result: Result) -> ByteArray:
    heat, jet, image = strip.heat[index], COLORMAPS["jet"], result.run.image
    told = bool(strip.positive[index])
    if image is None:
        return colourise(heat, 0, 1, jet) if told else word_tile("no positive evidence", *heat.shape)
    step = -(-max(image.pixels.shape[:2]) // _LARGEST_SIDE)
    small = np.asarray(Image.fromarray(image.pixels).reduce(step))
    return overlay(small, heat, strip.box / np.float32(step), jet, OPACITY if told else 0.0)


def _tables(strip: Strip, _result: Result) -> Tables:
    rows = (
        (layer, *raw.shape, *(int(side) for side in seen), bool(positive), float(raw.min()), float(raw.max()))
        for layer, raw, seen, positive in zip(strip.layers, strip.raw, strip.fields, strip.positive, strict=True)
    )
    head = ("layer", "height", "width", "field height", "field width", "positive", "least", "largest")
    return {"stages": table(head, rows)}


STRIP = Depiction(_arrays, _pictures, _tables)

"""Answers at a place in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.payloads import Asked
from convviz_gui.engine.render import outlined
from convviz_gui.engine.types import Result

_NUMBERS = ("values", "mean", "top", "contrast", "share")


def _arrays(found: Asked) -> Arrays:
    return {
        "channels": found.channels,
        "layers": np.array(found.layers),
        "units": found.units,
        **{name: getattr(found, name) for name in _NUMBERS},
        "fields": found.fields,
        "known": found.known,
        "point": np.array(found.point, np.float64),
        "box": found.box,
    }


def _pictures(found: Asked, result: Result) -> Pictures:
    """The photo with what the first channel's position sees of it."""
    image = result.run.image
    if image is None or not len(found.channels):
        return {}
    x, y, width, height = (float(number) for number in found.box)
    at = (x + found.point[0] * width, y + found.point[1] * height)
    return {"place": outlined(image.pixels, found.fields[0], at)}


def _tables(found: Asked, _result: Result) -> Tables:
    columns = [found.channels, *(getattr(found, name) for name in _NUMBERS)]
    numbers = zip(*(column.tolist() for column in columns), strict=True)
    places = zip(found.layers, found.units.tolist(), found.fields.tolist(), strict=True)
    rows = ([layer, *unit, *row, *field] for (layer, unit, field), row in zip(places, numbers, strict=True))
    head = ["layer", "row", "column", "channel", "value", "mean", "max", "contrast", "share"]
    return {"channels": table([*head, "x", "y", "width", "height"], rows)}


ASKED = Depiction(_arrays, _pictures, _tables)

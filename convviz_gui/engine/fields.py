"""From a point of the photo to a position of a layer's map, and from a position to what it sees of the photo."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import FloatArray, frozen
from convviz_gui.engine.types import LayerNode, ReceptiveField

Point = tuple[float, float]
Unit = tuple[int, int]


def unit_at(point: Point, extent: Unit) -> Unit:
    """The position (row, column) of a map of `extent` (h, w) that a point (u, v) of the crop falls into.

    `u` counts from the crop's left edge to its right and `v` from top to bottom, both in 0…1; what is outside falls
    into the nearest position.
    """
    u, v = point
    height, width = extent
    return min(max(int(v * height), 0), height - 1), min(max(int(u * width), 0), width - 1)


def point_of(unit: Unit, extent: Unit) -> Point:
    """The middle of a position, as (u, v) of the crop in 0…1."""
    return (unit[1] + 0.5) / extent[1], (unit[0] + 0.5) / extent[0]


def extent_of(node: LayerNode) -> Unit:
    """Height and width of a layer's maps; a vector is a single position."""
    return node.extent or (1, 1)


def field_in_photo(field: ReceptiveField | None, unit: Unit, size: Unit, box: FloatArray) -> FloatArray:
    """What a position of a map sees, f32 [4] x, y, width, height in the photo's pixels, cut at the crop's edges.

    Args:
        field: the layer's receptive field; None, where it could not be told, is taken for all of the crop.
        unit: (row, column) of the position.
        size: (H, W) of the network's input in pixels.
        box: the crop, f32 [4] x, y, width, height in the photo's pixels.
    """
    edges = []
    for d, side in enumerate(size):
        if field is None or field.whole:
            edges.append((0.0, float(side)))
            continue
        first = np.ceil(field.start[d] + unit[d] * field.stride[d] - _EPS)
        edges.append((float(np.clip(first, 0, side)), float(np.clip(first + field.size[d], 0, side))))
    (top, bottom), (left, right) = edges
    x, y, width, height = (float(number) for number in box)
    across, down = width / size[1], height / size[0]
    found = [x + left * across, y + top * down, (right - left) * across, (bottom - top) * down]
    return frozen(np.array(found, np.float32))


_EPS = 1e-6

"""From a point of the photo to a position of a layer's map, and back."""

from __future__ import annotations

from convviz_gui.engine.types import LayerNode

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

"""A side of a comparison as something to look into: a photo with a map on it, or a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from convviz_gui.engine.colormaps import COLORMAPS, DIVERGING
from convviz_gui.engine.compare.colours import difference_picture, side_picture, table_for
from convviz_gui.engine.compare.comparison import Comparison, largest
from convviz_gui.engine.compare.grid import Grid
from convviz_gui.engine.compare.side import Side
from convviz_gui.engine.payloads import ByteArray, FloatArray
from convviz_gui.engine.render import colourise, resize_map
from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.pictures.picture_layers import PictureLayers, Pyramid
from convviz_gui.gui.pictures.qimage import photo_qimage, to_qimage

_FINE = 512
"""Cells a side to which a map is made finer before it is coloured: colours themselves are never interpolated."""

_SQUARES = ("channel", "kernel", "vector")
"""What keeps its values as squares when enlarged."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture is given.

    Args:
        base: the photo, or the map or picture itself where there is no photo.
        smooth: False keeps enlarged pixels squares.
        frame: the part of the photo that the map covers, or None without a photo.
        overlay: the map on the photo.
        values: f32 [h, w], the raw numbers.
    """

    base: QImage
    smooth: bool
    frame: QRectF | None
    overlay: QImage | None
    values: FloatArray

    def part(self) -> QRectF:
        """The part of the base that the values cover."""
        return self.frame or QRectF(self.base.rect())

    def value_at(self, x: float, y: float) -> float | None:
        """The value at a point in the base's pixels; None outside of what the network saw."""
        part = self.part()
        u, v = (x - part.x()) / part.width(), (y - part.y()) / part.height()
        if not (0 <= u < 1 and 0 <= v < 1):
            return None
        rows, columns = self.values.shape
        return float(self.values[int(v * rows), int(u * columns)])

    def fill(self, layers: PictureLayers, opacity: float, common: QRectF | None) -> None:
        """Put it into the layers of a picture that is not one of its own."""
        layers.base, layers.smooth, layers.frame = Pyramid(self.base), self.smooth, self.frame
        layers.overlay, layers.opacity, layers.common = self.overlay, opacity, common


def draw_side(found: Comparison, side: Side, place: int) -> Drawn:
    """A (0) or B (1) in the colours of its scale."""
    shown, range_ = side.shown, found.ranges[place]
    if shown.is_picture or side.photo is None or shown.box is None:
        picture = side_picture(found, shown, range_)
        return Drawn(to_qimage(picture), shown.is_picture, None, None, shown.values)
    overlay = _overlay(shown.values, range_, table_for(found, shown), squares=shown.kind in _SQUARES)
    return Drawn(photo_qimage(side.photo), True, _rectangle(shown.box), overlay, shown.values)


def draw_difference(found: Comparison) -> Drawn:
    """A − B in red and blue, on the photo of A where there is one."""
    grid, difference = found.grid, found.difference
    assert grid is not None
    assert difference is not None
    photo = _photo(found, grid)
    if photo is None or grid.box is None:
        return Drawn(to_qimage(difference_picture(found)), False, None, None, difference)
    top = largest(difference)
    squares = all(side.shown.kind in _SQUARES for side in (found.a, found.b))
    overlay = _overlay(difference, (-top, top), COLORMAPS[DIVERGING], squares=squares)
    return Drawn(photo_qimage(photo), True, _rectangle(grid.box), overlay, difference)


def _photo(found: Comparison, grid: Grid) -> ImageInput | None:
    return found.a.photo if grid.box is not None and not found.a.shown.is_picture else None


def _overlay(values: FloatArray, range_: tuple[float, float], table: ByteArray, *, squares: bool) -> QImage:
    factor = max(1, math.ceil(_FINE / max(values.shape)))
    if squares or not np.isfinite(values).all():
        fine = values.repeat(factor, axis=0).repeat(factor, axis=1)
    else:
        fine = resize_map(values, (values.shape[0] * factor, values.shape[1] * factor))
    return to_qimage(colourise(fine, *range_, table))


def _rectangle(box: FloatArray) -> QRectF:
    return QRectF(*(float(number) for number in box))

"""What is drawn on the map: all points as one picture, and on top of it what is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from convviz_gui.engine.payloads import ByteArray, FloatArray, IntArray
from convviz_gui.gui.latent.scatter_raster import Packed, Window, disc_radius, splat
from convviz_gui.gui.look.painting import guarded

RIM = 0.2
"""Edge around each disc in the colour of the ground, as a part of the disc's radius."""

MOVING_LIMIT = 100_000
"""Points drawn while the view moves; all are drawn as soon as it rests."""


class RasterItem(QGraphicsItem):
    """Draws every point with one image as large as the view. Coordinates are logical pixels of the view."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._area = QRectF()
        self._window: Window | None = None
        self._ratio = 1.0
        self._radius = 5.0
        self._xy: FloatArray = np.zeros((0, 2), np.float32)
        self._rows: ByteArray = np.zeros(0, np.uint8)
        self._palette: ByteArray = np.zeros((1, 3), np.uint8)
        self._ground = (255, 255, 255)
        self._order: IntArray = np.zeros(0, np.int64)
        self._ordered: tuple[FloatArray, ByteArray] | None = None
        self._moving = False
        self._image: QImage | None = None

    @property
    def radius(self) -> float:
        """Radius of a disc in logical pixels."""
        return self._radius

    @property
    def image(self) -> QImage:
        """The picture as it is drawn, in device pixels; made if need be."""
        if self._image is None:
            self._image = self._draw()
        return self._image

    def set_points(self, xy: FloatArray) -> None:
        """Take places f32 [N, 2]; colours stay if there are as many points as before."""
        if len(xy) != len(self._rows):
            self._rows = np.zeros(len(xy), np.uint8)
            self._order = np.random.default_rng(0).permutation(len(xy)).astype(np.int64)
        self._xy, self._ordered = xy, None
        self._changed()

    def set_colours(self, rows: ByteArray, palette: ByteArray, ground: tuple[int, int, int], height: ByteArray) -> None:
        """Colour point i with `palette[rows[i]]`; a point of more `height` u8 [N] lies over one of less."""
        self._rows, self._palette, self._ground = rows, palette, ground
        # Else in random order, so that no class hides another just by its place in the alphabet.
        order = np.random.default_rng(0).permutation(len(rows)).astype(np.int64)
        self._order = order[np.argsort(height[order], kind="stable")]
        self._ordered = None
        self._changed()

    def set_view(self, window: Window, area: QRectF, ratio: float, crowd: float) -> None:
        """Show `window` in `area` with `ratio` device pixels per logical one; `crowd` is the number of points in it."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        self._window, self._ratio, self._radius = window, ratio, disc_radius(crowd)
        self._changed()

    def set_moving(self, moving: bool) -> None:
        """Draw a sample while the view moves, if there are more points than can be drawn at that pace."""
        if moving != self._moving:
            self._moving = moving
            if len(self._xy) > MOVING_LIMIT:
                self._changed()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._window is not None and not self._area.isEmpty():
            painter.drawImage(self._area.topLeft(), self.image)

    def _changed(self) -> None:
        self._image = None
        self.update()

    def _draw(self) -> QImage:
        if self._window is None:
            return QImage()
        if self._ordered is None:
            self._ordered = self._xy[self._order], self._rows[self._order]
        # The end holds the points that lie on top.
        first = -MOVING_LIMIT if self._moving else 0
        xy, rows = self._ordered[0][first:], self._ordered[1][first:]
        sample = len(xy) / max(len(self._xy), 1)
        width, height = (max(int(np.ceil(side)), 1) for side in (self._window.width, self._window.height))
        words = splat(
            self._window.to_pixels(xy),
            rows,
            self._palette,
            width=width,
            height=height,
            radius=self._radius * self._ratio,
            rim=RIM * self._radius * self._ratio if self._radius > 2.0 else 0.0,
            ground=self._ground,
            sample=sample or 1.0,
        )
        image = translucent_qimage(words)
        image.setDevicePixelRatio(self._ratio)
        return image


def translucent_qimage(words: Packed) -> QImage:
    """An image of its own from premultiplied 0xAARRGGBB words u32 [h, w]."""
    if words.dtype != np.uint32 or words.ndim != 2 or not words.flags.c_contiguous:
        raise ValueError(f"words are contiguous u32 [h, w], not {words.dtype} {words.shape}")
    height, width = words.shape
    return QImage(words.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


@dataclass(frozen=True, slots=True)
class Marks:
    """What is marked, as places in logical pixels: the point chosen, its neighbours and the point under the cursor."""

    chosen: QPointF | None = None
    neighbours: tuple[QPointF, ...] = ()
    hovered: QPointF | None = None


class MarksItem(QGraphicsItem):
    """Draws rings around points and lines from the chosen point to its neighbours."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._area = QRectF()
        self._marks = Marks()
        self._radius = 5.0
        self._lines = True
        self._accent = QColor()
        self._ink = QColor()

    @property
    def marks(self) -> Marks:
        """What is marked now."""
        return self._marks

    def set_style(self, accent: QColor, ink: QColor, *, lines: bool) -> None:
        """Lines and rings of neighbours are in `accent`, the point chosen and the one hovered in `ink`."""
        self._accent, self._ink, self._lines = accent, ink, lines
        self.update()

    def set_marks(self, marks: Marks, area: QRectF, radius: float) -> None:
        """Mark points of that radius, in a view of that area."""
        if area != self._area:
            self.prepareGeometryChange()
            self._area = area
        self._marks, self._radius = marks, radius
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._area

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        marks = self._marks
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if marks.chosen is not None:
            if self._lines:
                painter.setPen(QPen(self._accent, 1.2))
                for place in marks.neighbours:
                    painter.drawLine(marks.chosen, place)
            self._ring(painter, self._accent, 1.6, self._radius + 1.5, marks.neighbours)
            self._ring(painter, self._ink, 2.2, self._radius + 3.5, (marks.chosen,))
        if marks.hovered is not None:
            self._ring(painter, self._ink, 1.4, self._radius + 2.0, (marks.hovered,))

    def _ring(
        self, painter: QPainter, colour: QColor, width: float, radius: float, places: tuple[QPointF, ...]
    ) -> None:
        painter.setPen(QPen(colour, width))
        for place in places:
            painter.drawEllipse(place, radius, radius)

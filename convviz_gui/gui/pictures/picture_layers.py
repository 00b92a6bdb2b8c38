"""What a picture consists of, and how it is painted in its own pixels' coordinates."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from convviz_gui.engine.render import DIMMED

_SMALLEST_SAVED = 512
BOX_COLOUR = QColor(77, 163, 255)
"""Of boxes, with a dark edge: it stands out from photos, and from the white frame of the crop."""


class Pyramid:
    """An image and its halves, made when needed, so that big photos shrink without flicker and without cost."""

    def __init__(self, image: QImage) -> None:
        self.image = image
        self._halves: dict[int, QImage] = {0: image}

    def at(self, scale: float) -> QImage:
        """The smallest version that is not coarser than `scale` screen pixels for each of the image's."""
        level = max(0, math.floor(math.log2(1 / scale))) if scale < 1 else 0
        if level not in self._halves:
            size = QSize(max(1, self.image.width() >> level), max(1, self.image.height() >> level))
            smooth = Qt.TransformationMode.SmoothTransformation
            self._halves[level] = self.image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        return self._halves[level]


class PictureLayers:
    """A base image; a frame in it, outside of which it is dimmed; an overlay that covers the frame; and boxes.

    All rectangles are in pixels of the base image. `common` is what linked pictures have in common, where that is not
    the frame. `smooth` is for photos and heat; without it enlarged pixels stay
    squares, as activations should.
    """

    def __init__(self) -> None:
        self.base: Pyramid | None = None
        self.smooth = False
        self.frame: QRectF | None = None
        self.common: QRectF | None = None
        self.overlay: QImage | None = None
        self.opacity = 1.0
        self.boxes: tuple[QRectF, ...] = ()

    def bounds(self) -> QRectF:
        """The base image's rectangle; empty without one."""
        return QRectF(self.base.image.rect()) if self.base else QRectF()

    def covered(self) -> QRectF:
        """The part that the overlay covers: the frame, or else everything."""
        return self.frame or self.bounds()

    def reference(self) -> QRectF:
        """The part that linked pictures have in common: as told, or else the frame, or else everything."""
        return self.common or self.covered()

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint everything; `scale` is how many device pixels a pixel of the base has."""
        if self.base is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self.smooth or scale < 1)
        painter.drawImage(self.bounds(), self.base.at(scale))
        framed = self.frame is not None and not self.frame.contains(self.bounds())
        if framed:
            self._dim_the_rest(painter)
        if self.overlay is not None:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setOpacity(self.opacity)
            painter.drawImage(self.covered(), self.overlay)
            painter.restore()
        if framed:
            self._outline(painter, self.covered(), QColor(255, 255, 255))
        for box in self.boxes:
            self._outline(painter, box.intersected(self.bounds()), BOX_COLOUR)

    def _dim_the_rest(self, painter: QPainter) -> None:
        rest = QPainterPath()
        rest.addRect(self.bounds())
        rest.addRect(self.covered())
        painter.fillPath(rest, QColor(0, 0, 0, round(255 * (1 - DIMMED))))

    @staticmethod
    def _outline(painter: QPainter, box: QRectF, ink: QColor) -> None:
        for colour, width in ((QColor(0, 0, 0, 120), 3.0), (ink, 1.0)):
            pen = QPen(colour, width, j=Qt.PenJoinStyle.MiterJoin)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawRect(box)

    def composed(self) -> QImage:
        """Everything at the base's own size, or enlarged by a whole number where that is very small."""
        bounds = self.bounds()
        longest = max(bounds.width(), bounds.height())
        factor = 1 if longest >= _SMALLEST_SAVED else math.ceil(_SMALLEST_SAVED / max(longest, 1))
        size = (bounds.size() * factor).toSize()
        picture = QImage(size, QImage.Format.Format_RGB32)
        painter = QPainter(picture)
        painter.scale(factor, factor)
        self.paint(painter, factor)
        painter.end()
        return picture

"""The scale of a picture: its colours, and the raw values they stand for."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.look.ink import muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.qimage import coloured_qimage

_STRIP = 8
_POINTER = 5


class ColourBar(QWidget):
    """A horizontal strip of colours with the values at its ends and in its middle, and a pointer to one value."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range: tuple[float, float] | None = None
        self._strip = QImage()
        self._pointer: float | None = None
        self.setFont(numbers_font(self.font()))
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_scale(self, lo: float, hi: float, table: ByteArray) -> None:
        """The first and last colour of `table` u8 [256, 3] stand for the raw values `lo` and `hi`."""
        self._range = (lo, hi)
        self._strip = coloured_qimage(np.arange(256, dtype=np.uint8)[None], table)
        self._pointer = None
        self.setAccessibleDescription(f"from {value(lo)} to {value(hi)}")
        self.update()

    def clear(self) -> None:
        """Show no scale: there are no values."""
        self._range = None
        self.setAccessibleDescription("")
        self.update()

    def labels(self) -> tuple[str, ...]:
        """The values written below the strip, from left to right."""
        if self._range is None:
            return ()
        lo, hi = self._range
        if not hi > lo:
            return (value(lo),)
        middle = (lo + hi) / 2
        # The sum of symmetric ends need not be exactly zero.
        if abs(middle) < 1e-6 * (hi - lo):
            middle = 0.0
        return value(lo), value(middle), value(hi)

    def point_at(self, number: float | None) -> None:
        """Mark a value, or None."""
        self._pointer = number if number is not None and math.isfinite(number) else None
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(160, _POINTER + _STRIP + self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(96, self.sizeHint().height())

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        if self._range is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, _POINTER, self.width(), _STRIP), self._strip)
        painter.setPen(muted(self.palette()))
        line = QRect(0, _POINTER + _STRIP + 2, self.width(), self.fontMetrics().height())
        labels = self.labels()
        sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        placed = list(zip(labels, sides if len(labels) > 1 else sides[1:2], strict=True))
        widths = [self.fontMetrics().horizontalAdvance(label) for label in labels]
        gap = self.fontMetrics().horizontalAdvance("0")
        # The middle one stands in the middle, however short one of the others is.
        if len(labels) > 2 and max(widths[0], widths[-1]) + gap + widths[1] / 2 > self.width() / 2:
            # The ends alone are read, where three numbers would run into each other.
            placed = [placed[0], placed[-1]] if len(placed) > 1 else placed
        for label, side in placed:
            painter.drawText(line, side | Qt.AlignmentFlag.AlignTop, label)
        if self._pointer is not None:
            self._paint_pointer(painter)

    def _paint_pointer(self, painter: QPainter) -> None:
        assert self._range is not None
        assert self._pointer is not None
        lo, hi = self._range
        at = (self._pointer - lo) / (hi - lo) if hi > lo else 0.5
        x = min(max(at, 0.0), 1.0) * (self.width() - 1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(self.palette().windowText())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawPolygon(QPolygonF([QPointF(x - 4, 0), QPointF(x + 4, 0), QPointF(x, _POINTER)]))

"""A strip of colours with raw numbers at its ends and in its middle, and what the ends mean."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.latent.point_colours import Scale
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import numbers_font
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.qimage import to_qimage

_STRIP, _TOP = 10, 4


class ScaleBar(QWidget):
    """Shows a `Scale`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip = QImage()
        self._grey = QColor()
        self._scale = Scale(0.0, 1.0)
        self.setFont(numbers_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_scale(self, table: ByteArray, scale: Scale, name: str) -> None:
        """Show the colours u8 [n, 3] of a scale from low to high; the last is for what has no number."""
        self._strip = to_qimage(np.ascontiguousarray(table[None, :-1]))
        self._grey = QColor(*table[-1].tolist())
        self._scale = scale
        low, _, high = self.numbers()
        what = ["", f", {scale.ends[0]},"][bool(scale.ends[0])], ["", f", {scale.ends[1]}"][bool(scale.ends[1])]
        self.setAccessibleName(f"{name} from {low}{what[0]} to {high}{what[1]}")
        self.updateGeometry()
        self.update()

    def numbers(self) -> tuple[str, str, str]:
        """The raw numbers at the low end, in the middle of the strip, and at the high end."""
        scale = self._scale
        return value(scale.low), value(scale.at(0.5)), value(scale.high)

    def unknown(self) -> str:
        """How many have no number, in words, or ""."""
        return f"{self._scale.unknown:,} without a number" if self._scale.unknown else ""

    def sizeHint(self) -> QSize:  # noqa: N802
        lines = 1 + bool(self._scale.ends[0]) + bool(self._scale.unknown)
        return QSize(120, _TOP + _STRIP + 6 + lines * self.fontMetrics().lineSpacing())

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(0, _TOP, self.width(), _STRIP), self._strip)
        step = self.fontMetrics().lineSpacing()
        line = QRectF(0, _TOP + _STRIP + 2, self.width(), step)
        left, middle, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight
        for flag, text in zip((left, middle, right), self.numbers(), strict=True):
            painter.drawText(line, flag, text)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        if self._scale.ends[0]:
            line.translate(0, step)
            painter.drawText(line, left, self._scale.ends[0])
            painter.drawText(line, right, self._scale.ends[1])
        if self._scale.unknown:
            line.translate(0, step)
            painter.fillRect(QRectF(0, line.top() + step / 2 - 4, 8, 8), self._grey)
            painter.drawText(line.adjusted(12, 0, 0, 0), left, self.unknown())

"""A layer whose output is a vector: one bar for each channel."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.look.ink import faded
from convviz_gui.gui.look.painting import paints


class VectorChart(QWidget):
    """Bars up and down from zero, in order of index; the current channel stands out.

    Signals:
        chosen: the channel whose bar was clicked.
        pointed: the channel under the cursor, or None.
    """

    chosen = Signal(object)
    pointed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: FloatArray = np.zeros(0, np.float32)
        self._range = (0.0, 0.0)
        self._current = 0
        self.setAccessibleName("Values of all channels")
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_values(self, values: FloatArray, current: int) -> None:
        """Show f32 [C] and mark a channel."""
        self._values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        self._range = (min(float(self._values.min()), 0.0), max(float(self._values.max()), 0.0))
        self._current = current
        self.update()

    def bar(self, channel: int) -> QRectF:
        """Where the channel's bar stands."""
        low, high = self._range
        unit = self.height() / (high - low) if high > low else 0.0
        step, number = self.width() / len(self._values), float(self._values[channel])
        left, top = channel * step, (high - max(number, 0.0)) * unit
        return QRectF(left, top, max(step - (1 if step > 3 else 0), 1), max(abs(number) * unit, 1))

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(240, 160)

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        if not self._values.size:
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faded(self.palette(), 0.45))
        painter.drawRects([self.bar(channel) for channel in range(len(self._values))])
        # Last, wider and with a trail over the whole height, so that it is seen among a thousand.
        marked = self.bar(self._current)
        marked.setWidth(max(marked.width(), 2))
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        painter.fillRect(marked, accent)
        accent.setAlpha(64)
        painter.fillRect(QRectF(marked.left(), 0, marked.width(), self.height()), accent)

    def _at(self, event: QMouseEvent) -> int | None:
        channel = int(event.position().x() / max(self.width(), 1) * len(self._values))
        return channel if 0 <= channel < len(self._values) else None

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        channel = self._at(event)
        if channel is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(channel)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self.pointed.emit(self._at(event))

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        self.pointed.emit(None)

"""A number over steps, such as the loss of a filter's picture as it forms."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.look.ink import muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import numbers_font
from convviz_gui.gui.look.values import value


class Curve(QWidget):
    """One line; its lowest and highest value are written at the left, the number of steps at the right."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trace: FloatArray = np.zeros(0, np.float32)
        self.setFont(numbers_font(self.font()))
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_trace(self, trace: FloatArray) -> None:
        """Show f32 [steps]; NaN stands for steps not taken, which keep their place."""
        self._trace = trace
        taken = trace[np.isfinite(trace)]
        self.setAccessibleDescription(f"{value(taken[0])} to {value(taken[-1])}" if taken.size else "no step yet")
        self.update()

    def trace(self) -> FloatArray:
        """What is shown."""
        return self._trace

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(200, 96)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(96, 64)

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        steps = np.flatnonzero(np.isfinite(self._trace))
        if not steps.size:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        taken = self._trace[steps]
        lo, hi = float(taken.min()), float(taken.max())
        text = self.fontMetrics().height()
        area = QRectF(1, text + 2, self.width() - 4, self.height() - 2 * text - 6)
        across = steps / max(len(self._trace) - 1, 1)
        up = (taken - lo) / (hi - lo) if hi > lo else np.full(len(taken), 0.5)
        points = [
            QPointF(area.left() + x * area.width(), area.bottom() - y * area.height())
            for x, y in zip(across.tolist(), up.tolist(), strict=True)
        ]
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1.6))
        painter.drawPolyline(QPolygonF(points))
        painter.drawEllipse(points[-1], 1.5, 1.5)
        painter.setPen(muted(self.palette()))
        painter.drawText(QRectF(0, 0, self.width(), text), Qt.AlignmentFlag.AlignLeft, value(hi))
        line = QRectF(0, self.height() - text, self.width(), text)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, value(lo))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, f"{len(steps)} of {len(self._trace)} steps")

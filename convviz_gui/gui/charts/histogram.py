"""How the values of one channel are distributed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.gui.look.ink import faded, muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import numbers_font
from convviz_gui.gui.look.values import value

_BINS = 40


class Histogram(QWidget):
    """Bars of counts, on a logarithmic scale since after a ReLU one bar dwarfs all others."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: IntArray = np.zeros(0, np.int64)
        self._range = (0.0, 0.0)
        self._mark: float | None = None
        self.setFont(numbers_font(self.font()))
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_values(self, values: FloatArray, mark: float | None = None) -> None:
        """Count `values` of any shape, leaving out what is not finite; `mark` draws a line at a value."""
        # In float32 there is no room for the bins' edges between values that differ in their last digit.
        finite = values[np.isfinite(values)].astype(np.float64)
        if finite.size:
            self._counts, edges = np.histogram(finite, _BINS)
            self._range = (float(edges[0]), float(edges[-1]))
        else:
            self._counts = np.zeros(0, np.int64)
        self._mark = mark
        self.setToolTip(f"{finite.size} values; heights are logarithmic")
        self.update()

    def set_counts(self, counts: IntArray, edges: FloatArray) -> None:
        """Show values that were counted elsewhere: i64 [B] in bins with edges f32 [B + 1]; empty for none."""
        self._counts = counts
        self._range = (float(edges[0]), float(edges[-1])) if len(counts) else (0.0, 0.0)
        self._mark = None
        self.setToolTip(f"{int(counts.sum())} values; heights are logarithmic")
        self.update()

    def counts(self) -> IntArray:
        """How many values each bar stands for; empty without values."""
        return self._counts

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(160, 48 + self.fontMetrics().height())

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        if not self._counts.size:
            return
        text = self.fontMetrics().height()
        height, step = self.height() - text - 2, self.width() / len(self._counts)
        bar = faded(self.palette(), 0.5)
        tallest = np.log1p(self._counts.max())
        for i, count in enumerate(self._counts):
            # What is there at all is to be seen: one pixel at least.
            tall = max(1.0, height * float(np.log1p(count) / tallest)) if count else 0.0
            painter.fillRect(QRectF(i * step, height - tall, max(step - 1, 1), tall), bar)
        lo, hi = self._range
        if self._mark is not None and hi > lo:
            x = (self._mark - lo) / (hi - lo) * (self.width() - 1)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
            painter.drawLine(round(x), 0, round(x), height)
        painter.setPen(muted(self.palette()))
        line = QRectF(0, height + 2, self.width(), text)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, value(lo))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, value(hi))

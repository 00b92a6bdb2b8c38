"""Which way the axes point while the map is seen in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from convviz_gui.gui.look.painting import guarded

_LENGTH, _AWAY = 26.0, 44.0


class AxesItem(QGraphicsItem):
    """Three numbered lines in the lower left corner. Coordinates are logical pixels of the view."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._middle = QPointF()
        self._axes: NDArray[np.float64] = np.zeros((3, 2))
        self._ink = QColor()

    def set_ink(self, ink: QColor) -> None:
        """Draw in that colour."""
        self._ink = ink
        self.update()

    def set_axes(self, axes: NDArray[np.float64] | None, area: QRectF) -> None:
        """Show where axes f64 [3, 2] point, y up, in a view of that area; None hides them."""
        self.setVisible(axes is not None)
        if axes is not None:
            self.prepareGeometryChange()
            self._axes, self._middle = axes, area.bottomLeft() + QPointF(_AWAY, -_AWAY)
            self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802
        reach = _AWAY
        return QRectF(self._middle.x() - reach, self._middle.y() - reach, 2 * reach, 2 * reach)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._ink, 1.2))
        for number, (x, y) in enumerate(self._axes.tolist(), start=1):
            end = self._middle + QPointF(x, -y) * _LENGTH
            painter.drawLine(self._middle, end)
            label = self._middle + QPointF(x, -y) * (_LENGTH + 9)
            painter.drawText(QRectF(label.x() - 9, label.y() - 9, 18, 18), Qt.AlignmentFlag.AlignCenter, str(number))

"""The frame that is being drawn around points: a rectangle or a lasso."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from convviz_gui.gui.look.painting import guarded


class BandItem(QGraphicsItem):
    """Shows a closed line, thinly filled. Coordinates are logical pixels of the view."""

    def __init__(self, parent: QGraphicsItem) -> None:
        super().__init__(parent)
        self._corners = QPolygonF()
        self._accent = QColor()
        self.setZValue(10)

    @property
    def corners(self) -> QPolygonF:
        """What is shown now; empty if nothing is."""
        return self._corners

    def set_accent(self, accent: QColor) -> None:
        """Draw the frame in that colour."""
        self._accent = accent
        self.update()

    def show_corners(self, corners: list[QPointF]) -> None:
        """Show a frame; nothing without corners."""
        self.prepareGeometryChange()
        self._corners = QPolygonF(corners)

    def boundingRect(self) -> QRectF:  # noqa: N802
        return self._corners.boundingRect().adjusted(-2, -2, 2, 2)

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self._corners.isEmpty():
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._accent, 1.2))
        fill = QColor(self._accent)
        fill.setAlphaF(0.12)
        painter.setBrush(fill)
        painter.drawPolygon(self._corners, Qt.FillRule.OddEvenFill)

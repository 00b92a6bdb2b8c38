"""The button that unfolds how a method is to be read: an i in a circle, drawn, since not every font has ⓘ."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton, QWidget

from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import UNIT


class AboutButton(QToolButton):
    """Stays down while the text is unfolded."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAccessibleName("How to read it")
        self.setToolTip("When to use it, how to read it, how it misleads, and where it comes from")

    def sizeHint(self) -> QSize:  # noqa: N802
        """A square as high as a button with text."""
        side = max(3 * UNIT, self.fontMetrics().height() + UNIT)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The button of the style, and the sign on it."""
        super().paintEvent(event)
        self._paint_sign(event)

    @paints
    def _paint_sign(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self.palette().buttonText().color()
        unit = self.fontMetrics().height() / 16
        painter.setPen(QPen(ink, 1.3 * unit))
        painter.translate(QRectF(self.rect()).center())
        painter.drawEllipse(QPointF(0, 0), 6.5 * unit, 6.5 * unit)
        painter.setPen(QPen(ink, 1.6 * unit, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(0, -0.3 * unit), QPointF(0, 3 * unit))
        painter.drawPoint(QPointF(0, -3 * unit))

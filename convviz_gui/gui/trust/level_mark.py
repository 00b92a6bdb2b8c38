"""The sign beside a verdict: told apart by its shape, not by its colour alone."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from convviz_gui.engine.payloads import TrustLevel
from convviz_gui.gui.look.ink import ink_on, muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import colours

WORDS = {
    TrustLevel.GOOD: "It can be believed, as far as a check can tell",
    TrustLevel.MIXED: "It can be believed in part",
    TrustLevel.BAD: "It cannot be believed",
    TrustLevel.UNKNOWN: "It cannot be told",
}


class LevelMark(QWidget):
    """A disc: a tick for good, half full for mixed, a cross for bad, a question mark for unknown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.level = TrustLevel.UNKNOWN
        side = self.fontMetrics().height() + 2
        self.setFixedSize(QSize(side, side))

    def set_level(self, level: TrustLevel) -> None:
        """Show a level."""
        self.level = level
        self.setToolTip(WORDS[level])
        self.setAccessibleName(WORDS[level])
        self.update()

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = float(self.width())
        disc = QRectF(1, 1, side - 2, side - 2)
        scheme = colours(self)
        colour = {
            TrustLevel.GOOD: QColor(scheme.accent),
            TrustLevel.MIXED: QColor(scheme.warning),
            TrustLevel.BAD: QColor(scheme.warning),
            TrustLevel.UNKNOWN: muted(self.palette()),
        }[self.level]
        full = self.level in (TrustLevel.GOOD, TrustLevel.BAD)
        painter.setPen(QPen(colour, 1.4))
        painter.setBrush(colour if full else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(disc)
        if self.level is TrustLevel.MIXED:
            painter.setBrush(colour)
            painter.drawChord(disc, 90 * 16, 180 * 16)
            return
        if self.level is TrustLevel.UNKNOWN:
            painter.drawText(disc, Qt.AlignmentFlag.AlignCenter, "?")
            return
        painter.setPen(QPen(ink_on(colour), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        strokes = {
            TrustLevel.GOOD: [(0.29, 0.53), (0.44, 0.68), (0.72, 0.34)],
            TrustLevel.BAD: [(0.33, 0.33), (0.67, 0.67), (0.5, 0.5), (0.33, 0.67), (0.67, 0.33)],
        }[self.level]
        painter.drawPolyline([QPointF(x * side, y * side) for x, y in strokes])

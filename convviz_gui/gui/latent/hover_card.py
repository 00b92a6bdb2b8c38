"""What is under the cursor on the map: a small picture and its facts."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QWidget

from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import paint_thumbnail
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.theme import UNIT

_PICTURE, _LEAST_PICTURE, _LEAST_LINES = 144, 80, 3
_AWAY = 16
_WRAPPED = int(Qt.TextFlag.TextWordWrap)


class HoverCard(QWidget):
    """Floats over its parent beside a place, and never under the mouse; small, and with less to say, on a small map."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._room = parent
        self._path = ""
        self._lines: tuple[str, ...] = ()
        self._heights: tuple[int, ...] = ()
        self._side = _PICTURE
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        thumbnails.arrived.connect(self._on_thumbnail)
        self.hide()

    @property
    def lines(self) -> tuple[str, ...]:
        """What is written on it."""
        return self._lines

    def show_point(self, facts: PointFacts, point: int, place: QPoint, lines: tuple[str, ...]) -> None:
        """Show a point's picture, its name and `lines`, or the first of them, beside `place` in the parent."""
        self._path = facts.points.paths[point]
        metrics, room = self.fontMetrics(), self._room.size()
        self._side = min(max(min(room.width(), room.height()) // 4, _LEAST_PICTURE), _PICTURE)
        self._lines = (facts.name(point), *lines)
        widest = max(metrics.horizontalAdvance(line) for line in self._lines) + 2
        width = min(max(widest, self._side), max(room.width() // 2 - 2 * UNIT, self._side), 280)
        heights = [metrics.lineSpacing(), *(self._height(line, width) for line in lines)]
        most = room.height() // 2 - self._side - 3 * UNIT
        while len(heights) > _LEAST_LINES and sum(heights) > most:
            heights.pop()
        self._lines, self._heights = self._lines[: len(heights)], tuple(heights)
        self.resize(QSize(width + 2 * UNIT, self._side + 3 * UNIT + sum(heights)))
        self.move(self._beside(place))
        self.show()
        self.raise_()
        self.update()

    def _height(self, line: str, width: int) -> int:
        """Of a fact that is wrapped: cut short, it might lose its number."""
        return self.fontMetrics().boundingRect(QRect(0, 0, width, 10_000), _WRAPPED, line).height()

    def _beside(self, place: QPoint) -> QPoint:
        room = self._room.rect()
        x = place.x() + _AWAY
        if x + self.width() > room.right():
            x = place.x() - _AWAY - self.width()
        y = min(max(place.y() - self.height() // 2, 0), max(room.height() - self.height(), 0))
        return QPoint(max(x, 0), y)

    def _on_thumbnail(self, path: str) -> None:
        if path == self._path:
            self.update()

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self.palette().color(QPalette.ColorRole.Mid))
        painter.setBrush(self.palette().color(QPalette.ColorRole.ToolTipBase))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        frame = QRect(UNIT, UNIT, self.width() - 2 * UNIT, self._side)
        paint_thumbnail(painter, self._thumbnails.get(self._path), frame, self.palette())
        top = self._side + 2 * UNIT
        painter.setPen(self.palette().color(QPalette.ColorRole.ToolTipText))
        for number, (text, height) in enumerate(zip(self._lines, self._heights, strict=True)):
            line = QRect(UNIT, top, frame.width(), height)
            if number == 0:
                text = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, line.width())
            painter.drawText(line, _WRAPPED if number else 0, text)
            top += height

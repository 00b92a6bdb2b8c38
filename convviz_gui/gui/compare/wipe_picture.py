"""Two pictures in one place, with a line between them that can be moved."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.pictures.picture_layers import PictureLayers
from convviz_gui.gui.pictures.picture_link import PictureLink

_STEP = 0.02
_REACH = 6
"""Pixels from the line within which it is grabbed."""


class WipePicture(Picture):
    """A on the left of the line, B (`other`) on its right; drag the line, or press the arrow keys.

    Signals:
        wiped: the line's place, 0…1 of the part of the picture in sight.
    """

    wiped = Signal(float)

    def __init__(self, name: str, link: PictureLink | None = None, parent: QWidget | None = None) -> None:
        super().__init__(name, link, parent)
        self.other = PictureLayers()
        self._place = 0.5
        self._dragged = False
        self.setToolTip("Drag the line, or move it with the arrow keys. A is on its left, B on its right.")

    @property
    def place(self) -> float:
        """Where the line is, 0…1 of the part of the picture in sight."""
        return self._place

    def wipe_to(self, place: float) -> None:
        """Move the line."""
        place = min(max(place, 0.0), 1.0)
        if place != self._place:
            self._place = place
            self.setAccessibleDescription(f"A on the left {round(100 * place)} %, B on the rest")
            self.update()
            self.wiped.emit(place)

    def line(self) -> float:
        """The line's x in widget coordinates."""
        seen = self._in_sight()
        return seen.left() + self._place * seen.width()

    def _in_sight(self) -> QRectF:
        bounds = self.layers.bounds()
        whole = QRectF(self.to_widget(bounds.topLeft()), self.to_widget(bounds.bottomRight()))
        return whole.intersected(QRectF(self.rect()))

    def shows_b(self, at: QPointF) -> bool:
        """True if B is what is seen at a point in image pixels."""
        return self.to_widget(at).x() > self.line()

    def paint_picture(self, painter: QPainter) -> None:
        """A, and B over it on the right of the line."""
        super().paint_picture(painter)
        if self.layers.base is None or self.other.base is None:
            return
        x = self.line()
        painter.save()
        painter.setClipRect(QRectF(x, 0, self.width() - x, self.height()))
        painter.fillRect(self._in_sight(), self.palette().window())
        painter.setTransform(self._transform(), combine=True)
        self.other.paint(painter, self.scale() * self.devicePixelRatioF())
        painter.restore()
        painter.save()
        self._paint_line(painter, x)
        painter.restore()

    def _paint_line(self, painter: QPainter, x: float) -> None:
        seen = self._in_sight()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.4)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, seen.top()), QPointF(x, seen.bottom()))
        painter.setBrush(QColor(255, 255, 255))
        painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
        painter.drawEllipse(QPointF(x, seen.center().y()), _REACH, _REACH)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        for name, left in (("A", x - 3 * UNIT), ("B", x + UNIT)):
            box = QRectF(left, seen.top() + UNIT / 2, 2 * UNIT, 2.5 * UNIT)
            if seen.left() <= box.left() and box.right() <= seen.right():
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(0, 0, 0, 140))
                painter.drawRoundedRect(box, 3, 3)
                painter.setPen(QColor(255, 255, 255))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    # ------------------------------------------------------------------------------------------- Qt events

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        near = abs(event.position().x() - self.line()) <= _REACH
        if event.button() == Qt.MouseButton.LeftButton and near:
            self._dragged = True
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if self._dragged:
            seen = self._in_sight()
            self.wipe_to((event.position().x() - seen.left()) / max(seen.width(), 1.0))
            return
        super().mouseMoveEvent(event)
        if abs(event.position().x() - self.line()) <= _REACH:
            self.setCursor(Qt.CursorShape.SplitHCursor)
        elif self.cursor().shape() == Qt.CursorShape.SplitHCursor:
            self.setCursor(Qt.CursorShape.CrossCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._dragged = False
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        steps = {Qt.Key.Key_Left: -_STEP, Qt.Key.Key_Right: _STEP, Qt.Key.Key_Home: -1.0, Qt.Key.Key_End: 1.0}
        key = Qt.Key(event.key())
        if key in steps and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.KeypadModifier,
        ):
            self.wipe_to(self._place + steps[key])
        else:
            super().keyPressEvent(event)

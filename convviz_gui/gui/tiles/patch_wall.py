"""A few pictures side by side, each with a second one below it, as many in a row as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from convviz_gui.gui.look.ink import muted
from convviz_gui.gui.look.painting import paints
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT, numbers_font

_GAP = UNIT


@dataclass(frozen=True, slots=True)
class WallTile:
    """A picture, the one `below` it if there is one, a short caption, and all that can be said of it in words."""

    picture: QImage
    caption: str
    words: str
    below: QImage | None = None


class PatchWall(QWidget):
    """Tiles of one size; arrows move among them, Enter opens, as a click does.

    Signals:
        opened: number of the tile that was clicked, or on which Enter was pressed.
        pointed: number of the tile under the cursor, or None.
    """

    opened = Signal(int)
    pointed = Signal(object)

    def __init__(self, name: str, side: int = 88, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: tuple[WallTile, ...] = ()
        self._side = side
        self._current = 0
        self._hovered: int | None = None
        self.setAccessibleName(name)
        self.setFont(numbers_font(self.font()))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def set_tiles(self, tiles: Sequence[WallTile]) -> None:
        """Show other tiles."""
        self._tiles = tuple(tiles)
        self._current = min(self._current, max(len(tiles) - 1, 0))
        self.setAccessibleDescription("; ".join(tile.words for tile in tiles))
        self.updateGeometry()
        self.update()

    def count(self) -> int:
        """How many tiles there are."""
        return len(self._tiles)

    def place(self, number: int) -> QRect:
        """Where a tile's upper picture stands."""
        columns = self._columns(self.width())
        row, column = divmod(number, columns)
        return QRect(column * (self._side + _GAP), row * self._height(), self._side, self._side)

    # ---------------------------------------------------------------------------------------------- sizes

    def _columns(self, width: int) -> int:
        return max((width + _GAP) // (self._side + _GAP), 1)

    def _height(self) -> int:
        below = self._side + 2 if any(tile.below is not None for tile in self._tiles) else 0
        return self._side + below + self.fontMetrics().height() + _GAP

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        rows = -(-len(self._tiles) // self._columns(width))
        return max(rows * self._height(), self._side)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(4 * (self._side + _GAP), self.heightForWidth(4 * (self._side + _GAP)))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(self._side, self._side)

    # ------------------------------------------------------------------------------------------- painting

    @paints
    def paintEvent(self, painter: QPainter) -> None:  # noqa: N802
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, tile in enumerate(self._tiles):
            place = self.place(number)
            self._draw(painter, tile.picture, place)
            bottom = place
            if tile.below is not None:
                bottom = place.translated(0, self._side + 2)
                self._draw(painter, tile.below, bottom)
            painter.setPen(muted(self.palette()))
            line = QRect(place.left(), bottom.bottom() + 3, self._side, self.fontMetrics().height())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, tile.caption)
            whole = place.united(bottom).adjusted(-2, -2, 1, 1)
            if self.hasFocus() and number == self._current:
                painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
                painter.drawRect(whole)
            elif number == self._hovered:
                painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
                painter.drawRect(whole)

    def _draw(self, painter: QPainter, picture: QImage, place: QRect) -> None:
        painter.fillRect(place, self.palette().color(QPalette.ColorRole.Midlight))
        # Few pixels enlarged stay squares: that is all the unit sees.
        coarse = max(picture.width(), picture.height()) < self._side / 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not coarse)
        size = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        inside = QRect(QPoint(), size)
        inside.moveCenter(place.center())
        painter.drawImage(inside, picture)

    # --------------------------------------------------------------------------------------------- events

    def _at(self, point: QPoint) -> int | None:
        for number in range(len(self._tiles)):
            place = self.place(number)
            if place.adjusted(0, 0, 0, self._height() - self._side - _GAP).contains(point):
                return number
        return None

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self._at(event.pos())
            if number is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), tip(self._tiles[number].words), self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        number = self._at(event.position().toPoint())
        if number is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = number
            self.update()
            self.opened.emit(number)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        self._hover(self._at(event.position().toPoint()))

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        self._hover(None)

    def _hover(self, number: int | None) -> None:
        if number != self._hovered:
            self._hovered = number
            self.setCursor(Qt.CursorShape.ArrowCursor if number is None else Qt.CursorShape.PointingHandCursor)
            self.pointed.emit(number)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        columns = self._columns(self.width())
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -columns, Qt.Key.Key_Down: columns}
        key = Qt.Key(event.key())
        if key in steps and 0 <= self._current + steps[key] < len(self._tiles):
            self._current += steps[key]
            self.update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._tiles:
            self.opened.emit(self._current)
        else:
            super().keyPressEvent(event)

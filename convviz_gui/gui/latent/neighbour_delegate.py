"""One neighbour as a tile: picture, place, distance, label, and where known how near it is on the map."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPalette, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from convviz_gui.gui.latent.point_model import Index, Role, paint_thumbnail
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font
from convviz_gui.gui.look.words import count as short

_WIDEST = "12 0.0000"
_TORN = 3
"""Times as far down on the map as there are neighbours: from there on a neighbour is torn away."""


class _Wall(Protocol):
    picture: int
    """Side of the square that a tile's picture fits into, in pixels."""

    def cell(self) -> QSize: ...


class NeighbourDelegate(QStyledItemDelegate):
    """Draws what `point_model.Role` tells of a row, in a view that says how large its tiles are."""

    def __init__(self, view: QAbstractItemView, wall: _Wall, *, outline: bool = False) -> None:
        """`wall` is the view itself; `outline` marks the current tile with a frame, focus or not."""
        super().__init__(view)
        self._view, self._wall, self._outline = view, wall, outline

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        return self._wall.cell()

    @guarded
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view, rect, half, side = self._view, QRect(option.rect), UNIT // 2, self._wall.picture
        palette = view.palette()
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus):
            painter.fillRect(rect.adjusted(1, 1, -1, -1), palette.color(QPalette.ColorRole.Midlight))
        frame = QRect(rect.left() + half, rect.top() + half, side, side)
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)
        painter.setFont(numbers_font(view.font()))
        self._write(painter, frame, index)
        if self._outline and index == view.currentIndex():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))

    def _write(self, painter: QPainter, frame: QRect, index: Index) -> None:
        """The lines below the picture."""
        palette, metrics = self._view.palette(), painter.fontMetrics()
        text, quiet = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.PlaceholderText)
        line = QRect(frame.left(), frame.bottom() + 3, frame.width(), metrics.height())
        painter.setPen(text)
        place, score = str(index.data(Role.PLACE)), str(index.data(Role.SCORE))
        # They stand in order: where there is no room for both, in this tile or in others, the distance says more.
        if max(metrics.horizontalAdvance(words) for words in (f"{place} {score}", _WIDEST)) <= line.width():
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, place)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, score)
        painter.setPen(colours(self._view).warning if index.data(Role.DISAGREES) else quiet)
        caption = metrics.elidedText(str(index.data(Role.CAPTION)), Qt.TextElideMode.ElideRight, line.width())
        line.translate(0, metrics.height() + 1)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, caption)
        if rank := int(index.data(Role.PLOT_RANK) or 0):
            line.translate(0, metrics.height() + 1)
            painter.setPen(text if rank > _TORN * index.model().rowCount() else quiet)
            # A number without its last digits would lie.
            words = f"map {short(rank)}"
            fits = metrics.horizontalAdvance(words) <= line.width()
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, words if fits else short(rank))

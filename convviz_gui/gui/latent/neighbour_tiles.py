"""Neighbours side by side: picture, distance, label, and how near each is on the map."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPalette, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from convviz_gui.gui.latent.point_model import Role, paint_thumbnail
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font
from convviz_gui.gui.look.words import count as short

_LARGEST, _SMALLEST = 72, 52
_USUAL_COUNT = 12
_SCROLL_BAR = 12
_WIDEST = "12 0.0000"
_TORN = 3
"""Times as far down on the map as there are neighbours: from there on a neighbour is torn away."""


class TileView(QListView):
    """One row of tiles.

    Signals:
        left: the mouse is not over it any more.
    """

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(_TileDelegate(self))
        self.setAccessibleName("Nearest neighbours")
        self.tile = _LARGEST

    def cell(self) -> QSize:
        """Size of a picture with what is written below it."""
        return QSize(self.tile + UNIT, self.tile + 3 * (self.fontMetrics().height() + 1) + UNIT)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        super().leaveEvent(event)
        self.left.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self.fit(self.viewport().width())
        self.scheduleDelayedItemsLayout()
        super().resizeEvent(event)

    def fit(self, width: int) -> None:
        """Take the height for a row that is so wide; what is hidden is not told of its width by itself."""
        # All neighbours side by side, as long as the pictures can still be made out.
        self.tile = min(max(width // _USUAL_COUNT - UNIT, _SMALLEST), _LARGEST)
        self.setFixedHeight(self.cell().height() + _SCROLL_BAR)


class _TileDelegate(QStyledItemDelegate):
    def __init__(self, view: TileView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return self._view.cell()

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        view, tile = self._view, self._view.tile
        rect: QRect = option.rect
        state = option.state
        palette = view.palette()
        if state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_HasFocus):
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Midlight))
        frame = QRect(rect.left() + UNIT // 2, rect.top() + UNIT // 2, tile, tile)
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)
        painter.setFont(numbers_font(view.font()))
        metrics = painter.fontMetrics()
        line = QRect(frame.left(), frame.bottom() + 3, frame.width(), metrics.height())
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        place, score = str(index.data(Role.PLACE)), str(index.data(Role.SCORE))
        # They stand in order: where there is no room for both, in this tile or in others, the distance says more.
        if max(metrics.horizontalAdvance(text) for text in (f"{place} {score}", _WIDEST)) <= line.width():
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, place)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, score)
        wrong = bool(index.data(Role.DISAGREES))
        painter.setPen(colours(view).warning if wrong else palette.color(QPalette.ColorRole.PlaceholderText))
        caption = metrics.elidedText(str(index.data(Role.CAPTION)), Qt.TextElideMode.ElideRight, line.width())
        line.translate(0, metrics.height() + 1)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, caption)
        if rank := int(index.data(Role.PLOT_RANK)):
            line.translate(0, metrics.height() + 1)
            torn = rank > _TORN * index.model().rowCount()
            painter.setPen(palette.color(QPalette.ColorRole.Text if torn else QPalette.ColorRole.PlaceholderText))
            # A number without its last digits would lie.
            words = f"map {short(rank)}"
            fits = metrics.horizontalAdvance(words) <= line.width()
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, words if fits else short(rank))

"""The selected pictures as a wall of thumbnails: thousands scroll."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import PointModel, Role, paint_thumbnail
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, colours

MOST = 10_000
"""Pictures on the wall; more are selected all the same."""

_SIDE = 64
_FRAME = 3


class SelectionGallery(QListView):
    """A click chooses, Enter and a double-click open; Ctrl and Shift mark several, Delete takes them out.

    Signals:
        picked: the user chose this point.
        opened: the user wants to open this point.
        pointed: the mouse is over this point, or over none (-1).
        marked_changed: other pictures are marked.
        removal_wanted: Delete was pressed.
    """

    picked = Signal(int)
    opened = Signal(int)
    pointed = Signal(int)
    marked_changed = Signal()
    removal_wanted = Signal()

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.points = PointModel(thumbnails, self)
        self.side = _SIDE
        self._sought = -1
        self.setModel(self.points)
        self.setItemDelegate(_TileDelegate(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        # Laid out piece by piece: all at once, ten thousand would keep the window for longer than a frame.
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(1000)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAutoScroll(False)
        self.setAccessibleName("Selected pictures")
        self.clicked.connect(self._on_clicked)
        self.activated.connect(lambda index: self.opened.emit(self.points.point(index.row())))
        self.entered.connect(lambda index: self.pointed.emit(self.points.point(index.row())))
        self.verticalScrollBar().rangeChanged.connect(self._seek)
        self.selectionModel().selectionChanged.connect(lambda *_: self.marked_changed.emit())

    def show_rows(self, facts: PointFacts | None, rows: IntArray) -> None:
        """Show these pictures, of many the first."""
        shown = rows[:MOST]
        self._sought = -1
        numbers = facts.scores[shown] if facts is not None else np.zeros(0)
        self.points.show_points(facts, shown.tolist(), numbers.tolist())
        self.scrollToTop()

    def marked(self) -> IntArray:
        """The points that are marked, i64, in the order of the wall."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return np.array([self.points.point(row) for row in rows], np.int64)

    def choose(self, point: int) -> None:
        """Bring a point into sight and make it the current one, if it is on the wall, without marking it."""
        current = self.currentIndex()
        if point < 0 or self.points.point(current.row() if current.isValid() else -1) == point:
            return
        row = self.points.row_of(point)
        if row >= 0:
            index = self.points.index(row)
            self.selectionModel().setCurrentIndex(index, self.selectionModel().SelectionFlag.NoUpdate)
            self._sought = row
            self._seek()

    def _seek(self) -> None:
        """Scroll to the row that is looked for, which may not be laid out yet."""
        if self._sought >= 0:
            index = self.points.index(self._sought)
            self.scrollTo(index)
            place = self.visualRect(index)
            if place.height() and self.viewport().rect().intersects(place):
                self._sought = -1

    def _on_clicked(self, index: QModelIndex) -> None:
        if len(self.selectionModel().selectedIndexes()) <= 1:
            self.picked.emit(self.points.point(index.row()))

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        super().leaveEvent(event)
        self.pointed.emit(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        before = self.currentIndex()
        if event.key() == Qt.Key.Key_Delete:
            self.removal_wanted.emit()
            return
        super().keyPressEvent(event)
        now = self.currentIndex()
        if now.isValid() and now != before and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.picked.emit(self.points.point(now.row()))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        # Whole columns: no ragged margin on the right, whatever the width.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        columns = max(width // _SIDE, 1)
        self.side = max(width // columns, 1)
        self.setGridSize(QSize(self.side, self.side))
        super().resizeEvent(event)


class _TileDelegate(QStyledItemDelegate):
    def __init__(self, view: SelectionGallery) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return QSize(self._view.side, self._view.side)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        view, rect, state = self._view, QRect(option.rect), option.state
        palette = view.palette()
        frame = rect.adjusted(_FRAME, _FRAME, -_FRAME, -_FRAME)
        marked = bool(state & QStyle.StateFlag.State_Selected)
        if marked:
            painter.fillRect(rect.adjusted(1, 1, -1, -1), palette.color(QPalette.ColorRole.Highlight))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect.adjusted(1, 1, -1, -1), palette.color(QPalette.ColorRole.Midlight))
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)
        if index == view.currentIndex():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Text), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        if index.data(Role.DISAGREES):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours(view).warning))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawEllipse(frame.right() - UNIT, frame.top() + 2, UNIT - 2, UNIT - 2)

"""The pictures ranked by outlier score."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPalette
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import Index, PointModel, Role, paint_thumbnail
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import colours, numbers_font

MOST = 5_000
"""Pictures listed: nobody scrolls further, and the whole ranking can be saved."""

_LINES = 3
_GAP = 8


class PointList(QListView):
    """Pictures with their place, name, label, prediction and outlier score, the oddest first.

    Signals:
        picked: the user moved to this point.
        opened: the user pressed Enter or double-clicked on this point.
        pointed: the mouse is over this point's row, or over none (-1).
    """

    picked = Signal(int)
    opened = Signal(int)
    pointed = Signal(int)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts: PointFacts | None = None
        self._told = False
        self.points = PointModel(thumbnails, self)
        self.setModel(self.points)
        self.setItemDelegate(_RowDelegate(self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Pictures by outlier score")
        self.setMouseTracking(True)
        # A list that scrolls under a pressed button lets go of another row than the one that was pressed.
        self.setAutoScroll(False)
        self.entered.connect(lambda index: self.pointed.emit(self.points.point(index.row())))
        self.activated.connect(lambda index: self.opened.emit(self.points.point(index.row())))

    def show_facts(self, facts: PointFacts) -> None:
        """Rank these pictures, as soon as their orders are worked out."""
        other = self._facts is None or self._facts.points.folder != facts.points.folder
        self._facts = facts
        self._told = True
        first = facts.ranking[:MOST] if facts.orders.ready else np.zeros(0, np.int64)
        self.points.show_points(facts, first.tolist(), facts.scores[first].tolist())
        if other:
            self.scrollToTop()
        self._told = False

    def choose(self, point: int) -> None:
        """Make a point the current one (-1: none) without telling."""
        self._told = True
        place = int(self._facts.rank[point]) if self._facts is not None and self._listed(point) else -1
        if place < 0:
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
        else:
            index = self.points.index(place)
            seen = index == self.currentIndex() or self.viewport().rect().contains(self.visualRect(index))
            self.setCurrentIndex(index)
            if not seen:
                self.scrollTo(index, QListView.ScrollHint.PositionAtCenter)
        self._told = False

    def _listed(self, point: int) -> bool:
        facts = self._facts
        return facts is not None and point >= 0 and facts.orders.ready and facts.rank[point] < self.points.rowCount()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        super().leaveEvent(event)
        self.pointed.emit(-1)

    def currentChanged(self, current: Index, previous: Index) -> None:  # noqa: N802
        super().currentChanged(current, previous)
        if current.isValid() and QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self.scrollTo(current)
        if current.isValid() and not self._told:
            self.picked.emit(self.points.point(current.row()))


class _RowDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        view: QWidget = option.widget
        return QSize(120, _LINES * view.fontMetrics().lineSpacing() + _GAP)

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        view: QWidget = option.widget
        rect: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        scheme, palette = colours(view), view.palette()
        if chosen:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Highlight))
        text = palette.color(QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text)
        muted = text if chosen else palette.color(QPalette.ColorRole.PlaceholderText)
        painter.setFont(numbers_font(view.font()))
        metrics = painter.fontMetrics()
        inner = rect.adjusted(_GAP // 2, _GAP // 2, -_GAP, -_GAP // 2)
        frame = QRect(inner.topLeft(), QSize(inner.height(), inner.height()))
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)

        line = QRect(inner.left() + frame.width() + _GAP, inner.top(), 0, metrics.lineSpacing())
        line.setRight(inner.right())
        painter.setPen(text)
        _line(painter, line, str(index.data()))
        painter.setPen(scheme.warning if index.data(Role.DISAGREES) and not chosen else muted)
        line.translate(0, line.height())
        _line(painter, line, str(index.data(Role.SUBTITLE)))
        line.translate(0, line.height())
        painter.setPen(muted)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, f"{index.data(Role.PLACE):,}")
        painter.setPen(text)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, str(index.data(Role.SCORE)))


def _line(painter: QPainter, area: QRect, text: str) -> None:
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)

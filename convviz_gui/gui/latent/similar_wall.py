"""Similar pictures side by side, in order: picture, place, distance, label."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from convviz_gui.gui.latent.point_model import Role, paint_thumbnail
from convviz_gui.gui.latent.similar_model import SimilarModel
from convviz_gui.gui.look.painting import guarded
from convviz_gui.gui.look.theme import UNIT, colours, numbers_font

_LEAST = 96


class SimilarWall(QListView):
    """A click and Enter open a picture; the arrow keys go from one to the next.

    Signals:
        opened: path of a picture that the user wants to open.
        pointed: row of the picture under the mouse or the keyboard's, -1 for none.
    """

    opened = Signal(str)
    pointed = Signal(int)

    def __init__(self, model: SimilarModel) -> None:
        super().__init__()
        self.side = _LEAST
        self._similar = model
        self.setModel(model)
        self.setItemDelegate(_TileDelegate(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setAccessibleName("Similar pictures, nearest first")
        self.clicked.connect(lambda index: self.opened.emit(model.path(index.row())))
        self.entered.connect(lambda index: self.pointed.emit(index.row()))

    def currentChanged(  # noqa: N802
        self, current: QModelIndex | QPersistentModelIndex, previous: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().currentChanged(current, previous)
        self.pointed.emit(current.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self._similar.path(self.currentIndex().row()))
            return
        super().keyPressEvent(event)

    def cell(self) -> QSize:
        """Size of a picture with what is written below it."""
        return QSize(self.side, self.side + 2 * (self.fontMetrics().height() + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        # Whole columns: no ragged margin on the right, whatever the width.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        self.side = max(width // max(width // (_LEAST + UNIT), 1), _LEAST // 2)
        self.setGridSize(self.cell())
        super().resizeEvent(event)


class _TileDelegate(QStyledItemDelegate):
    def __init__(self, view: SimilarWall) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:  # noqa: N802
        return self._view.cell()

    @guarded
    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        view, rect, half = self._view, QRect(option.rect), UNIT // 2
        palette = view.palette()
        if option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect.adjusted(1, 1, -1, -1), palette.color(QPalette.ColorRole.Midlight))
        frame = QRect(rect.left() + half, rect.top() + half, view.side - UNIT, view.side - UNIT)
        paint_thumbnail(painter, index.data(Qt.ItemDataRole.DecorationRole), frame, palette)
        painter.setFont(numbers_font(view.font()))
        metrics = painter.fontMetrics()
        line = QRect(frame.left(), frame.bottom() + 3, frame.width(), metrics.height())
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, str(index.data(Role.PLACE)))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, str(index.data(Role.SCORE)))
        line.translate(0, metrics.height() + 1)
        wrong = bool(index.data(Role.DISAGREES))
        painter.setPen(colours(view).warning if wrong else palette.color(QPalette.ColorRole.PlaceholderText))
        caption = metrics.elidedText(str(index.data(Role.CAPTION)), Qt.TextElideMode.ElideMiddle, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, caption)
        if index == view.currentIndex():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))

"""Similar pictures side by side, in order: picture, place, distance, label."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView

from convviz_gui.gui.latent.neighbour_delegate import NeighbourDelegate
from convviz_gui.gui.latent.similar_model import SimilarModel
from convviz_gui.gui.look.theme import UNIT

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
        self.picture = _LEAST - UNIT
        self._similar = model
        self.setModel(model)
        self.setItemDelegate(NeighbourDelegate(self, self, outline=True))
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
        side = self.picture + UNIT
        return QSize(side, side + 2 * (self.fontMetrics().height() + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        # Whole columns: no ragged margin on the right, whatever the width.
        width = self.width() - self.verticalScrollBar().sizeHint().width() - 2
        self.picture = max(width // max(width // (_LEAST + UNIT), 1), _LEAST // 2) - UNIT
        self.setGridSize(self.cell())
        super().resizeEvent(event)

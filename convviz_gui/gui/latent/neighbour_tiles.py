"""Neighbours side by side in one row."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QListView

from convviz_gui.gui.latent.neighbour_delegate import NeighbourDelegate
from convviz_gui.gui.look.theme import UNIT

_LARGEST, _SMALLEST = 72, 52
_USUAL_COUNT = 12
_SCROLL_BAR = 12


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
        self.setItemDelegate(NeighbourDelegate(self, self))
        self.setAccessibleName("Nearest neighbours")
        self.picture = _LARGEST

    def cell(self) -> QSize:
        """Size of a picture with what is written below it."""
        return QSize(self.picture + UNIT, self.picture + 3 * (self.fontMetrics().height() + 1) + UNIT)

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
        self.picture = min(max(width // _USUAL_COUNT - UNIT, _SMALLEST), _LARGEST)
        self.setFixedHeight(self.cell().height() + _SCROLL_BAR)

"""A grid of many small pictures of which one is chosen: thousands scroll smoothly."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.look.asking import asks_to_compare, compare_action
from convviz_gui.gui.look.theme import numbers_font
from convviz_gui.gui.tiles.tile_delegate import GAP, TileDelegate
from convviz_gui.gui.tiles.tile_model import Index, TileModel, TileSource

SMALLEST, SIDE, LARGEST = 32, 72, 320
"""Edge of a tile in logical pixels."""
_STEP = 1.15


class TileGrid(QListView):
    """Arrows walk, Enter opens, Ctrl+wheel changes the size of the tiles.

    Signals:
        chosen: the item that the user made the current one.
        opened: the item the user pressed Enter on or double-clicked.
        pointed: the item under the cursor, or None.
        size_changed: edge of a tile in logical pixels.
    """

    chosen = Signal(object)
    opened = Signal(object)
    pointed = Signal(object)
    size_changed = Signal(int)

    def __init__(self, name: str, side: int = SIDE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles = TileModel()
        self._delegate = TileDelegate(self._tiles)
        self._side = 0
        self._telling = True
        self.setModel(self._tiles)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(name)
        self.setFont(numbers_font(self.font()))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.setStyleSheet("QListView { background: transparent; }")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.compare_action = compare_action(self)
        self.addAction(self.compare_action)
        self.activated.connect(self._open)
        self.entered.connect(self._point)
        self.viewportEntered.connect(self._point_nowhere)
        self.set_side(side)

    # ------------------------------------------------------------------------------------------ content

    def set_source(self, source: TileSource | None, order: IntArray | None = None, *, keep: bool = False) -> None:
        """Show other tiles, in `order` (place → item); `keep` the current item and what is in sight."""
        current = self.current_item()
        place = self.verticalScrollBar().value()
        self._delegate.forget()
        self._telling = False
        self._tiles.set_source(source, order)
        self._telling = True
        if keep:
            self.select(current)
            self.doItemsLayout()
            self.verticalScrollBar().setValue(place)

    def replace(self, source: TileSource, changed: Sequence[int]) -> bool:
        """Take a newer state of the same tiles; only the `changed` items are painted again.

        Returns:
            True if the current item is among them.
        """
        self._tiles.source = source
        self._delegate.forget(changed)
        self._tiles.refresh(changed)
        return self.current_item() in changed

    # ---------------------------------------------------------------------------------------- selection

    def current_item(self) -> int | None:
        """The item that is current."""
        index = self.currentIndex()
        return self._tiles.item(index.row()) if index.isValid() else None

    def select(self, item: int | None, *, show: bool = False) -> None:
        """Make an item current without saying `chosen`; `show` scrolls to it."""
        if item is None or not 0 <= item < self._tiles.rowCount():
            return
        index = self._tiles.index(self._tiles.row(item))
        self._telling = False
        # Qt scrolls to whatever becomes current unless told otherwise.
        automatic = self.hasAutoScroll()
        self.setAutoScroll(show)
        self.setCurrentIndex(index)
        self.setAutoScroll(automatic)
        self._telling = True

    def item_at(self, row: int) -> int:
        """The item in that place, from 0."""
        return self._tiles.item(row)

    def currentChanged(self, current: Index, previous: Index) -> None:  # noqa: N802
        super().currentChanged(current, previous)
        if self._telling and current.isValid():
            self.chosen.emit(self._tiles.item(current.row()))

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self._tiles.item(index.row()))

    def _point(self, index: QModelIndex) -> None:
        self.pointed.emit(self._tiles.item(index.row()))

    def _point_nowhere(self) -> None:
        self.pointed.emit(None)

    # --------------------------------------------------------------------------------------------- size

    @property
    def side(self) -> int:
        """Edge of a tile's picture in logical pixels, as asked for; tiles grow a little to fill the rows."""
        return self._side

    def set_side(self, side: int) -> None:
        """Change the size of the tiles; the current one stays in sight."""
        side = min(max(side, SMALLEST), LARGEST)
        if side == self._side:
            return
        self._side = side
        self._justify()
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())
        self.size_changed.emit(side)

    def _justify(self) -> None:
        # Room for the scroll bar is always kept, as tiles that make it come and go would never settle.
        room = self.width() - self.verticalScrollBar().sizeHint().width() - 1
        columns = max(room // (self._side + GAP), 1)
        self._delegate.set_side(max(min(room // columns - GAP, 2 * self._side), SMALLEST))
        cell = self._delegate.cell(self.fontMetrics())
        if cell != self.gridSize():
            self.setGridSize(cell)
            self.verticalScrollBar().setSingleStep(cell.height() // 3)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        super().showEvent(event)
        self.compare_action.setVisible(asks_to_compare(self) is not None)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        self._justify()
        super().resizeEvent(event)

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(5 * self.gridSize().width(), 2 * self.gridSize().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return QSize(160, 96)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_side(round(self._side * _STEP ** (event.angleDelta().y() / 120)))
            event.accept()
        else:
            super().wheelEvent(event)

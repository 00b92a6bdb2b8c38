"""The network's layers with a search box; the row chosen is the window's layer."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLineEdit, QTreeView, QVBoxLayout, QWidget

from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.layer_model import ID_ROLE, LayerFilter, LayerModel
from convviz_gui.gui.selection import Selection

_KIND, _PARAMS = 1, 3
_ROOM_FOR = {_KIND: 38 * UNIT, _PARAMS: 44 * UNIT}
"""Widths of the tree that the columns need beside the names."""


class _SearchBox(QLineEdit):
    """A search box from which the arrow keys reach into the tree and Escape clears."""

    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setPlaceholderText("Search layers")
        self.setAccessibleName("Search layers")
        self.setClearButtonEnabled(True)
        # What is dropped here is for the window to open.
        self.setAcceptDrops(False)
        self.setToolTip("Words of a layer's name or kind, e.g. “block3 conv”")

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        match event.key():
            case Qt.Key.Key_Escape:
                self.clear()
                self.entered.emit()
            case Qt.Key.Key_Down | Qt.Key.Key_Up | Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.entered.emit()
            case _:
                super().keyPressEvent(event)


class LayerTree(QWidget):
    """Search box and tree, in step with `Selection.layer` both ways."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._settling = False
        self._layers = LayerModel(self)
        self._filter = LayerFilter(self)
        self._filter.setSourceModel(self._layers)
        self.tree = _tree_view()
        self.tree.setModel(self._filter)
        self.search = _SearchBox()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        row = QVBoxLayout()
        row.setContentsMargins(UNIT, 0, UNIT, 0)
        row.addWidget(self.search)
        column.addLayout(row)
        column.addWidget(self.tree)
        _size_columns(self.tree)
        self.search.textChanged.connect(self._on_search)
        self.search.entered.connect(self._enter)
        self.tree.selectionModel().currentChanged.connect(self._on_current)
        selection.model_changed.connect(self._on_model)
        selection.layer_changed.connect(self._show_current)
        self._on_model()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        # A layer's name is worth more than its kind, which the search finds all the same, and its size: tips tell both.
        for column, room in _ROOM_FOR.items():
            self.tree.setColumnHidden(column, self.width() < room)

    def _on_model(self) -> None:
        info = self._selection.model
        self._layers.set_model(info)
        if info is not None and sum(1 for _ in info.root.walk()) <= _EXPAND_ALL:
            self.tree.expandAll()
        else:
            self.tree.expandToDepth(0)
        self._show_current()

    def _on_search(self, text: str) -> None:
        # Rows that go make Qt choose a neighbour; searching must not change the layer.
        self._settling = True
        self._filter.set_search(text)
        if text.strip():
            self.tree.expandAll()
        self._show_current()
        self._settling = False

    def _enter(self) -> None:
        """Go on in the tree, at the first layer found unless the chosen one is among them."""
        self.tree.setFocus()
        if not self.tree.currentIndex().isValid():
            found = self._filter.first_match()
            if found.isValid():
                self.tree.setCurrentIndex(found)

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if self._settling:
            return
        layer = current.siblingAtColumn(0).data(ID_ROLE)
        info = self._selection.model
        node = info.find(layer) if info is not None and isinstance(layer, str) else None
        if node is not None and node.depth is not None:
            self._selection.set_layer(node.id)

    def _show_current(self) -> None:
        layer = self._selection.layer
        index = self._filter.mapFromSource(self._layers.index_of(layer)) if layer else QModelIndex()
        if index != self.tree.currentIndex().siblingAtColumn(0):
            self.tree.setCurrentIndex(index)
        if index.isValid():
            self.tree.scrollTo(index)


_EXPAND_ALL = 60  # networks with at most as many layers are shown whole


def _tree_view() -> QTreeView:
    tree = QTreeView()
    tree.setAccessibleName("Layers")
    tree.setUniformRowHeights(True)
    tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    tree.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    tree.setAllColumnsShowFocus(True)
    tree.setIndentation(12)
    tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return tree


def _size_columns(tree: QTreeView) -> None:
    header = tree.header()
    header.setStretchLastSection(False)
    header.setMinimumSectionSize(3 * UNIT)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    metrics = tree.fontMetrics()
    for column, widest in ((1, "MaxPool2d_"), (2, "512×112×112"), (3, "Params_")):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        header.resizeSection(column, metrics.horizontalAdvance(widest) + UNIT)

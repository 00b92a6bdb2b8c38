"""The tiles of a grid as a Qt model: items in some order, their pictures made when they come into sight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.look.plain import tip

Index = QModelIndex | QPersistentModelIndex


class TileSource(Protocol):
    """Where tiles come from; items are numbered from 0 to `count` − 1."""

    @property
    def count(self) -> int:
        """How many items there are."""

    @property
    def smooth(self) -> bool:
        """False if enlarged pixels are to stay squares."""

    def picture(self, item: int) -> QImage | None:
        """The item's picture, or None where there is nothing but the note to show."""

    def note(self, item: int) -> str:
        """Words written on the tile ("blank", "dead", "waiting"), or ""."""

    def caption(self, item: int) -> str:
        """The short line below the tile."""

    def describe(self, item: int) -> str:
        """What the tile shows, in words: its tooltip and what a screen reader says."""


class TileModel(QAbstractListModel):
    """Rows are places in the grid, items what stands there."""

    def __init__(self) -> None:
        super().__init__()
        self.source: TileSource | None = None
        self._order: IntArray = np.zeros(0, np.int64)
        self._rows: IntArray = np.zeros(0, np.int64)

    def set_source(self, source: TileSource | None, order: IntArray | None = None) -> None:
        """Take new tiles, in `order` (row → item) or as they are numbered."""
        self.beginResetModel()
        self.source = source
        count = source.count if source else 0
        self._order = np.arange(count) if order is None else order
        self._rows = np.empty_like(self._order)
        self._rows[self._order] = np.arange(count)
        self.endResetModel()

    def item(self, row: int) -> int:
        """What stands in that row."""
        return int(self._order[row])

    def row(self, item: int) -> int:
        """Where the item stands."""
        return int(self._rows[item])

    def refresh(self, items: Iterable[int]) -> None:
        """These items look different now."""
        for item in items:
            index = self.index(self.row(item))
            self.dataChanged.emit(index, index)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._order)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        if self.source is None or not index.isValid():
            return None
        item = self.item(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.source.caption(item)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(self.source.describe(item))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.source.describe(item)
        return None

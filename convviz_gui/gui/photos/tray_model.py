"""The image tray's rows. Photos are kept decoded up to a limit; others come back from their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap

from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.look.plain import tip

KEPT_BYTES = 256 * 2**20
"""Decoded photos kept in memory, so that going back to one is immediate."""

ICON = 64

Index = QModelIndex | QPersistentModelIndex


@dataclass(slots=True)
class TrayItem:
    """One photo on offer; `image` is None while it is not decoded."""

    key: int
    name: str
    make: Callable[[], ImageInput]
    path: str | None = None
    source: str = ""
    image: ImageInput | None = None
    icon: QIcon | None = None


class TrayModel(QAbstractListModel):
    """A list of `TrayItem`s, looked up by row or by key."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.items: list[TrayItem] = []
        self._paths: set[str] = set()
        self._recent: list[int] = []
        blank = QPixmap(ICON, ICON)
        blank.fill(QColor(128, 128, 128, 40))
        self._blank = QIcon(blank)

    def add(self, item: TrayItem) -> None:
        """Append a row."""
        row = len(self.items)
        self.beginInsertRows(QModelIndex(), row, row)
        self.items.append(item)
        if item.path:
            self._paths.add(item.path)
        self.endInsertRows()

    def remove(self, key: int) -> None:
        """Take a row out."""
        row = self.row_of(key)
        if row is not None:
            self.beginRemoveRows(QModelIndex(), row, row)
            self._paths.discard(self.items[row].path or "")
            del self.items[row]
            self.endRemoveRows()

    def row_of(self, key: int) -> int | None:
        """Row of the item with that key."""
        return next((row for row, item in enumerate(self.items) if item.key == key), None)

    def row_of_path(self, path: str) -> int | None:
        """Row of the picture from that file."""
        # Asked for each of thousands of files that are dropped at once, of which most are new.
        if path not in self._paths:
            return None
        return next((row for row, item in enumerate(self.items) if item.path == path), None)

    def put(self, key: int, image: ImageInput, icon: QIcon) -> None:
        """Take a decoded photo, letting go of those not looked at for longest."""
        row = self.row_of(key)
        if row is None:
            return
        item = self.items[row]
        item.image, item.icon = image, icon
        self.touch(key)
        self._forget(keep=key)
        index = self.index(row)
        self.dataChanged.emit(index, index)

    def touch(self, key: int) -> None:
        """Tell that a photo was looked at."""
        if key in self._recent:
            self._recent.remove(key)
        self._recent.append(key)

    def _forget(self, keep: int) -> None:
        by_key = {item.key: item for item in self.items}
        self._recent = [key for key in self._recent if key in by_key]
        total = sum(item.image.pixels.nbytes for item in self.items if item.image is not None)
        for key in list(self._recent):
            item = by_key[key]
            if total <= KEPT_BYTES or key == keep:
                continue
            if item.image is not None:
                total -= item.image.pixels.nbytes
                item.image = None

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802
        return 0 if parent is not None and parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.items):
            return None
        item = self.items[index.row()]
        match role:
            case Qt.ItemDataRole.DecorationRole:
                return item.icon or self._blank
            case Qt.ItemDataRole.ToolTipRole:
                return tip(_tooltip(item))
            case Qt.ItemDataRole.AccessibleTextRole:
                return item.name
            case Qt.ItemDataRole.SizeHintRole:
                return QSize(ICON + 12, ICON + 12)
            case _:
                return None


def _tooltip(item: TrayItem) -> str:
    lines = [item.name]
    if item.path:
        lines.append(item.path)
    if item.image is not None:
        height, width, _ = item.image.pixels.shape
        lines.append(f"{width} × {height} pixels")
        lines.extend(item.image.notes)
    return "\n".join(lines)

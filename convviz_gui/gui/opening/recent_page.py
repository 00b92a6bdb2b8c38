"""Networks opened before: Enter opens one as it was, with its weights, preprocessing, device and precision."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from convviz_gui.engine.types import ModelSpec
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.recent_models import RecentModel, RecentModels
from convviz_gui.gui.opening.page import Page, muted


class RecentPage(Page):
    """The list, newest first; what is gone is greyed, and the reason stands beside it."""

    def __init__(self, recent: RecentModels, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries = recent.entries()
        self.list = _list()
        self.list.setVisible(bool(self._entries))
        empty = muted("Nothing yet: networks that you open are listed here.")
        empty.setVisible(not self._entries)
        for entry in self._entries:
            obstacle = entry.obstacle()
            item = QTreeWidgetItem(self.list, [entry.name, entry.weights, obstacle or _extras(entry)])
            item.setToolTip(0, tip(entry.spec.source))
            item.setToolTip(1, tip(entry.spec.weights or entry.weights))
            item.setToolTip(2, tip(item.text(2)))
            item.setDisabled(bool(obstacle))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(empty)
        column.addWidget(self.list, 1)
        if not self._entries:
            column.addStretch(1)
        self.list.currentItemChanged.connect(lambda *_: self.changed.emit())
        self.list.itemDoubleClicked.connect(lambda *_: self._on_double_click())
        items = (self.list.topLevelItem(row) for row in range(len(self._entries)))
        first = next((item for item in items if item is not None and not item.isDisabled()), None)
        if first is not None:
            self.list.setCurrentItem(first)

    def entry(self) -> RecentModel | None:
        """The network chosen, if it can be opened."""
        item = self.list.currentItem()
        return None if item is None or item.isDisabled() else self._entries[self.list.indexOfTopLevelItem(item)]

    def spec(self) -> ModelSpec | None:
        entry = self.entry()
        return entry.spec if entry is not None else None

    def note(self) -> str:
        return "" if self.entry() is not None or not self._entries else "Choose a network."

    def take_focus(self) -> None:
        self.list.setFocus()

    def _on_double_click(self) -> None:
        if self.entry() is not None:
            self.submitted.emit()


def _extras(entry: RecentModel) -> str:
    spec = entry.spec
    parts = [
        "own preprocessing" if spec.preprocess is not None else "",
        "own class names" if spec.class_names is not None else "",
        "partial" if spec.partial else "",
        entry.precision if entry.precision != "float32" else "",
    ]
    return ", ".join(part for part in parts if part)


def _list() -> QTreeWidget:
    view = QTreeWidget()
    view.setAccessibleName("Networks opened before")
    view.setHeaderLabels(["Network", "Weights", ""])
    view.setRootIsDecorated(False)
    view.setUniformRowHeights(True)
    view.setAllColumnsShowFocus(True)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    header = view.header()
    header.setStretchLastSection(True)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.resizeSection(0, 40 * UNIT)
    header.resizeSection(1, 34 * UNIT)
    return view

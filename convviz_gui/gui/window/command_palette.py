"""Ctrl+Shift+P: every command, and every layer, by a few letters of its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from convviz_gui.gui.look.theme import UNIT

MOST = 200
"""Entries listed at once; more are reached by typing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something the palette can do."""

    title: str
    shortcut: str
    do: Callable[[], object]


class CommandPalette(QDialog):
    """A search box over a list; Enter does the chosen entry, Escape closes."""

    def __init__(self, entries: list[Entry], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setObjectName("palette")
        self.setAccessibleName("Commands")
        self._entries = entries
        self._shown: list[Entry] = []
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search commands and layers")
        self.search.setAccessibleName("Search commands")
        self.list = QListWidget()
        self.list.setAccessibleName("Commands found")
        self.list.setUniformItemSizes(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addWidget(self.search)
        column.addWidget(self.list)
        self.search.textChanged.connect(self._refresh)
        self.search.returnPressed.connect(self._do)
        self.search.installEventFilter(self)
        self.list.itemClicked.connect(self._do)
        self.search.setFocus()
        self._refresh()
        width = min(70 * UNIT, parent.width() - 4 * UNIT)
        self.resize(width, min(48 * UNIT, parent.height() - 12 * UNIT))
        self.move(parent.mapToGlobal(QPoint((parent.width() - width) // 2, 6 * UNIT)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        # The arrows move through the list while the search box keeps the focus.
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {int(Qt.Key.Key_Down): 1, int(Qt.Key.Key_Up): -1}.get(event.key(), 0)
            if step:
                self.list.setCurrentRow((self.list.currentRow() + step) % max(1, self.list.count()))
                return True
        return super().eventFilter(watched, event)

    def _refresh(self) -> None:
        self._shown = matching(self.search.text(), self._entries)[:MOST]
        self.list.clear()
        for entry in self._shown:
            QListWidgetItem(f"{entry.title}    {entry.shortcut}".rstrip(), self.list)
        self.list.setCurrentRow(0)

    def _do(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self._shown):
            entry = self._shown[row]
            self.close()
            entry.do()


def matching(text: str, entries: list[Entry]) -> list[Entry]:
    """Entries holding every word of `text`; after them those that hold the words' letters in that order."""
    words = text.lower().split()
    whole = [entry for entry in entries if all(word in entry.title.lower() for word in words)]
    found = {id(entry) for entry in whole}
    rest = (entry for entry in entries if id(entry) not in found)
    return whole + [entry for entry in rest if all(_in_order(word, entry.title.lower()) for word in words)]


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


def entry_of(action: QAction, menu: str = "") -> Entry:
    """A menu's action as an entry of the palette."""
    title = action.text().replace("&", "")
    return Entry(f"{menu}: {title}" if menu else title, action.shortcut().toString(), action.trigger)

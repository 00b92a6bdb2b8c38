"""The row of tabs: closer together where there is no room for all the titles."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from convviz_gui.gui.look.theme import UNIT


class TabBar(QTabBar):
    """Titles are never cut. They move together in a small window, and scroll in a smaller one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Tabs")
        self.setDrawBase(False)
        self.setExpanding(False)
        # A title cut to "I…" says nothing.
        self.setElideMode(Qt.TextElideMode.ElideNone)
        self.setUsesScrollButtons(True)
        # Scrolling needs leave to be narrower than the titles together.
        self.setMinimumWidth(16 * UNIT)
        self._loose = 0

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the room between titles."""
        super().resizeEvent(event)
        tight = bool(self.property("tight"))
        if not tight:
            self._loose = sum(self.tabSizeHint(index).width() for index in range(self.count()))
        if tight != (event.size().width() < self._loose):
            self.setProperty("tight", not tight)
            self.style().unpolish(self)
            self.style().polish(self)
            # Qt keeps the places of the titles until it is told.
            QApplication.sendEvent(self, QEvent(QEvent.Type.StyleChange))

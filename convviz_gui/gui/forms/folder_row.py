"""The row that chooses a folder of pictures."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.selection import Selection


class FolderRow(QWidget):
    """The window's folder, as text, with buttons to choose another.

    Signals:
        demo_wanted: the user asks for the demo's folder.
    """

    demo_wanted = Signal()

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.line = QLineEdit()
        self.line.setAccessibleName("Folder")
        self.line.setAcceptDrops(False)
        self.line.setPlaceholderText("A folder of pictures")
        self.line.setToolTip("Sub-folders, where there are any, become the labels")
        self.line.editingFinished.connect(lambda: selection.set_folder(self._written()))
        browse, demo = QPushButton("Open…"), QPushButton("Demo")
        demo.setToolTip("600 Toybox pictures in 12 classes, a few of them wrongly labelled or odd: find them")
        browse.clicked.connect(self._browse)
        demo.clicked.connect(self.demo_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.line)
        buttons = QHBoxLayout()
        buttons.addWidget(browse)
        buttons.addWidget(demo)
        column.addLayout(buttons)
        selection.folder_changed.connect(self._show)
        self._show()

    def _written(self) -> str | None:
        """The folder as an absolute path, or None."""
        text = self.line.text().strip()
        return str(Path(text).expanduser().absolute()) if text else None

    def _show(self) -> None:
        self.line.setText(self._selection.folder or "")
        self.line.setCursorPosition(0)

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a folder of pictures", self.line.text())
        if chosen:
            self._selection.set_folder(chosen)

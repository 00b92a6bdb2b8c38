"""The row that chooses a dataset: a folder, an archive or a table of pictures, or several as splits."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from convviz_gui.engine.sources import split_names
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.photos.dataset_words import ask_files, ask_folder, described, explained
from convviz_gui.gui.selection import Selection

_MOST_SPLITS = 12
"""Splits that the menu offers to leave out."""


class FolderRow(QWidget):
    """The window's dataset, as text, with buttons to choose another.

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
        self.line.setPlaceholderText("A folder, .zip or .csv of pictures")
        self.line.editingFinished.connect(self._take_written)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.browse, demo = QPushButton("Open…"), QPushButton("Demo")
        self.browse.setMenu(self.menu)
        self.browse.setToolTip("Choose a dataset, or add a split to this one")
        demo.setToolTip("600 Toybox pictures in 12 classes, a few of them wrongly labelled or odd: find them")
        demo.clicked.connect(self.demo_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.line)
        buttons = QHBoxLayout()
        buttons.addWidget(self.browse)
        buttons.addWidget(demo)
        column.addLayout(buttons)
        selection.folder_changed.connect(self._show)
        self._show()

    def _take_written(self) -> None:
        """Choose what is written; several sources cannot be written, only shown."""
        if not self.line.isReadOnly():
            text = self.line.text().strip()
            self._selection.set_sources([str(Path(text).expanduser())] if text else ())

    def _show(self) -> None:
        sources = self._selection.sources
        self.line.setReadOnly(len(sources) > 1)
        self.line.setText(described(sources))
        self.line.setToolTip(tip(explained(sources)))
        self.line.setCursorPosition(0)

    def _fill_menu(self) -> None:
        menu, sources = self.menu, self._selection.sources
        menu.clear()
        menu.addAction("Folder…", lambda: self._choose(ask_folder(self, self._near())))
        menu.addAction("Archive or table…", lambda: self._choose(ask_files(self, self._near())))
        if not sources:
            return
        menu.addSeparator()
        title = "Add a folder of pictures as a split"
        menu.addAction("Add a folder as a split…", lambda: self._add(ask_folder(self, self._near(), title)))
        title = "Add an archive or a table of pictures as a split"
        menu.addAction("Add an archive or table as a split…", lambda: self._add(ask_files(self, self._near(), title)))
        if len(sources) > 1:
            menu.addSeparator()
            for name, source in list(zip(split_names(sources), sources, strict=True))[:_MOST_SPLITS]:
                menu.addAction(f"Leave out {name}".replace("&", "&&"), partial(self._leave_out, source))

    def _near(self) -> str:
        """Where a dialog starts: beside the dataset that is open."""
        folder = self._selection.folder
        return str(Path(folder).parent) if folder else ""

    def _choose(self, sources: tuple[str, ...]) -> None:
        if sources:
            self._selection.set_sources(sources)

    def _add(self, sources: tuple[str, ...]) -> None:
        self._selection.set_sources((*self._selection.sources, *sources))

    def _leave_out(self, source: str) -> None:
        self._selection.set_sources(other for other in self._selection.sources if other != source)

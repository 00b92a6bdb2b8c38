"""The selected pictures: how many of which label, a wall of them, and what can be done with them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.latent.selection_gallery import MOST, SelectionGallery
from convviz_gui.gui.latent.selection_words import summary
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT

_MOST_TOLD = 50
"""Labels in the tooltip: more would fill the screen."""


class SelectionPanel(QWidget):
    """Shows the selection of a `Workbench`. What is marked on the wall goes before all that is selected.

    Signals:
        reproject_wanted: rows i64 to project anew.
        csv_wanted, list_wanted: (rows i64, True for the clipboard and False for a file).
    """

    reproject_wanted = Signal(object)
    csv_wanted = Signal(object, bool)
    list_wanted = Signal(object, bool)

    def __init__(self, bench: Workbench, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.summary = plain(QLabel(wordWrap=True))
        self.summary.setProperty("role", "section")
        self.more = plain(QLabel(wordWrap=True))
        self.more.setProperty("role", "muted")
        self.gallery = SelectionGallery(thumbnails)
        self.narrow = _button("Keep marked", "Select only the pictures marked here; Ctrl- and Shift-click mark several")
        self.reproject = _button("Re-project", "Project these pictures alone, near where they are now")
        self.export = _button("Export", "Save or copy these pictures as CSV, or as a list of files")
        self.export.setMenu(self._menu())
        self.clear = QToolButton()
        self.clear.setText("✕")
        self.clear.setToolTip("Select nothing (Esc)")
        self.clear.setAccessibleName("Select nothing")
        self._arrange()
        self.gallery.picked.connect(bench.choose)
        self.gallery.opened.connect(bench.open)
        self.gallery.marked_changed.connect(self._show_words)
        self.gallery.removal_wanted.connect(self._remove)
        self.narrow.clicked.connect(lambda: bench.select(self.gallery.marked()))
        self.reproject.clicked.connect(lambda: self.reproject_wanted.emit(self.rows()))
        self.clear.clicked.connect(self._clear)
        QShortcut(Qt.Key.Key_Escape, self.gallery, self._clear, context=Qt.ShortcutContext.WidgetShortcut)
        bench.selected_changed.connect(self.refresh)

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(UNIT // 2)
        top.addWidget(self.summary, 1)
        top.addWidget(self.clear, 0, Qt.AlignmentFlag.AlignTop)
        actions = QHBoxLayout()
        actions.setSpacing(UNIT // 2)
        for button in (self.reproject, self.export, self.narrow):
            actions.addWidget(button)
        actions.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addLayout(top)
        column.addLayout(actions)
        column.addWidget(self.gallery, 1)
        column.addWidget(self.more)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.addAction("Save as CSV…", lambda: self.csv_wanted.emit(self.rows(), False))
        menu.addAction("Save list of files…", lambda: self.list_wanted.emit(self.rows(), False))
        menu.addSeparator()
        menu.addAction("Copy as CSV", lambda: self.csv_wanted.emit(self.rows(), True))
        menu.addAction("Copy list of files", lambda: self.list_wanted.emit(self.rows(), True))
        return menu

    def rows(self) -> IntArray:
        """What the actions are about: the pictures marked on the wall if there are several, else all selected."""
        marked = self.gallery.marked()
        return np.sort(marked) if len(marked) > 1 else self._bench.selected

    def refresh(self) -> None:
        """Show what is selected now."""
        facts, selected = self._bench.facts, self._bench.selected
        self.gallery.show_rows(facts, selected)
        self.more.setText(f"The first {MOST:,} are shown." if len(selected) > MOST else "")
        self.more.setVisible(len(selected) > MOST)
        self._show_words()
        self.gallery.choose(self._bench.point)

    def _show_words(self) -> None:
        facts, rows = self._bench.facts, self.rows()
        # With many pictures, labels are counted as soon as that has been prepared.
        if facts is None or not len(self._bench.selected) or not facts.orders.ready:
            self.summary.setText(summary(len(rows), ()))
            return
        several = len(rows) != len(self._bench.selected)
        labels = facts.label_counts(rows)
        words = summary(len(rows), labels)
        whole = summary(len(rows), labels, _MOST_TOLD)
        if several:
            words = words.replace("selected", f"of {len(self._bench.selected):,} marked", 1)
        self.summary.setText(words)
        self.summary.setToolTip(tip(whole))
        self.narrow.setVisible(several)
        self.reproject.setEnabled(self._bench.result is not None and len(facts.points.features) > 0)

    def _remove(self) -> None:
        self._bench.select(np.setdiff1d(self._bench.selected, self.gallery.marked()))

    def _clear(self) -> None:
        self._bench.select(())


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return button

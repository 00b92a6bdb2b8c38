"""The files of a folder that were left out, and why."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.payloads import Skipped
from convviz_gui.gui.look.plain import tip


class SkippedDialog(QDialog):
    """A table of paths and reasons that can be copied."""

    def __init__(self, skipped: tuple[Skipped, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Files left out")
        self.resize(720, 360)
        self._skipped = skipped
        self.table = QTableWidget(len(skipped), 2)
        self.table.setHorizontalHeaderLabels(["File", "Why"])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for row, file in enumerate(skipped):
            for place, text in enumerate((file.path, file.reason)):
                item = QTableWidgetItem(text)
                item.setToolTip(tip(text))
                self.table.setItem(row, place, item)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy list", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel("These files were left out."))
        column.addWidget(self.table)
        column.addWidget(buttons)

    def copy(self) -> None:
        """Put the list on the clipboard, one file a line, path and reason separated by a tab."""
        QGuiApplication.clipboard().setText("\n".join(f"{file.path}\t{file.reason}" for file in self._skipped))

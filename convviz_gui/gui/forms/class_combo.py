"""A box with the network's classes, in which one can type to search."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QWidget

from convviz_gui.engine.types import ModelInfo


class ClassCombo(QComboBox):
    """The first row stands for no class in particular (`first`), the others for classes.

    Signals:
        chosen: the user chose a class: its index, or None for the first row.
    """

    chosen = Signal(object)

    def __init__(self, first: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._index: int | None = None
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.addItem(first)
        completer = self.completer()
        assert completer is not None
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.activated.connect(lambda row: self.chosen.emit(None if row <= 0 else row - 1))
        line = self.lineEdit()
        assert line is not None
        line.editingFinished.connect(lambda: self.show_class(self._index))

    def set_model(self, model: ModelInfo | None) -> None:
        """Offer a network's classes."""
        self.blockSignals(True)
        first = self.itemText(0)
        self.clear()
        self.addItem(first)
        if model is not None:
            self.addItems([model.class_name(index) for index in range(model.n_classes)])
        self.blockSignals(False)
        self.show_class(None)

    def show_class(self, index: int | None) -> None:
        """Show a class, or the first row."""
        self._index = index
        self.setCurrentIndex(0 if index is None else index + 1)
        self.setEditText(self.currentText())
        line = self.lineEdit()
        if line is not None:
            line.setCursorPosition(0)

    def set_first(self, text: str) -> None:
        """What the first row says."""
        self.setItemText(0, text)

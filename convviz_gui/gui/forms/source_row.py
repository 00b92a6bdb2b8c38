"""The row that says what is traced back to the photo: a class, a channel, or one unit of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import Target
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.selection import Selection

_CLASS, _CHANNEL = 0, 1


class SourceRow(QWidget):
    """Chooses between the class and the channel that the window looks at.

    Signals:
        changed: the choice is another.
    """

    changed = Signal()

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.choice = QComboBox()
        self.choice.addItems(["The class", "The channel"])
        self.choice.setAccessibleName("What is traced back")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(8)
        self.choice.setToolTip("A class's score, or the channel chosen in the grid of the layer chosen in the tree")
        self.unit = QLineEdit()
        self.unit.setAccessibleName("Unit")
        self.unit.setPlaceholderText("whole map, or row, column")
        self.unit.setToolTip("One position of the channel's map, as row and column from 0; empty takes the whole map")
        self.unit.editingFinished.connect(self.changed)
        self.choice.activated.connect(self._on_choice)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        column.addWidget(self.choice)
        column.addWidget(self.unit)
        selection.layer_changed.connect(self._show)
        selection.channel_changed.connect(self._show)
        selection.model_changed.connect(self._show)
        self._show()

    def is_channel(self) -> bool:
        """True if a channel is traced back."""
        return self.choice.currentIndex() == _CHANNEL

    def target(self) -> Target:
        """The channel, and the unit of it; an empty target for the class. Raises `EngineError` for an odd unit."""
        if not self.is_channel() or self._selection.layer is None:
            return Target()
        return Target(self._selection.layer, (self._selection.channel,), unit=self._unit())

    def _unit(self) -> tuple[int, int] | None:
        text = self.unit.text().strip()
        if not text:
            return None
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise EngineError(f"A unit cannot be {text!r}", "Give its row and column from 0, like 3, 5")
        return int(parts[0]), int(parts[1])

    def _on_choice(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        layer = self._selection.layer or "–"
        self.choice.setItemText(_CHANNEL, f"Channel {self._selection.channel} of {layer}")
        self.unit.setVisible(self.is_channel())

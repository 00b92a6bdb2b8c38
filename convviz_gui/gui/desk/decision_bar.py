"""The slim row under the desk: every decision with its key, undo, and export."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from convviz_gui.gui.look.theme import UNIT


class Do(StrEnum):
    """What can be done, by its key."""

    KEEP = "K"
    RELABEL = "R"
    EXCLUDE = "X"
    NOTE = "N"
    UNDECIDE = "U"
    NEXT = "J"
    SWAP = "S"
    MAP = "M"
    UNDO = "Ctrl+Z"
    REDO = "Ctrl+Shift+Z"


_BUTTONS = (
    (Do.KEEP, "Keep", "It is right as it is; of a pair, both are"),
    (Do.RELABEL, "Relabel", "It deserves another label: type to find it, Enter takes the suggestion"),
    (Do.EXCLUDE, "Exclude", "Leave it out of the dataset that is exported; the file stays where it is"),
    (Do.NOTE, "Note", "Write something about it"),
    (Do.UNDECIDE, "Undecide", "Take the decision back; the note stays"),
)


class DecisionBar(QWidget):
    """Buttons for what the keys do.

    Signals:
        wanted: a `Do`.
    """

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[Do, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(UNIT // 2, UNIT // 2, UNIT // 2, UNIT // 2)
        row.setSpacing(0)
        for do, text, tip in _BUTTONS:
            # The key is part of the name: the row is where the keys are learnt.
            row.addWidget(self._button(do, f"{do.value} {text}", f"{tip} ({do.value})", text))
        row.addWidget(
            self._button(Do.UNDO, "↶", "Take the last decision back (Ctrl+Z), also one of another day", "Undo")
        )
        row.addWidget(self._button(Do.REDO, "↷", "Decide again what was taken back (Ctrl+Shift+Z)", "Redo"))
        for do in (Do.UNDO, Do.REDO):
            self.buttons[do].setFixedWidth(4 * UNIT)
        row.addStretch(1)
        self.export = QToolButton()
        self.export.setText("Export ▾")
        self.export.setToolTip("Save the review as a table, as lists of files, or as a cleaned dataset; or import one")
        self.export.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.menu = QMenu(self)
        self.export.setMenu(self.menu)
        row.addWidget(self.export)

    def _button(self, do: Do, text: str, tip: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(name)
        # A click leaves the keyboard where it is, in the list.
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.wanted.emit(do))
        self.buttons[do] = button
        return button

    def set_able(self, *, decide: bool, undo: bool, redo: bool) -> None:
        """Which buttons work."""
        for do, button in self.buttons.items():
            button.setEnabled(undo if do is Do.UNDO else redo if do is Do.REDO else decide)

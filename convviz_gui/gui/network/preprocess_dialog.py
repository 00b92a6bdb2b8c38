"""The dialog that changes how photos are prepared for the open network."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.preprocess_rules import in_words, same_numbers
from convviz_gui.engine.types import ModelInfo, Preprocess
from convviz_gui.gui.forms.preprocess_form import PreprocessForm
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT


class PreprocessDialog(QDialog):
    """Asks for another preprocessing.

    Signals:
        chosen: a `Preprocess`; what was found, as it was found, where the numbers are the same.
    """

    chosen = Signal(object)

    def __init__(self, info: ModelInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preprocessing")
        self.setMinimumWidth(56 * UNIT)
        self._open = info.preprocess
        self._found = info.found_preprocess or info.preprocess
        self.form = PreprocessForm()
        self.note = plain(QLabel(wordWrap=True))
        found = plain(QLabel(f"Found: {in_words(self._found)}" + _from(self._found), wordWrap=True))
        found.setProperty("role", "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Apply | QDialogButtonBox.StandardButton.Cancel)
        self.back = self.buttons.addButton("Back to what was found", QDialogButtonBox.ButtonRole.ResetRole)
        self.apply = self.buttons.button(QDialogButtonBox.StandardButton.Apply)
        self.apply.setProperty("primary", True)
        # Enter in a field means Apply, and nothing where that is not possible.
        for button in self.buttons.buttons():
            button.setAutoDefault(False)  # type: ignore[attr-defined]
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
        outer.setSpacing(2 * UNIT)
        for widget in (found, self.form, self.note):
            outer.addWidget(widget)
        outer.addStretch(1)
        outer.addWidget(self.buttons)
        # Only now: a button that stands in no dialog yet does not become its default.
        self.apply.setDefault(True)
        self.form.changed.connect(self._refresh)
        self.apply.clicked.connect(self._apply)
        self.back.clicked.connect(self._go_back)
        self.buttons.rejected.connect(self.reject)
        self.form.set_preprocess(self._open)
        self.form.take_focus()

    def preprocess(self) -> Preprocess:
        """What the form says, or what was found if that makes the same numbers. Raises `EngineError`."""
        made = self.form.preprocess()
        return next((known for known in (self._found, self._open) if same_numbers(known, made)), made)

    def _refresh(self) -> None:
        problem, made = "", None
        try:
            made = self.preprocess()
        except EngineError as error:
            problem = str(error)
        self.note.setText(problem)
        self.note.setProperty("role", "warning" if problem else "muted")
        self.note.style().polish(self.note)
        self.apply.setEnabled(made is not None and made != self._open)
        self.back.setEnabled(made != self._found)

    def _go_back(self) -> None:
        self.form.set_preprocess(self._found)

    def _apply(self) -> None:
        self.chosen.emit(self.preprocess())
        self.accept()


def _from(preprocess: Preprocess) -> str:
    return f" ({preprocess.source})" if preprocess.source else ""

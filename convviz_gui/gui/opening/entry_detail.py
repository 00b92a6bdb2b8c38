"""The chosen network of the library: its facts, and which weights it is to have."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QLabel, QRadioButton, QVBoxLayout, QWidget

from convviz_gui.engine.types import ModelSpec
from convviz_gui.engine.zoo.index import ModelEntry
from convviz_gui.gui.look import words
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.opening import licences
from convviz_gui.gui.opening.page import WEIGHTS_FILTER, FileField, muted

PUBLISHED, FROM_FILE, RANDOM = range(3)

_CHOICES = (
    (PUBLISHED, "Published", "The weights its authors trained: what you usually want"),
    (FROM_FILE, "From a file", "Weights of this network that you have as a file, of your own training say"),
    (RANDOM, "Random", "Untrained: a control for what the architecture shows by itself"),
)


class EntryDetail(QWidget):
    """Facts of one entry, the choice of weights and what it costs.

    Signals:
        changed: the choice of weights is another.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry: ModelEntry | None = None
        self._here = False
        self._wanted = PUBLISHED
        self.name = QLabel()
        self.name.setProperty("role", "title")
        self.name.setWordWrap(True)
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.RichText)
        self.facts.setFont(numbers_font(self.facts.font()))
        self.weights = QButtonGroup(self)
        self.file = FileField("Weights file", "A .safetensors or .pth file", WEIGHTS_FILTER)
        self.partial = QCheckBox("Load what fits, leave the rest random")
        self.partial.setToolTip("Without this a file that does not fit completely is refused")
        self._lay_out()
        self.weights.idClicked.connect(self._on_choice)
        self.file.changed.connect(self._on_file)
        self.partial.toggled.connect(self.changed)
        self.show_entry(None)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.name)
        column.addWidget(self.facts)
        column.addSpacing(UNIT)
        heading = QLabel("Weights")
        heading.setProperty("role", "section")
        self._choices = QWidget()
        inner = QVBoxLayout(self._choices)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(UNIT // 2)
        inner.addWidget(heading)
        for number, label, tip in _CHOICES:
            button = QRadioButton(label)
            button.setToolTip(tip)
            self.weights.addButton(button, number)
            inner.addWidget(button)
        inner.addWidget(self.file)
        inner.addWidget(self.partial)
        column.addWidget(self._choices)
        self.cost = muted()
        column.addWidget(self.cost)
        column.addStretch(1)

    def show_entry(self, entry: ModelEntry | None, *, here: bool = False) -> None:
        """Show a network; `here`: its published weights are on this machine."""
        self._entry, self._here = entry, here
        self._choices.setVisible(entry is not None and entry.source != "demo")
        if entry is None:
            self.name.setText("No network is chosen")
            self.facts.setText("")
        else:
            self.name.setText(words.breakable(entry.name))
            self.name.setAccessibleName(entry.name)
            self.facts.setText(_facts(entry))
        self._refresh()

    def show_spec(self, spec: ModelSpec) -> None:
        """Start from the weights of a network that was open."""
        self.file.set_text(spec.weights or "")
        self.partial.setChecked(spec.partial)
        published = spec.pretrained or spec.source == "demo"
        self._wanted = FROM_FILE if spec.weights else PUBLISHED if published else RANDOM
        self._refresh()

    def entry_source(self) -> str:
        """The source of the network shown; "" if none is."""
        return self._entry.source if self._entry is not None else ""

    def choice(self) -> int:
        """`PUBLISHED`, `FROM_FILE` or `RANDOM`: what was chosen last, where the network has it."""
        if self._wanted == PUBLISHED and self._entry is not None and not self._entry.pretrained:
            return RANDOM
        return self._wanted

    def spec(self) -> ModelSpec | None:
        """The network with its weights, or None while the file is missing."""
        entry = self._entry
        if entry is None:
            return None
        if entry.source == "demo":
            return ModelSpec()
        match self.choice():
            case n if n == PUBLISHED:
                return ModelSpec(entry.source, pretrained=True)
            case n if n == FROM_FILE:
                if not self.file.text():
                    return None
                weights = str(Path(self.file.text()).expanduser().absolute())
                return ModelSpec(entry.source, weights, partial=self.partial.isChecked())
            case _:
                return ModelSpec(entry.source)

    def _on_choice(self, number: int) -> None:
        self._wanted = number
        self._refresh()
        if number == FROM_FILE:
            self.file.edit.setFocus()
        self.changed.emit()

    def _on_file(self) -> None:
        self._refresh()
        self.changed.emit()

    def _refresh(self) -> None:
        entry, choice = self._entry, self.choice()
        self.weights.button(choice).setChecked(True)
        self.weights.button(PUBLISHED).setEnabled(entry is not None and entry.pretrained)
        self.file.setVisible(choice == FROM_FILE)
        self.partial.setVisible(choice == FROM_FILE)
        self.cost.setText(cost(entry, choice, here=self._here) if entry is not None else "")


def cost(entry: ModelEntry, choice: int, *, here: bool) -> str:
    """What the choice means in bytes and in knowledge."""
    if entry.source == "demo":
        return "A small network trained on drawn things. It comes with the program."
    if choice == FROM_FILE:
        return "Only tensors are read from the file; one that would run code is refused."
    if choice == RANDOM and not entry.pretrained:
        return "No weights are published: random weights only, unless you have a file."
    if choice == RANDOM:
        return "An untrained network: a control for what the architecture shows by itself."
    if here:
        return "Already on this machine: nothing is downloaded."
    if not entry.download:
        return "The weights will be downloaded; how large they are is told when it begins."
    about = "About " if entry.estimated else ""
    return f"{about}{words.download(entry.download)} will be downloaded. It can be stopped, and goes on where it was."


def _facts(entry: ModelEntry) -> str:
    licence = "as ConvViz itself" if entry.source == "demo" else licences.sentence(entry.licence)
    rows = [
        ("Family", entry.family),
        ("Parameters", f"{words.count(entry.params)}" if entry.params else "not known before it is built"),
        ("Input", f"{entry.input_size} × {entry.input_size} pixels" if entry.input_size else "not known"),
        ("Library", entry.library),
        ("Licence", licence),
    ]
    cells = "".join(
        f"<tr><td style='padding-right: 10px'>{escape(label)}</td><td>{escape(value)}</td></tr>"
        for label, value in rows
    )
    return f"<table cellspacing='0' cellpadding='1'>{cells}</table>"

"""The dialog that opens a network: demo, torchvision or timm, with random, saved or downloaded weights."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.types import LoadModel, ModelSpec
from convviz_gui.gui.forms.form import form_layout
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.model_header import device_name

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
"""File names that are taken for weights."""

_KINDS = (("Demo (ToyNet)", "demo"), ("torchvision", "torchvision"), ("timm", "timm"))
_EXAMPLES = {
    "demo": "",
    "torchvision": "for example squeezenet1_0, resnet18, vgg16",
    "timm": "for example resnet18, legacy_xception, convnext_tiny",
}
_RANDOM, _FILE, _PRETRAINED = range(3)


class OpenModelDialog(QDialog):
    """Asks which network to open.

    Signals:
        chosen: a `LoadModel`.
    """

    chosen = Signal(object)

    def __init__(self, devices: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open a network")
        self.setMinimumWidth(56 * UNIT)
        self.kind = QComboBox()
        for title, kind in _KINDS:
            self.kind.addItem(title, kind)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the network")
        self.weights = QButtonGroup(self)
        self.file = QLineEdit()
        self.file.setAccessibleName("Weights file")
        self.file.setPlaceholderText("A .safetensors file, or a .pth state dict")
        self.browse = QPushButton("Browse…")
        self.device = QComboBox()
        self.device.addItem("Automatic", "auto")
        for device in devices:
            self.device.addItem(device_name(device), device)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setProperty("role", "muted")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        page = QWidget()
        rows = form_layout(page)
        rows.addRow("From", self.kind)
        rows.addRow("Name", self.name)
        choices = QWidget()
        column = QVBoxLayout(choices)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT // 2)
        labels = ("Pretrained (downloaded once)", "From a file", "Random")
        for number, label in zip((_PRETRAINED, _FILE, _RANDOM), labels, strict=True):
            button = QRadioButton(label)
            self.weights.addButton(button, number)
            column.addWidget(button)
            if number == _FILE:
                row = QHBoxLayout()
                row.setContentsMargins(3 * UNIT, 0, 0, 0)
                row.addWidget(self.file, 1)
                row.addWidget(self.browse)
                column.addLayout(row)
        self.weights.button(_PRETRAINED).setChecked(True)
        rows.addRow("Weights", choices)
        rows.addRow("Device", self.device)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(2 * UNIT, 2 * UNIT, 2 * UNIT, 2 * UNIT)
        outer.setSpacing(2 * UNIT)
        outer.addWidget(page)
        outer.addWidget(self.note)
        outer.addWidget(self.buttons)

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(self._refresh)
        self.name.textChanged.connect(self._refresh)
        self.file.textChanged.connect(self._on_file)
        self.weights.idToggled.connect(self._refresh)
        self.browse.clicked.connect(self._browse)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)

    def set_weights(self, path: str) -> None:
        """Start from a weights file: what is missing is the network it belongs to."""
        if self.kind.currentData() == "demo":
            self.kind.setCurrentIndex(1)
        self.file.setText(path)
        self.weights.button(_FILE).setChecked(True)
        if not self.name.text():
            self.name.setText(guess_name(path))
        self.name.setFocus()
        self.name.selectAll()

    def set_spec(self, spec: ModelSpec) -> None:
        """Start from a network, the open one say."""
        kind, _, name = spec.source.partition(":")
        self.kind.setCurrentIndex(max(0, self.kind.findData(kind)))
        self.name.setText(name)
        if spec.weights:
            self.file.setText(spec.weights)
        wanted = _FILE if spec.weights else _PRETRAINED if spec.pretrained or kind == "demo" else _RANDOM
        self.weights.button(wanted).setChecked(True)
        self._refresh()

    def command(self) -> LoadModel:
        """What the dialog asks for."""
        kind = self.kind.currentData()
        device = str(self.device.currentData())
        if kind == "demo":
            return LoadModel(ModelSpec(), device)
        chosen = self.weights.checkedId()
        weights = str(Path(self.file.text().strip()).expanduser().absolute()) if chosen == _FILE else None
        return LoadModel(ModelSpec(f"{kind}:{self.name.text().strip()}", weights, chosen == _PRETRAINED), device)

    def missing(self) -> str:
        """What is still needed, in words; "" when the network can be opened."""
        if self.kind.currentData() == "demo":
            return ""
        if not self.name.text().strip():
            return "Write the network's name."
        if self.weights.checkedId() == _FILE and not self.file.text().strip():
            return "Choose the weights file."
        return ""

    def _refresh(self) -> None:
        kind = str(self.kind.currentData())
        demo = kind == "demo"
        self.name.setEnabled(not demo)
        self.name.setPlaceholderText(_EXAMPLES[kind])
        for button in self.weights.buttons():
            button.setEnabled(not demo)
        from_file = self.weights.checkedId() == _FILE and not demo
        self.file.setEnabled(from_file)
        self.browse.setEnabled(not demo)
        self.note.setText(self.missing() or self._promise(demo))
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(not self.missing())

    def _promise(self, demo: bool) -> str:
        if demo:
            return "A small network trained on drawn things. It comes with the program."
        match self.weights.checkedId():
            case n if n == _PRETRAINED:
                return "The library downloads the weights unless it has them already. This can be stopped."
            case n if n == _FILE:
                return "Only tensors are read from the file; one that would run code is refused."
            case _:
                return "An untrained network: a control for what the architecture shows by itself."

    def _on_file(self, text: str) -> None:
        if text:
            self.weights.button(_FILE).setChecked(True)
        self._refresh()

    def _browse(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in WEIGHT_SUFFIXES)
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Open weights", self.file.text(), f"Weights ({patterns});;All files (*)"
        )
        if chosen:
            self.file.setText(chosen)

    def _accept(self) -> None:
        if not self.missing():
            self.chosen.emit(self.command())
            self.accept()


def guess_name(path: str) -> str:
    """The network's name that a weights file's name suggests: "squeezenet1_0-b66bff10.pth" → "squeezenet1_0"."""
    return re.sub(r"[-_.](?:[0-9a-f]{8,}|imagenet|in1k|weights|state_dict|best|final)$", "", Path(path).stem)

"""What network is open: its name, where its weights came from, how big it is and where it runs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.jobs import Progressed
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.look import words
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.selection import Selection


class ModelHeader(QWidget):
    """Name, weights, parameters and device of the open network.

    Signals:
        open_wanted: the user wants another network.
        stop_wanted: the user no longer wants the network being opened.
        device_wanted: name of the device chosen.
    """

    open_wanted = Signal()
    stop_wanted = Signal()
    device_wanted = Signal(str)

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._name = ElidedLabel("Starting…")
        self._name.setProperty("role", "title")
        self._facts = ElidedLabel("The engine is being loaded")
        self._facts.setProperty("role", "muted")
        self._random = QLabel("random weights")
        self._random.setProperty("role", "warning")
        self._random.setToolTip("Nothing has been learned yet: what you see is the architecture's own bias.")
        self._random.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._random.hide()
        self._open = QToolButton()
        self._open.setText("Open…")
        self._open.setToolTip("Open another network (Ctrl+M)")
        self._open.clicked.connect(self._on_open)
        self.devices = QComboBox()
        self.devices.setAccessibleName("Device")
        self.devices.setToolTip("Where the network computes")
        self.devices.activated.connect(self._on_device)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._busy = True
        self._lay_out()
        self.show_busy("Starting…", "The engine is being loaded")
        selection.model_changed.connect(self.refresh)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT)
        column.setSpacing(UNIT // 2)
        first = QHBoxLayout()
        first.addWidget(self._name, 1)
        first.addWidget(self._open)
        second = QHBoxLayout()
        second.addWidget(self._random)
        second.addWidget(self._facts, 1)
        second.addWidget(self.devices)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self._progress)

    def set_devices(self, devices: tuple[str, ...]) -> None:
        """Offer the machine's devices, best first."""
        self.devices.clear()
        for device in devices:
            self.devices.addItem(device_name(device), device)
        self.refresh()

    def show_busy(self, name: str, fact: str) -> None:
        """Tell that a network is being opened; the open one stays usable."""
        self._busy = True
        self._name.setText(name)
        self._facts.setText(fact)
        self._random.hide()
        self._open.setText("Stop")
        self._open.setToolTip("Stop opening this network (the open one stays)")
        self._open.setEnabled(self._selection.model is not None)
        self.devices.setEnabled(False)
        self._progress.setRange(0, 0)
        self._progress.show()

    def show_progress(self, message: Progressed) -> None:
        """Tell how far the opening is."""
        if message.note:
            self._facts.setText(message.note)
        self._progress.setRange(0, message.total)
        self._progress.setValue(message.done)

    def refresh(self) -> None:
        """Show the open network."""
        info = self._selection.model
        self._busy = False
        self._progress.hide()
        self._open.setText("Open…")
        self._open.setToolTip("Open another network (Ctrl+M)")
        self._open.setEnabled(True)
        self.devices.setEnabled(info is not None and self.devices.count() > 1)
        if info is None:
            self._name.setText("No network is open")
            self._facts.setText("Open one to look inside it")
            self._random.hide()
            return
        self._name.setText(info.name)
        self._name.setToolTip(_tooltip(info))
        self._random.setVisible(not info.trained)
        facts = [f"{words.count(info.n_params)} parameters"]
        if info.trained:
            facts.append(info.weights)
        self._facts.setText(" · ".join(facts))
        position = self.devices.findData(info.device)
        if position < 0 and info.device:
            self.devices.addItem(device_name(info.device), info.device)
            position = self.devices.count() - 1
        self.devices.setCurrentIndex(position)

    def _on_open(self) -> None:
        (self.stop_wanted if self._busy else self.open_wanted).emit()

    def _on_device(self) -> None:
        device = self.devices.currentData(Qt.ItemDataRole.UserRole)
        if self._selection.model is not None and device != self._selection.model.device:
            self.device_wanted.emit(device)


def device_name(device: str) -> str:
    """ "cpu" → "CPU", "cuda:1" → "GPU 1", "mps" → "Apple GPU"."""
    kind, _, number = device.partition(":")
    names = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}
    return f"{names.get(kind, kind)} {number}".strip()


def _tooltip(info: ModelInfo) -> str:
    height, width = info.preprocess.size
    lines = [
        info.name,
        info.weights,
        f"{info.n_params:,} parameters, {info.n_classes:,} classes",
        f"Input {width} × {height} pixels, {info.preprocess.interpolation}",
        *([info.preprocess.source] if info.preprocess.source else []),
        *info.notes,
    ]
    return "\n".join(lines)

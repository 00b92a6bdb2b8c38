"""What network is open: its name, its weights, its size, where it runs, and what is odd about it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from convviz_gui.engine.jobs import Progressed
from convviz_gui.engine.types import Level, ModelInfo
from convviz_gui.gui.look import words
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain, tip
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.network.health_panel import draw_mark
from convviz_gui.gui.network.health_words import summary
from convviz_gui.gui.selection import Selection

_RANDOM = "Nothing has been learned yet: what you see is the architecture's own bias."
_PARTIAL = "Only what fits of the file was loaded; the rest of the network is random."
_COARSE = "Forward passes compute in {}: quicker on graphics cards, coarser everywhere. Attributions keep float32."


class ModelHeader(QWidget):
    """Name, weights, parameters, device and health of the open network.

    Signals:
        open_wanted: the user wants another network.
        stop_wanted: the user no longer wants the network being opened.
        device_wanted: name of the device chosen.
        health_wanted: the user wants to read the health report.
    """

    open_wanted = Signal()
    stop_wanted = Signal()
    device_wanted = Signal(str)
    health_wanted = Signal()

    _made = False

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.name = ElidedLabel("Starting…")
        self.name.setProperty("role", "title")
        self.facts = ElidedLabel("The engine is being loaded")
        self.facts.setProperty("role", "muted")
        self.random = _chip("random weights", _RANDOM)
        self.partial = _chip("partial weights", _PARTIAL)
        self.precision = _chip("", "")
        self.open_button = QToolButton()
        self.open_button.clicked.connect(self._on_open)
        self.more = QToolButton()
        self.more.setText("⋯")
        self.more.setAccessibleName("More about the network")
        self.more.setToolTip("Recent networks, preprocessing, class names, health report")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.health = QToolButton()
        self.health.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.health.setObjectName("health")
        self.health.setAccessibleName("Health report")
        self.health.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.health.clicked.connect(self.health_wanted)
        self.devices = QComboBox()
        self.devices.setAccessibleName("Device")
        self.devices.setToolTip("Where the network computes")
        self.devices.activated.connect(self._on_device)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setAccessibleName("How far the opening is")
        self._busy = True
        self._made = True
        self._lay_out()
        self.show_busy("Starting…", "The engine is being loaded")
        selection.model_changed.connect(self.refresh)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, UNIT // 2, UNIT, UNIT)
        column.setSpacing(UNIT // 2)
        first, second, third = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.open_button)
        first.addWidget(self.more)
        for chip in (self.random, self.partial, self.precision):
            second.addWidget(chip)
        second.addWidget(self.facts, 1)
        third.addWidget(self.health)
        third.addStretch(1)
        third.addWidget(self.devices)
        for row in (first, second, third):
            column.addLayout(row)
        column.addWidget(self._progress)

    def set_menu(self, menu: QMenu) -> None:
        """Offer a menu, the window's own, beside the name."""
        self.more.setMenu(menu)

    def set_devices(self, devices: tuple[str, ...]) -> None:
        """Offer the machine's devices, best first."""
        self.devices.clear()
        for device in devices:
            self.devices.addItem(device_name(device), device)
        self.refresh()

    def show_busy(self, name: str, fact: str) -> None:
        """Tell that a network is being opened; the open one stays usable."""
        self._busy = True
        self.name.setText(name)
        self.facts.setText(fact)
        for widget in (self.random, self.partial, self.precision, self.health):
            widget.hide()
        self.open_button.setText("Stop")
        self.open_button.setToolTip("Stop opening this network (the open one stays)")
        self.open_button.setEnabled(self._selection.model is not None)
        self.more.setEnabled(False)
        self.devices.setEnabled(False)
        self._progress.setRange(0, 0)
        self._progress.show()

    def show_progress(self, message: Progressed) -> None:
        """Tell how far the opening is, and how long it will take."""
        left = message.seconds_left
        parts = [f"{message.note[:1].upper()}{message.note[1:]}"] if message.note else []
        if left is not None and left >= 1:
            parts.append(f"{words.duration(round(left))} left")
        if parts:
            self.facts.setText(" · ".join(parts))
        # A download counts bytes, which need not fit into Qt's 32 bits.
        self._progress.setRange(0, _WHOLE if message.total else 0)
        self._progress.setValue(_WHOLE * message.done // message.total if message.total else 0)

    def refresh(self) -> None:
        """Show the open network."""
        info = self._selection.model
        self._busy = False
        self._progress.hide()
        self.open_button.setText("Open…")
        self.open_button.setToolTip("Open another network (Ctrl+M)")
        self.open_button.setEnabled(True)
        self.more.setEnabled(True)
        self.devices.setEnabled(info is not None and self.devices.count() > 1)
        if info is None:
            self.name.setText("No network is open")
            self.facts.setText("Open one to look inside it")
            for widget in (self.random, self.partial, self.precision, self.health):
                widget.hide()
            return
        self.name.setText(info.name)
        self.name.setToolTip(tip(_tooltip(info)))
        self.facts.setText(_facts(info))
        self.facts.setToolTip(tip(_tooltip(info)))
        self.random.setVisible(not info.trained)
        self.partial.setVisible(_is_partial(info))
        self.precision.setText(info.precision)
        self.precision.setToolTip(_COARSE.format(info.precision))
        self.precision.setVisible(info.precision != "float32")
        self._show_health(info)
        self._show_device(info.device)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        super().changeEvent(event)
        # The mark is a picture, made in the colours of its time.
        if event.type() == QEvent.Type.PaletteChange and self._made and self._selection.model is not None:
            self._show_mark(self._selection.model)

    def _show_mark(self, info: ModelInfo) -> None:
        levels = {finding.level for finding in info.health}
        self.health.setIcon(_mark(Level.WARNING if Level.WARNING in levels else Level.HANDLED, self))

    def _show_health(self, info: ModelInfo) -> None:
        text = summary(info)
        self.health.setText(text)
        self.health.setAccessibleName(f"Health report: {text}")
        self.health.setToolTip("What was found on opening, and which methods apply (Ctrl+H)")
        self._show_mark(info)
        self.health.show()

    def _show_device(self, device: str) -> None:
        position = self.devices.findData(device)
        if position < 0 and device:
            self.devices.addItem(device_name(device), device)
            position = self.devices.count() - 1
        self.devices.setCurrentIndex(position)

    def _on_open(self) -> None:
        (self.stop_wanted if self._busy else self.open_wanted).emit()

    def _on_device(self) -> None:
        device = self.devices.currentData(Qt.ItemDataRole.UserRole)
        if self._selection.model is not None and device != self._selection.model.device:
            self.device_wanted.emit(device)


_WHOLE = 1000


def device_name(device: str) -> str:
    """ "cpu" → "CPU", "cuda:1" → "GPU 1", "mps" → "Apple GPU"."""
    kind, _, number = device.partition(":")
    names = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}
    return f"{names.get(kind, kind)} {number}".strip()


def _chip(text: str, tip: str) -> QLabel:
    chip = plain(QLabel(text))
    chip.setProperty("role", "warning")
    chip.setToolTip(tip)
    chip.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    chip.hide()
    return chip


def _mark(level: Level, widget: QWidget) -> QIcon:
    side, ratio = 14, widget.devicePixelRatioF()
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_mark(painter, QRectF(1, 1, side - 2, side - 2), level, widget)
    painter.end()
    return QIcon(pixmap)


def _is_partial(info: ModelInfo) -> bool:
    # Where everything fits after all, nothing was left out and there is nothing to warn of.
    warned = any(finding.kind == "weights" and finding.level is Level.WARNING for finding in info.health)
    return info.spec.partial and warned


def _facts(info: ModelInfo) -> str:
    facts = [f"{words.count(info.n_params)} parameters"]
    if info.trained:
        facts.append(info.weights)
    if info.found_preprocess is not None:
        facts.append("own preprocessing")
    return " · ".join(facts)


def _tooltip(info: ModelInfo) -> str:
    height, width = info.preprocess.size
    names = f"Class names from {Path(info.spec.class_names).name}" if info.spec.class_names else ""
    lines = [
        info.name,
        info.weights,
        f"{info.n_params:,} parameters, {info.n_classes:,} classes",
        f"Input {width} × {height} pixels, {info.preprocess.interpolation}",
        info.preprocess.source,
        "The preprocessing is the one you edited" if info.found_preprocess is not None else "",
        names,
        *info.notes,
    ]
    return "\n".join(line for line in lines if line)

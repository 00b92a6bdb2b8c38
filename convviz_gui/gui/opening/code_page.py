"""The user's own code: a Python file, what in it makes the network, and the word that it may run."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QVBoxLayout, QWidget

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.types import ModelSpec
from convviz_gui.gui.forms.form import form_layout
from convviz_gui.gui.look import words
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.opening.own_code import Factory, OwnCode, read_offer, split_source
from convviz_gui.gui.opening.page import NAMES_FILTER, WEIGHTS_FILTER, FileField, Page, muted, say

SETTLE = 300
"""Milliseconds after the last key before a path that is typed is looked at."""

_HOW = "A Python file with a function or class that makes the network. It is read here, and run only when you say so."


class Trust(Protocol):
    """Which files the user trusts."""

    def trusted(self, path: str) -> str | None:
        """SHA-256 of the file as it was trusted last, or None."""

    def remember_trust(self, path: str, digest: str) -> None:
        """The user trusts the file as it is now."""


class CodePage(Page):
    """File, factory, trust, and optional weights and class names."""

    def __init__(self, trust: Trust, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trust = trust
        self._code: OwnCode | None = None
        self._wanted = ""
        self.file = FileField("Python file", "FILE.py", "Python (*.py);;All files (*)")
        self.state = muted(_HOW)
        self.factory = QComboBox()
        self.factory.setAccessibleName("What makes the network")
        self.factory.setToolTip("Called without arguments; it returns the network (torch.nn.Module)")
        self.identity = QLabel()
        self.identity.setWordWrap(True)
        self.identity.setTextFormat(Qt.TextFormat.PlainText)
        self.identity.setAccessibleName("Path and SHA-256 of the file")
        self.identity.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.identity.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.trusted = QCheckBox("I trust this file: opening it runs its code")
        self.trusted.setToolTip("Code can do everything that you can do on this machine. Trust what you wrote or read.")
        self.weights = FileField("Weights file", "Weights (optional): without them they are random", WEIGHTS_FILTER)
        self.partial = QCheckBox("Load what fits, leave the rest random")
        self.names = FileField("Class names file", "Class names: a text or JSON file (optional)", NAMES_FILTER)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.file)
        column.addWidget(self.state)
        self._rest = QWidget()
        rows = form_layout(self._rest)
        rows.setContentsMargins(0, UNIT, 0, 0)
        rows.addRow("Made by", self.factory)
        rows.addRow("File", self.identity)
        rows.addRow("", self.trusted)
        rows.addRow("Weights", self.weights)
        rows.addRow("", self.partial)
        rows.addRow("Class names", self.names)
        column.addWidget(self._rest)
        column.addStretch(1)

    def _connect(self) -> None:
        self.file.changed.connect(self._on_path)
        self.file.edit.returnPressed.connect(self._on_return)
        self._settle.timeout.connect(self._read)
        self.factory.currentIndexChanged.connect(self.changed)
        self.trusted.toggled.connect(self.changed)
        self.weights.changed.connect(self._on_weights)
        self.partial.toggled.connect(self.changed)
        self.names.changed.connect(self.changed)

    # ---------------------------------------------------------------------------------------- the dialog's side

    def set_file(self, path: str) -> None:
        """Take a file and read it at once."""
        self.file.set_text(path)
        self._read()

    def show_spec(self, spec: ModelSpec) -> None:
        """Start from own code that was open; whether it is still trusted is seen from the file."""
        own = split_source(spec.source)
        if own is None:
            return
        self._wanted = own[1]
        self.weights.set_text(spec.weights or "")
        self.partial.setChecked(spec.partial)
        self.names.set_text(spec.class_names or "")
        self.set_file(own[0])

    def spec(self) -> ModelSpec | None:
        code, factory = self._code, self.chosen()
        if code is None or factory is None or factory.needs or not self.trusted.isChecked():
            return None
        weights = _absolute(self.weights.text())
        partial = weights is not None and self.partial.isChecked()
        names = _absolute(self.names.text())
        return ModelSpec(
            f"{code.path}:{factory.name}", weights, trusted=code.digest, partial=partial, class_names=names
        )

    def note(self) -> str:
        code, factory = self._code, self.chosen()
        if code is None:
            return ""
        if factory is None:
            return "Write a function in the file that returns the network, then choose the file again."
        if factory.needs:
            return f"{factory.name} cannot be called without {', '.join(factory.needs)}: choose what can, or write it."
        return "" if self.trusted.isChecked() else "Tick that you trust the file, if you do."

    def take_focus(self) -> None:
        (self.file.edit if self._code is None else self.trusted).setFocus()

    def remember(self) -> None:
        """The network is being opened: the file as it is now is trusted."""
        if self._code is not None and self.trusted.isChecked():
            self._trust.remember_trust(self._code.path, self._code.digest)

    def chosen(self) -> Factory | None:
        """What makes the network."""
        index = self.factory.currentIndex()
        return self._code.factories[index] if self._code is not None and index >= 0 else None

    # ------------------------------------------------------------------------------------------------ inside

    def _on_path(self) -> None:
        self._code = None
        self._show()
        self._settle.start()

    def _on_return(self) -> None:
        if self._code is None:
            self._read()

    def _on_weights(self) -> None:
        self.partial.setVisible(bool(self.weights.text()))
        self.changed.emit()

    def _read(self) -> None:
        self._settle.stop()
        path = _absolute(self.file.text())
        if path is None:
            return
        self._code = None
        self.weights.near = self.names.near = str(Path(path).parent)
        try:
            self._code = read_offer(Path(path))
        except EngineError as error:
            self._say(str(error), warning=True)
        self._show()

    def _show(self) -> None:
        code = self._code
        self._rest.setVisible(code is not None)
        self.partial.setVisible(bool(self.weights.text()))
        self.factory.clear()
        self.trusted.setChecked(False)
        if code is None:
            if not self.file.text():
                self._say(_HOW)
            self.changed.emit()
            return
        for factory in code.factories:
            self.factory.addItem(_title(factory))
        names = [factory.name for factory in code.factories]
        if self._wanted in names:
            self.factory.setCurrentIndex(names.index(self._wanted))
        self.identity.setText(f"{words.breakable(code.path)}\nSHA-256 {_in_groups(code.digest)}")
        self._show_trust(code)
        self.changed.emit()

    def _show_trust(self, code: OwnCode) -> None:
        before = self._trust.trusted(code.path)
        if not code.factories:
            self._say(
                f"{Path(code.path).name} has no function and no class at its top level that could make a network.",
                warning=True,
            )
        elif before is not None and before != code.digest:
            self._say(
                f"{Path(code.path).name} has changed since you trusted it. Look at it before you do again.",
                warning=True,
            )
        elif before == code.digest:
            self._say("You trusted this file before, and it is unchanged.")
        else:
            self._say(_HOW)
        self.trusted.setChecked(before == code.digest)

    def _say(self, text: str, *, warning: bool = False) -> None:
        say(self.state, text, warning=warning)


def _absolute(text: str) -> str | None:
    return str(Path(text).expanduser().absolute()) if text else None


def _title(factory: Factory) -> str:
    if factory.needs:
        return f"{factory.name} ({factory.kind}, needs {', '.join(factory.needs)})"
    return f"{factory.name} ({factory.kind})"


def _in_groups(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))

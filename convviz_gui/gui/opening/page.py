"""What the sections of the dialog have in common."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from convviz_gui.engine.types import ModelSpec
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.window.window_state import WindowState

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar")
"""File names that are taken for weights."""

WEIGHTS_FILTER = f"Weights ({' '.join(f'*{suffix}' for suffix in WEIGHT_SUFFIXES)});;All files (*)"
NAMES_FILTER = "Class names (*.txt *.json);;All files (*)"


class Page(QWidget):
    """One way to a network.

    Signals:
        changed: what the page asks for is another now.
        submitted: the user wants it opened, by a double-click; Enter is the dialog's.
    """

    changed = Signal()
    submitted = Signal()

    def spec(self) -> ModelSpec | None:
        """What the page asks for; None while something is missing."""
        raise NotImplementedError

    def note(self) -> str:
        """What will happen, or what is still needed, in a sentence."""
        raise NotImplementedError

    def take_focus(self) -> None:
        """Put the cursor where the user begins."""
        raise NotImplementedError


class FileField(QWidget):
    """A path to type or to browse for; while there is none, browsing begins in the folder `near`.

    Signals:
        changed: another path stands in the field.
    """

    changed = Signal()

    def __init__(self, title: str, placeholder: str, kinds: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title, self._kinds = title, kinds
        self.near = ""
        self.edit = QLineEdit()
        self.edit.setAccessibleName(title)
        self.edit.setPlaceholderText(placeholder)
        self.edit.setClearButtonEnabled(True)
        # What is dropped is for the dialog to open.
        self.edit.setAcceptDrops(False)
        self.browse = QPushButton("Browse…")
        self.browse.setAccessibleName(f"Browse for: {title}")
        # Enter in the dialog means Open, wherever the cursor is.
        self.browse.setAutoDefault(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(UNIT)
        row.addWidget(self.edit, 1)
        row.addWidget(self.browse)
        self.setFocusProxy(self.edit)
        self.edit.textChanged.connect(self.changed)
        self.browse.clicked.connect(self.ask)

    def text(self) -> str:
        """The path as it stands, without space around it; "" for none."""
        return self.edit.text().strip()

    def set_text(self, path: str) -> None:
        """Show a path, its end in view."""
        self.edit.setText(path)

    def ask(self) -> None:
        """Let the user choose a file."""
        state = WindowState()
        near = self.text() or self.near or state.folder
        chosen, _ = QFileDialog.getOpenFileName(self, self._title, near, self._kinds)
        if chosen:
            state.remember_folder(chosen)
            self.set_text(chosen)


_WALK = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


class Walker(QObject):
    """The arrows walk a list while a field keeps the cursor."""

    def __init__(self, field: QLineEdit, view: QWidget) -> None:
        super().__init__(field)
        self._view = view
        field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _WALK:
            QApplication.sendEvent(self._view, event)
            return True
        return super().eventFilter(watched, event)


def muted(text: str = "") -> QLabel:
    """A paragraph in the quiet colour."""
    label = plain(QLabel(text))
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label


def say(label: QLabel, text: str, *, warning: bool = False) -> None:
    """Give a paragraph another text, in the colour of a warning if it is one."""
    label.setText(text)
    label.setProperty("role", "warning" if warning else "muted")
    side = UNIT if warning else 0
    label.setContentsMargins(side, side // 4, side, side // 4)
    label.style().unpolish(label)
    label.style().polish(label)

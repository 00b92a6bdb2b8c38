"""What is kept of datasets' features on the disk, told in a sentence, and emptied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QMessageBox

from convviz_gui.engine.errors import Problem, ProblemKind
from convviz_gui.engine.latent import kept_features
from convviz_gui.engine.latent.kept_features import in_words

if TYPE_CHECKING:
    from convviz_gui.gui.main_window import MainWindow

TOPIC = "kept features"


@dataclass(frozen=True, slots=True)
class _Kept:
    """`size` and `limit` in bytes."""

    folder: Path
    size: int
    limit: int


class KeptCommand(QObject):
    """Looks and empties in the loader's threads: the files may lie on a slow disk."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def show(self) -> None:
        """Say how much is kept and where, and offer to empty it."""
        self._window.notices.settle(TOPIC)
        self._window.loader.call(_kept, self._on_kept)

    def _on_kept(self, value: object) -> None:
        if isinstance(value, Problem):
            self._window.notices.tell(TOPIC, value)
        elif isinstance(value, _Kept):
            self._offer(value)

    def _offer(self, kept: _Kept) -> None:
        box = self._box(f"No features are kept in {kept.folder} at the moment.")
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Close))
        if kept.size:
            box.setText(
                f"{in_words(kept.size)} of features are kept in {kept.folder}, of at most {in_words(kept.limit)}."
            )
            box.setInformativeText(
                "With them a dataset that was looked through before opens at once. Nothing of yours is in there."
            )
            empty = box.addButton("Empty…", QMessageBox.ButtonRole.ActionRole)
            empty.clicked.connect(lambda: self._confirm(kept))
        box.open()

    def _confirm(self, kept: _Kept) -> None:
        box = self._box(f"Empty the kept features ({in_words(kept.size)})?")
        box.setInformativeText(
            "What is open stays as it is. Each dataset is computed once more when it is opened next."
        )
        empty = box.addButton("Empty", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        empty.clicked.connect(lambda: self._window.loader.call(_emptied, self._on_emptied))
        box.open()

    def _box(self, text: str) -> QMessageBox:
        box = QMessageBox(self._window)
        box.setWindowTitle("Kept features")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.setText(text)
        box.finished.connect(box.deleteLater)
        return box

    def _on_emptied(self, value: object) -> None:
        if isinstance(value, tuple):
            freed, left = value
            self._window.status.say(f"Freed {in_words(freed)} of kept features.")
            if not left:
                return
            title = f"{in_words(left)} of kept features were not removed"
            value = Problem(
                ProblemKind.USER, title, "A run or another program is using them: try again when it has ended"
            )
        if isinstance(value, Problem):
            self._window.notices.tell(TOPIC, value)


def _kept() -> _Kept:
    return _Kept(kept_features.folder(), kept_features.total_size(), kept_features.limit())


def _emptied() -> tuple[int, int]:
    """(bytes freed, bytes that are left)."""
    return kept_features.clear(), kept_features.total_size()

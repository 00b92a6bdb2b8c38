"""Save…: pictures, numbers and settings of a result, written by the engine into a folder of the user's choice."""

from __future__ import annotations

import itertools
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from convviz_gui.engine.jobs import Failed, Finished
from convviz_gui.engine.types import Export, Exported, Result
from convviz_gui.worker.client import EngineClient
from convviz_gui.worker.mailbox import EXPORT, kind_of


class Saver(QObject):
    """Asks for a folder and runs exports, each in a lane of its own.

    Signals:
        problem: a `Problem`; the result is still there to save.
        saved: an `Exported`.
    """

    problem = Signal(object)
    saved = Signal(object)

    def __init__(self, client: EngineClient, window: QWidget) -> None:
        super().__init__(window)
        self._client = client
        self._window = window
        self._place = Path.home()
        self._numbers = itertools.count(1)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)

    def ask(self, result: Result) -> None:
        """Let the user choose a folder, then write `result` there."""
        folder = self.ask_folder(proposed_name(result))
        if folder is not None:
            self.save(result, folder)

    def ask_folder(self, name: str) -> str | None:
        """Let the user choose where a folder `name` is made; its path, numbered if that is taken, or None."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, f"Save where? A folder {name} is made there", str(self._place)
        )
        if not chosen:
            return None
        self._place = Path(chosen)
        return str(free_name(self._place / name))

    def save(self, result: Result, folder: str) -> None:
        """Write `result` into `folder`."""
        self._client.submit(f"{EXPORT}#{next(self._numbers)}", Export(result, folder))

    def _on_finished(self, message: Finished) -> None:
        if kind_of(message.job.lane) == EXPORT and isinstance(message.outcome, Exported):
            self.saved.emit(message.outcome)

    def _on_failed(self, message: Failed) -> None:
        if message.job is not None and kind_of(message.job.lane) == EXPORT:
            self.problem.emit(message.problem)


def proposed_name(result: Result) -> str:
    """A folder's name that tells what is in it: "grad-cam-squeezenet1_0-block5_relu2"."""
    parts = [result.run.method, result.model.name, result.run.target.layer or ""]
    name = "-".join(part for part in parts if part)
    return "".join(char if char.isalnum() or char in "-_." else "_" for char in name)


def free_name(wanted: Path) -> Path:
    """`wanted`, or with the first number behind it that is not taken."""
    path, number = wanted, 2
    while path.exists():
        path, number = wanted.with_name(f"{wanted.name}-{number}"), number + 1
    return path

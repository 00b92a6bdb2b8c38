"""Asks the engine which networks a weights file may be of, in a lane of its own."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Progressed
from convviz_gui.engine.types import Candidates, Identify
from convviz_gui.worker.client import EngineClient
from convviz_gui.worker.mailbox import IDENTIFY


class Recogniser(QObject):
    """One question at a time: a newer one replaces the older.

    Signals:
        progressed: what is being done, in words.
        found: the `Candidates`.
        failed: a `Problem`.
        stopped: the answer will not come; a network is being opened, say.
    """

    progressed = Signal(str)
    found = Signal(object)
    failed = Signal(object)
    stopped = Signal()

    def __init__(self, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)

    def ask(self, weights: str) -> None:
        """Ask about a file."""
        self._client.submit(IDENTIFY, Identify(weights))

    def stop(self) -> None:
        """The answer is wanted no more."""
        self._client.cancel(IDENTIFY)

    def _on_progressed(self, message: Progressed) -> None:
        if message.job.lane == IDENTIFY and message.note:
            self.progressed.emit(message.note)

    def _on_finished(self, message: Finished) -> None:
        if message.job.lane == IDENTIFY and isinstance(message.outcome, Candidates):
            self.found.emit(message.outcome)

    def _on_failed(self, message: Failed) -> None:
        if message.job is not None and message.job.lane == IDENTIFY:
            self.failed.emit(message.problem)

    def _on_cancelled(self, message: Cancelled) -> None:
        if message.job.lane == IDENTIFY:
            self.stopped.emit()

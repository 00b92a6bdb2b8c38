"""Opens and moves networks in the session lane; a failure leaves the open one as it is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Progressed
from convviz_gui.engine.types import LoadModel, ModelInfo, ModelSpec, MoveModel
from convviz_gui.gui.network.model_header import ModelHeader, device_name
from convviz_gui.gui.selection import Selection
from convviz_gui.worker.client import SESSION_LANE, EngineClient


class ModelOpener(QObject):
    """Joins the model header, the selection and the session lane.

    Signals:
        problem: a `Problem`; the earlier network stays.
        settled: a network was opened.
        restarted: opening came to nothing, and the runs it cancelled should run again.
    """

    problem = Signal(object)
    settled = Signal()
    restarted = Signal()

    def __init__(self, selection: Selection, client: EngineClient, header: ModelHeader, parent: QObject) -> None:
        super().__init__(parent)
        self._selection = selection
        self._client = client
        self._header = header
        header.device_wanted.connect(self.move_to)
        header.stop_wanted.connect(self.stop)
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)

    def open(self, command: LoadModel) -> None:
        """Open a network."""
        self._header.show_busy(_title(command.spec), "Opening…")
        self._client.submit(SESSION_LANE, command)

    def move_to(self, device: str) -> None:
        """Move the open network to another device."""
        if self._selection.model is not None:
            self._header.show_busy(self._selection.model.name, f"Moving to {device_name(device)}…")
            self._client.submit(SESSION_LANE, MoveModel(device))

    def stop(self) -> None:
        """Keep the open network after all."""
        self._client.cancel(SESSION_LANE)

    def _on_progressed(self, message: Progressed) -> None:
        if message.job.lane == SESSION_LANE:
            self._header.show_progress(message)

    def _on_finished(self, message: Finished) -> None:
        if message.job.lane == SESSION_LANE and isinstance(message.outcome, ModelInfo):
            self.settled.emit()
            self._selection.set_model(message.outcome)

    def _on_failed(self, message: Failed) -> None:
        if message.job is not None and message.job.lane == SESSION_LANE:
            self.problem.emit(message.problem)
            self._stay()

    def _on_cancelled(self, message: Cancelled) -> None:
        if message.job.lane == SESSION_LANE:
            self._stay()

    def _stay(self) -> None:
        self._header.refresh()
        self.restarted.emit()


def _title(spec: ModelSpec) -> str:
    return "Demo" if spec.source == "demo" else spec.source.partition(":")[2] or spec.source

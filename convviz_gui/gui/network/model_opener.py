"""Opens and moves networks in the session lane; a failure leaves the open one as it is."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Moved, Progressed
from convviz_gui.engine.types import Amend, LoadModel, ModelInfo, ModelSpec, MoveModel
from convviz_gui.gui.network.model_header import ModelHeader, device_name
from convviz_gui.gui.selection import Selection
from convviz_gui.worker.client import SESSION_LANE, EngineClient


class ModelOpener(QObject):
    """Joins the model header, the selection and the session lane.

    Signals:
        began: a command about to be sent, which cancels what is running.
        problem: a `Problem`; the earlier network stays.
        settled: a network was opened.
        restarted: opening came to nothing, and the runs it cancelled should run again.
        device_failed: a `Problem`; the network is on the CPU now.
    """

    began = Signal(object)
    problem = Signal(object)
    settled = Signal()
    restarted = Signal()
    device_failed = Signal(object)

    def __init__(self, selection: Selection, client: EngineClient, header: ModelHeader, parent: QObject) -> None:
        super().__init__(parent)
        self._selection = selection
        self._client = client
        self._header = header
        self._busy: tuple[str, str] | None = None
        self._last: LoadModel | MoveModel | Amend | None = None
        header.device_wanted.connect(self.move_to)
        header.stop_wanted.connect(self.stop)
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)
        client.moved.connect(self._on_moved)

    def open(self, command: LoadModel) -> None:
        """Open a network."""
        self._submit(command, _title(command.spec), "Opening…")

    def move_to(self, device: str, precision: str | None = None) -> None:
        """Move the open network to another device; without a `precision` it keeps its own."""
        model = self._selection.model
        if model is None:
            return
        wanted = model.precision if precision is None else precision
        fact = f"Moving to {device_name(device)}…" if device != model.device else f"Changing to {wanted}…"
        self._submit(MoveModel(device, wanted), model.name, fact)

    def amend(self, command: Amend) -> None:
        """Give the open network another preprocessing or other class names."""
        if self._selection.model is not None:
            self._submit(command, self._selection.model.name, "Preparing it anew…")

    def retry(self) -> None:
        """Do once more what was asked for last."""
        match self._last:
            case LoadModel() as command:
                self.open(command)
            case MoveModel(device, precision):
                self.move_to(device, precision)
            case Amend() as command:
                self.amend(command)

    def stop(self) -> None:
        """Keep the open network after all."""
        self._client.cancel(SESSION_LANE)

    def _submit(self, command: LoadModel | MoveModel | Amend, name: str, fact: str) -> None:
        self.began.emit(command)
        self._last = command
        self._busy = name, fact
        self._header.show_busy(name, fact)
        self._client.submit(SESSION_LANE, command)

    def _on_progressed(self, message: Progressed) -> None:
        if message.job.lane == SESSION_LANE:
            self._header.show_progress(message)

    def _on_finished(self, message: Finished) -> None:
        if message.job.lane == SESSION_LANE and isinstance(message.outcome, ModelInfo):
            self._busy = None
            self.settled.emit()
            self._selection.set_model(message.outcome)
            self._header.refresh()

    def _on_failed(self, message: Failed) -> None:
        if message.job is not None and message.job.lane == SESSION_LANE:
            self.problem.emit(message.problem)
            self._stay()

    def _on_cancelled(self, message: Cancelled) -> None:
        if message.job.lane == SESSION_LANE:
            self._stay()

    def _on_moved(self, message: Moved) -> None:
        """A device failed: the network that was there is on the CPU, and the device is no longer offered."""
        if message.info is not None:
            self._selection.set_model(message.info)
        # Afterwards: the header offers the open network's own device in any case.
        self._header.set_devices(message.devices)
        if self._busy is not None:
            self._header.show_busy(*self._busy)
        self.device_failed.emit(message.problem)

    def _stay(self) -> None:
        self._busy = None
        self._header.refresh()
        self.restarted.emit()


def _title(spec: ModelSpec) -> str:
    return "Demo" if spec.source == "demo" else spec.source.partition(":")[2] or spec.source

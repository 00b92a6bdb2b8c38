"""Keeps the predictions and the depth chart of the current photo up to date."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Failed, Finished
from convviz_gui.engine.payloads import Overview
from convviz_gui.engine.types import Result, Run
from convviz_gui.gui.selection import Selection
from convviz_gui.worker.client import EngineClient

OVERVIEW = "overview"
"""The method's name and its lane's."""


class OverviewLane(QObject):
    """Runs the overview whenever photo or model change.

    Signals:
        problem: a `Problem`.
        settled: an overview came through.
    """

    problem = Signal(object)
    settled = Signal()

    def __init__(self, selection: Selection, client: EngineClient, parent: QObject) -> None:
        super().__init__(parent)
        self._selection = selection
        self._client = client
        self._precision = "float32"
        selection.model_changed.connect(self.run)
        selection.place_changed.connect(self._on_place)
        selection.image_changed.connect(self.run)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)

    def run(self) -> None:
        """Ask for the overview of what is chosen now."""
        if self._selection.model is not None and self._selection.image is not None:
            self._client.submit(OVERVIEW, Run(OVERVIEW, image=self._selection.image))

    def _on_place(self) -> None:
        # What another device said is the same to rounding; what another precision said is not.
        if self._selection.overview is None or self._precision not in ("float32", self._model_precision()):
            self.run()

    def _model_precision(self) -> str:
        return self._selection.model.precision if self._selection.model is not None else "float32"

    def _on_finished(self, message: Finished) -> None:
        result = message.outcome
        if message.job.lane != OVERVIEW or not isinstance(result, Result) or not isinstance(result.payload, Overview):
            return
        if result.run.image is self._selection.image and result.model is self._selection.model:
            self._precision = result.precision
            self._selection.set_overview(result.payload)
            self.settled.emit()

    def _on_failed(self, message: Failed) -> None:
        if message.job is not None and message.job.lane == OVERVIEW:
            self.problem.emit(message.problem)

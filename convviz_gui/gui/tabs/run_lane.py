"""The runs of a tab in the engine: at most one is under way, and a newer one takes its place."""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Job, Progressed, Started
from convviz_gui.engine.types import Result, Run
from convviz_gui.gui.selection import Selection
from convviz_gui.worker.client import EngineClient


class RunLane(QObject):
    """Submits runs, and tells what comes of them; nothing of a network that is not open any more.

    Signals:
        started: the engine begins with the `Run`.
        progressed: `Progressed` of the run under way.
        finished: (its `Result`, the `Run` that was under way or None if it had been given up).
        stopped: (the `Run`, a `Result` of what there was or None).
        failed: (the `Run`, a `Problem`).
    """

    started = Signal(object)
    progressed = Signal(object)
    finished = Signal(object, object)
    stopped = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, name: str, selection: Selection, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._selection = selection
        self._client = client
        self._running: Run | None = None
        self._began = 0.0
        client.started.connect(self._on_started)
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)

    @property
    def running(self) -> Run | None:
        """The run under way or waiting; None by the time its end is told."""
        return self._running

    def submit(self, run: Run) -> None:
        """Run this, in place of what is under way."""
        self._running = run
        self._began = time.monotonic()
        self._client.submit(self.name, run)

    def stop(self) -> None:
        """Stop the run under way; what there is of it is told."""
        self._client.cancel(self.name)

    def give_up(self) -> None:
        """Drop the run under way, picture so far included."""
        self._running = None
        self._client.cancel(self.name)

    def _mine(self, job: Job | None) -> Run | None:
        """The run under way if the message is about this lane: one that was given up may still fail, say."""
        return self._running if job is not None and job.lane == self.name else None

    def _on_started(self, message: Started) -> None:
        if (run := self._mine(message.job)) is not None:
            self.started.emit(run)

    def _on_progressed(self, message: Progressed) -> None:
        if self._mine(message.job) is not None:
            self.progressed.emit(message)

    def _on_finished(self, message: Finished) -> None:
        result = message.outcome
        # What is finished counts, asked for or not.
        if message.job.lane == self.name and isinstance(result, Result) and result.model is self._selection.model:
            run, self._running = self._running, None
            self.finished.emit(result, run)

    def _on_cancelled(self, message: Cancelled) -> None:
        if (run := self._mine(message.job)) is None:
            return
        self._running = None
        model, partial = self._selection.model, None
        if message.partial is not None and model is not None:
            partial = Result(run, message.partial, run.settings, model, time.monotonic() - self._began)
        self.stopped.emit(run, partial)

    def _on_failed(self, message: Failed) -> None:
        if (run := self._mine(message.job)) is not None:
            self._running = None
            self.failed.emit(run, message.problem)

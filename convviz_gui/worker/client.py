"""The window's side of the engine: submit commands, receive what is still wanted."""

from __future__ import annotations

import itertools
import time
from typing import assert_never

from PySide6.QtCore import QObject, Qt, Signal, Slot

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Job, Message, Moved, Progressed, Ready, Started
from convviz_gui.engine.types import Command
from convviz_gui.worker.mailbox import Inbox, never_started
from convviz_gui.worker.thread import EngineThread

DEAR = 0.005
"""Seconds of the window's thread from which on a picture of a run is dear to show."""
PAUSE = 2.0
"""Seconds until the next one where pictures are dear: tables and walls of tiles."""
SESSION_LANE = "session"
"""Loading or moving the model: cancels every lane but exports, since their results would belong to the old model."""


class EngineClient(QObject):
    """Runs commands on the engine thread and delivers their messages in the GUI thread.

    A newer command of a lane replaces the older one, computation and delivery: no message of a replaced job is ever
    delivered, except that a device failed, whatever became of the job that came upon it. Signals carry the
    `engine.jobs` message (`ready` the `Catalogue`).
    """

    ready = Signal(object)
    started = Signal(object)
    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal(object)
    moved = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids = itertools.count(1)
        self._newest: dict[str, int] = {}
        self._inbox = Inbox()
        self._thread = EngineThread(self._inbox, self)
        self._thread.setObjectName("engine")
        self._thread.wake.connect(self._drain, Qt.ConnectionType.QueuedConnection)

    def start(self) -> None:
        """Start the engine; commands submitted before are kept for it."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel everything, and wait for the step under way and for exports to end."""
        self._inbox.close()
        self._newest.clear()
        self._thread.wait()

    def submit(self, lane: str, command: Command) -> int:
        """Run a command in a lane; returns the job's id."""
        job = Job(next(self._ids), lane, command)
        self._newest[lane] = job.id
        for message in never_started(self._inbox.put(job, alone=lane == SESSION_LANE)):
            self._deliver(message)
        return job.id

    def cancel(self, lane: str) -> None:
        """Stop a lane's job; it answers with `cancelled` and the picture so far."""
        for message in never_started(self._inbox.cancel(lane)):
            self._deliver(message)

    @Slot()
    def _drain(self) -> None:
        for message in self._thread.outbox.drain():
            self._deliver(message)

    def _deliver(self, message: Message) -> None:
        replaceable = None if isinstance(message, (Ready, Moved)) else message.job
        if replaceable is not None and self._newest.get(replaceable.lane) != replaceable.id:
            return
        match message:
            case Ready():
                self.ready.emit(message.catalogue)
            case Started():
                self.started.emit(message)
            case Progressed():
                began = time.perf_counter()
                self.progressed.emit(message)
                # Painting comes on top of it, so that one in a hundred ticks of the window is all it may take.
                if message.preview is not None and time.perf_counter() - began > DEAR:
                    self._thread.outbox.rest(PAUSE)
            case Finished():
                self.finished.emit(message)
            case Failed():
                self.failed.emit(message)
            case Cancelled():
                self.cancelled.emit(message)
            case Moved():
                self.moved.emit(message)
            case _:
                assert_never(message)

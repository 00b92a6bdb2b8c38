"""What a view wants done about the result on screen, besides runs: one after the other, in a lane of its own."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.jobs import Cancelled, Failed, Finished, Job, Progressed
from convviz_gui.engine.types import Nearest
from convviz_gui.gui.views.base import Errand
from convviz_gui.worker.client import EngineClient

LANE = "errand"
"""Of a tab's errands: "errand#latent space". A run of the tab must not replace them, nor they it."""


class Errands(QObject):
    """A queue of commands.

    Signals:
        began: the queue is at work.
        progressed: `Progressed` of the errand under way.
        done: (errand, its outcome).
        given_up: (errand, `Problem` or None); it failed, or was stopped and with it what waited behind it.
        ended: nothing is to be done any more.
    """

    began = Signal()
    progressed = Signal(object)
    done = Signal(object, object)
    given_up = Signal(object, object)
    ended = Signal()

    def __init__(self, tab: str, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lane = f"{LANE}#{tab}"
        self._client = client
        self._waiting: deque[Errand] = deque()
        self._now: Errand | None = None
        client.progressed.connect(self._on_progressed)
        client.finished.connect(self._on_finished)
        client.failed.connect(self._on_failed)
        client.cancelled.connect(self._on_cancelled)

    @property
    def busy(self) -> bool:
        """True while an errand is under way."""
        return self._now is not None

    def send(self, errand: Errand) -> None:
        """Do this after what is to be done already; of questions for neighbours, only the last is answered."""
        if isinstance(errand, Nearest):
            self._waiting = deque(other for other in self._waiting if not isinstance(other, Nearest))
        self._waiting.append(errand)
        if isinstance(errand, Nearest) and isinstance(self._now, Nearest):
            # The newer command takes the place of the older one in the lane.
            self._next()
        if self._now is None:
            self.began.emit()
            self._next()

    def stop(self) -> None:
        """Drop what waits and stop what is under way."""
        self._waiting.clear()
        if self._now is not None:
            self._client.cancel(self.lane)

    def _next(self) -> None:
        if not self._waiting:
            self.ended.emit()
            return
        self._now = self._waiting.popleft()
        self._client.submit(self.lane, self._now)

    def _mine(self, job: Job | None) -> Errand | None:
        """The errand under way if this job is it."""
        return self._now if job is not None and job.lane == self.lane and job.command is self._now else None

    def _on_progressed(self, message: Progressed) -> None:
        if self._mine(message.job) is not None:
            self.progressed.emit(message)

    def _on_finished(self, message: Finished) -> None:
        if (errand := self._mine(message.job)) is not None:
            self._now = None
            self.done.emit(errand, message.outcome)
            if self._now is None:
                self._next()

    def _on_failed(self, message: Failed) -> None:
        if (errand := self._mine(message.job)) is not None:
            self._give_up(errand, message.problem)

    def _on_cancelled(self, message: Cancelled) -> None:
        if (errand := self._mine(message.job)) is not None:
            self._give_up(errand, None)

    def _give_up(self, errand: Errand, problem: object) -> None:
        self._now = None
        if problem is None:
            self._waiting.clear()
        self.given_up.emit(errand, problem)
        if self._now is None:
            self._next()

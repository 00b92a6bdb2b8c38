"""The two boxes between the window and the engine thread. Standard library only; every method is thread-safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from convviz_gui.engine.jobs import Cancelled, Job, Message, Progressed

EXPORT = "export"
"""Saving needs no model and must not be lost: a new model does not cancel it, and it is done before the end.

Each export has a lane of its own, "export#1", so that none replaces another.
"""

IDENTIFY = "identify"
"""Which networks a weights file may be of: needs no model either, and is answered while one is at work."""


def kind_of(lane: str) -> str:
    """What a lane is for: "export" of "export#3", "activations" of "activations"."""
    return lane.partition("#")[0]


class Inbox:
    """Jobs on their way to the engine. A newer job of a lane replaces the pending one and cancels the running one."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._pending: dict[str, Job] = {}
        self._running: list[Job] = []
        self._closed = False

    def put(self, job: Job, *, alone: bool = False) -> list[Job]:
        """Queue a job; `alone` also cancels every lane but exports. Returns the pending jobs that will never start."""
        with self._condition:
            lanes = {*self._pending, *(running.lane for running in self._running)} if alone else {job.lane}
            lanes = {lane for lane in lanes if kind_of(lane) != EXPORT}
            dropped = self._cancel(lanes)
            self._pending[job.lane] = job
            self._condition.notify_all()
            return dropped

    def cancel(self, lane: str) -> list[Job]:
        """Cancel a lane's pending and running jobs. Returns the pending ones, which will never start."""
        with self._condition:
            return self._cancel({lane})

    def _cancel(self, lanes: Collection[str]) -> list[Job]:
        for running in self._running:
            if running.lane in lanes:
                running.cancelled.set()
        return [self._pending.pop(lane) for lane in lanes if lane in self._pending]

    def take(self) -> Job | None:
        """The oldest pending job, waiting for one; None once the box is closed and all exports are done."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._pending)
            return self._start(next(iter(self._pending))) if self._pending else None

    def take_urgent(self, wanted: Callable[[Job], bool]) -> Job | None:
        """The oldest pending job that is `wanted`, or None at once."""
        with self._condition:
            lane = next((lane for lane, job in self._pending.items() if wanted(job)), None)
            return None if lane is None or self._closed else self._start(lane)

    def _start(self, lane: str) -> Job:
        job = self._pending.pop(lane)
        self._running.append(job)
        return job

    def done(self, job: Job) -> None:
        """Tell that a job that was taken has ended."""
        with self._condition:
            self._running.remove(job)

    def close(self) -> None:
        """Cancel everything but exports; after the last of these `take` returns None."""
        with self._condition:
            self._closed = True
            for job in (*self._pending.values(), *self._running):
                if kind_of(job.lane) != EXPORT:
                    job.cancelled.set()
            self._pending = {lane: job for lane, job in self._pending.items() if kind_of(lane) == EXPORT}
            self._condition.notify_all()


class Outbox:
    """Messages on their way to the window: progress merges into the newest, everything else is kept in order.

    `wake` is called, on the sender's thread, when the box stops being empty.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._lock = threading.Lock()
        self._wake = wake
        self._messages: list[Message] = []
        self._rest_until = 0.0

    def send(self, message: Message) -> None:
        """Take a message."""
        with self._lock:
            was_empty = not self._messages
            if isinstance(message, Progressed):
                message = self._merged(message)
            self._messages.append(message)
        if was_empty:
            self._wake()

    def _merged(self, message: Progressed) -> Progressed:
        for index, older in enumerate(self._messages):
            if isinstance(older, Progressed) and older.job is message.job:
                del self._messages[index]
                if message.preview is not None or older.preview is None:
                    return message
                return Progressed(
                    message.job, message.done, message.total, message.note, message.seconds_left, older.preview
                )
        return message

    def wants_preview(self) -> bool:
        """True if no preview waits to be delivered, and the window had its rest after the last one."""
        with self._lock:
            if time.monotonic() < self._rest_until:
                return False
            return not any(isinstance(item, Progressed) and item.preview is not None for item in self._messages)

    def rest(self, seconds: float) -> None:
        """Want no preview for a while: showing the last one has cost the window its breath."""
        with self._lock:
            self._rest_until = time.monotonic() + seconds

    def drain(self) -> list[Message]:
        """All messages, oldest first; the box is empty afterwards."""
        with self._lock:
            messages, self._messages = self._messages, []
            return messages


def never_started(jobs: list[Job]) -> list[Message]:
    """What to tell of jobs that were replaced before they began."""
    return [Cancelled(job) for job in jobs]

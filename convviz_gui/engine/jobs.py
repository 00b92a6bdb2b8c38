"""A job: one command on its way through a session, and the messages it sends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from convviz_gui.engine.errors import Problem, problem_from
from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import Catalogue, Command, Outcome

if TYPE_CHECKING:
    from convviz_gui.engine.session import Session

PREVIEW_INTERVAL = 0.033
"""Seconds between previews: faster than a screen shows them costs the run time and the window its breath."""


@dataclass(frozen=True, slots=True)
class Job:
    """A command with its lane (a newer job of the lane replaces it) and an identity no other job has."""

    id: int
    lane: str
    command: Command
    cancelled: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine is up (torch is imported)."""

    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Started:
    """The job's first step is about to be taken."""

    job: Job


@dataclass(frozen=True, slots=True)
class Progressed:
    """`seconds_left` is None until it can be told; `preview` is None unless one was asked for."""

    job: Job
    done: int
    total: int
    note: str = ""
    seconds_left: float | None = None
    preview: Payload | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The job is done."""

    job: Job
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended in an error. `problem` is text only. With job None the engine itself could not start."""

    job: Job | None
    problem: Problem


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job was stopped. `partial` is the last picture it could make, if any."""

    job: Job
    partial: Payload | None = None


Message = Ready | Started | Progressed | Finished | Failed | Cancelled


class Sink(Protocol):
    """Where a job's messages go."""

    def send(self, message: Message) -> None:
        """Take a message; must not block."""

    def wants_preview(self) -> bool:
        """True if the last preview has been shown, so that a new one would be seen."""


def run_job(session: Session, job: Job, sink: Sink, breathe: Callable[[], None] = lambda: None) -> None:
    """Take a job through all its steps, sending messages; never raises.

    `breathe` is called between steps: the worker runs more urgent jobs there (docs/adr/0003).
    """
    if job.cancelled.is_set():
        sink.send(Cancelled(job))
        return
    sink.send(Started(job))
    try:
        sink.send(_drive(session, job, sink, breathe))
    except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
        sink.send(Failed(job, problem_from(error)))


def _drive(session: Session, job: Job, sink: Sink, breathe: Callable[[], None]) -> Message:
    steps = session.execute(job.command)
    began = time.monotonic()
    shown, pause = began, PREVIEW_INTERVAL
    try:
        while True:
            update = next(steps)
            now = time.monotonic()
            preview = None
            if job.cancelled.is_set():
                return Cancelled(job, update.preview() if update.preview else None)
            if update.preview and now - shown >= pause and sink.wants_preview():
                preview, shown = update.preview(), time.monotonic()
                # However dear a picture is (of 2,048 filters, say), all of them take a tenth of the run at most.
                pause = max(PREVIEW_INTERVAL, 9 * (shown - now))
            left = _seconds_left(update.done, update.total, now - began)
            sink.send(Progressed(job, update.done, update.total, update.note, left, preview))
            breathe()
            if job.cancelled.is_set():
                return Cancelled(job, update.preview() if update.preview else None)
    except StopIteration as stop:
        return Finished(job, stop.value)
    finally:
        steps.close()


def _seconds_left(done: int, total: int, elapsed: float) -> float | None:
    if done <= 0 or total <= 0:
        return None
    return elapsed * max(total - done, 0) / done

"""A job: one command on its way through a session, and the messages it sends."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from convviz_gui.engine.errors import Problem, problem_from
from convviz_gui.engine.faults import Fault, FaultKind, fault_of, forget
from convviz_gui.engine.payloads import Payload
from convviz_gui.engine.types import Catalogue, Command, LoadModel, ModelInfo, MoveModel, Outcome

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


@dataclass(frozen=True, slots=True)
class Moved:
    """A device failed in the middle of a job, which is run again on the CPU; its own end follows.

    Args:
        job: the job that came upon it.
        problem: what failed.
        info: the open network as it is now, or None if none was open there.
        devices: what can still be chosen, best first.
    """

    job: Job
    problem: Problem
    info: ModelInfo | None
    devices: tuple[str, ...]


Message = Ready | Started | Progressed | Finished | Failed | Cancelled | Moved


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
    sink.send(_done(session, job, sink, breathe))


def _done(session: Session, job: Job, sink: Sink, breathe: Callable[[], None]) -> Message:
    """Drive the job to its end. One that its device fails under is driven again, on the CPU."""
    command = job.command
    while True:
        lost = session.lost_devices()
        try:
            return _drive(session, job, command, sink, breathe)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - the boundary; a network's code may raise anything
            fault, problem = fault_of(error), problem_from(error)
            forget(error)
        # Only here is the error gone, and with it the last hold on what the job was working on.
        if fault is None or fault.kind is FaultKind.UNSUPPORTED:
            return Failed(job, problem)
        if fault.kind is FaultKind.MEMORY:
            session.free_memory()
            return Failed(job, problem)
        if fault.device in lost:
            return Failed(job, problem)
        _move_off(session, job, fault, problem, sink)
        if job.cancelled.is_set():
            return Cancelled(job)
        command = _elsewhere(command, fault.device)


def _move_off(session: Session, job: Job, fault: Fault, problem: Problem, sink: Sink) -> None:
    """Give a device up, unless another job that ran in between did."""
    if fault.device not in session.lost_devices():
        info = session.give_up(fault.device, problem)
        sink.send(Moved(job, problem, info, session.devices_left()))


def _elsewhere(command: Command, kind: str) -> Command:
    """The same command; one that names a device of that kind names the CPU instead."""
    if isinstance(command, (LoadModel, MoveModel)) and command.device.partition(":")[0] == kind:
        return dataclasses.replace(command, device="cpu")
    return command


def _drive(session: Session, job: Job, command: Command, sink: Sink, breathe: Callable[[], None]) -> Message:
    steps = session.execute(command)
    pace = _Pace(time.monotonic())
    shown, pause = pace.since, PREVIEW_INTERVAL
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
            left = pace.seconds_left(update.done, update.total, now)
            sink.send(Progressed(job, update.done, update.total, update.note, left, preview))
            breathe()
            if job.cancelled.is_set():
                return Cancelled(job, update.preview() if update.preview else None)
    except StopIteration as stop:
        return Finished(job, stop.value)
    finally:
        steps.close()


class _Pace:
    """How fast a job goes, as its present total tells: a download that is taken up again begins with much done."""

    def __init__(self, since: float) -> None:
        self.since = since
        self._before = 0
        self._total: int | None = None

    def seconds_left(self, done: int, total: int, now: float) -> float | None:
        """Seconds until all is done, or None while it cannot be told."""
        if self._total not in (None, total):
            self.since, self._before = now, done
        self._total = total
        if total <= 0 or done <= self._before:
            return None
        return (now - self.since) * max(total - done, 0) / (done - self._before)

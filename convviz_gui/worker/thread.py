"""The engine thread: owns the session and lets urgent jobs in between the steps of long ones."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from convviz_gui.engine.errors import problem_from
from convviz_gui.engine.jobs import Failed, Job, Ready, run_job
from convviz_gui.engine.types import Catalogue, Run
from convviz_gui.worker.mailbox import EXPORT, IDENTIFY, Inbox, Outbox, kind_of

if TYPE_CHECKING:
    from convviz_gui.engine.session import Session

LIVE = "live"
URGENT = frozenset({LIVE, EXPORT})
"""Kinds of short jobs that somebody looks at right now; they run between two steps of a long one."""
NICENESS = 5


class EngineThread(QThread):
    """Runs jobs from `inbox` and puts their messages into `outbox`; `wake` says that there are some."""

    wake = Signal()

    def __init__(self, inbox: Inbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inbox = inbox
        self._live: frozenset[str] = frozenset()
        self.outbox = Outbox(self.wake.emit)

    def run(self) -> None:
        """Import torch, say what there is, then work until the inbox is closed."""
        _be_nice()
        try:
            session, catalogue = _bring_up()
        except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
            self.outbox.send(Failed(None, problem_from(error)))
            return
        self._live = frozenset(info.name for info in catalogue.methods if info.live)
        self.outbox.send(Ready(catalogue))
        while (job := self._inbox.take()) is not None:
            self._do(session, job, _guests(self._kind(job)))

    def _do(self, session: Session, job: Job, welcome: frozenset[str]) -> None:
        def breathe() -> None:
            while (guest := self._inbox.take_urgent(lambda job: self._kind(job) in welcome)) is not None:
                # Whom the host keeps waiting does not come in by way of its guest.
                self._do(session, guest, welcome & _guests(self._kind(guest)))

        try:
            run_job(session, job, self.outbox, breathe)
        finally:
            self._inbox.done(job)

    def _kind(self, job: Job) -> str:
        """What a job counts as: LIVE for a method that runs by itself, else what its lane is for."""
        if isinstance(job.command, Run) and job.command.method in self._live:
            return LIVE
        return kind_of(job.lane)


def _guests(host: str) -> frozenset[str]:
    """Kinds of jobs that may run between two steps of one of the kind `host`."""
    if host == "session":
        # The others are for the network that is being opened.
        return frozenset({EXPORT, IDENTIFY})
    if host in URGENT:
        return frozenset()
    # A file is looked at for seconds: not too long for a run to wait, but for a click on a layer.
    return URGENT if host == IDENTIFY else URGENT | {IDENTIFY}


def _bring_up() -> tuple[Session, Catalogue]:
    # Imported here because torch takes seconds and the window must not wait for it.
    from convviz_gui.engine import devices
    from convviz_gui.engine.method import methods
    from convviz_gui.engine.session import Session

    infos = tuple(method.info() for method in methods().values())
    return Session(), Catalogue(infos, devices.available(), devices.unusable())


def _be_nice() -> None:
    # The window's thread goes first when both want the same core. Threads that torch starts inherit this.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

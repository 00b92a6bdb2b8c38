"""The engine thread: owns the session and lets urgent jobs in between the steps of long ones."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from convviz_gui.engine.errors import problem_from
from convviz_gui.engine.jobs import Failed, Job, Ready, run_job
from convviz_gui.engine.types import Catalogue
from convviz_gui.worker.mailbox import EXPORT, IDENTIFY, Inbox, Outbox, kind_of

if TYPE_CHECKING:
    from convviz_gui.engine.session import Session

URGENT = frozenset({"overview", "activations", "class map", EXPORT})
"""Lanes of short jobs that somebody looks at right now; they run between two steps of a long one."""
NICENESS = 5


class EngineThread(QThread):
    """Runs jobs from `inbox` and puts their messages into `outbox`; `wake` says that there are some."""

    wake = Signal()

    def __init__(self, inbox: Inbox, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inbox = inbox
        self.outbox = Outbox(self.wake.emit)

    def run(self) -> None:
        """Import torch, say what there is, then work until the inbox is closed."""
        _be_nice()
        try:
            session, catalogue = _bring_up()
        except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
            self.outbox.send(Failed(None, problem_from(error)))
            return
        self.outbox.send(Ready(catalogue))
        while (job := self._inbox.take()) is not None:
            self._do(session, job, _guests(job.lane))

    def _do(self, session: Session, job: Job, welcome: frozenset[str]) -> None:
        def breathe() -> None:
            while (guest := self._inbox.take_urgent(welcome)) is not None:
                # Whom the host keeps waiting does not come in by way of its guest.
                self._do(session, guest, welcome & _guests(guest.lane))

        try:
            run_job(session, job, self.outbox, breathe)
        finally:
            self._inbox.done(job)


def _guests(host: str) -> frozenset[str]:
    """Lanes that may run between two steps of a job in the lane `host`."""
    if host == "session":
        # The others are for the network that is being opened.
        return frozenset({EXPORT, IDENTIFY})
    if kind_of(host) in URGENT:
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

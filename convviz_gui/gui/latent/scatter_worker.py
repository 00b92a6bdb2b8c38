"""A thread for what the map works out beside the window: pictures of many points, an index, selections."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot


@dataclass(frozen=True, slots=True)
class _Done:
    then: Callable[[Any], None]
    result: Any
    error: Exception | None


class ScatterWorker(QObject):
    """Does one thing after another; of several of a kind that wait only the newest."""

    _wake = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._wake.connect(self._collect, Qt.ConnectionType.QueuedConnection)
        self._thread = _Thread(self._wake.emit)
        # A widget inside a window gets no close event; the thread must end all the same.
        self.destroyed.connect(self._thread.close)
        if app := QCoreApplication.instance():
            app.aboutToQuit.connect(self.close)

    def ask(self, kind: str, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Have `work` done in the thread and `then` called with its result in this one, unless asked anew before."""
        self._thread.want(kind, work, then)

    def forget(self, kind: str) -> None:
        """Do not do it, or do not tell what came of it."""
        self._thread.forget(kind)

    def busy(self) -> bool:
        """True while anything waits, is being done, or has not been told."""
        return self._thread.busy()

    @Slot()
    def close(self) -> None:
        """Forget what waits and wait for what runs; nothing is told afterwards."""
        self._thread.close()

    @Slot()
    def _collect(self) -> None:
        while (done := self._thread.take()) is not None:
            if done.error is not None:
                raise done.error
            done.then(done.result)


class _Thread:
    """The thread's side: wishes in, results out, `notify` called (in the thread) when there are some."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, tuple[int, Callable[[], Any], Callable[[Any], None]]] = OrderedDict()
        self._made: list[tuple[str, int, _Done]] = []
        self._newest: dict[str, int] = {}
        self._number = 0
        self._running = False
        self._closed = False
        # Not a QThreadPool: at exit Qt would wait for threads that wait for Python's lock, which the exit holds.
        self._pool: ThreadPoolExecutor | None = None

    def want(self, kind: str, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        with self._lock:
            if self._closed:
                return
            self._number += 1
            self._newest[kind] = self._number
            # A wish keeps its place in the queue: one that is made anew all the time must not wait for ever.
            self._waiting[kind] = (self._number, work, then)
            if not self._running:
                self._running = True
                self._pool = self._pool or ThreadPoolExecutor(1, "scatter")
                self._pool.submit(self._work)

    def forget(self, kind: str) -> None:
        with self._lock:
            self._waiting.pop(kind, None)
            self._newest.pop(kind, None)

    def busy(self) -> bool:
        with self._lock:
            return self._running or bool(self._waiting or self._made)

    def take(self) -> _Done | None:
        with self._lock:
            while self._made:
                kind, number, done = self._made.pop(0)
                # A picture that was asked for again is shown all the same, or none would be while the view moves.
                if number <= self._newest.get(kind, 0):
                    return done
        return None

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._waiting.clear()
            self._made.clear()
        if self._pool is not None:
            self._pool.shutdown()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._running = False
                    return
                kind, (number, work, then) = self._waiting.popitem(last=False)
            result, error = None, None
            try:
                result = work()
            except Exception as problem:  # noqa: BLE001
                error = problem
            # Inside the lock: after `close` has had it, the object behind `notify` may be gone.
            with self._lock:
                if not self._closed:
                    self._made.append((kind, number, _Done(then, result, error)))
                    self._notify()

"""One thread for what waits on the disk: errands are done in order, and none is dropped when the window closes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject, Qt, Signal, Slot

from convviz_gui.engine.errors import problem_from

Work = Callable[[], object]
Then = Callable[[object], None]


class Clerk(QObject):
    """Does errands in a thread that starts with the first."""

    _wake = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wake.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._hands = _Hands(self._wake.emit)
        # Children of a closing window get no close event; what is on its way to the disk must arrive all the same.
        self.destroyed.connect(self._hands.close)

    def do(self, work: Work, then: Then) -> None:
        """Do `work` there; `then` gets its value, or a `Problem`, in the window's thread."""
        self._hands.do(work, then)

    @Slot()
    def close(self) -> None:
        """Wait for what is to be done; nothing is delivered afterwards."""
        self._hands.close()

    @Slot()
    def _deliver(self) -> None:
        for then, value in self._hands.take():
            then(value)


class _Hands:
    """The thread's side; `notify` is called there when something is done."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._pool: ThreadPoolExecutor | None = None
        self._done: list[tuple[Then, object]] = []
        self._lock = threading.Lock()
        self._closed = False

    def do(self, work: Work, then: Then) -> None:
        if self._closed:
            return
        # Not a QThreadPool: at exit Qt would wait for threads that wait for Python's lock, which the exit holds.
        self._pool = self._pool or ThreadPoolExecutor(1, "desk")
        self._pool.submit(self._run, work, then)

    def take(self) -> list[tuple[Then, object]]:
        with self._lock:
            done, self._done = self._done, []
        return done

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._done.clear()
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, work: Work, then: Then) -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
            value = problem_from(error)
        # Inside the lock: after `close` has had it, the object behind `notify` may be gone.
        with self._lock:
            if not self._closed:
                self._done.append((then, value))
                self._notify()

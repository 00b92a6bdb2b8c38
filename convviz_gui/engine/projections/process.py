"""The parent's side of a projection's child process: started, listened to, and always gone afterwards."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from numpy.typing import NDArray

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.payloads import FloatArray, frozen
from convviz_gui.engine.projections.messages import Message, read_message, write_message
from convviz_gui.paths import cache_dir

WAIT = 0.025
"""Seconds between yields while nothing comes: how long a more urgent job waits for its turn."""
_ERROR_BYTES = 20_000
Arrays = Mapping[str, NDArray[Any]]
_CACHE_CODE = str(Path("numba", "core", "caching.py"))
_MODULE = "convviz_gui.engine.projections.child"


@dataclass(frozen=True, slots=True)
class Frame:
    """How far a projection is: `done` of `total` epochs (0 of 0 in preparation), and the points f32 [N, 2] so far."""

    note: str
    done: int = 0
    total: int = 0
    xy: FloatArray | None = field(default=None, repr=False, compare=False)


def project_in_child(facts: Mapping[str, Any], arrays: Arrays) -> Generator[Frame, None, FloatArray]:
    """Run a layout of `layouts.py` in a process of its own; returns the points f32 [N, 2].

    Yields the newest frame about 40 times a second, also when nothing is new. Closing the generator kills the process.

    Raises:
        EngineError: a signal ended the process; SIGKILL most likely for lack of memory.
        RuntimeError: it failed; the message is what it wrote.
    """
    try:
        return (yield from _project_once(facts, arrays))
    except RuntimeError as error:
        if _CACHE_CODE not in str(error) or not _forget_compiled():
            raise
    # What numba had kept was damaged: compile it again.
    return (yield from _project_once(facts, arrays))


def _project_once(facts: Mapping[str, Any], arrays: Arrays) -> Generator[Frame, None, FloatArray]:
    frame = Frame("starting")
    with _Child(facts, arrays) as child:
        while (message := child.wait(WAIT)) is None or "final" not in message.facts:
            if message is not None:
                xy = message.arrays.get("xy")
                said = message.facts
                frame = Frame(said["note"], said["done"], said["total"], None if xy is None else frozen(xy))
            yield frame
        return frozen(message.arrays["xy"])


class _Child:
    """A running child and the threads that talk with it; both end with the `with` block."""

    def __init__(self, facts: Mapping[str, Any], arrays: Arrays) -> None:
        self._news = threading.Condition()
        self._message: Message | None = None
        self._ended = False
        self._errors = bytearray()
        self._process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            creationflags=_creation_flags(),
        )
        self._threads = [
            threading.Thread(target=self._send, args=(facts, arrays), name="projection-send"),
            threading.Thread(target=self._listen, name="projection-listen"),
            threading.Thread(target=self._collect_errors, name="projection-errors"),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Whatever happened, nothing is wanted of it any more; its pipes end with it, and with them the threads.
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            _close(pipe)

    def wait(self, seconds: float) -> Message | None:
        """The newest message that was not yet taken, or None if none comes in time. Raises if the child has failed."""
        with self._news:
            self._news.wait_for(lambda: self._message is not None or self._ended, seconds)
            message, self._message = self._message, None
        if message is None and self._ended:
            raise self._failure()
        return message

    def _failure(self) -> Exception:
        code = self._process.wait()
        # All that it wrote is there once its end of the pipe is closed.
        self._threads[2].join()
        if sys.platform != "win32" and code == -signal.SIGKILL:
            return EngineError(
                "The system ended the projection, most likely for lack of memory",
                "Close other programs, or open a smaller folder",
                ProblemKind.RESOURCE,
            )
        if sys.platform != "win32" and code < 0:
            return EngineError(
                f"The projection was ended by {signal.Signals(-code).name}",
                "Run it again; if that does not help, choose PCA",
                ProblemKind.RESOURCE,
            )
        text = self._errors.decode("utf-8", "replace").strip()
        lines = text.splitlines() or [f"it ended with code {code} and said nothing"]
        return RuntimeError(f"{lines[-1]}\nThe projection's process wrote:\n{text}")

    def _send(self, facts: Mapping[str, Any], arrays: Arrays) -> None:
        assert self._process.stdin is not None
        try:
            write_message(self._process.stdin, facts, arrays)
        except OSError:
            # The child is gone; what it has to say about that comes through the other pipes.
            return

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while (message := read_message(self._process.stdout)) is not None:
            with self._news:
                self._message = message
                self._news.notify()
        with self._news:
            self._ended = True
            self._news.notify()

    def _collect_errors(self) -> None:
        assert self._process.stderr is not None
        while part := self._process.stderr.read1(4096):  # type: ignore[attr-defined]
            self._errors += part
            del self._errors[:-_ERROR_BYTES]


def _close(pipe: IO[bytes] | None) -> None:
    assert pipe is not None
    try:
        pipe.close()
    except OSError:
        # What was still buffered for a child that is gone cannot be flushed.
        return


def _environment() -> dict[str, str]:
    package_root = str(Path(__file__).resolve().parents[3])
    search = [package_root, *filter(None, [os.environ.get("PYTHONPATH")])]
    compiled = os.environ.get("NUMBA_CACHE_DIR") or str(_compiled())
    return os.environ | {"PYTHONPATH": os.pathsep.join(search), "NUMBA_CACHE_DIR": compiled}


def _compiled() -> Path:
    """Where numba keeps what it has compiled: it needs a folder that can be written, if only for this process."""
    try:
        folder = cache_dir() / "numba"
        folder.mkdir(exist_ok=True)
    except OSError:
        return _own_folder()
    return folder if os.access(folder, os.W_OK | os.X_OK) else _own_folder()


def _forget_compiled() -> bool:
    """Remove what numba has kept; False if it is not ours to remove."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return False
    shutil.rmtree(_compiled(), ignore_errors=True)
    return True


@cache
def _own_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="convviz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
    return 0

"""Small pictures of files, decoded in a thread pool, newest wish first, and kept in a bounded cache."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, ThreadPoolExecutor

from PIL import Image
from PySide6.QtCore import QCoreApplication, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage

from convviz_gui.engine.decoding_room import DecodingRoom, Reserve
from convviz_gui.engine.embedded.stored_thumbnails import StoredThumbnails
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import open_rgb

SIZE = 192
"""Longest side of a thumbnail in device pixels."""

KEPT = 400
"""Thumbnails kept: at most 59 MB."""

WAITING = 96
"""Wishes kept: what has scrolled away long ago is not decoded."""

Made = tuple[str, QImage | str]

_FULL = "full size"
"""Key of a thumbnail's text that holds the size of the picture that it was made of."""

_WRONG = "problem"
"""Key of the text that says what is wrong with the picture's file, where a stored thumbnail stands in."""


class Thumbnails(QObject):
    """Gives thumbnails by path at once or, after `arrived`, later.

    Signals:
        arrived: path of a thumbnail that `get` now returns, or of a file that `problem` now explains.
    """

    arrived = Signal(str)
    _wake = Signal()

    def __init__(self, parent: QObject | None = None, *, size: int = SIZE, kept: int = KEPT) -> None:
        super().__init__(parent)
        self._most = kept
        self._kept: OrderedDict[str, QImage | str] = OrderedDict()
        self._wake.connect(self._collect, Qt.ConnectionType.QueuedConnection)
        self._decoder = _Decoder(self._wake.emit, size)
        # Neither a view inside a window nor its children get a close event; the threads must end all the same.
        self.destroyed.connect(self._decoder.close)
        if app := QCoreApplication.instance():
            app.aboutToQuit.connect(self.close)

    def get(self, path: str) -> QImage | None:
        """The thumbnail, or None if it is not there yet (it is then on its way) or cannot be made."""
        kept = self._kept.get(path)
        if kept is None:
            self._decoder.want(path)
            return None
        self._kept.move_to_end(path)
        return kept if isinstance(kept, QImage) else None

    def problem(self, path: str) -> str:
        """What is wrong with that file, also where a stored thumbnail stands in; "" if nothing is known to be."""
        kept = self._kept.get(path)
        return kept.text(_WRONG) if isinstance(kept, QImage) else kept or ""

    def set_stored(self, stored: StoredThumbnails | None) -> None:
        """Where a file cannot be read, show what is stored of it there from now on."""
        if stored is not self._decoder.stored:
            self._decoder.stored = stored
            self._decoder.take()
            self._kept.clear()

    @Slot()
    def close(self) -> None:
        """Forget what waits and wait for what runs; nothing arrives afterwards."""
        self._decoder.close()

    @Slot()
    def _collect(self) -> None:
        for path, picture in self._decoder.take():
            self._kept[path] = picture
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            self.arrived.emit(path)


class _Decoder:
    """The threads' side: wishes in, pictures out, `notify` called (in a pool thread) when there are some."""

    def __init__(self, notify: Callable[[], None], size: int) -> None:
        self._notify = notify
        self._size = size
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._busy: set[str] = set()
        self._made: list[Made] = []
        self._lock = threading.Lock()
        self._closed = False
        self.stored: StoredThumbnails | None = None
        self._room = DecodingRoom()
        # Not a QThreadPool: at exit Qt would wait for threads that wait for Python's lock, which the exit holds.
        self._pool = ThreadPoolExecutor(2, "thumbnail")

    def want(self, path: str) -> None:
        """Put a wish in front of all others."""
        with self._lock:
            if self._closed or path in self._busy:
                return
            new = path not in self._wanted
            self._wanted[path] = None
            self._wanted.move_to_end(path)
            if len(self._wanted) > WAITING:
                self._wanted.popitem(last=False)
        if new:
            self._pool.submit(self._work)

    def take(self) -> list[Made]:
        """What has been made since the last call."""
        with self._lock:
            made, self._made = self._made, []
            self._busy.difference_update(path for path, _ in made)
        return made

    def close(self) -> None:
        """Drop every wish and wait until the threads have ended; `notify` is not called any more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._wanted.clear()
            self._made.clear()
        self._room.close()
        self._pool.shutdown()

    def _work(self) -> None:
        with self._lock:
            if not self._wanted:  # the wish was dropped, being too old
                return
            path, _ = self._wanted.popitem()
            self._busy.add(path)
        try:
            with self._room.one() as reserve:
                made = decode(path, self._size, reserve=reserve)
        except CancelledError:  # closed while a large picture waited
            return
        stored = self.stored
        if isinstance(made, str) and stored is not None:
            made = _stored(path, self._size, stored.get(path), made)
        # Inside the lock: after `close` has had it, the object behind `notify` may be gone.
        with self._lock:
            if not self._closed:
                self._made.append((path, made))
                self._notify()


def full_size(thumbnail: QImage) -> QSize:
    """Width and height of the picture that a thumbnail was made of."""
    width, _, height = thumbnail.text(_FULL).partition("×")
    return QSize(int(width), int(height))


def decode(path: str, size: int = SIZE, data: bytes | None = None, reserve: Reserve | None = None) -> QImage | str:
    """The picture in a file, its longest side at most `size` pixels, or one sentence on what is wrong with the file.

    `data` stands in for what is in the file; `reserve` is as of `images.open_rgb`.
    """
    try:
        picture, _ = open_rgb(path, data=data, reserve=reserve)
    except EngineError as error:
        return error.title
    full = f"{picture.width}×{picture.height}"
    picture.thumbnail((size, size), Image.Resampling.BOX, reducing_gap=2.0)
    raw = picture.tobytes()
    shared = QImage(raw, picture.width, picture.height, 3 * picture.width, QImage.Format.Format_RGB888)
    # The copy owns its memory; the bytes above do not outlive this call.
    made = shared.convertToFormat(QImage.Format.Format_RGB32)
    made.setText(_FULL, full)
    return made


def _stored(path: str, size: int, data: bytes, problem: str) -> QImage | str:
    made = decode(path, size, data) if data else problem
    if isinstance(made, str):
        return problem
    made.setText(_WRONG, f"{problem}: this thumbnail was stored with its features")
    return made

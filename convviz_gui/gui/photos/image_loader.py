"""Pictures are decoded, drawn and listed in a thread pool, never in the window's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage

from convviz_gui.engine.errors import Problem, problem_from
from convviz_gui.engine.types import ImageInput
from convviz_gui.gui.pictures.qimage import photo_qimage

THUMBNAIL = 160
"""Longest side of a thumbnail in device pixels: sharp at 80 logical pixels on a 200 % screen."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a request: the photo with its thumbnail, or the problem in words."""

    key: int
    image: ImageInput | None
    thumbnail: QImage | None
    problem: Problem | None


class ImageLoader(QObject):
    """Runs `Callable[[], ImageInput]`s in order of request, two at a time.

    Signals (in the window's thread):
        loaded: a `Loaded`, whose key is the one given to `load`.
        done: (callback, value or `Problem`) of `call`.
    """

    loaded = Signal(object)
    _called = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)
        self._closed = False
        self._called.connect(self._deliver)

    def load(self, key: int, make: Callable[[], ImageInput]) -> None:
        """Decode or draw a picture; `loaded` tells the outcome."""

        def work() -> None:
            outcome = _load(key, make)
            self._emit(lambda: self.loaded.emit(outcome))

        self._start(work)

    def call(self, work: Callable[[], object], then: Callable[[object], None]) -> None:
        """Do other slow file work; `then` gets its value, or a `Problem`, in the window's thread."""

        def run() -> None:
            try:
                value = work()
            except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
                value = problem_from(error)
            self._emit(lambda: self._called.emit(then, value))

        self._start(run)

    def close(self) -> None:
        """Forget what waits and wait for what runs."""
        self._closed = True
        self._pool.clear()
        self._pool.waitForDone()

    def is_closed(self) -> bool:
        """True once nobody waits for anything any more: long work looks at it, from the pool's threads."""
        return self._closed

    def _start(self, work: Callable[[], None]) -> None:
        if not self._closed:
            # Not a `QRunnable` made here: its Python side outlives it, and what Qt makes there next is taken for it.
            self._pool.start(work)

    def _emit(self, emit: Callable[[], None]) -> None:
        if not self._closed:
            emit()

    @Slot(object, object)
    def _deliver(self, then: Callable[[object], None], value: object) -> None:
        if not self._closed:
            then(value)


def _load(key: int, make: Callable[[], ImageInput]) -> Loaded:
    try:
        image = make()
        return Loaded(key, image, thumbnail(image), None)
    except Exception as error:  # noqa: BLE001 - the boundary where exceptions become text
        return Loaded(key, None, None, problem_from(error))


def thumbnail(image: ImageInput) -> QImage:
    """The photo with its longest side at `THUMBNAIL` pixels; small ones are not enlarged."""
    # Kept by `photo_qimage`: the views will ask for it, and in the window's thread a large photo would take too long.
    whole = photo_qimage(image)
    if max(whole.width(), whole.height()) <= THUMBNAIL:
        return whole
    return whole.scaled(
        THUMBNAIL, THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )

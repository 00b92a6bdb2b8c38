"""A gallery as it grows, and what to do where memory is too small for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from convviz_gui.engine.errors import EngineError, ProblemKind
from convviz_gui.engine.faults import Fault, FaultKind, fault_of, forget, memory_words
from convviz_gui.engine.method import Steps
from convviz_gui.engine.optim.canvas import MID_GREY
from convviz_gui.engine.payloads import ByteArray, FloatArray, Gallery, frozen
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Score


class Growing:
    """Pictures not begun are mid-grey with no step done and a trace of NaN.

    Args:
        transparent: whether pictures have a transparency.
        facts: further fields of `Gallery`.
    """

    def __init__(
        self, layer: str, channels: Sequence[int], steps: int, side: int, *, transparent: bool = False, **facts: Any
    ) -> None:
        n = len(channels)
        self._layer = layer
        self._channels = np.array(channels, np.int64)
        self._images: ByteArray = np.full((n, side, side, 3), MID_GREY, np.uint8)
        self._trace = np.full((n, steps), np.nan, np.float32)
        self._dead = np.zeros(n, np.bool_)
        self._done = np.zeros(n, np.int64)
        self._transparency = np.zeros((n, side, side), np.float32) if transparent else None
        self._facts = facts

    def bury(self, row: int, loss: float) -> None:
        """Note that a picture's target could not be woken. With no gradient, every step has the same loss."""
        self._dead[row] = True
        self._trace[row] = loss
        self._done[row] = self._trace.shape[1]
        self._images[row] = MID_GREY
        if self._transparency is not None:
            self._transparency[row] = 0

    def record(self, rows: Sequence[int], step: int, losses: FloatArray) -> None:
        """Note a step of some pictures."""
        self._trace[rows, step] = losses
        self._done[rows] = step + 1

    def draw(self, rows: Sequence[int], pictures: ByteArray, transparency: FloatArray | None = None) -> None:
        """Put pictures as they are now into the gallery."""
        self._images[rows] = pictures
        if self._transparency is not None and transparency is not None:
            self._transparency[rows] = transparency

    def gallery(self) -> Gallery:
        """A frozen copy of what is there."""
        return Gallery(
            layer=self._layer,
            channels=frozen(self._channels),
            images=frozen(self._images.copy()),
            trace=frozen(self._trace.copy()),
            dead=frozen(self._dead.copy()),
            done=frozen(self._done.copy()),
            transparency=None if self._transparency is None else frozen(self._transparency.copy()),
            **self._facts,
        )


def with_fitting_batch(
    session: Session, asked: int, default: int, size: int, grow: Callable[[int], Steps[Gallery]]
) -> Steps[Gallery]:
    """Grow a gallery in batches that memory has room for.

    Where it is too small for the `default` batch, all begin again with half of it, and the result says so. A batch that
    was `asked` for (not 0) is never changed.

    Args:
        size: side of a picture in pixels, which may be too large.
        grow: makes the gallery in batches of so many pictures.
    """
    batch = asked or default
    while True:
        try:
            gallery = yield from grow(batch)
            return gallery if batch == (asked or default) else replace(gallery, reduced_to=batch)
        except Exception as error:
            fault = fault_of(error)
            if fault is None or fault.kind is not FaultKind.MEMORY:
                raise
            if asked or batch == 1:
                raise _too_large(error, fault, size, batch) from error
            forget(error)
        batch //= 2
        session.free_memory()


def batch_score(gallery: Gallery) -> tuple[Score, ...]:
    """That the batch was reduced, if it was."""
    if not gallery.reduced_to:
        return ()
    text = "Memory was too small for more at once. Set the batch to this to get the same pictures again"
    return (Score("Batch", gallery.reduced_to, f"reduced to {gallery.reduced_to}", text),)


def _too_large(error: BaseException, fault: Fault, size: int, batch: int) -> EngineError:
    """What to say of memory that is too small and cannot be helped by us."""
    smaller = f"Set the batch to {batch // 2} or less" if batch > 1 else f"Set the size to less than {size}"
    where = "" if fault.device == "cpu" else ", or compute on the CPU"
    return EngineError(memory_words(error, fault.device), smaller + where, ProblemKind.RESOURCE)

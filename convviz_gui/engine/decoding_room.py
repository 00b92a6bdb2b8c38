"""How much may be decoded at once: large pictures wait for each other, usual ones never do."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

from convviz_gui.engine.images import MAX_PIXELS

MOST = MAX_PIXELS
"""Pixels that are decoded at once: as many as the largest picture may have, which no bound could make fewer. Four
threads with photos of up to 50 million each do not wait. A decoded pixel takes 4 to 8 bytes."""

Reserve = Callable[[int], None]
"""Waits until there is room for so many pixels; raises `CancelledError` once the room is closed."""


class DecodingRoom:
    """Room for `most` pixels, shared by threads that decode; a larger picture is decoded when no other is.

    First come, first served, so that neither a large picture nor the one that a result waits for is passed for ever.
    A thread has room for one picture at a time, so that they cannot wait for each other in a circle.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._taken = 0
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Reserve]:
        """For one picture: call what it gives with the pixels, from the header; the room is free after the block."""
        mine = 0

        def reserve(pixels: int) -> None:
            nonlocal mine
            self._wait_for(pixels)
            mine = pixels

        try:
            yield reserve
        finally:
            if mine:
                with self._changed:
                    self._taken -= mine
                    self._changed.notify_all()

    def _wait_for(self, pixels: int) -> None:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._closed or (self._queue[0] is ticket and self._fits(pixels)))
                if self._closed:
                    raise CancelledError
                self._taken += pixels
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _fits(self, pixels: int) -> bool:
        return not self._taken or self._taken + pixels <= self._most

    def close(self) -> None:
        """Whoever waits, or comes later, gets `CancelledError`, so that stopping need not wait for them."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

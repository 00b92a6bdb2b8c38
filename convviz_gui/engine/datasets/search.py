"""A search for pictures that can be watched and stopped: a million files, or a slow disk, take their time."""

from __future__ import annotations

from collections.abc import Callable


class Stopped(Exception):  # noqa: N818 - no error
    """The search was stopped."""


class Search:
    """How far a search is. It asks `is_stopped` now and then, from the thread that searches."""

    def __init__(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        self._is_stopped = is_stopped
        self.seen = 0

    def step(self) -> None:
        """A file has been looked at. Raises `Stopped`."""
        self.seen += 1
        if not self.seen % 256:
            self.check()

    def check(self) -> None:
        """Raise `Stopped` if that is wanted."""
        if self._is_stopped():
            raise Stopped

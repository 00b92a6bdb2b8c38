"""Back and forward: what the window looked at before, as a browser keeps its pages."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass

MOST = 200
"""Places kept; the oldest are forgotten."""
TOGETHER = 1.0
"""Seconds within which steps of one kind, from channel to channel say, count as one."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the window looks at. `image` is the photo's key in the tray."""

    tab: str
    method: str
    layer: str | None = None
    channel: int = 0
    class_index: int | None = None
    point: tuple[float, float] | None = None
    image: int | None = None

    def changed_from(self, other: Place) -> frozenset[str]:
        """Names of the fields that differ."""
        names = (field.name for field in dataclasses.fields(self))
        return frozenset(name for name in names if getattr(self, name) != getattr(other, name))


class History:
    """Places in the order in which they were visited, and where among them the window is.

    Args:
        now: seconds that only ever grow.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._places: list[Place] = []
        self._at = -1
        self._kind: frozenset[str] = frozenset()
        self._when = 0.0

    def visit(self, place: Place) -> None:
        """Take a place the window has gone to; what lay ahead is forgotten.

        Steps that follow each other quickly and change the same thing are one: a held arrow key leaves the place it
        began at and the one it ended at.
        """
        now, current = self._now(), self.current
        if place == current:
            return
        kind = place.changed_from(current) if current is not None else frozenset({"tab"})
        # Another layer has its own first channel.
        kind = kind - {"channel"} if "layer" in kind else kind
        goes_on = kind == self._kind and now - self._when <= TOGETHER and not kind & {"tab", "method"}
        del self._places[self._at + 1 :]
        if goes_on:
            self._places[self._at] = place
        else:
            self._places.append(place)
            del self._places[:-MOST]
        self._at = len(self._places) - 1
        self._kind, self._when = kind, now

    @property
    def current(self) -> Place | None:
        """Where the window is."""
        return self._places[self._at] if self._places else None

    def ahead(self, by: int) -> Place | None:
        """The place `by` steps forward (1) or back (−1), or None beyond the ends."""
        at = self._at + by
        return self._places[at] if 0 <= at < len(self._places) else None

    def go(self, by: int) -> Place | None:
        """Go there, if there is a place."""
        place = self.ahead(by)
        if place is not None:
            self._at += by
            # What comes next is a step of its own, however soon.
            self._kind = frozenset()
        return place

    def clear(self) -> None:
        """Forget everything."""
        self._places, self._at, self._kind = [], -1, frozenset()

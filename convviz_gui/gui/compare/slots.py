"""A and B: which results are compared, and which of them follow a tab."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from convviz_gui.engine.types import Result

A, B = 0, 1
NAMES = ("A", "B")


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the two places.

    Args:
        result: what is in it, or None.
        item: which channel, tile or kernel of it, or None for its own choice.
        live: name of the tab whose newest result it takes, or "" for one that stays.
        since: a number that grows with every filling.
        default: True if nobody asked for it: it gives way to whatever is pinned, and to the next default.
    """

    result: Result | None = None
    item: int | None = None
    live: str = ""
    since: int = 0
    default: bool = False


class Slots(QObject):
    """Both slots. A pinned result stays whatever happens to network, photo and class; a live one follows its tab.

    Signals:
        changed: another result, item or way of following.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._slots = [Slot(), Slot()]
        self._numbers = itertools.count(1)

    def __getitem__(self, place: int) -> Slot:
        return self._slots[place]

    def pin(self, result: Result, item: int | None = None) -> int:
        """Keep a result in A, in B if A is taken, else in place of the older; returns which."""
        free = [place for place in (A, B) if self._slots[place].result is None or self._slots[place].live]
        place = free[0] if free else min((A, B), key=lambda place: self._slots[place].since)
        self.put(place, result, item)
        return place

    def put(self, place: int, result: Result, item: int | None = None) -> None:
        """Keep a result in A (0) or B (1)."""
        self._slots[place] = Slot(result, item, "", next(self._numbers))
        self.changed.emit()

    def follow(
        self, place: int, tab: str, result: Result | None = None, item: int | None = None, *, default: bool = False
    ) -> None:
        """Let a slot take every newest result of a tab, beginning with `result` or what is in it."""
        before = self._slots[place]
        if result is None:
            result, item = before.result, before.item
        self._slots[place] = Slot(result, item, tab, next(self._numbers), default)
        self.changed.emit()

    def take(self, tab: str, result: Result, item: int | None) -> None:
        """A tab shows a result: the slots that follow it take it."""
        for place, slot in enumerate(self._slots):
            if slot.live == tab and (slot.result is not result or slot.item != item):
                self._slots[place] = replace(slot, result=result, item=item)
                self.changed.emit()

    def choose_item(self, place: int, item: int) -> None:
        """Show another channel, tile or kernel of a slot's result."""
        if self._slots[place].item != item:
            self._slots[place] = replace(self._slots[place], item=item)
            self.changed.emit()

    def swap(self) -> None:
        """A becomes B, and B A."""
        self._slots.reverse()
        self.changed.emit()

    def clear(self, place: int) -> None:
        """Empty a slot."""
        self._slots[place] = Slot()
        self.changed.emit()

    def followed(self) -> frozenset[str]:
        """Names of the tabs that are followed."""
        return frozenset(slot.live for slot in self._slots if slot.live)

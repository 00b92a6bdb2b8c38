"""Reference cycles are collected in the window's thread only.

Python collects in whichever thread happens to allocate, the engine's too; a Qt object that is destroyed there takes the
program down with it.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL = 500
"""Milliseconds between looks."""


class GarbageCollector(QObject):
    """Does what Python's automatic collection does, by the same thresholds, from a timer of this thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(INTERVAL)

    @Slot()
    def look(self) -> None:
        """Collect the generations that are due."""
        for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)):
            if count <= threshold:
                return
            gc.collect(generation)

    @Slot()
    def settle(self) -> None:
        """Leave what is there now, torch's half a million objects for the most part, out of all later collections."""
        gc.freeze()

    def stop(self) -> None:
        """Leave collecting to Python again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

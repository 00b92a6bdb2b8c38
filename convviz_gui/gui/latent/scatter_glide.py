"""Points that go from where they were to where they are, instead of jumping."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEasingCurve, QObject, QVariantAnimation, Signal

from convviz_gui.engine.payloads import FloatArray
from convviz_gui.gui.latent.scatter_places import Bounds, Places, columns

MOST = 20_000
"""Points that can be moved at the pace of the screen; more of them go at once."""


class Glide(QObject):
    """A move under way.

    Signals:
        moved: the points have got further; `places` is where they are, and `part` in 0…1 how far they have come.
    """

    moved = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.places: Places | None = None
        self.part = 1.0
        self._start: Places | None = None
        self._end: Places | None = None
        self._clock = QVariantAnimation(self)
        self._clock.setStartValue(0.0)
        self._clock.setEndValue(1.0)
        self._clock.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._clock.valueChanged.connect(self._step)

    @property
    def running(self) -> bool:
        """True while points move."""
        return self._clock.state() == QVariantAnimation.State.Running

    def start(self, start: Places, end: Places, milliseconds: int) -> None:
        """Move from `start` to `end`, from where they are if they are on their way already."""
        self._clock.stop()
        self._start, self._end = start, end
        self._clock.setDuration(milliseconds)
        self._clock.start()

    def stop(self) -> None:
        """Leave the points where they are."""
        self._clock.stop()

    def _step(self, part: float) -> None:
        if self._start is None or self._end is None:
            return
        self.part = float(part)
        self.places = self._end if self.part >= 1.0 else between(self._start, self._end, self.part)
        self.moved.emit()


def between(start: Places, end: Places, part: float) -> Places:
    """Places a `part` in 0…1 of the way; a point that had no place is at its end at once."""
    x, y = _mixed(start.x, end.x, part), _mixed(start.y, end.y, part)
    bounds = Bounds(*(a + (b - a) * part for a, b in zip(start.bounds, end.bounds, strict=True)))
    return columns(x, y, bounds, end.crowd)


def _mixed(start: FloatArray, end: FloatArray, part: float) -> FloatArray:
    mixed: FloatArray = start * np.float32(1 - part) + end * np.float32(part)
    return np.where(np.isfinite(start), mixed, end)

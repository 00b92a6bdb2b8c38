"""What the mouse does on the map besides panning and zooming: it draws frames around points."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

_LEAST_STEP = 2.0
_CLICK = 4.0


class Tool(StrEnum):
    """What dragging with the left button does."""

    MOVE = "move"
    RECTANGLE = "rectangle"
    LASSO = "lasso"


class Gestures(QObject):
    """Takes the mouse events of the map that are no panning. Places are logical pixels of the viewport.

    Signals:
        banded: a frame is being drawn; its corners, a list of `QPointF`, empty when it is gone.
        framed: a frame was drawn; its corners f64 [K, 2], whether it is a rectangle, and whether it extends.
    """

    banded = Signal(list)
    framed = Signal(object, bool, bool)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.tool = Tool.MOVE
        self._kind: Tool | None = None
        self._path: list[QPointF] = []

    @property
    def active(self) -> bool:
        """True while a frame is drawn."""
        return self._kind is not None

    def cancel(self) -> bool:
        """Drop the frame being drawn; False if none is."""
        if self._kind is None:
            return False
        self._kind, self._path = None, []
        self.banded.emit([])
        return True

    def handle(self, event: QMouseEvent) -> bool:
        """True if the event is none of panning, zooming, hovering and clicking."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
            return self._press(event)
        if kind == QEvent.Type.MouseMove and self.active:
            return self._move(event)
        if kind == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton and self.active:
            return self._release(event)
        return False

    def _press(self, event: QMouseEvent) -> bool:
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.AltModifier:
            self._kind = Tool.LASSO
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self._kind = Tool.RECTANGLE
        elif self.tool is not Tool.MOVE:
            self._kind = self.tool
        else:
            return False
        self._path = [event.position()]
        return True

    def _move(self, event: QMouseEvent) -> bool:
        place = event.position()
        if self._kind is Tool.RECTANGLE:
            self._path = [self._path[0], place]
        elif (place - self._path[-1]).manhattanLength() >= _LEAST_STEP:
            self._path.append(place)
        self.banded.emit(self._corners())
        return True

    def _release(self, event: QMouseEvent) -> bool:
        self._move(event)
        corners, rectangle = self._corners(), self._kind is Tool.RECTANGLE
        self._kind, self._path = None, []
        self.banded.emit([])
        extend = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.framed.emit(_array(corners), rectangle, extend)
        return True

    def _corners(self) -> list[QPointF]:
        if self._kind is not Tool.RECTANGLE or len(self._path) < 2:
            return list(self._path)
        start, end = self._path
        return [start, QPointF(end.x(), start.y()), end, QPointF(start.x(), end.y())]


def is_click(corners: NDArray[np.float64]) -> bool:
    """True if a frame is so small that it was meant as a click."""
    return not len(corners) or bool(np.ptp(corners, axis=0).max() < _CLICK)


def _array(corners: list[QPointF]) -> NDArray[np.float64]:
    return np.array([[corner.x(), corner.y()] for corner in corners], np.float64).reshape(-1, 2)

"""Guards for what draws: an error while painting is told like any other, and never takes the process with it.

Qt aborts where a painter is still active when its widget's picture is put on the screen; an exception leaves it so,
because the traceback keeps the frame that holds the painter.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)
F = TypeVar("F", bound=Callable[..., None])

_told: set[tuple[str, str]] = set()


def paints(draw: Callable[[W, QPainter], None]) -> Callable[[W, QPaintEvent], None]:
    """A `paintEvent` out of what draws the widget: `draw` is given a painter on it, which always ends."""

    @wraps(draw)
    def handler(self: W, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        try:
            draw(self, painter)
        except Exception as error:  # noqa: BLE001
            _tell(draw, error)
        finally:
            painter.end()

    return handler


def guarded(draw: F) -> F:
    """The `paint` of a delegate or of a graphics item, whose painter is lent: its state is put back as it was."""

    @wraps(draw)
    def handler(self: object, painter: QPainter, *rest: Any) -> None:
        painter.save()
        try:
            draw(self, painter, *rest)
        except Exception as error:  # noqa: BLE001
            _tell(draw, error)
        finally:
            painter.restore()

    return cast("F", handler)


def _tell(draw: Callable[..., None], error: Exception) -> None:
    """Give `error` to `sys.excepthook`, once: what paints wrongly does so sixty times a second."""
    key = (f"{draw.__module__}.{draw.__qualname__}", type(error).__name__)
    if key in _told:
        return
    _told.add(key)
    # Later: telling changes the window, which must not happen in the middle of its painting.
    QTimer.singleShot(0, lambda: sys.excepthook(type(error), error, error.__traceback__))

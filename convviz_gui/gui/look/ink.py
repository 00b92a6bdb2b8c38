"""Colours of text and marks, made from the palette so that they hold in light and dark."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette


def muted(palette: QPalette) -> QColor:
    """For captions and axis labels: quieter than text, still easy to read."""
    return faded(palette, 0.65)


def faded(palette: QPalette, strength: float) -> QColor:
    """The colour of text, let through by so much: invisible at 0, text at 1."""
    # Not mixed with the ground, since a style sheet that makes the ground transparent makes it black here.
    colour = palette.color(QPalette.ColorRole.WindowText)
    colour.setAlphaF(strength)
    return colour


def ink_on(ground: QColor) -> QColor:
    """Black or white, whichever is read better on `ground`."""
    light = 0.299 * ground.red() + 0.587 * ground.green() + 0.114 * ground.blue()
    return QColor(Qt.GlobalColor.black if light > 140 else Qt.GlobalColor.white)

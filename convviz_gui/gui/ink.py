"""Colours of text and marks, made from the palette so that they hold in light and dark."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette


def muted(palette: QPalette) -> QColor:
    """For captions and axis labels: quieter than text, still easy to read."""
    return between(palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText), 0.65)


def between(first: QColor, second: QColor, amount: float) -> QColor:
    """`first` at 0, `second` at 1."""
    ends = (
        (first.redF(), second.redF()),
        (first.greenF(), second.greenF()),
        (first.blueF(), second.blueF()),
    )
    return QColor.fromRgbF(*(a + (b - a) * amount for a, b in ends))


def ink_on(ground: QColor) -> QColor:
    """Black or white, whichever is read better on `ground`."""
    light = 0.299 * ground.red() + 0.587 * ground.green() + 0.114 * ground.blue()
    return QColor(Qt.GlobalColor.black if light > 140 else Qt.GlobalColor.white)

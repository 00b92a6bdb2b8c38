"""What keys do on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from convviz_gui.gui.latent.scatter_plot import ScatterPlot

_DIRECTIONS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, 1.0),
    Qt.Key.Key_Down: (0.0, -1.0),
}
_ZOOMS = {Qt.Key.Key_Plus: 1 / 1.4, Qt.Key.Key_Equal: 1 / 1.4, Qt.Key.Key_Minus: 1.4}
_SHIFT, _TURN = 0.1, 0.12


def handle_key(plot: ScatterPlot, event: QKeyEvent) -> bool:
    """Do what a key means on the map; False if it means nothing there.

    Arrows walk from point to point, with Shift they select on the way, with Ctrl they move the map or turn it.
    """
    key, modifiers = Qt.Key(event.key()), event.modifiers()
    control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
    if key in _DIRECTIONS:
        dx, dy = _DIRECTIONS[key]
        if control:
            plot.push(dx * _SHIFT, dy * _SHIFT) if not plot.in_space else plot.turn(dx * _TURN, -dy * _TURN)
        else:
            plot.walk(dx, dy, select=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
    elif key in _ZOOMS and not control:
        plot.zoom(_ZOOMS[key])
    elif key in (Qt.Key.Key_0, Qt.Key.Key_Home) and not control:
        plot.fit()
    elif key == Qt.Key.Key_A and control:
        plot.select_all()
    elif key == Qt.Key.Key_Escape:
        return plot.escape()
    elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plot.chosen() >= 0:
        plot.activated.emit(plot.chosen())
    else:
        return False
    return True

"""The view of the map: which part of the plane is seen, and the mouse that moves it."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal

from convviz_gui.gui.latent.scatter_places import Bounds
from convviz_gui.gui.latent.scatter_raster import Window

_PADDING = 0.06


class PlotBox(pg.ViewBox):  # type: ignore[misc]
    """A part of the plane with equal scales; dragging moves it, or turns what is seen.

    Signals:
        turned: the mouse went so far in logical pixels while `turning`.
        dragging: dragging with the mouse begins or ends.
    """

    turned = Signal(QPointF)
    dragging = Signal(bool)

    def __init__(self) -> None:
        super().__init__(lockAspect=True, enableMenu=False)
        self.turning = False
        # A square of the plane stays one however far off it is seen.
        self.disableAutoRange()

    def window(self, ratio: float = 1.0) -> Window:
        """What is seen, in device pixels of which a logical one has `ratio`."""
        (x0, x1), (y0, y1) = self.viewRange()
        area = self.rect()
        return Window(x0, x1, y0, y1, area.width() * ratio, area.height() * ratio)

    def area(self) -> QRectF:
        """Where it is seen, in logical pixels."""
        return QRectF(self.rect())

    def window_of(self, bounds: Bounds, ratio: float) -> Window:
        """What is seen when all points are."""
        area = self.rect()
        width, height = max(area.width(), 1.0), max(area.height(), 1.0)
        wide, high = ((1 + 2 * _PADDING) * side for side in (bounds.x1 - bounds.x0, bounds.y1 - bounds.y0))
        per_pixel = max(wide / width, high / height)
        x, y = (bounds.x0 + bounds.x1) / 2, (bounds.y0 + bounds.y1) / 2
        reach_x, reach_y = per_pixel * width / 2, per_pixel * height / 2
        return Window(x - reach_x, x + reach_x, y - reach_y, y + reach_y, width * ratio, height * ratio)

    def show_all(self, bounds: Bounds) -> None:
        """Show all points, and let the user go neither much farther away nor closer than digits allow."""
        span = bounds.span
        self.setLimits(minXRange=span * 1e-5, minYRange=span * 1e-5, maxXRange=span * 40, maxYRange=span * 40)
        rectangle = QRectF(bounds.x0, bounds.y0, bounds.x1 - bounds.x0, bounds.y1 - bounds.y0)
        self.setRange(rectangle, padding=_PADDING, disableAutoRange=True)

    def centre_on(self, x: float, y: float) -> None:
        """Move, at the same scale, until a place is in the middle."""
        (x0, x1), (y0, y1) = self.viewRange()
        self.translateBy(x=x - (x0 + x1) / 2, y=y - (y0 + y1) / 2)

    def shift(self, right: float, up: float) -> None:
        """Move by parts of the view's width and height."""
        (x0, x1), (y0, y1) = self.viewRange()
        self.translateBy(x=(x1 - x0) * right, y=(y1 - y0) * up)

    def mouseDragEvent(self, ev: Any, axis: int | None = None) -> None:  # noqa: N802
        if ev.isStart() or ev.isFinish():
            self.dragging.emit(bool(ev.isStart()))
        if self.turning and ev.button() == Qt.MouseButton.LeftButton:
            ev.accept()
            self.turned.emit(QPointF(ev.pos() - ev.lastPos()))
        else:
            super().mouseDragEvent(ev, axis)

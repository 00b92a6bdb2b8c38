"""The map: points that can be panned, zoomed, pointed at and walked along with the arrow keys.

Importing this module imports pyqtgraph, which takes half a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray
from convviz_gui.gui.latent.scatter_items import Marks, MarksItem, RasterItem
from convviz_gui.gui.latent.scatter_raster import Window

REACH = 14.0
"""Logical pixels from the cursor within which a point is taken to be meant."""

_REST_MS = 120
_CROWD_SAMPLE, _CROWD_CELLS, _CROWD_POWER = 20_000, 48, 0.9
_DIRECTIONS = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, 1.0),
    Qt.Key.Key_Down: (0.0, -1.0),
}
_ZOOMS = {Qt.Key.Key_Plus: 1 / 1.4, Qt.Key.Key_Equal: 1 / 1.4, Qt.Key.Key_Minus: 1.4}


class ScatterPlot(QWidget):
    """N points in the plane, with equal scales on both axes.

    Signals:
        hovered: row of the point under the cursor, or -1.
        clicked: row of the point clicked, or -1 for the ground.
        walked: row of the point that an arrow key led to.
        activated: Enter was pressed on the point chosen.
        menu_wanted: right click, at a place on the screen.
    """

    hovered = Signal(int)
    clicked = Signal(int)
    walked = Signal(int)
    activated = Signal(int)
    menu_wanted = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._xy: FloatArray = np.zeros((0, 2), np.float32)
        self._dimmed: BoolArray = np.zeros(0, np.bool_)
        self._bounds = QRectF(-1, -1, 2, 2)
        self._crowd = 0.0
        self._chosen = -1
        self._neighbours: tuple[int, ...] = ()
        self._hovered = -1
        self._touched = False
        self._show_lines = True
        self._graphics, self._box = self._make_view()
        self._raster = RasterItem(self._box)
        self._marks = MarksItem(self._box)
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(lambda: self._raster.set_moving(False))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Map of the pictures")
        self._restyle()

    def _make_view(self) -> tuple[Any, Any]:
        graphics = pg.GraphicsView(self, background=None)
        graphics.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        box = pg.ViewBox(lockAspect=True, enableMenu=False)
        graphics.setCentralItem(box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(graphics)
        box.sigRangeChanged.connect(self._on_range)
        box.sigRangeChangedManually.connect(self._on_touch)
        box.sigResized.connect(self._on_resize)
        graphics.scene().sigMouseClicked.connect(self._on_mouse_clicked)
        graphics.viewport().installEventFilter(self)
        return graphics, box

    # ------------------------------------------------------------------------------------ what is shown

    def set_points(self, xy: FloatArray, *, keep_view: bool) -> None:
        """Show points f32 [N, 2]; NaN is left out. The view is fitted unless `keep_view` and the user moved it."""
        same = len(xy) == len(self._xy)
        self._xy = xy
        if not same:
            self._dimmed = np.zeros(len(xy), np.bool_)
            self._chosen, self._neighbours, self._hovered = -1, (), -1
        self._bounds = _bounds(xy)
        self._crowd = _crowd(xy, self._bounds)
        self._raster.set_points(xy)
        if keep_view and same and self._touched:
            self._show_view()
        else:
            self.fit()

    def set_colours(self, rows: ByteArray, palette: ByteArray, dimmed: BoolArray, height: ByteArray) -> None:
        """Colour point i with `palette[rows[i]]`; the cursor passes over the points `dimmed` bool [N].

        A point of more `height` u8 [N] lies over one of less.
        """
        self._dimmed = dimmed
        self._raster.set_colours(rows, palette, self.ground(), height)

    def choose(self, row: int, neighbours: tuple[int, ...] = ()) -> None:
        """Mark a point (-1: none) and its neighbours, and bring it into view if it is outside."""
        self._chosen, self._neighbours = row, neighbours
        if row >= 0 and np.isfinite(self._xy[row]).all():
            self._bring_into_view(row)
        self._show_marks()

    def point_out(self, row: int) -> None:
        """Ring a point (-1: none), as if the cursor were on it."""
        self._hovered = row
        self._show_marks()

    def show_lines(self, shown: bool) -> None:
        """Draw lines from the chosen point to its neighbours, or not."""
        self._show_lines = shown
        self._restyle()

    def fit(self) -> None:
        """Show all points."""
        self._touched = False
        span = max(self._bounds.width(), self._bounds.height())
        self._box.setLimits(minXRange=span * 1e-5, minYRange=span * 1e-5, maxXRange=span * 40, maxYRange=span * 40)
        self._box.setRange(self._bounds, padding=0.06, disableAutoRange=True)
        self._show_view()

    def was_touched(self) -> bool:
        """True if the user has moved the view since it was last fitted."""
        return self._touched

    def chosen(self) -> int:
        """Row of the marked point, or -1."""
        return self._chosen

    def ground(self) -> tuple[int, int, int]:
        """Colour behind the points."""
        base = self.palette().color(QPalette.ColorRole.Base)
        return base.red(), base.green(), base.blue()

    def place(self, row: int) -> QPointF:
        """Where a point is, in this widget's logical pixels."""
        at = self._local(self._xy[row])
        return QPointF(self._graphics.mapTo(self, self._graphics.mapFromScene(self._box.mapToScene(at))))

    # ---------------------------------------------------------------------------------------- the view

    def _window(self, ratio: float) -> Window:
        (x0, x1), (y0, y1) = self._box.viewRange()
        area = self._box.rect()
        return Window(x0, x1, y0, y1, area.width() * ratio, area.height() * ratio)

    def _local(self, xy: FloatArray) -> QPointF:
        """A place in the plane as a place in the view box."""
        x, y = self._window(1.0).to_pixels(xy[None])[0].tolist()
        return QPointF(x, y)

    def _on_range(self) -> None:
        self._raster.set_moving(True)
        self._rest.start()
        self._show_view()

    def _on_touch(self) -> None:
        self._touched = True

    def _on_resize(self) -> None:
        if self._touched:
            self._show_view()
        else:
            self.fit()

    def _show_view(self) -> None:
        ratio = self._graphics.devicePixelRatioF()
        (x0, x1), (y0, y1) = self._box.viewRange()
        whole = max(self._bounds.width(), self._bounds.height()) ** 2
        # By the area seen, not by counting what is in it: panning must not make the discs breathe.
        crowd = self._crowd * min((x1 - x0) * (y1 - y0) / whole, 1.0)
        self._raster.set_view(self._window(ratio), QRectF(self._box.rect()), ratio, crowd)
        self._show_marks()

    def _show_marks(self) -> None:
        def at(row: int) -> QPointF | None:
            known = 0 <= row < len(self._xy) and bool(np.isfinite(self._xy[row]).all())
            return self._local(self._xy[row]) if known else None

        near = tuple(place for place in map(at, self._neighbours) if place is not None)
        marks = Marks(at(self._chosen), near, at(self._hovered))
        self._marks.set_marks(marks, QRectF(self._box.rect()), self._raster.radius)

    def _bring_into_view(self, row: int) -> None:
        place = self._local(self._xy[row])
        if not QRectF(self._box.rect()).adjusted(8, 8, -8, -8).contains(place):
            (x0, x1), (y0, y1) = self._box.viewRange()
            x, y = self._xy[row].tolist()
            self._box.translateBy(x=x - (x0 + x1) / 2, y=y - (y0 + y1) / 2)
            self._touched = True

    def _restyle(self) -> None:
        role = QPalette.ColorRole
        self._graphics.setBackground(self.palette().color(role.Base))
        self._marks.set_style(
            self.palette().color(role.Highlight), self.palette().color(role.Text), lines=self._show_lines
        )

    # ------------------------------------------------------------------------------------ mouse and keys

    def pick(self, x: float, y: float) -> int:
        """Row of the point nearest to a place in the plane, if it is within reach and not dimmed; else -1."""
        if not len(self._xy):
            return -1
        per_pixel = self._box.viewPixelSize()
        dx, dy = (self._xy[:, 0] - x) / per_pixel[0], (self._xy[:, 1] - y) / per_pixel[1]
        # A million points take 4 ms; a tree would answer sooner but has to be grown anew for each frame.
        distance = np.where(self._dimmed, np.inf, dx * dx + dy * dy)
        if np.isnan(distance).all():
            return -1
        nearest = int(np.nanargmin(distance))
        return nearest if distance[nearest] <= REACH**2 else -1

    def _pick_scene(self, scene: QPointF) -> int:
        place = self._box.mapSceneToView(scene)
        return self.pick(place.x(), place.y())

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self._graphics.viewport().setCursor(
                Qt.CursorShape.PointingHandCursor if row >= 0 else Qt.CursorShape.ArrowCursor
            )
            self._show_marks()
            self.hovered.emit(row)

    def _on_mouse_clicked(self, event: Any) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        row = self._pick_scene(event.scenePos())
        event.accept()
        if event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(event.screenPos().toPoint())
        elif event.double():
            if row < 0:
                self.fit()
        elif event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(row)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        # Not the scene's own signal: it drops moves that follow fast on one another, the last one too.
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseMove:
            moving = event.buttons() != Qt.MouseButton.NoButton
            self._hover(-1 if moving else self._pick_scene(self._graphics.mapToScene(event.position().toPoint())))
        elif event.type() == QEvent.Type.Leave:
            self._hover(-1)
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        key = Qt.Key(event.key())
        if key in _DIRECTIONS:
            row = self.neighbour_towards(*_DIRECTIONS[key])
            if row >= 0:
                self.walked.emit(row)
        elif key in _ZOOMS:
            self._touched = True
            self._box.scaleBy((_ZOOMS[key], _ZOOMS[key]))
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self.fit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._chosen >= 0:
            self.activated.emit(self._chosen)
        else:
            super().keyPressEvent(event)

    def neighbour_towards(self, dx: float, dy: float) -> int:
        """Row of the next point from the chosen one in a direction (y up), or -1.

        Without a chosen point: the point nearest to the middle of the view.
        """
        usable = ~self._dimmed & np.isfinite(self._xy).all(axis=1)
        if self._chosen < 0 or not np.isfinite(self._xy[self._chosen]).all():
            centre = self._box.viewRect().center()
            distance = np.hypot(self._xy[:, 0] - centre.x(), self._xy[:, 1] - centre.y())
        else:
            away = self._xy - self._xy[self._chosen]
            along = away[:, 0] * dx + away[:, 1] * dy
            across = np.abs(away[:, 0] * dy - away[:, 1] * dx)
            usable &= (along > 0) & (across <= along)
            distance = along + 2 * across
        if not usable.any():
            return -1
        return int(np.argmin(np.where(usable, distance, np.inf)))


def _bounds(xy: FloatArray) -> QRectF:
    """Smallest rectangle around the finite points; never without an area."""
    finite = xy[np.isfinite(xy).all(axis=1)]
    if not len(finite):
        return QRectF(-1, -1, 2, 2)
    (x0, y0), (x1, y1) = finite.min(axis=0).tolist(), finite.max(axis=0).tolist()
    span = max(x1 - x0, y1 - y0)
    # float32 has 24 bits: a smaller spread cannot be told from none.
    if span <= max(abs(x0), abs(x1), abs(y0), abs(y1)) * 1e-6:
        span = max(abs(x0), abs(y0)) * 1e-3 or 1.0
    middle = QPointF((x0 + x1) / 2, (y0 + y1) / 2)
    width, height = max(x1 - x0, span * 1e-3), max(y1 - y0, span * 1e-3)
    return QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height)


def _crowd(xy: FloatArray, bounds: QRectF) -> float:
    """How many points there would be if they stood everywhere as close as they stand where they are."""
    finite = xy[np.isfinite(xy).all(axis=1)]
    some = finite[:: max(len(finite) // _CROWD_SAMPLE, 1)]
    if not len(some):
        return 0.0
    side = max(bounds.width(), bounds.height())
    cell = ((some - [bounds.left(), bounds.top()]) / side * _CROWD_CELLS).astype(np.int64).clip(0, _CROWD_CELLS - 1)
    occupied = len(np.unique(cell @ [1, _CROWD_CELLS])) / min(_CROWD_CELLS**2, len(some))
    # Not the full correction: discs should shrink in tight groups, but lonely points must still be seen.
    return float(len(finite) / occupied**_CROWD_POWER)

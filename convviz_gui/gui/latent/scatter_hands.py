"""What the mouse does on the map: it points, clicks, draws frames around points, and drops pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QCursor, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.latent.scatter_canvas import Canvas
from convviz_gui.gui.latent.scatter_drop import pictures_of
from convviz_gui.gui.latent.scatter_gestures import Gestures, Tool, is_click
from convviz_gui.gui.latent.scatter_places import Bounds
from convviz_gui.gui.latent.scatter_select import Combine, combined, in_polygon, in_rectangle
from convviz_gui.gui.look.plain import tip

if TYPE_CHECKING:
    from convviz_gui.gui.latent.scatter_plot import ScatterPlot

REACH = 14.0
"""Logical pixels from the cursor within which a point is taken to be meant."""

_SELECT_AT_ONCE = 50_000


class Hands(QObject):
    """Watches the mouse over the canvas, and tells by the plot's signals."""

    def __init__(self, plot: ScatterPlot, canvas: Canvas) -> None:
        super().__init__(plot)
        self._plot = plot
        self._canvas = canvas
        self.gestures = Gestures(self)
        self.gestures.banded.connect(self._on_band)
        self.gestures.framed.connect(self._on_framed)
        canvas.graphics.scene().sigMouseClicked.connect(self._on_mouse_clicked)
        canvas.box.dragging.connect(self._on_dragging)
        self._viewport = canvas.graphics.viewport()
        self._viewport.installEventFilter(self)
        plot.installEventFilter(self)

    # ----------------------------------------------------------------------------------------- pointing

    def pick(self, x: float, y: float) -> int:
        """Row of the point nearest to a place in the plane, if it is within reach and not dimmed; else -1."""
        dx, dy = self._canvas.box.viewPixelSize()
        return self._canvas.places.nearest(x, y, (REACH * dx, REACH * dy), self._canvas.scene.dimmed)

    def _under(self, viewport: QPointF) -> int:
        """Row of the point meant by a place on the viewport, or -1."""
        place = self._canvas.boxed(viewport)
        row = self._canvas.thumbs.at(place)
        return row if row >= 0 else self.pick(*self._canvas.box.window().point(place.x(), place.y()))

    def hover(self, row: int) -> None:
        """The cursor is on that point now (-1: on none)."""
        if row != self._canvas.marking.hovered:
            self._canvas.marking.hovered = row
            self.show_cursor()
            self._canvas.show_marks()
            self._plot.hovered.emit(row)

    def show_cursor(self) -> None:
        """Let the cursor say what the mouse would do."""
        shape = Qt.CursorShape.PointingHandCursor if self._canvas.marking.hovered >= 0 else Qt.CursorShape.ArrowCursor
        if self.gestures.active or self.gestures.tool is not Tool.MOVE:
            shape = Qt.CursorShape.CrossCursor
        self._viewport.setCursor(shape)

    def _on_dragging(self, begins: bool) -> None:
        if begins:
            self._viewport.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            self.show_cursor()

    def _tell_located(self, place: QPointF) -> None:
        marking = self._canvas.marking
        if marking.located and not self._plot.in_space:
            number = marking.located_at(self._canvas.box.window(), self._canvas.boxed(place))
            if number >= 0:
                QToolTip.showText(QCursor.pos(), tip(marking.located[number].name), self._viewport)

    # ----------------------------------------------------------------------------------------- clicking

    def _on_mouse_clicked(self, event: Any) -> None:
        self._plot.setFocus(Qt.FocusReason.MouseFocusReason)
        row = self._under(QPointF(self._canvas.graphics.mapFromScene(event.scenePos())))
        event.accept()
        if event.button() == Qt.MouseButton.RightButton:
            self._plot.menu_wanted.emit(event.screenPos().toPoint())
        elif event.double():
            if row < 0:
                self._plot.fit()
        elif event.button() == Qt.MouseButton.LeftButton:
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and row >= 0:
                self._offer(np.array([row]), extend=True)
            else:
                self._plot.clicked.emit(row)

    # ---------------------------------------------------------------------------------------- selecting

    def select_all(self) -> None:
        """Offer all points that have a place and are not dimmed."""
        places, dimmed = self._canvas.places, self._canvas.scene.dimmed
        usable = ~dimmed if places.finite is None else ~dimmed & places.finite
        self._plot.selected.emit(np.flatnonzero(usable), Combine.REPLACE)

    def extend_to(self, row: int) -> None:
        """Offer the selection with the chosen point and another one added."""
        rows = np.array(sorted({row, self._canvas.marking.chosen} - {-1}), np.int64)
        self._plot.selected.emit(np.union1d(self._canvas.marking.selected, rows), Combine.ADD)

    def escape(self) -> bool:
        """Drop a frame being drawn, or the tool, or the selection; False if there is none of them."""
        if self.gestures.cancel() or self._plot.tools.put_away():
            return True
        if not len(self._canvas.marking.selected):
            return False
        self._plot.selected.emit(np.zeros(0, np.int64), Combine.REPLACE)
        return True

    def _on_band(self, corners: list[QPointF]) -> None:
        self._canvas.band.show_corners([self._canvas.boxed(corner) for corner in corners])
        self.show_cursor()

    def _on_framed(self, corners: NDArray[np.float64], rectangle: bool, extend: bool) -> None:
        self._plot.setFocus(Qt.FocusReason.MouseFocusReason)
        if is_click(corners):
            row = self._under(QPointF(*corners[0])) if len(corners) else -1
            if row < 0 or (self.gestures.tool is not Tool.MOVE and not extend):
                self._plot.clicked.emit(row)
            else:
                self._offer(np.array([row]), extend=True)
            return
        window, places, dimmed = self._canvas.box.window(), self._canvas.places, self._canvas.scene.dimmed
        boxed = (self._canvas.boxed(QPointF(*corner)) for corner in corners)
        plane = np.array([window.point(place.x(), place.y()) for place in boxed])

        def find() -> IntArray:
            if not rectangle:
                return in_polygon(places, plane, dimmed)
            (x0, y0), (x1, y1) = plane.min(axis=0).tolist(), plane.max(axis=0).tolist()
            return in_rectangle(places, Bounds(x0, y0, x1, y1), dimmed)

        def found(rows: IntArray) -> None:
            if len(places) == len(self._canvas.places):
                self._offer(rows, extend=extend)

        if len(places) <= _SELECT_AT_ONCE:
            found(find())
        else:
            self._canvas.finder.ask("select", find, found)

    def _offer(self, framed: IntArray, *, extend: bool) -> None:
        now = self._canvas.scene.selected
        if now is None:
            now = np.zeros(len(self._canvas.places), np.bool_)
        self._plot.selected.emit(*combined(now, framed, extend=extend))

    # ------------------------------------------------------------------------------------------- events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if watched is self._plot:
            if event.type() == QEvent.Type.DragLeave:
                self._on_band([])
            return isinstance(event, QDropEvent) and self._on_drop(event)
        # Not the scene's own signal: it drops moves that follow fast on one another, the last one too.
        if isinstance(event, QMouseEvent):
            if self.gestures.handle(event):
                if self.gestures.active:
                    self.hover(-1)
                return True
            if event.type() == QEvent.Type.MouseMove:
                moving = event.buttons() != Qt.MouseButton.NoButton
                self.hover(-1 if moving else self._under(event.position()))
                self._tell_located(event.position())
        elif event.type() == QEvent.Type.Leave:
            self.hover(-1)
        return super().eventFilter(watched, event)

    def _on_drop(self, event: QDropEvent) -> bool:
        pictures = pictures_of(event.mimeData())
        if not pictures:
            # Left to the window, which knows what to do with folders and weights.
            event.ignore()
            return True
        event.acceptProposedAction()
        if event.type() == QEvent.Type.DragEnter:
            area = self._canvas.box.area().adjusted(2, 2, -2, -2)
            self._canvas.band.show_corners([area.topLeft(), area.topRight(), area.bottomRight(), area.bottomLeft()])
        elif event.type() == QEvent.Type.Drop:
            self._on_band([])
            for picture in pictures:
                self._plot.picture_dropped.emit(picture)
        return True

"""The map: points that can be panned, zoomed, pointed at, selected and walked along with the arrow keys.

Importing this module imports pyqtgraph, which takes half a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QStyle, QWidget

from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray, IntArray, Located
from convviz_gui.gui.latent.scatter_canvas import Canvas
from convviz_gui.gui.latent.scatter_gestures import Tool
from convviz_gui.gui.latent.scatter_glide import MOST as GLIDE_MOST
from convviz_gui.gui.latent.scatter_glide import Glide
from convviz_gui.gui.latent.scatter_hands import Hands
from convviz_gui.gui.latent.scatter_keys import handle_key
from convviz_gui.gui.latent.scatter_places import Places, places_of
from convviz_gui.gui.latent.scatter_space import Space
from convviz_gui.gui.latent.scatter_tools import ToolStrip
from convviz_gui.gui.latent.thumbnails import Thumbnails

_TURN_PER_PIXEL = 0.008
_GLIDE_MS = 220


class ScatterPlot(QWidget):
    """N points in the plane, with equal scales on both axes, or in space.

    Signals:
        hovered: row of the point under the cursor, or -1.
        clicked: row of the point clicked, or -1 for the ground.
        walked: row of the point that an arrow key led to.
        activated: Enter was pressed on the point chosen.
        menu_wanted: right click, at a place on the screen.
        selected: what the user wants selected from now on, all of it: rows i64, ascending; and how that came out of
            the selection there was, a `Combine`. Nothing changes until `set_selection` is called.
        picture_dropped: a picture was dropped: the path of its file, or a `QImage`.
        space_shown: three dimensions are shown from now on, or two.
    """

    hovered = Signal(int)
    clicked = Signal(int)
    walked = Signal(int)
    activated = Signal(int)
    menu_wanted = Signal(QPoint)
    selected = Signal(object, object)
    picture_dropped = Signal(object)
    space_shown = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plane: Places = places_of(np.zeros((0, 2), np.float32))
        self._solid: Space | None = None
        self._touched = False
        self._takes_pictures = False
        self.canvas = Canvas()
        self.tools = ToolStrip()
        self._hands = Hands(self, self.canvas)
        self._glide = Glide(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.canvas, 1)
        row.addWidget(self.tools)
        self._connect()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Map of the pictures")
        self.setAccessibleDescription(
            "Arrows walk from point to point and select with Shift; Ctrl and arrows move the map or turn it; "
            "plus and minus zoom; 0 shows all points; Enter opens; Ctrl+A selects all; Escape selects nothing."
        )

    def _connect(self) -> None:
        box, tools = self.canvas.box, self.tools
        box.sigRangeChanged.connect(self.canvas.show_view)
        box.sigRangeChangedManually.connect(self._on_touch)
        box.sigResized.connect(self._on_resize)
        box.turned.connect(lambda by: self.turn(by.x() * _TURN_PER_PIXEL, by.y() * _TURN_PER_PIXEL))
        self._glide.moved.connect(self._on_glide)
        tools.fit_wanted.connect(self.fit)
        tools.tool_changed.connect(self._on_tool)
        tools.thumbnails_toggled.connect(self._on_thumbnails)
        tools.space_toggled.connect(self._on_space)

    # ------------------------------------------------------------------------------------ what is shown

    def set_points(self, xy: FloatArray, *, keep_view: bool, glide: bool = False) -> None:
        """Show points f32 [N, 2]; NaN is left out. The view is fitted unless `keep_view` and the user moved it.

        With `glide` the same points, if they are not too many, go to their new places instead of jumping. Points that
        are not as many as before are others: nothing is chosen, selected or located among them, nor seen in space.
        """
        marking, places = self.canvas.marking, places_of(xy)
        same, before = len(places) == len(self._plane), self.canvas.places
        self._plane = places
        self._glide.stop()
        if not same:
            marking.clear()
            marking.located = ()
            self.set_points3(np.zeros((0, 3), np.float32))
        if self.in_space:
            return
        stay = keep_view and self._touched
        self._touched &= stay
        milliseconds = self._glide_time() if glide and same and 0 < len(places) <= GLIDE_MOST else 0
        if milliseconds:
            self._glide.start(before, places, milliseconds)
        else:
            self._arrive(places)

    def set_points3(self, xyz: FloatArray) -> None:
        """Offer the same points in space, f32 [N, 3], or no longer with none; the user switches with a button."""
        if len(xyz) != len(self._plane) or not len(xyz):
            self.show_space(False)
            self._solid = None
        else:
            self._solid = Space(xyz)
            if self.in_space:
                self.canvas.space = self._solid
                self.canvas.look()
                self.fit()
        self.tools.space.setVisible(self._solid is not None)

    def show_space(self, shown: bool) -> None:
        """Show three dimensions, if there are any, or two."""
        self.tools.space.setChecked(shown and self._solid is not None)

    def set_colours(self, rows: ByteArray, palette: ByteArray, dimmed: BoolArray, height: ByteArray) -> None:
        """Colour point i with `palette[rows[i]]`; the cursor passes over the points `dimmed` bool [N].

        A point of more `height` u8 [N] lies over one of less.
        """
        canvas = self.canvas
        canvas.set_scene(canvas.scene.coloured(rows, palette, self.ground(), height, dimmed))
        if canvas.thumbs.has_source:
            canvas.show_view()

    def set_selection(self, rows: IntArray) -> None:
        """Show points `rows` i64 [M], ascending, as selected; the others are fainter as long as there are any."""
        self.canvas.set_selection(rows)

    def set_located(self, located: Sequence[Located]) -> None:
        """Mark pictures that are not among the points, with lines to their true neighbours."""
        self.canvas.marking.located = tuple(located)
        if not self._touched:
            self.fit()
        self.canvas.show_marks()

    def set_thumbnails(self, thumbnails: Thumbnails | None, path: Callable[[int], str]) -> None:
        """Offer the pictures on the map: that of point i is at `path(i)`. To be called again when points change."""
        self.canvas.thumbs.set_source(thumbnails, path)
        self.tools.thumbnails.setVisible(thumbnails is not None)
        self.tools.thumbnails.setChecked(self.canvas.wants_tiles)
        self.canvas.show_view()

    def set_takes_pictures(self, taken: bool) -> None:
        """Let pictures be dropped on the map; else they are left to the window."""
        self._takes_pictures = taken
        self.setAcceptDrops(taken)

    def choose(self, row: int, neighbours: tuple[int, ...] = (), *, seek: bool = True) -> None:
        """Mark a point (-1: none) and its neighbours, and, to `seek` it, bring it into view if it is outside."""
        self.canvas.marking.chosen, self.canvas.marking.neighbours = row, neighbours
        if seek:
            self._keep_in_view()
        self.canvas.show_view()

    def point_out(self, row: int) -> None:
        """Ring a point (-1: none), as if the cursor were on it."""
        self.canvas.marking.hovered = row
        self.canvas.show_marks()

    def show_lines(self, shown: bool) -> None:
        """Draw lines from the chosen point to its neighbours, or not."""
        self.canvas.show_lines(shown)

    def fit(self) -> None:
        """Show all points."""
        self._touched = False
        self.canvas.fit()

    @property
    def in_space(self) -> bool:
        """True while three dimensions are shown."""
        return self.canvas.space is not None

    def was_touched(self) -> bool:
        """True if the user has moved the view since it was last fitted."""
        return self._touched

    def chosen(self) -> int:
        """Row of the marked point, or -1."""
        return self.canvas.marking.chosen

    def ground(self) -> tuple[int, int, int]:
        """Colour behind the points."""
        base = self.palette().color(QPalette.ColorRole.Base)
        return base.red(), base.green(), base.blue()

    def place(self, row: int) -> QPointF:
        """Where a point is, in this widget's logical pixels."""
        return QPointF(self.canvas.mapTo(self, self.canvas.place(row)))

    def picture(self) -> QImage:
        """The map as it looks, without its buttons, every point drawn."""
        return self.canvas.picture()

    # ---------------------------------------------------------------------------------------- the view

    def _arrive(self, places: Places) -> None:
        self.canvas.set_places(places)
        if self._touched:
            self._keep_in_view()
            self.canvas.show_view()
        else:
            self.fit()

    def _on_glide(self) -> None:
        if self._glide.places is not None and not self.in_space:
            self._arrive(self._glide.places)

    def _glide_time(self) -> int:
        wanted = self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration, None, self)
        return _GLIDE_MS if wanted > 0 and self.isVisible() else 0

    def _keep_in_view(self) -> None:
        row, canvas = self.chosen(), self.canvas
        if not canvas.places.known(row):
            return
        if not QRectF(canvas.box.area()).adjusted(8, 8, -8, -8).contains(canvas.local(row)):
            canvas.box.centre_on(float(canvas.places.x[row]), float(canvas.places.y[row]))
            self._touched = True

    def _on_touch(self) -> None:
        self._touched = True

    def _on_resize(self) -> None:
        if self._touched:
            self.canvas.show_view()
        else:
            self.fit()

    def _on_thumbnails(self, shown: bool) -> None:
        self.canvas.wants_tiles = shown
        self.canvas.show_view()

    def _on_space(self, shown: bool) -> None:
        self._glide.stop()
        self.canvas.space = self._solid if shown else None
        self.canvas.box.turning = self.in_space
        if self.in_space:
            self.canvas.look()
        else:
            self.canvas.set_places(self._plane)
        self.fit()
        self.space_shown.emit(self.in_space)

    def _on_tool(self, tool: Tool) -> None:
        self._hands.gestures.tool = tool
        self._hands.show_cursor()

    # ------------------------------------------------------------------------------------ mouse and keys

    def pick(self, x: float, y: float) -> int:
        """Row of the point nearest to a place in the plane, if it is within reach and not dimmed; else -1."""
        return self._hands.pick(x, y)

    def select_all(self) -> None:
        """Ask for all points that are not dimmed to be selected."""
        self._hands.select_all()

    def escape(self) -> bool:
        """Drop a frame being drawn, or else the tool, or else the selection; False if there is none of them."""
        return self._hands.escape()

    def walk(self, dx: float, dy: float, *, select: bool) -> None:
        """Go to the next point in a direction (y up), and select it on the way if told so."""
        row = self.neighbour_towards(dx, dy)
        if row >= 0:
            if select:
                self._hands.extend_to(row)
            self.walked.emit(row)

    def push(self, right: float, up: float) -> None:
        """Move the view by parts of its width and height."""
        self._touched = True
        self.canvas.box.shift(right, up)

    def zoom(self, by: float) -> None:
        """See `by` times as much."""
        self._touched = True
        self.canvas.box.scaleBy((by, by))

    def turn(self, right: float, down: float) -> None:
        """Turn what is seen in space by radians, as if a ball were rolled; does nothing in the plane."""
        if self.canvas.space is not None:
            self.canvas.space.turn(right, down)
            self.canvas.look()
            self.canvas.show_view()

    def neighbour_towards(self, dx: float, dy: float) -> int:
        """Row of the next point from the chosen one in a direction (y up), or -1.

        Without a chosen point: the point nearest to the middle of the view.
        """
        places, dimmed, row = self.canvas.places, self.canvas.scene.dimmed, self.chosen()
        # About as far as the next points are where they are crowded.
        step = 4 * places.bounds.span / max(places.crowd, 1.0) ** 0.5
        if places.known(row):
            return places.towards(row, (dx, dy), dimmed, step)
        centre = self.canvas.box.viewRect().center()
        return places.closest(centre.x(), centre.y(), step, dimmed)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        if not handle_key(self, event):
            super().keyPressEvent(event)

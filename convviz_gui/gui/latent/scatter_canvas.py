"""What is on the screen of the map: the view, the picture of the points, and what is drawn over it."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from convviz_gui.engine.payloads import IntArray
from convviz_gui.gui.latent.scatter_axes import AxesItem
from convviz_gui.gui.latent.scatter_band import BandItem
from convviz_gui.gui.latent.scatter_box import PlotBox
from convviz_gui.gui.latent.scatter_items import MarksItem, RasterItem
from convviz_gui.gui.latent.scatter_marking import Marking, selected_mask
from convviz_gui.gui.latent.scatter_places import NOWHERE, Bounds, Places
from convviz_gui.gui.latent.scatter_raster import disc_radius
from convviz_gui.gui.latent.scatter_scene import Scene, View
from convviz_gui.gui.latent.scatter_space import Space
from convviz_gui.gui.latent.scatter_thumbs import ThumbsItem, tile_side
from convviz_gui.gui.latent.scatter_worker import ScatterWorker
from convviz_gui.gui.look.ink import faded

REST_MS = 120
"""Without a change for that long the view is said to rest."""

INDEX_FROM = 20_000
"""Points from which an index pays."""


class Canvas(QWidget):
    """Shows a scene and its marks. What the user does is taken by `ScatterPlot`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.worker = ScatterWorker(self)
        # Another one, so that no picture has to wait until an index is built.
        self.finder = ScatterWorker(self)
        self.places: Places = Scene().places
        self.space: Space | None = None
        self.marking = Marking()
        self.bounds: Bounds = NOWHERE
        self.wants_tiles = True
        self._lines = True
        self.graphics = pg.GraphicsView(self, background=None)
        self.graphics.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # What is dropped is the map's, which is behind.
        self.graphics.setAcceptDrops(False)
        self.graphics.viewport().setAcceptDrops(False)
        self.box = PlotBox()
        self.graphics.setCentralItem(self.box)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.graphics)
        self.raster = RasterItem(self.box, self.worker)
        self.marks = MarksItem(self.box)
        self.thumbs = ThumbsItem(self.box)
        self.axes = AxesItem(self.box)
        self.band = BandItem(self.box)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._settle)
        self.restyle()

    @property
    def scene(self) -> Scene:
        """What is drawn."""
        return self.raster.points

    def set_scene(self, scene: Scene) -> None:
        """Draw that; the marks are still to be updated where points have moved."""
        self.raster.set_scene(scene)
        self._rest.start()

    def set_places(self, places: Places) -> None:
        """Let the points be there, in the plane."""
        self.places = places
        self.set_scene(self.scene.moved(places))

    def look(self) -> None:
        """Show the points as they are seen in space from where one looks now."""
        if self.space is not None:
            self.places, depth = self.space.seen()
            self.set_scene(self.scene.moved(self.places, depth))

    def set_selection(self, rows: IntArray) -> None:
        """Show these points, ascending, as selected."""
        self.marking.selected = rows
        self.set_scene(self.scene.with_selection(selected_mask(rows, len(self.places))))
        self.show_view()

    def fit(self) -> None:
        """Show all points."""
        self.bounds = self.marking.bounds(self.places) if self.space is None else self.places.bounds
        self.box.show_all(self.bounds)
        self.show_view()

    def show_view(self) -> None:
        """Draw what the view box shows now."""
        ratio = self.graphics.devicePixelRatioF()
        window, area = self.box.window(), self.box.area()
        if area.isEmpty():
            return
        # By the area seen, not by counting what is in it: panning must not make the discs breathe.
        span = max(self.places.bounds.span, 1e-300)
        seen = ((window.x1 - window.x0) / span) * ((window.y1 - window.y0) / span)
        crowd = self.places.crowd * min(seen, 1.0)
        view = View(self.box.window(ratio), ratio, disc_radius(crowd))
        whole = View(self.box.window_of(self.bounds, ratio), ratio, disc_radius(self.places.crowd))
        self.raster.set_view(view, whole, area)
        self._rest.start()
        side = tile_side(crowd, area.width() * area.height()) if self.wants_tiles and self.thumbs.has_source else 0
        tiles = self.marking.tiles(self.scene, self.places, window, side) if side else []
        self.thumbs.set_tiles(tiles, side, area)
        self.axes.set_axes(self.space.axes() if self.space is not None else None, area)
        self.show_marks()

    def show_marks(self) -> None:
        """Draw what is marked now."""
        window, radius = self.box.window(), self.raster.radius
        marks = self.marking.marks(self.places, window, radius, plane=self.space is None)
        self.marks.set_marks(marks, self.box.area(), radius)
        role = QPalette.ColorRole
        accent, ink = self.palette().color(role.Highlight), self.palette().color(role.Text)
        self.thumbs.set_outlines(self.marking.outlines(accent, ink))

    def show_lines(self, shown: bool) -> None:
        """Draw lines from the chosen point to its neighbours, or not."""
        self._lines = shown
        self.restyle()

    def restyle(self) -> None:
        """Take the colours of the palette."""
        role, palette = QPalette.ColorRole, self.palette()
        ground, accent = palette.color(role.Base), palette.color(role.Highlight)
        self.graphics.setBackground(ground)
        self.marks.set_style(accent, palette.color(role.Text), ground, lines=self._lines)
        self.band.set_accent(accent)
        self.axes.set_ink(faded(palette, 0.65))

    def local(self, row: int) -> QPointF:
        """Where a point is in the view box."""
        return QPointF(*self.box.window().pixel(float(self.places.x[row]), float(self.places.y[row])))

    def place(self, row: int) -> QPointF:
        """Where a point is in this widget."""
        at = self.graphics.mapFromScene(self.box.mapToScene(self.local(row)))
        return QPointF(self.graphics.mapTo(self, at))

    def boxed(self, viewport: QPointF) -> QPointF:
        """A place of the viewport in the view box."""
        return QPointF(self.box.mapFromScene(self.graphics.mapToScene(viewport.toPoint())))

    def picture(self) -> QImage:
        """The map as it looks, finished."""
        _ = self.raster.image
        finished: QImage = self.graphics.grab().toImage()
        return finished

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange:
            self.restyle()
        super().changeEvent(event)

    def _settle(self) -> None:
        self.raster.settle()
        places = self.places
        if places.index is None and len(places) >= INDEX_FROM:
            self.finder.ask("index", places.indexed, lambda made: self._on_index(places, made))

    def _on_index(self, places: Places, made: Places) -> None:
        if self.places is places:
            self.places = made

"""The map of a dataset: its points, what their colours say, the oddest of them, and the neighbours of one."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import BoolArray, ByteArray, IntArray
from convviz_gui.engine.types import Nearest, Reproject
from convviz_gui.gui.latent.guest_row import GuestRow
from convviz_gui.gui.latent.hover_card import HoverCard
from convviz_gui.gui.latent.map_colours import MapColours
from convviz_gui.gui.latent.map_export import MapExport
from convviz_gui.gui.latent.map_header import MapHeader
from convviz_gui.gui.latent.neighbour_strip import NeighbourStrip
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_model import details
from convviz_gui.gui.latent.side_panel import SidePanel
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.photos.image_loader import ImageLoader

if TYPE_CHECKING:
    from convviz_gui.gui.latent.scatter_plot import ScatterPlot

_SIDE_PART, _SIDE_LEAST, _SIDE_MOST = 0.33, 200, 300
_PAUSE_MS = 150
"""How long a picture is to be chosen before its neighbours are looked for: arrows pass over many."""

_GLANCE_MS = 50
_PLOT_MODULE = "convviz_gui.gui.latent.scatter_plot"


class MapPage(QWidget):
    """The points of a `Workbench`. What takes long is worked out in the loader's pool.

    Signals:
        status: what is under the cursor, in words; "" when nothing is.
        worked_out: what takes long with many pictures is known of them now.
        picture_dropped: the path of a file, or a `QImage`, that was dropped on the map.
    """

    status = Signal(str)
    worked_out = Signal()
    picture_dropped = Signal(object)

    def __init__(
        self, bench: Workbench, thumbnails: Thumbnails, loader: ImageLoader, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.bench = bench
        self.thumbnails = thumbnails
        self.plot: ScatterPlot | None = None
        self._card: HoverCard | None = None
        self._shown: tuple[str, str, str] | None = None
        self._arriving = False
        self._asking = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._asking.timeout.connect(self._ask)
        self.header = MapHeader()
        self.side = SidePanel(bench, thumbnails)
        self.legend, self.ranking, self.selected = self.side.legend, self.side.ranking, self.side.selection
        self.colours = MapColours(bench, self.legend, loader, self)
        self.strip = NeighbourStrip(self.thumbnails)
        self.guests = GuestRow(bench)
        self.export = MapExport(bench, self._picture, loader, self)
        self._middle = QSplitter(Qt.Orientation.Horizontal)
        self._middle.addWidget(self.side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._middle, 1)
        column.addWidget(self.guests)
        column.addWidget(self.strip)
        self._connect()
        # pyqtgraph takes half a second to import, and the plot a tenth to build: done while the user chooses a folder,
        # neither is waited for.
        self._importing = threading.Thread(
            target=importlib.import_module, args=(_PLOT_MODULE,), name="import pyqtgraph"
        )
        self._importing.start()
        self._building = QTimer(self, interval=_GLANCE_MS)
        self._building.timeout.connect(self._build_when_imported)
        self._building.start()

    def _connect(self) -> None:
        self.colours.painted.connect(self._paint)
        self.colours.worked_out.connect(self._on_worked_out)
        self.strip.picked.connect(self.bench.choose)
        self.strip.opened.connect(self._on_opened)
        self.strip.removal_wanted.connect(self._remove_guest)
        for list_ in (self.side, self.strip):
            list_.pointed.connect(lambda point: self.plot.point_out(point) if self.plot else None)
        self.strip.lines_toggled.connect(lambda shown: self.plot.show_lines(shown) if self.plot else None)
        self.selected.reproject_wanted.connect(self.reproject)
        self.selected.csv_wanted.connect(self.export.give_table)
        self.selected.list_wanted.connect(self.export.give_list)
        self.export.status.connect(self.status)
        self.bench.points_changed.connect(self._on_points)
        self.bench.places_changed.connect(self._on_places)
        self.bench.point_changed.connect(self._on_point)
        self.bench.neighbours_found.connect(self._on_found)
        self.bench.selected_changed.connect(self._on_selected)
        self.bench.placed_changed.connect(self._on_placed)

    # -------------------------------------------------------------------------------------- the content

    @property
    def _facts(self) -> PointFacts | None:
        return self.bench.facts

    def _on_points(self) -> None:
        assert self._facts is not None
        # What was chosen is chosen again now, which is no reason to go there.
        self._arriving = self.bench.grown
        self.ranking.show_facts(self._facts)
        self._on_places()
        plot, points = self._the_plot(), self._facts.points
        plot.set_points3(points.xyz)
        self.colours.renew()

    def _on_places(self) -> None:
        assert self._facts is not None
        plot, points = self._the_plot(), self._facts.points
        # Another projection has other axes: a view that was zoomed into the old one means nothing there.
        about = (points.folder, points.layer, points.projection)
        keep = self._shown == about and self.bench.grown
        if self._shown is None:
            side = min(max(round(self.width() * _SIDE_PART), _SIDE_LEAST), _SIDE_MOST)
            self._middle.setSizes([max(self.width() - side, 1), side])
        self._shown = about
        self._hide_card()
        # Frames follow one another too fast to glide between them.
        plot.set_points(points.xy, keep_view=keep, glide=points.final)
        plot.set_takes_pictures(points.final)
        self.header.show_points(points)

    def _build_when_imported(self) -> None:
        if not self._importing.is_alive():
            self._the_plot()

    def _the_plot(self) -> ScatterPlot:
        self._building.stop()
        if self.plot is None:
            from convviz_gui.gui.latent.scatter_plot import ScatterPlot

            plot = ScatterPlot()
            plot.hovered.connect(self._on_hover)
            plot.clicked.connect(self._on_click)
            plot.walked.connect(self.bench.choose)
            plot.activated.connect(self.bench.open)
            plot.menu_wanted.connect(self._on_menu)
            plot.selected.connect(lambda rows, _how: self.bench.select(rows))
            plot.picture_dropped.connect(self.picture_dropped)
            plot.set_thumbnails(self.thumbnails, self._path)
            self._middle.insertWidget(0, plot)
            self._middle.setStretchFactor(0, 1)
            self._middle.setCollapsible(0, False)
            self._middle.setCollapsible(1, False)
            self._card = HoverCard(self.thumbnails, plot)
            self.setFocusProxy(plot)
            self.plot = plot
        return self.plot

    def _path(self, row: int) -> str:
        return self._facts.points.paths[row] if self._facts is not None and row < len(self._facts) else ""

    def _on_worked_out(self) -> None:
        if self._facts is not None:
            self.ranking.show_facts(self._facts)
            self.side.refresh()
            self.worked_out.emit()

    def _paint(self, rows: ByteArray, table: ByteArray, dimmed: BoolArray, height: ByteArray) -> None:
        if self.plot is not None:
            self.plot.set_colours(rows, table, dimmed, height)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange:
            self.colours.restyle()
        super().changeEvent(event)

    # ------------------------------------------------------------------------------------- what is chosen

    def _on_point(self, point: int) -> None:
        if self._facts is None:
            return
        near = self._facts.neighbours(point) if point >= 0 else ()
        self._the_plot().choose(point, near, seek=not self._arriving)
        self._arriving = False
        if point >= 0 or self.bench.guest is None:
            self.strip.show_point(self._facts, point)

        if point >= 0 and self._facts.must_ask(point):
            self._asking.start()

    def _ask(self) -> None:
        """Ask for the neighbours of the picture at which the user has stopped."""
        result, point = self.bench.result, self.bench.point
        if result is not None and self._facts is not None and point >= 0 and self._facts.must_ask(point):
            self.bench.command_wanted.emit(Nearest(result, point))

    def _on_found(self, point: int) -> None:
        if self._facts is not None and point == self.bench.point:
            self._the_plot().choose(point, self._facts.neighbours(point), seek=False)
            self.strip.show_point(self._facts, point)

    def _on_selected(self) -> None:
        if self.plot is not None:
            self.plot.set_selection(self.bench.selected)

    def _on_placed(self) -> None:
        guest = self.bench.guest
        if self._facts is None:
            return
        self._the_plot().set_located([placed.located for placed in self.bench.placed])
        if guest is not None:
            self.strip.show_guest(self._facts, guest)
        elif self.bench.point < 0:
            self.strip.show_nothing()

    def _on_click(self, point: int) -> None:
        self.bench.choose(point)
        self.bench.open(point)

    def _on_opened(self, point: int) -> None:
        if point >= 0:
            self.bench.open(point)
        elif self.bench.guest is not None:
            self.bench.guest_wanted.emit(self.bench.guest)

    def _remove_guest(self) -> None:
        if self.bench.guest is not None:
            self.bench.take_away(self.bench.guest)

    def _on_hover(self, point: int) -> None:
        if self._facts is None or self.plot is None or self._card is None or point < 0:
            self._hide_card()
            self.status.emit("")
            return
        # What the map is coloured by first: a small card is cut short.
        lines = (*self.colours.told(point), *details(self._facts, point))
        self._card.show_point(self._facts, point, self.plot.place(point).toPoint(), lines)
        self.status.emit(" · ".join((self._facts.name(point), *lines)))

    def _hide_card(self) -> None:
        if self._card is not None:
            self._card.hide()

    def reproject(self, rows: IntArray) -> None:
        """Ask for these rows of the map on screen to be projected anew."""
        if self.bench.result is not None and len(rows):
            self.bench.command_wanted.emit(Reproject(self.bench.result, tuple(rows.tolist())))

    # ------------------------------------------------------------------------------------------- the menu

    def _on_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        if self.bench.point >= 0:
            menu.addAction("Open picture", lambda: self.bench.open(self.bench.point))
        lines = menu.addAction("Lines to neighbours")
        lines.setCheckable(True)
        lines.setChecked(self.strip.lines.isChecked())
        lines.toggled.connect(self.strip.lines.setChecked)
        menu.addAction("Show all points", lambda: self.plot.fit() if self.plot else None)
        if len(self.bench.selected):
            menu.addAction("Select nothing", lambda: self.bench.select(()))
        if self.bench.placed:
            menu.addAction("Remove placed pictures", self.bench.forget_placed)
        menu.addSeparator()
        menu.addAction("Copy picture", self.export.copy_picture)
        menu.addAction("Save picture…", self.export.save_picture)
        menu.addSeparator()
        menu.addAction("Copy ranking as CSV", self.export.copy_ranking)
        menu.addAction("Save ranking as CSV…", self.export.save_ranking)
        menu.exec(place)
        menu.deleteLater()

    def _picture(self) -> QImage:
        self._hide_card()
        return self._the_plot().picture()

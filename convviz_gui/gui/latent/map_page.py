"""The map of a dataset: its points, what their colours say, the oddest of them, and the neighbours of one."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.atomic import write_bytes
from convviz_gui.engine.errors import problem_from
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.gui.latent.hover_card import HoverCard
from convviz_gui.gui.latent.legend import Legend
from convviz_gui.gui.latent.map_header import MapHeader
from convviz_gui.gui.latent.neighbour_strip import NeighbourStrip
from convviz_gui.gui.latent.point_colours import ColourBy, Colouring, choices, colour_by
from convviz_gui.gui.latent.point_facts import PointFacts
from convviz_gui.gui.latent.point_list import PointList
from convviz_gui.gui.latent.point_model import details
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture_files import save_picture

if TYPE_CHECKING:
    from convviz_gui.gui.latent.scatter_plot import ScatterPlot

_SIDE_PART, _SIDE_LEAST, _SIDE_MOST = 0.33, 200, 300
_LEGEND_PART = 0.4
_PLOT_MODULE = "convviz_gui.gui.latent.scatter_plot"


class MapPage(QWidget):
    """The points of a `Workbench`.

    Signals:
        status: what is under the cursor, in words; "" when nothing is.
    """

    status = Signal(str)

    def __init__(self, bench: Workbench, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bench = bench
        self.plot: ScatterPlot | None = None
        self._card: HoverCard | None = None
        self._colouring: Colouring | None = None
        self._wanted_colour: ColourBy | None = None
        self._split_by_user = False
        self._shown: tuple[str, str, str] | None = None
        self.thumbnails = thumbnails
        self.header = MapHeader()
        self.legend = Legend()
        self.ranking = PointList(self.thumbnails)
        self.strip = NeighbourStrip(self.thumbnails)
        self._middle = QSplitter(Qt.Orientation.Horizontal)
        self._side = QSplitter(Qt.Orientation.Vertical)
        self._arrange()
        self._connect()
        # pyqtgraph takes half a second to import: done while the user chooses a folder, it is not waited for.
        threading.Thread(target=importlib.import_module, args=(_PLOT_MODULE,), name="import pyqtgraph").start()

    def _arrange(self) -> None:
        ranked = QWidget()
        below = QVBoxLayout(ranked)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(UNIT // 2)
        below.addWidget(_section("By outlier score, oddest first"))
        below.addWidget(self.ranking, 1)
        side = self._side
        side.setContentsMargins(UNIT, 0, UNIT, 0)
        side.addWidget(self.legend)
        side.addWidget(ranked)
        side.setStretchFactor(1, 1)
        side.setChildrenCollapsible(False)
        self._middle.addWidget(side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._middle, 1)
        column.addWidget(self.strip)

    def _connect(self) -> None:
        self.legend.reflowed.connect(self._share_height)
        self._side.splitterMoved.connect(self._on_split)
        self.header.colour_changed.connect(self._on_colour)
        self.legend.dimmed_changed.connect(self._paint_points)
        self.ranking.picked.connect(self.bench.choose)
        self.ranking.opened.connect(self.bench.open)
        self.strip.picked.connect(self.bench.choose)
        self.strip.opened.connect(self.bench.open)
        for list_ in (self.ranking, self.strip):
            list_.pointed.connect(lambda point: self.plot.point_out(point) if self.plot else None)
        self.strip.lines_toggled.connect(lambda shown: self.plot.show_lines(shown) if self.plot else None)
        self.bench.points_changed.connect(self._on_points)
        self.bench.places_changed.connect(self._on_places)
        self.bench.point_changed.connect(self._on_point)

    # -------------------------------------------------------------------------------------- the content

    @property
    def _facts(self) -> PointFacts | None:
        return self.bench.facts

    def _on_points(self) -> None:
        assert self._facts is not None
        self.ranking.show_facts(self._facts)
        self._on_places()
        self._recolour()

    def _on_places(self) -> None:
        assert self._facts is not None
        plot, points = self._the_plot(), self._facts.points
        # Another projection has other axes: a view that was zoomed into the old one means nothing there.
        keep = self._shown == (points.folder, points.layer, points.projection)
        self._shown = (points.folder, points.layer, points.projection)
        self._hide_card()
        plot.set_points(points.xy, keep_view=keep)
        self.header.show_points(points)

    def _the_plot(self) -> ScatterPlot:
        if self.plot is None:
            from convviz_gui.gui.latent.scatter_plot import ScatterPlot

            plot = ScatterPlot()
            plot.hovered.connect(self._on_hover)
            plot.clicked.connect(self._on_click)
            plot.walked.connect(self.bench.choose)
            plot.activated.connect(self.bench.open)
            plot.menu_wanted.connect(self._on_menu)
            self._middle.insertWidget(0, plot)
            self._middle.setStretchFactor(0, 1)
            self._middle.setCollapsible(0, False)
            self._middle.setCollapsible(1, False)
            side = min(max(round(self.width() * _SIDE_PART), _SIDE_LEAST), _SIDE_MOST)
            self._middle.setSizes([max(self.width() - side, 1), side])
            self._card = HoverCard(self.thumbnails, plot)
            self.setFocusProxy(plot)
            self.plot = plot
        return self.plot

    def _on_split(self) -> None:
        self._split_by_user = True

    def _share_height(self) -> None:
        """Give the legend what it needs, up to a part, and the ranking the rest, unless the user has shared it out."""
        if self._split_by_user:
            return
        height = self._side.height()
        legend = min(self.legend.full_height(), round(height * _LEGEND_PART))
        self._side.setSizes([legend, height - legend])

    def _recolour(self) -> None:
        assert self._facts is not None
        offered = choices(self._facts)
        by = self._wanted_colour if self._wanted_colour in offered else offered[0]
        self.header.show_choices(offered, by)
        self._colouring = colour_by(self._facts, by)
        note = "Logarithmic scale." if self._colouring.logarithmic else ""
        if by is ColourBy.PREDICTION and not self._facts.has_labels:
            note = "No sub-folders, so no labels: these are the network's predictions."
        self.legend.show_colouring(self._colouring, self._table(), note)
        self._paint_points()

    def _table(self) -> ByteArray:
        assert self._colouring is not None
        base = self.palette().color(QPalette.ColorRole.Base)
        ground = (base.red(), base.green(), base.blue())
        return self._colouring.table(dark=base.lightness() < 128, ground=ground)

    def _paint_points(self) -> None:
        if self.plot is not None and self._colouring is not None:
            dimmed = self.legend.dimmed()
            colouring = self._colouring
            self.plot.set_colours(
                colouring.rows(dimmed), self._table(), colouring.mask(dimmed), colouring.height(dimmed)
            )

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        if event.type() == QEvent.Type.PaletteChange and self._facts is not None:
            self._recolour()
        super().changeEvent(event)

    # ------------------------------------------------------------------------------------- what is chosen

    def _on_point(self, point: int) -> None:
        if self._facts is None:
            return
        self._the_plot().choose(point, self._facts.neighbours(point) if point >= 0 else ())
        self.ranking.choose(point)
        self.strip.show_point(self._facts, point)

    def _on_click(self, point: int) -> None:
        self.bench.choose(point)
        self.bench.open(point)

    def _on_colour(self, by: ColourBy) -> None:
        self._wanted_colour = by
        if self._facts is not None:
            self._recolour()

    def _on_hover(self, point: int) -> None:
        if self._facts is None or self.plot is None or self._card is None or point < 0:
            self._hide_card()
            self.status.emit("")
            return
        self._card.show_point(self._facts, point, self.plot.place(point).toPoint())
        self.status.emit(" · ".join((self._facts.name(point), *details(self._facts, point))))

    def _hide_card(self) -> None:
        if self._card is not None:
            self._card.hide()

    # -------------------------------------------------------------------------------------- on its way out

    def _on_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        if self.bench.point >= 0:
            menu.addAction("Open picture", lambda: self.bench.open(self.bench.point))
        lines = menu.addAction("Lines to neighbours")
        lines.setCheckable(True)
        lines.setChecked(self.strip.lines.isChecked())
        lines.toggled.connect(self.strip.lines.setChecked)
        menu.addAction("Show all points", lambda: self.plot.fit() if self.plot else None)
        menu.addSeparator()
        menu.addAction("Copy picture", self.copy_picture)
        menu.addAction("Save picture…", self.save_picture)
        menu.addSeparator()
        menu.addAction("Copy ranking as CSV", self.copy_ranking)
        menu.addAction("Save ranking as CSV…", self.save_ranking)
        menu.exec(place)
        menu.deleteLater()

    def copy_picture(self) -> None:
        """Put the map on the clipboard."""
        QGuiApplication.clipboard().setImage(self._picture())

    def save_picture(self) -> None:
        """Save the map as PNG."""
        save_picture(self, self._picture(), self._file_name())

    def copy_ranking(self) -> None:
        """Put the ranking by outlier score on the clipboard."""
        if self._facts is not None:
            QGuiApplication.clipboard().setText(self._facts.csv())

    def save_ranking(self) -> None:
        """Save the ranking by outlier score as CSV."""
        suggested = f"{self._file_name()}.csv"
        chosen, _ = QFileDialog.getSaveFileName(self, "Save ranking", suggested, "Comma-separated values (*.csv)")
        if not chosen or self._facts is None:
            return
        path = Path(chosen) if chosen.lower().endswith(".csv") else Path(f"{chosen}.csv")
        try:
            write_bytes(path, self._facts.csv().encode())
        except OSError as error:
            QMessageBox.warning(self, "The ranking was not saved", str(problem_from(error)))

    def _picture(self) -> QImage:
        self._hide_card()
        return self._the_plot().grab().toImage()

    def _file_name(self) -> str:
        assert self._facts is not None
        points = self._facts.points
        return f"{Path(points.folder).name} {points.layer} {points.projection}"


def _section(text: str) -> ElidedLabel:
    label = ElidedLabel(text)
    label.setProperty("role", "section")
    return label

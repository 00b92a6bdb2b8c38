"""The tab "Latent space": a dataset on a map, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from convviz_gui.engine.embedded.stored_thumbnails import StoredThumbnails
from convviz_gui.engine.latent.whose import model_of
from convviz_gui.engine.payloads import IntArray, Located, Payload, Points
from convviz_gui.engine.types import Locate, Nearest, Outcome, Reproject, Result
from convviz_gui.gui.desk.desk_page import DeskPage
from convviz_gui.gui.latent.guests import Guests
from convviz_gui.gui.latent.map_page import MapPage
from convviz_gui.gui.latent.map_words import title
from convviz_gui.gui.latent.page_bar import PageBar, PageSwitch
from convviz_gui.gui.latent.placed import Placed
from convviz_gui.gui.latent.selection_words import counted
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.photos.image_loader import ImageLoader
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import Errand, PayloadView

EMPTY = "Open a folder of pictures to see how the network sorts it. Sub-folders become labels."
EMPTY_BUTTON = "Open a folder…"
SIMILAR = "retrieve"
"""The method that finds pictures like the one in the tray."""


@dataclass(frozen=True, slots=True)
class _Map:
    """A map, and which rows i64 of the one before it in the trail it shows."""

    result: Result
    rows: IntArray


class LatentView(PayloadView):
    """Shows `Points`: where the network puts the pictures of a dataset."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self.bench = Workbench(self)
        self.thumbnails = Thumbnails(self)
        self.loader = ImageLoader(self)
        self.guests = Guests(self.bench, self.loader, self)
        self.map = MapPage(self.bench, self.thumbnails, self.loader)
        self._trail: list[_Map] = []
        self._stored: StoredThumbnails | None = None
        self.pages = QStackedWidget()
        self.switch = PageSwitch(self.pages)
        self.switch.add("Map", self.map, "Where the network puts the pictures")
        self.desk = DeskPage(self.bench, self.thumbnails)
        self.switch.add("Desk", self.desk, "What may be wrong with the data, reviewed by keyboard")
        self.switch.page_changed.connect(self._on_page)
        self.bar = PageBar(self.switch)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.pages, 1)
        self.set_content(content)
        self.setFocusProxy(self.switch.page())
        self._connect()
        self.show_message(EMPTY, EMPTY_BUTTON)

    def _connect(self) -> None:
        self.destroyed.connect(self.loader.close)
        if app := QCoreApplication.instance():
            app.aboutToQuit.connect(self.loader.close)
        self.bar.went.connect(self.go_back)
        self.bench.open_wanted.connect(self._open)
        self.bench.guest_wanted.connect(self._open_guest)
        self.bench.command_wanted.connect(self.command_wanted)
        self.bench.point_changed.connect(self._offer_place)
        self.bench.points_changed.connect(self._offer_place)
        self.guests.problem.connect(self.problem)
        self.guests.status.connect(self.status)
        self.map.status.connect(self.status)
        self.map.worked_out.connect(self._on_image)
        self.map.picture_dropped.connect(self._on_dropped)
        self.desk.status.connect(self.status)
        self.desk.map_wanted.connect(lambda: self.switch.show_page("Map"))
        self.map.strip.similar_wanted.connect(self._on_similar)
        self.map.strip.place_wanted.connect(self.place_current)
        self.selection.image_changed.connect(self._on_image)

    # ------------------------------------------------------------------------------------------- the maps

    def show_preview(self, payload: Payload) -> None:
        """Show a frame of a run under way; only the places change while the pictures are the same."""
        if isinstance(payload, Points):
            self._trail.clear()
            self._show(payload, None)

    def show_result(self, result: Result) -> None:
        """Show a finished map; if the one on screen is a part of it, that one stays."""
        if not isinstance(result.payload, Points):
            return
        if not self._trail or result is not self._trail[0].result:
            self._trail = [_Map(result, np.zeros(0, np.int64))]
            self.bench.forget_placed()
        self._show_map()

    def show_working(self, command: Errand, preview: Payload) -> None:
        """Show a frame of a part's projection under way."""
        if isinstance(preview, Points) and self._trail and command.result is self._trail[-1].result:
            self._show(preview, None)

    def show_outcome(self, command: Errand, outcome: Outcome) -> None:
        """Show the map of a part, or a picture on the map."""
        if isinstance(outcome, Located) and isinstance(command, Locate):
            self.guests.arrive(command, outcome)
        elif isinstance(outcome, Located) and isinstance(command, Nearest):
            if command.result is self.bench.result:
                self.bench.learn(command.row, outcome)
        elif isinstance(outcome, Result) and isinstance(command, Reproject):
            at = next((at for at, there in enumerate(self._trail) if there.result is command.result), None)
            if at is not None and isinstance(outcome.payload, Points):
                self._trail[at + 1 :] = [_Map(outcome, np.unique(np.array(command.rows, np.int64)))]
                self._show_map()

    def show_given_up(self, command: Errand) -> None:
        """Show the map that was there before."""
        if isinstance(command, Reproject) and self._trail:
            self._show_map()

    def on_screen(self, result: Result) -> Result:
        """The map on screen, which may be of a part of the result's pictures."""
        return self._trail[-1].result if self._trail and self._trail[0].result is result else result

    def go_back(self, number: int) -> None:
        """Go back to one of the maps that the one on screen is a part of, 0 for the whole; the part is selected."""
        part = self._trail[number + 1].rows
        del self._trail[number + 1 :]
        self._show_map()
        self.bench.select(part)

    def _show_map(self) -> None:
        result = self._trail[-1].result
        assert isinstance(result.payload, Points)
        self._show(result.payload, result)
        self.screen_changed.emit()

    def _show(self, points: Points, result: Result | None) -> None:
        wholes = self._trail[:-1] if result is not None else self._trail
        self.bar.show_trail([counted(len(map_.result.payload.paths)) for map_ in wholes], title(points))  # type: ignore[union-attr]
        model = result.model if result is not None else self.selection.model
        self._look_in(points.folder if points.origin is not None else "")
        self.bench.show(points, model_of(points, model) if model is not None else None, result)
        self.stage.show_content()
        if self.bench.point < 0 and self.bench.guest is None:
            self._on_image()

    def _look_in(self, directory: str) -> None:
        """Have thumbnails that were stored with features stand in for pictures that are not here; "" for none."""
        if directory != (self._stored.folder if self._stored is not None else ""):
            self._stored = StoredThumbnails(directory) if directory else None
            self.thumbnails.set_stored(self._stored)
            self.desk.pane.large.set_stored(self._stored)

    # --------------------------------------------------------------------------------------- the pictures

    def _on_page(self) -> None:
        page = self.switch.page()
        self.setFocusProxy(page)
        if page.isVisible():
            page.setFocus()

    def _open(self, row: int) -> None:
        assert self.bench.facts is not None
        self.open_image.emit(self.bench.facts.points.paths[row])

    def _open_guest(self, guest: Placed) -> None:
        if guest.image.path is not None:
            self.open_image.emit(guest.image.path)
        else:
            self.selection.set_image(guest.image)

    def _on_similar(self, row: int) -> None:
        """Go to the pictures like this one, which the method finds for the picture in the tray."""
        if row >= 0:
            self._open(row)
        elif self.bench.guest is not None:
            self._open_guest(self.bench.guest)
        self.show_method.emit(SIMILAR)

    def _on_image(self) -> None:
        """The photo in the tray is chosen on the map, too, if it is there."""
        row = self._row_of_current()
        if row >= 0 and row != self.bench.point:
            self.bench.choose(row)
        self._offer_place()

    def _row_of_current(self) -> int:
        image, facts = self.selection.image, self.bench.facts
        return facts.row(image.path) if facts is not None and image is not None and image.path else -1

    def _offer_place(self) -> None:
        image = self.selection.image
        there = image is not None and self.bench.result is not None and self._row_of_current() < 0
        self.map.strip.offer_place(image.name if there and image is not None else "")

    def place_current(self) -> None:
        """Find where the picture in the tray belongs on the map."""
        if self.selection.image is not None:
            self.guests.place(self.selection.image)

    def _on_dropped(self, dropped: object) -> None:
        """A file, or a picture that is none, was dropped on the map."""
        if isinstance(dropped, QImage):
            self.guests.drop((), dropped)
        elif isinstance(dropped, str | Path):
            self.guests.drop((Path(dropped),))

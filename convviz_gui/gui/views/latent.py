"""The tab "Latent space": a dataset on a map, and what is wrong with it."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Payload, Points
from convviz_gui.engine.types import Result
from convviz_gui.gui.latent.map_page import MapPage
from convviz_gui.gui.latent.map_words import title
from convviz_gui.gui.latent.page_bar import PageBar, PageSwitch
from convviz_gui.gui.latent.thumbnails import Thumbnails
from convviz_gui.gui.latent.workbench import Workbench
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.views.base import PayloadView

EMPTY = "Open a folder of pictures to see how the network sorts it. Sub-folders become labels."
EMPTY_BUTTON = "Open a folder…"


class LatentView(PayloadView):
    """Shows `Points`: where the network puts the pictures of a dataset."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self.bench = Workbench(self)
        self.thumbnails = Thumbnails(self)
        self.map = MapPage(self.bench, self.thumbnails)
        self.pages = QStackedWidget()
        self.switch = PageSwitch(self.pages)
        self.switch.add("Map", self.map, "Where the network puts the pictures")
        self.bar = PageBar(self.switch)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.pages, 1)
        self.set_content(content)
        self.setFocusProxy(self.map)
        self.bench.open_wanted.connect(self._open)
        self.map.status.connect(self.status)
        selection.image_changed.connect(self._on_image)
        self.show_message(EMPTY, EMPTY_BUTTON)

    def show_preview(self, payload: Payload) -> None:
        """Show a frame of a projection under way; only the places change while the pictures are the same."""
        if isinstance(payload, Points):
            self._show(payload, None)

    def show_result(self, result: Result) -> None:
        """Show a finished map."""
        if isinstance(result.payload, Points):
            self._show(result.payload, result)

    def _show(self, points: Points, result: Result | None) -> None:
        self.bench.show(points, result.model if result is not None else self.selection.model, result)
        self.bar.title.setText(title(points))
        self.stage.show_content()
        if self.bench.point < 0:
            self._on_image()

    def _open(self, row: int) -> None:
        assert self.bench.facts is not None
        self.open_image.emit(self.bench.facts.points.paths[row])

    def _on_image(self) -> None:
        """The photo in the tray is chosen on the map, too, if it is there."""
        image = self.selection.image
        row = self.bench.facts.row(image.path) if self.bench.facts and image and image.path else -1
        if row >= 0 and row != self.bench.point:
            self.bench.choose(row)

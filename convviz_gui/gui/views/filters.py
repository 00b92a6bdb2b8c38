"""Synthetic pictures of channels, forming live, and how the loss went."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QGuiApplication, QPalette
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Gallery, Payload
from convviz_gui.engine.types import Result
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT, numbers_font
from convviz_gui.gui.pictures.picture_files import save_picture
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.filter_panel import FilterPanel
from convviz_gui.gui.tiles.gallery_tiles import OF_CHANNELS, GalleryTiles, stitched
from convviz_gui.gui.tiles.tile_grid import TileGrid
from convviz_gui.gui.views.base import PayloadView


class FiltersView(PayloadView):
    """Shows `Gallery`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._gallery: Gallery | None = None
        self._item = 0
        self._ended = False
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.progress = QLabel()
        self.progress.setProperty("role", "muted")
        self.progress.setFont(numbers_font(self.progress.font()))
        self.fade = QCheckBox("Transparency")
        self.fade.setToolTip(
            "What did not matter fades. Opacity is how much each place mattered on the way: Σ |∂loss/∂pixel|, full "
            "from its 80th percentile on"
        )
        self.fade.hide()
        self.save_button = QPushButton("Save grid…")
        self.save_button.setToolTip("All pictures stitched into one PNG, as in the chapter")
        self.grid = TileGrid("Filters", side=104)
        self.panel = FilterPanel()
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        above = QHBoxLayout()
        above.setSpacing(2 * UNIT)
        above.addWidget(self.title, 1)
        above.addWidget(self.fade)
        above.addWidget(self.progress)
        above.addWidget(self.save_button)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.grid)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([480, 272])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(above)
        column.addWidget(splitter, 1)
        return content

    def _connect(self) -> None:
        self.grid.chosen.connect(self._choose)
        self.grid.opened.connect(self._open)
        self.grid.pointed.connect(self._tell)
        self.fade.toggled.connect(self._redraw)
        self.save_button.clicked.connect(self._save_grid)
        self.panel.activation_wanted.connect(lambda: self.show_tab.emit("activations"))
        self.panel.unit_wanted.connect(lambda: self.show_method.emit("unit"))
        self.selection.channel_changed.connect(self._on_channel)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        everything = QAction("Everything about this channel", self.grid)
        everything.triggered.connect(lambda: self.show_method.emit("unit"))
        copy, save = QAction("Copy grid", self.grid), QAction("Save grid…", self.grid)
        copy.triggered.connect(self._copy_grid)
        save.triggered.connect(self._save_grid)
        self.grid.addActions([everything, copy, save])

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show the pictures so far; only those that changed are drawn again."""
        if isinstance(payload, Gallery):
            self._show(payload, ended=False)

    def show_result(self, result: Result) -> None:
        """Show a finished (or stopped) run."""
        if isinstance(result.payload, Gallery):
            self._show(result.payload, ended=True)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, gallery: Gallery, *, ended: bool) -> None:
        before, self._gallery = self._gallery, gallery
        self._ended = ended
        self.fade.setVisible(gallery.transparency is not None)
        tiles = GalleryTiles(gallery, ended=ended, ground=self._ground())
        grows = before is not None and _same_tiles(before, gallery) and not (ended and (gallery.done == 0).any())
        if before is not None and grows and self.stage.shows_content():
            changed = self.grid.replace(tiles, tiles.changed(before))
        else:
            changed = True
            self._item = self._wanted_item()
            self.grid.set_source(tiles)
            self.grid.select(self._item, show=True)
        self._say(gallery)
        if changed:
            self.panel.show_item(gallery, self._item, self._ground())
        self.stage.show_content()

    def _say(self, gallery: Gallery) -> None:
        count, steps = len(gallery.channels), gallery.trace.shape[1]
        asked = "Class scores" if not gallery.layer else gallery.layer
        noun = "filter" if gallery.objective in OF_CHANNELS else "picture"
        self.title.setText(f"{asked}   {count} {noun}{'' if count == 1 else 's'}")
        dead, formed = int(gallery.dead.sum()), int(((gallery.done >= steps) & ~gallery.dead).sum())
        said = f"{formed} of {count} formed"
        self.progress.setText(f"{said}, {dead} dead" if dead else said)

    def _follows(self) -> bool:
        """True if the pictures are of channels of the layer that the window looks at."""
        gallery = self._gallery
        return gallery is not None and gallery.objective in OF_CHANNELS and gallery.layer == self.selection.layer

    def _ground(self) -> int | None:
        """The grey into which what did not matter fades, or None for whole pictures."""
        return self.palette().color(QPalette.ColorRole.Window).lightness() if self.fade.isChecked() else None

    def _redraw(self) -> None:
        if self._gallery is not None:
            self.grid.set_source(GalleryTiles(self._gallery, ended=self._ended, ground=self._ground()), keep=True)
            self.panel.show_item(self._gallery, self._item, self._ground())

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and self.fade.isChecked():
            self._redraw()

    def _wanted_item(self) -> int:
        """The channel chosen in the window if it is here, else the first."""
        assert self._gallery is not None
        if not self._follows():
            return 0
        found = np.flatnonzero(self._gallery.channels == self.selection.channel)
        return int(found[0]) if found.size else 0

    # ----------------------------------------------------------------------------------- what happens here

    def _choose(self, item: int) -> None:
        self._item = item
        if self._gallery is None:
            return
        self.panel.show_item(self._gallery, item, self._ground())
        if self._follows():
            self.selection.set_channel(int(self._gallery.channels[item]))

    def _open(self, item: int) -> None:
        self._choose(item)
        self.panel.picture.setFocus()

    def _on_channel(self) -> None:
        if self._gallery is None or not self._follows():
            return
        found = np.flatnonzero(self._gallery.channels == self.selection.channel)
        if found.size and int(found[0]) != self._item:
            self._item = int(found[0])
            self.grid.select(self._item, show=True)
            self.panel.show_item(self._gallery, self._item, self._ground())

    def _tell(self, item: int | None) -> None:
        if item is None or self._gallery is None:
            self.status.emit("")
        else:
            self.status.emit(GalleryTiles(self._gallery).describe(item))

    def _copy_grid(self) -> None:
        if self._gallery is not None:
            QGuiApplication.clipboard().setImage(stitched(self._gallery, transparent=self.fade.isChecked()))

    def _save_grid(self) -> None:
        if self._gallery is not None:
            sheet = stitched(self._gallery, transparent=self.fade.isChecked())
            save_picture(self, sheet, f"{self._gallery.layer} filters".strip())


def _same_tiles(first: Gallery, second: Gallery) -> bool:
    same = first.layer == second.layer and first.objective == second.objective and first.labels == second.labels
    return same and np.array_equal(first.channels, second.channels) and first.images.shape == second.images.shape

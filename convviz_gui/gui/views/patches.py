"""What of a folder's pictures each channel of a layer answers to."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Patches, Payload
from convviz_gui.engine.types import Result
from convviz_gui.gui.latent.skipped_dialog import SkippedDialog
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture_files import save_picture
from convviz_gui.gui.selection import Selection
from convviz_gui.gui.tiles.patch_panel import PatchPanel
from convviz_gui.gui.tiles.patch_tiles import ChannelMosaics, Order
from convviz_gui.gui.tiles.tile_grid import TileGrid
from convviz_gui.gui.views.base import PayloadView

_WHICH = {"top": "strongest", "lowest": "weakest", "median": "middling"}


class PatchesView(PayloadView):
    """Shows `Patches`."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(selection, parent)
        self._patches: Patches | None = None
        self._row = 0
        self.title = ElidedLabel()
        self.title.setProperty("role", "title")
        self.facts = ElidedLabel()
        self.facts.setProperty("role", "muted")
        self.left_out = QPushButton()
        self.left_out.setToolTip("Which files could not be read, and why")
        self.order = QComboBox()
        self.order.setAccessibleName("Sort")
        self.order.setToolTip("Order of the channels; the largest value comes first")
        for order in Order:
            self.order.addItem(f"by {order}", order)
        self.grid = TileGrid("Channels with their patches", side=136)
        self.panel = PatchPanel()
        self.set_content(self._arrange())
        self._connect()

    def _arrange(self) -> QWidget:
        above = QHBoxLayout()
        above.setSpacing(UNIT)
        above.addWidget(self.title, 1)
        above.addWidget(self.left_out)
        above.addWidget(self.order)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.grid)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([440, 304])
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(UNIT, UNIT, UNIT, UNIT)
        column.setSpacing(UNIT)
        column.addLayout(above)
        column.addWidget(self.facts)
        column.addWidget(splitter, 1)
        return content

    def _connect(self) -> None:
        self.order.currentIndexChanged.connect(lambda _: self._redraw())
        self.left_out.clicked.connect(self._show_skipped)
        self.grid.chosen.connect(self._choose)
        self.grid.opened.connect(self._open)
        self.grid.pointed.connect(self._tell)
        self.panel.status.connect(self.status)
        self.panel.open_wanted.connect(self.open_image)
        self.panel.filter_wanted.connect(lambda: self.show_tab.emit("filters"))
        self.panel.unit_wanted.connect(lambda: self.show_method.emit("unit"))
        self.selection.channel_changed.connect(self._on_channel)
        self.grid.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        copy, save = (
            QAction("Copy this channel's patches", self.grid),
            QAction("Save this channel's patches…", self.grid),
        )
        copy.triggered.connect(self._copy)
        save.triggered.connect(self._save)
        self.grid.addActions([copy, save])

    # -------------------------------------------------------------------------------------- PayloadView

    def show_preview(self, payload: Payload) -> None:
        """Show the first channels' patches so far."""
        if isinstance(payload, Patches):
            self._show(payload)

    def show_result(self, result: Result) -> None:
        """Show all channels' patches."""
        if isinstance(result.payload, Patches):
            self._show(result.payload)

    # ------------------------------------------------------------------------------------------ showing

    def _show(self, patches: Patches) -> None:
        before, self._patches = self._patches, patches
        same = before is not None and (before.layer, before.folder, before.which) == (
            patches.layer,
            patches.folder,
            patches.which,
        )
        row = self._wanted_row()
        self._row = row if row is not None else self._row if same and self._row < len(patches.channels) else 0
        self._say(patches)
        self._redraw(keep=same and self.stage.shows_content())
        self.stage.show_content()

    def _say(self, patches: Patches) -> None:
        shown, top = len(patches.channels), patches.values.shape[1]
        which = _WHICH[patches.which]
        self.title.setText(f"{patches.layer}   {shown} channels, the {top} {which} pictures of each")
        facts = [f"{len(patches.paths)} pictures", _sees(patches)]
        if not patches.final:
            facts = [f"the first {shown} channels while the pictures are read", _sees(patches)]
        self.facts.setText("  ·  ".join(facts))
        count = len(patches.skipped)
        self.left_out.setText(f"{count} left out")
        self.left_out.setVisible(count > 0)

    def _redraw(self, *, keep: bool = True) -> None:
        patches = self._patches
        if patches is None:
            return
        order = Order(self.order.currentData())
        self.grid.set_source(ChannelMosaics(patches), order.order(patches), keep=keep)
        self.grid.select(self._row, show=not keep)
        self.panel.show_row(patches, self._row)

    def _wanted_row(self) -> int | None:
        """The channel chosen in the window, if it is here."""
        patches = self._patches
        if patches is None or patches.layer != self.selection.layer:
            return None
        found = np.flatnonzero(patches.channels == self.selection.channel)
        return int(found[0]) if found.size else None

    # ----------------------------------------------------------------------------------- what happens here

    def _choose(self, row: int) -> None:
        self._row = row
        if self._patches is None:
            return
        self.panel.show_row(self._patches, row)
        if self._patches.layer == self.selection.layer:
            self.selection.set_channel(int(self._patches.channels[row]))

    def _open(self, row: int) -> None:
        self._choose(row)
        self.panel.grid.setFocus()

    def _on_channel(self) -> None:
        row = self._wanted_row()
        if row is not None and row != self._row and self._patches is not None:
            self._row = row
            self.grid.select(row, show=True)
            self.panel.show_row(self._patches, row)

    def _tell(self, row: int | None) -> None:
        here = row is not None and self._patches is not None
        self.status.emit(ChannelMosaics(self._patches).describe(row) if here else "")  # type: ignore[arg-type]

    def _show_skipped(self) -> None:
        if self._patches is not None:
            dialog = SkippedDialog(self._patches.skipped, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def _copy(self) -> None:
        if self._patches is not None:
            picture = ChannelMosaics(self._patches).picture(self._row)
            if picture is not None:
                QGuiApplication.clipboard().setImage(picture)

    def _save(self) -> None:
        if self._patches is not None:
            picture = ChannelMosaics(self._patches).picture(self._row)
            name = f"{self._patches.layer} channel {int(self._patches.channels[self._row])} patches"
            if picture is not None:
                save_picture(self, picture, name)


def _sees(patches: Patches) -> str:
    """How the patches were cut, in words."""
    if patches.sees == "whole":
        return "every place sees the whole picture, so the whole crop is shown"
    if patches.sees == "unknown":
        return "what a place sees cannot be told, so the whole crop is shown"
    rows, columns = patches.field_size
    gated = "; the whole picture scales its channels" if patches.gated else ""
    return f"each place sees {rows}×{columns} pixels of the input{gated}"

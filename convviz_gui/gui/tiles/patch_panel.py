"""One channel's patches, large, and the photo that one of them is of."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Patches
from convviz_gui.gui.latent.thumbnails import Thumbnails, full_size
from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.tiles.patch_tiles import PatchTiles, describe
from convviz_gui.gui.tiles.tile_grid import TileGrid

PHOTO = 1024
"""Longest side, in pixels, of the photos shown here."""
_KEPT = 12


class PatchPanel(QWidget):
    """Shows a row of `Patches`.

    Signals:
        open_wanted: path of a photo the user wants in the image tray.
        status: what is under the cursor, in words.
        filter_wanted, unit_wanted: the user wants to see the channel's synthetic picture, or everything about it.
    """

    open_wanted = Signal(str)
    status = Signal(str)
    filter_wanted = Signal()
    unit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._patches: Patches | None = None
        self._row = 0
        self._rank = 0
        self._drawn = ""
        self.photos = Thumbnails(self, size=PHOTO, kept=_KEPT)
        self.title = QLabel()
        self.title.setProperty("role", "section")
        self.grid = TileGrid("Patches of the channel", side=80)
        self.photo = Picture("Photo with the patch")
        self.name = ElidedLabel()
        self.name.setProperty("role", "muted")
        self.problem = plain(QLabel(wordWrap=True))
        self.problem.setProperty("role", "warning")
        self.problem.hide()
        self.open = QPushButton("Open")
        self.open.setToolTip("Open this photo in the image tray, with its predictions (Enter)")
        self.filter_button, self.unit_button = QToolButton(), QToolButton()
        self.filter_button.setText("→ see its filter")
        self.filter_button.setToolTip("What this channel looks for, grown from noise")
        self.unit_button.setText("→ everything about it")
        self.unit_button.setToolTip("The page of this channel (U)")
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, UNIT // 2, 0, 0)
        lower.setSpacing(UNIT // 2)
        lower.addWidget(self.photo, 1)
        lower.addWidget(self.problem)
        line = QHBoxLayout()
        line.setSpacing(UNIT)
        line.addWidget(self.name, 1)
        line.addWidget(self.open)
        lower.addLayout(line)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.grid)
        splitter.addWidget(below)
        splitter.setSizes([300, 260])
        links = QHBoxLayout()
        links.addWidget(self.filter_button)
        links.addWidget(self.unit_button)
        links.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.title)
        column.addWidget(splitter, 1)
        column.addLayout(links)
        self.setMinimumWidth(216)

    def _connect(self) -> None:
        self.grid.chosen.connect(self.choose)
        self.grid.opened.connect(self._open)
        self.grid.pointed.connect(self._tell)
        self.open.clicked.connect(lambda: self._open(self._rank))
        self.photos.arrived.connect(self._on_photo)
        self.filter_button.clicked.connect(self.filter_wanted)
        self.unit_button.clicked.connect(self.unit_wanted)

    def show_row(self, patches: Patches, row: int) -> None:
        """Show a channel's patches, and the photo of the same rank as before."""
        same = self._patches is not None and self._row == row and self._patches.channels[0] == patches.channels[0]
        self._patches, self._row = patches, row
        if not same:
            self._rank = 0
        tiles = PatchTiles(patches, row)
        self.title.setText(f"Channel {int(patches.channels[row])}")
        self.grid.set_source(tiles, keep=same)
        self.choose(min(self._rank, max(tiles.count - 1, 0)))

    @property
    def rank(self) -> int:
        """The rank of the patch whose photo is shown."""
        return self._rank

    def choose(self, rank: int) -> None:
        """Show the photo of a patch with what the unit sees of it."""
        self._rank = rank
        self.grid.select(rank, show=True)
        path = self._path()
        self.open.setEnabled(path is not None)
        if self._patches is not None and path is not None:
            self.name.setText(describe(self._patches, self._row, rank))
            self.name.setToolTip(path)
        self._show_photo()

    def _path(self) -> str | None:
        if self._patches is None:
            return None
        picture = int(self._patches.pictures[self._row, self._rank])
        return self._patches.paths[picture] if picture >= 0 else None

    def _show_photo(self) -> None:
        path = self._path()
        photo = self.photos.get(path) if path is not None else None
        if path is None or photo is None or self._patches is None:
            # What was there would be taken for the photo that is on its way.
            self.photo.set_image(None, smooth=True)
            self.photo.set_boxes(())
            self._drawn = ""
            problem = self.photos.problem(path) if path is not None else ""
            self.problem.setText(problem)
            self.problem.setVisible(bool(problem))
            return
        self.problem.hide()
        if self._drawn != path:
            self.photo.setAccessibleName(f"{Path(path).name} with the patch")
            self.photo.set_image(photo, smooth=True)
            self._drawn = path
        full = full_size(photo)
        across, down = photo.width() / full.width(), photo.height() / full.height()
        x, y, width, height = (float(number) for number in self._patches.boxes[self._row, self._rank])
        self.photo.set_boxes((QRectF(x * across, y * down, width * across, height * down),))

    def _on_photo(self, path: str) -> None:
        if path == self._path():
            self._show_photo()

    def _open(self, rank: int) -> None:
        self.choose(rank)
        path = self._path()
        if path is not None:
            self.open_wanted.emit(path)

    def _tell(self, rank: int | None) -> None:
        here = rank is not None and self._patches is not None
        self.status.emit(describe(self._patches, self._row, rank) if here else "")  # type: ignore[arg-type]

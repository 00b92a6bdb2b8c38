"""One synthetic picture, large, and how its loss went."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget

from convviz_gui.engine.payloads import Gallery
from convviz_gui.gui.charts.curve import Curve
from convviz_gui.gui.look.plain import plain
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture import Picture
from convviz_gui.gui.tiles.gallery_tiles import OF_CHANNELS, GalleryTiles


class FilterPanel(QWidget):
    """Shows one item of a gallery.

    Signals:
        activation_wanted: the user wants to see the channel's answer to the photo.
        unit_wanted: the user wants to see everything about the channel.
    """

    activation_wanted = Signal()
    unit_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = plain(QLabel(wordWrap=True))
        self.title.setProperty("role", "section")
        self.picture = Picture("Synthetic picture")
        self.note = plain(QLabel(wordWrap=True))
        self.note.setProperty("role", "muted")
        self.origin = plain(QLabel(wordWrap=True))
        self.origin.setProperty("role", "muted")
        self.origin.setToolTip("Strength of coarse and fine structure, alike in all pictures; only phases are made up")
        heading = QLabel("Loss at each step")
        heading.setProperty("role", "muted")
        heading.setToolTip("What is being raised (or lowered): how strongly the target responds to the picture")
        self.curve = Curve("Loss at each step")
        self.back = QToolButton()
        self.back.setText("→ see where it answers in the photo")
        self.back.clicked.connect(self.activation_wanted)
        self.unit_button = QToolButton()
        self.unit_button.setText("→ everything about it")
        self.unit_button.setToolTip("Weights, strongest pictures, rates, neighbours: the page of this channel (U)")
        self.unit_button.clicked.connect(self.unit_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(UNIT, 0, 0, 0)
        column.setSpacing(UNIT)
        column.addWidget(self.title)
        column.addWidget(self.picture, 3)
        column.addWidget(self.note)
        column.addWidget(self.origin)
        column.addWidget(heading)
        column.addWidget(self.curve, 1)
        column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.unit_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.setMinimumWidth(200)

    def show_item(self, gallery: Gallery, item: int, ground: int | None = None) -> None:
        """Show the item's picture so far, or why there is none; with a `ground`, what did not matter fades into it."""
        tiles = GalleryTiles(gallery, ground=ground)
        self.title.setText(tiles.name(item))
        self.picture.setAccessibleName(f"{gallery.layer} filter {gallery.label(item)}".strip())
        self.picture.set_image(tiles.picture(item), smooth=True)
        self.note.setText(tiles.describe(item))
        self.note.setVisible(bool(tiles.note(item)))
        self.origin.setText(f"Spectrum: {gallery.spectrum_of}")
        self.origin.setVisible(bool(gallery.spectrum_of))
        self.curve.set_trace(gallery.trace[item])
        for button in (self.back, self.unit_button):
            button.setVisible(gallery.objective in OF_CHANNELS)

"""The whole photo that a patch was cut from, with the part marked."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QImageIOHandler, QImageReader
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from convviz_gui.gui.look.elided import ElidedLabel
from convviz_gui.gui.look.theme import UNIT
from convviz_gui.gui.pictures.picture import Picture

_LARGEST = 1600
"""Pixels a side that a photo is shown with at most."""


class PatchPhoto(QWidget):
    """Hidden until a photo is to be shown.

    Signals:
        tray_wanted: the user wants the photo in the image tray.
        close_wanted: the user has seen enough.
    """

    tray_wanted = Signal()
    close_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.photo = Picture("Photo of the patch")
        self.photo.setFixedHeight(36 * UNIT)
        self.photo_name = ElidedLabel()
        self.tray_button = QPushButton("Open in the tray")
        self.tray_button.clicked.connect(self.tray_wanted)
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.close_wanted)
        row = QHBoxLayout()
        row.setSpacing(UNIT)
        row.addWidget(self.photo_name, 1)
        row.addWidget(self.tray_button)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, UNIT, 0, 0)
        column.addWidget(self.photo)
        column.addLayout(row)
        self.hide()

    def show_part(self, path: str, box: tuple[float, float, float, float]) -> bool:
        """Show a photo; `box` is x, y, width and height in its pixels. False if it can no longer be read."""
        reader = QImageReader(path)
        reader.setAutoTransform(True)
        size, upright = reader.size(), _upright(reader)
        longest = max(size.width(), size.height(), 1)
        if longest > _LARGEST:
            reader.setScaledSize(size * (_LARGEST / longest))
        image = reader.read()
        if image.isNull():
            return False
        factor = image.width() / max(upright.width(), 1)
        self.photo.set_image(image, smooth=True)
        self.photo.set_boxes([QRectF(*(side * factor for side in box))])
        self.photo_name.setText(Path(path).name)
        self.show()
        return True


def _upright(reader: QImageReader) -> QSize:
    """The photo's size as it is shown, turned as its file says."""
    size = reader.size()
    quarter = QImageIOHandler.Transformation.TransformationRotate90.value
    return size.transposed() if reader.transformation().value & quarter else size

"""Synthetic pictures of channels as tiles, and as one stitched sheet."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.render import mosaic
from convviz_gui.gui.pictures.qimage import to_qimage

MARGIN = 5
"""Pixels between the pictures of a stitched sheet, as in the chapter."""


class GalleryTiles:
    """`TileSource` of a gallery; items are its rows, captions the channels' numbers."""

    smooth = True

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.gallery.channels)

    def picture(self, item: int) -> QImage | None:
        """The picture so far; None while there is none, or if the channel did not respond."""
        return None if self.note(item) else to_qimage(self.gallery.images[item])

    def note(self, item: int) -> str:
        """Why there is no picture."""
        if self.gallery.dead[item]:
            return "dead"
        return "" if self.gallery.done[item] else "waiting"

    def caption(self, item: int) -> str:
        """The channel's number."""
        return str(int(self.gallery.channels[item]))

    def describe(self, item: int) -> str:
        """What the tile shows, in words."""
        channel, done, steps = self.caption(item), int(self.gallery.done[item]), self.gallery.trace.shape[1]
        if self.gallery.dead[item]:
            return f"Channel {channel} is dead: it answered to nothing that was tried"
        return f"Channel {channel}: waiting" if not done else f"Channel {channel} after {done} of {steps} steps"

    def changed(self, before: Gallery) -> list[int]:
        """Items whose tiles look different from those of `before`, which has the same channels."""
        now = self.gallery
        return np.flatnonzero((now.done != before.done) | (now.dead != before.dead)).tolist()


def stitched(gallery: Gallery) -> QImage:
    """The chapter's n×n grid; places without a picture say so."""
    tiles, columns = GalleryTiles(gallery), math.ceil(math.sqrt(len(gallery.channels)))
    sheet = to_qimage(mosaic(gallery.images, columns, MARGIN))
    height, width = gallery.images.shape[1:3]
    painter = QPainter(sheet)
    font = QFont()
    font.setPixelSize(max(width // 8, 6))
    painter.setFont(font)
    for item in range(tiles.count):
        if note := tiles.note(item):
            y, x = item // columns * (height + MARGIN), item % columns * (width + MARGIN)
            place = QRect(x, y, width, height)
            painter.fillRect(place, QColor(64, 64, 64))
            painter.setPen(QColor(224, 224, 224))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, note)
    painter.end()
    return sheet

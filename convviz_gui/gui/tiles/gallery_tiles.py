"""Synthetic pictures of channels as tiles, and as one stitched sheet."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.sheets import NOT_MADE, filter_sheet
from convviz_gui.gui.pictures.qimage import to_qimage


class GalleryTiles:
    """`TileSource` of a gallery; items are its rows, captions the channels' numbers. `ended`: no more will come."""

    smooth = True

    def __init__(self, gallery: Gallery, *, ended: bool = False) -> None:
        self.gallery = gallery
        self._waiting = NOT_MADE if ended else "waiting"

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
        return "" if self.gallery.done[item] else self._waiting

    def caption(self, item: int) -> str:
        """The channel's number."""
        return str(int(self.gallery.channels[item]))

    def describe(self, item: int) -> str:
        """What the tile shows, in words."""
        channel, done, steps = self.caption(item), int(self.gallery.done[item]), self.gallery.trace.shape[1]
        if self.gallery.dead[item]:
            return f"Channel {channel} is dead: it answered to nothing that was tried"
        return f"Channel {channel}: {self._waiting}" if not done else f"Channel {channel} after {done} of {steps} steps"

    def changed(self, before: Gallery) -> list[int]:
        """Items whose tiles look different from those of `before`, which has the same channels."""
        now = self.gallery
        return np.flatnonzero((now.done != before.done) | (now.dead != before.dead)).tolist()


def stitched(gallery: Gallery) -> QImage:
    """The chapter's n×n grid; places without a picture say so."""
    return to_qimage(filter_sheet(gallery))

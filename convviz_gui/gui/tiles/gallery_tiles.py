"""Synthetic pictures of channels as tiles, and as one stitched sheet."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from convviz_gui.engine.masking import masked
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.sheets import NOT_MADE, filter_sheet
from convviz_gui.gui.pictures.qimage import to_qimage

OF_CHANNELS = ("channel", "unit")
"""Objectives whose pictures are of a channel each."""


class GalleryTiles:
    """`TileSource` of a gallery; items are its rows.

    Args:
        ended: no more will come.
        ground: a grey, 0…255, into which what did not matter fades; None shows pictures whole.
    """

    smooth = True

    def __init__(self, gallery: Gallery, *, ended: bool = False, ground: int | None = None) -> None:
        self.gallery = gallery
        self._waiting = NOT_MADE if ended else "waiting"
        self._ground = ground

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.gallery.channels)

    def picture(self, item: int) -> QImage | None:
        """The picture so far; None while there is none, or if the target did not respond."""
        if self.note(item):
            return None
        pixels, transparency = self.gallery.images[item], self.gallery.transparency
        if self._ground is not None and transparency is not None:
            pixels = masked(pixels, transparency[item], self._ground)
        return to_qimage(pixels)

    def note(self, item: int) -> str:
        """Why there is no picture."""
        if self.gallery.dead[item]:
            return "dead"
        return "" if self.gallery.done[item] else self._waiting

    def caption(self, item: int) -> str:
        """What the picture is of: the channel's number, the class's name."""
        return self.gallery.label(item)

    def name(self, item: int) -> str:
        """What the picture is of, in words."""
        return named(self.gallery, item)

    def describe(self, item: int) -> str:
        """What the tile shows, in words."""
        done, steps = int(self.gallery.done[item]), self.gallery.trace.shape[1]
        if self.gallery.dead[item]:
            return f"{self.name(item)} is dead: it answered to nothing that was tried"
        return f"{self.name(item)}: {self._waiting}" if not done else f"{self.name(item)} after {done} of {steps} steps"

    def changed(self, before: Gallery) -> list[int]:
        """Items whose tiles look different from those of `before`, which has the same channels."""
        now = self.gallery
        return np.flatnonzero((now.done != before.done) | (now.dead != before.dead)).tolist()


_KINDS = {"channel": "Channel", "unit": "A unit of channel", "direction": "Direction", "photo": "Direction of the"}


def named(gallery: Gallery, item: int) -> str:
    """What a picture is of: "Channel 7", "What silences channel 7", "Class tabby"."""
    kind = _KINDS.get(gallery.objective, gallery.objective.capitalize())
    name = "The layer" if gallery.objective == "layer" else f"{kind} {gallery.label(item)}"
    if gallery.objective == "layer" and gallery.labels and gallery.label(item) != "layer":
        name += gallery.label(item).removeprefix("layer")
    return f"What silences {name[0].lower()}{name[1:]}" if gallery.negative else name


def stitched(gallery: Gallery, *, transparent: bool = False) -> QImage:
    """The chapter's n×n grid; places without a picture say so. `transparent`: see `filter_sheet`."""
    return to_qimage(filter_sheet(gallery, transparent=transparent))

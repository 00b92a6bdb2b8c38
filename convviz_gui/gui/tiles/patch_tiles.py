"""Max-activating patches as tiles: a mosaic for each channel, or the patches of one."""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from convviz_gui.engine.patch_cutting import placed
from convviz_gui.engine.payloads import ByteArray, IntArray, Patches
from convviz_gui.gui.look.plain import tip
from convviz_gui.gui.look.values import value
from convviz_gui.gui.pictures.qimage import to_qimage

_GAP = 2


class Order(StrEnum):
    """Order of the channels."""

    INDEX = "index"
    VALUE = "value"

    def order(self, patches: Patches) -> IntArray:
        """Rows in order, i64 [C]; the largest first value first."""
        if self is Order.INDEX:
            return np.arange(len(patches.channels))
        return np.argsort(-patches.values[:, 0], kind="stable")


class ChannelMosaics:
    """`TileSource` of all channels, each a square of its patches. Items are rows of the payload."""

    smooth = True

    def __init__(self, patches: Patches) -> None:
        self.patches = patches

    @property
    def count(self) -> int:
        """How many channels have patches so far."""
        return len(self.patches.channels)

    def picture(self, item: int) -> QImage | None:
        """The channel's patches, row by row."""
        images = self.patches.images[item]
        k, side = images.shape[:2]
        columns = math.ceil(math.sqrt(k))
        rows = math.ceil(k / columns)
        sheet = np.zeros((rows * (side + _GAP) - _GAP, columns * (side + _GAP) - _GAP, 3), np.uint8)
        for rank, image in enumerate(images):
            y, x = (rank // columns) * (side + _GAP), (rank % columns) * (side + _GAP)
            sheet[y : y + side, x : x + side] = image
        return to_qimage(sheet)

    def note(self, item: int) -> str:
        """A channel that was the same, nothing, in every picture shows no preference."""
        return "silent" if not np.nan_to_num(self.patches.values[item]).any() else ""

    def caption(self, item: int) -> str:
        """The channel's number and its first value."""
        return f"{int(self.patches.channels[item])}  {value(float(self.patches.values[item, 0]))}"

    def describe(self, item: int) -> str:
        """The channel and the range of its values."""
        values = self.patches.values[item]
        values = values[np.isfinite(values)]
        if not values.size:
            return f"Channel {int(self.patches.channels[item])}"
        ends = f"{value(float(values[0]))} to {value(float(values[-1]))}"
        silent = ": 0 in all of these, so they are no more than the first pictures" if self.note(item) else f": {ends}"
        return f"Channel {int(self.patches.channels[item])}{silent}"


class PatchTiles:
    """`TileSource` of one channel's patches. Items are ranks."""

    smooth = True

    def __init__(self, patches: Patches, row: int) -> None:
        self.patches, self.row = patches, row

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return int((self.patches.pictures[self.row] >= 0).sum())

    def picture(self, item: int) -> QImage | None:
        """The patch in its own shape; None if it saw nothing but padding."""
        inner = inside(self.patches, self.row, item)
        return to_qimage(inner) if inner.size else None

    def note(self, item: int) -> str:
        """Why there is nothing to see."""
        return "padding" if not inside(self.patches, self.row, item).size else ""

    def caption(self, item: int) -> str:
        """The raw value."""
        return value(float(self.patches.values[self.row, item]))

    def describe(self, item: int) -> str:
        """Value, picture and place."""
        return tip(describe(self.patches, self.row, item))


def inside(patches: Patches, row: int, rank: int) -> ByteArray:
    """A patch without the grey around it, u8 [h, w, 3]."""
    image = patches.images[row, rank]
    left, top, width, height = placed(patches.boxes[row, rank], len(image))
    inner: ByteArray = image[top : top + height, left : left + width]
    return inner


def describe(patches: Patches, row: int, rank: int) -> str:
    """ "31.2  ·  cat/3.jpg  ·  row 4, column 11", with the label's folder before the name."""
    picture = int(patches.pictures[row, rank])
    label, name = patches.labels[picture], Path(patches.paths[picture]).name
    at = patches.positions[row, rank].tolist()
    where = f"{label}/{name}" if label else name
    return f"{value(float(patches.values[row, rank]))}  ·  {where}  ·  row {at[0]}, column {at[1]}"

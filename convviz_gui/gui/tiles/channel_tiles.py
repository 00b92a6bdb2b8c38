"""A layer's channels as tiles: scaled and coloured when they come into sight."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PySide6.QtGui import QImage

from convviz_gui.engine.payloads import ByteArray, FloatArray, IntArray, Maps
from convviz_gui.engine.render import colourise
from convviz_gui.engine.scaling import ChannelScale, Scaling, channel_scale
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.qimage import coloured_qimage, to_qimage


class Sort(StrEnum):
    """Order of channels; all but INDEX put the largest first."""

    INDEX = "index"
    MEAN = "mean"
    MAX = "max"
    SPARSITY = "sparsity"

    def key(self, maps: Maps) -> FloatArray | None:
        """What is sorted by, f32 [C]; None for INDEX."""
        keys = {Sort.MEAN: maps.mean, Sort.MAX: maps.max, Sort.SPARSITY: maps.sparsity}
        return keys.get(self)

    def order(self, maps: Maps) -> IntArray:
        """Channels in order, i64 [C]; equal ones by index, NaN last."""
        key = self.key(maps)
        return np.arange(len(maps.maps)) if key is None else np.argsort(-key, kind="stable")


class ChannelTiles:
    """`TileSource` of a layer. A vector's channels are flat tiles with their value written on them."""

    smooth = False

    def __init__(self, maps: Maps, scaling: Scaling, table: ByteArray, *, symmetric: bool, sort: Sort) -> None:
        self.maps = maps
        self.is_vector = maps.maps.shape[1:] == (1, 1)
        # One number by itself has no range: a vector's channels can only be compared with each other.
        self.scale: ChannelScale = channel_scale(maps, Scaling.PER_LAYER if self.is_vector else scaling, symmetric)
        self._table = table
        self._key = sort.key(maps)

    @property
    def count(self) -> int:
        """Number of channels."""
        return len(self.maps.maps)

    def image(self, channel: int) -> QImage:
        """The channel's map, one pixel for each position."""
        values = self.maps.maps[channel]
        if np.isfinite(values).all():
            return coloured_qimage(self.scale.bytes(values, channel), self._table)
        return to_qimage(colourise(values, float(self.scale.lo[channel]), float(self.scale.hi[channel]), self._table))

    def picture(self, item: int) -> QImage | None:
        """The channel's map; None if it is blank, whose picture would show rounding noise."""
        return None if self.maps.blank[item] and not self.is_vector else self.image(item)

    def note(self, item: int) -> str:
        """A vector's value, or why there is no picture."""
        if self.is_vector:
            return value(float(self.maps.maps[item, 0, 0]))
        if self.maps.blank[item]:
            return "blank"
        if self.scale.divisor[item] != 0:
            return ""
        return "constant" if np.isfinite(self.maps.mean[item]) else "not finite"

    def caption(self, item: int) -> str:
        """The channel's number, and what it is sorted by."""
        return str(item) if self._key is None else f"{item}  {value(float(self._key[item]))}"

    def describe(self, item: int) -> str:
        """The channel's statistics in words."""
        maps = self.maps
        if self.is_vector:
            return f"Channel {item}: {self.note(item)}"
        if maps.blank[item]:
            return f"Channel {item}: blank, nothing found in this photo"
        numbers = f"max {value(float(maps.max[item]))}, mean {value(float(maps.mean[item]))}"
        return f"Channel {item}: {numbers}, {percent(float(maps.sparsity[item]))} silent"

"""A layer's filters as tiles: in colour, one slice of each, or all slices."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from PySide6.QtGui import QImage

from convviz_gui.engine.kernel_tiles import KernelScale, colour_tile, limits, shades, slices
from convviz_gui.engine.payloads import FloatArray, IntArray, Kernels
from convviz_gui.gui.look.values import value
from convviz_gui.gui.look.words import percent
from convviz_gui.gui.pictures.qimage import to_qimage


class Show(StrEnum):
    """What of each filter a tile shows."""

    COLOURS = "colours"
    SLICES = "all slices"
    SLICE = "one input"

    @property
    def help(self) -> str:
        """What it does, in one sentence."""
        return {
            Show.COLOURS: "The filter as a little picture: grey is 0, red, green and blue are its three slices.",
            Show.SLICES: "Every input channel's slice, row by row; of a linear layer every weight is a pixel.",
            Show.SLICE: "The slice of one input channel, for every filter.",
        }[self]


class Order(StrEnum):
    """Order of the filters."""

    INDEX = "index"
    NORM = "norm"

    def order(self, kernels: Kernels) -> IntArray:
        """Filters in order, i64 [N]; the largest norm first."""
        if self is Order.INDEX:
            return np.arange(len(kernels.norms))
        return np.argsort(-kernels.norms, kind="stable")


class KernelTiles:
    """`TileSource` of a layer's filters."""

    smooth = False

    def __init__(self, kernels: Kernels, show: Show, scale: KernelScale, channel: int = 0, *, norms: bool) -> None:
        self.kernels = kernels
        self.limits: FloatArray = limits(kernels, scale)
        self._show, self._channel, self._norms = show, channel, norms
        self._twins = np.bincount(kernels.duplicates.reshape(-1), minlength=len(kernels.norms))

    @property
    def count(self) -> int:
        """Number of filters."""
        return len(self.kernels.weights)

    def image(self, item: int) -> QImage:
        """The filter's tile, one pixel for each weight."""
        limit = float(self.limits[item])
        if self._show is Show.COLOURS:
            return to_qimage(colour_tile(self.kernels, item, limit))
        if self._show is Show.SLICES:
            return to_qimage(slices(self.kernels, item, limit))
        return to_qimage(shades(self.kernels.weights[item, self._channel], limit))

    def picture(self, item: int) -> QImage | None:
        """The tile; None for a blank filter, whose noise would look like a finding."""
        return None if self.kernels.blank[item] else self.image(item)

    def note(self, item: int) -> str:
        """Why there is no picture."""
        return "blank" if self.kernels.blank[item] else ""

    def caption(self, item: int) -> str:
        """The filter's number, a mark if others are nearly the same, and its norm if that is the order."""
        twin = " ≈" if self._twins[item] else ""
        return f"{item}{twin}  {value(float(self.kernels.norms[item]))}" if self._norms else f"{item}{twin}"

    def describe(self, item: int) -> str:
        """The filter's norm and likeness in words."""
        top = float(self.kernels.norms.max())
        norm = float(self.kernels.norms[item])
        share = f", {percent(norm / top)} of the largest" if top > 0 else ""
        blank = "blank, " if self.kernels.blank[item] else ""
        twins = f", nearly the same as {self._twins[item]} others" if self._twins[item] else ""
        return f"Filter {item}: {blank}norm {value(norm)}{share}{twins}"


class TwinTiles:
    """`TileSource` of the filters that are nearly the same as one of them."""

    smooth = False

    def __init__(self, tiles: KernelTiles, item: int) -> None:
        self._tiles = tiles
        pairs = tiles.kernels.duplicates
        rows = np.flatnonzero((pairs == item).any(axis=1))
        self.others: list[int] = [int(pair[1] if pair[0] == item else pair[0]) for pair in pairs[rows]]
        self._cosines = tiles.kernels.similarity[rows]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.others)

    def picture(self, item: int) -> QImage | None:
        """The other filter's tile."""
        return self._tiles.picture(self.others[item])

    def note(self, item: int) -> str:
        """Nothing: blank filters are like none."""
        return ""

    def caption(self, item: int) -> str:
        """Its number, and the cosine."""
        return f"{self.others[item]}  {float(self._cosines[item]):.2f}".replace("-", "−")

    def describe(self, item: int) -> str:
        """Its number and the cosine in words."""
        cosine = float(self._cosines[item])
        negative = ", its negative" if cosine < 0 else ""
        return f"Filter {self.others[item]}: cosine {cosine:.3f}{negative}".replace("-", "−")

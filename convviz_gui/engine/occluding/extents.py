"""Which part of a layer's map each window changes, as arithmetic on intervals: rows and columns apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.payloads import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """Positions `lo` to `hi` − 1, i64 [g] both, of an axis of `size` are what the windows of each row may change."""

    lo: IntArray
    hi: IntArray
    size: int

    def slid(self, kernel: int, stride: int, padding: int, size: int) -> Extent:
        """The outputs, of `size` positions, that see any of these through windows of `kernel` positions.

        Output o sees the inputs o·stride − padding to o·stride − padding + kernel − 1.
        """
        lo = (self.lo + padding - kernel) // stride + 1
        hi = (self.hi - 1 + padding) // stride + 1
        lo = np.clip(lo, 0, size)
        return Extent(lo, np.clip(hi, lo, size), size)

    def joined(self, other: Extent) -> Extent:
        """All from the first to the last of both."""
        return Extent(np.minimum(self.lo, other.lo), np.maximum(self.hi, other.hi), self.size)

    def longest(self, rows: IntArray) -> int:
        """Length, at least 1, of the longest of some of the intervals."""
        return max(1, int((self.hi[rows] - self.lo[rows]).max()))

    def starts(self, length: int) -> IntArray:
        """Where intervals of one `length` that hold these begin, i64 [g]: shifted inwards at the map's far edge."""
        return np.clip(self.lo, 0, self.size - length)


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """What windows change of a value, and where its rows and columns lie.

    `dims` are its axes of rows and columns, one after the other; None of a matrix [n·H·W, C] with all of them in one.
    """

    rows: Extent
    cols: Extent
    dims: tuple[int, int] | None = (2, 3)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the whole map."""
        return self.rows.size, self.cols.size

    def alike(self, other: Changed) -> bool:
        """True if both lie over the same map in the same axes."""
        return self.size == other.size and self.dims == other.dims

    def joined(self, other: Changed) -> Changed:
        """All that either holds."""
        return Changed(self.rows.joined(other.rows), self.cols.joined(other.cols), self.dims)

    def slid(
        self, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], size: tuple[int, int]
    ) -> Changed:
        """See `Extent.slid`, for rows and columns."""
        rows = self.rows.slid(kernel[0], stride[0], padding[0], size[0])
        return Changed(rows, self.cols.slid(kernel[1], stride[1], padding[1], size[1]), self.dims)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Rectangles of `height`×`width` positions of a map, one for each window; `top`, `left` i64 [g] by row, column."""

    height: int
    width: int
    top: IntArray
    left: IntArray

    def same(self, other: Region, rows: IntArray, cols: IntArray) -> bool:
        """True if both are the same rectangles for these windows."""
        return (
            (self.height, self.width) == (other.height, other.width)
            and np.array_equal(self.top[rows], other.top[rows])
            and np.array_equal(self.left[cols], other.left[cols])
        )


def region_of(changed: Changed, rows: IntArray, cols: IntArray) -> Region:
    """Rectangles of one size that hold what the windows of these rows and columns change."""
    height, width = changed.rows.longest(rows), changed.cols.longest(cols)
    return Region(height, width, changed.rows.starts(height), changed.cols.starts(width))

"""Where a sliding window stands, and what is made of the scores behind it: as Captum's Occlusion does it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import BoolArray, FloatArray, IntArray

Window = tuple[int, int]
"""Row and column in the grid of windows."""


@dataclass(frozen=True, slots=True)
class Windows:
    """A grid of windows of `patch`×`patch` pixels, `stride` apart, over an input of `size` (H, W).

    Windows begin at 0, `stride`, 2·`stride`, … until the last row and column is covered: 1 + ⌈(H − patch) / stride⌉
    rows. What reaches beyond the input is cut off. With a stride beyond the patch, windows that would begin outside are
    left out.

    Raises:
        EngineError: the patch is larger than the input.
    """

    size: tuple[int, int]
    patch: int
    stride: int

    def __post_init__(self) -> None:
        if self.patch > min(self.size):
            raise EngineError(
                f"A patch of {self.patch} pixels is larger than the input of {self.size[0]}×{self.size[1]}",
                f"Set the patch (--patch) to {min(self.size)} or less",
            )

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of windows, (gh, gw)."""
        gh, gw = (min(1 + math.ceil((n - self.patch) / self.stride), math.ceil(n / self.stride)) for n in self.size)
        return gh, gw

    def span(self, axis: int) -> tuple[IntArray, IntArray]:
        """First pixel i64 [g] and last + 1 of the windows along an axis, 0 for rows."""
        first = np.arange(self.grid[axis], dtype=np.int64) * self.stride
        return first, np.minimum(first + self.patch, self.size[axis])

    def place(self, window: Window) -> tuple[slice, slice]:
        """Rows and columns of the input that a window covers."""
        top, left = window[0] * self.stride, window[1] * self.stride
        return slice(top, min(top + self.patch, self.size[0])), slice(left, min(left + self.patch, self.size[1]))

    def heat(self, drop: FloatArray, done: BoolArray) -> FloatArray:
        """Per pixel the mean drop f32 [H, W] of the windows done that cover it; 0 where none does."""
        rows, cols = (self._covering(axis) for axis in (0, 1))
        known = np.where(done, drop, 0.0).astype(np.float64)
        count = rows.T @ done.astype(np.float64) @ cols
        total = rows.T @ known @ cols
        mean: FloatArray = np.divide(total, count, out=np.zeros_like(total), where=count > 0).astype(np.float32)
        return mean

    def _covering(self, axis: int) -> np.ndarray:
        """f64 [g, n]: 1 where a window of that row (or column) covers a pixel."""
        first, last = self.span(axis)
        at = np.arange(self.size[axis])
        covered: np.ndarray = ((at >= first[:, None]) & (at < last[:, None])).astype(np.float64)
        return covered


def spread(windows: list[Window]) -> list[Window]:
    """The same windows in an order that fills the map evenly: every second one, then those between, and so on."""

    def turn(window: Window) -> tuple[int, int, int]:
        return max(_reversed(window[0]), _reversed(window[1])), *window

    return sorted(windows, key=turn)


def _reversed(index: int, bits: int = 12) -> int:
    """How fine a grid must be to have this line: 0 of the coarsest, `bits` of the finest."""
    if index == 0:
        return 0
    twos = (index & -index).bit_length() - 1
    return bits - min(twos, bits)


LARGEST_DEFAULT = 32
"""Pixels of the patch that is taken where none is asked for; of small inputs it is a seventh."""


def windows_for(size: tuple[int, int], patch: int, stride: int) -> Windows:
    """The windows over an input of `size` (H, W); a `patch` or `stride` of 0 stands for what suits the size.

    Raises `EngineError` if the patch is larger than the input.
    """
    patch = patch or max(1, min(LARGEST_DEFAULT, round(min(size) / 7)))
    return Windows(size, patch, stride or max(1, patch // 2))

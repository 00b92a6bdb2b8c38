"""For each channel of a layer the pictures it answers to most, least or middlingly, found while a folder streams by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.folder_pass import check_finite
from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.engine.units.scan import Accumulator, Batch


class Which(StrEnum):
    """Which pictures of a channel, each picture counting once, with the largest value of the channel's map in it.

    TOP: those of the largest, largest first. LOWEST: of the smallest, smallest first. MEDIAN: those nearest to the
    channel's median over all pictures, nearest first. Of equal ones the folder's earlier picture comes first.
    """

    TOP = "top"
    LOWEST = "lowest"
    MEDIAN = "median"


@dataclass(frozen=True, slots=True)
class Ranking:
    """C channels' k pictures, in order of rank.

    `values` f32 [C, k]; `positions` i64 [C, k, 2], row and column of the maximum in the layer's map; `pictures` i64
    [C, k], places in the listing. Where there were fewer than k pictures: NaN, −1 and −1.
    """

    values: FloatArray
    positions: IntArray
    pictures: IntArray


@dataclass(frozen=True, slots=True)
class _Found:
    """`values` f32, `places` (row · width + column) i32 and `pictures` i64, each [n, C], earlier pictures first."""

    values: FloatArray
    places: NDArray[np.int32]
    pictures: IntArray

    def least(self, keys: FloatArray, k: int) -> _Found:
        """For each channel the k whose keys [n, C] are least; of equal ones the first."""
        order = np.argsort(keys, axis=0, kind="stable")[:k]
        return _Found(
            np.take_along_axis(self.values, order, axis=0),
            np.take_along_axis(self.places, order, axis=0),
            np.take_along_axis(self.pictures, order, axis=0),
        )

    def narrowed(self, channels: int | None) -> _Found:
        """The first so many channels."""
        return _Found(self.values[:, :channels], self.places[:, :channels], self.pictures[:, :channels])

    @staticmethod
    def joined(parts: list[_Found]) -> _Found:
        """One below the other."""
        if len(parts) == 1:
            return parts[0]
        return _Found(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.pictures for part in parts]),
        )


class TopK(Accumulator):
    """Keeps values, places and pictures: 16 bytes for each of C channels × k, for `Which.MEDIAN` × all pictures.

    Args:
        layer, precision: for the sentence that refuses values that are not finite.
        channels: only these, in this order; None for all.
    """

    def __init__(
        self,
        layer: str,
        k: int,
        which: Which = Which.TOP,
        channels: tuple[int, ...] | None = None,
        precision: str = "float32",
    ) -> None:
        self._layer, self._precision = layer, precision
        self._k, self._which = k, which
        self._channels = channels
        self._width = 1
        self._found: list[_Found] = []

    def reduce(self, maps: Tensor) -> tuple[Tensor, Tensor, int]:
        """Largest values f32 [B, C], where in the flattened map i64 [B, C], and the map's width."""
        if self._channels is not None and self._channels != tuple(range(maps.shape[1])):
            maps = maps[:, list(self._channels)]
        values, places = _largest(maps)
        return values, places, maps.shape[3]

    def add(self, batch: Batch, reduced: Any) -> None:
        """Raises `EngineError` if a value is not finite."""
        values: FloatArray = reduced[0].cpu().numpy()
        check_finite(values, self._layer, batch.paths, self._precision)
        places = reduced[1].to(torch.int32).cpu().numpy()
        self._width = reduced[2]
        pictures = np.array([picture.index for picture in batch.pictures], np.int64)[:, None]
        self._found.append(_Found(values, places, np.broadcast_to(pictures, values.shape)))
        if self._which is not Which.MEDIAN:
            found = _Found.joined(self._found)
            self._found = [found.least(-found.values if self._which is Which.TOP else found.values, self._k)]

    def ranking(self, first: int | None = None) -> Ranking:
        """What was found so far, in at least one picture; of the `first` so many channels, or of all."""
        found = _Found.joined([part.narrowed(first) for part in self._found])
        if self._which is Which.MEDIAN:
            found = found.least(np.abs(found.values - np.median(found.values, axis=0)), self._k)
        n, channels = found.values.shape
        missing = self._k - n
        rows, columns = np.divmod(found.places.astype(np.int64), self._width)
        return Ranking(
            np.concatenate([found.values, np.full((missing, channels), np.nan, np.float32)]).T,
            np.concatenate(
                [np.stack([rows, columns], axis=2), np.full((missing, channels, 2), -1, np.int64)]
            ).transpose(1, 0, 2),
            np.concatenate([found.pictures, np.full((missing, channels), -1, np.int64)]).T,
        )


def _largest(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Largest values [B, C] of maps [B, C, h, w], and where: row · w + column, the first of equal ones."""
    b, c, h, w = maps.shape
    if h * w == 1:
        return maps.reshape(b, c).clone(), torch.zeros((b, c), dtype=torch.int64, device=maps.device)
    values, places = maps.reshape(b, c, h * w).max(dim=2)
    return values, places

"""How a layer's channels behave over a folder, in numbers that are kept while the pictures stream by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convviz_gui.engine.folder_pass import check_finite
from convviz_gui.engine.payloads import FloatArray, IntArray
from convviz_gui.engine.statistics import firing_threshold
from convviz_gui.engine.units.histogram import StreamingHistogram
from convviz_gui.engine.units.scan import Accumulator, Batch

DoubleArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Reduced:
    peak: Tensor
    mean: Tensor
    low: Tensor
    high: Tensor
    fired: Tensor | None
    values: Tensor | None


class FolderStatistics(Accumulator):
    """Numbers about each of C channels over all pictures so far. A picture counts by its largest value and its mean.

    A channel fires at a position whose value is above `statistics.firing_threshold`, and in a picture if it fires
    anywhere in it. Keeps about 50 bytes for each channel, and what the arguments ask for.

    Args:
        layer, precision: for the sentence that refuses values that are not finite.
        labels: the folder's different labels, G of them, to count firing for each: 8·G·C bytes.
        positions: count positions that fire, too, which takes another look at every value.
        products: keep sums of products of channels' means, for `correlations`: 8·C² bytes, 34 MB for 2,048 channels.
        histogram_of: channels whose values at all positions are counted in a histogram each.
    """

    def __init__(
        self,
        layer: str,
        labels: Sequence[str] = (),
        *,
        positions: bool = True,
        products: bool = False,
        histogram_of: Sequence[int] = (),
        precision: str = "float32",
    ) -> None:
        self._layer, self._precision = layer, precision
        self._positions, self._products = positions, products
        self._row = {label: row for row, label in enumerate(labels)}
        self.labels = tuple(labels)
        self.histograms = {channel: StreamingHistogram() for channel in histogram_of}
        self.n_pictures = 0
        self.rectified = True
        """True while no value of the layer was negative."""
        self._peak: DoubleArray = np.zeros(0)
        self._mean: DoubleArray = np.zeros(0)
        self._fired_positions: DoubleArray = np.zeros(0)
        self._fired: IntArray = np.zeros(0, np.int64)
        self._fired_of: IntArray = np.zeros((0, 0), np.int64)
        self._count_of: IntArray = np.zeros(len(self._row), np.int64)
        self._sum: DoubleArray = np.zeros((0, 0))

    def reduce(self, maps: Tensor) -> _Reduced:
        """Per picture and channel the largest value and the mean, and what else is counted."""
        peak, mean = maps.amax(dim=(2, 3)), maps.mean(dim=(2, 3))
        low, high = maps.amin(dim=(1, 2, 3)), peak.amax(dim=1)
        fired = None
        if self._positions:
            threshold = firing_threshold(low, high)[:, None, None, None]
            fired = (maps > threshold).float().mean(dim=(2, 3))
        values = maps[:, list(self.histograms)].clone() if self.histograms else None
        return _Reduced(peak, mean, low, high, fired, values)

    def add(self, batch: Batch, reduced: Any) -> None:
        """Raises `EngineError` if a value is not finite."""
        found: _Reduced = reduced
        peak, mean = found.peak.cpu().numpy(), found.mean.cpu().numpy()
        check_finite(mean, self._layer, batch.paths, self._precision)
        check_finite(peak, self._layer, batch.paths, self._precision)
        if not self.n_pictures:
            self._start(peak.shape[1])
        fired = peak > firing_threshold(found.low, found.high).cpu().numpy()[:, None]
        self.n_pictures += len(peak)
        self.rectified &= bool((found.low >= 0).all())
        self._peak = np.maximum(self._peak, peak.max(axis=0))
        self._mean += mean.sum(axis=0, dtype=np.float64)
        self._fired += fired.sum(axis=0)
        if found.fired is not None:
            self._fired_positions += found.fired.cpu().numpy().sum(axis=0, dtype=np.float64)
        if self._row:
            rows = np.array([self._row[label] for label in batch.labels])
            np.add.at(self._fired_of, rows, fired)
            np.add.at(self._count_of, rows, 1)
        if self._products:
            exact = mean.astype(np.float64)
            self._sum += exact.T @ exact
        if found.values is not None:
            for column, histogram in enumerate(self.histograms.values()):
                histogram.add(found.values[:, column].cpu().numpy())

    def _start(self, channels: int) -> None:
        self._peak = np.full(channels, -np.inf)
        self._mean, self._fired_positions = np.zeros(channels), np.zeros(channels)
        self._fired = np.zeros(channels, np.int64)
        self._fired_of = np.zeros((len(self._row), channels), np.int64)
        if self._products:
            self._sum = np.zeros((channels, channels))

    # --------------------------------------------------------------------------------------- what is known now

    @property
    def peak(self) -> FloatArray:
        """The largest value at any position of any picture, f32 [C]."""
        return self._peak.astype(np.float32)

    @property
    def mean(self) -> FloatArray:
        """The average over all positions of all pictures, f32 [C]."""
        return (self._mean / max(self.n_pictures, 1)).astype(np.float32)

    @property
    def firing(self) -> FloatArray:
        """The part 0…1 of pictures in which the channel fires anywhere, f32 [C]."""
        return (self._fired / max(self.n_pictures, 1)).astype(np.float32)

    @property
    def firing_positions(self) -> FloatArray:
        """The part 0…1 of positions at which the channel fires, averaged over pictures, f32 [C]; needs `positions`."""
        return (self._fired_positions / max(self.n_pictures, 1)).astype(np.float32)

    def firing_by_label(self) -> tuple[FloatArray, IntArray]:
        """The part 0…1 of each label's pictures in which the channel fires, f32 [G, C], and the pictures of each [G].

        NaN where a label has no pictures (yet).
        """
        with np.errstate(invalid="ignore"):
            return (self._fired_of / self._count_of[:, None]).astype(np.float32), self._count_of.copy()

    def correlations(self, channel: int | None = None) -> FloatArray:
        """Pearson's correlation −1…1 of the pictures' means, f32 [C, C], or [C] of one channel with all.

        NaN where a channel has the same mean in every picture. Needs `products`.
        """
        n = max(self.n_pictures, 1)
        mean = self._mean / n
        variance = np.diag(self._sum) / n - mean**2
        # What is left of a constant after rounding is no variation.
        spread = np.sqrt(np.where(variance > 1e-10 * (np.diag(self._sum) / n), variance, np.nan))
        rows = slice(None) if channel is None else slice(channel, channel + 1)
        shared = self._sum[rows] / n - np.outer(mean[rows], mean)
        found: FloatArray = np.clip(shared / np.outer(spread[rows], spread), -1, 1).astype(np.float32)
        return found if channel is None else found[0]


class Responses(Accumulator):
    """Channels' means of each picture, for at most `most` pictures spread evenly over the folder: 4·C bytes for each.

    Args:
        total: pictures in the folder.
    """

    def __init__(self, total: int, most: int) -> None:
        wanted = np.arange(total) if total <= most else np.unique(np.linspace(0, total - 1, most).round().astype(int))
        self._wanted = frozenset(wanted.tolist())
        self._rows: list[FloatArray] = []

    def reduce(self, maps: Tensor) -> Tensor:
        """Means f32 [B, C]."""
        return maps.mean(dim=(2, 3))

    def add(self, batch: Batch, reduced: Any) -> None:
        """Keep the pictures of the sample."""
        rows = [row for row, picture in enumerate(batch.pictures) if picture.index in self._wanted]
        if rows:
            kept: Tensor = reduced[torch.tensor(rows, device=reduced.device)]
            self._rows.append(kept.cpu().numpy())

    def table(self) -> FloatArray:
        """Means f32 [pictures of the sample that could be read, C]."""
        return np.concatenate(self._rows) if self._rows else np.zeros((0, 0), np.float32)

"""One channel in every picture of a folder, and which other channels answer alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from convviz_gui.engine.folder_pass import check_finite
from convviz_gui.engine.payloads import FloatArray, IntArray, frozen
from convviz_gui.engine.payloads.unit_page import Record
from convviz_gui.engine.statistics import firing_threshold
from convviz_gui.engine.units.histogram import StreamingHistogram
from convviz_gui.engine.units.likeness import FEWEST
from convviz_gui.engine.units.places import Frames
from convviz_gui.engine.units.scan import Accumulator, Batch

DUPLICATE = 0.99
"""Correlation over pictures from which on two channels say the same."""


class ChannelRecord(Accumulator):
    """Keeps a few numbers for each picture, and a histogram of the channel's values at all positions.

    Attributes:
        indices: places in the listing of the pictures read.
    """

    def __init__(self, layer: str, channel: int, precision: str = "float32") -> None:
        self._layer, self._channel, self._precision = layer, channel, precision
        self._histogram = StreamingHistogram()
        self._paths: list[str] = []
        self._labels: list[str] = []
        self._peaks: list[FloatArray] = []
        self._means: list[FloatArray] = []
        self._fired: list[IntArray] = []
        self._boxes: list[FloatArray] = []
        self._sizes: list[tuple[int, int]] = []
        self.indices: list[int] = []

    def reduce(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The channel's map, and the layer's least and largest value, in each picture."""
        return maps[:, self._channel].clone(), maps.amin(dim=(1, 2, 3)), maps.amax(dim=(1, 2, 3))

    def add(self, batch: Batch, reduced: Any) -> None:
        """Raises `EngineError` for values that are not finite."""
        values: FloatArray = reduced[0].cpu().numpy()
        check_finite(values, self._layer, batch.paths, self._precision)
        peaks = values.max(axis=(1, 2))
        self._histogram.add(values)
        self._peaks.append(peaks)
        self._means.append(values.mean(axis=(1, 2), dtype=np.float64))
        self._fired.append((peaks > firing_threshold(reduced[1], reduced[2]).cpu().numpy()).astype(np.int64))
        self._paths += batch.paths
        self._labels += batch.labels
        for picture in batch.pictures:
            self.indices.append(picture.index)
            self._boxes.append(picture.box)
            self._sizes.append(picture.size)

    def frames(self, rows: IntArray) -> Frames:
        """Where the crops of some of the pictures, by row, lie in them."""
        return Frames(
            np.array([self._boxes[row] for row in rows], np.float32).reshape(-1, 4),
            np.array([self._sizes[row] for row in rows], np.float32).reshape(-1, 2),
        )

    def rows_of(self, indices: IntArray) -> IntArray:
        """Rows of pictures by their places in the listing."""
        row = {index: row for row, index in enumerate(self.indices)}
        return np.array([row[int(index)] for index in indices], np.int64)

    def record(self) -> Record:
        """What is known by now, of at least one picture."""
        peaks, fired = np.concatenate(self._peaks), np.concatenate(self._fired)
        groups = tuple(sorted(set(self._labels)))
        groups = groups if len(groups) > 1 else ()
        of = np.array([groups.index(label) for label in self._labels]) if groups else np.zeros(0, np.int64)
        sizes = np.bincount(of, minlength=len(groups)).astype(np.int64)

        def average(numbers: Any) -> FloatArray:
            sums = np.bincount(of, weights=numbers if groups else None, minlength=len(groups))
            return frozen((sums / np.maximum(sizes, 1)).astype(np.float32))

        return Record(
            paths=tuple(self._paths),
            labels=tuple(self._labels),
            peaks=frozen(peaks),
            fired=frozen(fired),
            counts=frozen(self._histogram.counts),
            edges=frozen(self._histogram.edges),
            mean=float(np.concatenate(self._means).mean()),
            groups=groups,
            rates=average(fired),
            group_peaks=average(peaks),
            sizes=frozen(sizes),
        )


def correlations(responses: FloatArray, channel: int) -> FloatArray | None:
    """Pearson's correlation −1…1 of a channel with all others over n pictures, f32 [C]; its own is 1.

    Args:
        responses: f32 [n, C].

    Returns:
        0 for channels that never vary; None where pictures are too few, or the channel itself never varies.
    """
    if len(responses) < FEWEST:
        return None
    centred = responses.astype(np.float64)
    centred -= centred.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    # What is left of a constant after rounding is no variation.
    varies = length > 1e-5 * np.abs(responses).max(axis=0, initial=0.0) * np.sqrt(len(responses))
    if not varies[channel]:
        return None
    products = centred.T @ centred[:, channel]
    found = np.divide(products, length * length[channel], out=np.zeros_like(products), where=varies)
    correlation: FloatArray = np.clip(found, -1, 1).astype(np.float32)
    return correlation


def cosines(weights: FloatArray, channel: int) -> FloatArray:
    """Cosine of a filter with all others, f32 [N], of weights f32 [N, C, kh, kw]; 0 where one of them is 0."""
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    length = np.linalg.norm(flat, axis=1) * np.linalg.norm(flat[channel])
    products = flat @ flat[channel]
    found = np.divide(products, length, out=np.zeros_like(products), where=length > 0)
    cosine: FloatArray = np.clip(found, -1, 1).astype(np.float32)
    return cosine

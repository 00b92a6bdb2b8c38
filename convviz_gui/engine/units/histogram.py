"""Counting values whose range is not known beforehand."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.payloads import FloatArray, IntArray

BINS = 64


class StreamingHistogram:
    """Counts in `BINS` bins of equal width, which double when a value lies beyond them: no value is counted twice,
    none left out, and at least half of the range was reached by some value.
    """

    def __init__(self) -> None:
        self._counts: IntArray = np.zeros(BINS, np.int64)
        self._lo = self._hi = 0.0
        self._empty = True

    def add(self, values: FloatArray) -> None:
        """Count finite values of any shape."""
        numbers = values[np.isfinite(values)].astype(np.float64)
        if not numbers.size:
            return
        low, high = float(numbers.min()), float(numbers.max())
        if self._empty:
            # Values that are all the same have a range of their own size around them.
            margin = 0.0 if high > low else max(abs(high), 1.0) / 2
            self._lo, self._hi, self._empty = low - margin, high + margin, False
        while high > self._hi:
            self._counts = np.concatenate([self._halved(), np.zeros(BINS // 2, np.int64)])
            self._hi += self._hi - self._lo
        while low < self._lo:
            self._counts = np.concatenate([np.zeros(BINS // 2, np.int64), self._halved()])
            self._lo -= self._hi - self._lo
        places = ((numbers - self._lo) * (BINS / (self._hi - self._lo))).astype(np.int64)
        self._counts = self._counts + np.bincount(np.clip(places, 0, BINS - 1), minlength=BINS)

    def _halved(self) -> IntArray:
        halved: IntArray = self._counts.reshape(-1, 2).sum(axis=1)
        return halved

    @property
    def counts(self) -> IntArray:
        """How many values lie in each bin, i64 [BINS]."""
        return self._counts.copy()

    @property
    def edges(self) -> FloatArray:
        """The bins' edges, f32 [BINS + 1]."""
        return np.linspace(self._lo, self._hi, BINS + 1).astype(np.float32)

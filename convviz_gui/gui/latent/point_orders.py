"""What is worked out once about all pictures of a map: orders, classes and a register of files. No Qt.

Everything here takes time in proportion to the number of pictures, so with many of them it is worked out in a thread.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from convviz_gui.engine.logits import top_classes
from convviz_gui.engine.payloads import FloatArray, IntArray, Located, Points
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.latent.encoding import Encoded, canonical, encode, hashes

LARGE = 50_000
"""Pictures from which on this is worked out in a thread: fewer take less than a frame."""

_BLOCK = 4096
_DIGITS = 7
"""No network has a class of so many digits."""


class PointOrders:
    """Of N pictures. `ready`: there is no need to wait for `work_out`; to be set by whoever had it done in a thread."""

    def __init__(self, points: Points, model: ModelInfo | None) -> None:
        self._points = points
        self._model = model
        self._size = len(points.paths)
        self.ready = self._size < LARGE
        self.learned: dict[int, Located] = {}
        """Neighbours that were asked for, by row."""

    def work_out(self) -> PointOrders:
        """Work out everything that a window asks for; may be called in any thread."""
        _ = self.labels, self.rank, self.sorted_scores, self.correct, self._register
        return self

    @cached_property
    def labels(self) -> Encoded:
        """The labels."""
        return encode(self._points.labels)

    @cached_property
    def splits(self) -> Encoded:
        """The splits; no names where there are none."""
        return encode(self._points.splits)

    @cached_property
    def top(self) -> IntArray:
        """Index i64 [N] of each picture's most probable class; -1 where the logits are not numbers."""
        if len(self._points.prediction) == self._size:
            return self._points.prediction
        logits = self._points.logits
        if logits.ndim != 2 or len(logits) != self._size or not logits.shape[1]:
            return np.full(self._size, -1, np.int64)
        # In blocks: a million pictures' logits are not to be there twice, in float64.
        blocks = [top_classes(logits[start : start + _BLOCK]) for start in range(0, self._size, _BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int64)

    @cached_property
    def scores(self) -> FloatArray:
        """Outlier scores f32 [N]; NaN while they are not known."""
        outlier = self._points.outlier
        return outlier if len(outlier) == self._size else np.full(self._size, np.nan, np.float32)

    @cached_property
    def sorted_scores(self) -> FloatArray:
        """The outlier scores that are numbers, ascending."""
        known = self._size - int(np.isnan(self.scores).sum())
        return self.scores[self.ranking[:known][::-1]]

    @cached_property
    def ranking(self) -> IntArray:
        """Rows i64 [N] by outlier score, highest first; scores that are not numbers come last."""
        return np.argsort(np.where(np.isnan(self.scores), np.inf, -self.scores), kind="stable").astype(np.int64)

    @cached_property
    def rank(self) -> IntArray:
        """Place i64 [N] of each picture in `ranking`, from 0."""
        places = np.empty(self._size, np.int64)
        places[self.ranking] = np.arange(self._size)
        return places

    @cached_property
    def correct(self) -> IntArray:
        """i64 [N]: 1 where the prediction is the label, 0 where it is not, -1 where that cannot be told.

        A label is a class of the network if their names agree; where no label's name does and all labels are numbers,
        they are taken for the classes' indices.
        """
        wanted = self._label_classes()
        predicted = np.where(self.top >= 0, self._class_codes()[self.top], -1)
        told = wanted[self.labels.codes] if len(wanted) else np.full(self._size, -1, np.int64)
        return np.where((told < 0) | (predicted < 0), -1, (told == predicted).astype(np.int64))

    def row(self, path: str) -> int:
        """The row of a file, or -1; also -1 while it would take long to find out."""
        if not self.ready:
            return -1
        for row in np.flatnonzero(self._register == hash(path)).tolist():
            if self._points.paths[row] == path:
                return int(row)
        return -1

    @cached_property
    def _register(self) -> IntArray:
        # Eight bytes for a path, where a dictionary takes a hundred.
        return hashes(self._points.paths)

    def _class_names(self) -> tuple[str, ...]:
        count = max(int(self.top.max(initial=-1)) + 1, self._model.n_classes if self._model is not None else 0)
        return tuple(self._model.class_name(index) if self._model else f"class {index}" for index in range(count))

    def _class_codes(self) -> IntArray:
        """Of each class the first one of the same name: libraries have two of some."""
        first: dict[str, int] = {}
        codes = [first.setdefault(canonical(name), index) for index, name in enumerate(self._class_names())]
        return np.array(codes or [-1], np.int64)

    def _label_classes(self) -> IntArray:
        """Of each different label the class that it names, -1 where it names none."""
        known: dict[str, int] = {}
        for index, name in enumerate(self._class_names()):
            known.setdefault(canonical(name), index)
        labels = self.labels.names
        found = [known.get(canonical(label), -1) if label else -1 for label in labels]
        numbers = [label for label in labels if label]
        if all(index < 0 for index in found) and numbers and all(map(_is_index, numbers)):
            codes = self._class_codes()
            found = [int(codes[int(label)]) if label and int(label) < len(codes) else -1 for label in labels]
        return np.array(found, np.int64)


def _is_index(label: str) -> bool:
    return label.isascii() and label.isdigit() and len(label) < _DIGITS

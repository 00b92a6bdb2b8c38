"""What is known of each picture of a folder, in words and numbers. No Qt."""

from __future__ import annotations

import csv
import io
from functools import cached_property
from pathlib import Path

import numpy as np

from convviz_gui.engine.logits import probabilities, top_classes
from convviz_gui.engine.payloads import FloatArray, IntArray, Points
from convviz_gui.engine.types import ModelInfo


class PointFacts:
    """Looks up names, labels, predictions, ranks and distances in a `Points` payload.

    `model` is the network that made the logits; without it classes have numbers only.
    """

    def __init__(self, points: Points, model: ModelInfo | None) -> None:
        self.points = points
        self._model = model

    def __len__(self) -> int:
        return len(self.points.paths)

    def moved(self, points: Points) -> PointFacts:
        """The same facts with the places of a newer frame; what was worked out already is kept."""
        made = PointFacts(points, self._model)
        made.__dict__ = self.__dict__ | {"points": points}
        return made

    def row(self, path: str) -> int:
        """The row of a file, or -1."""
        return self._rows.get(path, -1)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {path: row for row, path in enumerate(self.points.paths)}

    @property
    def has_labels(self) -> bool:
        """True if any picture stands in a sub-folder."""
        return any(self.points.labels)

    @property
    def has_predictions(self) -> bool:
        """True if there are logits."""
        logits = self.points.logits
        return logits.ndim == 2 and len(logits) == len(self) and logits.shape[1] > 0

    @cached_property
    def top(self) -> IntArray:
        """Index i64 [N] of each picture's most probable class; -1 where the logits are not numbers."""
        if not self.has_predictions:
            return np.full(len(self), -1, np.int64)
        return top_classes(self.points.logits)

    @cached_property
    def scores(self) -> FloatArray:
        """Outlier scores f32 [N]; NaN while they are not known."""
        outlier = self.points.outlier
        return outlier if len(outlier) == len(self) else np.full(len(self), np.nan, np.float32)

    @cached_property
    def ranking(self) -> IntArray:
        """Rows i64 [N] by outlier score, highest first; scores that are not numbers come last."""
        outlier = self.scores
        return np.argsort(np.where(np.isnan(outlier), np.inf, -outlier), kind="stable").astype(np.int64)

    @cached_property
    def rank(self) -> IntArray:
        """Place i64 [N] of each picture in `ranking`, from 0."""
        places = np.empty(len(self), np.int64)
        places[self.ranking] = np.arange(len(self))
        return places

    def name(self, row: int) -> str:
        """The file's name."""
        return Path(self.points.paths[row]).name

    def label(self, row: int) -> str:
        """The sub-folder, or "" if there is none."""
        return self.points.labels[row] if row < len(self.points.labels) else ""

    def prediction(self, row: int) -> str:
        """Name of the most probable class, or "" if there is none."""
        return self.class_name(int(self.top[row]))

    def class_name(self, index: int) -> str:
        """Name of a class; "" for -1."""
        if index < 0:
            return ""
        return self._model.class_name(index) if self._model else f"class {index}"

    def probability(self, row: int) -> float:
        """Probability in 0…1 of the predicted class; NaN without a prediction."""
        if self.top[row] < 0:
            return float("nan")
        return float(probabilities(self.points.logits[row : row + 1])[0, self.top[row]])

    def score(self, row: int) -> float:
        """Outlier score; NaN if there is none."""
        return float(self.scores[row])

    def neighbours(self, row: int) -> tuple[int, ...]:
        """Rows of the true nearest neighbours in the full space, nearest first; empty while not known."""
        known = self.points.neighbours
        if known.ndim != 2 or row >= len(known):
            return ()
        return tuple(int(other) for other in known[row] if 0 <= other < len(self) and other != row)

    def distances(self, row: int, others: tuple[int, ...]) -> FloatArray:
        """Euclidean distances f32 [len(others)] between raw features."""
        features = self.points.features
        if not others or len(features) != len(self):
            return np.full(len(others), np.nan, np.float32)
        lengths: FloatArray = np.linalg.norm(features[list(others)] - features[row], axis=1).astype(np.float32)
        return lengths

    def disagrees(self, row: int) -> bool:
        """True if the prediction is one of the labels in use, but not this picture's."""
        label, prediction = self.label(row).rsplit("/", 1)[-1], self.prediction(row)
        return bool(label and prediction) and prediction in self._last_parts and prediction != label

    def csv(self) -> str:
        """The ranking as comma-separated values with a header, one line per picture."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["rank", "path", "label", "prediction", "probability", "outlier_score", "x", "y"])
        for place, row in enumerate(self.ranking.tolist(), 1):
            x, y = self.points.xy[row]
            numbers = [f"{value:.6g}" for value in (self.probability(row), self.score(row), x, y)]
            writer.writerow([place, self.points.paths[row], self.label(row), self.prediction(row), *numbers])
        return text.getvalue()

    @cached_property
    def _last_parts(self) -> frozenset[str]:
        return frozenset(label.rsplit("/", 1)[-1] for label in set(self.points.labels))

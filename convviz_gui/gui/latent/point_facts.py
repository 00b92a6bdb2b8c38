"""What is known of each picture of a dataset, in words and numbers. No Qt."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from convviz_gui.engine.logits import probabilities, top_classes
from convviz_gui.engine.payloads import FloatArray, IntArray, Located, Points
from convviz_gui.engine.types import ModelInfo
from convviz_gui.gui.latent.encoding import Encoded, canonical
from convviz_gui.gui.latent.point_orders import LARGE, PointOrders

_NO_ROWS: IntArray = np.zeros(0, np.int64)


class PointFacts:
    """Looks up names, labels, predictions, ranks and distances in a `Points` payload.

    `model` is the network that made the logits; without it classes have numbers only. What is asked of one picture
    takes no longer with a million of them, but for `plot_ranks`, and for `row` and `rank` before `orders` are ready.
    """

    def __init__(self, points: Points, model: ModelInfo | None, orders: PointOrders | None = None) -> None:
        self.points = points
        self.orders = orders or PointOrders(points, model)
        self._model = model

    def __len__(self) -> int:
        return len(self.points.paths)

    @property
    def large(self) -> bool:
        """True if what concerns all pictures takes longer than a frame."""
        return len(self) >= LARGE

    def moved(self, points: Points) -> PointFacts:
        """The same facts with the places of a newer frame; what was worked out already is kept."""
        return PointFacts(points, self._model, self.orders)

    def row(self, path: str) -> int:
        """The row of a file, or -1."""
        return self.orders.row(path)

    @property
    def has_labels(self) -> bool:
        """True if any picture has a label."""
        return self.orders.labels.says_something

    @property
    def has_predictions(self) -> bool:
        """True if there are logits, or what comes of them."""
        logits = self.points.logits
        return len(self.points.prediction) == len(self) > 0 or (
            logits.ndim == 2 and len(logits) == len(self) and logits.shape[1] > 0
        )

    @property
    def top(self) -> IntArray:
        """Index i64 [N] of each picture's most probable class; -1 where the logits are not numbers."""
        return self.orders.top

    @property
    def scores(self) -> FloatArray:
        """Outlier scores f32 [N]; NaN while they are not known."""
        return self.orders.scores

    @property
    def ranking(self) -> IntArray:
        """Rows i64 [N] by outlier score, highest first; scores that are not numbers come last."""
        return self.orders.ranking

    @property
    def rank(self) -> IntArray:
        """Place i64 [N] of each picture in `ranking`, from 0."""
        return self.orders.rank

    def name(self, row: int) -> str:
        """The file's name."""
        return Path(self.points.paths[row]).name

    def label(self, row: int) -> str:
        """The label, or "" if there is none."""
        return self.points.labels[row] if row < len(self.points.labels) else ""

    def split(self, row: int) -> str:
        """The split that it belongs to, or ""."""
        return self.points.splits[row] if row < len(self.points.splits) else ""

    def prediction(self, row: int) -> str:
        """Name of the most probable class, or "" if there is none."""
        return self.class_name(self._top(row))

    def predictions(self, row: int, count: int) -> tuple[tuple[str, float], ...]:
        """The `count` most probable classes with their probabilities in 0…1, the most probable first."""
        if self._top(row) < 0:
            return ()
        if not len(self.points.logits):
            return ((self.prediction(row), self.probability(row)),)
        odds = probabilities(self.points.logits[row : row + 1])[0]
        order = np.argsort(-odds, kind="stable")[:count].tolist()
        return tuple((self.class_name(index), float(odds[index])) for index in order)

    def class_name(self, index: int) -> str:
        """Name of a class; "" for -1."""
        if index < 0:
            return ""
        return self._model.class_name(index) if self._model else f"class {index}"

    def probability(self, row: int) -> float:
        """Probability in 0…1 of the predicted class; NaN without a prediction."""
        top = self._top(row)
        if row < len(self.points.probability):
            return float(self.points.probability[row]) if top >= 0 else float("nan")
        return float(probabilities(self.points.logits[row : row + 1])[0, top]) if top >= 0 else float("nan")

    def _top(self, row: int) -> int:
        if row < len(self.points.prediction):
            return int(self.points.prediction[row])
        return int(top_classes(self.points.logits[row : row + 1])[0]) if self.has_predictions else -1

    def score(self, row: int) -> float:
        """Outlier score; NaN if there is none."""
        return float(self.scores[row])

    def odder_than(self, score: float) -> float:
        """Part 0…1 of the pictures whose outlier score is lower than this one; NaN where there are none."""
        known = self.orders.sorted_scores
        return float(np.searchsorted(known, np.float32(score)) / len(known)) if len(known) else float("nan")

    def learn(self, row: int, located: Located) -> None:
        """Take a picture's neighbours, where there are too many pictures to have them for all."""
        self.orders.learned[row] = located

    def must_ask(self, row: int) -> bool:
        """True if neighbours are not with the map, can be asked for, and have not been told of this picture yet."""
        return self.points.origin is not None and not self.points.neighbours.size and row not in self.orders.learned

    def neighbours(self, row: int) -> tuple[int, ...]:
        """Rows of the true nearest neighbours in the full space, nearest first; empty while not known."""
        if row in self.orders.learned:
            return tuple(self.orders.learned[row].neighbours.tolist())
        known = self.points.neighbours
        if known.ndim != 2 or row >= len(known):
            return ()
        return tuple(int(other) for other in known[row] if 0 <= other < len(self) and other != row)

    def distances(self, row: int, others: tuple[int, ...]) -> FloatArray:
        """Euclidean distances f32 [len(others)] between raw features."""
        learned = self.orders.learned.get(row)
        if learned is not None and others == tuple(learned.neighbours.tolist()):
            return learned.distances.astype(np.float32)
        features = self.points.features
        if not others or len(features) != len(self):
            return np.full(len(others), np.nan, np.float32)
        lengths: FloatArray = np.linalg.norm(features[list(others)] - features[row], axis=1).astype(np.float32)
        return lengths

    def plot_ranks(self, row: int, others: tuple[int, ...]) -> IntArray:
        """How near to a picture the `others` are on the plot, i64 [len(others)]: 1 for the nearest of all, …

        0 where a place is not a number. Takes milliseconds with a million pictures.
        """
        xy = self.points.xy
        if not others or len(xy) != len(self) or not np.isfinite(xy[row]).all():
            return np.zeros(len(others), np.int64)
        squares = (xy[:, 0] - xy[row, 0]) ** 2
        squares += (xy[:, 1] - xy[row, 1]) ** 2
        squares[row] = np.inf
        nearer = [int((squares < squares[other]).sum()) + 1 if np.isfinite(squares[other]) else 0 for other in others]
        return np.array(nearer, np.int64)

    def preserved(self, row: int) -> float:
        """The part 0…1 of its true neighbours that are among its neighbours on the plot; NaN while not known."""
        known = self.points.preservation
        return float(known[row]) if row < len(known) else float("nan")

    def disagrees(self, row: int) -> bool:
        """True if the prediction is one of the labels in use, but not this picture's."""
        label, prediction = canonical(self.label(row)), canonical(self.prediction(row))
        return bool(label and prediction) and prediction != label and prediction in self._label_names

    def doubt(self, row: int) -> str:
        """How doubtful the label is and which one would fit, as a line: "Label suspicion: 0.93, looks like dog"."""
        points = self.points
        if row >= len(points.suspects) or np.isnan(points.suspects[row]):
            return ""
        better = points.suggested[row] if row < len(points.suggested) else ""
        told = f", looks like {better}" if better and better != self.label(row) else ""
        return f"Label suspicion: {points.suspects[row]:.2f}{told}"

    def label_counts(self, rows: IntArray) -> list[tuple[str, int]]:
        """Labels of these pictures and how many have each, the most frequent first."""
        labels = self.orders.labels
        counts = np.bincount(labels.codes[rows], minlength=len(labels.names)) if len(labels.names) else _NO_ROWS
        order = np.argsort(-counts, kind="stable")
        return [(labels.names[code], int(counts[code])) for code in order.tolist() if counts[code]]

    @property
    def labels(self) -> Encoded:
        """The labels as numbers."""
        return self.orders.labels

    @cached_property
    def _label_names(self) -> frozenset[str]:
        return frozenset(map(canonical, self.orders.labels.names))

"""The pictures of a dataset that are most like one picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads.arrays import IntArray
from convviz_gui.engine.payloads.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The k nearest of `total` pictures to one, nearest first, in the full space of a layer.

    `name` and `path` (None if it is no file) are the picture's, `label` its label ("" if it has none) and `row` its
    number if it is itself in the dataset, else −1; `prediction` is its top class, −1 where there are no classes.

    `paths` and `labels` are the neighbours'; `indices` i64 [k] their numbers in the dataset; `distances` f64 [k] by
    `metric` ("cosine": 1 − cos, 0…2; "euclidean", raw features); `similarity` f64 [k], the cosine of the angle, −1…1,
    whatever the metric; `predictions` i64 [k] their top classes. `votes` are the neighbours' labels with how many have
    each, most first. `skipped` tells what could not be read. `reduced_to` is the batch that a lack of memory forced, or
    0.
    """

    name: str
    path: str | None
    layer: str
    folder: str
    metric: str
    paths: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    indices: IntArray = field(repr=False, compare=False)
    distances: NDArray[np.float64] = field(repr=False, compare=False)
    similarity: NDArray[np.float64] = field(repr=False, compare=False)
    predictions: IntArray = field(repr=False, compare=False)
    total: int
    row: int = -1
    label: str = ""
    prediction: int = -1
    votes: tuple[tuple[str, int], ...] = ()
    skipped: tuple[Skipped, ...] = ()
    reduced_to: int = 0

    @property
    def agreeing(self) -> int:
        """How many neighbours have the picture's label; 0 if it has none."""
        return self.labels.count(self.label) if self.label else 0

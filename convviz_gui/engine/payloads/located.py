"""A picture beside a dataset."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from convviz_gui.engine.payloads.arrays import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Located:
    """Where a picture belongs among the N points of a map.

    `name`, `digest` and `path` are the picture's (path None if it is no file); `xy` f32 [2] its place on the map, found
    without moving any other; `neighbours` i64 [k], rows of the points nearest in the full space, nearest first, and
    `distances` f64 [k] (Euclidean, raw features); `outlier`, their mean; `logits` f32 [K].
    """

    name: str
    digest: str
    path: str | None
    layer: str
    xy: FloatArray = field(repr=False, compare=False)
    neighbours: IntArray = field(repr=False, compare=False)
    distances: NDArray[np.float64] = field(repr=False, compare=False)
    outlier: float
    logits: FloatArray = field(repr=False, compare=False)

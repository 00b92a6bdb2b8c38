"""Some rows of a map, written by hand and cut out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from convviz_gui.engine.channels import parse_channels
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import Column, FloatArray, Points, frozen


def parse_rows(text: str, n: int) -> tuple[int, ...]:
    """Row numbers in ascending order from "3,5-9"; raises `EngineError` for other texts and numbers."""
    try:
        rows = parse_channels(text, n)
    except EngineError:
        raise EngineError(
            f"Rows (--only) cannot be {text!r}", f"Write them like 0,3,8-15, numbers from 0 to {n - 1}"
        ) from None
    return tuple(sorted(rows or ()))


def cut(points: Points, rows: Sequence[int]) -> Points:
    """The points with these row numbers, in this order.

    Places, `outlier`, `suspects`, `suggested` and `ambiguity` stay what they are among all; `duplicates` are the pairs
    of which both are there. `neighbours` and the measures of the plot are left out: they are about other points.
    """
    chosen = np.asarray(rows, np.int64)
    n = len(points.paths)

    def some(values: Sequence[str]) -> tuple[str, ...]:
        return tuple(values[row] for row in rows) if len(values) == n else ()

    def numbers(values: FloatArray) -> FloatArray:
        return frozen(values[chosen]) if len(values) == n else values

    place = np.full(n, -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    pairs = place[points.duplicates]
    both = (pairs >= 0).all(1)

    return replace(
        points,
        paths=some(points.paths),
        labels=some(points.labels),
        splits=some(points.splits),
        digests=some(points.digests),
        suggested=some(points.suggested),
        columns=tuple(Column(column.name, frozen(column.values[chosen])) for column in points.columns),
        features=frozen(points.features[chosen]),
        xy=frozen(points.xy[chosen]),
        logits=frozen(points.logits[chosen]),
        neighbours=frozen(np.zeros((len(chosen), 0), np.int64)),
        duplicates=frozen(pairs[both]),
        duplicate_distance=frozen(points.duplicate_distance[both]),
        outlier=numbers(points.outlier),
        suspects=numbers(points.suspects),
        ambiguity=numbers(points.ambiguity),
        xyz=points.xyz[:0],
        preservation=points.preservation[:0],
        trustworthiness=float("nan"),
        continuity=float("nan"),
    )

"""Pictures that were placed on a map, in files: added to those of the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from convviz_gui.engine.depiction.base import Arrays, Tables, table
from convviz_gui.engine.logits import top_classes
from convviz_gui.engine.payloads import Located, Points
from convviz_gui.engine.types import Result


def located_arrays(located: Sequence[Located]) -> Arrays:
    """All of their numbers, a row for each picture, each name with `located_` before it; empty without pictures."""
    if not located:
        return {}
    return {
        "located_names": np.array([one.name for one in located], np.str_),
        "located_xy": np.stack([one.xy for one in located]),
        "located_neighbours": np.stack([one.neighbours for one in located]),
        "located_distances": np.stack([one.distances for one in located]),
        "located_outlier": np.array([one.outlier for one in located], np.float64),
        "located_logits": np.stack([one.logits for one in located]),
    }


def located_tables(result: Result) -> Tables:
    """A row for each picture: where it is, how odd, how many of the map's pictures are less so, its nearest picture."""
    if not result.located or not isinstance(result.payload, Points):
        return {}
    points = result.payload
    rows = []
    for one in result.located:
        top = int(top_classes(one.logits[None])[0])
        first = int(one.neighbours[0]) if len(one.neighbours) else -1
        name = result.model.class_name(top) if top >= 0 else ""
        odder = float((points.outlier < one.outlier).mean()) if len(points.outlier) else float("nan")
        nearest = [points.paths[first], points.labels[first]] if first >= 0 else ["", ""]
        rows.append([one.path or one.name, *map(float, one.xy), name, one.outlier, odder, *nearest])
    head = ["path", "x", "y", "prediction", "outlier", "odder_than", "nearest", "nearest_label"]
    return {"located": table(head, rows)}

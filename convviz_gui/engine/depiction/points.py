"""A latent space in files."""

from __future__ import annotations

import numpy as np

from convviz_gui.engine.datasets.columns import different
from convviz_gui.engine.depiction.base import Arrays, Depiction, Pictures, Tables, table
from convviz_gui.engine.latent.whose import model_of
from convviz_gui.engine.logits import top_classes
from convviz_gui.engine.payloads import Points
from convviz_gui.engine.plot import scatter
from convviz_gui.engine.types import Result


def _arrays(points: Points) -> Arrays:
    return {
        "features": points.features,
        "xy": points.xy,
        "paths": np.array(points.paths),
        "labels": np.array(points.labels),
        "logits": points.logits,
        "outlier": points.outlier,
        "neighbours": points.neighbours,
        "trustworthiness": np.array(points.trustworthiness, np.float64),
        "continuity": np.array(points.continuity, np.float64),
        "preservation": points.preservation,
        "suspects": points.suspects,
        "suggested": np.array(points.suggested, np.str_),
        "ambiguity": points.ambiguity,
        "duplicates": points.duplicates,
        "duplicate_distance": points.duplicate_distance,
        "splits": np.array(points.splits, np.str_),
        "xyz": points.xyz,
        "digests": np.array(points.digests, np.str_),
        "column_names": np.array([column.name for column in points.columns], np.str_),
        # By number: a table may call a column "labels".
        **{f"column_{at}": column.values for at, column in enumerate(points.columns)},
    }


def _pictures(points: Points, _result: Result) -> Pictures:
    return {"map": scatter(points.xy, points.labels)}


def _tables(points: Points, result: Result) -> Tables:
    if not len(points.outlier):
        return {}
    order = np.argsort(-points.outlier, kind="stable")
    model = model_of(points, result.model)
    tops = points.prediction if len(points.prediction) else top_classes(points.logits)
    names = [model.class_name(top) if top >= 0 else "" for top in tops.tolist()]
    rows = (
        [
            *(rank + 1, points.paths[i], points.labels[i], names[i], float(points.outlier[i])),
            *(column.text(i) for column in points.columns),
        ]
        for rank, i in enumerate(order)
    )
    header = ["rank", "path", "label", "prediction", "outlier"]
    further = different([column.name for column in points.columns], header)
    return {"outliers": table([*header, *further], rows)}


POINTS = Depiction(_arrays, _pictures, _tables)

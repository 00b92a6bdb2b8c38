"""Whose features a map shows: the open network's, or those that a directory was written with."""

from __future__ import annotations

import dataclasses

from convviz_gui.engine.payloads import Origin, Points
from convviz_gui.engine.preprocess_rules import same_numbers
from convviz_gui.engine.types import ModelInfo, ModelSpec


def model_of(points: Points, info: ModelInfo) -> ModelInfo:
    """The network that made the features, as far as its directory tells; `info`, the open one, where none does."""
    origin = points.origin
    if origin is None:
        return info
    return dataclasses.replace(
        info,
        spec=ModelSpec(origin.source),
        name=origin.model,
        weights=origin.weights,
        trained=origin.trained,
        notes=(),
        health=(),
        digest=origin.digest,
        class_names=origin.class_names,
        n_classes=origin.n_classes,
        preprocess=origin.preprocess,
    )


def is_of(points: Points, info: ModelInfo) -> bool:
    """True if the open network gives the same features for the same picture, but for rounding."""
    return points.origin is None or is_same(points.origin, info)


def is_same(origin: Origin, info: ModelInfo) -> bool:
    """True if the open network wrote the directory, with a preprocessing of the same numbers."""
    return origin.digest == info.digest and same_numbers(origin.preprocess, info.preprocess)

"""Whose features a map shows: the open network's, or those that a directory was written with."""

from __future__ import annotations

import dataclasses

from convviz_gui.engine.payloads import Points
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
    origin = points.origin
    return origin is None or (origin.digest == info.digest and _plain(origin.preprocess) == _plain(info.preprocess))


def _plain(preprocess: object) -> object:
    # Where it was found does not matter.
    return dataclasses.replace(preprocess, source="")  # type: ignore[type-var]

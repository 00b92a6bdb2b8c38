"""A folder's latent space."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import FloatArray, IntArray
from convviz_gui.engine.payloads.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Points:
    """A folder embedded and projected.

    `features` f32 [N, D] raw; `xy` f32 [N, 2]; `logits` f32 [N, K]; `outlier` f32 [N], mean distance to the k nearest;
    `neighbours` i64 [N, k] row numbers, nearest first. Distances are in the full space, never in the projection.
    `labels` is "" where a picture stands in no sub-folder. `trustworthiness` is in 0…1, NaN where undefined.
    `final` is False for frames of a projection still under way. `reduced_to` is the batch that a lack of memory
    forced, or 0.
    """

    layer: str
    folder: str
    projection: str
    paths: tuple[str, ...] = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    features: FloatArray = field(repr=False, compare=False)
    xy: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    outlier: FloatArray = field(repr=False, compare=False)
    neighbours: IntArray = field(repr=False, compare=False)
    trustworthiness: float = float("nan")
    skipped: tuple[Skipped, ...] = ()
    final: bool = True
    reduced_to: int = 0

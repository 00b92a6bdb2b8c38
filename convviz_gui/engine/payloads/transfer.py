"""How well a dataset's labels can be told by what each layer gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, FloatArray, IntArray
from convviz_gui.engine.payloads.skipped import Skipped

RAW_PIXELS = "raw pixels"
"""The name of the first row, which no layer has."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one way of telling labels comes to in R rows, on S pictures that it had not learned from.

    `accuracy` f32 [R] is the part 0…1 of the pictures told rightly, `interval` f32 [R, 2] its 95 % interval (Wilson's);
    `balanced` f32 [R] is the mean over labels of the part told rightly of each, with an interval f32 [R, 2], too.
    `folds` f32 [R, F] is the accuracy in each fold, NaN in a fold without scored pictures. `right` bool [R, S].
    """

    accuracy: FloatArray = field(repr=False, compare=False)
    interval: FloatArray = field(repr=False, compare=False)
    balanced: FloatArray = field(repr=False, compare=False)
    balanced_interval: FloatArray = field(repr=False, compare=False)
    folds: FloatArray = field(repr=False, compare=False)
    right: BoolArray = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Transfer:
    """k-nearest-neighbour vote and linear probe in R rows: raw pixels first, then L layers in order of depth.

    `layers` are the L ids ("fc@input" is what goes into one); `sizes` i64 [R], numbers in a row's vectors. `strength`
    f32 [R, F] is the weight of the probe's penalty in each fold, chosen without its scored pictures, `exact` bool [R]
    whether the loss was minimised (else a closed form).
    `paths` and `classes` i64 [S] (places in `labels`) are of the S pictures scored. `majority`, 0…1, is what always
    saying the commonest label comes to, and one over the number of labels what any guessing does in balanced accuracy.
    `scored_by` says in words what was learned from and scored; `notes` what was left out and why. `final` is False
    while rows are missing. `reduced_to` is the batch that a lack of memory forced, or 0.
    """

    folder: str
    layers: tuple[str, ...]
    labels: tuple[str, ...] = field(repr=False)
    paths: tuple[str, ...] = field(repr=False)
    classes: IntArray = field(repr=False, compare=False)
    sizes: IntArray = field(repr=False, compare=False)
    knn: Judged = field(repr=False)
    probe: Judged = field(repr=False)
    strength: FloatArray = field(repr=False, compare=False)
    exact: BoolArray = field(repr=False, compare=False)
    majority: float
    neighbours: int
    metric: str
    scored_by: str
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    final: bool = True
    reduced_to: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """What the R rows are called."""
        return (RAW_PIXELS, *self.layers)

    @property
    def uneven(self) -> bool:
        """True if labels are so unevenly frequent that accuracy flatters whoever says the commonest one."""
        return self.majority * len(self.labels) > 1.5

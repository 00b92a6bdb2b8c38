"""What becomes of the predictions when channels are switched off: for one photo, and over a folder."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import FloatArray, IntArray
from convviz_gui.engine.payloads.skipped import Skipped


@dataclass(frozen=True, slots=True)
class Switched:
    """Predictions with some channels changed, beside those without.

    `logits` and `logits_after` f32 [k] are as the network gives them, `probabilities` and `probabilities_after` f32 [K]
    over its classes. `class_index` is the class in question. `edits` holds, for each layer changed, its id and its
    channels. `how` is "scale" (times `factor`) or "mean" (each channel replaced by its mean over the positions).
    `before` and `after` f32 [n] are the means of the changed channels over the positions, in the order of `edits`.
    `notes` says what the reader must know of these layers. `box` f32 [4]: the crop's x, y, width, height in the photo's
    pixels.
    """

    edits: tuple[tuple[str, tuple[int, ...]], ...]
    how: str
    factor: float
    class_index: int
    logits: FloatArray = field(repr=False, compare=False)
    logits_after: FloatArray = field(repr=False, compare=False)
    probabilities: FloatArray = field(repr=False, compare=False)
    probabilities_after: FloatArray = field(repr=False, compare=False)
    before: FloatArray = field(repr=False, compare=False)
    after: FloatArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ablation:
    """A folder's predictions with one channel after another changed; row i is `channels[i]` i64.

    `accuracy` f32 [n] is the part of the pictures, 0…1, whose top class is still the one of their label, and
    `accuracy_before` the same of the unchanged network. Where no label names a class (`labelled` 0) it is the part
    whose top class stays, and `accuracy_before` is 1. `logit_change` and `probability_change` f32 [n] are the mean
    changes of each picture's own top class, or of `class_index` where one was asked for. `flips` i64 [n] counts the
    pictures whose top class changes. `hurt_class` i64 [n] is the class whose pictures lose most of that class's
    probability, on average `hurt_change` f32 [n] (negative); −1 and 0 where no class loses anything. A picture's class
    is that of its label, or else its top class.

    `pictures` of `total` have been seen. `how` says how it was computed. `factor` is what channels are multiplied by.
    """

    layer: str
    folder: str
    factor: float
    channels: IntArray = field(repr=False, compare=False)
    accuracy: FloatArray = field(repr=False, compare=False)
    logit_change: FloatArray = field(repr=False, compare=False)
    probability_change: FloatArray = field(repr=False, compare=False)
    flips: IntArray = field(repr=False, compare=False)
    hurt_class: IntArray = field(repr=False, compare=False)
    hurt_change: FloatArray = field(repr=False, compare=False)
    accuracy_before: float = 1.0
    pictures: int = 0
    total: int = 0
    labelled: int = 0
    class_index: int | None = None
    how: str = ""
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    reduced_to: int = 0

"""Maps at the resolution of the input: gradients and what is made of them, and occlusion."""

from __future__ import annotations

from dataclasses import dataclass, field

from convviz_gui.engine.payloads.arrays import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many activation functions of the network a backward rule was applied to.

    `handled` of `total` calls; `unhandled` names those that have no rule ("SiLU"), with their number.
    """

    handled: int
    total: int
    unhandled: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PixelMap:
    """What each value of the input did for a score.

    `attribution` f32 [C, H, W] is signed and with respect to the preprocessed input; `heat` f32 [H, W] is what is drawn
    of it, in its own units and not normalised: the largest absolute value over the colours, or their signed sum where
    `signed`. `box` f32 [4]: the crop's x, y, width, height in the photo's pixels. `logits` f32 [K].

    The score is that of `class_index` (minus that of `against`), or with `layer` and `channel` the sum of a channel's
    map, or one `unit` (row, column) of it; a `layer` beside a class is where Grad-CAM looked. `score` is its value.
    `completeness_gap` is (sum of the attribution − (score − score of the baseline)) / |score − score of the baseline|,
    where that is defined, else NaN.
    """

    attribution: FloatArray = field(repr=False, compare=False)
    heat: FloatArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    score: float
    signed: bool
    class_index: int | None = None
    against: int | None = None
    layer: str | None = None
    channel: int | None = None
    unit: tuple[int, int] | None = None
    completeness_gap: float = float("nan")
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class Occlusion:
    """How the score falls when a patch covers a place.

    `drop` f32 [gh, gw] is score − score with the patch at that window; 0 where `done` bool [gh, gw] is False yet.
    `heat` f32 [H, W] is, per pixel, the mean drop of the windows that cover it (0 where none does). `score` is
    the unoccluded logit of `class_index` (minus that of `against`). `patch`, `stride` in pixels of the input. `box`
    f32 [4]: the crop's x, y, width, height in the photo's pixels. `how` says in words how it was computed (whole
    passes, or only what a patch reaches).
    """

    drop: FloatArray = field(repr=False, compare=False)
    heat: FloatArray = field(repr=False, compare=False)
    done: BoolArray = field(repr=False, compare=False)
    box: FloatArray = field(repr=False, compare=False)
    logits: FloatArray = field(repr=False, compare=False)
    score: float
    class_index: int
    patch: int
    stride: int
    fill: str
    how: str = ""
    against: int | None = None
    reduced_to: int = 0

"""Whether a map deserves belief: what was measured, and what it comes to in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from convviz_gui.engine.payloads.arrays import FloatArray


class TrustLevel(StrEnum):
    """What a check comes to. UNKNOWN: nothing could be measured, and the verdict says why."""

    GOOD = "good"
    MIXED = "mixed"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Trust:
    """A map's deletion and insertion curves beside those of other orders, and how it reacts to other weights.

    `fractions` f32 [S] of the pixels taken away or put back, 0…1. `deletion`, `insertion` f32 [S] are what the network
    says of the picture then, in the unit `measure` ("probability", or "score": a logit, a difference of two, or a
    channel's activation), in the map's order; `random_deletion`, `random_insertion` f32 [R, S] in R random orders,
    `centre_deletion`, `centre_insertion` f32 [S] from the middle of the picture outwards. All are empty if there is
    nothing to measure.

    `layers` names L stages of the network whose weights were shuffled one after another from the logits down, each by
    its layers, "last – first"; `ssim`, `spearman` f32 [L] compare the map found then with the map found with
    the trained weights, as drawn and without its signs; `spearman_signed` f32 [L] with them. NaN where there was no
    map to compare. `settings` says in words what was made cheaper for that, "" if nothing was.

    `verdict` holds sentences, the first of them the sum of the others. `known` is what is known of the method itself.
    """

    level: TrustLevel
    verdict: tuple[str, ...]
    measure: str = field(repr=False)
    fractions: FloatArray = field(repr=False, compare=False)
    deletion: FloatArray = field(repr=False, compare=False)
    insertion: FloatArray = field(repr=False, compare=False)
    random_deletion: FloatArray = field(repr=False, compare=False)
    random_insertion: FloatArray = field(repr=False, compare=False)
    centre_deletion: FloatArray = field(repr=False, compare=False)
    centre_insertion: FloatArray = field(repr=False, compare=False)
    layers: tuple[str, ...] = field(repr=False)
    ssim: FloatArray = field(repr=False, compare=False)
    spearman: FloatArray = field(repr=False, compare=False)
    spearman_signed: FloatArray = field(repr=False, compare=False)
    settings: str = field(default="", repr=False)
    known: str = field(default="", repr=False)
    seconds: float = field(default=0.0, repr=False, compare=False)

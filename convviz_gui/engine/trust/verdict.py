"""What a check comes to, in words. The rules are few, and stated in docs/trust.md."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from convviz_gui.engine.payloads import FloatArray, TrustLevel
from convviz_gui.engine.trust.deletion import area

DRAWS = 8
"""Random orders."""

CHANCE = 2.0
"""Standard deviations above the random orders' mean: of orders that know nothing, one in twenty gets further (Student's
t with 7 degrees of freedom, for one more draw beside 8: 1.895 · √(1 + 1/8) = 2.01)."""

NOTHING = 0.05
"""Of the photo's score: if neither taking all of it away nor blurring it costs more, there is nothing to measure."""

CLEARLY = 0.05
"""Of what the photo's score can lose: by more than this a map must be ahead of the centred blob, in both areas
together. Neither is a draw, so there is no spread to go by."""

SAME, ALIKE = 0.9, 0.6
"""Mean SSIM over the stages from which on a map hardly, or only weakly, reacts to the weights."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Deletion and insertion [S] by a map, by R random orders [R, S] and from the centre outwards [S]."""

    fractions: FloatArray
    deletion: FloatArray
    insertion: FloatArray
    random_deletion: FloatArray
    random_insertion: FloatArray
    centre_deletion: FloatArray
    centre_insertion: FloatArray

    @property
    def gain(self) -> float:
        """Area under insertion − area under deletion: how much sooner what counts comes and goes."""
        return float(area(self.insertion, self.fractions) - area(self.deletion, self.fractions))

    @property
    def centre_gain(self) -> float:
        """The same from the centre outwards."""
        return float(area(self.centre_insertion, self.fractions) - area(self.centre_deletion, self.fractions))

    @property
    def random_gains(self) -> FloatArray:
        """The same of each random order."""
        return area(self.random_insertion, self.fractions) - area(self.random_deletion, self.fractions)

    @property
    def loss(self) -> float:
        """What the photo's score loses at most: to the mean everywhere, or to the blur."""
        whole = float(self.deletion[0])
        return whole - min(float(self.deletion[-1]), float(self.insertion[0]))

    def measurable(self) -> bool:
        """Whether there is a score to lose."""
        ends = (self.deletion[0], self.deletion[-1], self.insertion[0])
        return bool(np.isfinite(ends).all()) and self.loss > NOTHING * abs(float(self.deletion[0]))

    def beats_chance(self) -> bool:
        """Whether the map gets further than an order that knows nothing would."""
        gains = self.random_gains
        return self.gain > float(gains.mean()) + CHANCE * float(gains.std(ddof=1))

    def beats_centre(self) -> bool:
        """Whether it gets clearly further than the centred blob."""
        return self.gain > self.centre_gain + CLEARLY * self.loss


class Faith(Enum):
    """What the map's order does better than: random orders and a centred blob, random orders only, neither."""

    BOTH = auto()
    CHANCE = auto()
    NONE = auto()
    UNKNOWN = auto()


class Reaction(Enum):
    """How the map reacts to other weights."""

    CLEAR = auto()
    WEAK = auto()
    NONE = auto()
    UNKNOWN = auto()


_FAITH = {
    Faith.BOTH: "Explains {what} better than chance and than a centred blob",
    Faith.CHANCE: "Explains {what} better than chance, but no better than a centred blob",
    Faith.NONE: "Explains {what} no better than chance",
    Faith.UNKNOWN: "The photo hardly speaks for {what}, so nothing can be measured by taking parts of it away",
}
_REACTION = {
    Reaction.CLEAR: "reacts to the weights",
    Reaction.WEAK: "reacts only weakly to the weights",
    Reaction.NONE: "hardly reacts to the weights: it shows the photo, its edges for instance, not what the network "
    "learned",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The level and the sentences that say why."""

    level: TrustLevel
    sentences: tuple[str, ...]


def staying(ssim: FloatArray) -> float:
    """How much of the map stays when the weights do not: mean SSIM over the stages; a map that is gone counts 0."""
    return float(np.nan_to_num(ssim.astype(np.float64), nan=0.0).mean())


def judged(what: str, curves: Curves | None, ssim: FloatArray, why_no_ssim: str = "", known: str = "") -> Verdict:
    """The verdict on a map.

    Args:
        what: what it explains, as in "explains this class".
        curves: None where they were not measured.
        ssim: of each stage, f32 [L]; empty where the weights could not be shuffled.
        why_no_ssim: then why, in a sentence without a final stop.
        known: what is known of the method, likewise, or "".
    """
    faith, reaction = faith_of(curves), reaction_of(ssim)
    parts = [_FAITH[faith].format(what=what)]
    if reaction is not Reaction.UNKNOWN:
        clear = reaction is Reaction.CLEAR
        against = (faith is Faith.BOTH and not clear) or (faith is Faith.NONE and clear)
        subject = "but the map " if against else "" if faith is Faith.BOTH else "the map "
        parts.append(subject + _REACTION[reaction])
    details = [
        _numbers(curves) if curves is not None and faith is not Faith.UNKNOWN else "",
        _kept(ssim) if len(ssim) else why_no_ssim,
        known,
    ]
    return Verdict(_level(faith, reaction, known), tuple(f"{text}." for text in ("; ".join(parts), *details) if text))


def faith_of(curves: Curves | None) -> Faith:
    """How the curves compare."""
    if curves is None or not curves.measurable():
        return Faith.UNKNOWN
    if not curves.beats_chance():
        return Faith.NONE
    return Faith.BOTH if curves.beats_centre() else Faith.CHANCE


def reaction_of(ssim: FloatArray) -> Reaction:
    """How much the map changed with the weights."""
    if not len(ssim):
        return Reaction.UNKNOWN
    stays = staying(ssim)
    return Reaction.NONE if stays >= SAME else Reaction.WEAK if stays >= ALIKE else Reaction.CLEAR


def _level(faith: Faith, reaction: Reaction, known: str) -> TrustLevel:
    if faith is Faith.NONE or reaction is Reaction.NONE:
        return TrustLevel.BAD
    if faith is Faith.UNKNOWN:
        return TrustLevel.UNKNOWN
    good = faith is Faith.BOTH and reaction is Reaction.CLEAR and not known
    return TrustLevel.GOOD if good else TrustLevel.MIXED


def _numbers(curves: Curves) -> str:
    gains = curves.random_gains
    return (
        f"Insertion less deletion, as areas under the curves: the map {_signed(curves.gain)}, a centred blob "
        f"{_signed(curves.centre_gain)}, random orders {_signed(float(gains.mean()))} ± {float(gains.std(ddof=1)):.2g}"
    )


def _signed(number: float) -> str:
    return f"{number:.2f}".replace("-", "−")


def _kept(ssim: FloatArray) -> str:
    return (
        f"With shuffled weights {staying(ssim):.2f} of its structure stays (mean SSIM over {len(ssim)} stages, from "
        "the last layer alone to all; 1: nothing changes)"
    )

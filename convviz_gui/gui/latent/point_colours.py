"""What the colours of a map say: classes, or a scale. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from convviz_gui.engine import palette
from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.payloads import BoolArray, ByteArray, IntArray

GREY = palette.DISTINCT
"""Colour of what is not known, or not worth a colour, after those of the classes."""

LEVELS = 255
"""Colours of a continuous scale; one more row is for what is not a number."""

_PLAIN = palette.DISTINCT + 1
_FADED = 0.82
"""How far a dimmed class goes towards the ground."""


class ColourBy(StrEnum):
    """What the colour of a point says."""

    LABEL = "label"
    PREDICTION = "prediction"
    CORRECT = "correctness"
    OUTLIER = "outlier score"
    SUSPECT = "label suspicion"
    AMBIGUITY = "ambiguity"
    PRESERVATION = "neighbours kept"
    SPLIT = "split"
    DUPLICATE = "duplicates"
    REVIEW = "review"
    COLUMN = "column"


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to colour by; `column` is the name of the table's column where `by` is one."""

    by: ColourBy
    column: str = ""

    @property
    def title(self) -> str:
        """As it stands in the menu."""
        return self.column if self.by is ColourBy.COLUMN else self.by.value


@dataclass(frozen=True, slots=True)
class Group:
    """An entry of the legend: a class, how many points have it, its `colour`, and whether it lies over others."""

    name: str
    count: int
    colour: int
    over: int = 1


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers as colours, from `low` to `high`, linear or `logarithmic`.

    `ends` says what low and high mean. `falling`: the low numbers are those that stand out. `unknown` points have none.
    """

    low: float
    high: float
    ends: tuple[str, str] = ("", "")
    logarithmic: bool = False
    falling: bool = False
    unknown: int = 0

    def at(self, part: float) -> float:
        """The number at a part 0…1 of the way from low to high, as the eye measures it."""
        if self.logarithmic:
            return float(self.low * (self.high / self.low) ** part)
        return self.low + (self.high - self.low) * part


@dataclass(frozen=True, slots=True)
class Colouring:
    """What colours say. Of classes, `group` i64 [N] is each point's place in `groups`.

    Of a `scale`, `level` u8 [N] is the place on it, 255 for what is not a number.
    """

    choice: Choice
    groups: tuple[Group, ...] = ()
    scale: Scale | None = None
    note: str = ""
    group: IntArray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False, compare=False)
    level: ByteArray = field(default_factory=lambda: np.zeros(0, np.uint8), repr=False, compare=False)

    @classmethod
    def plain(cls, count: int, note: str) -> Colouring:
        """One colour for all, until what the colours are to say is known."""
        return cls(Choice(ColourBy.LABEL), note=note, group=np.zeros(count, np.int64))

    def names(self) -> list[str]:
        """Names of the groups."""
        return [group.name for group in self.groups]

    def table(self, *, dark: bool, ground: tuple[int, int, int]) -> ByteArray:
        """Colours u8 [P, 3] that `rows` points into: the plain ones and grey; then, for classes, the dimmed ones."""
        if self.scale is not None:
            colours = ramp(dark=dark)
            return np.concatenate([colours[::-1] if self.scale.falling else colours, _grey(dark=dark)])
        plain = np.concatenate([palette.categorical(palette.DISTINCT, dark=dark), _grey(dark=dark)])
        return np.concatenate([plain, palette.towards(plain, ground, _FADED)])

    def rows(self, dimmed: frozenset[int]) -> ByteArray:
        """Row u8 [N] of `table` of each point when the groups `dimmed` are dimmed."""
        if self.scale is not None:
            return self.level
        colours = np.array([group.colour for group in self.groups] or [GREY], np.uint8)
        return (colours + np.where(self._dim(dimmed), _PLAIN, 0).astype(np.uint8))[self.group]

    def height(self, dimmed: frozenset[int]) -> ByteArray:
        """What lies over what, u8 [N]: what stands out over what is common, plain over dimmed, known over unknown."""
        if self.scale is not None:
            order = LEVELS - self.level if self.scale.falling else self.level + 1
            return np.where(self.level == LEVELS, 0, order).astype(np.uint8)
        over = np.array([group.over for group in self.groups] or [0], np.uint8)
        return np.where(self._dim(dimmed), 0, over).astype(np.uint8)[self.group]

    def mask(self, dimmed: frozenset[int]) -> BoolArray:
        """True [N] for the points of the groups `dimmed`."""
        if self.scale is not None:
            return np.zeros(len(self.level), np.bool_)
        return self._dim(dimmed)[self.group]

    def _dim(self, dimmed: frozenset[int]) -> BoolArray:
        """True for the groups `dimmed`: looked up, where a search among ten thousand would take long."""
        dim = np.zeros(max(len(self.groups), 1), np.bool_)
        dim[list(dimmed)] = True
        return dim


def ramp(*, dark: bool) -> ByteArray:
    """Colours u8 [255, 3] from common to odd: towards more contrast with the ground, and never one with it."""
    inferno = COLORMAPS["inferno"]
    ends = (70, 250) if dark else (225, 25)
    colours: ByteArray = inferno[np.round(np.linspace(*ends, LEVELS)).astype(int)]
    return colours


def _grey(*, dark: bool) -> ByteArray:
    return np.full((1, 3), 112 if dark else 160, np.uint8)

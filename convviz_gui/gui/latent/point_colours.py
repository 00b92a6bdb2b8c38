"""Which colour each point has: by label, by prediction or by outlier score. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from convviz_gui.engine import palette
from convviz_gui.engine.colormaps import COLORMAPS
from convviz_gui.engine.datasets import natural
from convviz_gui.engine.payloads import BoolArray, ByteArray, FloatArray, IntArray
from convviz_gui.gui.latent.point_facts import PointFacts

_FADED = 0.82
"""How far a dimmed class goes towards the ground."""

_LEVELS = 255
"""Colours of a continuous scale; one more row is for what is not a number."""


class ColourBy(StrEnum):
    """What the colour of a point says."""

    LABEL = "label"
    PREDICTION = "prediction"
    OUTLIER = "outlier score"


@dataclass(frozen=True, slots=True)
class Group:
    """An entry of the legend: a class and how many points have it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Colouring:
    """What colours say. `group` i64 [N] is each point's place in `groups`; a continuous scale has no groups.

    `low`, `high` are the ends of a continuous scale, linear or `logarithmic`; `level` u8 [N] the place on it, 255 for
    what is not a number.
    """

    by: ColourBy
    groups: tuple[Group, ...] = ()
    low: float = float("nan")
    high: float = float("nan")
    logarithmic: bool = False
    group: IntArray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False, compare=False)
    level: ByteArray = field(default_factory=lambda: np.zeros(0, np.uint8), repr=False, compare=False)

    @property
    def continuous(self) -> bool:
        """True for a scale, False for classes."""
        return self.by is ColourBy.OUTLIER

    def table(self, *, dark: bool, ground: tuple[int, int, int]) -> ByteArray:
        """Colours u8 [P, 3] that `rows` points into: the plain ones first, then, for classes, the dimmed ones."""
        if self.continuous:
            return np.concatenate([scale(dark=dark), np.full((1, 3), 128, np.uint8)])
        plain = palette.categorical(palette.DISTINCT, dark=dark)
        return np.concatenate([plain, palette.towards(plain, ground, _FADED)])

    def rows(self, dimmed: frozenset[int]) -> ByteArray:
        """Row u8 [N] of `table` of each point when the groups `dimmed` are dimmed."""
        if self.continuous:
            return self.level
        return (self.group % palette.DISTINCT + palette.DISTINCT * self.mask(dimmed)).astype(np.uint8)

    def height(self, dimmed: frozenset[int]) -> ByteArray:
        """What lies over what, u8 [N]: odd points over common ones, plain over dimmed, known over unknown."""
        if self.continuous:
            return np.where(self.level == _LEVELS, 0, self.level + 1).astype(np.uint8)
        return (~self.mask(dimmed)).astype(np.uint8)

    def mask(self, dimmed: frozenset[int]) -> BoolArray:
        """True [N] for the points of the groups `dimmed`."""
        if self.continuous:
            return np.zeros(len(self.level), np.bool_)
        return np.isin(self.group, list(dimmed))


def colour_by(facts: PointFacts, by: ColourBy) -> Colouring:
    """Work out what the colours say."""
    if by is ColourBy.OUTLIER:
        return _by_score(facts.scores)
    if by is ColourBy.LABEL:
        names: dict[str, None] = dict.fromkeys(facts.points.labels)
        number = {name: index for index, name in enumerate(names)}
        codes = np.array([number[label] for label in facts.points.labels], np.int64)
        return _by_name(by, codes, [name or "no label" for name in names])
    classes, codes = np.unique(facts.top, return_inverse=True)
    return _by_name(by, codes, [facts.class_name(index) or "no prediction" for index in classes.tolist()])


def choices(facts: PointFacts) -> tuple[ColourBy, ...]:
    """What can be coloured by, best first."""
    wanted = [ColourBy.LABEL] if facts.has_labels else []
    wanted += [ColourBy.PREDICTION] if facts.has_predictions else []
    wanted += [ColourBy.OUTLIER] if np.isfinite(facts.scores).any() else []
    return tuple(wanted) or (ColourBy.LABEL,)


def scale(*, dark: bool) -> ByteArray:
    """Colours u8 [255, 3] from common to odd: towards more contrast with the ground, and never one with it."""
    inferno = COLORMAPS["inferno"]
    ends = (70, 250) if dark else (225, 25)
    colours: ByteArray = inferno[np.round(np.linspace(*ends, _LEVELS)).astype(int)]
    return colours


def _by_name(by: ColourBy, codes: IntArray, names: list[str]) -> Colouring:
    """`codes` i64 [N] point into `names`, which are then put into natural order."""
    counts = np.bincount(codes, minlength=len(names)).tolist()
    order = sorted(range(len(names)), key=lambda code: natural(names[code]))
    place = np.empty(len(names), np.int64)
    place[order] = np.arange(len(names))
    return Colouring(by, tuple(Group(names[code], counts[code]) for code in order), group=place[codes])


def _by_score(score: FloatArray) -> Colouring:
    """Logarithmic where it can be: a few pictures are often many times as far off as all others."""
    known = np.isfinite(score)
    low, high = (float(score[known].min()), float(score[known].max())) if known.any() else (0.0, 0.0)
    logarithmic = low > 0
    values = np.log(score[known] / low) if logarithmic else score[known] - low
    span = float(values.max(initial=0.0)) or 1.0
    level = np.full(len(score), _LEVELS, np.uint8)
    level[known] = np.round(values / span * (_LEVELS - 1)).astype(np.uint8)
    return Colouring(ColourBy.OUTLIER, low=low, high=high, logarithmic=logarithmic, level=level)

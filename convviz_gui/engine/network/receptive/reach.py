"""What the elements of a tensor see of the picture, as arithmetic on their indices.

A `Reach` says: the element with a given index sees the rows and columns from `low` to `high`, both inclusive, shifted
by what each axis adds. An axis is a product of `Step`s, outermost first, so that reshaping (into windows, tokens,
channels and back) is bookkeeping and loses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise

EPS = 1e-6

Pair = tuple[float, float]
"""Rows and columns, in pixels of the input."""


class Kind(Enum):
    """What one step along an axis does to what is seen."""

    MOVES = "the interval moves with it"
    STAYS = "every position sees the same interval"
    VARIES = "every position sees some part of the interval, in no regular way"


class IrregularError(Exception):
    """What is seen cannot be written as a regular `Reach`."""


@dataclass(frozen=True, slots=True)
class Step:
    """`size` positions that lie `rows` and `cols` pixels apart in the picture; 0 and 0 for channels and the like.

    `listed` marks places in a row that is no line across the picture, such as tokens after a class token.
    """

    size: int
    rows: float = 0.0
    cols: float = 0.0
    kind: Kind = Kind.MOVES
    listed: bool = False

    @property
    def is_flat(self) -> bool:
        """True if its positions are no places in the picture."""
        return not self.rows and not self.cols and self.kind is Kind.MOVES

    @property
    def is_place(self) -> bool:
        """True if it is known where in the picture its positions lie."""
        return bool(self.rows or self.cols)

    @property
    def span(self) -> Pair:
        """How far the interval moves from the first position to the last."""
        if self.kind is not Kind.MOVES:
            return 0.0, 0.0
        return (self.size - 1) * self.rows, (self.size - 1) * self.cols

    def times(self, factor: float, size: int) -> Step:
        """`size` positions that lie `factor` times as far apart."""
        return Step(size, self.rows * factor, self.cols * factor, self.kind, self.listed)

    def split(self, outer: int) -> tuple[Step, Step]:
        """The same positions as `outer` groups of equal size."""
        inner = self.size // outer
        both = replace(self, listed=False)
        return both.times(inner, outer), both.times(1, inner)


Axis = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What a tensor's elements see of a `picture` [H, W]: one `Axis` per axis of the tensor, batch included."""

    axes: tuple[Axis, ...]
    low: Pair
    high: Pair
    picture: tuple[int, int]
    gated: bool = False

    def with_axis(self, index: int, *steps: Step) -> Reach:
        """The same with another axis in that place."""
        axes = list(self.axes)
        axes[index] = steps
        return self.with_axes(tuple(axes))

    def with_axes(self, axes: tuple[Axis, ...]) -> Reach:
        """The same with other axes."""
        return Reach(axes, self.low, self.high, self.picture, self.gated)

    def _between(self, low: Pair, high: Pair) -> Reach:
        return Reach(self.axes, low, high, self.picture, self.gated)

    def widened(self, steps: Iterable[Step]) -> Reach:
        """The same with an interval that holds what is seen from all positions of these steps."""
        low, high = self.low, self.high
        for step in steps:
            rows, cols = step.span
            if rows or cols:
                low = low[0] + min(0.0, rows), low[1] + min(0.0, cols)
                high = high[0] + max(0.0, rows), high[1] + max(0.0, cols)
        return self if low is self.low else self._between(low, high)

    def shifted(self, step: Step, first: float, last: float) -> Reach:
        """The interval of what is seen from `first` to `last` positions along a step."""
        if step.kind is not Kind.MOVES or not (step.rows or step.cols):
            return self
        rows, cols = (first * step.rows, last * step.rows), (first * step.cols, last * step.cols)
        low = self.low[0] + min(rows), self.low[1] + min(cols)
        high = self.high[0] + max(rows), self.high[1] + max(cols)
        return self._between(low, high)

    def sees_all_of(self, other: Reach) -> bool:
        """True if all that `other`'s interval holds of the picture lies within this one's."""
        return all(
            self.low[d] <= max(other.low[d], 0.0) + EPS
            and self.high[d] >= min(other.high[d], self.picture[d] - 1.0) - EPS
            for d in range(2)
        )


def of_picture(shape: Sequence[int]) -> Reach:
    """The reach of the input [B, C, H, W] itself: every pixel sees itself."""
    batch, channels, height, width = shape
    axes = ((Step(batch),), (Step(channels),), (Step(height, rows=1.0),), (Step(width, cols=1.0),))
    return Reach(axes, (0.0, 0.0), (0.0, 0.0), (height, width))


def irregular(shape: Sequence[int], picture: tuple[int, int], like: Reach | None = None) -> Reach:
    """What is left to say of elements that see no one knows what; places are taken to be where they were in `like`."""
    steps = [Step(n, kind=Kind.VARIES) for n in shape]
    if like is not None and len(like.axes) == len(shape):
        for at, (step, axis) in enumerate(zip(steps, like.axes, strict=True)):
            was = compact(axis)
            if len(was) == 1:
                steps[at] = replace(was[0].times(was[0].size / step.size, step.size), kind=Kind.VARIES)
    return Reach(tuple((step,) for step in steps), (0.0, 0.0), (picture[0] - 1.0, picture[1] - 1.0), picture)


def size_of(axis: Axis) -> int:
    """Number of positions along an axis."""
    return math.prod(step.size for step in axis)


def is_flat(axis: Axis) -> bool:
    """True if the axis' positions are no places in the picture: channels, heads, a batch."""
    return all(step.is_flat for step in axis)


def compact(axis: Axis) -> Axis:
    """The same axis in as few steps as possible."""
    steps: list[Step] = []
    for step in axis:
        if step.size == 1 and len(axis) > 1:
            continue
        if steps and _follow(steps[-1], step) and steps[-1].kind is step.kind:
            step = step.times(1, steps.pop().size * step.size)
        steps.append(step)
    return tuple(steps)


def linear(reach: Reach, index: int) -> tuple[Reach, Step]:
    """The reach with a single step for that axis, which takes a wider interval where the axis is none; and that step.

    Where positions see in groups (windows, the pixels of an enlarged map) the interval holds what each of the group
    sees, and moves on from position to position.
    """
    steps = compact(reach.axes[index])
    if len(steps) <= 1:
        step = steps[0] if steps else Step(1)
    elif all(_follow(*pair) for pair in pairwise(steps)) and not any(step.kind is Kind.VARIES for step in steps):
        reach, kind = _in_line(reach, steps)
        step = replace(steps[-1], size=size_of(steps), kind=kind)
    else:
        reach, step = reach.widened(steps), Step(size_of(steps), kind=Kind.VARIES, listed=True)
    return reach.with_axis(index, step), step


def _in_line(reach: Reach, steps: Axis) -> tuple[Reach, Kind]:
    """Groups in which the interval moves or stays as evenly spaced positions: whichever takes the smaller interval."""
    moving = reach.widened(Step(step.size, -step.rows, -step.cols) for step in steps if step.kind is Kind.STAYS)
    still = reach.widened(steps)
    extents = [sum(each.high) - sum(each.low) for each in (moving, still)]
    return (moving, Kind.MOVES) if extents[0] <= extents[1] else (still, Kind.STAYS)


def over(reach: Reach, axes: Iterable[int], keepdim: bool) -> Reach:
    """What a sum over these axes sees."""
    gone = {axis % len(reach.axes) for axis in axes}
    reach = reach.widened(step for axis in gone for step in reach.axes[axis])
    kept = tuple(() if at in gone else axis for at, axis in enumerate(reach.axes) if keepdim or at not in gone)
    return reach.with_axes(kept)


def mixed(reach: Reach, axes: Iterable[int], shape: Sequence[int]) -> Reach:
    """What elements see after all positions along these axes have been mixed; `shape` is the result's."""
    for index in axes:
        axis = reach.axes[index]
        if is_flat(axis):
            reach = reach.with_axis(index, Step(shape[index]))
            continue
        reach = reach.widened(axis)
        stay = tuple(replace(step, kind=Kind.STAYS) for step in axis)
        kept = stay if size_of(axis) == shape[index] else (Step(shape[index], kind=Kind.STAYS),)
        reach = reach.with_axis(index, *kept)
    return reach


def reshaped(reach: Reach, shape: Sequence[int]) -> Reach:
    """The reach of the same elements in the same order under another shape.

    Raises `IrregularError` if none describes it.
    """
    try:
        return _regrouped(reach, shape)
    except IrregularError:
        for index, axis in enumerate(reach.axes):
            if size_of(axis) > 1 and all(step.is_place for step in axis):
                reach = linear(reach, index)[0]
        return _regrouped(reach, shape)


def _regrouped(reach: Reach, shape: Sequence[int]) -> Reach:
    source, pending = list(reach.axes), list[Step]()
    axes = []
    for size in shape:
        if size == 1 and not pending and source and size_of(source[0]) == 1:
            axes.append(source.pop(0))
        else:
            axes.append(_taken(size, pending, source))
    return reach.with_axes(tuple(axes))


def _taken(size: int, pending: list[Step], source: list[Axis]) -> Axis:
    """The next `size` positions off a list of steps; `source` holds the axes that come after."""
    got: list[Step] = []
    while size > 1:
        step = _next(pending, source)
        if size % step.size == 0:
            got.append(step)
            size //= step.size
        elif step.size % size == 0:
            outer, inner = step.split(size)
            got.append(outer)
            pending.insert(0, inner)
            size = 1
        else:
            after = _next(pending, source)
            if not _follow(step, after) or step.kind is not after.kind:
                raise IrregularError
            pending.insert(0, after.times(1, step.size * after.size))
    return compact(tuple(got))


def _next(pending: list[Step], source: list[Axis]) -> Step:
    while True:
        while not pending:
            if not source:
                raise IrregularError
            pending.extend(source.pop(0))
        step = pending.pop(0)
        if step.size > 1:
            return step


def _follow(outer: Step, inner: Step) -> bool:
    """True if the positions of both together are evenly spaced."""
    rows, cols = outer.rows - inner.size * inner.rows, outer.cols - inner.size * inner.cols
    return abs(rows) < EPS and abs(cols) < EPS

"""What the elements of a tensor see that is made of several others, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convviz_gui.engine.network.receptive.reach import (
    EPS,
    Axis,
    Kind,
    Reach,
    Step,
    is_flat,
    linear,
    size_of,
)


def union(parts: Sequence[Reach], shape: Sequence[int], gates: bool = True) -> Reach:
    """What elements see that depend on the elements in the same place of every part, broadcast to `shape`.

    With `gates`, a part that is the same at every position of another (squeeze and excitation, a norm's mean) does not
    widen what is seen there; it is marked as gated.
    """
    first, *others = (broadcast(part, shape) for part in parts)
    for other in others:
        if gates and _is_gate(other, first):
            first = replace(first, gated=True)
        elif gates and _is_gate(first, other):
            first = replace(other, gated=True)
        else:
            first = _both(first, other)
    return first


def broadcast(reach: Reach, shape: Sequence[int]) -> Reach:
    """The reach after broadcasting to `shape`."""
    if len(shape) < len(reach.axes):
        raise ValueError(f"{len(reach.axes)} axes do not broadcast to {shape}")
    axes: list[Axis] = [()] * (len(shape) - len(reach.axes)) + list(reach.axes)
    for index, (axis, size) in enumerate(zip(axes, shape, strict=True)):
        if size_of(axis) != size:
            axes[index] = (Step(size),)
    return reach.with_axes(tuple(axes))


def _is_gate(part: Reach, maps: Reach) -> bool:
    placed = [not is_flat(axis) for axis in maps.axes]
    return any(placed) and all(is_flat(axis) for axis in part.axes)


def _both(a: Reach, b: Reach) -> Reach:
    """What sees whatever either sees. Where they move differently, every position is given what all of them see."""
    axes: list[list[Step]] = []
    clashes: list[tuple[int, int, Step, Step]] = []
    for index in range(len(a.axes)):
        pairs = _refined(a.axes[index], b.axes[index])
        if pairs is None:
            a, step_a = linear(a, index)
            b, step_b = linear(b, index)
            pairs = [(step_a, step_b)]
        clashes += [(index, at, *pair) for at, pair in enumerate(pairs) if not _alike(*pair)]
        axes.append([step_b if step_b.is_place or step_a.is_flat else step_a for step_a, step_b in pairs])
    a, b, kind = _settled(a, b, [(step_a, step_b) for _, _, step_a, step_b in clashes])
    for index, at, _, _ in clashes:
        axes[index][at] = replace(axes[index][at], kind=kind)
    low = min(a.low[0], b.low[0]), min(a.low[1], b.low[1])
    high = max(a.high[0], b.high[0]), max(a.high[1], b.high[1])
    return Reach(tuple(tuple(axis) for axis in axes), low, high, a.picture, a.gated or b.gated)


def _settled(a: Reach, b: Reach, clashes: Sequence[tuple[Step, Step]]) -> tuple[Reach, Reach, Kind]:
    """Both with an interval that fits where their steps clash, and what its positions do then."""
    wide_a, wide_b = a.widened(step for step, _ in clashes), b.widened(step for _, step in clashes)
    a_holds = all(_is_still(step) for step, _ in clashes) and wide_a.sees_all_of(wide_b)
    b_holds = all(_is_still(step) for _, step in clashes) and wide_b.sees_all_of(wide_a)
    if a_holds or b_holds:
        return wide_a, wide_b, Kind.STAYS
    if all(_same_places(*pair) and Kind.VARIES not in {step.kind for step in pair} for pair in clashes):
        # What one sees from a window, the other sees from each of its places: an interval that moves holds both.
        a = a.widened(_backwards(step) for step, _ in clashes if step.kind is Kind.STAYS)
        b = b.widened(_backwards(step) for _, step in clashes if step.kind is Kind.STAYS)
        return a, b, Kind.MOVES
    return wide_a, wide_b, Kind.VARIES


def _refined(a: Axis, b: Axis) -> list[tuple[Step, Step]] | None:
    """Both axes cut into steps of the same sizes, pair by pair; None if they do not divide each other."""
    if size_of(a) == 1:
        return [((*a, Step(1))[0], (*b, Step(1))[0])]
    rest_a, rest_b = [step for step in a if step.size > 1], [step for step in b if step.size > 1]
    pairs = []
    while rest_a and rest_b:
        step_a, step_b = rest_a.pop(0), rest_b.pop(0)
        if step_a.size > step_b.size and step_a.size % step_b.size == 0:
            step_a, inner = step_a.split(step_b.size)
            rest_a.insert(0, inner)
        elif step_b.size > step_a.size and step_b.size % step_a.size == 0:
            step_b, inner = step_b.split(step_a.size)
            rest_b.insert(0, inner)
        if step_a.size != step_b.size:
            return None
        pairs.append((step_a, step_b))
    return pairs


def _alike(a: Step, b: Step) -> bool:
    if a.size == 1 and (a.is_flat or b.is_flat):
        return True
    return a.kind is b.kind and _same_places(a, b)


def _same_places(a: Step, b: Step) -> bool:
    return abs(a.rows - b.rows) < EPS and abs(a.cols - b.cols) < EPS


def _backwards(step: Step) -> Step:
    return Step(step.size, -step.rows, -step.cols)


def _is_still(step: Step) -> bool:
    return step.kind is Kind.STAYS or step.is_flat

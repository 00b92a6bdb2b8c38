"""Rules for operations that put elements elsewhere and leave them what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from convviz_gui.engine.network.receptive.reach import (
    EPS,
    Axis,
    IrregularError,
    Kind,
    Reach,
    Step,
    is_flat,
    linear,
    reshaped,
    size_of,
)
from convviz_gui.engine.network.receptive.rules import Op, rule
from convviz_gui.engine.network.receptive.sliding import slid
from convviz_gui.engine.network.receptive.union import broadcast, union


@rule("view", "_unsafe_view", "reshape", "_reshape_alias", "_reshape_copy", "view_copy", "squeeze", "unsqueeze")
def _reshape(op: Op) -> Reach:
    if op.name == "unsqueeze":
        axes = list(op.first.axes)
        axes.insert(op.args[1] % len(op.shape), ())
        return op.first.with_axes(tuple(axes))
    if op.name == "squeeze":
        return _squeezed(op)
    return reshaped(op.first, op.shape)


def _squeezed(op: Op) -> Reach:
    axes, wanted = op.first.axes, op.arg(1)
    if wanted is None:
        wanted = range(len(axes))
    chosen = {dim % len(axes) for dim in ([wanted] if isinstance(wanted, int) else wanted)}
    kept = [axis for at, axis in enumerate(axes) if at not in chosen or size_of(axis) > 1]
    return op.first.with_axes(tuple(kept))


@rule("view_as_complex", "view_as_real")
def _complex(op: Op) -> Reach:
    axes = op.first.axes
    return op.first.with_axes(axes[:-1] if op.name == "view_as_complex" else (*axes, (Step(2),)))


@rule("permute", "transpose", "t")
def _permute(op: Op) -> Reach:
    axes = list(op.first.axes)
    if op.name == "permute":
        axes = [axes[dim] for dim in op.args[1]]
    else:
        a, b = op.args[1:3] if op.name == "transpose" else (0, len(axes) - 1)
        axes[a], axes[b] = axes[b], axes[a]
    return op.first.with_axes(tuple(axes))


@rule("as_strided")
def _as_strided(op: Op) -> Reach:
    """Only where it says in other words what the tensor already is."""
    tensor, shape, strides = op.args[:3]
    alike = all(a == b or n == 1 for n, a, b in zip(shape, tensor.stride(), strides, strict=True))
    if tuple(shape) != tuple(tensor.shape) or not alike or op.arg(3) not in (None, tensor.storage_offset()):
        raise IrregularError
    return op.first


@rule("expand")
def _expand(op: Op) -> Reach:
    return broadcast(op.first, op.shape)


@rule("repeat")
def _repeat(op: Op) -> Reach:
    axes: list[Axis] = [()] * (len(op.shape) - len(op.first.axes)) + list(op.first.axes)
    times = [size // size_of(axis) for size, axis in zip(op.shape, axes, strict=True)]
    pairs = zip(times, axes, strict=True)
    return op.first.with_axes(tuple((Step(n), *axis) if n > 1 else axis for n, axis in pairs))


@rule("select")
def _select(op: Op) -> Reach:
    at, index = op.arg(1, 0) % len(op.first.axes), op.args[2]
    reach, step = linear(op.first, at)
    index %= step.size
    reach = reach.shifted(step, index, index)
    return reach.with_axes(reach.axes[:at] + reach.axes[at + 1 :])


@rule("slice")
def _slice(op: Op) -> Reach:
    at, start, by = op.arg(1, 0) % len(op.shape), op.arg(2) or 0, op.arg(4, 1)
    size = size_of(op.first.axes[at])
    if op.shape[at] == size:
        return op.first
    start = max(start + size, 0) if start < 0 else start
    return _cut(op.first, at, start, op.shape[at], by)


def _cut(reach: Reach, at: int, start: int, size: int, by: int = 1) -> Reach:
    outer, *inner = reach.axes[at] or (Step(1),)
    whole = size_of(tuple(inner))
    if by == 1 and start % whole == 0 and size % whole == 0:
        # Whole groups: what is inside them stays as it is.
        reach = reach.shifted(outer, start // whole, start // whole)
        return reach.with_axis(at, outer.times(1, size // whole), *inner)
    return slid(reach, at, start, start, by, size)


@rule("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes", "chunk", "unsafe_chunk")
def _split(op: Op) -> Sequence[Reach]:
    at, start, parts = op.arg(2, 0) % len(op.shape), 0, []
    for out in op.outs:
        parts.append(_cut(op.first, at, start, out.shape[at]))
        start += out.shape[at]
    return parts


@rule("unbind")
def _unbind(op: Op) -> Sequence[Reach]:
    at = op.arg(1, 0) % len(op.first.axes)
    reach, step = linear(op.first, at)
    without = reach.with_axes(reach.axes[:at] + reach.axes[at + 1 :])
    return [without.shifted(step, index, index) for index in range(len(op.outs))]


@rule("cat", "stack")
def _cat(op: Op) -> Reach:
    tensors = op.args[0]
    at = op.arg(1, 0) % len(op.shape)
    parts = [op.reach_of(tensor) for tensor in tensors]
    if op.name == "stack":
        parts = [part and replace(part, axes=(*part.axes[:at], (), *part.axes[at:])) for part in parts]
        lengths = [1] * len(parts)
    else:
        kept = [i for i, tensor in enumerate(tensors) if tensor.ndim == len(op.shape)]
        parts, lengths = [parts[i] for i in kept], [tensors[i].shape[at] for i in kept]
    seeing = [part for part in parts if part is not None]
    if all(is_flat(part.axes[at]) for part in seeing):
        shape = (*op.shape[:at], 1, *op.shape[at + 1 :])
        return union([part.with_axis(at) for part in seeing], shape, gates=False).with_axis(at, Step(op.shape[at]))
    return _joined(parts, lengths, at, op.shape)


def _joined(parts: Sequence[Reach | None], lengths: Sequence[int], at: int, shape: Sequence[int]) -> Reach:
    """Parts one after the other along an axis of places: one map again if each goes on where the last one ended."""
    begun, start = list[Reach](), 0
    steps: set[tuple[float, float]] = set()
    for part, length in zip(parts, lengths, strict=True):
        if part is not None:
            part, step = linear(part, at)
            begun.append(part.shifted(step, -start, -start).with_axis(at, step.times(1, shape[at])))
            steps.add((round(step.rows, 6), round(step.cols, 6)) if step.kind is Kind.MOVES else (-1.0, -1.0))
        start += length
    if len(steps) == 1 and (-1.0, -1.0) not in steps and (0.0, 0.0) not in steps and _agree(begun):
        return union(begun, shape, gates=False)
    loose = [
        part.widened(part.axes[at]).with_axis(at, Step(shape[at], kind=Kind.VARIES))
        for part in parts
        if part is not None
    ]
    return union(loose, shape, gates=False)


def _agree(parts: Sequence[Reach]) -> bool:
    ends = [(*part.low, *part.high) for part in parts]
    return all(abs(a - b) < EPS for end in ends for a, b in zip(end, ends[0], strict=True))


@rule("roll")
def _roll(op: Op) -> Reach:
    """What comes in again on the other side is taken for what lies beyond the edge, as with circular padding."""
    reach = op.first
    for shift, dim in zip(_several(op.args[1]), _several(op.arg(2, ())), strict=True):
        reach = slid(reach, dim % len(op.shape), -shift, -shift, 1, op.shape[dim])
    return reach


@rule("flip")
def _flip(op: Op) -> Reach:
    reach = op.first
    for dim in op.args[1]:
        reach, step = linear(reach, dim % len(op.shape))
        reach = reach.shifted(step, step.size - 1, step.size - 1)
        reach = reach.with_axis(dim % len(op.shape), step.times(-1, step.size))
    return reach


@rule("unfold")
def _unfold(op: Op) -> Reach:
    at, size, by = op.args[1] % len(op.first.axes), op.args[2], op.args[3]
    reach, step = linear(op.first, at)
    reach = reach.with_axis(at, step.times(by, op.shape[at]))
    return reach.with_axes((*reach.axes, (step.times(1, size),)))


@rule("pixel_shuffle")
def _pixel_shuffle(op: Op) -> Reach:
    r, (batch, channels, height, width) = op.args[1], op.args[0].shape
    reach = reshaped(op.first, (batch, channels // r**2, r, r, height, width))
    axes = reach.axes
    reach = reach.with_axes((axes[0], axes[1], axes[4], axes[2], axes[5], axes[3]))
    # The r² channels of a position lie side by side now, in what was one place.
    for at in (3, 5):
        if is_flat(reach.axes[at]):
            outer = linear(reach, at - 1)[1]
            reach = reach.with_axis(at, replace(outer.times(1 / r, r), kind=Kind.STAYS))
    return reshaped(reach, op.shape)


@rule("pixel_unshuffle")
def _pixel_unshuffle(op: Op) -> Reach:
    r, (batch, channels, height, width) = op.args[1], op.args[0].shape
    reach = reshaped(op.first, (batch, channels, height // r, r, width // r, r))
    axes = reach.axes
    return reshaped(reach.with_axes((axes[0], axes[1], axes[3], axes[5], axes[2], axes[4])), op.shape)


@rule("native_channel_shuffle", "channel_shuffle", "glu")
def _channels(op: Op) -> Reach:
    at = op.arg(1, -1) % len(op.shape) if op.name == "glu" else 1
    if not is_flat(op.first.axes[at]):
        raise IrregularError
    return op.first.with_axis(at, Step(op.shape[at]))


@rule("index", "index_select", "gather")
def _index(op: Op) -> Reach:
    if op.name == "index":
        chosen = [dim for dim, index in enumerate(op.args[1]) if index is not None]
        indices: list[Any] = [op.args[1][dim] for dim in chosen]
    else:
        chosen, indices = [op.args[1] % len(op.shape)], [op.args[2]]
    flat = all(is_flat(op.first.axes[dim]) for dim in chosen)
    if len(chosen) != 1 or not flat or op.reach_of(indices[0]) or len(op.shape) != len(op.first.axes):
        raise IrregularError
    if op.name == "gather" and op.shape != tuple(op.args[0].shape):
        raise IrregularError
    return op.first.with_axis(chosen[0], Step(op.shape[chosen[0]]))


def _several(value: Any) -> Sequence[int]:
    return [value] if isinstance(value, int) else value

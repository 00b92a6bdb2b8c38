"""Rules for operations that slide over the map: convolutions, poolings, paddings, resampling.

Padding is continued as if the picture went on: nothing is cut at its edge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from convviz_gui.engine.network.receptive.reach import IrregularError, Reach, Step, is_flat, linear, over, reshaped
from convviz_gui.engine.network.receptive.rules import Op, rule, sizes

Window = Callable[[int], tuple[float, float]]
"""From an output position to the first and the last input position that it sees."""


def slid(reach: Reach, axis: int, first: float, last: float, stride: float, size: int) -> Reach:
    """Output position o of `size` sees the input positions o·stride + first to o·stride + last along an axis."""
    reach, step = linear(reach, axis)
    return reach.shifted(step, first, last).with_axis(axis, step.times(stride, size))


@rule("convolution", "_convolution")
def _convolution(op: Op) -> Reach:
    _, weight, _, stride, padding, dilation, transposed = op.args[:7]
    n = weight.ndim - 2
    stride, padding, dilation = sizes(stride, n), sizes(padding, n), sizes(dilation, n)
    reach = _weighed(op.first, op.reach_of(weight))
    reach = over(reach, [1], keepdim=True).with_axis(1, Step(op.shape[1]))
    for d, size in enumerate(op.shape[2:]):
        extent = dilation[d] * (weight.shape[2 + d] - 1)
        if transposed:
            ends, by = ((padding[d] - extent) / stride[d], padding[d] / stride[d]), 1 / stride[d]
        else:
            ends, by = (-padding[d], extent - padding[d]), stride[d]
        reach = slid(reach, 2 + d, *ends, by, size)
    return reach


def _weighed(reach: Reach, weight: Reach | None) -> Reach:
    """Weights that are computed from the picture (conditional convolution) are gates."""
    if weight is None:
        return reach
    if not all(is_flat(axis) for axis in weight.axes):
        raise IrregularError
    return replace(reach, gated=True)


def _pooled(op: Op, n: int, dilation: Sequence[int]) -> Reach:
    reach = op.first
    kernel = sizes(op.args[1], n)
    stride, padding = sizes(op.arg(2) or kernel, n), sizes(op.arg(3, 0), n)
    for d in range(n):
        at = len(op.shape) - n + d
        last = dilation[d] * (kernel[d] - 1) - padding[d]
        reach = slid(reach, at, -padding[d], last, stride[d], op.shape[at])
    return reach


@rule("avg_pool1d", "avg_pool2d", "avg_pool3d")
def _average_pool(op: Op) -> Reach:
    n = int(op.name[-2])
    return _pooled(op, n, (1,) * n)


@rule("max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices")
def _max_pool(op: Op) -> Reach:
    n = int(op.name[len("max_pool")])
    return _pooled(op, n, sizes(op.arg(4, 1), n))


@rule("constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "replication_pad1d", "replication_pad2d", "pad")
def _padded(op: Op) -> Reach:
    reach, margins = op.first, op.args[1]
    for d in range(len(margins) // 2):
        at = len(op.shape) - 1 - d
        reach = slid(reach, at, -margins[2 * d], -margins[2 * d], 1, op.shape[at])
    return reach


def _resampled(op: Op, n: int, window: Callable[[int, int], tuple[Window, float]]) -> Reach:
    """`window` gives, for an axis' input and output sizes, its windows and the distance between them."""
    reach = op.first
    before = tuple(op.args[0].shape)
    for at in range(len(op.shape) - n, len(op.shape)):
        size = op.shape[at]
        if before[at] == size and op.name.startswith(("_adaptive", "adaptive")):
            continue
        seen, by = window(before[at], size)
        ends = [(low - o * by, high - o * by) for o in range(size) for low, high in [seen(o)]]
        reach = slid(reach, at, min(low for low, _ in ends), max(high for _, high in ends), by, size)
    return reach


@rule(
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d", "adaptive_avg_pool1d"
)
def _adaptive_pool(op: Op) -> Reach:
    def window(before: int, after: int) -> tuple[Window, float]:
        def seen(o: int) -> tuple[float, float]:
            return math.floor(o * before / after), math.ceil((o + 1) * before / after) - 1

        return seen, before / after

    n = int(op.name[-2])
    axes = range(len(op.shape) - n, len(op.shape))
    if all(op.shape[axis] == 1 for axis in axes):
        return over(op.first, axes, keepdim=True)
    return _resampled(op, n, window)


@rule("upsample_nearest1d", "upsample_nearest2d", "_upsample_nearest_exact1d", "_upsample_nearest_exact2d")
def _nearest(op: Op) -> Reach:
    middle = 0.5 if "exact" in op.name else 0.0

    def window(before: int, after: int) -> tuple[Window, float]:
        def seen(o: int) -> tuple[float, float]:
            source = math.floor((o + middle) * before / after)
            return source, source

        return seen, before / after

    return _resampled(op, int(op.name[-2]), window)


@rule("upsample_linear1d", "upsample_bilinear2d", "upsample_bicubic2d")
def _interpolated(op: Op) -> Reach:
    more = 1 if "bicubic" in op.name else 0

    def window(before: int, after: int) -> tuple[Window, float]:
        corners = bool(op.args[2]) and after > 1
        by = (before - 1) / (after - 1) if corners else before / after

        def seen(o: int) -> tuple[float, float]:
            source = o * by if corners else (o + 0.5) * by - 0.5
            if abs(source - round(source)) < 1e-6:
                return round(source), round(source)
            return math.floor(source) - more, math.floor(source) + 1 + more

        return seen, by

    return _resampled(op, int(op.name[-2]), window)


@rule("_upsample_bilinear2d_aa", "_upsample_bicubic2d_aa")
def _antialiased(op: Op) -> Reach:
    def window(before: int, after: int) -> tuple[Window, float]:
        by = before / after
        support = (2 if "bicubic" in op.name else 1) * max(by, 1.0)

        def seen(o: int) -> tuple[float, float]:
            centre = (o + 0.5) * by
            return math.floor(centre - support + 0.5), math.floor(centre + support + 0.5) - 1

        return seen, by

    return _resampled(op, 2, window)


@rule("im2col")
def _patches(op: Op) -> Reach:
    """[B, C, H, W] → [B, C·kh·kw, oh·ow]."""
    _, kernel, dilation, padding, stride = op.args[:5]
    reach, before = op.first, op.args[0].shape
    inside: list[Step] = []
    places: list[Step] = []
    for d in range(2):
        reach, step = linear(reach, 2 + d)
        reach = reach.shifted(step, -padding[d], -padding[d])
        size = (before[2 + d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) // stride[d] + 1
        inside.append(step.times(dilation[d], kernel[d]))
        places.append(step.times(stride[d], size))
    batch, channels = reach.axes[:2]
    return reach.with_axes((batch, (*channels, *inside), tuple(places)))


@rule("col2im")
def _folded(op: Op) -> Reach:
    """[B, C·kh·kw, oh·ow] → [B, C, H, W]: every pixel is the sum of the patches that lie over it."""
    _, size, kernel, dilation, padding, stride = op.args[:6]
    places = [(size[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) // stride[d] + 1 for d in range(2)]
    channels = op.shape[1]
    reach = reshaped(op.first, (op.shape[0], channels, *kernel, *places))
    for d in range(2):
        reach, inside = linear(reach, 2 + d)
        reach, place = linear(reach, 4 + d)
        moved = [dilation[d] / stride[d] * place.times(1, 2).span[way] for way in range(2)]
        own = inside.times(1, 2).span
        # A pixel that a patch took from its own place has not moved at all.
        reach = reach.widened([Step(kernel[d], own[0] - moved[0], own[1] - moved[1])])
        reach = reach.shifted(place, padding[d] / stride[d], padding[d] / stride[d])
        reach = reach.with_axis(4 + d, place.times(1 / stride[d], size[d]))
    axes = over(reach.with_axis(2).with_axis(3), [1], keepdim=True).axes
    return reach.with_axes((axes[0], (Step(channels),), *axes[4:]))

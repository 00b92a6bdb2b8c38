"""What a change of part of a map changes of an operation's result, and how that part alone is computed.

An operation without a rule, or one called in a way that its rule does not know, is computed for whole maps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.occluding.extents import Changed, Region
from convviz_gui.engine.occluding.graph import Count, Graph, Node, Ref, Repeated, leaves, mapped

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sliding:
    """Output o sees the inputs o·stride − padding to o·stride − padding + kernel − 1, beyond the map `beyond`."""

    kernel: Pair
    stride: Pair
    padding: Pair
    beyond: float = 0.0

    def needed(self, out: Region) -> Region:
        """The part of the input, which may reach beyond the map, that a part of the output is computed from."""
        height, width = (
            (n - 1) * stride + kernel
            for n, stride, kernel in zip((out.height, out.width), self.stride, self.kernel, strict=True)
        )
        top, left = (
            start * stride - padding
            for start, stride, padding in zip((out.top, out.left), self.stride, self.padding, strict=True)
        )
        return Region(height, width, top, left)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """How an operation is followed.

    Args:
        outs: what is changed of its results.
        sliding: how its only map is looked at; None where every position is computed from itself alone.
        compute: from the node, its inputs' parts (by value, as `sliding` needs them or of the results' region), that
            region and the number of windows to the part of the result, or of all where it gives several.
    """

    outs: tuple[Changed, ...]
    compute: Callable[[Node, Mapping[int, Tensor], Region, int], Any]
    sliding: Sliding | None = None


class _Unknown(Exception):  # noqa: N818
    """The operation is called in a way that is not followed."""


def rule_for(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule | None:
    """The rule for a node, or None if it has to be computed for whole maps.

    Args:
        changed: what is changed of the values that are followed, by value.
    """
    inputs = node.refs()
    if not inputs or any(value not in changed for value in inputs):
        return None
    make = _RULES.get(node.name) or (_local if _is_pointwise(node) else None)
    try:
        return make(node, graph, changed) if make is not None else None
    except _Unknown:
        return None


def _need(condition: bool) -> None:
    if not condition:
        raise _Unknown


def _pair(value: Any) -> Pair:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    _need(len(values) in (1, 2) and all(type(item) is int for item in values))
    return (values[0], values[0]) if len(values) == 1 else (values[0], values[1])


def _map_size(graph: Graph, value: int) -> Pair:
    height, width = graph.shapes[value][-2:]
    _need(type(height) is int and type(width) is int)
    assert isinstance(height, int)
    assert isinstance(width, int)
    return height, width


def _only_map(node: Node, changed: Mapping[int, Changed]) -> Changed:
    """What is changed of the node's first argument [n, C, H, W], the only one that is no constant."""
    _need(isinstance(node.args[0], Ref) and len(node.refs()) == 1)
    found = changed[node.args[0].value]
    _need(found.dims == (2, 3))
    return found


# ------------------------------------------------------------------------------------------- sliding over the map


def _slid(node: Node, graph: Graph, before: Changed, sliding: Sliding, compute: Callable[[Tensor], Tensor]) -> Rule:
    _need(all(out is None for out in node.outs[1:]))
    value = node.args[0].value
    outs = before.slid(sliding.kernel, sliding.stride, sliding.padding, _map_size(graph, node.out))

    def computed(node: Node, parts: Mapping[int, Tensor], _region: Region, _n: int) -> Any:
        part = compute(parts[value])
        return [part] if node.many else part

    return Rule((outs,), computed, sliding)


def _convolution(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    before = _only_map(node, changed)
    _, weight, bias, stride, padding, dilation, transposed, _, groups = node.args
    _need(not transposed and isinstance(weight, Tensor) and weight.ndim == 4 and type(groups) is int)
    stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)
    height, width = (by * (side - 1) + 1 for by, side in zip(dilation, weight.shape[2:], strict=True))
    return _slid(
        node,
        graph,
        before,
        Sliding((height, width), stride, padding),
        lambda x: F.conv2d(x, weight, bias, stride, 0, dilation, groups),
    )


def _max_pool(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    before = _only_map(node, changed)
    sides = _pair(node.args[1])
    stride, padding, dilation = _pair(node.arg(2) or sides), _pair(node.arg(3, 0)), _pair(node.arg(4, 1))
    kernel = dilation[0] * (sides[0] - 1) + 1, dilation[1] * (sides[1] - 1) + 1
    sliding = Sliding(kernel, stride, padding, -math.inf)
    return _slid(node, graph, before, sliding, lambda x: F.max_pool2d(x, sides, stride, 0, dilation))


def _average_pool(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    before = _only_map(node, changed)
    kernel = _pair(node.args[1])
    stride, padding = _pair(node.arg(2) or kernel), _pair(node.arg(3, 0))
    size = _map_size(graph, node.out)
    # Where no window reaches beyond what is counted, and no other divisor is asked for, all divide by the same number.
    inside = all((size[d] - 1) * stride[d] + kernel[d] <= before.size[d] + 2 * padding[d] for d in range(2))
    _need(inside and node.arg(6) is None and (padding == (0, 0) or node.arg(5, True) is True))
    return _slid(node, graph, before, Sliding(kernel, stride, padding), lambda x: F.avg_pool2d(x, kernel, stride))


def _padded(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    before = _only_map(node, changed)
    margins = list(node.args[1])
    beyond = node.arg(2, 0)
    _need(len(margins) <= 4 and all(type(margin) is int for margin in margins) and isinstance(beyond, (int, float)))
    left, _, top, _ = margins + [0] * (4 - len(margins))
    return _slid(node, graph, before, Sliding((1, 1), (1, 1), (top, left), float(beyond)), lambda x: x)


# ------------------------------------------------------------------------------------- every position by itself


def _together(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Changed:
    """What is changed of the inputs taken together; they must lie over one map, in the same axes."""
    values = node.refs()
    found = changed[values[0]]
    rank = len(graph.shapes[values[0]])
    for value in values[1:]:
        _need(changed[value].alike(found) and len(graph.shapes[value]) == rank)
        found = found.joined(changed[value])
    return found


def _local(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    """Element by element, with constants that are the same at every position."""
    found = _together(node, graph, changed)
    rank = len(graph.shapes[node.refs()[0]])
    for item in leaves((node.args, dict(node.kwargs))):
        _need(not isinstance(item, (Count, Repeated)))
        if isinstance(item, Tensor):
            _need(item.ndim <= rank and all(side == 1 for side in _sides(item, rank, found)))
    return _same_place(node, graph, found)


def _sides(constant: Tensor, rank: int, found: Changed) -> list[int]:
    """Sizes of a constant along the axes that hold pictures and positions."""
    axes = (0,) if found.dims is None else (0, *found.dims)
    shape = (1,) * (rank - constant.ndim) + tuple(constant.shape)
    return [shape[axis] for axis in axes]


def _same_place(node: Node, graph: Graph, found: Changed, dims: Pair | None = None) -> Rule:
    """Computed from parts as from the whole, with the same arguments."""
    after = Changed(found.rows, found.cols, dims or found.dims)
    for out in node.outs:
        if out is not None and after.dims is not None:
            shape = graph.shapes[out]
            _need(len(shape) > after.dims[1] and tuple(shape[d] for d in after.dims) == found.size)

    def compute(node: Node, parts: Mapping[int, Tensor], _region: Region, _n: int) -> Any:
        def given(item: Any) -> Any:
            return parts[item.value] if isinstance(item, Ref) else item

        return node.call(*mapped(node.args, given), **mapped(dict(node.kwargs), given))

    return Rule((after,) * len(node.outs), compute)


def _axis_alone(at: int, default: int) -> Callable[[Node, Graph, Mapping[int, Changed]], Rule]:
    """Rule for what joins or takes apart along one axis, argument `at`."""

    def rule(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
        found = _together(node, graph, changed)
        rank = len(graph.shapes[node.refs()[0]])
        axis = node.arg(at, node.kwargs.get("dim", default))
        _need(type(axis) is int and found.dims is not None)
        assert found.dims is not None
        _need(axis % rank not in (0, *found.dims))
        _need(not any(isinstance(item, (Tensor, Count, Repeated)) for item in leaves((node.args, dict(node.kwargs)))))
        return _same_place(node, graph, found)

    return rule


def _permuted(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    found = _together(node, graph, changed)
    _need(found.dims is not None)
    assert found.dims is not None
    rank = len(graph.shapes[node.refs()[0]])
    if node.name == "permute":
        order = [axis % rank for axis in node.args[1]]
    else:
        order = list(range(rank))
        first, second = (axis % rank for axis in node.args[1:3])
        order[first], order[second] = order[second], order[first]
    rows, cols = (order.index(axis) for axis in found.dims)
    _need(order[0] == 0 and cols == rows + 1)
    return _same_place(node, graph, found, (rows, cols))


def _layer_norm(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    found = _together(node, graph, changed)
    rank = len(graph.shapes[node.refs()[0]])
    first = rank - len(node.args[1])
    _need(all(axis < first for axis in found.dims or (0,)) and all(out is None for out in node.outs[1:]))
    _need(not any(isinstance(item, (Count, Repeated)) for item in leaves(node.args)))
    return _same_place(node, graph, found)


def _matrix(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    """A linear layer on positions that have become the rows of a matrix."""
    found = _together(node, graph, changed)
    at = 1 if node.name == "addmm" else 0
    _need(found.dims is None and isinstance(node.args[at], Ref) and len(node.refs()) == 1)
    _need(node.name == "mm" or (isinstance(node.args[0], Tensor) and node.args[0].ndim == 1))
    return _same_place(node, graph, found)


def _reshaped(node: Node, graph: Graph, changed: Mapping[int, Changed]) -> Rule:
    """Axes other than rows and columns regrouped, or all positions put into one axis and back."""
    found = _together(node, graph, changed)
    dims: Pair | None
    before, after = graph.shapes[node.refs()[0]], graph.shapes[node.out]
    if found.dims is not None and len(after) == 2:
        _need(found.dims == (1, 2) and len(before) == 4 and after[0] == Count(0, math.prod(found.size)))
        rest, dims = _plain(after[1:]), None
    else:
        skipped = 1 if found.dims is None else math.prod(_plain(before[1 : found.dims[0]]))
        rows = _place_of_rows(after, found.size, skipped)
        rest, dims = _plain((*after[1:rows], *after[rows + 2 :])), (rows, rows + 1)

    def compute(_node: Node, parts: Mapping[int, Tensor], region: Region, n: int) -> Tensor:
        (x,) = parts.values()
        if dims is None:
            return x.reshape(n * region.height * region.width, *rest)
        at = dims[0] - 1
        return x.reshape(n, *rest[:at], region.height, region.width, *rest[at:])

    return Rule((Changed(found.rows, found.cols, dims),), compute)


def _place_of_rows(shape: tuple[int | Count, ...], size: Pair, skipped: int) -> int:
    """The axis of rows in a result [n, ..., H, W, ...] with as many elements before it as `skipped`."""
    _need(shape[0] == Count(0, 1))
    for at in range(1, len(shape) - 1):
        if shape[at : at + 2] == size and math.prod(_plain(shape[1:at])) == skipped:
            return at
    raise _Unknown


def _plain(shape: tuple[int | Count, ...]) -> list[int]:
    numbers = [side for side in shape if isinstance(side, int)]
    _need(len(numbers) == len(shape))
    return numbers


def _is_pointwise(node: Node) -> bool:
    packet = getattr(torch.ops.aten, node.name, None)
    if packet is None:
        return False
    # Only some of an operation's forms bear the tag.
    return any(torch.Tag.pointwise in getattr(packet, form).tags for form in packet.overloads())


_RULES: dict[str, Callable[[Node, Graph, Mapping[int, Changed]], Rule]] = {
    "convolution": _convolution,
    "max_pool2d_with_indices": _max_pool,
    "avg_pool2d": _average_pool,
    "constant_pad_nd": _padded,
    "affine": _local,
    "cat": _axis_alone(1, 0),
    "split": _axis_alone(2, 0),
    "split_with_sizes": _axis_alone(2, 0),
    "slice": _axis_alone(1, 0),
    "permute": _permuted,
    "transpose": _permuted,
    "native_layer_norm": _layer_norm,
    "addmm": _matrix,
    "mm": _matrix,
    "view": _reshaped,
    "_unsafe_view": _reshaped,
    "reshape": _reshaped,
} | dict.fromkeys(("clone", "alias", "detach", "_to_copy", "lift_fresh", "contiguous"), _local)

"""Which operations may overwrite what goes into them: memory that is new costs more than what is computed in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from convviz_gui.engine.occluding.graph import Graph, Node, Ref

_NEW = frozenset(
    "convolution affine add sub mul div relu hardtanh silu hardswish hardsigmoid sigmoid gelu leaky_relu clamp cat "
    "mean max_pool2d_with_indices avg_pool2d addmm mm native_layer_norm".split()
)
"""Operations whose results share no memory with what goes in."""
_IN_PLACE = frozenset("add mul relu hardtanh silu hardswish hardsigmoid sigmoid leaky_relu clamp".split())


def overwriting(graph: Graph) -> dict[int, Callable[..., Any]]:
    """In-place forms by the place of those nodes whose first argument nobody needs afterwards."""
    makers = {out: node.name for node in graph.nodes for out in node.outs if out is not None}
    last = graph.last_uses()
    users: dict[int, set[str]] = {}
    for node in graph.nodes:
        for value in node.refs():
            users.setdefault(value, set()).add(node.name)
    found = {}
    for at, node in enumerate(graph.nodes):
        call = _in_place(node)
        if call is None:
            continue
        value = node.args[0].value
        alone = last[value] == at and node.refs().count(value) == 1
        unshared = makers.get(value) in _NEW and users[value] <= _NEW
        if alone and unshared and graph.shapes[value] == graph.shapes[node.out]:
            found[at] = call
    return found


def _in_place(node: Node) -> Callable[..., Any] | None:
    if node.name not in _IN_PLACE or not node.args or not isinstance(node.args[0], Ref):
        return None
    packet = getattr(torch.ops.aten, node.name + "_", None)
    form: Callable[..., Any] | None = getattr(packet, getattr(node.call, "_overloadname", ""), None)
    return form

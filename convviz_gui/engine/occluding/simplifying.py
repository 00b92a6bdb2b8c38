"""Batch norms of a recorded network as part of the convolutions before them, or else as a factor and a summand."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import torch
from torch import Tensor

from convviz_gui.engine.occluding.graph import Graph, Node, Ref, mapped, pruned

_LEGIT = "_native_batch_norm_legit_no_training"
_WHICH_EPS = {"native_batch_norm": 7, "cudnn_batch_norm": 7, "miopen_batch_norm": 7, _LEGIT: 6}


def affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """x · scale + shift, with one of each per channel [C, 1, 1]."""
    return torch.addcmul(shift, x, scale)


def simplified(graph: Graph) -> Graph:
    """The same results, but for rounding, with batch norms of fixed statistics computed as cheaply as possible."""
    users = Counter(ref for node in graph.nodes for ref in node.refs())
    users[graph.result] += 1
    made = {node.outs[0]: at for at, node in enumerate(graph.nodes)}
    nodes = list(graph.nodes)
    for at, node in enumerate(graph.nodes):
        parts = _parts(node, len(graph.shapes[node.refs()[0]]) if node.refs() else 0)
        if parts is None:
            continue
        source = node.refs()[0]
        before = made.get(source)
        conv = nodes[before] if before is not None else None
        if conv is not None and conv.name == "convolution" and users[source] == 1 and _is_plain(conv):
            assert before is not None
            nodes[before] = _folded(conv, *parts)
            nodes[at] = dataclasses.replace(node, name="alias", args=(Ref(source),), kwargs={}, many=False)
        else:
            args = (Ref(source), *parts)
            nodes[at] = dataclasses.replace(node, name="affine", call=affine, args=args, kwargs={}, many=False)
        nodes[at] = dataclasses.replace(nodes[at], outs=node.outs[:1])
    return pruned(_without_aliases(graph, nodes))


def _without_aliases(graph: Graph, nodes: list[Node]) -> Graph:
    """The same with values in place of those that are nothing but other names for them."""
    named: dict[int, int] = {}

    def original(item: Any) -> Any:
        return Ref(named.get(item.value, item.value)) if isinstance(item, Ref) else item

    kept = []
    for node in nodes:
        node = dataclasses.replace(node, args=mapped(node.args, original), kwargs=mapped(dict(node.kwargs), original))
        if node.name in ("alias", "detach", "clone") and isinstance(node.args[0], Ref):
            named[node.out] = node.args[0].value
        else:
            kept.append(node)
    return dataclasses.replace(graph, nodes=tuple(kept), result=named.get(graph.result, graph.result))


def _parts(node: Node, ndim: int) -> tuple[Tensor, Tensor] | None:
    """Factor and summand of a batch norm with fixed statistics, [C, 1, 1] for maps; None of anything else."""
    eps_at = _WHICH_EPS.get(node.name)
    if eps_at is None or node.kwargs or any(out is not None for out in node.outs[1:]):
        return None
    if node.name != _LEGIT and node.arg(5) is not False:
        return None
    weight, bias, mean, var = node.args[1:5]
    eps = node.arg(eps_at)
    if not isinstance(mean, Tensor) or not isinstance(var, Tensor) or not isinstance(node.args[0], Ref):
        return None
    if not all(isinstance(value, Tensor) or value is None for value in (weight, bias)) or type(eps) is not float:
        return None
    # In double precision: what is folded is rounded once.
    scale = (var.double() + eps).rsqrt()
    scale = scale if weight is None else scale * weight.double()
    shift = -mean.double() * scale
    shift = shift if bias is None else shift + bias.double()
    shape = (-1, *(1,) * (ndim - 2))
    return scale.to(mean.dtype).reshape(shape), shift.to(mean.dtype).reshape(shape)


def _is_plain(conv: Node) -> bool:
    _, weight, bias = conv.args[:3]
    transposed = conv.arg(6, False)
    return isinstance(weight, Tensor) and (bias is None or isinstance(bias, Tensor)) and transposed is False


def _folded(conv: Node, scale: Tensor, shift: Tensor) -> Node:
    source, weight, bias = conv.args[:3]
    factor, add = scale.flatten().double(), shift.flatten().double()
    folded: Any = (weight.double() * factor.reshape(-1, *(1,) * (weight.ndim - 1))).to(weight.dtype)
    if bias is not None:
        add = add + bias.double() * factor
    folded = folded.contiguous(memory_format=torch.channels_last) if weight.ndim == 4 else folded
    return dataclasses.replace(conv, args=(source, folded, add.to(weight.dtype), *conv.args[3:]))

"""A network's forward pass as a list of operations that can be repeated for any number of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


class NotFollowedError(Exception):
    """A network cannot be followed; the message says why, as what "this network …" goes on with."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Stands for the value of that number."""

    value: int


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number that grows with the number n of pictures: base + each · n."""

    base: int
    each: int

    def of(self, n: int) -> int:
        """Its value for `n` pictures."""
        return self.base + self.each * n


@dataclass(frozen=True, slots=True, eq=False)
class Repeated:
    """A constant `row` [1, ...] that is there once for each picture."""

    row: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One operation. `args` and `kwargs` hold `Ref`, `Count` and `Repeated` in place of what changes.

    Args:
        name: of the ATen operation, without namespace and without the mark of its in-place form.
        call: computes it, never in place.
        outs: numbers of its results, None for those that are no tensors or that nobody uses.
        many: its results come in a tuple or list.
    """

    name: str
    call: Callable[..., Any] = field(repr=False)
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outs: tuple[int | None, ...]
    many: bool = False

    def refs(self) -> list[int]:
        """Numbers of the values that go in, in order and as often as they do."""
        return [item.value for item in leaves((self.args, dict(self.kwargs))) if isinstance(item, Ref)]

    def arg(self, index: int, default: Any = None) -> Any:
        """A positional argument, or its default where the call left it out."""
        return self.args[index] if index < len(self.args) else default

    @property
    def out(self) -> int:
        """Number of the first result."""
        assert self.outs[0] is not None
        return self.outs[0]


Shape = tuple[int | Count, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Operations in order, from the input (value `source`) to the logits (value `result`). `shapes` is by value."""

    nodes: tuple[Node, ...] = field(repr=False)
    source: int
    result: int
    shapes: Mapping[int, Shape] = field(repr=False)

    def last_uses(self) -> dict[int, int]:
        """The place of the last node that uses each value."""
        last = {ref: at for at, node in enumerate(self.nodes) for ref in node.refs()}
        last[self.result] = len(self.nodes)
        return last


def leaves(value: Any) -> Iterator[Any]:
    """What lists, tuples and dicts hold, in order."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same lists, tuples and dicts with every leaf changed."""
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)([mapped(item, change) for item in value])
    return change(value)


def perform(node: Node, value: Callable[[int], Tensor], n: int) -> list[Any]:
    """Compute a node for `n` pictures; `value` gives the tensors that go in. Returns all of its results."""

    def given(item: Any) -> Any:
        if isinstance(item, Ref):
            return value(item.value)
        if isinstance(item, Count):
            return item.of(n)
        if isinstance(item, Repeated):
            return item.row.expand(n, *item.row.shape[1:])
        return item

    result = node.call(*mapped(node.args, given), **mapped(dict(node.kwargs), given))
    return list(result) if node.many else [result]


def pruned(graph: Graph) -> Graph:
    """The same without operations that the logits do not depend on."""
    wanted, kept = {graph.result}, []
    for node in reversed(graph.nodes):
        outs = tuple(out if out in wanted else None for out in node.outs)
        if any(out is not None for out in outs):
            wanted.update(node.refs())
            kept.append(Node(node.name, node.call, node.args, node.kwargs, outs, node.many))
    return Graph(tuple(reversed(kept)), graph.source, graph.result, graph.shapes)

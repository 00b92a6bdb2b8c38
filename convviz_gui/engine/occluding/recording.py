"""Listening to forward passes for the operations that lead from the picture to the logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils.weak import WeakTensorKeyDictionary

from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.operation_watch import OperationWatch
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.occluding.graph import (
    Count,
    Graph,
    Node,
    NotFollowedError,
    Ref,
    Repeated,
    leaves,
    mapped,
    pruned,
)

_FEW, _MORE = 2, 3
"""Numbers of pictures of the two passes: what differs between them grows with the pictures."""
_STALE = -1
_DECIDES = "lets values decide what runs"
_OVERWRITES = "writes into a part of a tensor in place"
_CALLS: dict[str, Callable[..., Any]] = {
    "view": torch.reshape,
    "_unsafe_view": torch.reshape,
    "alias": lambda tensor: tensor,
    "detach": lambda tensor: tensor,
}
"""By another function: patches lie in memory in other ways than whole maps do."""


def recorded(model: nn.Module, x: Tensor) -> Graph:
    """The operations from `x` [1, C, H, W] to the logits, for any number of pictures.

    Takes two passes, of 2 and of 3 pictures, without gradients; `model` is left as it is.

    Raises:
        NotFollowedError: the network does what cannot be repeated from a list of operations, with the reason.
    """
    few, more = (_listened(model, x.expand(n, *x.shape[1:])) for n in (_FEW, _MORE))
    return pruned(_paired(few, more))


def _listened(model: nn.Module, x: Tensor) -> _Listener:
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        listener = _Listener(x)
        try:
            with listener:
                logits = logits_of(forward(model, x))
        except Exception as error:
            if fault_of(error) is not None:
                raise
            raise NotFollowedError(f"fails on {len(x)} pictures at once") from None
    listener.end(logits)
    return listener


class _Listener(OperationWatch):
    """While active, notes every operation on what was computed from `x`; numbers are never changed.

    What it cannot note is remembered in `refused` and reaches the network in no way.
    """

    def __init__(self, x: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.nodes: list[Node] = []
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.refused = ""
        self.result = _STALE
        self._known = WeakTensorKeyDictionary()
        self._constants = WeakTensorKeyDictionary()
        self.source = self._new(x)

    def end(self, logits: Tensor) -> None:
        """Raise `NotFollowedError` if the logits cannot be told from what was noted."""
        self.result = self._known.get(logits, _STALE)  # type: ignore[no-untyped-call]
        if self.refused or self.result == _STALE:
            raise NotFollowedError(self.refused or "computes in places where nobody can listen")

    def _new(self, tensor: Tensor) -> int:
        number = len(self.shapes)
        self.shapes[number] = tuple(tensor.shape)
        self._known[tensor] = number
        return number

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if isinstance(func, OpOverload) and _in_parts(func):
            # Only in inference mode; elsewhere these arrive in their parts.
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        # Before it runs: an operation in place changes what its argument stands for.
        inputs = mapped((args, kwargs), self._named)
        result = func(*args, **kwargs)
        if not self.refused:
            try:
                self._note(func, args, inputs, result)
            except Exception as error:  # noqa: BLE001 - whatever a network calls with whatever arguments
                self.refused = str(error) if isinstance(error, NotFollowedError) else f"calls {func}"
        return result

    def _named(self, item: Any) -> Any:
        if isinstance(item, Tensor) and item in self._known:
            return Ref(self._known[item])
        return item

    def _note(self, func: Any, args: tuple[Any, ...], inputs: Any, result: Any) -> None:
        refs = [item.value for item in leaves(inputs) if isinstance(item, Ref)]
        written = _written(func, args) if isinstance(func, OpOverload) else []
        if not refs:
            if any(tensor in self._constants for tensor in written):
                raise NotFollowedError("changes its own constants in place")
            return
        _check(func)
        known = all(tensor in self._known for tensor in written)
        if _STALE in refs or (func._schema.is_mutable and not (written and known)):
            raise NotFollowedError(_OVERWRITES)
        for item in leaves(inputs):
            if isinstance(item, Tensor):
                self._constants[item] = True
        for tensor in written:
            self._outdate(tensor)
        outs = tuple(self._new(out) if isinstance(out, Tensor) else None for out in _results(result))
        name = _name(func)
        if name == "as_strided":
            if self.shapes[refs[0]] != self.shapes[outs[0] or 0]:
                raise NotFollowedError("looks at a tensor by strides of its own")
            name, inputs = "alias", ((inputs[0][0],), {})
        call = _CALLS.get(name) or _out_of_place(func)
        self.nodes.append(Node(name, call, inputs[0], inputs[1], outs, isinstance(result, (tuple, list))))

    def _outdate(self, tensor: Tensor) -> None:
        """A tensor is about to stand for something new: others that share its memory are no longer what they were."""
        memory = tensor.untyped_storage()._cdata
        for other in list(self._known.keys()):  # type: ignore[no-untyped-call]
            if other is not tensor and other.untyped_storage()._cdata == memory:
                self._known[other] = _STALE


def _check(func: Any) -> None:
    """Raise `NotFollowedError` for an operation that cannot be repeated on other values."""
    if not isinstance(func, OpOverload):
        raise NotFollowedError("uses an operation of higher order")
    if torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
        raise NotFollowedError(_DECIDES)
    if torch.Tag.nondeterministic_seeded in func.tags:
        raise NotFollowedError("draws random numbers")


def _results(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (tuple, list)) else [result]


def _written(func: OpOverload, args: tuple[Any, ...]) -> list[Tensor]:
    """Tensors that an operation writes to."""
    if not func._schema.is_mutable:
        return []
    given = zip(func._schema.arguments, args, strict=False)
    return [
        value
        for argument, value in given
        if argument.alias_info is not None and argument.alias_info.is_write and isinstance(value, Tensor)
    ]


def _out_of_place(func: OpOverload) -> Callable[..., Any]:
    if not func._schema.is_mutable:
        return func
    packet = getattr(torch.ops.aten, _name(func), None)
    found = getattr(packet, func._overloadname, None)
    if found is None or func.namespace != "aten":
        raise NotFollowedError(_OVERWRITES)
    call: Callable[..., Any] = found
    return call


def _name(func: OpOverload) -> str:
    """The operation's name without namespace and without the mark of its in-place form."""
    return func._schema.name.partition("::")[2].removesuffix("_")


def _in_parts(func: OpOverload) -> bool:
    name = func.name()  # type: ignore[no-untyped-call]
    return torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")


# -------------------------------------------------------------------------------------- for any number of pictures


def _paired(few: _Listener, more: _Listener) -> Graph:
    """One list of operations from two; numbers that differ grow with the number of pictures."""
    if [node.name for node in few.nodes] != [node.name for node in more.nodes] or few.result != more.result:
        raise NotFollowedError("takes another course for another number of pictures")
    nodes = []
    for one, other in zip(few.nodes, more.nodes, strict=True):
        if one.outs != other.outs:
            raise NotFollowedError("takes another course for another number of pictures")
        args, kwargs = _merged(one.args, other.args), _merged(one.kwargs, other.kwargs)
        nodes.append(Node(one.name, one.call, args, kwargs, one.outs, one.many))
    shapes = {value: _merged(shape, more.shapes[value]) for value, shape in few.shapes.items()}
    return Graph(tuple(nodes), few.source, few.result, shapes)


def _merged(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        if one.keys() == other.keys():
            return {key: _merged(value, other[key]) for key, value in one.items()}
    elif isinstance(one, (tuple, list)):
        if len(one) == len(other):
            return type(one)([_merged(*pair) for pair in zip(one, other, strict=True)])
    elif isinstance(one, Tensor):
        return _constant(one, other)
    elif type(one) is type(other):
        if one == other or (one != one and other != other):
            return one
        if type(one) is int:
            each, rest = divmod(other - one, _MORE - _FEW)
            if not rest:
                return Count(one - each * _FEW, each)
    raise NotFollowedError("takes another course for another number of pictures")


def _constant(one: Tensor, other: Any) -> Any:
    if one is other:
        return one
    if isinstance(other, Tensor) and one.ndim == other.ndim:
        if one.shape == other.shape:
            if torch.equal(one, other):
                return one
        elif (len(one), len(other)) == (_FEW, _MORE) and one.shape[1:] == other.shape[1:]:
            row = one[:1]
            if torch.equal(other, row.expand(other.shape)):
                return Repeated(row)
    raise NotFollowedError("has constants that are not the same in every pass")

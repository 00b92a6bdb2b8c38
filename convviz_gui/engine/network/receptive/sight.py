"""Watching a forward pass for what every tensor in it sees of the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils.weak import WeakTensorKeyDictionary

from convviz_gui.engine.network.operation_watch import OperationWatch

# The rules register themselves.
from convviz_gui.engine.network.receptive import mixing, rearranging, sliding  # noqa: F401
from convviz_gui.engine.network.receptive.reach import Reach, irregular, is_flat, of_picture, size_of
from convviz_gui.engine.network.receptive.rules import RULES, Op, Rule


class Sight(OperationWatch):
    """While active, follows `image` [1, C, H, W] through every operation, functional or in a module, computed with it.

    Tensors are known for as long as the network keeps them and nothing of it outlives the pass. What no rule covers is
    taken to see anything; numbers are never changed and no failure of a rule reaches the network.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.size: tuple[int, int] = (image.shape[2], image.shape[3])
        self._seen = WeakTensorKeyDictionary()
        self._seen[image] = of_picture(image.shape)

    def of(self, tensor: Tensor) -> Reach | None:
        """What a tensor's elements see; None if it does not depend on the picture, or nobody saw how it was made."""
        reach: Reach | None = self._seen.get(tensor)  # type: ignore[no-untyped-call]
        return reach

    def lost(self, tensor: Tensor) -> bool:
        """True if the tensor was made by something that could not be watched."""
        return tensor not in self._seen and not isinstance(tensor, nn.Parameter)

    def forget(self, tensor: Tensor) -> Reach:
        """Take a tensor to see anything."""
        self._seen[tensor] = reach = irregular(tensor.shape, self.size)
        return reach

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """While inside, operations are not followed and cost nothing more."""
        with torch._C._DisableTorchDispatch():
            yield

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        known = isinstance(func, OpOverload)  # and no operator of higher order: `cond`, `flex_attention`
        rule = _rule_for(func) if known else None
        if known and rule is None and _is_composite(func):
            # Only in inference mode; elsewhere these arrive in their parts.
            with self:
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        # In-place operations change what their arguments see only after they have run.
        before = {id(value): reach for value in _tensors((args, kwargs)) if (reach := self.of(value)) is not None}
        result = func(*args, **kwargs)
        outs = list(_tensors(result))
        if outs:
            name = _name(func) if known else "higher order"
            op = Op(name, args, kwargs, outs, lambda value: before.get(id(value)))
            self._note(rule, op, before, written=known and func._schema.is_mutable)
        return result

    def _note(self, rule: Rule | None, op: Op, before: dict[int, Reach], *, written: bool) -> None:
        reaches: Sequence[Reach | None]
        if not before:
            reaches = [None] * len(op.outs)
        else:
            try:
                reaches = _applied(rule, op)
            except Exception:  # noqa: BLE001 - whatever a network calls with whatever arguments
                like = next(iter(before.values()))
                reaches = [irregular(out.shape, self.size, like) for out in op.outs]
        for out, reach in zip(op.outs, reaches, strict=True):
            self._seen[out] = reach
            if written and out._base is not None:
                self._write_through(out._base, out, reach)

    def _write_through(self, base: Tensor, view: Tensor, reach: Reach | None) -> None:
        """A view was written to: the tensor that it is part of sees what it saw and what the view does."""
        earlier = self.of(base)
        if reach is None or reach == earlier:
            return
        self._seen[base] = _written(earlier, reach, tuple(base.shape)) or irregular(base.shape, self.size)


def _written(earlier: Reach | None, reach: Reach, shape: tuple[int, ...]) -> Reach | None:
    """What a tensor of that shape sees after some of its channels, at every place, were written; None if unclear."""
    if len(reach.axes) != len(shape):
        return None
    axes = []
    for at, axis in enumerate(reach.axes):
        was = earlier.axes[at] if earlier is not None else axis
        if is_flat(axis) and is_flat(was):
            axes.append(was if size_of(was) == shape[at] else (axis[0].times(1, shape[at]),) if axis else was)
        elif axis == was and size_of(axis) == shape[at]:
            axes.append(axis)
        else:
            return None
    earlier = earlier or reach
    low = min(earlier.low[0], reach.low[0]), min(earlier.low[1], reach.low[1])
    high = max(earlier.high[0], reach.high[0]), max(earlier.high[1], reach.high[1])
    return Reach(tuple(axes), low, high, reach.picture, earlier.gated or reach.gated)


def _applied(rule: Rule | None, op: Op) -> Sequence[Reach | None]:
    if rule is None:
        raise LookupError(op.name)
    result = rule(op)
    reaches = [result] * len(op.outs) if result is None or isinstance(result, Reach) else list(result)
    for out, reach in zip(op.outs, reaches, strict=True):
        if reach is not None and tuple(size_of(axis) for axis in reach.axes) != tuple(out.shape):
            raise ValueError(f"{op.name} gives {tuple(out.shape)}")
    return reaches


_known: dict[OpOverload, Rule | None] = {}


def _rule_for(func: OpOverload) -> Rule | None:
    if func not in _known:
        found = RULES.get(_name(func)) if func.namespace == "aten" else None
        _known[func] = found or (mixing.element_by_element if _is_pointwise(func) else None)
    return _known[func]


def _is_pointwise(func: OpOverload) -> bool:
    """Only some of an operation's forms bear the tag."""
    packet = func.overloadpacket
    return any(torch.Tag.pointwise in getattr(packet, form).tags for form in packet.overloads())


def _name(func: OpOverload) -> str:
    """The operation's name without namespace and without the mark of its in-place form."""
    return func._schema.name.partition("::")[2].removesuffix("_")


def _is_composite(func: OpOverload) -> bool:
    name = func.name()  # type: ignore[no-untyped-call]
    return torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        for value in values.values():
            yield from _tensors(value)
    elif isinstance(values, (tuple, list)):
        for value in values:
            yield from _tensors(value)

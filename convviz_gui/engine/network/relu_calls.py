"""ReLUs as they are called: modules, functions, methods, in place or not. A mode that computes them in its own way."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_RELUS = (F.relu, torch.relu, Tensor.relu)
_IN_PLACE = (F.relu_, torch.relu_, Tensor.relu_)
_RELU6S = (F.relu6, torch._C._nn.relu6)
_RELU6S_IN_PLACE = (torch._C._nn.relu6_,)
_HARDTANHS = (F.hardtanh, F.hardtanh_)
_CLAMPS = (torch.clamp, Tensor.clamp, torch.clamp_min, Tensor.clamp_min)
_CLAMPS_IN_PLACE = (torch.clamp_, Tensor.clamp_, torch.clamp_min_, Tensor.clamp_min_)
_THRESHOLDS_IN_PLACE = (torch.threshold_,)
_THRESHOLDS = (F.threshold, torch.threshold, *_THRESHOLDS_IN_PLACE)


@dataclass(frozen=True, slots=True)
class ReluCall:
    """A call that computes min(max(x, 0), top); `top` is infinite but for ReLU6 and its like."""

    x: Tensor
    top: float
    in_place: bool


def relu_call(func: Callable[..., Any], args: Sequence[Any], words: Mapping[str, Any]) -> ReluCall | None:
    """What a call of a function of torch computes, if that is a ReLU."""

    def given(place: int, name: str, default: Any = None) -> Any:
        return args[place] if len(args) > place else words.get(name, default)

    x = given(0, "input")
    if not isinstance(x, Tensor) or not x.is_floating_point() or "out" in words:
        return None
    if func in _RELUS or func in _IN_PLACE:
        return ReluCall(x, math.inf, func in _IN_PLACE or bool(given(1, "inplace", False)))
    if func in _RELU6S or func in _RELU6S_IN_PLACE:
        return ReluCall(x, 6.0, func in _RELU6S_IN_PLACE or bool(given(1, "inplace", False)))
    if func in _HARDTANHS and given(1, "min_val", -1.0) == 0:  # as `nn.ReLU6` is written
        in_place = func is F.hardtanh_ or bool(given(3, "inplace", False))
        return ReluCall(x, float(given(2, "max_val", 1.0)), in_place)
    if func in _CLAMPS or func in _CLAMPS_IN_PLACE:
        low, top = given(1, "min"), given(2, "max")
        if isinstance(low, (int, float)) and low == 0 and (top is None or isinstance(top, (int, float))):
            return ReluCall(x, math.inf if top is None else float(top), func in _CLAMPS_IN_PLACE)
    if func in _THRESHOLDS and given(1, "threshold") == 0 and given(2, "value") == 0:
        return ReluCall(x, math.inf, func in _THRESHOLDS_IN_PLACE or bool(given(3, "inplace", False)))
    return None


class ReluMode(TorchFunctionMode):
    """While it is active, ReLUs (modules and functions, in place or not) are computed by `relu`; no module is replaced.

    Those in scripted parts are not: no mode sees into them.
    """

    @abstractmethod
    def relu(self, x: Tensor, top: float) -> Tensor:
        """min(max(x, 0), top) in a new tensor, with whatever gradient."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace calls of ReLUs; everything else goes its way."""
        words = kwargs or {}
        found = relu_call(func, args, words)
        if found is None:
            return func(*args, **words)
        computed = self.relu(found.x, found.top)
        return found.x.copy_(computed) if found.in_place else computed

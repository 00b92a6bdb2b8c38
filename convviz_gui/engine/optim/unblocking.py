"""Letting gradients through ReLUs that block them, to find a way out of silence (Olah et al. 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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


class _OpenRelu(torch.autograd.Function):
    """ReLU whose gradient passes where it is shut too, if it pushes the value to where it is open."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, top: float) -> Tensor:
        # Not `x` itself: a ReLU in place overwrites it.
        ctx.save_for_backward(x <= 0, x >= top)
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        below, above = ctx.saved_tensors
        gradient = torch.where(below, gradients[0].clamp(min=0), gradients[0])
        return torch.where(above, gradient.clamp(max=0), gradient), None


class Unblocked(TorchFunctionMode):
    """While it is active, ReLUs (modules and functions, in place or not) let gradients through that would open them.

    Outputs are unchanged. For a score that is to be raised: the gradient is that of the score itself.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Replace calls of ReLUs; everything else goes its way."""
        words = kwargs or {}
        found = _relu(func, args, words)
        if found is None:
            return func(*args, **words)
        x, top, in_place = found
        opened = _OpenRelu.apply(x, top)
        return x.copy_(opened) if in_place else opened


def _relu(func: Callable[..., Any], args: Sequence[Any], words: Mapping[str, Any]) -> tuple[Tensor, float, bool] | None:
    """Input, upper end and whether it works in place, if a call is one of a ReLU."""

    def given(place: int, name: str, default: Any = None) -> Any:
        return args[place] if len(args) > place else words.get(name, default)

    x = given(0, "input")
    if not isinstance(x, Tensor) or not x.is_floating_point() or "out" in words:
        return None
    if func in _RELUS or func in _IN_PLACE:
        return x, math.inf, func in _IN_PLACE or bool(given(1, "inplace", False))
    if func in _RELU6S or func in _RELU6S_IN_PLACE:
        return x, 6.0, func in _RELU6S_IN_PLACE or bool(given(1, "inplace", False))
    if func in _HARDTANHS and given(1, "min_val", -1.0) == 0:  # as `nn.ReLU6` is written
        return x, float(given(2, "max_val", 1.0)), func is F.hardtanh_ or bool(given(3, "inplace", False))
    if func in _CLAMPS or func in _CLAMPS_IN_PLACE:
        low, top = given(1, "min"), given(2, "max")
        if isinstance(low, (int, float)) and low == 0 and (top is None or isinstance(top, (int, float))):
            return x, math.inf if top is None else float(top), func in _CLAMPS_IN_PLACE
    return None

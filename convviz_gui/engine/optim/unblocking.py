"""Letting gradients through ReLUs that block them, to find a way out of silence (Olah et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_RELUS = (F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
_RELU6S = (F.relu6, torch._C._nn.relu6, torch._C._nn.relu6_)


class _OpenRelu(torch.autograd.Function):
    """ReLU whose gradient passes where the ReLU is shut too, if it pushes the value up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, top: float) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.where(x > 0, gradients[0], gradients[0].clamp(min=0)), None


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
        if func in _RELUS:
            return _OpenRelu.apply(args[0], float("inf"))
        if func in _RELU6S:
            return _OpenRelu.apply(args[0], 6.0)
        # `nn.ReLU6` is written as a hard tanh from 0 to 6.
        words = kwargs or {}
        if func is F.hardtanh and words.get("min_val") == 0:
            return _OpenRelu.apply(args[0], words["max_val"])
        return func(*args, **words)

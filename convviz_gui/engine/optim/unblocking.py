"""Letting gradients through ReLUs that block them, to find a way out of silence (Olah et al. 2017)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from convviz_gui.engine.network.relu_calls import ReluMode


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


class Unblocked(ReluMode):
    """While it is active, ReLUs (modules and functions, in place or not) let gradients through that would open them.

    Outputs are unchanged. For a score that is to be raised: the gradient is that of the score itself.
    """

    def relu(self, x: Tensor, top: float) -> Tensor:
        """The same values, with the gradient that opens what is shut."""
        opened: Tensor = _OpenRelu.apply(x, top)
        return opened

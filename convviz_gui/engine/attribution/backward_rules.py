"""Guided backpropagation and the deconvolutional network: gradients with another rule at every ReLU.

References: Springenberg et al., Striving for Simplicity, 2015; Zeiler and Fergus, Visualizing and Understanding
Convolutional Networks, ECCV 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from convviz_gui.engine.network.activation_steps import RELU, activation_of, activations_in, steps_below
from convviz_gui.engine.network.relu_calls import ReluMode
from convviz_gui.engine.payloads import Coverage


class Rule(StrEnum):
    """What a ReLU makes of the gradient g that arrives at its output, x being its input.

    GUIDED: relu(g) where 0 < x (and x < 6 for ReLU6), 0 elsewhere. DECONVNET: relu(g) wherever x lies. Everything else
    keeps its own gradient, with which max-pooling passes on to its switches.
    """

    GUIDED = "guided backpropagation"
    DECONVNET = "DeconvNet"


class _RuledRelu(torch.autograd.Function):
    """min(max(x, 0), top), with a rule for its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, top: float, guided: bool) -> Tensor:
        if guided:
            # Not `x` itself: a ReLU in place overwrites it.
            ctx.save_for_backward((x > 0) & (x < top))
        ctx.guided = guided
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        gradient = gradients[0].clamp(min=0)
        return (gradient * ctx.saved_tensors[0] if ctx.guided else gradient), None, None


class Ruled(ReluMode):
    """While it is active, ReLUs go by a rule in backward passes; what they compute stays the same.

    The forward pass that is gone back through has to happen inside.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule

    def relu(self, x: Tensor, top: float) -> Tensor:
        """The same values, with the rule's gradient."""
        ruled: Tensor = _RuledRelu.apply(x, top, self.rule is Rule.GUIDED)
        return ruled

    def cover(self, value: Tensor) -> Coverage:
        """Take care of ReLUs that the mode did not see (in scripted parts), and count what there is below `value`.

        Call it between the forward and the backward pass, once.
        """
        steps = steps_below(value.grad_fn)
        ruled = [step for step in steps if _is_ruled(step)]
        missed = [step for step in steps if activation_of(step) == RELU]
        for step in missed:
            step.register_hook(self._at_step())
        others = activations_in(step for step in steps if not _is_ruled(step) and activation_of(step) != RELU)
        handled = len(ruled) + len(missed)
        return Coverage(handled, handled + sum(number for _, number in others), others)

    def _at_step(self) -> Callable[[Any, Any], Any]:
        guided = self.rule is Rule.GUIDED

        def hook(before: tuple[Tensor | None, ...], after: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
            # `before` is what the step made of `after`: 0 where the ReLU was shut, `after` elsewhere.
            taken = before[0] if guided else after[0]
            return (None if taken is None else taken.clamp(min=0), *before[1:])

        return hook


def _is_ruled(step: Any) -> bool:
    return type(step).__name__ == f"{_RuledRelu.__name__}Backward"


def in_words(coverage: Coverage) -> str:
    """ "12 of 12 ReLUs handled", or which activation functions have no rule."""
    if not coverage.total:
        return "no ReLU on the way: the plain gradient"
    if not coverage.unhandled:
        return f"{coverage.handled} of {coverage.total} ReLUs handled"
    others = ", ".join(f"{name} ×{number}" if number > 1 else name for name, number in coverage.unhandled)
    return f"{coverage.handled} of {coverage.total} activations handled, no rule for {others}"

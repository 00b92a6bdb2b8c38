"""Adam and NAdam for tensors whose gradients come from elsewhere: the numbers of `torch.optim`, upwards.

`torch.optim` itself would import the compiler, which takes seconds.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

_FIRST, _SECOND, _EPSILON = 0.9, 0.999, 1e-8
_MOMENTUM_DECAY = 0.004


class Optimiser(Protocol):
    """From gradients to changes; elementwise, so that pictures in one tensor do not touch each other."""

    def change(self, gradient: Tensor) -> Tensor:
        """What to add to a tensor to raise what has this gradient."""


class Adam:
    """Adam (Kingma & Ba 2015), with β = (0.9, 0.999) and ε = 1e-8."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._steps = 0
        self._mean = self._square = torch.zeros(())

    def change(self, gradient: Tensor) -> Tensor:
        """The step upwards for a gradient."""
        self._moments(gradient)
        return self._mean * (self._rate / (1 - _FIRST**self._steps)) / self._spread()

    def _moments(self, gradient: Tensor) -> None:
        if not self._steps:
            self._mean, self._square = torch.zeros_like(gradient), torch.zeros_like(gradient)
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _FIRST)
        self._square.mul_(_SECOND).addcmul_(gradient, gradient, value=1 - _SECOND)

    def _spread(self) -> Tensor:
        return (self._square / (1 - _SECOND**self._steps)).sqrt_().add_(_EPSILON)


class NAdam(Adam):
    """Adam with Nesterov's momentum (Dozat 2016), its momentum growing as in Keras and torch."""

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self._product = 1.0

    def change(self, gradient: Tensor) -> Tensor:
        """The step upwards for a gradient."""
        self._moments(gradient)
        now, following = (_FIRST * (1 - 0.5 * 0.96 ** (_MOMENTUM_DECAY * (self._steps + i))) for i in (0, 1))
        self._product *= now
        of_gradient = self._rate * (1 - now) / (1 - self._product)
        of_mean = self._rate * following / (1 - self._product * following)
        change: Tensor = (of_gradient * gradient + of_mean * self._mean) / self._spread()
        return change

"""ReLUs that let gradients through: same values, and the gradient that opens what is shut."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.optim.unblocking import Unblocked

VALUES = (-2.0, -0.5, 0.5, 3.0, 7.0)


def in_place(x: Tensor) -> Tensor:
    F.relu(x, inplace=True)
    return x


def clamped(x: Tensor) -> Tensor:
    x.clamp_(min=0)
    return x


RELUS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "module": (nn.ReLU(), float("inf")),
    "module in place": (nn.ReLU(inplace=True), float("inf")),
    "method": (lambda x: x.relu(), float("inf")),
    "by name": (lambda x: torch.relu(input=x), float("inf")),
    "F by name": (lambda x: F.relu(input=x, inplace=False), float("inf")),
    "in place, not returned": (in_place, float("inf")),
    "underscore": (lambda x: torch.relu_(x), float("inf")),
    "clamp": (lambda x: torch.clamp(x, min=0), float("inf")),
    "clamp_, not returned": (clamped, float("inf")),
    "ReLU6": (nn.ReLU6(), 6.0),
    "ReLU6 in place": (nn.ReLU6(inplace=True), 6.0),
    "relu6": (F.relu6, 6.0),
    "hardtanh": (lambda x: F.hardtanh(x, 0.0, 6.0), 6.0),
}


@pytest.mark.parametrize("name", RELUS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_values_stay_and_what_is_shut_feels_what_would_open_it(name: str, sign: float) -> None:
    relu, top = RELUS[name]
    x = torch.tensor(VALUES, requires_grad=True)
    with Unblocked():
        y = relu(x.clone())
    assert y.tolist() == [min(max(value, 0.0), top) for value in VALUES]
    (gradient,) = torch.autograd.grad(sign * y.sum(), x)
    expected = [max(sign, 0.0) if value <= 0 else min(sign, 0.0) if value >= top else sign for value in VALUES]
    assert gradient.tolist() == expected


def test_what_is_no_relu_goes_its_way() -> None:
    x = torch.tensor(VALUES, requires_grad=True)
    with Unblocked():
        y = torch.cat([F.hardtanh(x), x.clamp(min=0.25), x.clamp(max=1), F.leaky_relu(x)])
        index = torch.tensor([-1, 2]).clamp(min=0)
    assert index.dtype == torch.int64
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == pytest.approx([1.01, 2.01, 4.0, 2.0, 2.0])

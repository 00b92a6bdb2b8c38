"""Tensors from the middle of a forward pass: raw, on the right call, and without a trace left behind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import activations, features_and_logits, logits_and_leaf, logits_of, run_to


class InPlace(nn.Module):
    """A convolution whose output an in-place ReLU overwrites; the ReLU module is called twice."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(4, 5, 3)
        self.fc = nn.Linear(5, 6)
        self.ran_behind = 0

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x))
        x = self.relu(self.conv2(x))
        self.ran_behind += 1
        return self.fc(x.mean((2, 3)))


@pytest.fixture
def net() -> InPlace:
    return InPlace().eval()


@pytest.fixture
def x() -> Tensor:
    return torch.randn(2, 3, 12, 10, generator=torch.Generator().manual_seed(1))


def hook_count(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_conv_output_is_raw_though_relu_works_in_place(net: InPlace, x: Tensor) -> None:
    expected = F.conv2d(x, net.conv.weight, net.conv.bias)
    assert expected.min() < 0
    for got in (run_to(net, x, "conv"), activations(net, x, ["conv", "conv2"])["conv"]):
        torch.testing.assert_close(got, expected)


def test_calls_of_a_reused_module_are_told_apart(net: InPlace, x: Tensor) -> None:
    first = F.conv2d(x, net.conv.weight, net.conv.bias).relu()
    second = F.conv2d(first, net.conv2.weight, net.conv2.bias).relu()
    got = activations(net, x, ["relu#1", "relu#2"])
    torch.testing.assert_close(got["relu#1"], first)
    torch.testing.assert_close(got["relu#2"], second)
    torch.testing.assert_close(run_to(net, x, "relu"), first)


def test_the_pass_ends_at_the_deepest_layer(net: InPlace, x: Tensor) -> None:
    activations(net, x, ["conv", "conv2"])
    assert net.ran_behind == 0
    features_and_logits(net, x, "conv")
    assert net.ran_behind == 1


def test_input_of_a_layer(net: InPlace, x: Tensor) -> None:
    features, logits = features_and_logits(net, x, "fc@input")
    torch.testing.assert_close(net.fc(features), logits)


def test_leaf_gradient_equals_finite_differences(net: InPlace, x: Tensor) -> None:
    net.double()
    logits, leaf = logits_and_leaf(net, x[:1].double(), "conv")
    (gradient,) = torch.autograd.grad(logits[0, 2], leaf)

    def score(maps: Tensor) -> float:
        deeper = F.conv2d(maps.relu(), net.conv2.weight, net.conv2.bias).relu()
        return float(net.fc(deeper.mean((2, 3)))[0, 2])

    place = tuple(int(i) for i in torch.unravel_index(gradient.abs().argmax(), gradient.shape))
    step = torch.zeros_like(leaf)
    step[place] = 1e-6
    with torch.no_grad():
        slope = (score(leaf + step) - score(leaf - step)) / 2e-6
    assert slope != 0
    assert float(gradient[place]) == pytest.approx(slope, rel=1e-6)


def test_leaf_keeps_its_values_and_grad_mode_comes_back(net: InPlace, x: Tensor) -> None:
    with torch.no_grad():
        _, leaf = logits_and_leaf(net, x, "conv")
        assert not torch.is_grad_enabled()
    assert float(leaf.detach().min()) < 0
    assert hook_count(net) == 0


@pytest.mark.parametrize("layer", ["nothing", "conv#0", "conv#x", "conv#7"])
def test_unknown_layers_are_refused_by_name(net: InPlace, x: Tensor, layer: str) -> None:
    for function in (run_to, features_and_logits, logits_and_leaf):
        with pytest.raises(EngineError) as caught:
            function(net, x, layer)
        assert layer in caught.value.title
        assert caught.value.hint
    assert hook_count(net) == 0


def test_hooks_go_when_the_network_raises(net: InPlace) -> None:
    with pytest.raises(RuntimeError):
        run_to(net, torch.zeros(1, 7, 4, 4), "conv2")
    assert hook_count(net) == 0


class NoGrad(InPlace):
    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        with torch.no_grad():
            return self.fc(self.conv2(x.relu()).mean((2, 3)))


def test_a_network_that_cuts_gradients_is_named(x: Tensor) -> None:
    with pytest.raises(EngineError, match="does not depend differentiably"):
        logits_and_leaf(NoGrad().eval(), x, "conv")


def test_logits_in_other_shapes() -> None:
    rows = torch.ones(2, 3)
    assert logits_of({"aux": torch.zeros(2, 3), "logits": rows}) is not None
    torch.testing.assert_close(logits_of({"aux": torch.zeros(2, 3), "logits": rows}), rows)
    torch.testing.assert_close(logits_of((rows, torch.zeros(1))), rows)
    assert logits_of(torch.zeros(5)).shape == (5, 1)
    torch.testing.assert_close(logits_of(torch.arange(24.0).view(2, 3, 2, 2)), torch.arange(6.0).view(2, 3) * 4 + 1.5)
    for output in (torch.zeros(1, 3, 8), torch.zeros(2, 3, dtype=torch.long), None, "words"):
        with pytest.raises(EngineError, match="not class scores"):
            logits_of(output)

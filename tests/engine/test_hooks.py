"""Tensors from the middle of a forward pass: raw, on the right call, and without a trace left behind."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import (
    activations,
    features_and_logits,
    gradient_of,
    logits_and_leaf,
    logits_of,
    run_to,
)
from convviz_gui.engine.network.outputs import replaced, tensor_of
from convviz_gui.engine.network.passes import forward


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


# ---------------------------------------------------------------------------------------- what networks return


def test_scores_are_found_by_their_name_and_then_by_their_shape() -> None:
    rows, maps, one = torch.randn(2, 3), torch.randn(2, 4, 5, 5), torch.randn(2)
    for output in (
        rows,
        [maps, rows],
        (maps, {"features": maps, "logits": rows}),
        {"loss": one, "out": rows, "aux": torch.randn(2, 3)},
        SimpleNamespace(hidden=torch.randn(2, 7), logits=rows),
        Both(torch.randn(2, 7), rows),
    ):
        torch.testing.assert_close(logits_of(output), rows)
    torch.testing.assert_close(logits_of((maps, one)), one[:, None])
    torch.testing.assert_close(logits_of(maps), maps.mean((2, 3)))
    assert logits_of(rows.half()).dtype == torch.float32
    assert logits_of(rows.double()).dtype == torch.float64


class Both(NamedTuple):
    hidden: Tensor
    pred: Tensor


@dataclass(frozen=True)
class Kept:
    """A frozen dataclass as some layers return."""

    maps: Tensor
    n: int


@pytest.mark.parametrize(
    "wrap",
    [
        lambda maps: {"n": 3, "maps": maps},
        lambda maps: OrderedDict(n=3, maps=maps),
        lambda maps: MappingProxyType({"n": 3, "maps": maps}),
        lambda maps: (3, maps),
        lambda maps: [3, [maps]],
        lambda maps: Both(maps, maps + 1),
        lambda maps: Kept(maps, 3),
        lambda maps: {"inner": (None, {"maps": maps})},
    ],
)
def test_a_tensor_is_replaced_in_whatever_holds_it(wrap: Any) -> None:
    maps, other = torch.zeros(2), torch.ones(2)
    output = wrap(maps)
    again = replaced(output, maps, other)
    assert type(again) in (type(output), dict)
    assert tensor_of(output) is maps
    assert tensor_of(again) is other
    if isinstance(output, Both):
        assert again.pred is output.pred


class Swallowing(InPlace):
    def forward(self, x: Tensor) -> Tensor:
        try:
            return super().forward(x)
        except BaseException:  # noqa: BLE001 - as users write it
            return self.fc(torch.zeros(len(x), 5))


def test_a_network_that_swallows_every_exception_is_still_read(x: Tensor) -> None:
    torch.manual_seed(0)
    net = Swallowing().eval()
    torch.testing.assert_close(run_to(net, x, "conv"), F.conv2d(x, net.conv.weight, net.conv.bias))
    assert hook_count(net) == 0


class HeadOnly(InPlace):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            x = self.conv2(self.conv(x).relu())
        return self.fc(x.mean((2, 3)))


def test_the_last_layer_of_a_part_without_gradients_can_be_looked_at(x: Tensor) -> None:
    net = HeadOnly().eval()
    logits, leaf = logits_and_leaf(net, x[:1], "conv2")
    gradient = gradient_of(logits[0, 2], leaf)
    expected = net.fc.weight[2].view(1, -1, 1, 1).expand_as(leaf) / leaf[0, 0].numel()
    torch.testing.assert_close(gradient, expected.detach())
    with pytest.raises(EngineError, match="does not depend differentiably"):
        logits_and_leaf(net, x[:1], "conv")


def test_what_a_network_prints_does_not_reach_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    class Talking(nn.Identity):
        def forward(self, x: Tensor) -> Tensor:
            print("spoken")
            return x

    forward(Talking(), torch.zeros(1, 3, 4, 4))
    assert capsys.readouterr() == ("", "spoken\n")


def test_the_input_has_the_layout_and_the_type_of_the_weights() -> None:
    seen: list[Tensor] = []
    net = nn.Sequential(nn.Conv2d(3, 4, 3))
    net[0].register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    x = torch.randn(1, 3, 6, 6)
    for layout in (torch.channels_last, torch.contiguous_format):
        forward(net.to(memory_format=layout), x)
        assert seen[-1].is_contiguous(memory_format=layout)
    forward(net.double(), x)
    assert seen[-1].dtype == torch.float64

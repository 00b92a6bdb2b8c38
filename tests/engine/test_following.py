"""Scores behind windows, recomputed only where a window reaches, against whole passes; in double precision."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.occluding.following import Following
from convviz_gui.engine.occluding.graph import NotFollowedError
from convviz_gui.engine.occluding.windows import Windows
from tests.engine.following_nets import lively
from tests.engine.tiny import tiny_net

EXACT = 1e-8
"""Of the largest change of a logit; rounding alone is far below it, a wrong border far above."""


def followed(net: nn.Module, windows: Windows, batch: int = 3) -> tuple[Following, float]:
    """The largest error behind a few windows of several plans, relative to the largest change of a logit."""
    net = net.double().eval().requires_grad_(False)
    x = torch.randn(1, 3, *windows.size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    fill = torch.full_like(x, 0.3)
    with torch.no_grad():
        following = Following(net, x, fill, windows)
        before = net(x)
        error, change = float((following.logits - before).abs().max()), 0.0
        for plan in following.plans[:: max(1, len(following.plans) // 3)]:
            # The first and the last reach the corners of the picture.
            some = plan.windows
            some = list(dict.fromkeys([some[0], some[-1], *some[:: max(1, len(some) // batch)]]))[: batch + 1]
            got = following.logits_behind(plan, some)
            hidden = x.repeat(len(some), 1, 1, 1)
            for at, window in enumerate(some):
                hidden[(at, slice(None), *windows.place(window))] = 0.3
            wanted = net(hidden)
            error = max(error, float((got - wanted).abs().max()))
            change = max(change, float((wanted - before).abs().max()))
    assert change > 1e-4 * float(before.abs().max())
    return following, error / change


def vision(name: str, **words: Any) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return lively(getattr(torchvision.models, name)(weights=None, **words))


def of_timm(name: str) -> nn.Module:
    return lively(timm.create_model(name), 96)


SPARED = {
    "resnet18": (lambda: vision("resnet18"), (97, 80)),
    "squeezenet1_1": (lambda: vision("squeezenet1_1"), (96, 83)),
    "mobilenet_v2": (lambda: vision("mobilenet_v2"), (96, 80)),
    "densenet121": (lambda: vision("densenet121"), (64, 64)),
    "googlenet": (lambda: vision("googlenet", init_weights=False), (96, 79)),
    "regnet_x_400mf": (lambda: vision("regnet_x_400mf"), (96, 80)),
    "shufflenet_v2_x0_5": (lambda: vision("shufflenet_v2_x0_5"), (97, 80)),
    "vgg11": (lambda: lively(torchvision.models.vgg11().features.append(nn.Flatten())), (64, 43)),
    "legacy_xception": (lambda: of_timm("legacy_xception"), (75, 64)),
    "convnext_atto": (lambda: of_timm("convnext_atto"), (96, 96)),
    "resnet18d": (lambda: of_timm("resnet18d"), (96, 75)),
    "tf_mixnet_s without gates": (lambda: _padded_as_tensorflow(), (61, 64)),
}
"""Networks through which windows can be followed, with sizes of inputs."""


@pytest.mark.parametrize("name", SPARED)
def test_what_a_window_reaches_is_all_that_changes(name: str) -> None:
    make, size = SPARED[name]
    following, error = followed(make(), Windows(size, 16, 12))
    assert error < EXACT
    assert following.part < 0.95


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "efficientnet_b0"])
def test_behind_gates_that_see_everything_all_is_computed(name: str) -> None:
    following, error = followed(vision(name), Windows((64, 64), 16, 16))
    assert error < EXACT
    assert 0.8 < following.part <= 1


def _padded_as_tensorflow() -> nn.Module:
    """Padding computed from the size, asymmetric, as timm's ports of TensorFlow's networks do it."""
    return lively(nn.Sequential(_Same(3, 8, 3, 2), nn.SiLU(), _Same(8, 8, 5, 2), nn.BatchNorm2d(8), _Pooled()))


class _Same(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv, self.kernel, self.stride = nn.Conv2d(inputs, outputs, kernel, stride), kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        margins = []
        for side in (x.shape[3], x.shape[2]):
            missing = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
            margins += [missing // 2, missing - missing // 2]
        return self.conv(F.pad(x, margins))


class _Pooled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3)) + x.amax((2, 3))


# ------------------------------------------------------------------------------------- one operation at a time


class Odd(nn.Module):
    """A network of odd strides and paddings with one part in its middle, of 6 channels in and out."""

    def __init__(self, middle: Callable[[Tensor], Tensor] | nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 3, 2, 1)
        self.middle = middle if isinstance(middle, nn.Module) else _Function(middle)
        self.last = nn.Conv2d(6, 7, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.last(self.middle(self.first(x)))
        return torch.cat([y.mean((2, 3)), y.amax((2, 3))], 1)


class _Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class _Branches(nn.Module):
    """Branches that stride differently and meet again."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.shortcut = nn.Conv2d(6, 6, (5, 3), 3, (2, 1)), nn.Conv2d(6, 6, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) + self.shortcut(x)


class _Attention(nn.Module):
    """A gate for every place, the same for all channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(6, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.conv(x).sigmoid()


class _Norm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.linear(self.norm(x.permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)


def _shuffled(x: Tensor) -> Tensor:
    n, c, h, w = x.shape
    return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


def _in_place(x: Tensor) -> Tensor:
    y = x.mul(0.5)
    x.relu_().add_(y)
    x += 0.25
    return x


PARTS: Mapping[str, Callable[[], Callable[[Tensor], Tensor] | nn.Module]] = {
    "dilation": lambda: nn.Conv2d(6, 6, 3, padding=2, dilation=2),
    "dilation without padding": lambda: nn.Conv2d(6, 6, 3, dilation=3),
    "asymmetric kernel": lambda: nn.Conv2d(6, 6, (1, 7), padding=(0, 3)),
    "asymmetric stride": lambda: nn.Conv2d(6, 6, (3, 2), (1, 2), (1, 0)),
    "more padding than kernel": lambda: nn.Conv2d(6, 6, 1, padding=2),
    "stride beyond the kernel": lambda: nn.Conv2d(6, 6, 2, 3),
    "depthwise": lambda: nn.Conv2d(6, 6, 5, padding=2, groups=6),
    "max-pool": lambda: nn.MaxPool2d(3, 2, 1),
    "max-pool, last window cut": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
    "dilated max-pool": lambda: nn.MaxPool2d(2, 1, 1, dilation=2),
    "average": lambda: nn.AvgPool2d(3, 1, 1),
    "average of what is there": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    "average, last window cut": lambda: nn.AvgPool2d(2, 2, ceil_mode=True),
    "average by another divisor": lambda: nn.AvgPool2d(2, 2, divisor_override=3),
    "padding of a value": lambda: nn.ConstantPad2d((1, 3, 2, 0), 0.7),
    "padding that cuts": lambda: nn.ConstantPad2d((-1, 2, 1, -2), 0.7),
    "reflected": lambda: nn.ReflectionPad2d(2),
    "enlarged": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "moved on": lambda: lambda x: torch.roll(x, 3, 2),
    "turned": lambda: lambda x: x.transpose(2, 3),
    "batch norm alone": lambda: nn.BatchNorm2d(6),
    "group norm": lambda: nn.GroupNorm(2, 6),
    "layer norm": _Norm,
    "softmax over channels": lambda: nn.Softmax(1),
    "softmax over places": lambda: nn.Softmax(3),
    "branches": _Branches,
    "a gate per place": _Attention,
    "shuffled": lambda: _shuffled,
    "halves": lambda: lambda x: torch.cat([x[:, 3:].relu(), x[:, :3]], 1),
    "half of the map": lambda: lambda x: x[:, :, ::2, 1:],
    "chunks": lambda: lambda x: torch.cat(tuple(part * at for at, part in enumerate(x.chunk(3, 1), 1)), 1),
    "in place": lambda: _in_place,
    "another's place": lambda: lambda x: x + torch.arange(x.shape[3], dtype=x.dtype) / 10,
    "a constant that grows": lambda: lambda x: x * torch.ones(len(x), 1, 1, 1, dtype=x.dtype),
    "upside down": lambda: lambda x: x.flip(2),
    "transposed": lambda: nn.ConvTranspose2d(6, 6, 3, 2),
    "larger groups": lambda: nn.Sequential(nn.Conv2d(6, 12, 3, groups=3), nn.PReLU(12), nn.Conv2d(12, 6, 1)),
    "shared twice": lambda: _twice(nn.Conv2d(6, 6, 3, padding=1)),
}


def _twice(conv: nn.Conv2d) -> nn.Module:
    return nn.Sequential(conv, nn.ReLU(inplace=True), conv)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("windows", [Windows((37, 30), 7, 5), Windows((37, 30), 1, 9), Windows((37, 30), 3, 13)])
def test_every_operation_is_exact_or_refused(name: str, windows: Windows) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = Odd(PARTS[name]())
    _, error = followed(net, windows, 6)
    assert error < EXACT


def _written(x: Tensor) -> Tensor:
    x[:, :2] = 0
    return x


def _values(x: Tensor) -> Tensor:
    return x * 2 if float(x.detach().sum()) > 1e9 else x


REFUSED: Mapping[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "writes into a part": (_written, "writes into a part of a tensor in place"),
    "reads values": (_values, "lets values decide what runs"),
    "picks by values": (lambda x: x[x > 0].mean() + x, "lets values decide what runs"),
    "draws": (lambda x: x + torch.rand_like(x), "draws random numbers"),
    "noise of its own": (lambda x: x + torch.rand(1, dtype=x.dtype), "not the same in every pass"),
    "numpy": (lambda x: torch.from_numpy(x.detach().numpy().copy()), "nobody can listen"),
    "another course": (lambda x: x.relu() if len(x) == 2 else x.sigmoid(), "another course"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_reason(name: str) -> None:
    function, words = REFUSED[name]
    with pytest.raises(NotFollowedError, match=words):
        followed(Odd(function), Windows((37, 30), 7, 5))


def test_networks_are_left_as_they_are() -> None:
    net = tiny_net().double()
    before = {name: (value.data_ptr(), value._version) for name, value in net.state_dict().items()}
    followed(net, Windows((32, 32), 8, 8))
    assert {name: (value.data_ptr(), value._version) for name, value in net.state_dict().items()} == before
    assert not torch._C._len_torch_dispatch_stack()

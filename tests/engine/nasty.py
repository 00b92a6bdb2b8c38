"""Networks as users have them, small ones written for the purpose: every method has to work on them or say why not."""

from __future__ import annotations

import threading
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SIDE = 32


class Plain(nn.Module):
    """Two convolutions and a linear layer; `tail` is what the others change."""

    def __init__(self, n_logits: int = 5, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.head = nn.Linear(8, n_logits)

    def features(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        return self.relu(self.conv2(x))

    def forward(self, x: Tensor) -> Any:
        return self.head(self.features(x).mean((2, 3)))


class FunctionalOnly(Plain):
    def features(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv2(F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)))


class OneReluTenTimes(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(8))

    def features(self, x: Tensor) -> Tensor:
        x = super().features(x)
        for conv in self.convs:
            x = self.relu(conv(x)) + x
        return x


class InPlaceEverything(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5, inplace=True)

    def features(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.bn1(self.conv1(x)))).mul_(1.5).add_(0.1)
        y = self.drop(self.conv2(x))
        y += 0.25
        F.relu(y, inplace=True)
        return y


class Overwriting(InPlaceEverything):
    """Overwrites what its gradient needs; such a network could not even be trained."""

    def features(self, x: Tensor) -> Tensor:
        return super().features(x).clamp_(max=4)


class FrozenBackbone(Plain):
    def __init__(self) -> None:
        super().__init__()
        for part in (self.conv1, self.bn1, self.conv2):
            part.requires_grad_(False)


class NoGradBackbone(Plain):
    """A frozen backbone as many train it: the head alone is differentiable."""

    def forward(self, x: Tensor) -> Any:
        with torch.no_grad():
            maps = self.features(x)
        return self.head(maps.mean((2, 3)))


class NoGradAll(Plain):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Any:
        return super().forward(x)


class Inference(Plain):
    @torch.inference_mode()
    def forward(self, x: Tensor) -> Any:
        return super().forward(x)


class InDict(Plain):
    def forward(self, x: Tensor) -> Any:
        maps = self.features(x)
        return {"aux": maps.mean((1, 2, 3)), "features": maps, "out": self.head(maps.mean((2, 3)))}


class InTuple(Plain):
    def forward(self, x: Tensor) -> Any:
        maps = self.features(x)
        return [(maps, {"logits": self.head(maps.mean((2, 3)))}), None]


Answer = namedtuple("Answer", "maps pred")


class InNamedTuple(Plain):
    def forward(self, x: Tensor) -> Any:
        maps = self.features(x)
        return Answer(maps, self.head(maps.mean((2, 3))))


@dataclass(frozen=True)
class Output:
    hidden: Tensor
    logits: Tensor


class InDataclass(Plain):
    """The backbone, a module of its own, returns a dictionary; the whole a frozen dataclass."""

    class Backbone(Plain):
        def forward(self, x: Tensor) -> Any:
            return {"maps": self.features(x), "size": x.shape}

    def __init__(self) -> None:
        super().__init__()
        self.backbone = InDataclass.Backbone()

    def forward(self, x: Tensor) -> Any:
        maps = self.backbone(x)["maps"]
        return Output(maps, self.head(maps.mean((2, 3))))


class OneRow(Plain):
    """[B], as `squeeze` makes of one logit."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x).squeeze(1)


class Dense(Plain):
    """A fully convolutional network: scores for every position."""

    def forward(self, x: Tensor) -> Any:
        return F.conv2d(self.features(x), self.head.weight[:, :, None, None], self.head.bias)


class TwoInputs(Plain):
    def forward(self, x: Tensor, meta: Tensor) -> Any:
        return super().forward(x) * meta


class NoMaps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.flat = nn.Flatten()
        self.fc1, self.relu, self.fc2 = nn.Linear(28 * 28, 32), nn.ReLU(), nn.Linear(32, 5)

    def forward(self, x: Tensor) -> Any:
        return self.fc2(self.relu(self.fc1(self.flat(x))))


class Viewing(nn.Module):
    """LeNet as it is written everywhere: `view` insists on the plain layout, and on one size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 6, 5), nn.Conv2d(6, 8, 5)
        self.fc1, self.fc2 = nn.Linear(8 * 5 * 5, 20), nn.Linear(20, 5)

    def forward(self, x: Tensor) -> Any:
        assert x.dtype == torch.float32
        assert x.is_contiguous()
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.view(-1, 8 * 5 * 5))))


class Buffered(nn.Module):
    """No parameter at all: fixed filters in buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filters", torch.randn(8, 3, 3, 3))
        self.register_buffer("weights", torch.randn(5, 8))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Any:
        return F.linear(self.relu(F.conv2d(x, self.filters, padding=1)).mean((2, 3)), self.weights)


class Shared(Plain):
    """The same block under two names, and called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), self.relu)
        self.second = self.first

    def features(self, x: Tensor) -> Tensor:
        return self.second(self.first(super().features(x)))


class Tricky(Plain):
    """Looks its parts up in another place, answers to any name, and returns nothing from `train` and `to`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name.startswith("__"):
                raise
            return f"nothing called {name}"

    def train(self, mode: bool = True) -> Any:
        super().train(mode)

    def to(self, *args: Any, **words: Any) -> Any:
        super().to(*args, **words)


class Branching(Plain):
    """What runs depends on the values; it swallows every exception; it keeps what it computed."""

    kept: Tensor | None = None

    def forward(self, x: Tensor) -> Any:
        try:
            maps = self.features(x)
        except BaseException:  # noqa: BLE001 - as users write it
            maps = self.conv2(self.pool(self.conv1(x)))
        if self.kept is None:
            self.kept = torch.linspace(0.5, 1, 8)
        if float(maps.mean()) > 1e9:
            maps = maps * 2
        return self.head(maps.mean((2, 3)) * self.kept)


class Uncopyable(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class ByName(Plain):
    """Gives its parts their input by name."""

    def features(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(input=self.bn1(input=self.conv1(input=x))), kernel_size=2)
        return self.relu(input=self.conv2(input=x))

    def forward(self, x: Tensor) -> Any:
        return self.head(input=self.features(x).mean((2, 3)))


class Talking(Plain):
    def forward(self, x: Tensor) -> Any:
        print("shape:", tuple(x.shape))
        return super().forward(x)


class ThreeThousand(nn.Module):
    """3,000 modules: 749 blocks of four, on maps of two by two."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 4, stride=16)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU()) for _ in range(749))
        self.head = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = x + 0.01 * block(x)
        return self.head(x.mean((2, 3)))


def _hooked() -> nn.Module:
    """A hook of the user's own, which doubles what a layer gives."""
    net = Plain()
    net.conv2.register_forward_hook(lambda _module, _inputs, output: output * 2)
    return net


def _nan() -> nn.Module:
    net = Plain()
    with torch.no_grad():
        net.conv2.weight[0] = float("nan")
    return net


def _compiled_inside() -> nn.Module:
    net = Shared()
    net.first = torch.compile(net.first, backend="eager")
    net.conv2.compile(backend="eager")
    return net


def _parallel_inside() -> nn.Module:
    net = OneReluTenTimes()
    net.convs[0] = nn.DataParallel(net.convs[0])
    return net


def _sequential() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU6(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)
    )


def _lazy() -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(5))


def _trained() -> nn.Module:
    net = InPlaceEverything().train()
    net(torch.randn(4, 3, SIDE, SIDE))
    return net


NASTY: Mapping[str, Callable[[], nn.Module]] = {
    "functional only": FunctionalOnly,
    "one ReLU ten times": OneReluTenTimes,
    "in-place everything": InPlaceEverything,
    "overwriting": Overwriting,
    "one logit": lambda: Plain(1),
    "one row": lambda: OneRow(1),
    "grey": lambda: Plain(channels=1),
    "four channels": lambda: Plain(channels=4),
    "frozen backbone": FrozenBackbone,
    "no_grad backbone": NoGradBackbone,
    "no_grad": NoGradAll,
    "inference mode": Inference,
    "DataParallel": lambda: nn.DataParallel(nn.DataParallel(Plain())),
    "compiled": lambda: torch.compile(Plain(), backend="eager"),
    "compiled inside": _compiled_inside,
    "DataParallel inside": _parallel_inside,
    "averaged": lambda: torch.optim.swa_utils.AveragedModel(Plain()),
    "dict": InDict,
    "tuple": InTuple,
    "named tuple": InNamedTuple,
    "dataclass": InDataclass,
    "dense": Dense,
    "NaN": _nan,
    "no maps": NoMaps,
    "view": Viewing,
    "float64": lambda: Plain().double(),
    "half": lambda: Plain().half(),
    "bfloat16": lambda: Plain().bfloat16(),
    "train mode": _trained,
    "buffers only": Buffered,
    "shared": Shared,
    "tricky": Tricky,
    "branching": Branching,
    "uncopyable": Uncopyable,
    "by name": ByName,
    "talking": Talking,
    "own hooks": _hooked,
    "sequential": _sequential,
    "lazy": _lazy,
    "3,000 modules": ThreeThousand,
}


def nasty(name: str) -> nn.Module:
    """The network of that name with seeded weights; the generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return NASTY[name]()

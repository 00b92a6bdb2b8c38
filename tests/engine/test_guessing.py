"""Preprocessing of networks nobody described: read where it is written, tried out where it is not, and said."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn
from torchvision import models
from torchvision import transforms as T

from convviz_gui.engine.opening.guessing import look_at
from convviz_gui.engine.types import Level, Preprocess
from tests.engine.nasty import nasty

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def flat(side: int, channels: int, hidden: bool = True) -> nn.Module:
    """A network whose linear layer takes exactly one size."""
    if not hidden:
        return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 3))
    n = side // 4
    return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(4 * n * n, 3))


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3), (64, 3), (224, 3), (48, 1), (200, 3), (160, 4)])
def test_a_flat_head_takes_exactly_one_size(side: int, channels: int) -> None:
    for hidden in (True, False):
        if (channels, hidden) == (4, False):
            continue  # as many values as a grey picture of twice the side
        found = look_at(flat(side, channels, hidden)).preprocess
        assert (found.size, found.channels) == ((side, side), channels)


@pytest.mark.parametrize(
    ("build", "side"),
    [
        (lambda: models.squeezenet1_1(), 224),
        (lambda: models.resnet18(), 224),
        (lambda: nasty("functional only"), 32),
        (lambda: nasty("grey"), 28),
        (lambda: models.vgg11(), 224),
    ],
)
def test_networks_that_take_many_sizes(build: Any, side: int) -> None:
    seen = look_at(build())
    assert seen.preprocess.size == (side, side)
    assert seen.preprocess.source.startswith("guessed")
    assert (seen.preprocess.mean, seen.preprocess.std) == (IMAGENET if side != 28 else ((0.5,), (0.5,)))
    assert [(f.kind, f.level) for f in seen.findings] == [("preprocessing", Level.WARNING)]
    assert "what the model saw" in seen.findings[0].detail


def test_timms_configuration_inside_a_network() -> None:
    class Mine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = timm.create_model("test_resnet", num_classes=0)
            self.head = nn.Linear(self.backbone.num_features, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.backbone(x))

    seen = look_at(Mine())
    config = timm.create_model("test_resnet").pretrained_cfg
    assert seen.preprocess.size == config["input_size"][1:]
    assert seen.preprocess.mean == tuple(config["mean"])
    assert seen.n_classes == 6
    assert seen.findings == ()


@pytest.mark.parametrize("key", ["transform", "preprocess", "val_transform"])
def test_a_transform_of_torchvision_in_the_file_or_the_network(key: str) -> None:
    steps = T.Compose([T.Resize((40, 44)), T.ToTensor(), T.Normalize((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))])
    expected = ((40, 44), None, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6))
    net = nasty("functional only")
    found = look_at(net, {key: steps}).preprocess
    assert (found.size, found.resize, found.mean, found.std) == expected
    setattr(net, key, steps)
    found = look_at(net).preprocess
    assert (found.size, found.resize, found.mean, found.std) == expected


def test_a_preset_of_torchvision_and_a_preprocess_of_ours() -> None:
    preset = models.SqueezeNet1_1_Weights.IMAGENET1K_V1.transforms()
    found = look_at(nasty("functional only"), {"PREPROCESS": preset}).preprocess
    assert (found.size, found.resize, found.interpolation) == ((224, 224), 256, "bilinear")
    ours = Preprocess((50, 60), "fit", "bicubic", (0.0,) * 3, (1.0,) * 3, "mine", "bgr")
    assert look_at(nasty("functional only"), {"PREPROCESS": ours}).preprocess == ours


def test_mean_and_deviation_that_are_only_written_down() -> None:
    net: Any = nasty("functional only")
    net.mean, net.std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    net.img_size = 48
    found = look_at(net).preprocess
    assert found.size == (48, 48)
    assert found.mean == pytest.approx(IMAGENET[0], abs=1e-3)
    assert found.std == pytest.approx(IMAGENET[1], abs=1e-3)


@pytest.mark.parametrize(("top", "std"), [(1.0, 1.0), (255.0, 1 / 255)])
def test_mean_and_deviation_that_the_network_itself_uses_are_not_used_twice(top: float, std: float) -> None:
    class Normalising(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.48, 0.45, 0.40]).view(1, 3, 1, 1) * top)
            self.register_buffer("std", torch.tensor([0.22, 0.22, 0.22]).view(1, 3, 1, 1) * top)
            self.net = nasty("functional only")

        def forward(self, x: Tensor) -> Tensor:
            return self.net((x - self.mean) / self.std)

    net: Any = Normalising()
    before = net.mean.clone()
    found = look_at(net).preprocess
    assert torch.equal(net.mean, before)
    assert (found.mean, found.std) == ((0.0,) * 3, pytest.approx((std,) * 3))
    assert "itself" in found.source


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("class_names", ["a", "b", "c", "d", "e"]),
        ("classes", ("a", "b", "c", "d", "e")),
        ("id2label", {4: "e", 0: "a", 1: "b", 2: "c", 3: "d"}),
        ("class_to_idx", {"b": 1, "a": 0, "c": 2, "d": 3, "e": 4}),
    ],
)
def test_class_names_that_fit_in_number(key: str, value: Any) -> None:
    net = nasty("functional only")
    setattr(net, key, value)
    assert look_at(net).class_names == ("a", "b", "c", "d", "e")
    setattr(net, key, ["a", "b"])
    assert look_at(net).class_names == ()


def test_a_network_that_takes_nothing_is_guessed_all_the_same() -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise NameError("nothing")

    assert look_at(Broken()).preprocess.size == (224, 224)


@pytest.mark.parametrize("plain", [True, False])
def test_a_mean_that_was_tried_is_put_back_when_memory_runs_out(plain: bool) -> None:
    class Hungry(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mean: Any = [0.25, 0.5, 0.75]
            if not plain:
                del self.mean
                self.register_buffer("mean", torch.tensor(0.5).expand(3))
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            if float(self.mean[2]) > 1:
                raise MemoryError
            mean = torch.as_tensor(self.mean).view(1, 3, 1, 1)
            return torch.as_tensor(self.conv(x - mean)).mean((2, 3))

    net = Hungry()
    before = [float(value) for value in net.mean]
    with pytest.raises(MemoryError):
        look_at(net)
    assert [float(value) for value in net.mean] == before

"""CAM against its closed form and the logits themselves, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, Run, Target
from tests.engine.nasty import nasty
from tests.engine.peers import agree, resnet_session, squeezenet_session
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_session


def cam(session: Session, image: ImageInput | None = None, **target: Any) -> Heat:
    payload = finish(session, Run("cam", Target(**target), image or noise_picture())).payload
    assert isinstance(payload, Heat)
    return payload


def output_of(model: nn.Module, layer: str, x: Tensor) -> Tensor:
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.append(output.clone()))
    with torch.no_grad():
        model(x)
    handle.remove()
    return seen[-1]


def test_a_resnets_map_is_weights_times_features_and_its_mean_the_logit() -> None:
    session = resnet_session()
    found = cam(session, class_index=11)
    x, _ = session.input(noise_picture())
    model: Any = session.model
    features = output_of(model, "layer4", x)[0]
    agree(found.raw, torch.einsum("c,chw->hw", model.fc.weight[11], features).detach().numpy())
    assert found.layer == "layer4"
    assert found.raw.mean() + float(model.fc.bias[11]) == pytest.approx(float(found.logits[11]), rel=1e-4)
    # Behind average pooling the gradient is the weight, shared by all places.
    grad_cam = finish(session, Run("grad-cam", Target("layer4", class_index=11), noise_picture())).payload
    assert isinstance(grad_cam, Heat)
    agree(found.raw, grad_cam.raw * grad_cam.raw.size)
    np.testing.assert_allclose(found.heat, grad_cam.heat, atol=1e-4)


def test_squeezenets_places_add_up_behind_its_relu(squeezenet_weights: Path, photos: Path) -> None:
    session = squeezenet_session(squeezenet_weights)
    image = load_image(sorted((photos / "cat").glob("28*"))[0])
    found = cam(session, image)
    x, _ = session.input(image)
    conv: Any = session.model.get_submodule("classifier.1")
    features = output_of(session.model, "features", x)[0]
    index = found.class_index
    agree(found.raw, torch.einsum("c,chw->hw", conv.weight[index, :, 0, 0], features).detach().numpy())
    places = np.maximum(found.raw + float(conv.bias[index]), 0)
    assert places.mean() == pytest.approx(float(found.logits[index]), rel=1e-4)
    assert found.raw.min() < 0, "what speaks against the class is kept"


@pytest.mark.parametrize(
    "name", ["functional only", "in-place everything", "no_grad", "half", "float64", "DataParallel", "dict", "shared"]
)
def test_the_mean_and_the_bias_are_the_logit_on_networks_as_users_have_them(name: str) -> None:
    """What is averaged may be the work of a function that no layer shows."""
    session = Session()
    session.adopt(nasty(name))
    model: Any = session.model
    head = model.head
    for index in range(5):
        found = cam(session, class_index=index)
        assert found.raw.mean() + float(head.bias[index]) == pytest.approx(float(found.logits[index]), abs=1e-5)


def test_a_class_against_another_is_the_difference_and_a_single_logit_has_two_classes() -> None:
    session = tiny_session()
    apart = cam(session, class_index=1).raw - cam(session, class_index=3).raw
    found = cam(session, class_index=1, against=3)
    np.testing.assert_allclose(found.raw, apart, rtol=1e-4, atol=1e-7)
    assert found.against == 3
    single = tiny_session(n_logits=1)
    towards, away = cam(single, class_index=1), cam(single, class_index=0)
    np.testing.assert_allclose(towards.raw, -away.raw, rtol=1e-6)
    bias: Any = single.model.get_submodule("head").bias
    assert towards.raw.mean() + float(bias) == pytest.approx(float(towards.logits[0]), abs=1e-6)


class ChannelsLast(nn.Module):
    """As Swin: channels last to the end, averaged by a method of tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 6, 4, stride=4), nn.LayerNorm(6), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.conv(x).permute(0, 2, 3, 1)).mean((1, 2)))


class Tokens(ChannelsLast):
    """As an MLP-Mixer: tokens to the end."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(self.conv(x).flatten(2).transpose(1, 2)).mean(dim=1))


class Squeezed(nn.Module):
    """Averages over places on the way, as squeeze and excitation does, and a 1×1 convolution for a head."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate, self.head = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 1), nn.Conv2d(6, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x).relu()
        x = x * self.gate(F.adaptive_avg_pool2d(x, 1)).sigmoid()
        return self.head(F.adaptive_avg_pool2d(x, 1)).flatten(1)


@pytest.mark.parametrize(("kind", "shape"), [(ChannelsLast, (8, 8)), (Tokens, (8, 8)), (Squeezed, (30, 30))])
def test_other_layouts_and_other_averages(kind: type[nn.Module], shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    session = Session()
    session.adopt(kind(), PREPROCESS)
    found = cam(session, class_index=2)
    head: Any = session.model.get_submodule("head")
    assert found.raw.shape == shape
    assert found.raw.mean() + float(head.bias[2]) == pytest.approx(float(found.logits[2]), abs=1e-5)
    if kind is not Squeezed:
        x, _ = session.input(noise_picture())
        model: Any = session.model
        with torch.no_grad():
            maps = model.norm(model.conv(x).permute(0, 2, 3, 1))[0]
        agree(found.raw, (maps @ head.weight[2]).detach().numpy())


class TwoLayers(nn.Module):
    """Two linear layers behind the average: a place has no share of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.hidden, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 6), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.hidden(self.conv(x).mean((2, 3))).relu())


class Highest(TwoLayers):
    """The maximum over places instead of the mean."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).amax((2, 3)))


class Scaled(TwoLayers):
    """The average is not what the classifier gets."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).mean((2, 3)) * 2)


class Probabilities(TwoLayers):
    """The network returns probabilities."""

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).mean((2, 3))).softmax(1)


@pytest.mark.parametrize("kind", [TwoLayers, Highest, Scaled, Probabilities])
def test_where_it_does_not_apply_it_says_why_and_what_to_take(kind: type[nn.Module]) -> None:
    session = Session()
    info = session.adopt(kind(), PREPROCESS)
    assert "take Grad-CAM" in dict(info.cannot)["cam"]
    for layer in (None, "conv"):
        with pytest.raises(EngineError, match="one linear layer and global average pooling"):
            cam(session, layer=layer)


def test_another_layer_is_refused() -> None:
    with pytest.raises(EngineError, match="of 'relu#2' alone") as caught:
        cam(tiny_session(), layer="conv1")
    assert "Grad-CAM" in caught.value.hint
    assert cam(tiny_session(), layer="relu#2").layer == "relu#2"


class Changing(nn.Module):
    """Averages most pictures, but takes the maximum of dark ones."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 3), nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv(x)
        return self.head(maps.amax((2, 3)) if float(x.detach().mean()) < -1 else maps.mean((2, 3)))


def test_a_picture_whose_scores_come_about_in_another_way_is_refused() -> None:
    from convviz_gui.engine.images import image_from_array

    session = Session()
    session.adopt(Changing(), PREPROCESS)
    cam(session)
    with pytest.raises(EngineError, match="For this picture"):
        cam(session, image_from_array(np.zeros((40, 40, 3), np.uint8), "dark"))

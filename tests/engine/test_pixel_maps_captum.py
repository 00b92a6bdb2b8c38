"""Pixel maps against Captum, on the real SqueezeNet and on a ResNet with batch norms; where the two differ, how."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    NeuronDeconvolution,
    NeuronGuidedBackprop,
    NoiseTunnel,
    Saliency,
)
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.attribution.baselines import Baseline, baseline
from convviz_gui.engine.images import load_image
from convviz_gui.engine.methods.smoothgrad import sample_noise
from convviz_gui.engine.payloads import PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, LoadModel, ModelSpec, Preprocess, Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net

SIDE = 96
CLASS = 7


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # Captum warns of its own hooks, and that it sets requires_grad.
        warnings.simplefilter("ignore")
        yield


Opened = tuple[Session, ImageInput]


def resnet() -> Opened:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torchvision.models.resnet18(weights=None)
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.running_mean, std=0.1)
                nn.init.uniform_(part.running_var, 0.5, 1.5)
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, std=0.1)
    session = Session()
    session.adopt(model, Preprocess((SIDE, SIDE), SIDE, "bilinear", PREPROCESS.mean, PREPROCESS.std))
    return session, noise_picture(120, 110)


def squeezenet(weights: Path, photos: Path) -> Opened:
    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("torchvision:squeezenet1_0", str(weights)), "cpu")):
        pass
    return session, load_image(str(sorted(photos.rglob("*.jpg"))[5]))


@pytest.fixture(scope="module", params=["squeezenet", "resnet"])
def opened(request: pytest.FixtureRequest) -> Opened:
    if request.param == "resnet":
        return resnet()
    return squeezenet(request.getfixturevalue("squeezenet_weights"), request.getfixturevalue("photos"))


def ours(opened: Opened, method: str, target: Target = Target(class_index=CLASS), **settings: Any) -> PixelMap:
    session, image = opened
    payload = finish(session, Run(method, target, image, None, tuple(settings.items()))).payload
    assert isinstance(payload, PixelMap)
    return payload


def network_input(opened: Opened) -> Tensor:
    session, image = opened
    return session.input(image)[0].clone()


def same(found: PixelMap, theirs: Tensor, part: float = 1e-4) -> None:
    expected = theirs[0].detach().numpy()
    assert np.abs(expected).max() > 0
    assert np.abs(found.attribution - expected).max() <= part * np.abs(expected).max()


@pytest.mark.parametrize(
    ("method", "other"),
    [
        ("grad-x-input", InputXGradient),
        ("guided-backprop", GuidedBackprop),
        ("deconvnet", Deconvolution),
    ],
)
def test_one_pass_equals_captum(opened: Opened, method: str, other: Any) -> None:
    theirs = other(opened[0].model).attribute(network_input(opened), target=CLASS)
    same(ours(opened, method), theirs)


def test_saliency_equals_captums_but_for_the_sign(opened: Opened) -> None:
    """Ours is the gradient; Captum's is its absolute value unless asked otherwise. What is drawn is the same."""
    found, model, x = ours(opened, "saliency"), opened[0].model, network_input(opened)
    same(found, Saliency(model).attribute(x, target=CLASS, abs=False))
    absolute = Saliency(model).attribute(x, target=CLASS)[0].amax(0).numpy()
    np.testing.assert_allclose(found.heat, absolute, atol=1e-4 * float(absolute.max()))


@pytest.mark.parametrize("kind", list(Baseline))
def test_integrated_gradients_equal_captums(opened: Opened, kind: Baseline) -> None:
    session, x = opened[0], network_input(opened)
    found = ours(opened, "integrated-gradients", steps=6, baseline=kind.value)
    empty = baseline(x, kind, session.info.preprocess)
    theirs, delta = IntegratedGradients(session.model).attribute(
        x, empty, target=CLASS, n_steps=6, method="gausslegendre", internal_batch_size=3, return_convergence_delta=True
    )
    same(found, theirs)
    # Captum's delta is the gap in logits; ours is a part of the rise, so that it can be judged.
    with torch.no_grad():
        rise = float(session.model(x)[0, CLASS] - session.model(empty)[0, CLASS])
    assert found.completeness_gap == pytest.approx(float(delta) / abs(rise), rel=1e-2, abs=1e-4)


def test_smoothgrad_equals_captums_noise_tunnel(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same noise: theirs is drawn from torch's global generator, ours from the seed and a copy's number."""
    x = network_input(opened)
    found = ours(opened, "smoothgrad", samples=4, sigma=0.15)
    noises = [torch.from_numpy(sample_noise(0, index, tuple(x.shape))) for index in range(4)]
    sigma = 0.15 * float(x.max() - x.min())
    monkeypatch.setattr(torch, "normal", lambda _mean, spread: torch.cat(noises) * spread)
    tunnel = NoiseTunnel(Saliency(opened[0].model))
    theirs = tunnel.attribute(x, nt_type="smoothgrad", nt_samples=4, stdevs=sigma, target=CLASS, abs=False)
    same(found, theirs)


@pytest.mark.parametrize(
    ("method", "other"), [("guided-backprop", NeuronGuidedBackprop), ("deconvnet", NeuronDeconvolution)]
)
def test_a_unit_and_a_channel_equal_captums_neurons(opened: Opened, method: str, other: Any) -> None:
    session, x = opened[0], network_input(opened)
    layer = "features.5" if "squeezenet" in session.info.name else "layer2.0"
    theirs = other(session.model, session.model.get_submodule(layer))
    maps = finish(session, Run("activations", Target(layer), opened[1])).payload.maps
    channel, row, column = (int(place) for place in np.unravel_index(maps.argmax(), maps.shape))
    found = ours(opened, method, Target(layer, (channel,), unit=(row, column)))
    same(found, theirs.attribute(x, neuron_selector=(channel, row, column)))
    assert found.score == pytest.approx(float(maps.max()), rel=1e-5)
    found = ours(opened, method, Target(layer, (channel,)))
    same(found, theirs.attribute(x, neuron_selector=lambda output: output[:, channel].sum((1, 2))))


def test_guided_grad_cam_equals_captums_once_enlarged_alike(opened: Opened) -> None:
    """Captum multiplies by the raw positive part; ours goes from 0 to 1, as it is drawn, so that scales differ."""
    session, x = opened[0], network_input(opened)
    layer = "features.9" if "squeezenet" in session.info.name else "layer3"
    found = ours(opened, "guided-grad-cam", Target(layer, class_index=CLASS))
    theirs = GuidedGradCam(session.model, session.model.get_submodule(layer)).attribute(
        x, target=CLASS, interpolate_mode="bilinear"
    )
    scale = float(np.abs(found.attribution).max()) / float(theirs.abs().max())
    same(found, theirs * scale)


def test_integrated_gradients_of_the_real_network_add_up(squeezenet_weights: Path, photos: Path) -> None:
    found = ours(squeezenet(squeezenet_weights, photos), "integrated-gradients", Target(), steps=20)
    assert abs(found.completeness_gap) < 0.05


# ----------------------------------------------------------------------------------------- where the two differ


class Functional(nn.Module):
    """`TinyNet` written with functions."""

    def __init__(self, six: bool = False) -> None:
        super().__init__()
        self.net: Any = tiny_net()
        self.act = F.relu6 if six else F.relu

    def forward(self, x: Tensor) -> Any:
        net = self.net
        x = F.max_pool2d(self.act(net.bn1(net.conv1(x))), 2)
        return net.head(self.act(net.conv2(x)).mean((2, 3)))


@pytest.mark.parametrize(("method", "other"), [("guided-backprop", GuidedBackprop), ("deconvnet", Deconvolution)])
def test_captum_misses_functional_relus(method: str, other: Any) -> None:
    """It hooks `nn.ReLU` modules: of a network written with functions it gives the plain gradient, without a word."""
    found, x = {}, None
    for name, net in (("module", tiny_net()), ("function", Functional())):
        session = Session()
        session.adopt(net, PREPROCESS)
        found[name] = ours((session, noise_picture()), method, Target(class_index=2))
        x = session.input(noise_picture())[0].clone()
    np.testing.assert_allclose(found["module"].attribution, found["function"].attribution, atol=1e-7)
    assert found["function"].coverage == found["module"].coverage
    same(found["module"], other(tiny_net()).attribute(x, target=2))
    theirs = other(Functional()).attribute(x, target=2)
    torch.testing.assert_close(theirs, Saliency(Functional()).attribute(x, target=2, abs=False))
    assert float((theirs[0] - torch.from_numpy(found["function"].attribution)).abs().max()) > 0.1 * float(
        theirs.abs().max()
    )


def test_captum_misses_relu6() -> None:
    """`nn.ReLU6` is no `nn.ReLU` either; with its rule the maps of MobileNets are ruled as well."""
    net: Any = tiny_net()
    net.relu = nn.ReLU6()
    session = Session()
    session.adopt(net, PREPROCESS)
    found = ours((session, noise_picture()), "guided-backprop", Target(class_index=2))
    assert found.coverage is not None
    assert found.coverage.handled == 2
    x = session.input(noise_picture())[0].clone()
    theirs = GuidedBackprop(net).attribute(x, target=2)
    torch.testing.assert_close(theirs, Saliency(net).attribute(x, target=2, abs=False))

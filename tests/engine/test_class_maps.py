"""Class maps against pytorch-grad-cam, on a real SqueezeNet and a ResNet with batch norm; differences are stated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from convviz_gui.engine.images import load_image
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, Run, Target
from tests.engine.peers import agree, peer_raw, relative, resnet_session, squeezenet_session
from tests.engine.test_methods import finish
from tests.engine.tiny import noise_picture

CLASS = 281
"""A tabby cat, in the photo or not."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The peers and we add up in the same order.

    Before SqueezeNet's `features.5` two values that are pooled are equal but for rounding: with more threads either
    side may send the gradient another way, and is 2e-4 to 2e-3 from what float64 says.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def resnet() -> Session:
    return resnet_session()


@pytest.fixture(scope="module")
def squeezenet(squeezenet_weights: Path) -> Session:
    return squeezenet_session(squeezenet_weights)


@pytest.fixture(scope="module")
def cat(photos: Path) -> ImageInput:
    return load_image(next(iter(sorted((photos / "cat").glob("281*")))))


def heat(session: Session, method: str, image: ImageInput, target: Target, **settings: Any) -> Heat:
    payload = finish(session, Run(method, target, image, settings=tuple(settings.items()))).payload
    assert isinstance(payload, Heat)
    return payload


@pytest.fixture(params=["squeezenet", "resnet"])
def case(request: pytest.FixtureRequest) -> tuple[Session, ImageInput, tuple[str, ...]]:
    """A network, a picture, and layers to look at."""
    if request.param == "resnet":
        return request.getfixturevalue("resnet"), noise_picture(), ("layer2", "layer3", "layer4")
    layers = ("features.5", "features.9", "features.12")
    return request.getfixturevalue("squeezenet"), request.getfixturevalue("cat"), layers


@pytest.mark.parametrize("method", ["grad-cam", "layer-cam", "xgrad-cam"])
def test_equals_pytorch_grad_cam(case: tuple[Session, ImageInput, tuple[str, ...]], method: str) -> None:
    from pytorch_grad_cam import GradCAM, LayerCAM, XGradCAM

    kind = {"grad-cam": GradCAM, "layer-cam": LayerCAM, "xgrad-cam": XGradCAM}[method]
    session, image, layers = case
    x, _ = session.input(image)
    for layer in layers:
        ours = heat(session, method, image, Target(layer, class_index=CLASS)).raw
        agree(ours, peer_raw(kind, session.model, layer, x, CLASS)[0])


@pytest.mark.parametrize("method", ["grad-cam", "grad-cam-pp", "layer-cam", "xgrad-cam"])
def test_a_difference_of_two_classes_equals_the_peers(
    case: tuple[Session, ImageInput, tuple[str, ...]], method: str
) -> None:
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, LayerCAM, XGradCAM

    kind = {"grad-cam": GradCAM, "grad-cam-pp": GradCAMPlusPlus, "layer-cam": LayerCAM, "xgrad-cam": XGradCAM}[method]
    session, image, layers = case
    x, _ = session.input(image)
    found = heat(session, method, image, Target(layers[1], class_index=CLASS, against=3))
    assert (found.class_index, found.against) == (CLASS, 3)
    other, maps, gradients = peer_raw(kind, session.model, layers[1], x, lambda out: out[CLASS] - out[3])
    agree(found.raw, plus_plus(maps, gradients, 0) if method == "grad-cam-pp" else other)


def plus_plus(maps: np.ndarray, gradients: np.ndarray, epsilon: float) -> np.ndarray:
    """Equation 19 of the Grad-CAM++ paper in float64, with the peer's addition to the denominator."""
    maps, gradients = maps.astype(np.float64), gradients.astype(np.float64)
    square = gradients**2
    below = 2 * square + maps.sum((1, 2), keepdims=True) * gradients**3 + epsilon
    share = np.divide(square, below, out=np.zeros_like(square), where=gradients != 0)
    weights = (np.maximum(gradients, 0) * share).sum((1, 2), keepdims=True)
    return (weights * maps).sum(0)


def test_grad_cam_pp_is_the_papers_formula_and_the_peer_adds_a_millionth_to_it(
    case: tuple[Session, ImageInput, tuple[str, ...]],
) -> None:
    """g² of real networks is a millionth or less, so that the peer's 1e-6 is most of its denominator."""
    from pytorch_grad_cam import GradCAMPlusPlus

    session, image, layers = case
    x, _ = session.input(image)
    for layer in layers:
        ours = heat(session, "grad-cam-pp", image, Target(layer, class_index=CLASS)).raw
        other, maps, gradients = peer_raw(GradCAMPlusPlus, session.model, layer, x, CLASS)
        agree(ours, plus_plus(maps, gradients, 0))
        agree(other, plus_plus(maps, gradients, 1e-6))
        assert relative(ours, other) > 0.01


@pytest.mark.parametrize("name", ["resnet", "squeezenet"])
def test_grad_cam_pp_equals_the_peer_where_gradients_are_large(name: str, request: pytest.FixtureRequest) -> None:
    """The same networks with logits a million times as large: there a millionth in the denominator is nothing."""
    from pytorch_grad_cam import GradCAMPlusPlus

    session: Session = request.getfixturevalue(name)
    layer, head, image = ("layer4", "fc", noise_picture()) if name == "resnet" else ("features.9", "classifier.1", None)
    image = image or request.getfixturevalue("cat")
    weight: Any = session.model.get_submodule(head)
    kept = [parameter.detach().clone() for parameter in weight.parameters()]
    try:
        with torch.no_grad():
            for parameter in weight.parameters():
                parameter *= 1e6
        x, _ = session.input(image)
        ours = heat(session, "grad-cam-pp", image, Target(layer, class_index=CLASS)).raw
        agree(ours, peer_raw(GradCAMPlusPlus, session.model, layer, x, CLASS)[0])
    finally:
        with torch.no_grad():
            for parameter, value in zip(weight.parameters(), kept, strict=True):
                parameter.copy_(value)


def test_eigen_cam_equals_the_peers_but_for_the_sign_which_is_the_mean_activations(
    case: tuple[Session, ImageInput, tuple[str, ...]],
) -> None:
    """The peer takes whatever sign the decomposition happens to have."""
    from pytorch_grad_cam import EigenCAM

    session, image, layers = case
    x, _ = session.input(image)
    for layer in layers[1:]:
        found = heat(session, "eigen-cam", image, Target(layer))
        assert not found.of_class
        other, maps, _ = peer_raw(EigenCAM, session.model, layer, x, CLASS)
        agree(found.raw, other * np.sign((other * found.raw).sum()))
        assert np.corrcoef(found.raw.ravel(), maps.mean(0).ravel())[0, 1] > 0


class PixelCentres(nn.Module):
    """Bilinear with pixels' centres in place, as Score-CAM's authors and everything here enlarge maps."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(x, self.size, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("name", ["resnet", "squeezenet"])
def test_score_cam_equals_the_peers_but_that_corners_are_not_aligned(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer's `UpsamplingBilinear2d` puts the outermost values on the picture's corners, and so shifts masks."""
    from pytorch_grad_cam import ScoreCAM

    session: Session = request.getfixturevalue(name)
    layer, image = ("layer1", noise_picture()) if name == "resnet" else ("features.3", request.getfixturevalue("cat"))
    if name == "squeezenet":
        # The real weights at a smaller input: 128 channels are 256 forward passes.
        size = session.info.preprocess.__class__(
            (112, 112), 112, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        )
        small = Session()
        small.adopt(session.model, size, "squeezenet")
        session = small
    x, _ = session.input(image)
    ours = heat(session, "score-cam", image, Target(layer, class_index=CLASS)).raw
    aligned = peer_raw(ScoreCAM, session.model, layer, x, CLASS)[0]
    monkeypatch.setattr(torch.nn, "UpsamplingBilinear2d", PixelCentres)
    agree(ours, peer_raw(ScoreCAM, session.model, layer, x, CLASS)[0])
    assert relative(ours, aligned) > 1e-4


def test_tokens_equal_the_peers_with_a_reshape() -> None:
    """A small ViT: the peer is told how tokens make maps, and ours finds it."""
    import timm
    from pytorch_grad_cam import EigenCAM, LayerCAM, XGradCAM

    torch.manual_seed(2)
    model = timm.create_model("test_vit", num_classes=7).eval()
    session = Session()
    info = session.adopt(model)
    node = info.find(info.default_map_layer or "")
    assert node is not None
    assert node.grid is not None
    grid = node.grid

    def reshape(tokens: torch.Tensor) -> torch.Tensor:
        return tokens[:, grid.before :].reshape(len(tokens), grid.height, grid.width, -1).permute(0, 3, 1, 2)

    image = noise_picture()
    x, _ = session.input(image)
    for method, kind in (("layer-cam", LayerCAM), ("xgrad-cam", XGradCAM), ("eigen-cam", EigenCAM)):
        ours = heat(session, method, image, Target(class_index=None if method == "eigen-cam" else 3)).raw
        other = peer_raw(kind, session.model, node.id, x, 3, reshape)[0]
        if method == "eigen-cam":
            other = other * np.sign((other * ours).sum())
        # XGrad-CAM divides by sums of tokens, which cancel: rounding counts for more there.
        agree(ours, other, 1e-3 if method == "xgrad-cam" else 1e-4)

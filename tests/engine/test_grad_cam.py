"""Grad-CAM against closed forms, a hand-made computation and pytorch-grad-cam."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.payloads import Heat
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_session


def heat_of(session: Session, layer: str | None = None, class_index: int | None = None, seed: int = 0) -> Heat:
    run = Run("grad-cam", Target(layer, class_index=class_index), noise_picture(seed=seed))
    payload = finish(session, run).payload
    assert isinstance(payload, Heat)
    return payload


def test_at_the_last_maps_before_average_pooling_it_is_cam() -> None:
    session = tiny_session()
    found = heat_of(session, "relu#2", 3)
    x, _ = session.input(noise_picture())
    net = session.model
    with torch.no_grad():
        maps = net.conv2(net.pool(net.bn1(net.conv1(x)).relu())).relu()[0]
        weights = net.head.weight[3] / (maps.shape[1] * maps.shape[2])
        cam = (weights[:, None, None] * maps).sum(0)
    np.testing.assert_allclose(found.raw, cam.numpy(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("layer", ["conv1", "relu#1", "pool", "conv2"])
def test_any_layer_equals_autograd_done_by_hand(layer: str) -> None:
    session = tiny_session()
    found = heat_of(session, layer, 1)
    x, _ = session.input(noise_picture())
    net = session.model
    stages = {"conv1": net.conv1, "relu#1": lambda t: net.bn1(t).relu(), "pool": net.pool, "conv2": net.conv2}
    tensor: Tensor = x
    leaf = None
    for name, stage in stages.items():
        tensor = stage(tensor)
        if name == layer:
            leaf = tensor = tensor.detach().requires_grad_(True)
    score = net.head(tensor.relu().mean((2, 3)))[0, 1]
    assert leaf is not None
    (gradient,) = torch.autograd.grad(score, leaf)
    raw = (gradient.mean((2, 3), keepdim=True) * leaf).sum(1)[0].detach()
    np.testing.assert_allclose(found.raw, raw.numpy(), rtol=1e-4, atol=1e-7)
    shown = F.interpolate(raw[None, None].relu(), (32, 32), mode="bilinear", align_corners=False)[0, 0]
    if found.positive:
        np.testing.assert_allclose(found.heat, (shown / shown.max()).numpy(), rtol=1e-4, atol=1e-6)


def test_no_positive_evidence_is_a_state_and_not_a_division() -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.head.weight[2] = -session.model.head.weight[2].abs()
    found = heat_of(session, "relu#2", 2)
    assert found.raw.max() <= 0
    assert found.raw.min() < 0
    assert not found.positive
    assert not found.heat.any()


def test_evidence_is_judged_by_its_share_and_not_by_its_size() -> None:
    session = tiny_session()
    usual = heat_of(session, "relu#2", 3)
    assert usual.positive
    with torch.no_grad():
        session.model.head.weight *= 2.0**-60
    tiny = heat_of(session, "relu#2", 3)
    assert tiny.raw.max() < 1e-15
    assert tiny.positive
    np.testing.assert_array_equal(tiny.heat, usual.heat)


def test_a_single_logit_has_two_classes_with_opposite_maps() -> None:
    session = tiny_session(n_logits=1)
    assert session.info.n_classes == 2
    against, towards = heat_of(session, None, 0), heat_of(session, None, 1)
    np.testing.assert_allclose(against.raw, -towards.raw, rtol=1e-6)
    top = heat_of(session)
    assert top.class_index == int(top.logits[0] > 0)


def test_a_vector_layer_is_refused_with_a_better_one() -> None:
    with pytest.raises(EngineError, match="has no maps") as caught:
        heat_of(tiny_session(), "head")
    assert "relu#2" in caught.value.hint


def test_nan_weights_are_said() -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.conv1.weight[0] = float("nan")
    for class_index in (None, 1):
        with pytest.raises(EngineError, match=r"NaN|not finite"):
            heat_of(session, class_index=class_index)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_equals_pytorch_grad_cam(name: str) -> None:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    torch.manual_seed(5)
    model = torchvision.models.get_model(name, weights=None).eval()
    session = Session()
    session.adopt(model, Preprocess((96, 96), 96, "bilinear", PREPROCESS.mean, PREPROCESS.std))
    layer = {"resnet18": "layer3", "squeezenet1_1": "features.9"}[name]
    found = heat_of(session, layer, 11)
    x, _ = session.input(noise_picture())
    with GradCAM(model, [model.get_submodule(layer)]) as cam:
        other = cam(x.clone().requires_grad_(True), [ClassifierOutputTarget(11)])[0]
    # It divides after subtracting the minimum and interpolates with OpenCV; both are stated differences.
    ours = F.interpolate(torch.from_numpy(found.raw.copy())[None, None].relu(), (96, 96), mode="bilinear")[0, 0]
    ours = (ours - ours.min()) / (ours.max() - ours.min())
    assert np.abs(ours.numpy() - other).max() < 1e-3


def test_the_box_is_the_crop_in_the_photo() -> None:
    found = heat_of(tiny_session())
    # 40×52 is resized to 32×41, of which columns 4…36 (rounded half to even) are kept.
    np.testing.assert_allclose(found.box, [4 * 52 / 41, 0, 32 * 52 / 41, 40], rtol=1e-6)


class Frozen(nn.Module):
    """A backbone whose author froze it, as users do before training a head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3).requires_grad_(False)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x).relu().mean((2, 3)))


def test_a_frozen_backbone_works() -> None:
    session = Session()
    session.adopt(Frozen(), PREPROCESS)
    assert np.abs(heat_of(session, "body", 1).raw).max() > 0


def test_against_another_class_is_the_difference_of_the_maps() -> None:
    session = tiny_session()
    run = Run("grad-cam", Target(class_index=1, against=3), noise_picture())
    payload = finish(session, run).payload
    assert isinstance(payload, Heat)
    assert (payload.class_index, payload.against) == (1, 3)
    apart = heat_of(session, None, 1).raw - heat_of(session, None, 3).raw
    np.testing.assert_allclose(payload.raw, apart, rtol=1e-4, atol=1e-6)

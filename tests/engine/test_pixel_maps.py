"""Pixel maps against finite differences, closed forms and plain loops. Captum is in test_pixel_maps_captum.py."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.attribution import many_gradients
from convviz_gui.engine.attribution.baselines import Baseline, baseline
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.methods.smoothgrad import sample_noise
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.payloads import Heat, PixelMap
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from tests.engine.nasty import nasty
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net, tiny_session

SINGLE = ("saliency", "grad-x-input", "guided-backprop", "deconvnet", "guided-grad-cam")
MANY = ("smoothgrad", "integrated-gradients")


def map_of(session: Session, method: str, target: Target = Target(), seed: int = 0, **settings: Any) -> PixelMap:
    payload = finish(session, Run(method, target, noise_picture(), None, tuple(settings.items()), seed)).payload
    assert isinstance(payload, PixelMap)
    return payload


def close(found: np.ndarray, expected: Tensor | np.ndarray, part: float = 1e-4) -> None:
    """Within a part of the largest expected value."""
    expected = expected.detach().numpy() if isinstance(expected, Tensor) else expected
    assert np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=part * float(np.abs(expected).max()))


# -------------------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("target", [Target(class_index=2), Target(class_index=1, against=3)])
def test_saliency_equals_finite_differences_in_float64(target: Target) -> None:
    session = tiny_session()
    found = map_of(session, "saliency", target)
    x, _ = session.input(noise_picture())
    model = copy.deepcopy(session.model).double()
    generator = np.random.default_rng(0)
    for _ in range(40):
        place = tuple(int(generator.integers(0, n)) for n in x.shape[1:])
        moved = x.double().repeat(2, 1, 1, 1)
        moved[0][place] += 1e-6
        moved[1][place] -= 1e-6
        with torch.no_grad():
            scores = model(moved)[:, target.class_index]
            if target.against is not None:
                scores = scores - model(moved)[:, target.against]
        slope = float(scores[0] - scores[1]) / 2e-6
        assert found.attribution[place] == pytest.approx(
            slope, rel=1e-3, abs=1e-4 * float(np.abs(found.attribution).max())
        )


def test_what_is_drawn_is_the_largest_absolute_value_or_the_signed_sum() -> None:
    session = tiny_session()
    for method in SINGLE + MANY:
        found = map_of(session, method)
        values = found.attribution
        drawn = values.sum(0) if found.signed else np.abs(values).max(0)
        np.testing.assert_allclose(found.heat, drawn, rtol=1e-6, atol=1e-9)
        assert found.signed == (method in ("grad-x-input", "integrated-gradients"))
        assert found.score == pytest.approx(float(found.logits[found.class_index]), rel=1e-6)


def test_gradient_times_input_is_that() -> None:
    session = tiny_session()
    x, _ = session.input(noise_picture())
    gradient = map_of(session, "saliency", Target(class_index=2)).attribution
    close(map_of(session, "grad-x-input", Target(class_index=2)).attribution, gradient * x[0].numpy(), 1e-6)


@pytest.mark.parametrize("method", ["saliency", "integrated-gradients", "smoothgrad"])
def test_a_single_logit_has_two_opposite_maps(method: str) -> None:
    session = tiny_session(n_logits=1)
    no, yes = (map_of(session, method, Target(class_index=index)) for index in (0, 1))
    close(no.attribution, -yes.attribution, 1e-6)
    assert no.score == -yes.score


@pytest.mark.parametrize("name", ["grey", "four channels", "frozen backbone", "half", "float64", "one row", "dense"])
@pytest.mark.parametrize("method", SINGLE + MANY)
def test_networks_of_other_kinds_have_maps_of_their_own_input(method: str, name: str) -> None:
    session = Session()
    info = session.adopt(nasty(name))
    found = map_of(session, method)
    assert found.attribution.shape == (info.preprocess.channels, *info.preprocess.size)
    assert found.attribution.dtype == np.float32
    assert found.attribution.any()


def test_a_gradient_that_is_not_finite_is_said() -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.conv1.weight[0] = float("nan")
    for method in SINGLE + MANY:
        with pytest.raises(EngineError, match=r"NaN|not finite"):
            map_of(session, method, Target(class_index=1))


# -------------------------------------------------------------------------------------------- many gradients


def plain_gradient(model: nn.Module, x: Tensor, index: int) -> Tensor:
    leaf = x.detach().clone().requires_grad_(True)
    return torch.autograd.grad(logits_of(model(leaf.clone()))[:, index].sum(), leaf)[0]


def test_smoothgrad_equals_a_plain_loop() -> None:
    session = tiny_session()
    found = map_of(session, "smoothgrad", Target(class_index=2), seed=5, samples=9, sigma=0.2)
    x, _ = session.input(noise_picture())
    sigma = 0.2 * float(x.max() - x.min())
    noises = [torch.from_numpy(sample_noise(5, index, tuple(x.shape))) for index in range(9)]
    expected = torch.stack([plain_gradient(session.model, x + sigma * noise, 2)[0] for noise in noises]).mean(0)
    close(found.attribution, expected, 1e-5)
    drawn = torch.stack(noises)
    assert float(drawn.std()) == pytest.approx(1, abs=0.02)
    assert float(torch.corrcoef(drawn.flatten(1)).fill_diagonal_(0).abs().max()) < 0.1


@pytest.mark.parametrize("method", MANY)
def test_the_size_of_batches_does_not_matter(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for batch in (1, 4, 7):
        monkeypatch.setattr(many_gradients, "default_batch", lambda *_, size=batch: size)
        made.append(map_of(tiny_session(), method, Target(class_index=2)).attribution)
    close(made[1], made[0], 1e-5)
    close(made[2], made[0], 1e-5)


class AcrossTheBatch(nn.Module):
    """A careless network: it centres over the batch, and so answers otherwise for a picture in company."""

    def __init__(self) -> None:
        super().__init__()
        self.net = tiny_net()

    def forward(self, x: Tensor) -> Any:
        return self.net(x - 0.5 * x.mean(0, keepdim=True))


class OneAtATime(AcrossTheBatch):
    def forward(self, x: Tensor) -> Any:
        return self.net(x.reshape(1, 3, 32, 32))


@pytest.mark.parametrize("net", [AcrossTheBatch, OneAtATime])
@pytest.mark.parametrize("method", MANY)
def test_networks_that_take_no_batches_are_given_one_at_a_time(method: str, net: type[nn.Module]) -> None:
    torch.manual_seed(0)
    session = Session()
    session.adopt(net(), PREPROCESS)
    found = map_of(session, method, Target(class_index=2))
    x, _ = session.input(noise_picture())
    if method == "smoothgrad":
        sigma = 0.15 * float(x.max() - x.min())
        inputs = [x + sigma * torch.from_numpy(sample_noise(0, index, tuple(x.shape))) for index in range(25)]
        expected = torch.stack([plain_gradient(session.model, one, 2)[0] for one in inputs]).mean(0)
    else:
        points, weights = np.polynomial.legendre.leggauss(50)
        parts = [
            float(w) / 2 * plain_gradient(session.model, (p + 1) / 2 * x, 2)[0]
            for p, w in zip(points, weights, strict=True)
        ]
        expected = torch.stack(parts).sum(0) * x[0]
    close(found.attribution, expected, 1e-4)


def test_too_little_memory_makes_batches_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = map_of(tiny_session(), "smoothgrad")
    session = tiny_session()
    forward, sizes = session.model.forward, []

    def small(x: Tensor) -> Any:
        sizes.append(len(x))
        if len(x) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        return forward(x)

    monkeypatch.setattr(session.model, "forward", small)
    notes = [update.note for update in session.execute(Run("smoothgrad", image=noise_picture()))]
    assert any("too little memory" in note for note in notes)
    close(map_of(session, "smoothgrad").attribution, expected.attribution, 1e-5)
    assert max(sizes) == 16
    assert set(sizes) >= {1, 2}


def test_memory_for_one_input_only_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = map_of(tiny_session(), "smoothgrad")
    session = tiny_session()
    forward = session.model.forward

    def smallest(x: Tensor) -> Any:
        if len(x) > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        return forward(x)

    monkeypatch.setattr(session.model, "forward", smallest)
    close(map_of(session, "smoothgrad").attribution, expected.attribution, 1e-5)


@pytest.mark.parametrize("method", MANY)
def test_pictures_under_way_come_to_the_result(method: str) -> None:
    steps = tiny_session().execute(Run(method, Target(class_index=2), noise_picture()))
    previews = []
    try:
        while True:
            update = next(steps)
            if update.preview is not None:
                payload = update.preview()
                assert isinstance(payload, PixelMap)
                previews.append(payload.attribution)
    except StopIteration as stop:
        final = stop.value.payload.attribution
    assert len(previews) >= 2
    close(previews[-1], final, 1e-6)
    off = [float(np.abs(preview - final).mean()) for preview in previews]
    assert off[0] < 0.8 * float(np.abs(final).mean()), "even the first picture resembles the last"
    assert off[0] > off[-1]


# ----------------------------------------------------------------------------------------------- completeness


@pytest.mark.parametrize("kind", ["mean", "black", "blur"])
def test_the_parts_of_integrated_gradients_add_up(kind: str) -> None:
    session = tiny_session()
    found = map_of(session, "integrated-gradients", Target(class_index=2), baseline=kind, steps=200)
    x, _ = session.input(noise_picture())
    empty = baseline(x, Baseline(kind), session.info.preprocess)
    with torch.no_grad():
        rise = float(session.model(x)[0, 2] - session.model(empty)[0, 2])
    assert found.completeness_gap == pytest.approx((float(found.attribution.sum()) - rise) / abs(rise), abs=1e-3)
    assert abs(found.completeness_gap) < 0.02


def test_a_linear_network_has_no_gap_and_gives_its_weights() -> None:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(30), nn.Flatten(), nn.Linear(4, 3))
    session = Session()
    session.adopt(net, PREPROCESS)
    found = map_of(session, "integrated-gradients", Target(class_index=1), steps=1)
    assert abs(found.completeness_gap) < 1e-4
    close(found.attribution, map_of(session, "grad-x-input", Target(class_index=1)).attribution, 1e-5)


def test_without_a_rise_the_gap_is_not_defined() -> None:
    session = tiny_session()
    with torch.no_grad():
        session.model.head.weight[2] = 0
    found = map_of(session, "integrated-gradients", Target(class_index=2))
    assert np.isnan(found.completeness_gap)
    assert not found.attribution.any()


def test_baselines() -> None:
    session = tiny_session()
    x, _ = session.input(noise_picture())
    assert not baseline(x, Baseline.MEAN, PREPROCESS).any()
    black = baseline(x, Baseline.BLACK, PREPROCESS)
    mean, std = np.array(PREPROCESS.mean), np.array(PREPROCESS.std)
    np.testing.assert_allclose(black[0, :, 3, 4], -mean / std, rtol=1e-6)
    four = dataclasses.replace(PREPROCESS, mean=(*PREPROCESS.mean, 0.7), std=(*PREPROCESS.std, 0.2))
    wide = baseline(torch.ones(1, 4, 8, 8), Baseline.BLACK, four)
    assert not wide[:, 3].any(), "no photo has a fourth channel: its mean is kept"
    blur = baseline(x, Baseline.BLUR, PREPROCESS)
    assert blur.shape == x.shape
    assert float(blur.std()) < 0.5 * float(x.std())
    flat = torch.full((1, 2, 9, 30), 0.7)
    torch.testing.assert_close(baseline(flat, Baseline.BLUR, Preprocess((9, 30), 9, "bilinear", (0, 0), (1, 1))), flat)


# ------------------------------------------------------------------------------------------------ the product


def test_guided_grad_cam_is_the_product() -> None:
    session = tiny_session()
    for target in (Target(class_index=2), Target("relu#1", class_index=3), Target(class_index=3, against=1)):
        found = map_of(session, "guided-grad-cam", target)
        guided = map_of(session, "guided-backprop", dataclasses.replace(target, layer=None))
        heat = finish(session, Run("grad-cam", target, noise_picture())).payload
        assert isinstance(heat, Heat)
        assert found.layer == heat.layer
        if heat.positive:
            close(found.attribution, guided.attribution * heat.heat, 1e-6)
        else:
            assert not found.attribution.any()

"""Filters by gradient ascent, against the chapter's loop written down independently, one filter at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.optim.canvas import noise
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Result, Run, Target
from tests.engine.tiny import PREPROCESS, tiny_net, tiny_session

SMALL = {"size": 64, "crop": 5}


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks as small as these only wait for a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def request(layer: str | None, channels: tuple[int, ...] | None, seed: int = 0, **settings: Any) -> Run:
    return Run("filters", Target(layer, channels), settings=tuple({**SMALL, **settings}.items()), seed=seed)


def finish(session: Session, run: Run) -> Result:
    results: list[Any] = []

    def drive() -> Iterator[Any]:
        results.append((yield from session.execute(run)))

    for _ in drive():
        pass
    return results[0]


def gallery(session: Session, *args: Any, **settings: Any) -> Gallery:
    return finish(session, request(*args, **settings)).payload


def chapter(
    model: nn.Module, layer: str, start: np.ndarray, channel: int, pre: Preprocess, steps: int, per_pixel: bool = False
) -> tuple[np.ndarray, list[float]]:
    """The loop of the chapter: a hook, the whole network, one filter. Returns the image [H, W, C] and the losses."""
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (pre.mean, pre.std))
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.append(output.clone()))
    image, losses = torch.from_numpy(start)[None], []
    for _ in range(steps):
        seen.clear()
        image = image.detach().requires_grad_(True)
        model((image - mean) / std)
        activation = seen[0][:, channel]
        loss = activation[:, 2:-2, 2:-2].mean() if activation.ndim == 3 else activation.mean()
        (gradient,) = torch.autograd.grad(loss, image)
        norm = gradient.norm(dim=1, keepdim=True) if per_pixel else gradient.norm()
        image = image + 10 * gradient / norm.clamp_min(1e-20)
        losses.append(loss.item())
    handle.remove()
    return image.detach()[0].permute(1, 2, 0).numpy(), losses


def shown(image: np.ndarray, crop: int) -> np.ndarray:
    image = (image - image.mean()) / image.std() * 64 + 128
    return np.clip(image, 0, 255).astype("uint8")[crop:-crop, crop:-crop]


def off(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Differences in grey levels."""
    return np.abs(ours.astype(int) - theirs.astype(int))


# ------------------------------------------------------------------------------------------------ what it computes


@pytest.mark.parametrize("normalize", ["global", "per pixel"])
@pytest.mark.parametrize("layer", ["conv1", "bn1", "conv2", "pool", "head"])
def test_it_is_the_chapters_loop(layer: str, normalize: str) -> None:
    session = tiny_session()
    got = gallery(session, layer, (4, 0, 2), seed=5, normalize=normalize)
    assert got.channels.tolist() == [4, 0, 2]
    assert got.trace.shape == (3, 30)
    net = tiny_net().requires_grad_(False)
    for i, channel in enumerate((4, 0, 2)):
        image, losses = chapter(
            net, layer, noise(5, channel, 0, 3, 64), channel, PREPROCESS, 30, normalize == "per pixel"
        )
        np.testing.assert_allclose(got.trace[i], losses, rtol=1e-3, atol=1e-5)
        assert (off(got.images[i], shown(image, 5)) <= 1).mean() > 0.999


def test_a_real_network(squeezenet_weights: Path) -> None:
    net = torchvision.models.squeezenet1_0(weights=None)
    net.load_state_dict(load_file(squeezenet_weights))
    net.eval().requires_grad_(False)
    pre = Preprocess((224, 224), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    session = Session()
    session.adopt(net, pre, "squeezenet")
    layer, channels = "features.3.expand3x3", (3, 40)
    got = gallery(session, layer, channels, size=200, crop=25, steps=8)
    assert got.images.shape == (2, 150, 150, 3)
    for i, channel in enumerate(channels):
        image, losses = chapter(net, layer, noise(0, channel, 0, 3, 200), channel, pre, 8)
        np.testing.assert_allclose(got.trace[i], losses, rtol=1e-3)
        assert (off(got.images[i], shown(image, 25)) <= 1).mean() > 0.99


def test_the_response_rises() -> None:
    got = gallery(tiny_session(), "conv2", None)
    assert (got.trace[:, -1] > got.trace[:, 0]).all()
    assert not got.dead.any()
    assert (got.done == 30).all()


def test_an_in_place_relu_behind_the_layer_changes_nothing() -> None:
    # All that channel 1 of conv2 says is negative: the ReLU behind it would leave nothing to climb.
    session = tiny_session()
    session.model.conv2.bias[1] = -100.0
    got = gallery(session, "conv2", (1,))
    assert not got.dead[0]
    assert got.trace[0, 0] < got.trace[0, -1] < 0


# ---------------------------------------------------------------------------------------------------- dead filters


def test_planted_dead_filters_are_named() -> None:
    session = tiny_session()
    session.model.conv2.bias[[1, 6]] = -100.0
    result = finish(session, request("relu#2", None))
    got = result.payload
    assert got.dead.tolist() == [channel in (1, 6) for channel in range(8)]
    assert (got.images[got.dead] == 128).all()
    assert (got.trace[got.dead] == 0).all()
    assert (got.done == 30).all()
    assert all(image.std() > 10 for image in got.images[~got.dead])
    assert result.scores[0].value == 2
    assert result.scores[0].text == "2 of 8"


class Threshold(nn.Module):
    """Channel 0 answers to red above 0.7 only, which the chapter's noise never reaches; channel 1 to any red."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 2, 1)
        self.act = nn.ReLU()
        self.conv.weight.data.zero_()[:, 0] = 1.0
        self.conv.bias.data[:] = torch.tensor([-0.7, 0.0])

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x)).mean((2, 3))


def adopt(net: nn.Module, n_colours: int = 3, side: int = 32) -> Session:
    session = Session()
    session.adopt(net, Preprocess((side, side), side, "bilinear", (0.0,) * n_colours, (1.0,) * n_colours), "net")
    return session


def test_a_filter_silent_on_the_first_start_is_woken() -> None:
    got = gallery(adopt(Threshold()), "act", (0, 1, 0))
    assert not got.dead.any()
    assert (got.trace[:, 0] > 0).all()
    assert (got.trace[:, -1] > got.trace[:, 0]).all()
    np.testing.assert_array_equal(got.images[0], got.images[2])


class Brighter(nn.Module):
    """Answers to red above 1.5 only, which no noise reaches, behind a ReLU that is shut as well."""

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.relu = relu
        self.act = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.relu(2 * self.relu(x[:, :1] - 1.2) - 0.6)).mean((2, 3))


@pytest.mark.parametrize(
    "relu",
    [nn.ReLU(), nn.ReLU(inplace=True), F.relu, torch.relu, Tensor.relu_, nn.ReLU6(), F.relu6],
    # Not `str`: addresses differ between the processes that share the suite.
    ids=["module", "module in place", "F.relu", "torch.relu", "method in place", "ReLU6 module", "F.relu6"],
)
def test_a_filter_silent_on_every_noise_is_found_through_shut_relus(relu: Callable[[Tensor], Tensor]) -> None:
    got = gallery(adopt(Brighter(relu)), "act", (0,))
    assert not got.dead[0]
    assert got.trace[0, 0] > 0


class Tent(nn.Module):
    """Answers to red between 0.51 and 0.59, best to 0.55: the chapter's step leaps over it, for good."""

    def __init__(self) -> None:
        super().__init__()
        self.red = nn.Conv2d(3, 1, 1, bias=False)
        self.red.weight.data.zero_()[:, 0] = 1.0
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(0.04 - (self.red(x) - 0.55).abs()).mean((2, 3))


def test_a_step_that_silences_a_filter_is_taken_back_and_halved() -> None:
    session = adopt(Tent())
    start = noise(0, 0, 0, 3, 64)
    _, stuck = chapter(session.model, "act", start, 0, session.info.preprocess, 30)
    assert stuck[0] > 0
    assert not any(stuck[1:])
    got = gallery(session, "act", (0,))
    assert not got.dead[0]
    assert got.trace[0, :2] == pytest.approx(stuck[:2])
    assert got.trace[0, -1] > 0
    assert (got.trace[0] > 0).mean() > 0.5


# ------------------------------------------------------------------------------------------- seeds and company


def test_seeds() -> None:
    first, same, other = (gallery(tiny_session(), "conv2", (3,), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.images, same.images)
    assert (off(first.images, other.images) > 10).mean() > 0.1


def test_a_picture_does_not_depend_on_the_other_channels() -> None:
    session = tiny_session()
    session.model.conv2.bias[1] = -100.0
    together = gallery(session, "relu#2", (0, 1, 5, 3, 7))
    for i, channel in ((0, 0), (2, 5), (3, 3), (4, 7)):
        alone = gallery(session, "relu#2", (channel,))
        np.testing.assert_array_equal(alone.images[0], together.images[i])
        np.testing.assert_array_equal(alone.trace[0], together.trace[i])


def test_another_batch_size_changes_rounding_only() -> None:
    one, five = (gallery(tiny_session(), "conv2", None, batch=batch) for batch in (1, 5))
    assert (off(one.images, five.images) <= 1).mean() > 0.999


def test_bfloat16_reaches_about_the_same_response() -> None:
    exact, rough = (gallery(tiny_session(), "conv2", None, precision=name) for name in ("float32", "bfloat16"))
    assert not np.array_equal(exact.trace, rough.trace)
    np.testing.assert_allclose(rough.trace[:, -1], exact.trace[:, -1], rtol=0.1)


# ------------------------------------------------------------------------------------------- stopping and previews


def test_every_step_shows_what_is_there() -> None:
    session = tiny_session()
    seen: list[Gallery] = []
    for update in session.execute(request("conv2", (0, 1, 2, 3, 4), steps=3)):
        assert all(len(module._forward_hooks) == 0 for module in session.model.modules())
        if update.preview:
            seen.append(update.preview())
    # Two at a time, three steps each, and a first evaluation of each batch.
    assert [part.done.tolist() for part in seen[:5]] == [[n, n, 0, 0, 0] for n in (0, 1, 2, 3)] + [[3, 3, 0, 0, 0]]
    for part in seen:
        waiting = part.done == 0
        assert (part.images[waiting] == 128).all()
        assert all(image.std() > 10 for image in part.images[~waiting])
        taken = np.arange(3) < part.done[:, None]
        np.testing.assert_array_equal(np.isnan(part.trace), ~taken)
    assert (seen[-1].done == 3).all()
    # The first picture was not painted over by what followed.
    assert not np.array_equal(seen[1].images[0], seen[2].images[0])
    for part in (seen[0], seen[-1]):
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            assert not isinstance(value, np.ndarray) or not value.flags.writeable


# ------------------------------------------------------------------------------------------------- what it accepts


def test_defaults_are_the_last_maps_and_the_first_64_channels() -> None:
    assert gallery(tiny_session(), None, None, steps=1).channels.tolist() == list(range(8))
    wide = nn.Sequential(nn.Conv2d(3, 70, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    got = gallery(adopt(wide), None, None, steps=1)
    assert got.layer == "0"
    assert got.channels.tolist() == list(range(64))
    assert finish(tiny_session(), Run("filters", Target("conv1", (0,)))).payload.images.shape == (1, 150, 150, 3)


@pytest.mark.parametrize(("size", "crop", "side"), [(8, 0, 8), (51, 25, 1), (64, 5, 54)])
def test_size_and_crop(size: int, crop: int, side: int) -> None:
    got = gallery(tiny_session(), "conv2", (0,), size=size, crop=crop, steps=2)
    assert got.images.shape == (1, side, side, 3)


def test_a_border_wider_than_the_map_leaves_its_centre() -> None:
    session = tiny_session()
    got = gallery(session, "conv2", (0,), border=64, size=66, steps=2)
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (PREPROCESS.mean, PREPROCESS.std))
    maps = run_to(session.model, (torch.from_numpy(noise(0, 0, 0, 3, 66))[None] - mean) / std, "conv2")
    assert maps.shape[2:] == (33, 33)
    assert got.trace[0, 0] == pytest.approx(maps[0, 0, 16, 16].item(), rel=1e-4)
    assert got.trace[0, 1] > got.trace[0, 0]


def test_a_grey_network_gives_grey_pictures() -> None:
    got = gallery(adopt(tiny_net(in_channels=1), n_colours=1), "conv2", (0, 4))
    assert (got.images == got.images[..., :1]).all()
    assert all(image.std() > 10 for image in got.images)


class FixedSize(nn.Module):
    """Flattens its maps, so that only 32×32 pixels fit."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4 * 32 * 32, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).flatten(1))


def test_a_network_of_one_size_says_which() -> None:
    session = adopt(FixedSize())
    assert gallery(session, "conv", (0,), steps=2).done[0] == 2
    with pytest.raises(EngineError, match=r"64×64 pixels\. Set the size to 32"):
        gallery(session, "head", (0,))
    assert gallery(session, "head", (0,), size=32, steps=2).done[0] == 2


class Tokens(FixedSize):
    """Its maps leave `conv` as a list of tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.fold = nn.Flatten(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.fold(self.conv(x)).flatten(1))


def test_what_cannot_be_done_is_said() -> None:
    cases: list[tuple[Session, tuple[Any, ...], dict[str, Any], str]] = [
        (tiny_session(), ("conv2", (8,)), {}, "no channel 8.*from 0 to 7"),
        (tiny_session(), ("conv2", (-1,)), {}, "no channel -1.*from 0 to 7"),
        (tiny_session(), ("conv2", ()), {}, "No channel is chosen"),
        (tiny_session(), ("nowhere", (0,)), {}, "no layer 'nowhere'"),
        (tiny_session(), ("conv2", (0,)), {"size": 40, "crop": 20}, "leaves nothing.*19 or less"),
        (adopt(Tokens()), ("fold", (0,)), {"size": 32}, "has no channels"),
        (adopt(tiny_net(in_channels=2), n_colours=2), ("conv2", (0,)), {}, "2 input channels"),
    ]
    for session, args, settings, words in cases:
        with pytest.raises(EngineError, match=words):
            gallery(session, *args, **settings)

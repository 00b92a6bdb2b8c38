"""Occlusion against Captum, against plain passes, and whatever networks and settings come."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import Occlusion as CaptumOcclusion
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.export import write_result
from convviz_gui.engine.images import load_image
from convviz_gui.engine.occluding.windows import Windows, spread, windows_for
from convviz_gui.engine.payloads import Occlusion
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Result, Run, Target
from tests.engine.following_nets import lively
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_net, tiny_session

REACH = "recomputed only what the patch reaches"


def sized(height: int, width: int) -> Preprocess:
    return Preprocess((height, width), (height, width), "bilinear", (0.5, 0.4, 0.3), (0.2, 0.25, 0.3), "tests")


def opened(net: nn.Module, preprocess: Preprocess = PREPROCESS) -> Session:
    session = Session()
    session.adopt(net, preprocess)
    return session


def occluded(session: Session, target: Target = Target(), seed: int = 0, **settings: Any) -> Result:
    return finish(session, Run("occlusion", target, noise_picture(seed=seed), settings=tuple(settings.items())))


def of_captum(session: Session, payload: Occlusion, x: Tensor, baseline: Any = 0) -> np.ndarray:
    def score(batch: Tensor) -> Tensor:
        logits = session.model(batch)
        gone = 0 if payload.against is None else logits[:, payload.against]
        return logits[:, payload.class_index] - gone

    window = (x.shape[1], payload.patch, payload.patch)
    steps = (x.shape[1], payload.stride, payload.stride)
    with torch.no_grad():
        found = CaptumOcclusion(score).attribute(x, window, steps, baseline, perturbations_per_eval=4)
    return found[0, 0].numpy()


def assert_close(got: np.ndarray, expected: np.ndarray, part: float = 1e-4) -> None:
    np.testing.assert_allclose(got, expected, rtol=0, atol=part * float(np.abs(expected).max()))


# ------------------------------------------------------------------------------------------------ against Captum


@pytest.mark.parametrize("mode", ["whole", "reach"])
def test_real_squeezenet_has_captums_map(mode: str, squeezenet_weights: Path, photos: Path) -> None:
    session = Session()
    net = torchvision.models.squeezenet1_0()
    net.load_state_dict(load_file(squeezenet_weights))
    session.adopt(net, Preprocess((160, 160), 176, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "tests"))
    picture = load_image(next(iter(sorted(photos.rglob("*.jpg")))))
    settings = (("patch", 40), ("stride", 24), ("mode", mode))
    payload = finish(session, Run("occlusion", image=picture, settings=settings)).payload
    assert payload.how.startswith(REACH) is (mode == "reach")
    x, _ = session.input(picture)
    assert_close(payload.heat, of_captum(session, payload, x))


@pytest.mark.parametrize("mode", ["whole", "reach"])
def test_resnet_with_batch_norms_has_captums_map(mode: str) -> None:
    session = opened(lively(torchvision.models.resnet18()), sized(112, 96))
    payload = occluded(session, Target(class_index=7, against=3), patch=28, stride=20, mode=mode).payload
    x, _ = session.input(noise_picture())
    assert (payload.class_index, payload.against) == (7, 3)
    assert_close(payload.heat, of_captum(session, payload, x))


@pytest.mark.parametrize(("patch", "stride"), [(7, 5), (32, 16), (1, 1), (5, 5), (30, 1), (12, 11)])
def test_windows_are_captums_for_any_patch_and_stride(patch: int, stride: int) -> None:
    session = tiny_session()
    if stride == 1 and patch == 1:
        session = opened(tiny_net(), sized(9, 7))
    payload = occluded(session, patch=patch, stride=stride).payload
    x, _ = session.input(noise_picture())
    assert_close(payload.heat, of_captum(session, payload, x))


@pytest.mark.parametrize("fill", ["mean", "grey", "black", "blur"])
def test_fills_are_captums_baselines(fill: str) -> None:
    session = tiny_session()
    payload = occluded(session, patch=9, stride=6, fill=fill).payload
    x, _ = session.input(noise_picture())
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (PREPROCESS.mean, PREPROCESS.std))
    baselines = {"mean": 0 * x, "grey": (0.5 - mean) / std + 0 * x, "black": -mean / std + 0 * x}
    if fill == "blur":
        blurred = [gaussian_filter(plane, 2.0, mode="nearest", truncate=3.0) for plane in x[0].double().numpy()]
        baselines["blur"] = torch.from_numpy(np.stack(blurred)).float()[None]
    assert_close(payload.heat, of_captum(session, payload, x, baselines[fill]), 1e-3 if fill == "blur" else 1e-4)


# ------------------------------------------------------------------------------------------------ by hand


@pytest.mark.parametrize("mode", ["whole", "reach"])
def test_drop_is_the_score_minus_that_behind_each_window(mode: str) -> None:
    session = opened(tiny_net(), sized(30, 23))
    payload = occluded(session, Target(class_index=2), patch=8, stride=6, mode=mode).payload
    x, _ = session.input(noise_picture())
    assert payload.drop.shape == (5, 4)
    with torch.no_grad():
        score = float(session.model(x)[0, 2])
        expected = np.zeros((5, 4), np.float32)
        for row in range(5):
            for col in range(4):
                hidden = x.clone()
                hidden[:, :, row * 6 : row * 6 + 8, col * 6 : col * 6 + 8] = 0
                expected[row, col] = score - float(session.model(hidden)[0, 2])
    assert payload.score == pytest.approx(score)
    assert payload.done.all()
    assert_close(payload.drop, expected)


def test_a_single_logit_speaks_for_two_classes() -> None:
    session = tiny_session(n_logits=1)
    one, other = (occluded(session, Target(class_index=index), patch=8, stride=8).payload for index in (1, 0))
    np.testing.assert_allclose(one.drop, -other.drop, atol=1e-7)


def test_pixels_that_no_window_covers_are_zero() -> None:
    payload = occluded(tiny_session(), patch=4, stride=12).payload
    assert payload.drop.shape == (3, 3)
    assert payload.heat[:4, :4].any()
    assert not payload.heat[4:12].any()


def test_windows_beyond_the_input_are_left_out() -> None:
    windows = Windows((32, 32), 4, 30)
    assert windows.grid == (2, 2)
    assert windows.place((1, 1)) == (slice(30, 32), slice(30, 32))
    assert Windows((32, 20), 1, 31).grid == (2, 1)


def test_a_patch_larger_than_the_input_is_refused() -> None:
    with pytest.raises(EngineError, match="larger than the input of 32×32") as caught:
        occluded(tiny_session(), patch=33)
    assert "32 or less" in caught.value.hint


def test_windows_come_evenly() -> None:
    order = spread([(row, col) for row in range(9) for col in range(9)])
    assert sorted(order) == [(row, col) for row in range(9) for col in range(9)]
    first = order[:9]
    assert max(row for row, _ in first) >= 4
    assert max(col for _, col in first) >= 4


# --------------------------------------------------------------------------------------------- streaming, memory


@pytest.mark.parametrize("mode", ["whole", "reach"])
def test_what_is_there_when_it_is_stopped_is_right_and_marked(mode: str) -> None:
    run = Run("occlusion", Target(), noise_picture(), settings=(("patch", 6), ("stride", 5), ("mode", mode)))
    full = finish(tiny_session(), run).payload
    steps = tiny_session().execute(run)
    seen = [update.preview() for update, _ in zip(steps, range(9), strict=False) if update.preview is not None]
    steps.close()
    partial = seen[-1]
    assert 0 < partial.done.sum() < partial.done.size
    np.testing.assert_array_equal(partial.drop, np.where(partial.done, full.drop, 0))
    covered = Windows((32, 32), 6, 5).heat(np.ones_like(partial.drop), partial.done)
    assert not partial.heat[covered == 0].any()
    assert np.isfinite(partial.heat).all()


@pytest.mark.parametrize("mode", ["whole", "reach"])
def test_too_little_memory_halves_the_batch(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = occluded(tiny_session(), patch=6, stride=5, mode=mode).payload
    session = tiny_session()
    relu, full = torch.conv2d, [True]

    def small(x: Tensor, *args: Any, **words: Any) -> Tensor:
        if len(x) > 4:
            full[0] = False
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return relu(x, *args, **words)

    monkeypatch.setattr(torch, "conv2d", small)
    monkeypatch.setattr(torch.nn.functional, "conv2d", small)
    payload = occluded(session, patch=6, stride=5, mode=mode).payload
    assert not full[0]
    assert payload.reduced_to == 4
    assert_close(payload.drop, expected.drop)
    assert_close(payload.heat, expected.heat)


def test_more_windows_are_followed_at_a_time_but_never_more_than_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    conv2d = torch.conv2d
    sizes: list[int] = []

    def watched(x: Tensor, *args: Any, **words: Any) -> Tensor:
        sizes.append(len(x))
        return conv2d(x, *args, **words)

    def most(**settings: Any) -> int:
        sizes.clear()
        occluded(tiny_session(), patch=4, stride=2, **settings)
        return max(sizes)

    monkeypatch.setattr(torch, "conv2d", watched)
    monkeypatch.setattr(torch.nn.functional, "conv2d", watched)
    assert most(mode="whole") == 8
    assert 8 < most(mode="reach") <= 32
    assert most(mode="whole", batch=3) <= 3
    assert most(mode="reach", batch=3) <= 3


# ------------------------------------------------------------------------------------------------- what is said


class BatchNormOfTheBatch(nn.Module):
    """Its batch norm has no statistics of its own: every picture's answer depends on the others in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, track_running_stats=False), nn.ReLU(), nn.Conv2d(6, 8, 3)
        )
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.net(x).amax((2, 3)))


def test_a_network_that_mixes_pictures_of_a_batch_gets_one_at_a_time() -> None:
    torch.manual_seed(0)
    session = opened(BatchNormOfTheBatch())
    payload = occluded(session, patch=10, stride=9).payload
    assert "one window at a time" in payload.how
    x, _ = session.input(noise_picture())
    hidden = x.clone()
    hidden[:, :, 9:19, 18:28] = 0
    with torch.no_grad():
        expected = float(session.model(x)[0, payload.class_index] - session.model(hidden)[0, payload.class_index])
    assert payload.drop[1, 2] == pytest.approx(expected, rel=1e-4)


class Deciding(nn.Module):
    """Adds something where a corner is dark."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x).relu()
        if float(y.detach()[0, 0, 0, 0]) > 0.5:
            y = y + 1
        return self.head(y.mean((2, 3)))


def test_asked_for_reach_where_it_cannot_be_had_is_refused_with_the_reason() -> None:
    session = opened(Deciding())
    assert "lets values decide what runs" in occluded(session, patch=8, stride=8).payload.how
    with pytest.raises(EngineError, match="lets values decide what runs"):
        occluded(session, patch=8, stride=8, mode="reach")


class Aside(nn.Module):
    """Computes a factor for each picture where nobody sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        factor = torch.from_numpy(x.detach().numpy().mean((1, 2, 3)))
        return self.head((self.conv(x) * factor[:, None, None, None]).amax((2, 3)))


def test_other_numbers_than_whole_passes_are_noticed() -> None:
    session = opened(Aside())
    payload = occluded(session, patch=8, stride=8).payload
    assert "gave other numbers" in payload.how
    np.testing.assert_array_equal(payload.drop, occluded(session, patch=8, stride=8, mode="whole").payload.drop)


def test_the_manifest_says_how(tmp_path: Path) -> None:
    for mode, word in (("reach", REACH), ("whole", "whole passes: as asked for")):
        result = occluded(tiny_session(), patch=8, stride=8, mode=mode)
        write_result(result, str(tmp_path / mode))
        facts = json.loads((tmp_path / mode / "manifest.json").read_text(encoding="utf-8"))
        assert facts["results"][0]["how"].startswith(word)
        data = np.load(tmp_path / mode / "data.npz")
        np.testing.assert_array_equal(data["drop"], result.payload.drop)
        assert {"score", "drop", "heat"} <= set(data.files)


def test_against_the_class_itself_is_the_class_alone() -> None:
    session = tiny_session()
    alone, same = (
        occluded(session, Target(class_index=1, against=against), patch=8, stride=8).payload for against in (None, 1)
    )
    np.testing.assert_array_equal(alone.drop, same.drop)
    assert same.against is None
    assert dataclasses.replace(same, drop=alone.drop) == alone


@pytest.mark.parametrize(
    ("size", "patch", "stride"), [((224, 224), 32, 16), ((299, 299), 32, 16), ((28, 28), 4, 2), ((3, 9), 1, 1)]
)
def test_the_window_suits_the_input_where_none_is_asked_for(size: tuple[int, int], patch: int, stride: int) -> None:
    windows = windows_for(size, 0, 0)
    assert (windows.patch, windows.stride) == (patch, stride)
    assert windows_for(size, 2, 0).stride == 1

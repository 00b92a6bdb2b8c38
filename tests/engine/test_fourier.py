"""Fourier mode and MACO at work: objectives are reached, pictures are their own, what is asked for is what comes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.export import npz_bytes
from convviz_gui.engine.images import image_from_array
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.payloads import Gallery
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, LoadModel, ModelSpec, Preprocess, Result, Run, Target
from tests.engine.test_filters import Brighter, FixedSize, adopt, finish
from tests.engine.tiny import noise_picture, tiny_net, tiny_session

QUICK: dict[str, dict[str, Any]] = {
    "filters-fourier": {"steps": 24, "size": 32},
    "filters-maco": {"steps": 24, "size": 48, "crops": 4},
}
MODES = sorted(QUICK)
FAST: dict[str, Any] = {"steps": 24, "learning_rate": 0.3}
"""Far enough to be seen, in a twentieth of the default's time."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks as small as these only wait for a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def request(
    mode: str,
    target: Target,
    seed: int = 0,
    image: ImageInput | None = None,
    folder: str | None = None,
    **settings: Any,
) -> Run:
    return Run(mode, target, image, folder, tuple({**QUICK[mode], **settings}.items()), seed)


def made(session: Session, mode: str, target: Target, seed: int = 0, **settings: Any) -> Gallery:
    return finish(session, request(mode, target, seed, **settings)).payload


@pytest.fixture(scope="module")
def demo() -> Session:
    session = Session()
    for _ in session.execute(LoadModel(ModelSpec("demo"))):
        pass
    return session


def logits_of(session: Session, image: np.ndarray) -> np.ndarray:
    """What the network says of a synthetic picture as if it were a photo."""
    return finish(session, Run("overview", image=image_from_array(image, "picture"))).payload.logits


def answers(session: Session, layer: str, image: np.ndarray) -> Tensor:
    """A layer's maps [C, h, w] for a synthetic picture at its own size."""
    pre = session.info.preprocess
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (pre.mean, pre.std))
    x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        return run_to(session.model, (x - mean) / std, layer)[0]


# ------------------------------------------------------------------------------------------------ objectives are met


def test_channels_rise_on_the_demo_and_their_pictures_rouse_them_most(demo: Session) -> None:
    channels = (3, 5, 8)
    got = made(demo, "filters-fourier", Target("block3_relu2", channels), size=64, **FAST)
    assert not got.dead.any()
    assert (got.trace[:, -1] > 2 * got.trace[:, 0].clip(0.01)).all()
    table = np.array(
        [answers(demo, "block3_relu2", image).mean((1, 2))[list(channels)].numpy() for image in got.images]
    )
    assert (table.argmax(axis=0) == np.arange(3)).all(), "no other picture rouses a channel as much as its own"


def squeezenet(weights: Path, side: int) -> Session:
    """A real network, taking pictures of that side."""
    net = torchvision.models.squeezenet1_0(weights=None)
    net.load_state_dict(load_file(weights))
    pre = Preprocess((side, side), side, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    session = Session()
    session.adopt(net, pre, "squeezenet")
    return session


def test_channels_rise_on_a_real_network(squeezenet_weights: Path) -> None:
    session = squeezenet(squeezenet_weights, 224)
    got = made(session, "filters-fourier", Target("features.4.expand3x3", (3, 40)), size=96, steps=16)
    assert (got.trace[:, -1] > got.trace[:, 0] + 1).all()
    flat = np.full((96, 96, 3), 128, np.uint8)
    rest = answers(session, "features.4.expand3x3", flat).mean((1, 2))
    for image, channel in zip(got.images, (3, 40), strict=True):
        assert answers(session, "features.4.expand3x3", image).mean((1, 2))[channel] > rest[channel] + 1


def test_a_class_picture_is_recognised_as_its_class(demo: Session) -> None:
    for index in (3, 8):
        got = made(demo, "filters-fourier", Target(class_index=index), objective="class", size=128, **FAST)
        assert got.layer == ""
        assert got.channels.tolist() == [index]
        assert got.labels == (demo.info.class_name(index),)
        logits = logits_of(demo, got.images[0])
        assert logits.argmax() == index
        assert np.exp(logits[index] - logits.max()) / np.exp(logits - logits.max()).sum() > 0.95


def test_maco_finds_a_class_by_its_phases_alone(squeezenet_weights: Path) -> None:
    session = squeezenet(squeezenet_weights, 112)
    got = made(session, "filters-maco", Target(class_index=107), objective="class", size=160, steps=12, crops=6)
    # Crops become ever smaller, and the smallest hold no whole jellyfish any more: the best is on the way.
    assert got.trace[0].max() > got.trace[0, 0] + 8


def test_without_a_class_all_of_them_are_made() -> None:
    got = made(tiny_session(), "filters-fourier", Target(), objective="class", steps=2)
    assert got.channels.tolist() == [0, 1, 2, 3, 4]
    assert got.labels[4] == "class 4"


def test_a_single_logit_has_two_classes() -> None:
    got = made(tiny_session(n_logits=1), "filters-fourier", Target(), objective="class")
    assert (got.trace[:, -1] > got.trace[:, 0]).all()
    session = tiny_session(n_logits=1)
    first, second = (float(logits_of(session, image)[0]) for image in got.images)
    assert first < second


@pytest.mark.parametrize("mode", MODES)
def test_negative_silences(mode: str) -> None:
    up, down = (made(tiny_session(), mode, Target("conv2", (3,)), negative=negative) for negative in (False, True))
    assert down.negative
    assert not down.dead.any()
    session = tiny_session()
    high, low = (float(answers(session, "conv2", image)[3].mean()) for image in (up.images[0], down.images[0]))
    assert low < high - 0.05


def test_a_unit_is_drawn_where_it_looks(demo: Session) -> None:
    """Only its receptive field can matter: far from it the picture stays as it began."""
    target = Target("block2_relu1", (4,), unit=(48, 16))
    start, end = (
        made(demo, "filters-fourier", target, objective="unit", moved=False, size=128, steps=steps) for steps in (1, 40)
    )
    field = demo.layer("block2_relu1").receptive_field
    assert field is not None
    middle = [int(field.start[axis] + target.unit[axis] * field.stride[axis] + field.size[axis] / 2) for axis in (0, 1)]
    inside = np.zeros((128, 128), bool)
    inside[tuple(slice(m - field.size[0] // 2 - 2, m + field.size[0] // 2 + 3) for m in middle)] = True
    change = np.abs(end.images[0].astype(float) - start.images[0]).mean(2)
    assert end.trace[0, -1] > end.trace[0, 0]
    assert change[inside].mean() > 3 * change[~inside].mean()


def test_variants_differ_more_when_likeness_costs(demo: Session) -> None:
    def likeness(weight: float) -> float:
        got = made(
            demo,
            "filters-fourier",
            Target("block3_relu2", (3,)),
            diversity=3,
            diversity_weight=weight,
            size=64,
            steps=60,
        )
        assert got.labels == ("3 · 1", "3 · 2", "3 · 3")
        assert got.channels.tolist() == [3, 3, 3]
        grams = []
        for image in got.images:
            maps = answers(demo, "block3_relu2", image).flatten(1)
            grams.append((maps @ maps.T).flatten().numpy())
        units = [gram / np.linalg.norm(gram) for gram in grams]
        return float(np.mean([units[i] @ units[j] for i, j in ((0, 1), (0, 2), (1, 2))]))

    assert likeness(2.0) < likeness(0.0) - 0.1


def test_variants_of_a_class_are_told_apart_by_maps(demo: Session) -> None:
    got = made(demo, "filters-fourier", Target(class_index=4), objective="class", diversity=2, size=64, steps=6)
    assert got.labels == tuple(f"{demo.info.class_name(4)} · {i}" for i in (1, 2))
    assert not np.array_equal(got.images[0], got.images[1])


def test_a_layer_says_more() -> None:
    session = tiny_session()
    got = made(session, "filters-fourier", Target("conv2"), objective="layer")
    assert got.labels == ("layer",)
    assert got.trace[0, -1] > got.trace[0, 0]
    grey = answers(session, "conv2", np.full((32, 32, 3), 128, np.uint8)).square().mean()
    assert answers(session, "conv2", got.images[0]).square().mean() > grey


def test_a_direction_of_channels_and_of_a_photo() -> None:
    session = tiny_session()
    got = made(session, "filters-fourier", Target("conv2", (1, 4)), objective="direction", mix="1, -0.5")
    assert got.labels == ("+1·1 -0.5·4",)
    assert got.trace[0, -1] > got.trace[0, 0]
    photo = noise_picture(seed=5)
    got = made(session, "filters-fourier", Target("conv2"), objective="photo", image=photo)
    x, _ = session.input(photo)
    with torch.no_grad():
        wanted = run_to(session.model, x, "conv2")[0].mean((1, 2))

    def alike(image: np.ndarray) -> float:
        return float(torch.cosine_similarity(answers(session, "conv2", image).mean((1, 2)), wanted, dim=0))

    assert alike(got.images[0]) > max(alike(np.full((32, 32, 3), 128, np.uint8)), 0.5)


# ------------------------------------------------------------------------------------------- seeds and company


@pytest.mark.parametrize("mode", MODES)
def test_seeds(mode: str) -> None:
    target = Target("conv2", (3,))
    first, same, other = (made(tiny_session(), mode, target, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.images, same.images)
    assert (np.abs(first.images.astype(int) - other.images) > 10).mean() > 0.1


@pytest.mark.parametrize("mode", MODES)
def test_a_picture_does_not_depend_on_the_other_channels(mode: str) -> None:
    session = tiny_session()
    session.model.conv2.bias[1] = -100.0
    together = made(session, mode, Target("relu#2", (0, 1, 5, 3, 7, 2)))
    assert together.dead.tolist() == [False, True, False, False, False, False]
    for row, channel in ((0, 0), (2, 5), (5, 2)):
        alone = made(session, mode, Target("relu#2", (channel,)))
        np.testing.assert_array_equal(alone.images[0], together.images[row])
        np.testing.assert_array_equal(alone.trace[0], together.trace[row])


def test_another_batch_changes_rounding_only() -> None:
    one, five = (made(tiny_session(), "filters-fourier", Target("conv2", (0, 4, 6)), batch=batch) for batch in (1, 5))
    assert (np.abs(one.images.astype(int) - five.images) <= 2).mean() > 0.99
    few, many = (made(tiny_session(), "filters-maco", Target("conv2", (0,)), batch=batch) for batch in (1, 4))
    assert (np.abs(few.images.astype(int) - many.images) <= 2).mean() > 0.95


# ------------------------------------------------------------------------------------------------------- dead targets


def test_a_dead_channel_is_named_and_the_others_are_not() -> None:
    session = tiny_session()
    session.model.conv2.bias[[1, 6]] = -100.0
    result = finish(session, request("filters-fourier", Target("relu#2"), steps=40))
    got = result.payload
    assert got.dead.tolist() == [channel in (1, 6) for channel in range(8)]
    assert (got.images[got.dead] == 128).all()
    assert (got.trace[got.dead] == 0).all()
    assert (got.done == 40).all()
    assert result.scores[0].text == "2 of 8"


def test_a_channel_behind_shut_relus_is_found() -> None:
    class Bright(Brighter):
        """Answers to a picture that is red by 0.65 on average, behind a ReLU that is shut as well."""

        def forward(self, x: Tensor) -> Tensor:
            return self.act(self.relu(2 * self.relu(x[:, :1].mean((2, 3), keepdim=True) - 0.6) - 0.1)).mean((2, 3))

    got = made(adopt(Bright(nn.ReLU())), "filters-fourier", Target("act", (0,)), steps=40)
    assert not got.dead[0]
    assert got.trace[0, -1] > 0


# ------------------------------------------------------------------------------------------------ networks of all kinds


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("mode", MODES)
def test_any_number_of_input_channels(mode: str, n: int, tmp_path: Path) -> None:
    Image.fromarray(noise_picture().pixels).save(tmp_path / "a.png")
    folder = str(tmp_path) if mode == "filters-maco" else None
    got = made(adopt(tiny_net(in_channels=n), n_colours=n), mode, Target("conv2", (0, 4)), folder=folder)
    assert (got.trace[:, -5:].mean(1) > got.trace[:, :5].mean(1)).all() or mode == "filters-maco"
    assert all(image.std() > 10 for image in got.images)
    if n == 1:
        assert (got.images == got.images[..., :1]).all()
    if n == 2:
        assert not got.images[..., 2].any()
    if got.spectrum is not None:
        assert got.spectrum.shape == (min(n, 3), 48, 25)


@pytest.mark.parametrize("mode", MODES)
def test_a_network_of_one_size_gets_it(mode: str) -> None:
    net = FixedSize()
    got = made(adopt(net), mode, Target(class_index=1), objective="class", size=40)
    assert got.images.shape == (1, 40, 40, 3)
    assert got.done[0] == 24


# -------------------------------------------------------------------------------------------- MACO's own, and previews


def test_macos_spectrum_is_the_folders_and_is_kept(tmp_path: Path) -> None:
    for seed in range(3):
        Image.fromarray(noise_picture(60, 60, seed).pixels).convert("L").save(tmp_path / f"{seed}.png")
    session, target = tiny_session(), Target("conv2", (0,))
    run = request("filters-maco", target, folder=str(tmp_path))
    result = finish(session, run)
    assert [score.text for score in result.scores if "spectrum" in score.label] == ["mean of 3 pictures of the folder"]
    notes = [update.note for update in session.execute(run)]
    assert not any("spectrum" in note for note in notes), "known by now"
    plain = made(session, "filters-maco", target)
    assert plain.spectrum_of.startswith("built in")
    assert plain.spectrum is not None
    assert not np.array_equal(plain.images, result.payload.images)
    # Pictures of noise have a flat spectrum, so the picture has finer grain than with 1/f.
    grain = [np.abs(np.diff(one.images[0].astype(float), axis=1)).mean() for one in (plain, result.payload)]
    assert grain[1] > 1.3 * grain[0]
    Image.fromarray(noise_picture(60, 60, 9).pixels).save(tmp_path / "3.png")
    assert finish(session, run).payload.spectrum_pictures == 4


def test_transparency_is_where_the_crops_looked() -> None:
    session = tiny_session()
    result = finish(session, request("filters-maco", Target("conv2", (2,)), steps=12, crops=6))
    got = result.payload
    assert got.transparency is not None
    assert got.transparency.shape == (1, 48, 48)
    assert (got.transparency >= 0).all()
    corners = np.mean([got.transparency[0, y, x] for y in (0, -1) for x in (0, -1)])
    assert got.transparency[0, 16:32, 16:32].mean() > 3 * corners
    assert {"transparency", "spectrum"} <= set(np.load(_file(npz_bytes(result))))
    plain = finish(session, request("filters-fourier", Target("conv2", (2,)), steps=2))
    assert plain.payload.transparency is None
    assert "transparency" not in np.load(_file(npz_bytes(plain)))


def _file(data: bytes) -> Any:
    import io

    return io.BytesIO(data)


@pytest.mark.parametrize("mode", MODES)
def test_pictures_form_before_the_eyes_and_what_is_shown_stays(mode: str) -> None:
    session = tiny_session()
    seen: list[Gallery] = []
    for update in session.execute(request(mode, Target("conv2", (0, 1, 2, 3, 4)), steps=3)):
        assert all(len(module._forward_hooks) == 0 for module in session.model.modules())
        if update.preview:
            seen.append(update.preview())
    for part in seen:
        waiting = part.done == 0
        assert (part.images[waiting] == 128).all()
        taken = np.arange(3) < part.done[:, None]
        np.testing.assert_array_equal(np.isnan(part.trace), ~taken)
        for field in dataclasses.fields(part):
            value = getattr(part, field.name)
            assert not isinstance(value, np.ndarray) or not value.flags.writeable
    assert (seen[-1].done == 3).all()
    forming = [part for part in seen if part.done[0] == 1]
    assert not np.array_equal(forming[0].images[0], seen[-1].images[0])


# --------------------------------------------------------------------------------------------------- what is refused


def test_what_cannot_be_done_is_said() -> None:
    cases: list[tuple[str, Target, dict[str, Any], str]] = [
        ("filters-fourier", Target("conv2", (8,)), {}, "no channel 8.*from 0 to 7"),
        ("filters-fourier", Target("conv2", ()), {}, "No channel is chosen"),
        ("filters-fourier", Target("conv2", (0,), unit=(1, 1)), {}, "no single unit"),
        ("filters-fourier", Target("conv2", (0,), unit=(99, 1)), {"objective": "unit"}, "no unit 99,1.*Rows go from 0"),
        ("filters-fourier", Target("head", (0,), unit=(0, 0)), {"objective": "unit"}, "has no positions"),
        ("filters-fourier", Target("conv2"), {"objective": "direction"}, "none are given"),
        (
            "filters-fourier",
            Target("conv2", (1, 2)),
            {"objective": "direction", "mix": "1"},
            "2 channels and 1 weights",
        ),
        ("filters-fourier", Target("conv2", (1,)), {"objective": "direction", "mix": "x"}, "cannot be 'x'"),
        ("filters-fourier", Target("conv2", (1,)), {"objective": "direction", "mix": "0"}, "no direction"),
        ("filters-fourier", Target("conv2"), {"objective": "photo"}, "needs a picture"),
        ("filters-fourier", Target(class_index=5), {"objective": "class"}, "no class 5"),
        ("filters-maco", Target("conv2", (0,) * 512), {"size": 2048}, "would take"),
        ("filters-maco", Target("conv2", (0,)), {"folder": "/no/such/folder"}, "does not exist"),
    ]
    for mode, target, settings, words in cases:
        with pytest.raises(EngineError, match=words) as caught:
            made(tiny_session(), mode, target, **settings)
        assert caught.value.hint


def test_results_are_written_with_what_they_are_of(tmp_path: Path) -> None:
    from convviz_gui.engine.export import write_result

    result: Result = finish(tiny_session(), request("filters-maco", Target(class_index=1), objective="class", steps=2))
    files = {Path(name).name for name in write_result(result, str(tmp_path / "out")).files}
    assert {"data.npz", "filters.png", "masked.png", "manifest.json"} <= files
    arrays = np.load(tmp_path / "out" / "data.npz")
    assert arrays["labels"].tolist() == ["class 1"]
    assert str(arrays["objective"]) == "class"
    assert str(arrays["spectrum_of"]).startswith("built in")

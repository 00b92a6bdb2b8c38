"""Max-activating patches: what is shown is the part of the photo that made the value, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor, nn

from convviz_gui.engine.depiction import arrays, pictures, tables
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import image_from_array, load_image
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.patch_cutting import GROUND, cut, placed
from convviz_gui.engine.payloads import Patches
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Run, Target
from convviz_gui.engine.units.gathering import MOST_BYTES, patch_side
from tests.engine.test_embedding import decoders, write_pictures
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, tiny_net, tiny_session


def patches(session: Session, folder: Path, layer: str, channels: Any = None, **settings: Any) -> Patches:
    run = Run("patches", Target(layer, channels), folder=str(folder), settings=tuple(settings.items()))
    payload = finish(session, run).payload
    assert isinstance(payload, Patches)
    return payload


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("folder"), 11)


class Spotter(nn.Module):
    """Answers to green that stands on black, 5×5 pixels at a time, every second pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 5, stride=2, padding=2, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(2, 3)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, 1] = 1.0
            self.conv.weight[1, 0] = -1.0

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.conv(x)).mean((2, 3)))


PLAIN = (0.0,) * 3, (1.0,) * 3


def spotted(root: Path, shape: tuple[int, int], places: list[tuple[int, int]], wide: int, high: int) -> None:
    for number, (x, y) in enumerate(places):
        pixels = np.zeros((*shape, 3), np.uint8)
        pixels[y : y + high, x : x + wide, 1] = 250 - 90 * number
        Image.fromarray(pixels).save(root / f"{number}.png")


@pytest.mark.parametrize(
    ("resize", "shape"), [(32, (64, 96)), (32, (32, 32)), (None, (128, 64)), ("fit", (64, 128)), ((40, 36), (80, 72))]
)
def test_the_box_holds_the_spot_and_the_patch_shows_it(tmp_path: Path, resize: Any, shape: tuple[int, int]) -> None:
    session = Session()
    session.adopt(Spotter().eval(), Preprocess((32, 32), resize, "bilinear", *PLAIN))
    height, width = shape
    wide, high = (max(side // 20, 2) for side in (width, height))
    places = [(width // 2 + dx, height // 2 + dy) for dx, dy in ((-6, -5), (3, 4), (0, -8))]
    spotted(tmp_path, shape, places, wide, high)
    found = patches(session, tmp_path, "relu", top=3)
    assert [Path(found.paths[row]).stem for row in found.pictures[0]] == ["0", "1", "2"]
    for rank, (x, y) in enumerate(places):
        left, top, box_width, box_height = found.boxes[0, rank]
        assert left <= x
        assert top <= y
        assert left + box_width >= x + wide
        assert top + box_height >= y + high
        patch = found.images[0, rank]
        at_left, at_top, across, down = placed(found.boxes[0, rank], patch.shape[0])
        inner = patch[at_top : at_top + down, at_left : at_left + across]
        scale = across / box_width
        middle = inner[int((y + high / 2 - top) * scale), int((x + wide / 2 - left) * scale)]
        assert middle[1] > 0.5 * (250 - 90 * rank), "the spot is green in the patch"
        assert middle[0] < 30
    assert not found.values[1].any(), "no value of the second channel is above 0"


def test_numbers_are_those_of_one_picture_at_a_time(folder: Path) -> None:
    session = tiny_session()
    found = patches(session, folder, "conv2", top=4, batch=3)
    assert found.sees == "part"
    assert found.field_size == (8, 8)
    for channel, rank in np.ndindex(8, 4):
        image = load_image(found.paths[found.pictures[channel, rank]])
        x, box = session.input(image)
        maps = run_to(session.model, x, "conv2")[0, channel]
        row, column = found.positions[channel, rank].tolist()
        assert maps[row, column].item() == pytest.approx(found.values[channel, rank], rel=1e-4)
        assert maps.max().item() == pytest.approx(found.values[channel, rank], rel=1e-4)
        left, top, width, height = found.boxes[channel, rank]
        size = image.pixels.shape[:2]
        assert 0 <= left <= left + width <= size[1] + 1e-3
        assert 0 <= top <= top + height <= size[0] + 1e-3
        # Fields of 8 pixels, in steps of 2 from −3, of an input of 32 that is `box` of the photo.
        first, last = max(2 * column - 3, 0), min(2 * column + 5, 32)
        assert left == pytest.approx(max(box[0] + first * box[2] / 32, 0), abs=1e-3)
        assert left + width == pytest.approx(min(box[0] + last * box[2] / 32, size[1]), abs=1e-3)


def test_channels_can_be_chosen_and_keep_their_order(folder: Path) -> None:
    every, few = (patches(tiny_session(), folder, "conv2", chosen, top=3) for chosen in (None, (6, 1)))
    assert few.channels.tolist() == [6, 1]
    np.testing.assert_array_equal(few.images, every.images[[6, 1]])
    np.testing.assert_array_equal(few.values, every.values[[6, 1]])
    assert not np.array_equal(patches(tiny_session(), folder, "conv2", top=3, which="lowest").values, every.values)


def test_of_a_vector_the_crop_is_shown_and_it_is_said(folder: Path) -> None:
    session = tiny_session()
    found = patches(session, folder, "head", top=2)
    assert found.sees == "whole"
    _, box = session.input(load_image(found.paths[found.pictures[0, 0]]))
    np.testing.assert_allclose(found.boxes[0, 0], box, atol=1e-3)
    scores = {score.label: score.text for score in finish(session, _run(folder, "head")).scores}
    assert scores["Sees"] == "the whole picture"


def _run(folder: Path, layer: str) -> Run:
    return Run("patches", Target(layer), folder=str(folder))


def test_tokens_with_a_class_token_have_the_crop_and_say_that_nobody_knows(folder: Path) -> None:
    net = timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2, num_classes=5).eval()
    session = Session()
    session.adopt(net, Preprocess((64, 64), 64, "bilinear", (0.5,) * 3, (0.5,) * 3))
    result = finish(session, _run(folder, "blocks.0.norm1"))
    assert result.payload.sees == "unknown"
    assert {score.label: score.text for score in result.scores}["Sees"].startswith("unknown")
    assert result.payload.positions.max() <= 3
    parts = finish(session, _run(folder, "patch_embed.proj")).payload
    assert (parts.sees, parts.field_size) == ("part", (16, 16))


def test_fewer_pictures_than_asked_for_leave_places_empty(folder: Path) -> None:
    result = finish(tiny_session(), Run("patches", Target("conv2"), folder=str(folder), settings=(("top", 14),)))
    found = result.payload
    assert np.isnan(found.values[:, 11:]).all()
    assert (found.pictures[:, 11:] == -1).all()
    assert (found.boxes[:, 11:] == 0).all()
    assert (found.images[:, 11:] == GROUND).all()
    written = arrays(found)
    assert (written["paths"][:, 11:] == "").all()
    assert written["paths"].shape == written["boxes"].shape[:2] == (8, 14)
    assert pictures(result).keys() == {"patches"}
    assert tables(result)["patches"].count("\n") == 1 + 8 * 11


def test_files_that_cannot_be_read_are_skipped_with_a_reason(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, 6)
    (root / "left" / "3.png").write_bytes(b"no picture")
    found = patches(tiny_session(), root, "conv2", top=9)
    assert [Path(item.path).name for item in found.skipped] == ["3.png"]
    assert len(found.paths) == 5
    assert found.pictures.max() == 4
    assert not any("3.png" in path for path in found.paths)


def test_a_photo_that_is_gone_when_it_is_to_be_cut_is_told(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, 5)
    steps = tiny_session().execute(Run("patches", Target("conv2"), folder=str(root)))
    try:
        while True:
            if next(steps).note.startswith("picture 5"):
                (root / "left" / "1.png").unlink()
    except StopIteration as stop:
        found = stop.value.payload
    assert [Path(item.path).name for item in found.skipped] == ["1.png"]
    gone = next(row for row, path in enumerate(found.paths) if path.endswith("1.png"))
    assert (found.images[found.pictures == gone] == GROUND).all()
    assert np.isfinite(found.values[found.pictures == gone]).all()


def test_previews_show_values_and_patches_already(folder: Path) -> None:
    run = Run("patches", Target("conv2"), folder=str(folder), settings=(("batch", 3), ("top", 4)))
    shown: list[Patches] = []
    steps = tiny_session().execute(run)
    try:
        while True:
            update = next(steps)
            if update.preview is not None:
                shown.append(update.preview())
    except StopIteration as stop:
        final = stop.value.payload
    assert len(shown) > 4
    assert not any(payload.final for payload in shown)
    assert final.final
    assert np.isnan(shown[0].values[:, 3]).all(), "three pictures were read"
    assert (shown[0].images[:, :3] != GROUND).any(axis=(2, 3, 4)).all()
    np.testing.assert_array_equal(shown[-1].values, final.values)
    for payload in shown:
        assert payload.images.shape[:2] == payload.pictures.shape


@pytest.mark.parametrize(("channels", "order"), [(1, "rgb"), (3, "bgr"), (2, "rgb")])
def test_previews_have_the_photos_colours(tmp_path: Path, channels: int, order: str) -> None:
    Image.new("RGB", (40, 40), (200, 100, 0)).save(tmp_path / "a.png")
    session = Session()
    preprocess = Preprocess((32, 32), 32, "bilinear", (0.5,) * channels, (0.5,) * channels, channel_order=order)
    session.adopt(tiny_net(in_channels=channels), preprocess)
    update = next(step for step in session.execute(Run("patches", Target("conv1"), folder=str(tmp_path))) if step.done)
    assert update.preview is not None
    pixel = update.preview().images[0, 0, 32, 32].tolist()
    assert pixel == ([118] * 3 if channels == 1 else [200, 100, 0])


def test_stopping_while_patches_are_cut_leaves_no_thread(folder: Path) -> None:
    steps = tiny_session().execute(_run(folder, "conv2"))
    while not next(steps).note.startswith("cutting"):
        pass
    assert decoders()
    steps.close()
    assert decoders() == []


def test_memory_is_bounded_by_smaller_patches_and_then_by_a_refusal() -> None:
    assert patch_side(64, 9) == 96
    side = patch_side(2048, 9)
    assert side == 41
    assert 3 * side**2 * 2048 * 9 <= MOST_BYTES
    with pytest.raises(EngineError, match="too many to keep") as caught:
        patch_side(21_843, 9)
    assert "first 13888" in caught.value.hint
    patch_side(13_888, 9)


def test_a_median_of_too_many_values_is_refused_before_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convviz_gui.engine.methods.patches.MOST_KEPT", 8 * 11 * 5)
    with pytest.raises(EngineError, match="median of 8 channels") as caught:
        patches(tiny_session(), folder, "conv2", which="median")
    assert "up to 5 channels" in caught.value.hint
    patches(tiny_session(), folder, "conv2", (0, 1, 2, 3, 4), which="median")


def test_a_layer_of_no_kind_of_channels_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = tiny_session()
    info = session.info
    root = dataclasses.replace(
        info.root,
        children=tuple(
            dataclasses.replace(node, channels=None) if node.id == "pool" else node for node in info.root.children
        ),
    )
    monkeypatch.setattr(Session, "info", dataclasses.replace(info, root=root))
    with pytest.raises(EngineError, match="neither maps nor a vector"):
        patches(session, folder, "pool")


# ------------------------------------------------------------------------------------------------ cutting


def test_a_cut_is_the_photos_own_pixels_in_shape() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (60, 90, 3), np.uint8)
    photo = Image.fromarray(pixels)
    same, wide, nothing = cut(
        photo, [np.array(box, np.float32) for box in ((7, 9, 32, 32), (0, 0, 64, 32), (5, 5, 0, 3))], 32
    )
    np.testing.assert_array_equal(same, pixels[9:41, 7:39])
    assert placed(np.array([0, 0, 64, 32], np.float32), 32) == (0, 8, 32, 16)
    assert (wide[:8] == GROUND).all()
    assert (wide[24:] == GROUND).all()
    expected = np.asarray(photo.resize((32, 16), Image.Resampling.BILINEAR, (0, 0, 64, 32)))
    np.testing.assert_allclose(wide[8:24], expected, atol=1)
    assert (nothing == GROUND).all()


def test_a_large_part_shrunk_in_two_steps_is_nearly_that_shrunk_in_one() -> None:
    y, x = np.mgrid[:700, :900]
    pixels = np.stack([x / 900 * 255, y / 700 * 255, (np.sin(x / 40) + 1) * 127], axis=2).astype(np.uint8)
    photo = Image.fromarray(pixels)
    box = np.array([33, 21, 640, 640], np.float32)
    (square,) = cut(photo, [box], 40)
    expected = np.asarray(photo.resize((40, 40), Image.Resampling.BILINEAR, (33, 21, 673, 661))).astype(int)
    assert np.abs(square.astype(int) - expected).mean() < 2


def test_upright_photos_are_cut_upright(tmp_path: Path) -> None:
    """A photo lying on its side, with an orientation tag: boxes are in the upright photo's pixels."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[10:14, 44:48, 1] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(pixels)).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png").pixels, pixels)
    session = Session()
    session.adopt(Spotter().eval(), Preprocess((64, 64), 64, "bilinear", *PLAIN))
    found = patches(session, tmp_path, "relu", top=1)
    left, top, width, height = found.boxes[0, 0]
    assert left <= 44 <= 48 <= left + width
    assert top <= 10 <= 14 <= top + height
    assert image_from_array(pixels, "a").pixels.shape == (64, 64, 3)
    assert PREPROCESS.channels == 3

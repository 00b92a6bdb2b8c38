"""Preprocessing without torch gives the numbers of torchvision's and timm's own transforms, bit for bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from timm.models import get_pretrained_cfg
from torchvision.models import get_model_weights
from torchvision.transforms import Grayscale, InterpolationMode
from torchvision.transforms._presets import ImageClassification

from convviz_gui.engine import preprocess as module
from convviz_gui.engine.datasets import list_folder
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image, open_rgb
from convviz_gui.engine.latent.embedding import embed
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.engine.preprocess import crop_box, normalise, prepare, prepare_bytes, prepare_picture
from convviz_gui.engine.preprocess_rules import PRESETS, changed, checked
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, PreprocessChange
from convviz_gui.engine.zoo import timm_zoo, torchvision_zoo
from tests.engine.tiny import tiny_net

IMAGENET = Preprocess((224, 224), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SIZES = [(13, 7), (7, 130), (120, 1), (224, 224), (256, 256), (300, 500), (501, 375), (257, 255)]


Resize = int | tuple[int, int] | Literal["fit"] | None


def photo(height: int, width: int) -> ByteArray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def assert_same(pixels: ByteArray, preprocess: Preprocess, transform: object) -> None:
    expected = transform(Image.fromarray(pixels)).numpy()  # type: ignore[operator]
    found, _ = prepare(pixels, preprocess)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["squeezenet1_0", "efficientnet_b0", "resnet50", "inception_v3", "efficientnet_v2_l"])
def test_torchvision(size: tuple[int, int], name: str) -> None:
    weights = get_model_weights(name).DEFAULT
    assert_same(photo(*size), torchvision_zoo.preprocess_of(weights), weights.transforms())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "name", ["legacy_xception", "resnet50.a1_in1k", "convnext_tiny.in12k", "convnext_base.clip_laion2b"]
)
def test_timm(size: tuple[int, int], name: str) -> None:
    settings = get_pretrained_cfg(name).to_dict()
    transform = create_transform(**resolve_data_config(pretrained_cfg=settings))
    assert_same(photo(*size), timm_zoo.preprocess_of(name, settings), transform)


def test_timm_squashed_whole() -> None:
    settings = get_pretrained_cfg("resnet50.a1_in1k").to_dict() | {"crop_mode": "squash", "crop_pct": 1.0}
    transform = create_transform(**resolve_data_config(pretrained_cfg=settings))
    preprocess = timm_zoo.preprocess_of("squashed", settings)
    for size in SIZES:
        assert_same(photo(*size), preprocess, transform)
        assert crop_box(*size, preprocess).tolist() == [0, 0, size[1], size[0]]


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("target", [(64, 64), (48, 90)])
def test_timm_fitted_with_a_border(interpolation: str, target: tuple[int, int]) -> None:
    transform = create_transform(
        (3, *target),
        interpolation=interpolation,
        crop_pct=1.0,
        crop_mode="border",
        mean=IMAGENET.mean,
        std=IMAGENET.std,
    )
    preprocess = Preprocess(target, "fit", interpolation, IMAGENET.mean, IMAGENET.std)
    for size in SIZES:
        if 1 in size:
            continue  # timm's own rounding makes a side of 0 pixels and fails
        assert_same(photo(*size), preprocess, transform)


def test_timm_squashed_and_then_cropped() -> None:
    settings = get_pretrained_cfg("dm_nfnet_f0").to_dict()
    assert (settings["crop_mode"], settings["crop_pct"]) == ("squash", 0.9)
    transform = create_transform(**resolve_data_config(pretrained_cfg=settings))
    preprocess = timm_zoo.preprocess_of("dm_nfnet_f0", settings)
    for size in SIZES:
        assert_same(photo(*size), preprocess, transform)


@pytest.mark.parametrize(("size", "crop"), [((100, 80), 224), ((30, 200), 224), ((224, 230), 225), ((81, 80), 87)])
def test_a_crop_larger_than_the_picture_is_padded_with_black(size: tuple[int, int], crop: int) -> None:
    transform = ImageClassification(crop_size=crop, resize_size=80)
    assert_same(photo(*size), Preprocess((crop, crop), 80, "bilinear", IMAGENET.mean, IMAGENET.std), transform)


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_interpolations(name: str) -> None:
    transform = ImageClassification(crop_size=60, resize_size=70, interpolation=InterpolationMode(name))
    assert_same(photo(90, 120), Preprocess((60, 60), 70, name, IMAGENET.mean, IMAGENET.std), transform)


def test_photos_by_every_path(photos: Path) -> None:
    transform = get_model_weights("squeezenet1_0").DEFAULT.transforms()
    paths = sorted(photos.glob("*/*.jpg"))[::16]
    crops = []
    for path in paths:
        crop, box = prepare_picture(open_rgb(path)[0], IMAGENET)
        image = load_image(path)
        again, same_box = prepare_bytes(image.pixels, IMAGENET)
        assert np.array_equal(crop, again)
        assert np.array_equal(box, same_box)
        assert np.array_equal(box, crop_box(*image.pixels.shape[:2], IMAGENET))
        crops.append(crop)
    batch = normalise(np.stack(crops), IMAGENET)
    for path, row in zip(paths, batch, strict=True):
        assert np.array_equal(row, transform(Image.open(path).convert("RGB")).numpy())
    assert torch.from_numpy(batch).is_contiguous(memory_format=torch.channels_last)


def test_grey_networks_get_luminance() -> None:
    pixels = photo(90, 120)
    found, _ = prepare(pixels, Preprocess((60, 50), 70, "bilinear", (0.1307,), (0.3081,)))
    grey = Grayscale()(Image.fromarray(pixels)).resize((93, 70), Image.Resampling.BILINEAR).crop((22, 5, 72, 65))
    expected = (np.asarray(grey, np.float32) / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081)
    assert found.shape == (1, 60, 50)
    assert np.array_equal(found[0], expected)


def test_box_by_the_formula() -> None:
    # 375×500: resized to 256×341, crop from (16, 58); box = left·W/W′, top·H/H′, crop·W/W′, crop·H/H′.
    assert crop_box(375, 500, IMAGENET) == pytest.approx(
        [58 * 500 / 341, 16 * 375 / 256, 224 * 500 / 341, 224 * 375 / 256]
    )


@pytest.mark.parametrize("size", [(60, 80), (60, 200), (200, 61), (25, 30)])
@pytest.mark.parametrize("crop", [48, 80])
@pytest.mark.parametrize("rule", [64, (70, 90), None, "fit"])
def test_box_is_where_the_network_looks(size: tuple[int, int], crop: int, rule: Resize) -> None:
    # A photo whose red is its own x and green its own y: the crop then says which place each of its pixels came from.
    height, width = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(width), np.arange(height)[:, None]
    preprocess = Preprocess((crop, crop), rule, "bilinear", (0, 0, 0), (1, 1, 1))
    seen, (x, y, box_width, box_height) = prepare_bytes(pixels, preprocess)
    centres = np.arange(crop) + 0.5
    for start, length, side, found in (
        (x, box_width, width, seen[crop // 2, :, 0]),
        (y, box_height, height, seen[:, crop // 2, 1]),
    ):
        expected = start + centres * length / crop - 0.5
        inner = (expected > 2) & (expected < side - 3)
        assert inner.any()
        assert np.abs(found[inner] - expected[inner]).max() <= max(1.0, length / crop)
        outside = (expected < -1) | (expected > side)
        assert (found[outside] == 0).all()


def test_endless_strips_are_cut_before_resizing(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = [prepare_bytes(photo(*size), IMAGENET)[0].astype(int) for size in SIZES]
    monkeypatch.setattr(module, "MAX_RESIZED", 1000)
    for size, expected in zip(SIZES, exact, strict=True):
        assert np.abs(prepare_bytes(photo(*size), IMAGENET)[0] - expected).max() <= 1
    # Resized whole, this one would take 25 GB.
    monkeypatch.undo()
    assert prepare(np.zeros((100_000, 1, 3), np.uint8), IMAGENET)[0].shape == (3, 224, 224)


# ------------------------------------------------------------------------------------- other orders and channel counts


def test_a_strip_that_fits_keeps_a_pixel() -> None:
    crop, box = prepare_bytes(photo(5000, 1), dataclasses.replace(IMAGENET, resize="fit"))
    assert crop.shape == (224, 224, 3)
    assert (crop[:, 111] != [124, 116, 104]).any()
    assert (np.delete(crop, 111, axis=1) == [124, 116, 104]).all()
    assert (box[1], box[3]) == (0, 5000)


def test_fit_shows_the_whole_photo_and_margins_of_the_mean() -> None:
    pixels = photo(30, 60)
    preprocess = Preprocess((40, 40), "fit", "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    found, box = prepare(pixels, preprocess)
    whole = np.asarray(Image.fromarray(pixels).resize((40, 20), Image.Resampling.BILINEAR), np.float32)
    expected = (whole / 255 - IMAGENET.mean) / IMAGENET.std
    np.testing.assert_allclose(found[:, 10:30].transpose(1, 2, 0), expected, atol=1e-5)
    margin = np.concatenate([found[:, :10], found[:, 30:]], axis=1)
    assert np.abs(margin).max() <= 0.5 / 255 / min(IMAGENET.std) + 1e-6
    assert box.tolist() == [0, -15, 60, 60]


def test_blue_first_is_red_first_turned_around() -> None:
    mean, std = IMAGENET.mean[::-1], IMAGENET.std[::-1]
    for rule in (50, "fit"):
        rgb = Preprocess((40, 44), rule, "bicubic", IMAGENET.mean, IMAGENET.std)  # type: ignore[arg-type]
        bgr = Preprocess((40, 44), rule, "bicubic", mean, std, channel_order="bgr")  # type: ignore[arg-type]
        assert np.array_equal(prepare(photo(90, 70), bgr)[0], prepare(photo(90, 70), rgb)[0][::-1])


def test_caffe_by_its_formula() -> None:
    title, mean, std, order = next(preset for preset in PRESETS if "Caffe" in preset[0])
    pixels = photo(60, 60)
    found, _ = prepare(pixels, Preprocess((60, 60), 60, "bilinear", mean, std, title, order))
    expected = pixels[..., ::-1].astype(np.float64) - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(found.transpose(1, 2, 0), expected, atol=1e-3)


@pytest.mark.parametrize("channels", [2, 4, 9])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("rule", [44, "fit"])
def test_other_channel_counts_take_colours_first_and_then_nothing(channels: int, order: str, rule: Resize) -> None:
    numbers = tuple(0.3 + 0.05 * i for i in range(channels))
    plain = Preprocess((40, 44), rule, "bilinear", (0,) * 3, (1,) * 3)
    found, box = prepare(photo(70, 60), Preprocess((40, 44), rule, "bilinear", numbers, numbers, channel_order=order))
    assert found.shape == (channels, 40, 44)
    assert (found[3:] == 0).all()
    colours, same_box = prepare(photo(70, 60), plain)
    assert np.array_equal(box, same_box)
    inside = (slice(None), slice(8, 32), slice(8, 36))
    expected = colours[::-1] if order == "bgr" else colours
    for i in range(min(channels, 3)):
        np.testing.assert_allclose(found[i][inside[1:]] * numbers[i] + numbers[i], expected[i][inside[1:]], atol=1e-6)


@pytest.mark.parametrize(
    "preprocess",
    [
        IMAGENET,
        Preprocess((40, 44), "fit", "bicubic", IMAGENET.mean[::-1], IMAGENET.std, channel_order="bgr"),
        Preprocess((40, 44), None, "lanczos", (0.13,), (0.31,)),
        Preprocess((40, 44), (50, 60), "nearest", (0.1, 0.2), (0.3, 0.4)),
        Preprocess((40, 44), 50, "bilinear", (0.1, 0.2, 0.3, 0.4, 0.5), (0.3, 0.4, 0.5, 0.6, 0.7)),
    ],
)
def test_a_folder_and_a_single_photo_have_the_same_bits(preprocess: Preprocess, tmp_path: Path) -> None:
    photos = [photo(*size) for size in SIZES]
    for number, pixels in enumerate(photos):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    session, given = Session(), []
    net = tiny_net(in_channels=preprocess.channels)
    session.adopt(net, preprocess)
    handle = net.register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0].clone()))
    for _ in embed(session, list_folder(tmp_path), "conv2", 3):
        pass
    handle.remove()
    batch = torch.cat(given)
    assert len(batch) == len(photos)
    for pixels, row in zip(photos, batch, strict=True):
        assert np.array_equal(prepare(pixels, preprocess)[0], row.numpy())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": (0, 8)}, "cannot be 0×8"),
        ({"size": (8, 4097)}, "cannot be 8×4097"),
        ({"resize": 0}, "resize to cannot be 0×0"),
        ({"resize": (8, 9999)}, "resize to cannot be 8×9999"),
        ({"resize": "stretch"}, "no resize rule called 'stretch'"),
        ({"interpolation": "cubic"}, "no interpolation called 'cubic'"),
        ({"channel_order": "gbr"}, "no channel order called 'gbr'"),
        ({"mean": (), "std": ()}, "0 input channels"),
        ({"mean": (0.5,)}, "mean has 1 value, the standard deviation 3"),
        ({"mean": (0.5, float("nan"), 0.5)}, "mean cannot be nan"),
        ({"std": (0.5, float("inf"), 0.5)}, "deviation cannot be inf"),
        ({"std": (0.5, 0.0, 0.5)}, "deviation cannot be 0"),
    ],
)
def test_what_makes_no_sense_is_said(wrong: dict[str, Any], words: str) -> None:
    preprocess = dataclasses.replace(IMAGENET, **wrong)
    with pytest.raises(EngineError, match=words) as caught:
        checked(preprocess)
    assert caught.value.hint
    with pytest.raises(EngineError, match=words):
        prepare(photo(9, 9), preprocess)


def test_every_preset_makes_sense() -> None:
    for title, mean, std, order in PRESETS:
        checked(dataclasses.replace(IMAGENET, mean=mean, std=std, channel_order=order, source=title))


# ---------------------------------------------------------------------------------------------------- single fields


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (PreprocessChange(), {}),
        (PreprocessChange(size=(112, 112)), {"size": (112, 112), "resize": 128}),
        (PreprocessChange(size=(64, 64), resize="fit"), {"size": (64, 64), "resize": "fit"}),
        (PreprocessChange(resize="squash"), {"resize": None}),
        (PreprocessChange(resize=300), {"resize": 300}),
        (PreprocessChange(interpolation="bicubic"), {"interpolation": "bicubic"}),
        (
            PreprocessChange(channel_order="bgr"),
            {"channel_order": "bgr", "mean": (0.406, 0.456, 0.485), "std": (0.225, 0.224, 0.229)},
        ),
        (
            PreprocessChange(channel_order="bgr", mean=(0.1, 0.2, 0.3)),
            {"channel_order": "bgr", "mean": (0.1, 0.2, 0.3), "std": (0.225, 0.224, 0.229)},
        ),
        (PreprocessChange(mean=(0.5,), std=(0.5,)), {"mean": (0.5,) * 3, "std": (0.5,) * 3}),
        (PreprocessChange(grey=True, mean=(0.1,), std=(0.3,)), {"mean": (0.1,), "std": (0.3,)}),
        (PreprocessChange(mean=(0.1,) * 4, std=(0.2,)), {"mean": (0.1,) * 4, "std": (0.2,) * 4}),
    ],
)
def test_single_fields_change_and_the_rest_stays(change: PreprocessChange, expected: dict[str, Any]) -> None:
    found = dataclasses.replace(IMAGENET, source="found")
    source = {"source": "edited"} if expected else {}
    assert changed(found, change) == dataclasses.replace(found, **expected, **source)


def test_grey_averages_what_was_found() -> None:
    grey = changed(IMAGENET, PreprocessChange(grey=True))
    assert grey.mean == pytest.approx([sum(IMAGENET.mean) / 3])
    assert grey.std == pytest.approx([sum(IMAGENET.std) / 3])


@pytest.mark.parametrize(
    "change",
    [
        PreprocessChange(grey=True, mean=(0.1,) * 3),
        PreprocessChange(size=(0, 5)),
        PreprocessChange(mean=(0.1,) * 4),
        PreprocessChange(std=(0.0,)),
        PreprocessChange(interpolation="x"),
    ],
)
def test_changes_that_make_no_sense_are_said(change: PreprocessChange) -> None:
    with pytest.raises(EngineError):
        changed(IMAGENET, change)

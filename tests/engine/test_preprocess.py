"""Preprocessing without torch gives the numbers of torchvision's and timm's own transforms, bit for bit."""

from __future__ import annotations

from pathlib import Path

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
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image, open_rgb
from convviz_gui.engine.payloads import ByteArray
from convviz_gui.engine.preprocess import crop_box, normalise, prepare, prepare_bytes, prepare_picture
from convviz_gui.engine.types import Preprocess
from convviz_gui.engine.zoo import timm_zoo, torchvision_zoo

IMAGENET = Preprocess((224, 224), 256, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SIZES = [(13, 7), (7, 130), (120, 1), (224, 224), (256, 256), (300, 500), (501, 375), (257, 255)]


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


def test_other_channel_counts_are_refused() -> None:
    with pytest.raises(EngineError, match="pictures of 4 channels"):
        prepare(photo(9, 9), Preprocess((8, 8), 8, "bilinear", (0.5,) * 4, (0.5,) * 4))
    with pytest.raises(EngineError, match="no interpolation called 'cubic'"):
        prepare(photo(9, 9), Preprocess((8, 8), 8, "cubic", (0.5,) * 3, (0.5,) * 3))


def test_box_by_the_formula() -> None:
    # 375×500: resized to 256×341, crop from (16, 58); box = left·W/W′, top·H/H′, crop·W/W′, crop·H/H′.
    assert crop_box(375, 500, IMAGENET) == pytest.approx(
        [58 * 500 / 341, 16 * 375 / 256, 224 * 500 / 341, 224 * 375 / 256]
    )


@pytest.mark.parametrize("size", [(60, 80), (60, 200), (200, 61), (25, 30)])
@pytest.mark.parametrize("crop", [48, 80])
def test_box_is_where_the_network_looks(size: tuple[int, int], crop: int) -> None:
    # A photo whose red is its own x and green its own y: the crop then says which place each of its pixels came from.
    height, width = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(width), np.arange(height)[:, None]
    preprocess = Preprocess((crop, crop), 64, "bilinear", (0, 0, 0), (1, 1, 1))
    seen, (x, y, box_width, box_height) = prepare_bytes(pixels, preprocess)
    centres = np.arange(crop) + 0.5
    for start, length, side, found in (
        (x, box_width, width, seen[crop // 2, :, 0]),
        (y, box_height, height, seen[:, crop // 2, 1]),
    ):
        expected = start + centres * length / crop - 0.5
        inner = (expected > 2) & (expected < side - 3)
        assert inner.any()
        assert np.abs(found[inner] - expected[inner]).max() <= 1
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

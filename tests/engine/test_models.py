"""Opening networks: names, preprocessing, class names, and real weights."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image

from convviz_gui.engine import preprocess
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import open_rgb
from convviz_gui.engine.method import Update
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.opening.models import open_model
from convviz_gui.engine.types import ModelSpec
from convviz_gui.engine.zoo import timm_zoo


def opened(source: str, weights: Path | None = None, pretrained: bool = False) -> OpenedModel:
    steps = open_model(ModelSpec(source, None if weights is None else str(weights), pretrained))
    while True:
        try:
            assert isinstance(next(steps), Update)
        except StopIteration as stop:
            return cast(OpenedModel, stop.value)


# ------------------------------------------------------------------------------------------------- opening


def test_the_demo() -> None:
    demo = opened("demo")
    assert demo.trained
    assert demo.notes == ()
    assert len(demo.class_names) == 12
    size = demo.preprocess.size
    with torch.no_grad():
        assert demo.module(torch.zeros(2, 3, *size)).shape == (2, 12)


def test_a_real_squeezenet_knows_what_it_sees(squeezenet_weights: Path, photos: Path) -> None:
    model = opened("torchvision:squeezenet1_0", squeezenet_weights)
    assert model.digest == hashlib.sha256(squeezenet_weights.read_bytes()).hexdigest()
    assert (model.weights, model.trained, model.name) == (squeezenet_weights.name, True, "squeezenet1_0")
    assert model.class_names[:2] == ("tench", "goldfish")
    paths = sorted(photos.glob("*/*.jpg"))
    truth = torch.tensor([int(path.name[:3]) for path in paths])
    found = []
    with torch.inference_mode():
        for start in range(0, len(paths), 32):
            crops = [
                preprocess.prepare_picture(open_rgb(path)[0], model.preprocess)[0] for path in paths[start : start + 32]
            ]
            batch = preprocess.normalise(np.stack(crops), model.preprocess)
            found.append(model.module(torch.from_numpy(batch)).topk(5).indices)
    top = torch.cat(found)
    assert (top[:, 0] == truth).float().mean() >= 0.60
    assert (top == truth[:, None]).any(1).float().mean() >= 0.80


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = opened("torchvision:squeezenet1_1")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert opened("torchvision:squeezenet1_1").digest == first.digest
    assert not first.trained
    assert first.weights == "random weights"


def test_another_class_count_drops_the_names(tmp_path: Path) -> None:
    torch.save(torchvision.models.squeezenet1_1(num_classes=3).state_dict(), tmp_path / "three.pth")
    model = opened("torchvision:squeezenet1_1", tmp_path / "three.pth")
    assert model.class_names == ()
    assert "3 classes" in model.notes[0]


def test_a_network_without_a_classifier_says_so_until_weights_bring_one(tmp_path: Path) -> None:
    source = "timm:eva02_tiny_patch14_224"
    bare = opened(source)
    assert [finding.kind for finding in bare.findings] == ["no-classifier"]
    torch.save(timm.create_model(source.removeprefix("timm:"), num_classes=3).state_dict(), tmp_path / "three.pth")
    assert not any(finding.kind == "no-classifier" for finding in opened(source, tmp_path / "three.pth").findings)


def test_grey_weights_make_a_grey_network(tmp_path: Path) -> None:
    torch.save(timm.create_model("test_resnet", in_chans=1).state_dict(), tmp_path / "grey.pth")
    model = opened("timm:test_resnet", tmp_path / "grey.pth")
    assert model.preprocess.channels == 1
    assert model.preprocess.source == "timm data config of test_resnet, averaged over its channels"
    values, _ = preprocess.prepare(np.zeros((200, 200, 3), np.uint8), model.preprocess)
    with torch.no_grad():
        assert model.module(torch.from_numpy(values.copy())[None]).shape == (1, 1000)


@pytest.mark.parametrize(
    ("source", "size", "resize", "interpolation", "classes"),
    [
        ("torchvision:inception_v3", (299, 299), 342, "bilinear", 1000),
        ("torchvision:efficientnet_b0", (224, 224), 256, "bicubic", 1000),
        ("timm:legacy_xception", (299, 299), 333, "bicubic", 1000),
        ("timm:resnet18.a1_in1k", (224, 224), 235, "bicubic", 1000),
        ("timm:mobilenetv3_large_100.miil_in21k", (224, 224), 256, "bilinear", 11221),
    ],
)
def test_preprocessing_and_classes(
    source: str, size: tuple[int, int], resize: int, interpolation: str, classes: int
) -> None:
    model = opened(source)
    found = model.preprocess
    assert (found.size, found.resize, found.interpolation) == (size, resize, interpolation)
    assert len(model.class_names) == classes
    with torch.no_grad():
        assert model.module(torch.zeros(1, 3, *size)).shape == (1, classes)


def test_timms_border_around_the_photo() -> None:
    from timm.data import create_transform, resolve_data_config
    from timm.models import get_pretrained_cfg

    name = "deepseek_vit_412m.deepseek_v4_flash_vision_exp"
    settings = get_pretrained_cfg(name).to_dict()
    assert settings["crop_mode"] == "border"
    transform = create_transform(**resolve_data_config(pretrained_cfg=settings))
    found = timm_zoo.architecture(name).preprocess
    assert "but" not in found.source
    for shape in ((60, 97, 3), (401, 150, 3), (392, 392, 3)):
        pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        values, _ = preprocess.prepare(pixels, found)
        np.testing.assert_allclose(values, transform(Image.fromarray(pixels)).numpy(), atol=1e-6)


def test_what_a_preprocessing_cannot_say_is_said_of_it() -> None:
    settings = {"input_size": (3, 100, 100), "crop_pct": 0.9, "crop_mode": "border"}
    found = timm_zoo.preprocess_of("net", settings)
    assert found.resize == (111, 111)
    assert "squashed" in found.source
    oblong = timm_zoo.preprocess_of("net", {"input_size": (3, 96, 128), "crop_mode": "center", "crop_pct": 1.0})
    assert oblong.resize == 96
    assert "fill both" in oblong.source


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_own_weights_in_a_network_that_rescales_its_input(name: str, tmp_path: Path) -> None:
    """What the finding advises gives a network trained without the rescaling the input it was trained with."""
    made = torchvision.models.get_model(name, weights=None, init_weights=False)
    torch.save(made.state_dict(), tmp_path / "own.pth")
    model = opened(f"torchvision:{name}", tmp_path / "own.pth")
    [finding] = [finding for finding in model.findings if finding.kind == "preprocessing"]
    numbers = [float(number) for number in re.findall(r"0\.\d+", finding.detail)]
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (numbers[:3], numbers[3:]))
    usual_mean, usual_std = (
        torch.tensor(values).view(3, 1, 1) for values in (model.preprocess.mean, model.preprocess.std)
    )
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    seen = model.module._transform_input((picture - mean) / std)  # type: ignore[operator]
    torch.testing.assert_close(seen, (picture - usual_mean) / usual_std, atol=0.01, rtol=0)
    # Without a file there is nothing to say.
    assert not [finding for finding in opened(f"torchvision:{name}").findings if finding.kind == "preprocessing"]


def test_the_chapters_network_has_the_chapters_layer() -> None:
    module = opened("timm:legacy_xception").module
    assert module.get_submodule("block3.rep.1") is not None


# --------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("resnet50", "torchvision:resnet50 or timm:resnet50"),
        ("torchvision:resnt50", "torchvision:resnet50"),
        ("timm:legacy_xeption", "timm:legacy_xception"),
        ("timm", "timm:"),
        ("hf-hub:someone/something", ""),
        ("timm:/etc/passwd", ""),
        ("", ""),
    ],
)
def test_unknown_names(source: str, hint: str) -> None:
    with pytest.raises(EngineError) as caught:
        opened(source)
    assert caught.value.hint
    assert hint in caught.value.hint
    assert caught.value.hint.count(" or ") <= 2


def test_file_and_published_weights_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="both asked for"):
        opened("torchvision:squeezenet1_1", tmp_path / "a.pth", pretrained=True)

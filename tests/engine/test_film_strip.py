"""The film strip: every stage is Grad-CAM at that layer, all from one forward and one backward pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from convviz_gui.engine.depiction import arrays, pictures, tables
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.images import load_image
from convviz_gui.engine.network.stages import blocks, resolutions, spread
from convviz_gui.engine.payloads import Heat, Strip
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ImageInput, ModelInfo, Preprocess, Run, Target
from tests.engine.nasty import nasty
from tests.engine.peers import resnet_session, squeezenet_session
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture, tiny_session


def strip_of(session: Session, image: ImageInput | None = None, target: Target = Target(), **settings: Any) -> Strip:
    run = Run("film-strip", target, image or noise_picture(), settings=tuple(settings.items()))
    payload = finish(session, run).payload
    assert isinstance(payload, Strip)
    return payload


def check(session: Session, strip: Strip, image: ImageInput, against: int | None = None) -> None:
    """Hold each stage to be Grad-CAM at its layer."""
    for index, layer in enumerate(strip.layers):
        alone = finish(session, Run("grad-cam", Target(layer, None, strip.class_index, against), image)).payload
        assert isinstance(alone, Heat)
        scale = float(np.abs(alone.raw).max())
        np.testing.assert_allclose(strip.raw[index], alone.raw, rtol=0, atol=1e-5 * scale, err_msg=layer)
        np.testing.assert_allclose(strip.heat[index], alone.heat, atol=1e-4)
        assert bool(strip.positive[index]) == alone.positive
        assert strip.stage(index).layer == layer


def test_every_stage_of_a_resnet_is_grad_cam_at_that_layer() -> None:
    session, image = resnet_session(), noise_picture()
    strip = strip_of(session, image, Target(class_index=7))
    assert strip.layers == ("relu", "layer1", "layer2", "layer3", "layer4")
    assert [raw.shape for raw in strip.raw] == [(48, 48), (24, 24), (12, 12), (6, 6), (3, 3)]
    assert strip.heat.shape == (5, 96, 96)
    check(session, strip, image)
    check(session, strip_of(session, image, Target(class_index=7, against=3)), image, against=3)


def test_every_block_of_the_real_squeezenet(squeezenet_weights: Path, photos: Path) -> None:
    session = squeezenet_session(squeezenet_weights)
    image = load_image(sorted((photos / "dog").iterdir())[0])
    strip = strip_of(session, image)
    assert strip.layers == ("features.1", "features.5", "features.10", "classifier.2")
    np.testing.assert_array_equal(strip.fields[:, 0], [7, 35, 107, 155])
    check(session, strip, image)
    few = strip_of(session, image, stages="blocks", most=4)
    assert len(few.layers) == 4
    assert (few.layers[0], few.layers[-1]) == ("features.1", "classifier.2")


@pytest.mark.parametrize(
    "name",
    ["in-place everything", "one ReLU ten times", "functional only", "one logit", "float64", "dataclass", "shared"],
)
def test_networks_as_users_have_them(name: str) -> None:
    session = Session()
    session.adopt(nasty(name))
    check(session, strip_of(session), noise_picture())


def test_a_network_of_the_timm_library() -> None:
    torch.manual_seed(0)
    session = Session()
    session.adopt(timm.create_model("test_efficientnet", num_classes=5))
    check(session, strip_of(session), noise_picture())


def test_stages_inside_a_part_without_gradients_are_left_out_but_its_last_one() -> None:
    session = Session()
    info = session.adopt(nasty("no_grad backbone"))
    strip = strip_of(session)
    assert strip.layers == (info.default_map_layer,)
    check(session, strip, noise_picture())


class Aliased(nn.Module):
    """An identity hands on the very tensor that the network overwrites next."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.same = nn.Conv2d(3, 6, 3, stride=2), nn.Identity()
        self.conv2, self.conv3 = nn.Conv2d(6, 6, 3, stride=2), nn.Conv2d(6, 6, 3)
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        kept = self.conv2(x)
        seen = self.same(kept)
        kept += 1
        return self.head((self.conv3(seen) + kept[:, :, 1:-1, 1:-1]).mean((2, 3)))


def test_an_output_that_is_somebody_elses_tensor_too() -> None:
    """What is shown is what the layer gave, not what became of it."""
    from convviz_gui.engine.network.hooks import gradients_of
    from convviz_gui.engine.network.stage_outputs import logits_and_outputs

    model = Aliased().requires_grad_(False)
    x = torch.randn(1, 3, 32, 32)
    logits, outputs = logits_and_outputs(model, x, ["conv1", "same"])
    with torch.no_grad():
        expected = model.conv2(model.conv1(x))
    torch.testing.assert_close(outputs["same"].detach(), expected)
    assert all(gradient is not None for gradient in gradients_of(logits[0, 1], list(outputs.values())))


def test_there_is_one_forward_pass() -> None:
    session = resnet_session()
    passes: list[int] = []
    handle = session.model.register_forward_pre_hook(lambda _m, _i: passes.append(1))
    strip_of(session, stages="blocks")
    handle.remove()
    assert passes == [1]


def test_what_is_written() -> None:
    session = resnet_session()
    result = finish(session, Run("film-strip", image=noise_picture()))
    written = arrays(result.payload)
    assert written["layers"].tolist() == ["relu", "layer1", "layer2", "layer3", "layer4"]
    assert written["heat"].shape == (5, 96, 96)
    assert [written[f"raw_{i}"].shape[0] for i in range(5)] == [48, 24, 12, 6, 3]
    assert written["class_index"].dtype == np.int64
    np.testing.assert_array_equal(written["receptive_field"][0], (7, 7))
    assert "against" not in written
    (sheet,) = pictures(result).values()
    assert sheet.shape[1] > 5 * 52
    assert tables(result)["stages"].splitlines()[1].startswith("relu,48,48,7,7,")


# ---------------------------------------------------------------------------------------------- which stages


def info_of(model: nn.Module, side: int = 64) -> ModelInfo:
    return Session().adopt(model, Preprocess((side, side), side, "bilinear", PREPROCESS.mean, PREPROCESS.std))


def ids(nodes: Any) -> list[str]:
    return [node.id for node in nodes]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mobilenet_v2", ["features.1", "features.3", "features.6", "features.13", "features"]),
        ("shufflenet_v2_x0_5", ["conv1", "maxpool", "stage2", "stage3", "conv5"]),
    ],
)
def test_the_last_layer_of_the_main_path_at_each_resolution(name: str, expected: list[str]) -> None:
    info = info_of(torchvision.models.get_model(name, weights=None))
    assert ids(resolutions(info)) == expected


def test_a_convolution_goes_with_its_norm_and_activation() -> None:
    parts: list[nn.Module] = []
    for n_in, n_out in ((3, 4), (4, 4), (4, 6), (6, 8)):
        parts += [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
        parts += [nn.MaxPool2d(2), nn.Dropout2d()] if n_in != 3 else []
    info = info_of(nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)))
    assert ids(blocks(info)) == ["2", "5", "6", "10", "11", "15", info.default_map_layer]
    assert ids(resolutions(info)) == ["5", "10", "15", info.default_map_layer]


def test_blocks_are_whole_and_their_branches_left_out() -> None:
    info = info_of(torchvision.models.googlenet(weights=None, init_weights=False), 96)
    found = ids(blocks(info))
    assert [layer for layer in found if "inception" in layer] == [
        f"inception{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    ]


def test_a_network_with_one_resolution_is_followed_by_its_blocks() -> None:
    torch.manual_seed(0)
    info = Session().adopt(timm.create_model("test_vit", num_classes=5))
    found = resolutions(info)
    assert ids(found) == ids(blocks(info))
    assert len(found) > 2
    assert found[-1].id == info.default_map_layer


class Wrapped(nn.Module):
    """A backbone in a module of its own, as users write it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = torchvision.models.resnet18(weights=None)
        self.encoder.fc = nn.Identity()
        self.head = nn.Linear(512, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


def test_a_backbone_in_a_module_of_its_own_is_looked_into() -> None:
    expected = [f"encoder.{name}" for name in ("relu", "layer1", "layer2", "layer3", "layer4")]
    assert ids(resolutions(info_of(Wrapped()))) == expected


def test_many_stages_are_thinned_out_evenly() -> None:
    nodes = list(blocks(tiny_session().info))
    many: Any = list(range(30))
    assert spread(nodes, 64) == nodes
    assert spread(many, 4) == [0, 10, 19, 29]
    assert spread(many, 2) == [0, 29]
    assert spread(many, 1) == [29]


def test_networks_without_maps_are_refused() -> None:
    session = Session()
    info = session.adopt(nasty("no maps"))
    assert blocks(info) == []
    with pytest.raises(EngineError, match="no layer with maps"):
        strip_of(session)

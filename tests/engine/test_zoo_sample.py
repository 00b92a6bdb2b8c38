"""Fifteen networks of all kinds, asked what the sweep over both libraries asks (`tests.benchmarks.zoo`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from tests.benchmarks.zoo import build
from tests.engine.tiny import noise_picture
from tests.engine.zoo_checks import awake, look_through, opened

SIDE = 64
"""Where a network takes pictures of any size: small, but its last maps have more than one position."""

# Each with findings that its report has to have, and the layer where Grad-CAM looks.
SAMPLE = {
    "timm:test_byobnet": (set(), None),  # plain
    "torchvision:resnet18": ({"in-place", "reused"}, "layer4"),
    "torchvision:densenet121": ({"in-place", "functional"}, "features"),
    "torchvision:squeezenet1_1": ({"in-place", "dropout"}, "classifier.2"),  # a 1×1 convolution as head
    "torchvision:mobilenet_v3_small": ({"in-place"}, "features"),  # squeeze and excitation
    "timm:test_efficientnet": (set(), None),
    "timm:test_convnext": ({"layout"}, None),  # channels last in its norms
    "timm:test_vit": ({"tokens"}, "blocks.4"),
    "torchvision:swin_t": ({"layout", "dropout"}, None),  # windows
    "timm:mixer_s32_224": ({"tokens"}, None),  # tokens, and their transpose
    "timm:vit_tiny_r_s16_p8_224": ({"tokens"}, "blocks.10"),  # convolutions, then tokens
    "timm:test_nfnet": (set(), None),  # weights standardised on the way
    "timm:dla46x_c": ({"in-place"}, None),  # branches and trees
    "timm:pit_ti_224": ({"tokens"}, "transformers.2.blocks.2"),  # class tokens beside the maps
    "timm:deit_tiny_distilled_patch16_224": ({"tokens"}, "blocks.10"),  # two heads
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(2):
        Image.fromarray(noise_picture(240, 260, seed).pixels).save(folder / f"{seed}.png")
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks are soonest done by one thread, and two that wait for each other on a busy machine by far not."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", SAMPLE)
def test_everything_works_on(name: str, pictures: Path) -> None:
    findings, cam_layer = SAMPLE[name]
    module, sides, _ = build(name)
    seen = look_through(opened(awake(module), next(side for side in sides if side >= SIDE), name), pictures)
    assert seen.faults == ()
    assert findings <= set(seen.findings)
    if cam_layer is not None:
        assert seen.cam_layer == cam_layer
    assert max(seen.cam_map) > 1


def test_the_sample_has_fifteen_networks() -> None:
    assert len(SAMPLE) == 15

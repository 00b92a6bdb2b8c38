"""Channels last, and tokens instead of maps: right numbers or a refusal, never something else."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.layers import default_map_layer, layer_tree, trace
from convviz_gui.engine.payloads import Gallery, Heat, Maps, Overview
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, noise_picture


class Permute(nn.Module):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.axes)


class Cut(nn.Module):
    """Tokens of two heads [B, 2, h·w, C/2]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(len(x), 2, x.shape[1] // 2, -1).transpose(2, 3)


class Windows(nn.Module):
    """Four quarters of the map as a batch [4·B, C, h/2, w/2]."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part for half in x.chunk(2, 2) for part in half.chunk(2, 3)])


class ChannelsLast(nn.Module):
    """The same numbers once with channels last and once with channels first, and beside them tokens and windows."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, stride=4)
        self.last = Permute(0, 2, 3, 1)
        self.norm = nn.LayerNorm(6)
        self.first = Permute(0, 3, 1, 2)
        self.cut = Cut()
        self.windows = Windows()
        self.head = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.norm(self.last(self.conv(x))))
        self.cut(x)
        self.windows(x)
        return self.head(x.square().mean((2, 3)))


@pytest.fixture(scope="module")
def session() -> Session:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = ChannelsLast()
    session = Session()
    session.adopt(net, PREPROCESS)
    return session


def test_the_tree_knows(session: Session) -> None:
    found = {layer: session.layer(layer) for layer in ("conv", "norm", "first", "cut", "windows", "head")}
    assert {layer: node.channels for layer, node in found.items()} == {
        "conv": 6, "norm": 6, "first": 6, "cut": None, "windows": None, "head": 5,
    }  # fmt: skip
    assert [layer for layer, node in found.items() if node.channels_last] == ["norm"]
    assert found["norm"].shape == (8, 8, 6)
    assert session.info.default_map_layer == "first"


def test_both_orders_give_the_same_numbers(session: Session) -> None:
    for method, kind in (("activations", Maps), ("grad-cam", Heat)):
        last, first = (
            finish(session, Run(method, Target(layer), noise_picture())).payload for layer in ("norm", "first")
        )
        assert isinstance(last, kind)
        for name in ("maps", "mean", "max", "blank") if kind is Maps else ("raw", "heat"):
            np.testing.assert_allclose(getattr(last, name), getattr(first, name), rtol=1e-5, atol=1e-7, err_msg=name)


def test_filters_climb_the_same_channel(session: Session) -> None:
    settings = (("steps", 3), ("size", 32), ("crop", 0))
    last, first = (
        finish(session, Run("filters", Target(layer, (1, 5)), settings=settings)).payload for layer in ("norm", "first")
    )
    assert isinstance(last, Gallery)
    assert isinstance(first, Gallery)
    np.testing.assert_allclose(last.trace, first.trace, rtol=1e-4, atol=1e-6)


def test_the_overview_counts_channels(session: Session) -> None:
    overview = finish(session, Run("overview", image=noise_picture())).payload
    assert isinstance(overview, Overview)
    assert set(overview.layers) == {"conv", "last", "norm", "first"}


@pytest.mark.parametrize("layer", ["cut", "windows"])
@pytest.mark.parametrize("method", ["activations", "grad-cam", "filters"])
def test_what_is_neither_map_nor_vector_is_refused(session: Session, method: str, layer: str) -> None:
    with pytest.raises(EngineError, match=layer) as caught:
        finish(session, Run(method, Target(layer), noise_picture()))
    assert caught.value.hint


class Squares(nn.Module):
    """Tensors [1, 16, 16, 16] of a 32-pixel picture in three orders, and a matrix of attention between its places."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 2, stride=2)
        self.first = nn.ReLU()
        self.last = nn.LayerNorm(16)
        self.few = nn.Conv2d(16, 16, 4, stride=4)
        self.attention = nn.Softmax(dim=-1)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.conv(x))
        x = self.last(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        tokens = self.few(x).flatten(2)
        self.attention((tokens.mT @ tokens).unsqueeze(1).expand(1, 16, 16, 16))
        return self.head(tokens.mean(2))


def test_shapes_that_say_nothing_are_told_by_where_the_picture_went() -> None:
    model = Squares().eval()
    root = layer_tree(model, trace(model, (3, 32, 32), torch.device("cpu")), "squares")
    nodes = {node.id: node for node in root.walk()}
    assert {nodes[layer].shape for layer in ("first", "last", "attention")} == {(16, 16, 16)}
    assert [nodes[layer].channels_last for layer in ("first", "last")] == [False, True]
    assert nodes["attention"].channels is None


@pytest.mark.parametrize(("height", "width"), [(32, 96), (96, 32), (32, 33)])
def test_a_pictures_proportions_do_not_matter(height: int, width: int) -> None:
    model = ChannelsLast().eval()
    root = layer_tree(model, trace(model, (3, height, width), torch.device("cpu")), "net")
    nodes = {node.id: node for node in root.walk()}
    assert {layer: nodes[layer].channels for layer in ("conv", "norm", "first")} == {"conv": 6, "norm": 6, "first": 6}
    assert nodes["norm"].channels_last
    assert nodes["cut"].channels is None
    assert default_map_layer(root) == "first"


@pytest.mark.parametrize(
    ("name", "side", "layer", "last"),
    [
        ("swin_tiny_patch4_window7_224", 224, "layers.1.blocks.0", True),
        ("convnext_atto", 64, "stages.1.blocks.0", False),
        ("mambaout_femto", 64, "stages.1", True),
        ("coatnet_nano_rw_224", 224, "stages.3.blocks.1", False),
        ("poolformer_s12", 64, "stages.1", False),
    ],
)
def test_blocks_of_known_families(name: str, side: int, layer: str, last: bool) -> None:
    model = timm.create_model(name).eval()
    root = layer_tree(model, trace(model, (3, side, side), torch.device("cpu")), name)
    node = next(node for node in root.walk() if node.id == layer)
    assert node.channels_last is last
    assert node.extent[0] == node.extent[1]
    assert node.receptive_field is not None

"""Which outputs are taken for maps, and where Grad-CAM looks, in networks that work on tokens."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.network.tokens import Grids, maps_of
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import ModelInfo, Preprocess, TokenGrid

SIDE = 32


def info_of(module: nn.Module) -> ModelInfo:
    session = Session()
    session.adopt(module, Preprocess((SIDE, SIDE), SIDE, "bilinear", (0.5,) * 3, (0.25,) * 3, "tests"), "tokens")
    return session.info


@pytest.fixture
def grids() -> Grids:
    found = Grids(nn.Identity(), (224, 224))
    found.see(192, 14, 14)
    return found


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((196, 192), TokenGrid(0, 14, 14)),
        ((197, 192), TokenGrid(1, 14, 14)),
        ((201, 384), TokenGrid(5, 14, 14)),  # a class token and four registers
        ((50, 192), TokenGrid(1, 7, 7)),  # halved by attention
        ((512, 196), None),  # the transpose, where an MLP mixes places
        ((16, 196), None),  # the transpose again, with as many channels as a shrunken grid has places
        ((250, 192), None),
        ((1, 192), None),
        ((3, 197, 64), None),
    ],
)
def test_sequences_are_understood_from_the_maps_before(
    grids: Grids, shape: tuple[int, ...], expected: TokenGrid | None
) -> None:
    assert grids.of(shape) == expected


def test_the_transpose_is_told_by_the_width_that_tokens_have() -> None:
    grids = Grids(nn.Identity(), (64, 64))
    grids.see(16, 4, 4)
    assert grids.of((17, 16)) == TokenGrid(1, 4, 4)
    other = Grids(nn.Identity(), (64, 64))
    other.see(17, 4, 4)
    assert other.of((17, 16)) is None


def test_a_picture_that_is_no_square() -> None:
    grids = Grids(nn.Identity(), (64, 128))
    assert grids.of((1 + 4 * 8, 10)) == TokenGrid(1, 4, 8)


def test_tokens_in_an_order_of_their_own_are_no_maps() -> None:
    class Unroll(nn.Module):
        pass

    grids = Grids(nn.Sequential(Unroll()), (224, 224))
    grids.see(96, 14, 14)
    assert grids.of((196, 96)) is None


def test_maps_are_the_places_row_by_row_and_follow_the_size_of_the_picture() -> None:
    maps = torch.randn(2, 5, 3, 6)
    tokens = torch.cat([torch.randn(2, 2, 5), maps.flatten(2).transpose(1, 2)], dim=1)
    assert torch.equal(maps_of(tokens, TokenGrid(2, 3, 6)), maps)
    assert torch.equal(maps_of(tokens, TokenGrid(2, 6, 12)), maps)


class Attending(nn.Module):
    """Patches, an attention whose weights are a layer's output, and a class token that is read."""

    def __init__(self, blocks: int = 3, pooled: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 8, stride=8)
        self.token = nn.Parameter(torch.randn(1, 1, 12))
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))
        self.norm = nn.LayerNorm(12)
        self.head = nn.Linear(12, 4)
        self.pooled = pooled

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.token, self.patches(x).flatten(2).transpose(1, 2)], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return self.head(x[:, 1:].mean(1) if self.pooled else x[:, 0])


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(12, 36)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (part.unflatten(-1, (3, 4)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        weights = self.drop((q @ k.transpose(-1, -2)).softmax(-1))
        return x + (weights @ v).transpose(1, 2).flatten(2)


def test_grad_cam_looks_at_the_last_block_whose_places_count() -> None:
    assert info_of(Attending()).default_map_layer == "blocks.1"
    assert info_of(Attending(pooled=True)).default_map_layer == "norm"


def test_attention_weights_are_no_maps() -> None:
    info = info_of(Attending())
    for index in range(3):
        node = info.find(f"blocks.{index}.drop")
        assert node is not None
        assert (node.shape, node.is_map) == ((3, 17, 17), False)


class DeadEnd(nn.Module):
    """The last maps to be made are thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 3)
        self.aside = nn.Conv2d(4, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(x)
        self.aside(x)
        return self.head(x.mean((2, 3)))


def test_maps_that_nothing_depends_on_are_not_where_grad_cam_looks() -> None:
    assert info_of(DeadEnd()).default_map_layer == "body"

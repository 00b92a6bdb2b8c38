"""A layer's weights as they are used, against the modules' own numbers; duplicates and blanks that were planted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from convviz_gui.engine.depiction import pictures, tables
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.kernel_tiles import KernelScale, colour_tile, limits, matrix, slices
from convviz_gui.engine.payloads import Kernels
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import Preprocess, Result, Run, Target
from tests.engine.test_methods import finish
from tests.engine.tiny import PREPROCESS, TinyNet, tiny_net, tiny_session


def opened(net: nn.Module, preprocess: Preprocess = PREPROCESS) -> Session:
    session = Session()
    session.adopt(net.eval(), preprocess)
    return session


def kernels(session: Session, layer: str | None = None) -> Kernels:
    payload = finish(session, Run("weights", Target(layer))).payload
    assert isinstance(payload, Kernels)
    return payload


def test_the_first_layer_that_sees_the_picture_comes_by_itself_and_in_colour() -> None:
    session = tiny_session()
    found = kernels(session)
    assert (found.layer, found.colours) == ("conv1", (0, 1, 2))
    np.testing.assert_array_equal(found.weights, session.model.get_parameter("conv1.weight").detach().numpy())
    np.testing.assert_allclose(found.norms, np.linalg.norm(found.weights.reshape(6, -1), axis=1), rtol=1e-6)
    assert kernels(session, "conv2").colours == ()
    assert kernels(session, "head").weights.shape == (5, 8, 1, 1)


@pytest.mark.parametrize(
    ("channels", "order", "expected"),
    [(3, "bgr", (2, 1, 0)), (1, "rgb", (0, 0, 0)), (4, "rgb", (0, 1, 2)), (2, "rgb", (0, 1, -1))],
)
def test_colours_stand_where_the_network_has_them(channels: int, order: str, expected: tuple[int, ...]) -> None:
    preprocess = Preprocess((32, 32), 32, "bilinear", (0.5,) * channels, (0.25,) * channels, channel_order=order)
    found = kernels(opened(tiny_net(in_channels=channels), preprocess))
    assert found.colours == expected
    tile = colour_tile(found, 2, float(np.abs(found.weights[2]).max()))
    for colour, channel in enumerate(expected):
        plane = tile[..., colour]
        if channel < 0:
            assert (plane == 128).all()
        else:
            assert np.unravel_index(plane.argmax(), plane.shape) == np.unravel_index(
                found.weights[2, channel].argmax(), plane.shape
            )


def test_planted_duplicates_and_blanks_are_found_and_nothing_else() -> None:
    net = tiny_net()
    with torch.no_grad():
        weight = torch.randn(8, 6, 3, 3, generator=torch.Generator().manual_seed(0))
        weight[5] = 3 * weight[1]
        weight[6] = -0.5 * weight[2] + 0.01 * torch.randn(6, 3, 3)
        weight[3] = 0
        weight[7] *= 1e-5
        net.conv2.weight.copy_(weight)
    found = kernels(opened(net), "conv2")
    assert found.duplicates.tolist() == [[1, 5], [2, 6]]
    assert found.similarity[0] == pytest.approx(1)
    assert -1 <= found.similarity[1] < -0.99
    assert np.flatnonzero(found.blank).tolist() == [3, 7]
    assert found.n_duplicates == 2


def test_pairs_equal_brute_force_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from convviz_gui.engine.methods import weights as module

    rng = np.random.default_rng(0)
    flat = rng.normal(size=(50, 4)).astype(np.float32)
    unit = flat / np.linalg.norm(flat, axis=1)[:, None]
    expected = {(i, j) for i in range(50) for j in range(i + 1, 50) if abs(unit[i] @ unit[j]) >= module.ALIKE}
    assert len(expected) > 5
    monkeypatch.setattr(module, "_ROWS", 7)
    norms, blank = np.linalg.norm(flat, axis=1), np.zeros(50, bool)
    pairs, cosines, total = module.near_duplicates(flat, norms, blank)
    assert {tuple(pair) for pair in pairs.tolist()} == expected
    assert total == len(expected)
    assert (np.diff(np.abs(cosines)) <= 0).all()
    monkeypatch.setattr(module, "MOST_PAIRS", 3)
    few, strongest, total = module.near_duplicates(flat, norms, blank)
    assert total == len(expected)
    np.testing.assert_array_equal(strongest, cosines[:3])
    assert len(few) == 3


class _With(TinyNet):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.extra = layer

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        return self.head(self.conv2(self.extra(x)).mean((2, 3)))


class _Standardised(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.made(), self.bias, padding=1)

    def made(self) -> Tensor:
        return self.weight - self.weight.mean((1, 2, 3), keepdim=True)


def _weight_norm(layer: nn.Module) -> nn.Module:
    parametrizations.weight_norm(layer)
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(3)
    return layer


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize(
    ("make", "expected", "word"),
    [
        (lambda: nn.Conv2d(6, 6, 3, padding=1, groups=6), lambda m: m.weight, ""),
        (lambda: nn.Conv2d(6, 6, 3, padding=1, groups=2), lambda m: m.weight, ""),
        (lambda: _weight_norm(nn.Conv2d(6, 6, 3, padding=1)), lambda m: m.weight, "parametrisation"),
        (lambda: nn.utils.weight_norm(nn.Conv2d(6, 6, 3, padding=1)), lambda m: m.weight, "parametrisation"),
        (lambda: _Standardised(6, 6, 3), lambda m: m.made(), "makes them anew"),
        (lambda: nn.ConvTranspose2d(6, 6, (3, 5), padding=(1, 2)), lambda m: m.weight.transpose(0, 1), ""),
    ],
)
def test_weights_are_those_that_the_layer_uses(
    make: Callable[[], nn.Module], expected: Callable[[nn.Module], Tensor], word: str
) -> None:
    net = _With(make())
    session = opened(net)
    found = kernels(session, "extra")
    np.testing.assert_allclose(found.weights, expected(net.extra).detach().numpy(), rtol=1e-5, atol=1e-7)
    assert word in found.how
    assert bool(found.how) is bool(word)
    assert found.colours == ()


def test_a_grouped_transposed_convolution_is_what_it_computes() -> None:
    layer = nn.ConvTranspose2d(6, 4, 3, padding=1, groups=2, bias=False)
    net = _With(nn.Sequential(layer, nn.Conv2d(4, 6, 1)))
    found = kernels(opened(net), "extra.0")
    assert found.weights.shape == (4, 3, 3, 3)
    x = torch.zeros(1, 6, 5, 5)
    x[0, 4, 2, 2] = 1  # the second channel of the second group
    answer = layer(x).detach().numpy()[0, :, 1:4, 1:4]
    np.testing.assert_allclose(answer[:2], 0, atol=1e-7)
    np.testing.assert_allclose(answer[2:], found.weights[2:, 1], atol=1e-6)


def test_quantised_weights_are_read_or_refused() -> None:
    class Packed(nn.Module):
        """As torch's quantised modules: the weight is made by a function."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = 1.0
            self.kept = nn.Parameter(torch.randn(6, 6, 1, 1))

        def weight(self) -> Tensor:
            return torch.quantize_per_tensor(self.kept.detach(), 0.05, 0, torch.qint8)

        def forward(self, x: Tensor) -> Tensor:
            return F.conv2d(x, self.weight().dequantize())

    net = _With(Packed())
    found = kernels(opened(net), "extra")
    np.testing.assert_array_equal(found.weights, net.extra.weight().dequantize().numpy())
    assert "quantised" in found.how


@pytest.mark.parametrize(("layer", "near"), [("relu#1", "conv1"), ("bn1", "conv1"), ("relu#2", "conv2")])
def test_a_layer_without_filters_names_the_nearest_that_has(layer: str, near: str) -> None:
    with pytest.raises(EngineError, match="no filters of its own") as caught:
        kernels(tiny_session(), layer)
    assert repr(near) in caught.value.hint


def test_a_vision_transformers_patches_are_its_first_filters() -> None:
    net = timm.create_model("vit_tiny_patch16_224", img_size=64, depth=1, num_classes=5)
    found = kernels(opened(net, Preprocess((64, 64), 64, "bilinear", (0.5,) * 3, (0.5,) * 3)))
    assert (found.layer, found.weights.shape, found.colours) == ("patch_embed.proj", (192, 3, 16, 16), (0, 1, 2))


def test_zero_is_mid_grey_whatever_the_scale() -> None:
    weights = np.zeros((2, 3, 2, 2), np.float32)
    weights[0, 0, 0, 0], weights[0, 1, 1, 1], weights[1, 2, 0, 1] = 2, -1, 0.5
    found = Kernels(
        "conv", "Conv2d", weights, np.ones(2, np.float32), np.zeros(2, bool), np.zeros((0, 2), np.int64),
        np.zeros(0, np.float32), 0, colours=(0, 1, 2),
    )  # fmt: skip
    own, common = limits(found, KernelScale.PER_FILTER), limits(found, KernelScale.COMMON)
    assert own.tolist() == [2, 0.5]
    assert common.tolist() == [2, 2]
    tile = colour_tile(found, 0, float(own[0]))
    assert tile[0, 0].tolist() == [255, 128, 128]
    assert tile[1, 1].tolist() == [128, 65, 128]
    assert colour_tile(found, 1, float(own[1]))[0, 1].tolist() == [128, 128, 255]
    assert colour_tile(found, 1, float(common[1]))[0, 1].tolist() == [128, 128, 160]
    assert slices(found, 0, 2.0).shape[0] >= 5
    assert (colour_tile(found, 0, 0.0) == 128).all()


def test_a_matrix_too_large_to_draw_keeps_its_largest_weights() -> None:
    weights = np.zeros((3000, 5000, 1, 1), np.float32)
    weights[2999, 4999], weights[10, 10], weights[10, 11] = -7, 3, -2
    found = Kernels(
        "fc", "Linear", weights, np.ones(3000, np.float32), np.zeros(3000, bool), np.zeros((0, 2), np.int64),
        np.zeros(0, np.float32), 0,
    )  # fmt: skip
    cells, step = matrix(found)
    assert step == (2, 3)
    assert cells.shape == (1500, 1667)
    assert sorted(cells[cells != 0].tolist()) == [-7, 3]


def test_files_hold_the_filters_and_the_pairs() -> None:
    result: Result = finish(tiny_session(), Run("weights"))
    assert pictures(result).keys() == {"filters"}
    assert tables(result).keys() == {"filters", "duplicates"}
    assert pictures(finish(tiny_session(), Run("weights", Target("conv2")))).keys() == {"slices"}
    assert pictures(finish(tiny_session(), Run("weights", Target("head")))).keys() == {"matrix"}


def test_weights_that_are_not_numbers_are_refused() -> None:
    net = tiny_net()
    with torch.no_grad():
        net.conv2.weight[0] = float("nan")
    session = opened(net)
    assert kernels(session).layer == "conv1"
    with pytest.raises(EngineError, match="'conv2' are not all finite"):
        kernels(session, "conv2")

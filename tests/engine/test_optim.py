"""The parts of an ascent against closed forms, finite differences and the chapter's own few lines."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.folding import folded
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.optim.ascent import Slope, silent, unit_globally, unit_per_pixel
from convviz_gui.engine.optim.canvas import MID_GREY, N_STARTS, PixelCanvas, deprocess, noise
from convviz_gui.engine.optim.objectives import ChannelMean, frame
from tests.engine.tiny import PREPROCESS, tiny_net

# ------------------------------------------------------------------------------------------------ objectives


def test_channel_mean_leaves_out_the_border_of_each_pictures_own_channel() -> None:
    output = torch.arange(2 * 3 * 7 * 9, dtype=torch.float32).reshape(2, 3, 7, 9)
    losses = ChannelMean((2, 0), border=2)(output)
    expected = [output[0, 2, 2:5, 2:7].mean().item(), output[1, 0, 2:5, 2:7].mean().item()]
    assert losses.tolist() == pytest.approx(expected)
    assert ChannelMean((1,), border=0)(output[:1]).item() == pytest.approx(output[0, 1].mean().item())


@pytest.mark.parametrize(("side", "left"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (100, 2)])
def test_a_small_map_keeps_at_least_its_centre(side: int, left: int) -> None:
    assert frame(side, 2) == left
    output = torch.randn(1, 1, side, side)
    inside = output[0, 0, left : side - left, left : side - left]
    assert ChannelMean((0,))(output).item() == pytest.approx(inside.mean().item(), rel=1e-5)


def test_a_unit_of_a_vector_is_taken_as_it_is() -> None:
    output = torch.randn(2, 5)
    assert torch.equal(ChannelMean((4, 1))(output), torch.stack([output[0, 4], output[1, 1]]))


# -------------------------------------------------------------------------------------------------- canvases


def test_noise_depends_on_seed_channel_and_start_alone() -> None:
    first = noise(7, 3, 0, 3, 40)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, noise(7, 3, 0, 3, 40))
    for other in ((8, 3, 0), (7, 4, 0), (7, 3, 1), (-1, 3, 0)):
        assert abs(np.corrcoef(first.ravel(), noise(*other, 3, 40).ravel())[0, 1]) < 0.1


def test_the_first_start_is_the_chapters_and_later_ones_are_wider_and_coarser() -> None:
    starts = [noise(0, 0, start, 3, 200) for start in range(N_STARTS)]
    assert starts[0].min() >= 0.4
    assert starts[0].max() <= 0.6
    assert starts[0].std() == pytest.approx(0.2 / np.sqrt(12), rel=0.02)
    assert starts[1].std() == pytest.approx(1 / np.sqrt(12), rel=0.02)
    assert all(start.min() >= 0 and start.max() <= 1 and np.ptp(start) > 0.2 for start in starts[1:])
    steps = [np.abs(np.diff(start, axis=2)).mean() / start.std() for start in starts]
    assert steps[3] < steps[2] < steps[1] == pytest.approx(steps[0], rel=0.02)


def chapter_picture(image: np.ndarray, crop: int) -> np.ndarray:
    image = image - image.mean()
    image = image / image.std()
    image = image * 64 + 128
    image = np.clip(image, 0, 255).astype("uint8")
    return image[crop:-crop, crop:-crop, :]


def test_deprocess_is_the_chapters() -> None:
    pixels = np.random.default_rng(0).normal(0.4, 3.0, (2, 3, 60, 70)).astype(np.float32)
    shown = deprocess(torch.from_numpy(pixels), 25)
    assert shown.shape == (2, 10, 20, 3)
    for i in range(2):
        wanted = chapter_picture(pixels[i].transpose(1, 2, 0), 25)
        assert np.abs(shown[i].astype(int) - wanted).max() <= 1
        assert (shown[i] == wanted).mean() > 0.999


def test_pictures_without_contrast_are_mid_grey_and_one_colour_becomes_three() -> None:
    assert (deprocess(torch.full((1, 3, 8, 8), 0.7), 0) == MID_GREY).all()
    grey = deprocess(torch.rand(1, 1, 8, 8), 0)
    assert grey.shape == (1, 8, 8, 3)
    assert (grey == grey[..., :1]).all()
    assert grey.std() > 10


def test_the_networks_input_is_the_models_own_preprocessing() -> None:
    pixels = torch.rand(2, 3, 6, 6)
    x = PixelCanvas(pixels, PREPROCESS).model_input(pixels)
    for i in range(3):
        torch.testing.assert_close(x[:, i], (pixels[:, i] - PREPROCESS.mean[i]) / PREPROCESS.std[i])


# ---------------------------------------------------------------------------------------------------- ascent


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_directions_have_unit_length(scale: float) -> None:
    gradient = torch.randn(2, 3, 5, 5)
    whole, each = unit_globally(gradient * scale), unit_per_pixel(gradient * scale)
    torch.testing.assert_close(whole, gradient / gradient.flatten(1).norm(dim=1).view(2, 1, 1, 1))
    torch.testing.assert_close(each, gradient / gradient.norm(dim=1, keepdim=True))


def test_a_zero_gradient_has_no_direction_and_is_called_silent() -> None:
    gradient = torch.randn(2, 3, 5, 5)
    gradient[1] = 0
    for direction in (unit_globally, unit_per_pixel):
        assert torch.equal(direction(gradient)[1], gradient[1])
    assert silent(gradient).tolist() == [False, True]


def test_the_gradient_is_that_of_finite_differences() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Softplus(), nn.Conv2d(4, 5, 3)).eval().double()
    net.requires_grad_(False)
    canvas = PixelCanvas(torch.rand(2, 3, 12, 12, dtype=torch.float64), PREPROCESS)
    slope, objective = Slope(net, "3", batch=3), ChannelMean((4, 1))
    losses, gradient = slope.at(canvas, objective)
    assert losses.shape == (2,)
    start, step = canvas.leaf, 1e-2
    for seed in range(3):
        way = torch.randn(start.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
        canvas.leaf = start + step * way
        above = slope.at(canvas, objective)[0]
        canvas.leaf = start - step * way
        below = slope.at(canvas, objective)[0]
        slopes = (gradient * way).sum((1, 2, 3))
        torch.testing.assert_close((above - below).double() / (2 * step), slopes, rtol=1e-2, atol=1e-4)


def test_a_picture_is_rounded_alike_in_any_company() -> None:
    net = tiny_net().requires_grad_(False)
    pixels = torch.rand(3, 3, 40, 40)
    slope = Slope(net, "conv2", batch=4)
    together = slope.at(PixelCanvas(pixels, PREPROCESS), ChannelMean((5, 2, 7)))
    for i, channel in enumerate((5, 2, 7)):
        alone = slope.at(PixelCanvas(pixels[i : i + 1], PREPROCESS), ChannelMean((channel,)))
        assert torch.equal(alone[0][0], together[0][i])
        assert torch.equal(alone[1][0], together[1][i])


class Frozen(nn.Module):
    """Runs its convolution without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean((2, 3))


def test_what_cannot_be_climbed_is_said() -> None:
    canvas = PixelCanvas(torch.rand(1, 3, 12, 12), PREPROCESS)
    with pytest.raises(EngineError, match="differentiably"):
        Slope(Frozen().eval().requires_grad_(False), "conv").at(canvas, ChannelMean((0,)))
    net = tiny_net().requires_grad_(False)
    net.conv2.weight[3] = float("nan")
    with pytest.raises(EngineError, match="not a finite number"):
        Slope(net, "conv2").at(canvas, ChannelMean((3,)))


# --------------------------------------------------------------------------------------------------- folding


def layers_of(model: nn.Module) -> list[str]:
    return [type(module).__name__ for module in model.modules()]


def test_folding_changes_nothing_but_rounding_and_leaves_the_model_alone() -> None:
    net = tiny_net().requires_grad_(False)
    x = torch.randn(1, 3, 40, 40)
    before, state = layers_of(net), copy.deepcopy(net.state_dict())
    twin = folded(net, "conv2", x)
    assert twin is not net
    assert "BatchNorm2d" not in layers_of(twin)
    assert layers_of(net) == before
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[name])
    assert twin.head.weight.data_ptr() == net.head.weight.data_ptr()
    assert not any(parameter.requires_grad for parameter in twin.parameters())
    y = torch.randn(2, 3, 50, 50)
    for layer in ("bn1", "relu#1", "pool", "conv2"):
        torch.testing.assert_close(run_to(twin, y, layer), run_to(net, y, layer), rtol=1e-4, atol=1e-5)


def test_a_batch_norm_behind_the_layer_stays() -> None:
    net = tiny_net()
    assert folded(net, "conv1", torch.randn(1, 3, 40, 40)) is net


class TwoReaders(nn.Module):
    """The convolution's output is read by the batch norm and once more, before or after."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.out = nn.Identity()
        nn.init.uniform_(self.bn.running_var, 2.0, 3.0)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.out(self.bn(y) + y)


class InPlaceBetween(TwoReaders):
    """An in-place operation stands between the convolution and the batch norm."""

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.bn(self.conv(x).relu_()))


@pytest.mark.parametrize("kind", [TwoReaders, InPlaceBetween])
def test_a_convolution_whose_output_is_used_otherwise_is_not_folded(kind: type[nn.Module]) -> None:
    net = kind().eval()
    assert folded(net, "out", torch.randn(1, 3, 20, 20)) is net

"""Receptive fields against the gradients of real networks, the literature, and every way networks are written."""

from __future__ import annotations

import gc
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from convviz_gui.engine.network.layers import layer_tree, trace
from convviz_gui.engine.network.receptive.sight import Sight
from convviz_gui.engine.types import LayerNode, ReceptiveField

CPU = torch.device("cpu")
PASSED_ON = "relu relu_ hardtanh silu hardswish gelu sigmoid hardsigmoid dropout layer_norm softmax leaky_relu".split()


class Linearised(TorchFunctionMode):
    """Runs a network as if it were a sum: activations and norms pass on, maxima are means, gates are 1.

    With weights above 0 no gradient vanishes by chance, and no field is hidden by a gate that sees everything.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        words, name = dict(kwargs or {}), getattr(func, "__name__", "")
        if name in PASSED_ON:
            return args[0]
        if name == "max_pool2d":
            kept = {word: words[word] for word in ("stride", "padding", "ceil_mode") if words.get(word) is not None}
            return F.avg_pool2d(*args[:2], **kept)
        result = func(*args, **words)
        if name in ("mean", "adaptive_avg_pool2d") and result.shape[-2:] == (1, 1):
            return torch.ones_like(result)
        return result


def network(name: str) -> nn.Module:
    library, _, plain = name.rpartition(":")
    return timm.create_model(plain) if library else torchvision.models.get_model(plain, weights=None)


def made_positive(model: nn.Module) -> nn.Module:
    """The network with weights that average, no biases, and norms that do nothing."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.fill_(1 / weight[0].numel())
            else:
                weight.fill_(0 if name.endswith("bias") else 1)
    return model


def nodes_of(model: nn.Module, shape: tuple[int, int, int]) -> dict[str, LayerNode]:
    root = layer_tree(model.eval(), trace(model, shape, CPU), "net")
    return {node.id: node for node in root.walk() if node.depth is not None}


def claimed(field: ReceptiveField, axis: int, position: int, side: int) -> tuple[int, int]:
    """First and last row (axis 0) or column of the picture that the field says a position sees."""
    start = field.start[axis] + position * field.stride[axis]
    return max(math.ceil(start - 1e-6), 0), min(math.floor(start + field.size[axis] - 1 + 1e-6), side - 1)


def seen(output: Tensor, position: tuple[int, int], x: Tensor) -> list[tuple[int, int]]:
    """First and last row, and first and last column, on which all channels of a map's position depend."""
    (gradient,) = torch.autograd.grad(output[0, :, *position].sum(), x, retain_graph=True)
    assert torch.isfinite(gradient).all()
    places = gradient[0].abs().sum(0) > 0
    lines = [line.nonzero().flatten().tolist() for line in (places.any(1), places.any(0))]
    return [(line[0], line[-1]) for line in lines if line]


def outputs_of(model: nn.Module, nodes: list[LayerNode], x: Tensor) -> dict[str, Tensor]:
    outputs: dict[str, Tensor] = {}

    def keep(node: LayerNode) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            outputs[node.id] = output.movedim(-1, 1) if node.channels_last else output

        return hook

    handles = [model.get_submodule(node.id).register_forward_hook(keep(node)) for node in nodes]
    with Linearised():
        model(x)
    for handle in handles:
        handle.remove()
    return outputs


# ------------------------------------------------------------------------------ the gradient of real networks


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize(
    ("name", "height", "width"),
    [
        ("alexnet", 127, 159),
        ("vgg11", 96, 64),
        ("resnet18", 96, 128),
        ("squeezenet1_1", 97, 129),
        ("googlenet", 96, 96),
        ("densenet121", 128, 64),
        ("mobilenet_v3_small", 96, 64),
        ("efficientnet_b0", 64, 64),
        ("shufflenet_v2_x0_5", 96, 96),
        ("regnet_y_400mf", 64, 96),
        ("convnext_tiny", 64, 64),
        ("timm:legacy_xception", 107, 75),
        ("timm:mambaout_femto", 64, 64),
    ],
)
def test_a_field_is_where_the_gradient_is(name: str, height: int, width: int) -> None:
    model = (
        timm.create_model(name[5:]) if name.startswith("timm:") else torchvision.models.get_model(name, weights=None)
    )
    ran = nodes_of(model, (3, height, width)).values()
    told = [
        node
        for node in ran
        if node.is_map
        and "#" not in node.id
        and node.kind != "AdaptiveAvgPool2d"  # of a map of another size than its own: places differ
        and node.receptive_field is not None
        and not node.receptive_field.whole
        and node.receptive_field.size[0] < 1.5 * height
    ]
    nodes = [*told[:: len(told) // 3], told[-1]]
    assert len(nodes) > 3
    x = torch.ones(1, 3, height, width, requires_grad=True)
    for layer, output in outputs_of(made_positive(model), nodes, x).items():
        field = next(node for node in nodes if node.id == layer).receptive_field
        assert field is not None
        rows, columns = output.shape[2:]
        for i, j in ((rows // 2, columns // 2), (0, columns - 1), (rows - 1, columns // 3)):
            expected = [claimed(field, 0, i, height), claimed(field, 1, j, width)]
            assert seen(output, (i, j), x) == expected, f"{layer} at {i}, {j}: {field}"


def with_strides_in_the_first_convolution(model: nn.Module) -> nn.Module:
    """ResNet as published; torchvision strides in the 3×3."""
    for module in model.modules():
        if isinstance(module, torchvision.models.resnet.Bottleneck):
            module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
    return model


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize(
    ("name", "layer", "size", "stride"),
    [
        # Araujo, Norris, Sim, Distill 2019, table of networks.
        ("alexnet", "features", 195, 32),
        ("vgg16", "features", 212, 32),
        ("resnet50 as published", "layer4", 483, 32),
        ("inception_v3", "Mixed_7c", 1311, 32),
        ("timm:mobilenetv1_100", "blocks", 315, 32),
        # Zeiler's and Mahendran's tables: conv5 of AlexNet, conv5_3 of VGG-16.
        ("alexnet", "features.10", 163, 16),
        ("vgg16", "features.28", 196, 16),
    ],
)
def test_fields_in_the_literature(name: str, layer: str, size: int, stride: int) -> None:
    plain = name.split()[0]
    model = (
        timm.create_model(plain[5:]) if plain.startswith("timm:") else torchvision.models.get_model(plain, weights=None)
    )
    if plain != name:
        model = with_strides_in_the_first_convolution(model)
    field = nodes_of(model, (3, 96, 96))[layer].receptive_field
    assert field is not None
    assert (field.size, field.stride) == ((size, size), (stride, stride))


def test_a_map_of_one_pixel_goes_on_where_a_larger_one_would() -> None:
    small, large = (nodes_of(torchvision.models.resnet18(), (3, side, side)) for side in (32, 96))
    for layer, node in small.items():
        if layer.startswith("layer"):
            assert node.receptive_field == large[layer].receptive_field


# --------------------------------------------------------------------------------------- operation by operation


class Function(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def conv(*args: int, **kwargs: Any) -> nn.Conv2d:
    return nn.Conv2d(3, 3, *args, **kwargs)


def depth_to_space_by_hand(x: Tensor) -> Tensor:
    b, c, h, w = x.shape
    return x.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, c * 4, h // 2, w // 2)


def quarters(x: Tensor) -> Tensor:
    return torch.cat([x[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], 1)


def halves_joined(x: Tensor) -> Tensor:
    return torch.cat(x.chunk(2, dim=2), dim=2)


def part_written(x: Tensor) -> Tensor:
    kernel = torch.ones(2, 1, 5, 3, dtype=x.dtype)
    made = F.conv2d(x[:, :2], kernel, padding=(2, 1), groups=2)
    x = x.clone()
    x[:, :2] = made
    return x


def unfolded(x: Tensor) -> Tensor:
    return F.unfold(x, 3, padding=1, stride=2).view(1, -1, (x.shape[2] + 1) // 2, (x.shape[3] + 1) // 2)


def folded(x: Tensor) -> Tensor:
    patches = F.unfold(x, 3, padding=1, stride=2)
    return F.fold(patches, x.shape[2:], 3, padding=1, stride=2)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "oblong": lambda: conv((5, 2), stride=(2, 1), padding=(1, 0)),
    "dilated": lambda: conv(3, padding=4, dilation=4),
    "transposed": lambda: nn.ConvTranspose2d(3, 3, 4, stride=2, padding=1),
    "transposed, wide apart": lambda: nn.ConvTranspose2d(3, 3, 3, stride=2, padding=1, output_padding=1),
    "grouped": lambda: conv(3, groups=3),
    "same": lambda: conv((5, 3), padding="same"),
    "reflect": lambda: conv(3, padding=1, padding_mode="reflect"),
    "replicate": lambda: conv(3, padding=1, padding_mode="replicate"),
    "padded to one side": lambda: Function(lambda x: F.pad(x, (2, 0, 0, 1))),
    "cropped": lambda: Function(lambda x: F.pad(x, (-1, -1, -2, 0))),
    "average": lambda: nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False),
    "to a size that divides": lambda: nn.AdaptiveAvgPool2d((6, 4)),
    "to a size that does not": lambda: nn.AdaptiveAvgPool2d((7, 5)),
    "nearest": lambda: nn.Upsample(scale_factor=2),
    "nearest, odd": lambda: nn.Upsample((23, 19)),
    "bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "bicubic": lambda: nn.Upsample(scale_factor=2, mode="bicubic"),
    "shuffled": lambda: nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)),
    "unshuffled": lambda: nn.PixelUnshuffle(2),
    "space to depth": lambda: Function(depth_to_space_by_hand),
    "quarters": lambda: Function(quarters),
    "halves joined": lambda: Function(halves_joined),
    "strided slice": lambda: Function(lambda x: x[:, :, 1::2, 2:-1]),
    "patches": lambda: Function(unfolded),
    "patches and back": lambda: Function(folded),
    "part written": lambda: Function(part_written),
    "branches": lambda: Function(lambda x: torch.cat([x, F.avg_pool2d(x, 5, 1, 2), F.max_pool2d(x, 3, 1, 1)], 1)),
    "sum": lambda: Function(lambda x: x + F.avg_pool2d(x, (1, 7), 1, (0, 3))),
    "channels last": lambda: Function(lambda x: F.linear(x.permute(0, 2, 3, 1), x.new_ones(4, 3)).movedim(-1, 1)),
    "einsum": lambda: Function(lambda x: torch.einsum("bchw,oc->bohw", x, x.new_ones(5, 3))),
    "in place": lambda: Function(lambda x: x.clone().mul_(2).add_(F.avg_pool2d(x, 3, 1, 1))),
    "channel shuffle": lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.ChannelShuffle(2)),
    "windows and back": lambda: Function(lambda x: x.unfold(2, 4, 4).transpose(3, 4).flatten(2, 3)),
}  # fmt: skip
"""Layers in the middle of a small network."""


@pytest.mark.parametrize("layer", LAYERS)
def test_a_field_is_the_smallest_that_holds_every_positions(layer: str) -> None:
    model = nn.Sequential(conv(3, stride=2, padding=1), LAYERS[layer](), nn.LazyConv2d(2, 3, padding=1)).eval()
    height, width = 32, 24
    model(torch.zeros(1, 3, height, width))
    made_positive(model)
    x = torch.rand(1, 3, height, width, requires_grad=True)
    for number, node_id in ((2, "1"), (3, "2")):
        field = nodes_of(model, (3, height, width))[node_id].receptive_field
        assert field is not None
        with Linearised():
            output = model[:number](x)
        for axis, (n, side) in enumerate(zip(output.shape[2:], (height, width), strict=True)):
            middle = output.shape[3 - axis] // 2
            low, high = math.inf, -math.inf
            for i in range(n):
                extents = seen(output, (i, middle) if axis == 0 else (middle, i), x)
                if not extents:
                    continue  # padding and nothing else
                first, last = extents[axis]
                expected = claimed(field, axis, i, side)
                assert expected[0] <= first, f"{layer}: {i} sees {first, last} and not {expected}"
                # What is no whole number is rounded up to what some position sees.
                assert last <= expected[1] + 1, f"{layer}: {i} sees {first, last} and not {expected}"
                if first > 0:
                    low = min(low, first - i * field.stride[axis])
                if last < side - 1:
                    high = max(high, last - i * field.stride[axis])
            if node_id == "1":
                assert low == pytest.approx(field.start[axis], abs=1e-4)
                assert math.floor(high - low + 1e-4) + 1 == field.size[axis]


def test_a_mirrored_picture_runs_backwards() -> None:
    field = nodes_of(nn.Sequential(Function(lambda x: x.flip(3)), conv(3), Sum()), (3, 8, 10))["1"].receptive_field
    assert field == ReceptiveField((3, 3), (1, -1), (0, 7))


class Sum(nn.Module):
    """Two logits, so that any layers make a classifier."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :2]


# ------------------------------------------------------------------------------------- gates, and the whole picture


class Gated(nn.Module):
    """A convolution, something with the whole picture's mean, and another convolution."""

    def __init__(self, middle: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.middle = Function(middle)
        self.last = nn.Conv2d(4, 4, 3, padding=1)
        self.sum = Sum()

    def forward(self, x: Tensor) -> Tensor:
        return self.sum(self.last(self.middle(self.first(x))))


def gate(x: Tensor) -> Tensor:
    return torch.sigmoid(x.mean((2, 3), keepdim=True))


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: x * gate(x),
        lambda x: x.mul_(gate(x)),
        lambda x: gate(x) * x,
        lambda x: x * gate(x).expand_as(x),
        lambda x: x * gate(x).flatten(1)[:, :, None, None],
        lambda x: x + F.adaptive_max_pool2d(x, 1),
        lambda x: x * F.avg_pool2d(x, tuple(x.shape[2:])),
        lambda x: F.group_norm(x, 2),
        lambda x: F.instance_norm(x),
        lambda x: F.layer_norm(x, x.shape[1:]),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: (x - x.mean((2, 3), keepdim=True)) / x.std((2, 3), keepdim=True),
        lambda x: x.flatten(2).softmax(2).view_as(x),
    ],
)
@pytest.mark.parametrize("side", [8, 1])
def test_gates_and_norms_over_places_do_not_widen_a_field(middle: Callable[[Tensor], Tensor], side: int) -> None:
    nodes = nodes_of(Gated(lambda x: middle(x) if x.shape[2] > 1 or side == 8 else x * gate(x)), (3, side, side))
    assert nodes["first"].receptive_field == ReceptiveField((3, 3), (1, 1), (-1, -1))
    assert nodes["middle"].receptive_field == ReceptiveField((3, 3), (1, 1), (-1, -1), gated=True)
    assert nodes["last"].receptive_field == ReceptiveField((5, 5), (1, 1), (-2, -2), gated=True)


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (4,)).permute(0, 3, 1, 2),
        lambda x: x * x.mean(1, keepdim=True),
        lambda x: x / x.norm(dim=1, keepdim=True),
        lambda x: x.softmax(1),
        lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4)),
        lambda x: x * torch.rand(1, 4, 1, 1) + torch.ones(8, 8),
        lambda x: torch.where(x > 0, x, torch.zeros(()).expand_as(x)),
    ],
)
def test_what_stays_at_its_place_is_no_gate(middle: Callable[[Tensor], Tensor]) -> None:
    assert nodes_of(Gated(middle), (3, 8, 8))["last"].receptive_field == ReceptiveField((5, 5), (1, 1), (-2, -2))


WHOLE = ReceptiveField((8, 8), (0, 0), (0, 0), whole=True)


def attention(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return F.scaled_dot_product_attention(tokens, tokens, tokens).transpose(1, 2).view_as(x)


def attention_by_hand(x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    weights = (tokens @ tokens.transpose(1, 2)).softmax(-1)
    return x + (weights @ tokens).transpose(1, 2).reshape(x.shape)


@pytest.mark.parametrize(
    "middle",
    [
        attention,
        attention_by_hand,
        lambda x: torch.fft.irfft2(torch.fft.rfft2(x), s=(8, 8)),
        lambda x: F.linear(x.flatten(2), torch.ones(64, 64)).view_as(x),
        lambda x: torch.cat([x, F.interpolate(x.mean((2, 3), keepdim=True), (8, 8))], 1)[:, 2:6],
        lambda x: nn.MultiheadAttention(4, 2, batch_first=True).eval()(*[x.flatten(2).mT] * 3)[0].mT.reshape(x.shape),
    ],
)
def test_after_attention_every_place_sees_the_whole_picture(middle: Callable[[Tensor], Tensor]) -> None:
    nodes = nodes_of(Gated(middle), (3, 8, 8))
    assert nodes["middle"].receptive_field == WHOLE
    assert nodes["last"].receptive_field == WHOLE


def test_a_part_that_all_see_is_not_the_whole() -> None:
    model = nn.Sequential(Function(lambda x: x[:, :, 2:6]), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert nodes_of(model, (3, 8, 8))["1"].receptive_field == ReceptiveField((4, 8), (0, 0), (2, 0))


def test_rows_may_see_less_than_columns() -> None:
    nodes = nodes_of(Gated(lambda x: x + x.mean(3, keepdim=True)), (3, 8, 8))
    assert nodes["last"].receptive_field == ReceptiveField((5, 8), (1, 0), (-2, 0))


def test_a_class_tokens_neighbours_differ_before_they_are_mixed() -> None:
    nodes = nodes_of(timm.create_model("vit_tiny_patch16_224", img_size=64), (3, 64, 64))
    assert nodes["patch_embed.proj"].receptive_field == ReceptiveField((16, 16), (16, 16), (0, 0))
    assert nodes["blocks.0.norm1"].receptive_field is None
    assert nodes["blocks.0"].receptive_field == ReceptiveField((64, 64), (0, 0), (0, 0), whole=True)


@pytest.mark.parametrize("shift", [0, 2])
def test_a_field_holds_what_any_place_of_a_window_sees(shift: int) -> None:
    def windows(x: Tensor) -> Tensor:
        x = torch.roll(x, (-shift, -shift), (2, 3)).permute(0, 2, 3, 1)
        parts = x.view(1, 2, 4, 2, 4, 4).transpose(2, 3).reshape(4, 16, 4)
        parts = F.scaled_dot_product_attention(parts, parts, parts)
        x = parts.view(1, 2, 2, 4, 4, 4).transpose(2, 3).reshape(1, 8, 8, 4)
        return torch.roll(x.permute(0, 3, 1, 2), (shift, shift), (2, 3))

    field = nodes_of(Gated(windows), (3, 8, 8))["middle"].receptive_field
    # Windows of 4 of a map that sees 3×3: a place's window begins up to 3 places before it and ends up to 3 after it.
    assert field == ReceptiveField((9, 9), (1, 1), (-4, -4))


# ------------------------------------------------------------------------------------ whatever a network is made of


class Backwards(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.mul(2).add(F.avg_pool2d(x, 3, 1, 1))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


@torch.inference_mode()
def in_inference_mode(x: Tensor) -> Tensor:
    return F.instance_norm(F.max_pool2d(F.conv2d(x, torch.ones(4, 4, 1, 1)), 3, 1, 1))


def through_numpy(x: Tensor) -> Tensor:
    return torch.from_numpy(np.tanh(x.detach().numpy()))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: Backwards.apply, ReceptiveField((5, 5), (1, 1), (-2, -2))),
        (lambda: in_inference_mode, ReceptiveField((5, 5), (1, 1), (-2, -2), gated=True)),
        (lambda: torch.jit.script(nn.ReLU()), ReceptiveField((3, 3), (1, 1), (-1, -1))),
        (lambda: torch.compile(nn.ReLU()), ReceptiveField((3, 3), (1, 1), (-1, -1))),
        (lambda: through_numpy, None),
        (lambda: lambda x: torch.cond(x.sum() > 0, torch.relu, torch.neg, (x,)), None),
        (lambda: lambda x: x.sort(2).values, None),
        (lambda: lambda x: x[:, :, torch.arange(7, -1, -1)], None),
        (lambda: lambda x: x.transpose(2, 3), None),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:FutureWarning", "ignore:.*torch.jit.*:DeprecationWarning")
def test_what_cannot_be_followed_is_not_guessed(make: Callable[[], Any], expected: ReceptiveField | None) -> None:
    nodes = nodes_of(Gated(make()), (3, 8, 8))
    assert nodes["first"].receptive_field == ReceptiveField((3, 3), (1, 1), (-1, -1))
    assert nodes["middle"].receptive_field == expected
    assert (nodes["last"].receptive_field is None) is (expected is None)


def test_numbers_are_the_same_and_nothing_is_kept() -> None:
    model = torchvision.models.squeezenet1_1(weights=None).eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = model(x)
        with Sight(x) as sight:
            followed = model(x)
            assert sight.of(followed) is not None
        del followed
    torch.testing.assert_close(model(x), expected, rtol=0, atol=0)
    gc.collect()
    assert len(sight._seen) == 1  # the picture's own
    assert sight.of(x) is not None


def test_a_fault_in_a_rule_leaves_the_network_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(_op: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("convviz_gui.engine.network.receptive.sight._rule_for", lambda _func: faulty)
    nodes = nodes_of(Gated(lambda x: x), (3, 8, 8))
    assert nodes["last"].shape == (4, 8, 8)
    assert nodes["last"].receptive_field is None


class Refusing(torch.Tensor):
    """A tensor that takes no mode of any kind."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if torch.utils._python_dispatch._get_current_dispatch_mode() is not None:
            raise TypeError("not under a mode")
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))


def test_code_that_does_not_stand_being_followed_is_opened_without_fields() -> None:
    nodes = nodes_of(Gated(lambda x: (x.as_subclass(Refusing) * 2).as_subclass(Tensor)), (3, 8, 8))
    assert nodes["last"].shape == (4, 8, 8)
    assert nodes["last"].receptive_field is None


def test_a_network_is_watched_without_torchs_compiler() -> None:
    """Importing it takes seconds."""
    code = (
        "import sys, torch; from torch import nn\n"
        "from convviz_gui.engine.network.layers import trace\n"
        "net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))\n"
        "assert trace(net, (3, 8, 8), torch.device('cpu'), dependence=True).calls\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Receptive fields against the gradients of real networks, the literature, and every way networks are written."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from convviz_gui.engine.network.layers import layer_tree, trace
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
    """The network in double precision with weights that average, no biases, and norms that do nothing."""
    model.double()
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


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [
        ("alexnet", 127, 159),
        ("vgg11", 96, 96),
        ("resnet18", 128, 160),
        ("squeezenet1_1", 97, 129),
        ("googlenet", 128, 128),
        ("densenet121", 192, 64),
        ("mobilenet_v2", 96, 128),
        ("mobilenet_v3_small", 128, 96),
        ("efficientnet_b0", 96, 96),
        ("shufflenet_v2_x0_5", 128, 128),
        ("regnet_y_400mf", 128, 96),
        ("convnext_tiny", 96, 64),
        ("timm:legacy_xception", 139, 107),
        ("timm:res2net50_26w_4s", 96, 96),
        ("timm:mambaout_femto", 96, 96),
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
        and node.receptive_field is not None
        and not node.receptive_field.whole
        and node.receptive_field.size[0] < 2 * height
    ]
    nodes = [*told[:: len(told) // 4], told[-1]]
    assert len(nodes) > 4
    x = torch.ones(1, 3, height, width, dtype=torch.float64, requires_grad=True)
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


class Step(nn.Module):
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
    "same": lambda: conv((4, 3), padding="same"),
    "reflect": lambda: conv(3, padding=1, padding_mode="reflect"),
    "replicate": lambda: conv(3, padding=1, padding_mode="replicate"),
    "padded to one side": lambda: Step(lambda x: F.pad(x, (2, 0, 0, 1))),
    "cropped": lambda: Step(lambda x: F.pad(x, (-1, -1, -2, 0))),
    "average": lambda: nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False),
    "to a size that divides": lambda: nn.AdaptiveAvgPool2d((6, 4)),
    "to a size that does not": lambda: nn.AdaptiveAvgPool2d((7, 5)),
    "nearest": lambda: nn.Upsample(scale_factor=2),
    "nearest, odd": lambda: nn.Upsample((23, 19)),
    "bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
    "bicubic": lambda: nn.Upsample(scale_factor=2, mode="bicubic"),
    "shuffled": lambda: nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)),
    "unshuffled": lambda: nn.PixelUnshuffle(2),
    "space to depth": lambda: Step(depth_to_space_by_hand),
    "quarters": lambda: Step(quarters),
    "halves joined": lambda: Step(halves_joined),
    "strided slice": lambda: Step(lambda x: x[:, :, 1::2, 2:-1]),
    "patches": lambda: Step(unfolded),
    "patches and back": lambda: Step(folded),
    "part written": lambda: Step(part_written),
    "branches": lambda: Step(lambda x: torch.cat([x, F.avg_pool2d(x, 5, 1, 2), F.max_pool2d(x, (3, 1), 1, (1, 0))], 1)),
    "sum": lambda: Step(lambda x: x + F.avg_pool2d(x, (1, 7), 1, (0, 3))),
    "channels last": lambda: Step(lambda x: F.linear(x.permute(0, 2, 3, 1), x.new_ones(4, 3)).movedim(-1, 1)),
    "einsum": lambda: Step(lambda x: torch.einsum("bchw,oc->bohw", x, x.new_ones(5, 3))),
    "in place": lambda: Step(lambda x: x.clone().mul_(2).add_(F.avg_pool2d(x, 3, 1, 1))),
    "channel shuffle": lambda: nn.Sequential(nn.Conv2d(3, 6, 3), nn.ChannelShuffle(2)),
    "windows and back": lambda: Step(lambda x: x.unfold(2, 4, 4).transpose(3, 4).flatten(2, 3)),
}  # fmt: skip
"""Layers in the middle of a small network."""


@pytest.mark.parametrize("layer", LAYERS)
def test_a_field_is_the_smallest_that_holds_every_positions(layer: str) -> None:
    model = nn.Sequential(conv(3, stride=2, padding=1), LAYERS[layer](), nn.LazyConv2d(2, 3, padding=1)).eval()
    height, width = 32, 24
    model(torch.zeros(1, 3, height, width))
    made_positive(model)
    x = torch.rand(1, 3, height, width, dtype=torch.float64, requires_grad=True)
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
    field = nodes_of(nn.Sequential(Step(lambda x: x.flip(3)), conv(3), Sum()), (3, 8, 10))["1"].receptive_field
    assert field == ReceptiveField((3, 3), (1, -1), (0, 7))


class Sum(nn.Module):
    """Two logits, so that any layers make a classifier."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, :2]

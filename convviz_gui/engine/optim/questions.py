"""What synthetic pictures are to be of: a channel, a unit, a direction, a class, a whole layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.method import Need
from convviz_gui.engine.network.hooks import run_to
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.optim.ascent import PRECISIONS
from convviz_gui.engine.optim.objectives import ChannelMean, ClassLogit, Direction, Energy, Objective, UnitValue
from convviz_gui.engine.params import Params, param
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LayerNode, Run, Target

NEEDS: Mapping[str, frozenset[Need]] = MappingProxyType({
    "channel": frozenset({Need.LAYER, Need.CHANNELS}),
    "unit": frozenset({Need.LAYER, Need.CHANNELS, Need.PLACE}),
    "direction": frozenset({Need.LAYER, Need.CHANNELS}),
    "photo": frozenset({Need.LAYER, Need.IMAGE}),
    "class": frozenset({Need.CLASSES}),
    "layer": frozenset({Need.LAYER}),
})  # fmt: skip
"""What each objective has to be given."""


_MOST_VARIANTS = 16


@dataclass(frozen=True)
class AskingParams(Params):
    """What methods that make pictures by optimisation can be asked for."""

    objective: str = param(
        "channel",
        "Objective",
        "What the picture is to raise. channel: the mean of each channel's map. unit: one position of it, the centre "
        "unless another is given. direction: several channels together, one picture for all. photo: what the photo "
        "rouses in the layer, its mean activation. class: the score before softmax. layer: everything the layer says, "
        "squared (DeepDream)",
        choices=tuple(NEEDS),
    )
    negative: bool = param(
        False, "What silences it", "Lower the objective instead of raising it: the picture that the target is against"
    )
    diversity: int = param(
        1,
        "Variants",
        "Pictures of each target, which begin differently and are kept from being alike: one channel may answer to "
        "several things",
        lo=1,
        hi=_MOST_VARIANTS,
    )
    diversity_weight: float = param(
        1.0,
        "Weight of diversity",
        "What it costs if variants have the same texture, as a multiple of the target's value. 0 lets them be alike",
        lo=0.0,
        hi=100.0,
        advanced=True,
        when=("diversity", tuple(range(2, _MOST_VARIANTS + 1))),
    )
    mix: str = param(
        "",
        "Weights of channels",
        "A number for each of the channels, like 1, -0.5. Empty takes them all alike",
        advanced=True,
        when=("objective", ("direction",)),
    )
    precision: str = param(
        "float32",
        "Precision",
        "bfloat16 computes the network with 3 significant digits: about twice as fast where the processor supports it, "
        "slower where it does not; pictures differ in detail",
        choices=PRECISIONS,
        advanced=True,
    )
    batch: int = param(
        0,
        "Batch",
        "Pictures in one pass of the network: 0 takes what suits the device, and fewer where memory is too small. "
        "Changes rounding and speed only",
        lo=0,
        hi=512,
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class Question:
    """What N pictures are to be of, without their variants.

    Args:
        layer: id of the layer that is asked; None for the class scores.
        numbers: of channels or classes; 0 where there is one picture of the whole layer.
        labels: what each is called where a number alone does not say it, else empty.
        objective: for the numbers of the pictures that are improved together.
        beside: id of the layer whose maps tell variants apart, if not the one asked.
    """

    layer: str | None
    numbers: tuple[int, ...]
    labels: tuple[str, ...]
    objective: Callable[[Sequence[int]], Objective]
    beside: str | None = None


def question(session: Session, request: Run, params: AskingParams, default_count: int) -> Question:
    """What is asked for. Of a layer's channels or a network's classes the first `default_count` stand for all.

    Raises `EngineError` for a layer, channels, a position or weights that make no sense.
    """
    if params.objective == "class":
        return _classes(session, request.target, params, default_count)
    node = asked_layer(session, request.target.layer)
    view = partial(channels_first, node=node)
    match params.objective:
        case "channel":
            channels = asked_channels(node, request.target.channels, default_count)
            return Question(node.id, channels, (), lambda some: ChannelMean(some, 0, view))
        case "unit":
            channels = asked_channels(node, request.target.channels, default_count)
            place = _place(node, request.target.unit)
            return Question(node.id, channels, (), lambda some: UnitValue(some, place, view))
        case "direction":
            vector, label = _mixed(node, request.target.channels, params.mix)
        case "photo":
            vector, label = _roused(session, request, node), "photo"
        case _:
            return Question(node.id, (0,), ("layer",), lambda _some: Energy())
    direction = Direction(_unit(vector, node).to(session.device), view)
    return Question(node.id, (0,), (label,), lambda _some: direction)


def asked_layer(session: Session, layer: str | None) -> LayerNode:
    """The layer asked for, or the default one; raises `EngineError` if it has no channels."""
    layer = layer if layer is not None else session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Open another network")
    node = session.layer(layer)
    if node.channels is None:
        shape = "is not a tensor" if node.shape is None else f"has shape {node.shape}"
        raise EngineError(
            f"Layer {node.id!r} has no channels (its output {shape})", "Choose a layer with maps or a vector"
        )
    return node


def asked_channels(node: LayerNode, asked: Sequence[int] | None, default_count: int) -> tuple[int, ...]:
    """The channels asked for, or the first `default_count`; raises `EngineError` for one that is not there."""
    n = node.channels or 0
    if asked is None:
        return tuple(range(min(n, default_count)))
    if not asked:
        raise EngineError("No channel is chosen", f"Choose some of the {n} channels of layer {node.id!r}")
    for channel in asked:
        if not 0 <= channel < n:
            raise EngineError(f"Layer {node.id!r} has no channel {channel}", f"Its channels go from 0 to {n - 1}")
    return tuple(asked)


def _classes(session: Session, target: Target, params: AskingParams, default_count: int) -> Question:
    info = session.info
    if params.diversity > 1 and info.default_map_layer is None:
        raise EngineError("Variants of a class are told apart by maps, and this network has none", "Set variants to 1")
    count = min(info.n_classes, default_count)
    numbers = tuple(range(count)) if target.class_index is None else (target.class_index,)
    labels = tuple(info.class_name(number) for number in numbers)
    beside = info.default_map_layer if params.diversity > 1 else None
    return Question(None, numbers, labels, ClassLogit, beside)


def _place(node: LayerNode, unit: tuple[int, int] | None) -> tuple[float, float]:
    """Where a unit is in the map, in 0…1; the centre if none is given."""
    if unit is None:
        return 0.5, 0.5
    extent = node.extent
    if extent is None:
        raise EngineError(f"Layer {node.id!r} has no positions", "Leave the unit out: its channels are single numbers")
    if not all(0 <= place < n for place, n in zip(unit, extent, strict=True)):
        raise EngineError(
            f"Layer {node.id!r} has no unit {unit[0]},{unit[1]}",
            f"Rows go from 0 to {extent[0] - 1}, columns from 0 to {extent[1] - 1}",
        )
    return (unit[0] + 0.5) / extent[0], (unit[1] + 0.5) / extent[1]


def _mixed(node: LayerNode, asked: tuple[int, ...] | None, mix: str) -> tuple[Tensor, str]:
    """The direction f32 [C] of some channels, and what it is called."""
    if not asked:
        raise EngineError(
            "A direction is made of channels, and none are given",
            "Name them (--channels 3,8), with --mix their weights",
        )
    channels = asked_channels(node, asked, 0)
    weights = _numbers(mix) or [1.0] * len(channels)
    if len(weights) != len(channels):
        raise EngineError(
            f"There are {len(channels)} channels and {len(weights)} weights (--mix)",
            "Give a number for each channel, or leave them out",
        )
    vector = torch.zeros(node.channels or 0)
    vector[list(channels)] = torch.tensor(weights)
    shown = " ".join(f"{weight:+g}·{channel}" for weight, channel in zip(weights[:3], channels[:3], strict=True))
    return vector, shown + (" …" if len(channels) > 3 else "")


def _numbers(text: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise EngineError(f"Weights of channels (--mix) cannot be {text!r}", "Give numbers, like 1, -0.5")
    return numbers


def _roused(session: Session, request: Run, node: LayerNode) -> Tensor:
    """The layer's mean activation f32 [C] for the photo."""
    if request.image is None:
        raise EngineError("The direction of a photo needs one", "Open a picture (command line: --image FILE)")
    with torch.no_grad():
        output = channels_first(run_to(session.model, session.input(request.image)[0], node.id), node).float()
    return output[0].flatten(1).mean(1) if output.ndim > 2 else output[0]


def _unit(vector: Tensor, node: LayerNode) -> Tensor:
    length = float(vector.norm())
    if not (math.isfinite(length) and length > 0):
        raise EngineError(f"In layer {node.id!r} there is no direction to follow: it has no length", "Choose another")
    return vector / length

"""What is traced back to the pixels: a class, or a layer's channel, or one unit of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convviz_gui.engine.attribution.score import ClassScore, score_for
from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import logits_of, run_to
from convviz_gui.engine.network.layers import channels_first
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.session import Session
from convviz_gui.engine.types import LayerNode, Target


@dataclass(frozen=True, slots=True)
class ChannelSource:
    """The sum of a channel's map, or one `unit` (row, column) of it; of a vector its element."""

    node: LayerNode
    channel: int
    unit: tuple[int, int] | None = None

    def of(self, model: nn.Module, x: Tensor) -> Tensor:
        """Values [B] for inputs [B, C, H, W]; nothing behind the layer is computed. Differentiable."""
        maps = channels_first(run_to(model, x, self.node.id), self.node)[:, self.channel]
        if self.unit is not None:
            return maps[:, self.unit[0], self.unit[1]]
        return maps.flatten(1).sum(dim=1) if maps.ndim > 1 else maps


@dataclass(frozen=True, slots=True)
class Traced:
    """A forward pass that can be gone back from `value`, a number. `logits` [1, K] are the whole network's."""

    value: Tensor
    logits: Tensor
    score: ClassScore | None = None
    channel: ChannelSource | None = None

    def detached(self) -> Traced:
        """The same numbers, on the host and with no way back."""
        return dataclasses.replace(self, value=self.value.detach().cpu(), logits=self.logits.detach().cpu())


def channel_source(session: Session, target: Target) -> ChannelSource | None:
    """The channel that a run is about, or None if it is about a class.

    Raises `EngineError` for what is not there, and for a class and a channel at once.
    """
    if target.layer is None and target.channels is None and target.unit is None:
        return None
    if target.class_index is not None or target.against is not None:
        raise EngineError(
            "A class and a channel cannot be traced back at once", "Leave out either the class or layer and channel"
        )
    layer = target.layer or session.info.default_layer
    if layer is None:
        raise EngineError("No layer of this network gives maps or a vector", "Trace back a class instead")
    node = session.layer(layer)
    if target.channels is None:
        raise EngineError(f"Which channel of {node.id!r} is to be traced back?", "Name it (command line: --channel 3)")
    if len(target.channels) != 1:
        raise EngineError(
            f"One channel is traced back at a time, not {len(target.channels)}", "Name a single one: --channel 3"
        )
    if node.channels is None:
        raise EngineError(f"Layer {node.id!r} has no channels", "Choose a layer with maps or a vector")
    channel = target.channels[0]
    if not 0 <= channel < node.channels:
        raise EngineError(
            f"Layer {node.id!r} has no channel {channel}", f"Its channels go from 0 to {node.channels - 1}"
        )
    _check_unit(node, target.unit)
    return ChannelSource(node, channel, target.unit)


def _check_unit(node: LayerNode, unit: tuple[int, int] | None) -> None:
    if unit is None:
        return
    if node.extent is None:
        raise EngineError(f"Layer {node.id!r} gives a vector, whose channels have no positions", "Leave the unit out")
    rows, columns = node.extent
    if not (0 <= unit[0] < rows and 0 <= unit[1] < columns):
        raise EngineError(
            f"The maps of {node.id!r} have no position {unit[0]}, {unit[1]}",
            f"Rows go from 0 to {rows - 1}, columns from 0 to {columns - 1}",
        )


def traced(model: nn.Module, leaf: Tensor, target: Target, channel: ChannelSource | None) -> Traced:
    """Run the network on `leaf` [1, C, H, W], which requires a gradient, and take what the run is about."""
    # A copy: what an input itself requires a gradient for must not be changed in place.
    x = leaf.clone()
    if channel is not None:
        value = channel.of(model, x)[0]
        with torch.no_grad():
            logits = logits_of(forward(model, leaf.detach()))
        return Traced(value, logits, channel=channel)
    return traced_class(model, x, target)[0]


def traced_class(model: nn.Module, x: Tensor, target: Target) -> tuple[Traced, ClassScore]:
    """Run the network on `x` [1, C, H, W] and take a class's score, by default the top one's."""
    logits = logits_of(forward(model, x))
    score = score_for(logits, target)
    return Traced(score.of(logits)[0], logits, score), score

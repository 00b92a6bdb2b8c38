"""Changing channels of a layer during one forward pass; the network itself is never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.network.hooks import Visit, visiting
from convviz_gui.engine.network.outputs import logits_of
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.types import LayerNode, ModelInfo

SCALE, MEAN = "scale", "mean"
NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm", "SyncBatchNorm")


def channel_axis(node: LayerNode) -> int:
    """Which axis of the layer's output [B, ...] holds its channels. Raises `EngineError` if none does."""
    if node.channels is None:
        raise EngineError(f"Layer {node.id!r} has no channels", "Choose a layer with maps or a vector")
    return -1 if node.channels_last or node.grid is not None else 1


def scaled(output: Tensor, axis: int, channels: Sequence[int], factor: float) -> Tensor:
    """A copy of `output` in which these channels are multiplied by `factor`; with 0 they are 0 whatever they were."""
    changed = output.clone()
    part = changed.movedim(axis, 0)
    chosen = list(channels)
    part[chosen] = torch.zeros_like(part[chosen]) if factor == 0 else part[chosen] * factor
    return changed


def averaged(output: Tensor, axis: int, channels: Sequence[int]) -> Tensor:
    """A copy of `output` in which each of these channels has its mean over the positions everywhere."""
    changed = output.clone()
    part = changed.movedim(axis, 1).flatten(2)
    for channel in channels:
        mean = part[:, channel].float().mean(dim=1).to(output.dtype)
        place = changed.select(axis, channel)
        place.copy_(mean.reshape(-1, *[1] * (place.ndim - 1)).expand_as(place))
    return changed


def logits_with(model: nn.Module, x: Tensor, visits: Mapping[str, Visit]) -> Tensor:
    """Logits [B, K] of a pass in which `visits` change layers' outputs; without gradients.

    Raises `EngineError` if one of the layers does not run.
    """
    ran: set[str] = set()

    def counted(layer: str, visit: Visit) -> Visit:
        def visited(output: Tensor) -> Tensor | None:
            ran.add(layer)
            return visit(output)

        return visited

    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(visiting(model, {layer: counted(layer, visit) for layer, visit in visits.items()}))
        logits = logits_of(forward(model, x))
    if missing := [layer for layer in visits if layer not in ran]:
        raise EngineError(f"Layer {missing[0]!r} does not run in this network's forward pass", "Choose another layer")
    return logits


def caveats(info: ModelInfo, node: LayerNode) -> tuple[str, ...]:
    """What must be known of switching off channels of a layer, in sentences; none where 0 means silence."""
    following = next((later for later in info.layers() if later.depth == (node.depth or 0) + 1), None)
    if following is not None and any(norm in following.kind for norm in NORMS):
        return (
            f"{following.id or 'The next layer'} normalises what {node.id} gives: it turns 0 into a constant of its "
            "own. To silence a channel, switch it off behind that layer.",
        )
    return ()

"""Where Grad-CAM looks by default: the last maps on which the class scores depend."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convviz_gui.engine.network.classes import class_scores
from convviz_gui.engine.network.hooks import Visit, logits_of, visiting
from convviz_gui.engine.network.layers import Trace, default_map_layer
from convviz_gui.engine.network.passes import forward
from convviz_gui.engine.network.tokens import maps_of
from convviz_gui.engine.types import LayerNode

_MOST_TRIED = 12


def class_map_layer(module: nn.Module, root: LayerNode, found: Trace, x: Tensor) -> str | None:
    """The last layer with maps of a spatial extent above 1 on whose places the class scores of `x` depend, or None.

    The trace tells it, but for networks that read their answer off a class token: behind the last attention, the
    other tokens tell nothing of the class any more, and their map would be empty. There it is the last block whose
    output still counts, which takes one more forward pass to find.
    """
    last = default_map_layer(root, found)
    nodes = {node.id: node for node in root.walk()}
    if last is None or (grid := nodes[last].grid) is None or not grid.before:
        return last
    blocks = [node for node in nodes.values() if node.grid and node.id and any(child.grid for child in node.children)]
    blocks.sort(key=lambda node: node.depth or 0, reverse=True)
    tried = [nodes[last], *blocks[:_MOST_TRIED]]
    counting = _counting(module, x, tried)
    return next((node.id for node in tried if node.id in counting), last)


def _counting(module: nn.Module, x: Tensor, nodes: list[LayerNode]) -> set[str]:
    """Ids of those layers on whose places the top class's score depends."""
    outputs: dict[str, Tensor] = {}

    def visit_for(layer: str) -> Visit:
        def visit(output: Tensor) -> Tensor:
            begun = output if output.requires_grad else output.detach().clone().requires_grad_(True)
            outputs[layer] = begun.clone()
            return outputs[layer]

        return visit

    with torch.enable_grad(), visiting(module, {node.id: visit_for(node.id) for node in nodes}):
        logits = logits_of(forward(module, x))
        if not logits.requires_grad:
            return set()
        score = class_scores(logits)[0].max()
        gradients = torch.autograd.grad(score, list(outputs.values()), allow_unused=True)
    found = dict(zip(outputs, gradients, strict=True))
    return {node.id for node in nodes if _on_places(found.get(node.id), node)}


def _on_places(gradient: Tensor | None, node: LayerNode) -> bool:
    return gradient is not None and node.grid is not None and bool(maps_of(gradient, node.grid).any())

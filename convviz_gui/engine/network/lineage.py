"""Where a layer's channels come from, and where they go: past what passes every channel on by itself."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convviz_gui.engine.network.hooks import INPUT_MARK, activations, module_at
from convviz_gui.engine.network.kernels import has_kernels
from convviz_gui.engine.types import LayerNode, ModelInfo

PASSING = (
    "ReLU", "ReLU6", "LeakyReLU", "PReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Hardswish", "Hardtanh",
    "Sigmoid", "Tanh", "Softplus", "Threshold", "BatchNorm2d", "BatchNorm1d", "FrozenBatchNorm2d", "BatchNormAct2d",
    "Dropout", "Dropout2d", "Identity", "DropPath", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d",
    "Flatten",
)  # fmt: skip
"""Kinds of module whose channel k is made of channel k alone."""
_FARTHEST = 8


def source_of(model: nn.Module, x: Tensor, info: ModelInfo, node: LayerNode) -> LayerNode | None:
    """The layer with weights whose channel k is the layer's channel k, itself included; None if there is none.

    What stands before a layer in the order of execution is taken for its input only if it is, value for value, in a
    pass on `x` [1, C, H, W].
    """
    by_depth = {each.depth: each for each in info.layers() if each.id}
    for _ in range(_FARTHEST):
        if not _inside(node) and has_kernels(module_at(model, node.id)):
            return node
        before = by_depth.get((node.depth or 0) - 1)
        if before is None or before.channels != node.channels or not _follows(model, x, before, node):
            return None
        node = before
    return None


def reader_of(model: nn.Module, x: Tensor, info: ModelInfo, node: LayerNode) -> LayerNode | None:
    """The next layer with weights, if the layer's channels are its input; None else."""
    by_depth = {each.depth: each for each in info.layers() if each.id}
    for _ in range(_FARTHEST):
        after = by_depth.get((node.depth or 0) + 1)
        if after is None:
            return None
        if _inside(after):
            # A container ends with its last layer.
            if not _follows(model, x, node, after):
                return None
        elif not _same(model, x, node.id, after.id + INPUT_MARK):
            return None
        elif has_kernels(module_at(model, after.id)):
            return after
        elif after.kind not in PASSING or after.channels != node.channels:
            return None
        node = after
    return None


def _follows(model: nn.Module, x: Tensor, before: LayerNode, node: LayerNode) -> bool:
    """True if `node` makes its channels of those of `before`, one by one."""
    if _inside(node):
        return _same(model, x, before.id, node.id)
    return node.kind in PASSING and _same(model, x, before.id, node.id + INPUT_MARK)


def _same(model: nn.Module, x: Tensor, one: str, other: str) -> bool:
    with torch.no_grad():
        found = activations(model, x, [one, other])
    return torch.equal(found[one], found[other])


def _inside(node: LayerNode) -> bool:
    """True if other layers run inside it."""
    return any(child.depth is not None for child in node.children)

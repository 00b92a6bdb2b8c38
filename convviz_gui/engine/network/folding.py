"""A private copy of a network in which batch norms are part of the convolutions before them: same results, sooner."""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network.hooks import reach
from convviz_gui.engine.network.layers import watching
from convviz_gui.engine.network.outputs import tensor_of
from convviz_gui.engine.network.passes import layout

TOLERANCE = 1e-3
"""Largest difference, relative to the layer's largest value, that a copy may show to be used."""


def folded(model: nn.Module, layer: str | None, x: Tensor) -> nn.Module:
    """A network that computes the same output of `layer` (None: the same logits) as `model` in eval mode, only faster.

    Every batch norm that is fed by a convolution directly is folded into it. The copy shares all other tensors with
    `model`, which is left as it is. If there is nothing to fold, or if the copy should differ on `x` by more than
    rounding (because the convolution's output is used a second time, say), `model` itself is returned.

    Args:
        x: an input [B, C, H, W] to trace and to compare on.
    """
    with torch.no_grad():
        pairs = _pairs(model, layer, x)
        twin = _twin(model) if pairs else None
        if twin is None:
            return model
        for conv, norm in pairs:
            modules = twin.get_submodule(conv), twin.get_submodule(norm)
            fused = fuse_conv_bn_eval(cast(nn.Conv2d, modules[0]), cast(nn.BatchNorm2d, modules[1]))
            twin.set_submodule(conv, fused.requires_grad_(False).to(memory_format=layout(model)))
            twin.set_submodule(norm, nn.Identity())
        wanted, found = reach(model, x, layer), reach(twin, x, layer)
        atol = TOLERANCE * float(wanted.abs().max())
        same = math.isfinite(atol) and torch.allclose(wanted, found, rtol=0, atol=atol)
    return twin if same else model


def _twin(model: nn.Module) -> nn.Module | None:
    """A copy that shares all tensors, or None of a network that holds what cannot be copied: an open file, a lock."""
    shared = [*model.parameters(), *model.buffers()]
    try:
        return copy.deepcopy(model, {id(tensor): tensor for tensor in shared})
    except Exception as error:  # whatever a user's `__deepcopy__` raises
        if fault_of(error) is not None:
            raise
        return None


def _pairs(model: nn.Module, layer: str | None, x: Tensor) -> list[tuple[str, str]]:
    """Paths of convolutions and of the batch norms they feed, each called once on the way to `layer`."""
    made: dict[int, tuple[str, Tensor, int]] = {}
    calls: Counter[str] = Counter()
    found: list[tuple[str, str]] = []

    def watch(path: str, _number: int, module: nn.Module, inputs: Any, output: Any) -> None:
        calls[path] += 1
        if _is_conv(module) and not output.is_inference():  # whose versions are not told
            made[id(output)] = path, output, output._version
        elif _is_norm(module):
            before = tensor_of(inputs)  # nothing, if it was given by name
            conv, _, version = made.get(id(before), ("", None, 0))
            # A changed version means that something worked in place on the convolution's output in between.
            if conv and before is not None and before._version == version:
                found.append((conv, path))

    with watching(model, watch):
        reach(model, x, layer)
    return [(conv, norm) for conv, norm in found if calls[conv] == calls[norm] == 1]


def _is_conv(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and not parametrize.is_parametrized(module)


def _is_norm(module: nn.Module) -> bool:
    # Not its subclasses: they do more (an activation, for instance).
    return type(module) is nn.BatchNorm2d and module.running_var is not None

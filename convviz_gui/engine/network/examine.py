"""A network that has just been opened: watched for one forward pass, and described."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from convviz_gui.engine.errors import EngineError
from convviz_gui.engine.faults import fault_of
from convviz_gui.engine.network import classes, health, hooks, layers
from convviz_gui.engine.network.class_evidence import class_map_layer
from convviz_gui.engine.network.functional import Heard, listening
from convviz_gui.engine.network.layers import Trace
from convviz_gui.engine.network.opened import OpenedModel
from convviz_gui.engine.network.pooled_head import find_pooled_head
from convviz_gui.engine.types import ModelInfo, ModelSpec


def examine(module: nn.Module, opened: OpenedModel, spec: ModelSpec, device: torch.device, precision: str) -> ModelInfo:
    """Everything the outside knows of the network. Raises `EngineError` if it cannot look at pictures."""
    size = (opened.preprocess.channels, *opened.preprocess.size)
    found, heard, failure = _watched(module, size, device)
    x = layers.noise(size, device)
    root = layers.layer_tree(module, found, opened.name)
    info = ModelInfo(
        spec=spec,
        name=opened.name,
        weights=opened.weights,
        trained=opened.trained,
        digest=opened.digest,
        n_params=root.n_params,
        device=str(device),
        preprocess=opened.preprocess,
        class_names=opened.class_names,
        n_classes=classes.n_classes(found.n_logits),
        root=root,
        default_map_layer=class_map_layer(module, root, found, x),
        penultimate_layer=layers.penultimate_layer(found),
        notes=opened.notes,
        precision=precision,
        pooled_head=find_pooled_head(module, root, found, x),
        activation_functions=found.activation_functions,
    )
    maps_depend = bool(found.differentiable) or _depends_on_maps(module, info, x)
    evidence = health.Evidence(module, found, heard, failure, maps_depend)
    return health.with_report(info, evidence, (*opened.findings, *found.findings))


def _watched(module: nn.Module, size: tuple[int, int, int], device: torch.device) -> tuple[Trace, Heard, str]:
    """One forward pass, and why it had to do without gradients if it had to."""
    try:
        with listening(module) as heard:
            return layers.trace(module, size, device, dependence=True), heard, ""
    except RuntimeError as error:
        if fault_of(error) is not None:
            raise
        # Such as a conversion to numpy on the way. If gradients are not to blame, the second pass says what is.
        with listening(module) as heard:
            return layers.trace(module, size, device), heard, str(error).partition("\n")[0].rstrip(".")


def _depends_on_maps(module: nn.Module, info: ModelInfo, x: Tensor) -> bool:
    """Whether the class scores depend differentiably on the layer where Grad-CAM looks by default."""
    if info.default_map_layer is None:
        return False
    try:
        hooks.logits_and_leaf(module, x, info.default_map_layer)
    except (EngineError, RuntimeError) as error:
        if fault_of(error) is not None:
            raise
        return False
    return True

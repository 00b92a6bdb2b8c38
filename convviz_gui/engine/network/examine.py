"""A network that has just been opened: made ready, watched for one forward pass, and described."""

from __future__ import annotations

import torch
from torch import nn

from convviz_gui.engine.network import classes, health, layers
from convviz_gui.engine.opening.models import OpenedModel
from convviz_gui.engine.types import ModelInfo, ModelSpec


def made_ready(module: nn.Module, device: torch.device) -> nn.Module:
    """The network in eval mode on the device, no parameter requiring a gradient, in the layout that is fastest."""
    return module.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def examine(module: nn.Module, opened: OpenedModel, spec: ModelSpec, device: torch.device, precision: str) -> ModelInfo:
    """Everything the outside knows of the network. Raises `EngineError` if it cannot look at pictures."""
    size = (opened.preprocess.channels, *opened.preprocess.size)
    found = layers.trace(module, size, device)
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
        default_map_layer=layers.default_map_layer(root),
        penultimate_layer=layers.penultimate_layer(found),
        notes=opened.notes,
        precision=precision,
    )
    return health.with_report(info, module, found, opened.findings)

"""Weights under which a network without training answers to what it is shown, so that wrong numbers would show."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def lively(net: nn.Module, side: int = 64, seed: int = 0) -> nn.Module:
    """The network in eval mode, every layer's output scaled to a variance near 1, batch norms with other statistics."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        handles = []
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.3)
                module.momentum = None
            elif isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.normal_(module.bias, std=0.1)
                handles.append(module.register_forward_hook(_levelled))
            elif isinstance(getattr(module, "layer_scale", None), nn.Parameter):
                nn.init.uniform_(module.layer_scale, 0.5, 1.0)
        net.eval()
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.train()
        net(torch.randn(2, 3, side, side))
        for handle in handles:
            handle.remove()
    return net.eval()


def _levelled(module: nn.Conv2d | nn.Linear, _inputs: object, output: Tensor) -> Tensor:
    scale = 1 / output.std().clamp_min(1e-6)
    module.weight *= scale
    if module.bias is not None:
        module.bias *= scale
    return output * scale

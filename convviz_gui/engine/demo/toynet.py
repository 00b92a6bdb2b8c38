"""ToyNet: a plain ConvNet for Toybox pictures, five blocks of convolution and ReLU with readable layer names."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from .toybox import CLASSES

INPUT_SIZE = 128
"""Side of the square input in pixels."""

MEAN: tuple[float, float, float] = (0.45, 0.45, 0.45)
STD: tuple[float, float, float] = (0.25, 0.25, 0.25)
"""Preprocessing: RGB in 0..1, minus ``MEAN``, divided by ``STD``."""

_WIDTHS: tuple[tuple[int, ...], ...] = ((16,), (32,), (48, 48), (96,), (128,))
_POOLED = 3


def build_toynet(*, batch_norm: bool = False) -> nn.Sequential:
    """An untrained ToyNet: f32 [N, 3, 128, 128] to logits f32 [N, 12].

    Layers are called ``block1_conv1``, ``block1_relu1``, ``block1_pool`` and so on. The first three blocks end in
    max-pooling and the last two stay at 16×16, and the last convolution is 1×1 (each position sees 46 pixels), so that
    a class map can show parts as small as an ear.

    Args:
        batch_norm: Put a ``blockB_bnI`` after every convolution, as training does; the shipped weights are of the
            plain network, into which training folds the normalisation.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for block, widths in enumerate(_WIDTHS, start=1):
        for index, width in enumerate(widths, start=1):
            kernel = 1 if block == len(_WIDTHS) else 3
            layers[f"block{block}_conv{index}"] = nn.Conv2d(channels, width, kernel, padding=kernel // 2)
            if batch_norm:
                layers[f"block{block}_bn{index}"] = nn.BatchNorm2d(width)
            layers[f"block{block}_relu{index}"] = nn.ReLU()
            channels = width
        if block <= _POOLED:
            layers[f"block{block}_pool"] = nn.MaxPool2d(2)
    layers["avg_pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = nn.Linear(channels, len(CLASSES))
    return nn.Sequential(layers)

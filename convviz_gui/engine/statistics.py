"""Numbers about one layer's activations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEAR_ZERO = 0.01
"""Where a layer has negative values, a position below this fraction of the layer's maximum counts as silent."""
BLANK = 1e-6
"""A channel whose maximum is at most this fraction of the layer's found nothing in the picture."""


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """Per channel, each [C]: `mean`, population `std`, `max`, `sparsity` (fraction of silent positions), `blank`."""

    mean: Tensor
    std: Tensor
    max: Tensor
    sparsity: Tensor
    blank: Tensor


def channel_statistics(maps: Tensor) -> ChannelStatistics:
    """Statistics of `maps` [C, h, w].

    A position is silent when it is exactly 0, if the layer has no negative values (as after a ReLU); else when it is
    below 1 % of the layer's maximum.
    """
    flat = maps.flatten(1)
    std, mean = torch.std_mean(flat, dim=1, correction=0)
    top = flat.amax(dim=1)
    return ChannelStatistics(mean, std, top, _silent(flat).float().mean(dim=1), _blank(top))


def layer_sparsity(maps: Tensor) -> tuple[float, float]:
    """Fractions 0…1 of silent positions and of blank channels in `maps` [C, h, w]."""
    flat = maps.flatten(1)
    silent = int(torch.count_nonzero(_silent(flat))) / max(flat.numel(), 1)
    return silent, float(_blank(flat.amax(dim=1)).float().mean())


def firing_threshold(low: Tensor, high: Tensor) -> Tensor:
    """Above which value a layer's positions fire, for each of B pictures.

    0 where the layer has no negative values in the picture, as after a ReLU; else 1 % of its largest value there, and 0
    where that is negative.

    Args:
        low, high: [B], the layer's least and largest value in each picture.
    """
    return torch.where(low >= 0, torch.zeros_like(high), NEAR_ZERO * high.clamp(min=0))


def _silent(flat: Tensor) -> Tensor:
    low, high = torch.aminmax(flat)
    return flat == 0 if low >= 0 else flat < NEAR_ZERO * high


def _blank(top: Tensor) -> Tensor:
    return top <= BLANK * top.max().clamp(min=0)

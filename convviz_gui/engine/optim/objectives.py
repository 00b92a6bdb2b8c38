"""What a synthetic picture is to bring about in the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from convviz_gui.engine.network.classes import class_scores

Objective = Callable[[Tensor], Tensor]
"""From a layer's output for B pictures to B losses, each of which depends on its own picture only."""

_LEAST_COSINE = 0.1
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class ChannelMean:
    """The mean of one channel's map without a frame of `border` positions; picture i has `channels[i]` as its target.

    The frame is left out because there padding, not the picture, makes a filter respond. A map too small for that
    keeps at least its centre: along a side of n positions the frame is min(border, (n − 1) // 2) wide. A unit of a
    vector is taken as it is. Reference: Chollet, "Deep Learning with Python".

    Args:
        channels: target channel of each of the B pictures.
        border: width of the frame in positions of the map.
        view: from what the layer gives to maps [B, C, h, w] or vectors [B, C], where it is neither by itself.
    """

    channels: Sequence[int]
    border: int = 2
    view: Callable[[Tensor], Tensor] | None = None

    def __call__(self, output: Tensor) -> Tensor:
        """Losses f32 [B] for a layer's output."""
        target = _seen(output, self.view)[range(len(self.channels)), list(self.channels)].float()
        if target.ndim == 1:
            return target
        height, width = target.shape[1:]
        y, x = frame(height, self.border), frame(width, self.border)
        return target[:, y : height - y, x : width - x].mean(dim=(1, 2))


def frame(positions: int, border: int) -> int:
    """How wide a frame of at most `border` can be cut off both ends of a side of `positions` and leave something."""
    return min(border, (positions - 1) // 2)


@dataclass(frozen=True, slots=True)
class UnitValue:
    """One position of one channel's map; picture i has `channels[i]` as its target. An element of a vector is itself.

    Args:
        place: of the position, down and along, in 0…1 of the map, whose size depends on that of the pictures.
    """

    channels: Sequence[int]
    place: tuple[float, float] = (0.5, 0.5)
    view: Callable[[Tensor], Tensor] | None = None

    def __call__(self, output: Tensor) -> Tensor:
        """Losses f32 [B] for a layer's output."""
        target = _seen(output, self.view)[range(len(self.channels)), list(self.channels)].float()
        if target.ndim == 1:
            return target
        row, column = (min(int(part * n), n - 1) for part, n in zip(self.place, target.shape[1:], strict=True))
        return target[:, row, column]


@dataclass(frozen=True, slots=True)
class Direction:
    """How far and how exactly a layer's channels point along `vector` f32 [C] of length 1: dot · max(0.1, cos)².

    At each position, then averaged over positions. Without the cosine whatever is largest would win.
    Reference: Carter, Armstrong, Schubert, Johnson & Olah, Activation Atlas, Distill 2019.
    """

    vector: Tensor
    view: Callable[[Tensor], Tensor] | None = None

    def __call__(self, output: Tensor) -> Tensor:
        """Losses f32 [B] for a layer's output."""
        maps = _seen(output, self.view).float()
        maps = maps.flatten(2) if maps.ndim > 2 else maps.unsqueeze(2)
        dot = torch.einsum("bcn,c->bn", maps, self.vector)
        # Of a zero vector the gradient of its length is not a number.
        length = (maps.square().sum(1) + _TINY).sqrt()
        return (dot * (dot / length).clamp(min=_LEAST_COSINE).square()).mean(1)


@dataclass(frozen=True, slots=True)
class Energy:
    """The mean square of all that a layer says: DeepDream (Mordvintsev, Olah & Tyka 2015)."""

    def __call__(self, output: Tensor) -> Tensor:
        """Losses f32 [B] for a layer's output."""
        return output.float().flatten(1).square().mean(1)


@dataclass(frozen=True, slots=True)
class ClassLogit:
    """A class's score before softmax; picture i has `classes[i]`. Of a single logit z class 1 has +z, class 0 −z."""

    classes: Sequence[int]

    def __call__(self, logits: Tensor) -> Tensor:
        """Losses f32 [B] for logits [B, K]."""
        return class_scores(logits)[range(len(self.classes)), list(self.classes)].float()


def likeness(output: Tensor, group: int) -> Tensor:
    """How much each picture's texture is like that of the others of its group, f32 [B] in −1…1.

    The mean cosine between Gram matrices of channels [C, C]; of vectors, between the vectors.
    Reference: Olah, Mordvintsev & Schubert, Feature Visualization, Distill 2017 ("Diversity").

    Args:
        output: [B, C, h, w] or [B, C]; B a multiple of `group`.
        group: how many pictures in a row belong together, at least 2.
    """
    maps = output.float().flatten(2) if output.ndim > 2 else output.float()
    textures = maps @ maps.transpose(1, 2) if maps.ndim == 3 else maps
    units = F.normalize(textures.flatten(1), dim=1, eps=_TINY).reshape(-1, group, textures[0].numel())
    cosines = units @ units.transpose(1, 2)
    same = torch.eye(group, device=output.device)
    return ((cosines * (1 - same)).sum(2) / (group - 1)).flatten()


def _seen(output: Tensor, view: Callable[[Tensor], Tensor] | None) -> Tensor:
    return output if view is None else view(output)

"""What a synthetic picture is to bring about in the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

Objective = Callable[[Tensor], Tensor]
"""From a layer's output for B pictures to B losses, each of which depends on its own picture only."""


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
        if self.view is not None:
            output = self.view(output)
        target = output[range(len(self.channels)), list(self.channels)].float()
        if target.ndim == 1:
            return target
        height, width = target.shape[1:]
        y, x = frame(height, self.border), frame(width, self.border)
        return target[:, y : height - y, x : width - x].mean(dim=(1, 2))


def frame(positions: int, border: int) -> int:
    """How wide a frame of at most `border` can be cut off both ends of a side of `positions` and leave something."""
    return min(border, (positions - 1) // 2)
